"""Weights of classes and labels, and targets that are less sure."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn._names import closest
from sknn._warn import warn
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.targets import LabelEncoding, MultiOutputEncoding

IMBALANCED = 0.9
"""From this share of the most frequent class on, accuracy may say nothing."""

TYPO = 0.8
"""The likeness from which on a string is taken for another one, mistyped."""

ROUNDING = 1e-9
"""By how much two shares may differ and be the same."""


def class_factors(
    class_weight: Any, encoding: LabelEncoding, y: Array, weight: Array | None
) -> list[Array]:
    """Return the weight of each class, for each target.

    "balanced" gives all classes that occur the same total; what counts are rows, so a weight of 2
    is a row twice. A class without an entry in a dict, or without rows to balance it by, weighs 1.

    Parameters
    ----------
    class_weight : dict, list of dict or "balanced"
    encoding : LabelEncoding
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    weight : ndarray of shape (n_samples,) or None
    """
    if encoding.is_multilabel:
        return []  # each label's positive samples are weighted in the loss
    if encoding.are_soft:
        raise ValueError(
            f"class_weight={class_weight!r} needs labels; y holds probabilities of the classes."
        )
    targets = _targets_of(encoding, y)
    if class_weight == "balanced":
        return [_balanced(codes, len(classes), weight) for classes, codes in targets]
    tables = [class_weight] * len(targets)
    if isinstance(class_weight, list):
        if not isinstance(encoding, MultiOutputEncoding):
            raise ValueError(
                f"class_weight={class_weight!r} is a list, for several targets; y has one. Use a "
                "dict from classes to weights."
            )
        if len(class_weight) != len(targets):
            raise ValueError(
                f"class_weight has {len(class_weight)} dicts, but y has {len(targets)} targets; "
                "one for each is needed."
            )
        tables = class_weight
    return [
        _look_up(table, classes.tolist())
        for table, (classes, _) in zip(tables, targets, strict=True)
    ]


def sample_weights(
    factors: list[Array], encoding: LabelEncoding, y: Array, weight: Array | None
) -> Array | None:
    """Return the samples' weights, times those of their classes.

    Parameters
    ----------
    factors : list of ndarray
        What `class_factors` has returned.
    encoding, y, weight
        See there.
    """
    for factor, (_, codes) in zip(factors, _targets_of(encoding, y), strict=False):
        weight = factor[codes] if weight is None else weight.astype(np.float64) * factor[codes]
    if weight is not None and not weight.any():
        raise ValueError("class_weight leaves no sample with a weight: the classes of y weigh 0.")
    return weight


def label_weights(class_weight: Any, y: Array, weight: Array | None) -> tuple[float, ...]:
    """Return what the positive samples of each label of a multilabel problem weigh.

    Parameters
    ----------
    class_weight : dict or "balanced"
        "balanced" gives them the total weight of the negative ones.
    y : ndarray of bool, shape (n_samples, n_labels)
    weight : ndarray of shape (n_samples,) or None
    """
    n_labels = y.shape[1]
    if not isinstance(class_weight, dict):
        if class_weight != "balanced":
            raise ValueError(
                f"class_weight={class_weight!r} must be 'balanced' or a dict from label numbers to "
                "the weights of their positive samples in multilabel problems."
            )
        rows = np.ones(len(y)) if weight is None else weight.astype(np.float64)
        positive, total = rows @ y, rows.sum()
        is_known = (positive > 0) & (positive < total)
        ratio = np.divide(total - positive, positive, out=np.ones(n_labels), where=is_known)
        return tuple(ratio.tolist())
    return tuple(_look_up(class_weight, list(range(n_labels)), may_lack_some=False).tolist())


def check_partial_weights(class_weight: Any) -> None:
    """Raise ValueError for class weights that a part of the samples does not tell."""
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight={class_weight!r} needs all of the samples; for partial_fit give the "
            "weights as a dict."
        )


def smooth(y: Array, share: float, encoding: LabelEncoding) -> Array:
    """Return encoded targets of which a share is spread evenly over the classes."""
    if not share:
        return y
    if isinstance(encoding, MultiOutputEncoding):
        n_classes = np.repeat(encoding.sizes, encoding.sizes)
    else:
        n_classes = np.array(y.shape[1] if encoding.is_multiclass else 2)
    return np.asarray((1 - share) * y + share / n_classes)


def warn_if_imbalanced(encoding: LabelEncoding, held_out: HeldOut, best_score: float) -> None:
    """Warn if the accuracy that early stopping has watched is that of a constant."""
    share = _majority_share(encoding, held_out)
    if share > IMBALANCED and best_score <= share + ROUNDING:
        warn(
            f"Early stopping has watched the accuracy, which never exceeded {share:.3f}, the share "
            "of the most frequent class in the validation set: it says nothing about how well the "
            "classes are told apart. Use scoring='loss' or scoring='roc_auc', or "
            "class_weight='balanced'."
        )


def _majority_share(encoding: LabelEncoding, held_out: HeldOut) -> float:
    """Return the weighted share of the most frequent class; 0 where that is no question."""
    y, weight = held_out.y, held_out.sample_weight
    if encoding.is_multilabel or encoding.are_soft or isinstance(encoding, MultiOutputEncoding):
        return 0.0
    weight = None if weight is None else weight.astype(np.float64)
    means = np.average(y, axis=0, weights=weight)
    share = float(means.max() if encoding.is_multiclass else max(means[0], 1 - means[0]))
    return share if share < 1 else 0.0


def _targets_of(encoding: LabelEncoding, y: Array) -> list[tuple[Array, Array]]:
    """Return for each target its classes, and the number of each sample's class."""
    if isinstance(encoding, MultiOutputEncoding):
        parts = zip(encoding.classes, encoding.split(y.T), strict=True)
        return [(classes, rows.argmax(axis=0)) for classes, rows in parts]
    return [(encoding.classes, y.argmax(axis=1) if encoding.is_multiclass else y[:, 0].astype(int))]


def _balanced(codes: Array, n_classes: int, weight: Array | None) -> Array:
    counts = np.bincount(codes, weight, n_classes)
    n_present = np.count_nonzero(counts)
    share = counts.sum() / n_present
    return np.divide(share, counts, out=np.ones(n_classes), where=counts > 0)


def _look_up(table: Any, classes: list[Any], may_lack_some: bool = True) -> Array:
    """Return the weights of classes in a table; warn of an entry that must be a mistake.

    Mostly an unknown class may be one that only has no rows here: `classes` may lack some.
    """
    if not isinstance(table, dict):
        raise ValueError(
            f"class_weight must have a dict from classes to weights for each target; got {table!r}."
        )
    for key, value in table.items():
        label = key.item() if isinstance(key, np.generic) else key
        if not Interval(Real, 0, None).accepts(value):
            raise ValueError(
                f"class_weight must have finite weights of at least 0; got {value!r} for {label!r}."
            )
        if label not in classes:
            candidates = [known for known in classes if known not in table]
            _warn_of_mistake(label, candidates, classes, may_lack_some)
    return np.array([table.get(label, 1.0) for label in classes], np.float64)


def _warn_of_mistake(
    label: Any, candidates: list[Any], classes: list[Any], may_lack_some: bool
) -> None:
    same_text = [known for known in candidates if str(known) == str(label)]
    is_foreign = not any(_kind(known) is _kind(label) for known in classes)
    texts = [known for known in candidates if isinstance(known, str)]
    close = closest(label, texts, TYPO) if isinstance(label, str) else None
    if is_foreign or close is not None or not may_lack_some:
        meant = same_text[0] if same_text else close
        hint = "" if meant is None else f" Did you mean {meant!r}?"
        warn(
            f"class_weight has an entry for {label!r}, which is not among the classes {classes} "
            f"and so weighs nothing.{hint}"
        )


def _kind(label: Any) -> type:
    """Return what labels of one column have in common."""
    return Real if isinstance(label, Real) else type(label)
