"""What the targets of a classifier are: labels, indicators, probabilities, or several targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.multiclass import type_of_target, unique_labels

from sknn._math import Array

TOLERANCE = 1e-3
"""By how much the probabilities of a sample may miss a sum of 1."""

KINDS = {
    "labels": "labels",
    "multilabel": "an indicator matrix",
    "soft": "probabilities of classes",
    "several": "several targets",
    "other": "numbers that are no labels",
}
"""What targets of a classifier can be, in words."""


def kind_of(y: Any) -> str:
    """Return scikit-learn's type_of_target, without its 0.2 ms where the dtype tells."""
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biuU":
        return "multiclass"
    with np.errstate(invalid="ignore"):  # it tries whether huge numbers are ints
        return str(type_of_target(y, input_name="y"))


def labels_of(y: Any) -> Array:
    """Return the labels that occur, sorted, as scikit-learn returns them."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "biuU":
        return np.unique(y)
    return np.asarray(unique_labels(y))


def describe(y: Any) -> str:
    """Return which of `KINDS` the targets are, with target_type='auto'."""
    if is_soft(y):
        return "soft"
    kind = kind_of(y)
    names = {"multilabel-indicator": "multilabel", "multiclass-multioutput": "several"}
    return names.get(kind, "labels" if kind in ("binary", "multiclass") else "other")


def as_probabilities(y: Any) -> Array | None:
    """Return targets as a matrix whose rows are distributions, or None if they are not."""
    if not hasattr(y, "__len__") or sp.issparse(y) or np.ndim(y) != 2:
        return None
    matrix = np.asarray(y)
    if matrix.dtype.kind not in "fiub" or matrix.shape[1] < 2:
        return None
    # In float64: half precision would lose the sum of a few hundred classes.
    if not (matrix >= 0).all() or np.abs(matrix.sum(axis=1, dtype=float) - 1).max() >= TOLERANCE:
        return None
    return matrix


def is_soft(y: Any) -> bool:
    """Whether targets can only be probabilities of classes: some are neither 0 nor 1."""
    matrix = as_probabilities(y)
    if matrix is None or matrix.dtype.kind != "f":
        return False
    return bool(((matrix > 0) & (matrix < 1)).any())


def check_indicators(y: Any, name: str) -> None:
    """Raise ValueError unless a matrix holds zeros and ones."""
    found = np.unique(y.data if sp.issparse(y) else np.asarray(y))
    if not np.isin(found, (0, 1)).all():
        raise ValueError(
            f"A matrix of labels must hold 1 where a label is true and 0 elsewhere; `{name}` has "
            f"the values {', '.join(f'{value:g}' for value in found[:10].astype(float))}."
        )


def check_kind(y: Any, name: str, learnt: str) -> None:
    """Raise ValueError if targets are not of the kind that was learnt: labels or multilabel."""
    kind = describe(y)
    if kind == learnt:
        return
    hint = ""
    if kind == "soft" and learnt == "multilabel":
        hint = (
            " A float matrix that is exactly one-hot counts as indicators; if the first one held "
            "probabilities, too, set target_type='soft'."
        )
    raise ValueError(
        f"`{name}` holds {KINDS[kind]}, but the estimator was fitted on {KINDS[learnt]}.{hint}"
    )


def refuse(y: Any, kind: str) -> None:
    """Raise ValueError for targets that no classifier can learn; return if they are labels."""
    if kind == "continuous-multioutput":
        matrix = np.asarray(y, np.float64)
        sums = matrix.sum(axis=1)
        row = int(np.abs(sums - 1).argmax())
        if matrix.min() < 0:
            row = int(matrix.min(axis=1).argmin())
            raise ValueError(
                "Unknown label type: continuous-multioutput. A float matrix holds "
                f"probabilities of classes if its entries are at least 0; row {row} has "
                f"{matrix[row].min():.6g}. For numbers on a continuous scale use a regressor."
            )
        raise ValueError(
            "Unknown label type: continuous-multioutput. A float matrix holds probabilities of "
            f"classes if its entries are at least 0 and its rows sum to 1; row {row} sums to "
            f"{sums[row]:.6g}. For numbers on a continuous scale use a regressor."
        )
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: {kind}. A classifier needs labels of one type, such as ints "
            "or strings; for numbers on a continuous scale use a regressor."
        )


def as_classes(classes: Any) -> Any:
    """Return classes that came in any container (a set, a Series, dict keys) as an array or list.

    Those of several targets stay a list, of arrays.
    """
    if classes is None or isinstance(classes, str):
        return classes
    if hasattr(classes, "__array__"):
        return np.asarray(classes)
    items = list(classes)
    if items and not isinstance(items[0], str) and hasattr(items[0], "__iter__"):
        return [np.asarray(list(item)) for item in items]
    return items


def check_classes(known: Any, classes: Any, y: Any, target_type: str) -> None:
    """Raise ValueError unless partial_fit knows all classes, and the same as before.

    Parameters
    ----------
    known : ndarray, list of ndarray or None
        Those of an earlier call.
    classes : array-like, list of array-like or None
        Those of this call.
    y : array-like
        The targets of this call.
    target_type : {"auto", "multilabel", "soft"}
    """
    if known is None:
        if classes is None and target_type != "soft" and not is_soft(y):
            hint = ""
            if as_probabilities(y) is not None:
                hint = (
                    " y is a matrix whose rows are one-hot: if it holds probabilities of classes, "
                    "set target_type='soft' instead."
                )
            raise ValueError(f"classes must be passed on the first call to partial_fit.{hint}")
    elif classes is not None and not _same_classes(known, classes):
        raise ValueError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
        )


def _same_classes(known: Any, classes: Any) -> bool:
    if isinstance(known, list):
        pairs = zip(known, classes, strict=False)
        return len(known) == len(classes) and all(np.array_equal(a, np.unique(b)) for a, b in pairs)
    return np.array_equal(known, np.unique(classes))
