"""Targets of a classifier."""

from __future__ import annotations

import functools
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import accuracy_score

from sknn._math import Array
from sknn.losses import Grouped, LabelWeighted, Loss
from sknn.losses.scores import accuracy
from sknn.plain import kept
from sknn.targets._base import Targets, TargetSettings
from sknn.targets.class_weight import class_factors, label_weights, look_up
from sknn.targets.kinds import (
    KINDS,
    as_probabilities,
    check_indicators,
    check_kind,
    describe,
    is_soft,
    kind_of,
    labels_of,
    refuse,
)

IMBALANCED = 0.9
"""From this share of the most frequent class on, accuracy may say nothing."""

ROUNDING = 1e-9
"""By how much two shares may differ and be the same."""


@dataclass(frozen=True, kw_only=True)
class ClassTargets(Targets):
    """Targets that are classes, in any form.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,), or list of ndarray
        The classes, sorted; the numbers of labels or of columns; a list for several targets.
    factors : tuple of ndarray
        The weights of the classes of each target; empty without weights.
    """

    classes: Any
    factors: tuple[Array, ...] = ()

    are_soft: ClassVar[bool] = False
    """Whether encoded targets are probabilities, not bools."""

    @property
    @abstractmethod
    def is_one_of_many(self) -> bool:
        """Whether exactly one of several outputs is true."""

    @property
    def has_one_class(self) -> bool:
        """Whether there is nothing to tell apart: one target, of which one class is known."""
        return len(self.classes) == 1

    def published(self) -> dict[str, Any]:
        return {"classes_": self.classes, "n_outputs_": self.n_outputs}

    def weighted(self, encoded: Array, weight: Array | None) -> Self:
        with_factors = replace(self, factors=self._class_factors(encoded, weight))
        return replace(with_factors, loss=self._choose_loss(encoded, weight))

    def _class_factors(self, encoded: Array, weight: Array | None) -> tuple[Array, ...]:
        """Return the weights of the classes of each target."""
        class_weight = self.settings.class_weight
        if class_weight is None:
            return ()
        if isinstance(class_weight, list):
            raise ValueError(
                f"class_weight={class_weight!r} is a list, for several targets; y has one. Use a "
                "dict from classes to weights."
            )
        [(classes, codes)] = self.codes(encoded)
        return (class_factors(class_weight, classes, codes, weight),)

    def _choose_loss(self, encoded: Array, weight: Array | None) -> Loss:
        return self.settings.loss.for_targets(self.is_one_of_many, self._learns_from_soft())

    def _learns_from_soft(self) -> bool:
        """Whether training sees probabilities, not bools."""
        return self.are_soft or self.settings.label_smoothing > 0 or self.settings.are_mixed

    def for_training(self, encoded: Array) -> Array:
        share = self.settings.label_smoothing
        if not share:
            return encoded
        return np.asarray((1 - share) * encoded + share / self._n_classes_by_output())

    def _n_classes_by_output(self) -> Any:
        """Return the number of classes that each output is one of."""
        return self.n_outputs if self.is_one_of_many else 2

    def weigh(self, encoded: Array, weight: Array | None) -> Array | None:
        if not self.factors:
            return weight
        with np.errstate(over="ignore"):
            for factor, (_, codes) in zip(self.factors, self.codes(encoded), strict=True):
                of_class = factor[codes]
                weight = of_class if weight is None else weight.astype(np.float64) * of_class
            if weight is not None and not np.isfinite(weight.sum()):
                raise ValueError(
                    "class_weight times sample_weight may overflow: the largest is "
                    f"{weight.max()}. Divide the weights by a constant."
                )
        if weight is not None and not weight.any():
            raise ValueError(
                "class_weight leaves no sample with a weight: the classes of y weigh 0."
            )
        return weight

    def codes(self, encoded: Array) -> list[tuple[Array, Array]]:
        """Return for each target its classes, and the number of each sample's class.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.

        Returns
        -------
        list of tuple of ndarray
            A pair for each target.
        """
        return [(self.classes, encoded.argmax(axis=1))]

    def score(self, raw: Array, encoded: Array, weight: Array | None) -> float:
        self.loss.inverse_link(raw)
        return accuracy(self.is_right(self.decide(raw), encoded), weight)

    def accuracy(self, predicted: Any, y: Any, weight: Any) -> float:
        """Return the share of predictions that are right.

        Parameters
        ----------
        predicted : array-like
            What `predict` has returned.
        y : array-like
            Targets as users have them. Of probabilities the most likely class counts; of several
            targets all must be right.
        weight : array-like of shape (n_samples,) or None
            Weights of the samples; None weighs all alike.

        Returns
        -------
        float
            In [0, 1].
        """
        weight = None if weight is None else np.asarray(weight, np.float64)
        if weight is not None and not weight.any():
            raise ValueError("All of sample_weight is 0: there is nothing to score.")
        if self.are_soft and np.ndim(y) == 2:
            y = np.asarray(y).argmax(axis=1)
        elif isinstance(self.classes, list):
            is_right = (predicted == np.asarray(y)).all(axis=1)
            return float(np.average(is_right, weights=weight))
        return float(accuracy_score(y, predicted, sample_weight=weight))

    # Answers, from raw scores (n_raw, n_samples), which are consumed.

    @abstractmethod
    def decide(self, probability: Array) -> Array:
        """Return for each sample the most likely class's number, or which labels hold.

        Parameters
        ----------
        probability : ndarray of shape (n_outputs, n_samples)
            Probabilities.

        Returns
        -------
        ndarray of shape (n_samples,), or (n_targets, n_samples), of ints or bools
            What `decode` turns into labels.
        """

    @abstractmethod
    def decode(self, decision: Array) -> Any:
        """Return the labels of what `decide` has returned.

        Parameters
        ----------
        decision : ndarray
            Of `decide`.

        Returns
        -------
        array-like
            Labels as users have them.
        """

    @abstractmethod
    def is_right(self, decision: Array, encoded: Array) -> Array:
        """Return for each sample whether the decision is the encoded target.

        Parameters
        ----------
        decision : ndarray
            Of `decide`.
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.

        Returns
        -------
        ndarray of bool, shape (n_samples,)
            Of several targets all have to be.
        """

    def predict(self, raw: Array) -> Any:
        """Return the labels.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        array-like
            Labels as users have them.
        """
        self.loss.inverse_link(raw)
        return self.decode(self.decide(raw))

    def predict_proba(self, raw: Array) -> Any:
        """Return the probabilities of the classes, a column for each.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each class.
        """
        raw = _both_sides(raw)
        if self.has_one_class:
            return np.ones_like(raw[:1].T)
        self.loss.inverse_link(raw)
        # As its logarithm, a probability is never that of the impossible.
        np.maximum(raw, smallest(raw.dtype), out=raw)
        return self._by_sample(raw)

    def predict_log_proba(self, raw: Array) -> Any:
        """Return the logarithms of the probabilities, from a log-softmax.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each class.
        """
        raw = _both_sides(raw)
        if self.has_one_class:
            return np.zeros_like(raw[:1].T)
        self.loss.log_inverse_link(raw)
        return self._by_sample(raw)

    def _by_sample(self, rows: Array) -> Any:
        """Return rows of outputs as columns, in a list where there are several targets."""
        return np.ascontiguousarray(rows.T)


@kept
@dataclass(frozen=True, kw_only=True)
class Classes(ClassTargets):
    """One class for each sample: one output if there are two, else one for each class."""

    @property
    def n_outputs(self) -> int:
        return len(self.classes) if self.is_one_of_many else 1

    @property
    def is_one_of_many(self) -> bool:
        return len(self.classes) > 2

    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        check_kind(y, name, "labels")
        check_labels(y, self.classes, must_have_all, name)

    def encode(self, y: Any) -> Array:
        codes = np.searchsorted(self.classes, y)
        return _indicators(codes, len(self.classes)) if self.is_one_of_many else codes[:, None] == 1

    def codes(self, encoded: Array) -> list[tuple[Array, Array]]:
        codes = encoded.argmax(axis=1) if self.is_one_of_many else encoded[:, 0].astype(int)
        return [(self.classes, codes)]

    def strata(self, encoded: Array, n_held_out: int) -> Array | None:
        if not self.is_one_of_many:
            # Strings, for the sake of what scikit-learn's message says about rare classes.
            return np.where(encoded[:, 0], "True", "False")
        counts = encoded.sum(axis=0)
        counts = counts[counts > 0]
        fits = len(counts) <= min(n_held_out, len(encoded) - n_held_out)
        return encoded.argmax(axis=1) if fits and counts.min() >= 2 else None

    def decide(self, probability: Array) -> Array:
        if self.is_one_of_many:
            return probability.argmax(axis=0)
        if self.has_one_class:
            return np.zeros(probability.shape[1], np.intp)
        return (probability[0] > 0.5).view(np.int8)

    def decode(self, decision: Array) -> Any:
        return self.classes.take(decision)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        return decision == (encoded.argmax(axis=1) if self.is_one_of_many else encoded[:, 0])

    def doubts(self, best_score: float, encoded: Array, weight: Array | None) -> str:
        weight = None if weight is None else weight.astype(np.float64)
        means = np.average(encoded, axis=0, weights=weight)
        share = float(means.max() if self.is_one_of_many else max(means[0], 1 - means[0]))
        if not IMBALANCED < share < 1 or best_score > share + ROUNDING:
            return ""
        return (
            f"Early stopping has watched the accuracy, which never exceeded {share:.3f}, the share "
            "of the most frequent class in the validation set: it says nothing about how well the "
            "classes are told apart. Use scoring='loss' or scoring='roc_auc', or "
            "class_weight='balanced'."
        )


@kept
@dataclass(frozen=True, kw_only=True)
class Labels(ClassTargets):
    """Labels that are true or not, each for itself.

    Attributes
    ----------
    container : str
        The name of SciPy's class in which predictions are returned, as the targets came; empty for
        arrays.
    """

    container: str = ""

    is_one_of_many = False
    has_one_class = False

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def _class_factors(self, encoded: Array, weight: Array | None) -> tuple[Array, ...]:
        return ()  # each label's positive samples are weighted in the loss

    def _choose_loss(self, encoded: Array, weight: Array | None) -> Loss:
        loss, class_weight = super()._choose_loss(encoded, weight), self.settings.class_weight
        if class_weight is None:
            return loss
        return LabelWeighted(loss, label_weights(class_weight, encoded, weight))

    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        check_kind(y, name, "multilabel")
        check_indicators(y, name)

    def encode(self, y: Any) -> Array:
        return (y.toarray() if sp.issparse(y) else np.asarray(y)).astype(bool)

    def decide(self, probability: Array) -> Array:
        return probability > 0.5

    def decode(self, decision: Array) -> Any:
        labels = np.ascontiguousarray(decision.T).astype(int)
        return getattr(sp, self.container)(labels) if self.container else labels

    def is_right(self, decision: Array, encoded: Array) -> Array:
        return (decision == encoded.T).all(axis=0)


@kept
@dataclass(frozen=True, kw_only=True)
class Probabilities(ClassTargets):
    """Probabilities of the classes; the classes are the numbers of the columns."""

    are_soft = True
    is_one_of_many = True

    @property
    def n_outputs(self) -> int:
        return len(self.classes)

    def _class_factors(self, encoded: Array, weight: Array | None) -> tuple[Array, ...]:
        if self.settings.class_weight is not None:
            raise ValueError(
                f"class_weight={self.settings.class_weight!r} needs labels; y holds probabilities "
                "of the classes."
            )
        return ()

    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        matrix = as_probabilities(y)
        if matrix is None or matrix.shape[1] != len(self.classes):
            raise ValueError(
                f"The estimator was fitted on probabilities of {len(self.classes)} classes; "
                f"`{name}` must be a matrix with as many columns, whose rows sum to 1."
            )

    def encode(self, y: Any) -> Array:
        return np.asarray(y)

    def decide(self, probability: Array) -> Array:
        return probability.argmax(axis=0)

    def decode(self, decision: Array) -> Any:
        return self.classes.take(decision)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        return decision == encoded.argmax(axis=1)


@kept
@dataclass(frozen=True, kw_only=True)
class SeveralClasses(ClassTargets):
    """Several targets, each with classes of its own, and an output for each of them."""

    is_one_of_many = False
    has_one_class = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of classes of each target."""
        return tuple(map(len, self.classes))

    @property
    def n_outputs(self) -> int:
        return sum(self.sizes)

    def _class_factors(self, encoded: Array, weight: Array | None) -> tuple[Array, ...]:
        class_weight, targets = self.settings.class_weight, self.codes(encoded)
        if class_weight is None:
            return ()
        if not isinstance(class_weight, list):
            return tuple(class_factors(class_weight, *target, weight) for target in targets)
        if len(class_weight) != len(targets):
            raise ValueError(
                f"class_weight has {len(class_weight)} dicts, but y has {len(targets)} targets; "
                "one for each is needed."
            )
        pairs = zip(class_weight, targets, strict=True)
        return tuple(look_up(table, classes.tolist()) for table, (classes, _) in pairs)

    def _choose_loss(self, encoded: Array, weight: Array | None) -> Loss:
        loss = self.settings.loss.for_targets(True, self._learns_from_soft())
        return Grouped(loss, self.sizes)

    def _n_classes_by_output(self) -> Any:
        return np.repeat(self.sizes, self.sizes)

    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        if np.ndim(y) != 2 or y.shape[1] != len(self.classes):
            raise ValueError(
                f"`{name}` must have {len(self.classes)} columns, as in the first call."
            )
        for classes, column in zip(self.classes, y.T, strict=True):
            check_kind(column, name, "labels")
            check_labels(column, classes, must_have_all, name)

    def encode(self, y: Any) -> Array:
        columns = zip(self.classes, np.asarray(y).T, strict=True)
        return np.hstack([_indicators(np.searchsorted(c, column), len(c)) for c, column in columns])

    def codes(self, encoded: Array) -> list[tuple[Array, Array]]:
        pairs = zip(self.classes, self.split(encoded.T), strict=True)
        return [(classes, rows.argmax(axis=0)) for classes, rows in pairs]

    def split(self, rows: Array) -> list[Array]:
        """Return the rows (n_outputs, n_samples) of each target.

        Parameters
        ----------
        rows : ndarray of shape (n_outputs, n_samples)
            Raw scores, probabilities or encoded targets.

        Returns
        -------
        list of ndarray
            The outputs of each target.
        """
        return np.split(rows, np.cumsum(self.sizes)[:-1])

    def decide(self, probability: Array) -> Array:
        return np.stack([rows.argmax(axis=0) for rows in self.split(probability)])

    def decode(self, decision: Array) -> Any:
        columns = zip(self.classes, decision, strict=True)
        return np.stack([classes.take(codes) for classes, codes in columns], axis=1)

    def is_right(self, decision: Array, encoded: Array) -> Array:
        return (decision == self.decide(encoded.T)).all(axis=0)

    def _by_sample(self, rows: Array) -> Any:
        return [np.ascontiguousarray(part.T) for part in self.split(rows)]


def learn_classes(y: Any, classes: Any, target_type: str, settings: TargetSettings) -> ClassTargets:
    """Return the targets of which `y` are some; `classes` may be known.

    Parameters
    ----------
    y : array-like
        Targets as users have them.
    classes : array-like, list of array-like or None
        All classes that will ever occur; None takes those of y.
    target_type : {"auto", "multilabel", "soft"}
        What a matrix y holds.
    settings : TargetSettings
        What the estimator's parameters say of them.

    Returns
    -------
    ClassTargets
        Of the form that suits y.
    """
    if target_type == "soft" and as_probabilities(y) is None:
        raise ValueError(
            "target_type='soft' needs y as a matrix of probabilities, a column for each of two or "
            "more classes: entries of at least 0, in rows that sum to 1."
        )
    if target_type == "multilabel" and kind_of(y) != "multilabel-indicator":
        raise ValueError(
            "target_type='multilabel' needs y as a matrix of zeros and ones, a column for each "
            f"label; got {KINDS[describe(y)]}."
        )
    both: dict[str, Any] = {"settings": settings, "loss": settings.loss}
    if target_type == "soft" or (target_type == "auto" and is_soft(y)):
        return Probabilities(classes=np.arange(y.shape[1]), **both)
    has_columns = getattr(y, "ndim", 1) == 2
    are_known = classes is not None and len(classes) > 0 and np.ndim(classes[0]) == 1
    if has_columns and (are_known or kind_of(y) == "multiclass-multioutput"):
        columns = np.asarray(y).T if classes is None else classes
        return SeveralClasses(classes=[labels_of(column) for column in columns], **both)
    kind = kind_of(y)
    if kind == "multilabel-indicator":
        check_indicators(y, "y")
        container = type(y.tocsr()).__name__ if sp.issparse(y) else ""
        return Labels(classes=np.arange(y.shape[1]), container=container, **both)
    refuse(y, kind)
    return Classes(classes=labels_of(y if classes is None else classes), **both)


def check_labels(y: Any, known: Array, must_have_all: bool, name: str) -> None:
    """Raise ValueError if labels are not among those that were learnt."""
    found = labels_of(y)
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


def _indicators(codes: Array, n_classes: int) -> Array:
    """Return bools of shape (n_samples, n_classes), of which one is true in each row."""
    indicators = np.zeros((len(codes), n_classes), bool)
    indicators[np.arange(len(codes)), codes] = True
    return indicators


@functools.cache
def smallest(dtype: Any) -> Any:
    """Return the least number above 0."""
    return np.finfo(dtype).smallest_subnormal


def _both_sides(raw: Array) -> Array:
    """Return raw scores for both classes of a binary problem, others as they are."""
    if len(raw) > 1:
        return raw
    both = np.empty((raw.shape[1], 2), raw.dtype).T  # its transpose is what is returned
    np.negative(raw[0], out=both[0])
    both[1] = raw[0]
    return both
