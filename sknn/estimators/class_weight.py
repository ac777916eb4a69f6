"""Weights of classes and labels, and targets that are less sure."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from sknn._constraints import Interval
from sknn._math import Array
from sknn._warn import warn
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.targets import LabelEncoding, MultiOutputEncoding

IMBALANCED = 0.9
"""From this share of the most frequent class on, accuracy may say nothing."""

ROUNDING = 1e-9
"""By how much two shares may differ and be the same."""


def sample_weights(
    class_weight: Any, encoding: LabelEncoding, y: Array, weight: Array | None
) -> Array | None:
    """Return the samples' weights, times those of their classes.

    Parameters
    ----------
    class_weight : dict, list of dict or "balanced"
    encoding : LabelEncoding
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    weight : ndarray of shape (n_samples,) or None
    """
    if encoding.is_multilabel:
        return weight  # each label's positive samples are weighted in the loss
    if encoding.are_soft:
        raise ValueError(
            f"class_weight={class_weight!r} needs labels; y holds probabilities of the classes."
        )
    if not isinstance(encoding, MultiOutputEncoding):
        if isinstance(class_weight, list):
            raise ValueError(
                f"class_weight={class_weight!r} is a list, for several targets; y has one. Use a "
                "dict from classes to weights."
            )
        codes = y.argmax(axis=1) if encoding.is_multiclass else y[:, 0].astype(int)
        _check_known(class_weight, encoding.classes)
        factor = compute_sample_weight(class_weight, encoding.classes[codes])
    else:
        tables = class_weight if isinstance(class_weight, list) else []
        for table, classes in zip(tables, encoding.classes, strict=False):
            _check_known(table, classes)
        decision = np.stack([rows.argmax(axis=0) for rows in encoding.split(y.T)])
        factor = compute_sample_weight(class_weight, encoding.decode(decision))
    total = np.asarray(factor if weight is None else factor * weight)
    if not total.any():
        raise ValueError(f"class_weight={class_weight!r} leaves no sample with a weight.")
    return total


def label_weights(class_weight: Any, n_positive: Array, n_samples: int) -> tuple[float, ...]:
    """Return what the positive samples of each label of a multilabel problem weigh.

    Parameters
    ----------
    class_weight : dict or "balanced"
        "balanced" gives them the total weight of the negative ones.
    n_positive : ndarray of shape (n_labels,)
        How many samples have each label.
    n_samples : int
    """
    labels = np.arange(len(n_positive))
    if not isinstance(class_weight, dict):
        if class_weight != "balanced":
            raise ValueError(
                f"class_weight={class_weight!r} must be 'balanced' or a dict from label numbers to "
                "the weights of their positive samples in multilabel problems."
            )
        balanced = (n_samples - n_positive) / np.maximum(n_positive, 1)
        return tuple(float(value) if value > 0 else 1.0 for value in balanced)
    _check_known(class_weight, labels)
    return tuple(float(class_weight.get(label, 1.0)) for label in labels)


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
    means = np.average(y, axis=0, weights=weight)
    share = float(means.max() if encoding.is_multiclass else max(means[0], 1 - means[0]))
    return share if share < 1 else 0.0


def _check_known(class_weight: Any, classes: Array) -> None:
    if not isinstance(class_weight, dict):
        return
    unknown = [label for label in class_weight if label not in classes]
    if unknown:
        raise ValueError(
            f"class_weight has {unknown[0]!r}, which is not among the classes {list(classes)}."
        )
    for label, value in class_weight.items():
        if not Interval(Real, 0, None).accepts(value):
            raise ValueError(
                f"class_weight must have finite weights of at least 0; got {value!r} for {label!r}."
            )
