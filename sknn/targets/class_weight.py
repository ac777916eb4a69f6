"""Weights of classes: looked up in what a user has given, or balanced."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn._names import closest
from sknn._warn import warn

TYPO = 0.8
"""The likeness from which on a string is taken for another one, mistyped."""


def check_partial_weights(class_weight: Any) -> None:
    """Raise ValueError for class weights that a part of the samples does not tell."""
    if isinstance(class_weight, str):
        raise ValueError(
            f"class_weight={class_weight!r} needs all of the samples; for partial_fit give the "
            "weights as a dict."
        )


def class_factors(class_weight: Any, classes: Array, codes: Array, weight: Array | None) -> Array:
    """Return the weight of each class of a target.

    "balanced" gives all classes that occur the same total; what counts are rows, so a weight of 2
    is a row twice. A class without an entry in a dict, or without rows to balance it by, weighs 1.

    Parameters
    ----------
    class_weight : dict or "balanced"
    classes : ndarray of shape (n_classes,)
    codes : ndarray of int, shape (n_samples,)
        The number of each sample's class.
    weight : ndarray of shape (n_samples,) or None
    """
    if class_weight == "balanced":
        return _balanced(codes, len(classes), weight)
    return look_up(class_weight, classes.tolist())


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
        with np.errstate(over="ignore"):
            ratio = np.divide(total - positive, positive, out=np.ones(n_labels), where=is_known)
        return tuple(ratio.tolist())
    return tuple(look_up(class_weight, list(range(n_labels)), may_lack_some=False).tolist())


def _balanced(codes: Array, n_classes: int, weight: Array | None) -> Array:
    counts = np.bincount(codes, weight, n_classes)
    n_present = np.count_nonzero(counts)
    share = counts.sum() / n_present
    with np.errstate(over="ignore"):  # what is too large is refused where weights are multiplied
        return np.divide(share, counts, out=np.ones(n_classes), where=counts > 0)


def look_up(table: Any, classes: list[Any], may_lack_some: bool = True) -> Array:
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
