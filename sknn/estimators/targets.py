"""Class labels to indicator columns, and back."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn.utils.multiclass import type_of_target, unique_labels

from sknn._math import Array


def _kind_of(y: Any) -> str:
    """Return scikit-learn's type_of_target, without its 0.2 ms where the dtype tells."""
    if isinstance(y, np.ndarray) and y.ndim == 1 and y.dtype.kind in "biuU":
        return "multiclass"
    return str(type_of_target(y, input_name="y"))


def _labels_of(y: Any) -> Array:
    """Return the labels that occur, sorted, as scikit-learn returns them."""
    if isinstance(y, np.ndarray) and y.dtype.kind in "biuU":
        return np.unique(y)
    return np.asarray(unique_labels(y))


TOLERANCE = 1e-3
"""By how much the probabilities of a sample may miss a sum of 1."""


class LabelEncoding:
    """How the labels of a classifier become the network's outputs.

    Binary targets are one output, multiclass targets one for each class, multilabel targets
    one for each label.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The sorted classes, or the numbers of the labels; a list of them for several targets.
    is_multilabel : bool
    container : type or None, default=None
        The sparse class in which multilabel predictions are returned, as the targets came.
    """

    def __init__(self, classes: Any, is_multilabel: bool, container: Any = None) -> None:
        self.classes = classes
        self.is_multilabel = is_multilabel
        self.container = container

    are_soft: ClassVar[bool] = False
    """Whether encoded targets are probabilities, not bools."""

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> LabelEncoding:
        """Return the encoding of `y`, or of known classes of which `y` may lack some."""
        kind = _kind_of(y)
        if kind == "multilabel-indicator":
            check_indicators(y, "y")
            container = type(y.tocsr()) if sp.issparse(y) else None
            return cls(np.arange(y.shape[1]), True, container)
        if kind == "continuous-multioutput":
            matrix = np.asarray(y, np.float64)
            sums = matrix.sum(axis=1)
            row = int(np.abs(sums - 1).argmax())
            if matrix.min() < 0:
                row = int(matrix.min(axis=1).argmin())
                raise ValueError(
                    "Unknown label type: continuous-multioutput. A float matrix holds "
                    f"probabilities of classes if its entries are at least 0; row {row} has "
                    f"{matrix[row].min():.6g}. For numbers on a continuous scale use MLPRegressor."
                )
            raise ValueError(
                "Unknown label type: continuous-multioutput. A float matrix holds probabilities of "
                f"classes if its entries are at least 0 and its rows sum to 1; row {row} sums to "
                f"{sums[row]:.6g}. For numbers on a continuous scale use MLPRegressor."
            )
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"Unknown label type: {kind}. A classifier needs labels of one type, such as ints "
                "or strings; for numbers on a continuous scale use MLPRegressor."
            )
        return cls(_labels_of(y if classes is None else classes), False)

    @property
    def is_multiclass(self) -> bool:
        """Whether exactly one of several outputs is true."""
        return not self.is_multilabel and len(self.classes) > 2

    def check(self, y: Any, must_have_all: bool, name: str = "y") -> None:
        """Raise ValueError if `y` is of another kind, or has other classes, than was learnt.

        Parameters
        ----------
        y : array-like
            The targets of a later call.
        must_have_all : bool
            Whether each known class has to occur (warm_start).
        name : str, default="y"
            What they are called.
        """
        found_kind = "multilabel" if self.is_multilabel else "labels"
        kind = _describe(y)
        if kind != found_kind:
            hint = ""
            if kind == "soft" and self.is_multilabel:
                hint = (
                    " A float matrix that is exactly one-hot counts as indicators; if the first one"
                    " held probabilities, too, set target_type='soft'."
                )
            raise ValueError(
                f"`{name}` holds {KINDS[kind]}, but the estimator was fitted on "
                f"{KINDS[found_kind]}.{hint}"
            )
        if self.is_multilabel:
            check_indicators(y, name)
            return
        found, known = _labels_of(y), self.classes
        if must_have_all and set(found) != set(known):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {known}, `y` has {found}"
            )
        if len(np.setdiff1d(found, known, assume_unique=True)):
            raise ValueError(
                f"`{name}` has classes not in `self.classes_`. `self.classes_` has {known}. "
                f"'{name}' has {found}."
            )

    def strata(self, encoded: Array, n_held_out: int) -> Array | None:
        """Return what a split is stratified by: the classes, unless one is too rare for it."""
        if self.is_multilabel:
            return None
        if not self.is_multiclass:
            # Strings, for the sake of what scikit-learn's message says about rare classes.
            return np.where(encoded[:, 0], "True", "False")
        counts = encoded.sum(axis=0)
        counts = counts[counts > 0]
        fits = len(counts) <= min(n_held_out, len(encoded) - n_held_out)
        return encoded.argmax(axis=1) if fits and counts.min() >= 2 else None

    def encode(self, y: Any) -> Array:
        """Return bools of shape (n_samples, n_outputs); all labels must be known."""
        if self.is_multilabel:
            return (y.toarray() if sp.issparse(y) else np.asarray(y)).astype(bool)
        codes = np.searchsorted(self.classes, y)
        if not self.is_multiclass:
            return (codes == 1)[:, np.newaxis]
        indicator = np.zeros((len(codes), len(self.classes)), bool)
        indicator[np.arange(len(codes)), codes] = True
        return indicator

    def decide(self, probability: Array) -> Array:
        """Return for each sample the most likely class's number, or which labels hold.

        Parameters
        ----------
        probability : ndarray of shape (n_outputs, n_samples)

        Returns
        -------
        ndarray of shape (n_samples,), or of bool and shape (n_labels, n_samples)
        """
        if self.is_multilabel:
            return probability > 0.5
        if self.is_multiclass:
            return probability.argmax(axis=0)
        if len(self.classes) == 1:
            return np.zeros(probability.shape[1], np.intp)
        return (probability[0] > 0.5).view(np.int8)

    def decode(self, decision: Array) -> Any:
        """Return the labels of what `decide` has returned."""
        if not self.is_multilabel:
            return self.classes.take(decision)
        labels = np.ascontiguousarray(decision.T).astype(int)
        return labels if self.container is None else self.container(labels)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        """Return for each sample whether the decision is the encoded target."""
        if self.is_multilabel:
            return (decision == encoded.T).all(axis=0)
        if self.is_multiclass:
            return decision == encoded.argmax(axis=1)
        return decision == encoded[:, 0]


class SoftEncoding(LabelEncoding):
    """Targets that are probabilities of the classes already.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The numbers of the columns.
    """

    are_soft = True

    def __init__(self, classes: Array) -> None:
        super().__init__(classes, is_multilabel=False)

    @property
    def is_multiclass(self) -> bool:
        """Whether exactly one of several outputs is true."""
        return True

    def check(self, y: Any, must_have_all: bool, name: str = "y") -> None:
        matrix = as_probabilities(y)
        if matrix is None or matrix.shape[1] != len(self.classes):
            raise ValueError(
                f"The estimator was fitted on probabilities of {len(self.classes)} classes; "
                f"`{name}` must be a matrix with as many columns, whose rows sum to 1."
            )

    def strata(self, encoded: Array, n_held_out: int) -> Array | None:
        return None

    def encode(self, y: Any) -> Array:
        return np.asarray(y)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        return decision == encoded.argmax(axis=1)


class MultiOutputEncoding(LabelEncoding):
    """Several targets, each with classes of its own.

    Parameters
    ----------
    parts : list of LabelEncoding
        One for each target.
    """

    def __init__(self, parts: list[LabelEncoding]) -> None:
        self.parts = parts
        super().__init__([part.classes for part in parts], is_multilabel=False)

    @classmethod
    def of(cls, y: Array, classes: Any = None) -> MultiOutputEncoding:
        """Return the encoding of the columns of `y`, or of known classes for each."""
        known = [None] * y.shape[1] if classes is None else classes
        return cls([_SoftmaxEncoding.of(*pair) for pair in zip(y.T, known, strict=True)])

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of classes of each target."""
        return tuple(len(part.classes) for part in self.parts)

    @property
    def is_multiclass(self) -> bool:
        """Whether exactly one of several outputs is true."""
        return False

    def check(self, y: Any, must_have_all: bool, name: str = "y") -> None:
        if np.ndim(y) != 2 or y.shape[1] != len(self.parts):
            raise ValueError(f"`{name}` must have {len(self.parts)} columns, as in the first call.")
        for part, column in zip(self.parts, y.T, strict=True):
            part.check(column, must_have_all, name)

    def strata(self, encoded: Array, n_held_out: int) -> Array | None:
        return None

    def encode(self, y: Any) -> Array:
        columns = zip(self.parts, np.asarray(y).T, strict=True)
        return np.hstack([part.encode(column) for part, column in columns])

    def decide(self, probability: Array) -> Array:
        return np.stack([rows.argmax(axis=0) for rows in self.split(probability)])

    def decode(self, decision: Array) -> Any:
        columns = zip(self.parts, decision, strict=True)
        return np.stack([part.classes.take(codes) for part, codes in columns], axis=1)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        truth = np.stack([rows.argmax(axis=0) for rows in self.split(encoded.T)])
        return (decision == truth).all(axis=0)

    def split(self, rows: Array) -> list[Array]:
        """Return the rows (n_outputs, n_samples) of each target."""
        return np.split(rows, np.cumsum(self.sizes)[:-1])


class _SoftmaxEncoding(LabelEncoding):
    """One target among several: an output for each class, also where there are only two."""

    @classmethod
    def of(cls, y: Array, classes: Any) -> _SoftmaxEncoding:
        return cls(_labels_of(y if classes is None else classes), False)

    @property
    def is_multiclass(self) -> bool:
        """Whether exactly one of several outputs is true."""
        return True


KINDS = {
    "labels": "labels",
    "multilabel": "an indicator matrix",
    "soft": "probabilities of classes",
    "several": "several targets",
    "other": "numbers that are no labels",
}
"""What targets of a classifier can be, in words."""


def _describe(y: Any) -> str:
    """Return which of `KINDS` the targets are, with target_type='auto'."""
    if is_soft(y):
        return "soft"
    kind = _kind_of(y)
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


def learn_encoding(y: Any, classes: Any, target_type: str) -> LabelEncoding:
    """Return the encoding of targets of any kind; `classes` may be known.

    Parameters
    ----------
    y : array-like
    classes : array-like, list of array-like or None
    target_type : {"auto", "multilabel", "soft"}
    """
    if target_type == "soft" and as_probabilities(y) is None:
        raise ValueError(
            "target_type='soft' needs y as a matrix of probabilities, a column for each of two or "
            "more classes: entries of at least 0, in rows that sum to 1."
        )
    if target_type == "multilabel" and _kind_of(y) != "multilabel-indicator":
        raise ValueError(
            "target_type='multilabel' needs y as a matrix of zeros and ones, a column for each "
            f"label; got {KINDS[_describe(y)]}."
        )
    if target_type == "soft" or (target_type == "auto" and is_soft(y)):
        return SoftEncoding(np.arange(y.shape[1]))
    has_columns = getattr(y, "ndim", 1) == 2
    are_known = classes is not None and len(classes) > 0 and np.ndim(classes[0]) == 1
    if has_columns and (are_known or _kind_of(y) == "multiclass-multioutput"):
        return MultiOutputEncoding.of(np.asarray(y), classes)
    return LabelEncoding.learn(y, classes)


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
