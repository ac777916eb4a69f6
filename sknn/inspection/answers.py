"""What a fitted model answers, as a function that can be differentiated.

An answer first turns rows into *points*: arrays of numbers in which a straight walk makes sense,
each column of which comes from one column of the rows (its origin). From there on everything is
smooth: the outputs, and their gradients with respect to the points.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import expit

from sknn._math import Array
from sknn.losses import Loss
from sknn.network import Network

Points = list[Array]
"""Arrays of shape (n_samples, n_columns)."""

Differentiate = Callable[[Array], None]
"""Replaces outputs (n_outputs, n_samples) by the derivatives of a function of them."""


class Answer(ABC):
    """A function of rows with one or more outputs.

    Attributes
    ----------
    origins : list of ndarray of int
        For each array of points from which column of the rows each of its columns comes.
    n_outputs : int
    is_direct : bool
        Whether points are columns of the rows as they are.
    """

    origins: list[Array]
    n_outputs: int
    is_direct: bool = True

    @abstractmethod
    def encode(self, X: Any) -> Points:
        """Return rows as points."""

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        """Return how each column of the points changes with its origin.

        Of shape (n_samples, n_columns), NaN where there is no derivative; None if they are equal.
        """
        return [None] * len(points)

    @abstractmethod
    def values(self, points: Points) -> Array:
        """Return the outputs, (n_outputs, n_samples), in a new array."""

    @abstractmethod
    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        """Return the gradient of a function of the outputs with respect to the points."""


class RawScores(Answer):
    """The raw scores of a network.

    Parameters
    ----------
    network : Network
    parameters : list of dict
        Those of each layer.
    check : callable
        Returns validated rows, dense or sparse.
    """

    def __init__(
        self, network: Network, parameters: list[Any], check: Callable[[Any], Any]
    ) -> None:
        self._network, self._parameters, self._check = network, parameters, check
        self.origins = [np.arange(network.n_features)]
        self.n_outputs = network.n_outputs

    def encode(self, X: Any) -> Points:
        rows = self._check(X)
        return [rows.toarray() if sp.issparse(rows) else np.asarray(rows)]

    def values(self, points: Points) -> Array:
        return self._network.predict(points[0], self._parameters)

    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        return [
            self._network.input_gradient(
                points[0], self._parameters, lambda raw, rows: differentiate(raw)
            )
        ]


class Around(Answer):
    """Another answer, of which something is changed.

    Parameters
    ----------
    answer : Answer
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.origins, self.n_outputs = answer.origins, answer.n_outputs
        self.is_direct = answer.is_direct

    def encode(self, X: Any) -> Points:
        return self._answer.encode(X)

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        return self._answer.slopes(X, points)

    def values(self, points: Points) -> Array:
        return self.map(self._answer.values(points))

    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        def through(values: Array) -> None:
            slope = self.map(values)
            differentiate(slope)
            values[...] = self.pull_back(values, slope)

        return self._answer.gradients(points, through)

    def map(self, values: Array) -> Array:
        """Return what the outputs become: in a new array, unless they stay as they are."""
        return values

    def pull_back(self, values: Array, slope: Array) -> Array:
        """Return derivatives by the outputs from those by what they become."""
        return slope


class Predictions(Around):
    """Predictions or probabilities, which follow from raw scores.

    Parameters
    ----------
    raw : Answer
    loss : Loss
        Whose link it is.
    rows : slice
        Which of the predictions are asked for; a loss may make others beside them.
    """

    def __init__(self, raw: Answer, loss: Loss, rows: slice = slice(None)) -> None:
        super().__init__(raw)
        self._loss, self._rows = loss, rows
        self.n_outputs = len(range(raw.n_outputs)[rows])

    def map(self, values: Array) -> Array:
        return self._predict(values)[self._rows]

    def pull_back(self, values: Array, slope: Array) -> Array:
        whole = np.zeros_like(values)
        whole[self._rows] = slope
        self._loss.pull_back(self._predict(values), whole)
        return whole

    def _predict(self, values: Array) -> Array:
        predicted = values.copy()
        self._loss.inverse_link(predicted)
        return predicted


class Weighted(Answer):
    r"""A sum of answers to the same rows, :math:`\sum_m w_m f_m(x) + c`.

    Parameters
    ----------
    answers : sequence of Answer
    weights : sequence of float or ndarray of shape (n_outputs, 1)
    constant : float or ndarray of shape (n_outputs, 1), default=0
    """

    def __init__(
        self, answers: Sequence[Answer], weights: Sequence[Any], constant: Any = 0.0
    ) -> None:
        self._answers, self._weights, self._constant = list(answers), list(weights), constant
        self.origins = [origin for answer in answers for origin in answer.origins]
        self.n_outputs = answers[0].n_outputs
        self.is_direct = all(answer.is_direct for answer in answers)

    def encode(self, X: Any) -> Points:
        return [points for answer in self._answers for points in answer.encode(X)]

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        parts = zip(self._answers, self._split(points), strict=True)
        return [slope for answer, own in parts for slope in answer.slopes(X, own)]

    def values(self, points: Points) -> Array:
        parts = zip(self._answers, self._weights, self._split(points), strict=True)
        total = sum(weight * answer.values(own) for answer, weight, own in parts)
        return np.asarray(total + self._constant)

    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        slope = self.values(points)
        differentiate(slope)
        found: Points = []
        for answer, weight, own in zip(
            self._answers, self._weights, self._split(points), strict=True
        ):

            def hand_on(values: Array, weight: Any = weight) -> None:
                values[...] = weight * slope

            found += answer.gradients(own, hand_on)
        return found

    def _split(self, points: Points) -> list[Points]:
        parts, start = [], 0
        for answer in self._answers:
            stop = start + len(answer.origins)
            parts.append(points[start:stop])
            start = stop
        return parts


class Through(Answer):
    """An answer to what steps make of rows.

    Parameters
    ----------
    step : Step
    answer : Answer
        What follows; it takes rows as they are.
    """

    def __init__(self, step: Any, answer: Answer) -> None:
        self._step, self._answer = step, answer
        self.n_outputs = answer.n_outputs
        self.origins, self.is_direct = [step.origins], step.is_smooth

    def encode(self, X: Any) -> Points:
        return [check_finite(self._step.encode(X))]

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        return [self._step.slopes(X, points[0])]

    def values(self, points: Points) -> Array:
        return self._answer.values(self._inner(points))

    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        inner = self._inner(points)
        found = self._answer.gradients(inner, differentiate)
        total = sum_by_origin(self._answer.origins, found, self._step.n_outputs)
        return [self._step.pull_back(points[0], total)]

    def _inner(self, points: Points) -> Points:
        rows = self._step.apply(points[0])
        return [rows[:, origins] for origins in self._answer.origins]


class Behind(Around):
    """An answer to what steps make of rows, which it encodes itself.

    Parameters
    ----------
    step : Step
        Each column of its output comes from one column.
    transform : callable
        What it goes through.
    answer : Answer
    """

    def __init__(self, step: Any, transform: Callable[[Any], Any], answer: Answer) -> None:
        if step.output_origins is None:
            raise ValueError(
                "The steps of the Pipeline mix columns before an estimator that encodes them "
                "itself: what comes from which column cannot be told."
            )
        super().__init__(answer)
        self._step, self._transform, self.is_direct = step, transform, False
        self.origins = [step.output_origins[origins] for origins in answer.origins]

    def encode(self, X: Any) -> Points:
        return self._answer.encode(self._transform(X))

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        before = self._step.output_slopes(X)
        found = self._answer.slopes(self._transform(X), points)
        pairs = zip(found, self._answer.origins, strict=True)
        return [before[:, o] if slopes is None else before[:, o] * slopes for slopes, o in pairs]


class Taken(Around):
    """An answer to some of the columns.

    Parameters
    ----------
    answer : Answer
    columns : ndarray of int
    take : callable
        Returns these columns of rows.
    """

    def __init__(self, answer: Answer, columns: Array, take: Callable[[Any], Any]) -> None:
        super().__init__(answer)
        self._take = take
        self.origins = [columns[origin] for origin in answer.origins]

    def encode(self, X: Any) -> Points:
        return self._answer.encode(self._take(X))

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        return self._answer.slopes(self._take(X), points)


class Transformed(Around):
    """Predictions in another unit.

    Parameters
    ----------
    answer : Answer
    inverse : callable
        ``inverse(predictions)`` of shape (n_samples, n_outputs) returns them in the unit of y, each
        column by itself.
    """

    def __init__(self, answer: Answer, inverse: Callable[[Array], Array]) -> None:
        super().__init__(answer)
        self._inverse = inverse

    def map(self, values: Array) -> Array:
        return np.array(self._inverse(values.T.astype(np.float64)), np.float64).T

    def pull_back(self, values: Array, slope: Array) -> Array:
        # A central difference, whose error is of the order of the step's square.
        numbers = values.astype(np.float64)
        step = 1e-5 * np.maximum(np.abs(numbers), 1)
        ahead, behind = numbers + step, numbers - step
        return np.asarray(slope * (self.map(ahead) - self.map(behind)) / (ahead - behind))


class Calibrated(Around):
    r"""Probabilities behind Platt's sigmoid, :math:`1 / (1 + e^{a p + b})`.

    Those of several classes are divided by their sum.

    Parameters
    ----------
    answer : Answer
    lines : list of tuple of float
        a and b of each output.
    """

    def __init__(self, answer: Answer, lines: list[tuple[float, float]]) -> None:
        super().__init__(answer)
        self._a, self._b = (np.array(column)[:, np.newaxis] for column in zip(*lines, strict=True))

    def map(self, values: Array) -> Array:
        each = expit(-(self._a * values + self._b))
        return np.asarray(each / each.sum(axis=0) if len(each) > 1 else each)

    def pull_back(self, values: Array, slope: Array) -> Array:
        each = expit(-(self._a * values + self._b))
        if len(each) > 1:
            total = each.sum(axis=0)
            slope = (slope - (slope * each).sum(axis=0) / total) / total
        return np.asarray(-self._a * slope * each * (1 - each))


def check_finite(points: Array) -> Array:
    """Return points, or raise ValueError if they are not all finite."""
    if not np.isfinite(points).all():
        raise ValueError("Input X contains NaN or infinity.")
    return points


def gradients_of(answer: Answer, points: Points, k: int) -> Points:
    """Return the gradient of an output with respect to the points."""

    def choose(values: Array) -> None:
        values[...] = 0
        values[k] = 1

    return answer.gradients(points, choose)


def sum_by_origin(origins: list[Array], found: Points, n_columns: int) -> Array:
    """Return numbers of the columns of points, summed over those of each column of the rows."""
    if len(found) == 1 and np.array_equal(origins[0], np.arange(n_columns)):
        return found[0]
    total = np.zeros((n_columns, len(found[0])), np.result_type(*found))
    for of_points, numbers in zip(origins, found, strict=True):
        np.add.at(total, of_points, numbers.T)
    return total.T
