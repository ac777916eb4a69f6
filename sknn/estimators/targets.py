"""Class labels to indicator columns, and back."""

from __future__ import annotations

from typing import Any

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


class LabelEncoding:
    """How the labels of a classifier become the network's outputs.

    Binary targets are one output, multiclass targets one for each class, multilabel targets
    one for each label.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The sorted classes, or the numbers of the labels.
    is_multilabel : bool
    container : type or None, default=None
        The sparse class in which multilabel predictions are returned, as the targets came.
    """

    def __init__(self, classes: Array, is_multilabel: bool, container: Any = None) -> None:
        self.classes = classes
        self.is_multilabel = is_multilabel
        self.container = container

    @classmethod
    def learn(cls, y: Any, classes: Any = None) -> LabelEncoding:
        """Return the encoding of `y`, or of known classes of which `y` may lack some."""
        kind = _kind_of(y)
        if kind == "multilabel-indicator":
            container = type(y.tocsr()) if sp.issparse(y) else None
            return cls(np.arange(y.shape[1]), True, container)
        if kind == "multiclass-multioutput":
            raise ValueError(
                "Multioutput target data is not supported: y has several columns with more than "
                "two classes. Allowed are one column of labels, or an indicator matrix."
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

    def check(self, y: Any, must_have_all: bool) -> None:
        """Raise ValueError if `y` is of another kind, or has other classes, than was learnt.

        Parameters
        ----------
        y : array-like
            The targets of a later call.
        must_have_all : bool
            Whether each known class has to occur (warm_start).
        """
        if (_kind_of(y) == "multilabel-indicator") is not self.is_multilabel:
            kinds = (
                ("labels", "an indicator matrix")
                if self.is_multilabel
                else ("an indicator matrix", "labels")
            )
            raise ValueError(f"`y` holds {kinds[0]}, but the estimator was fitted on {kinds[1]}.")
        found, known = np.arange(y.shape[1]) if self.is_multilabel else _labels_of(y), self.classes
        if must_have_all and set(found) != set(known):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {known}, `y` has {found}"
            )
        if len(np.setdiff1d(found, known, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {known}. "
                f"'y' has {found}."
            )

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
