"""What comes before a network in a Pipeline: how columns become its inputs, and the way back.

A step is gone through in two parts. First rows become *points*, each column of which comes from one
column of the rows: as they are where what follows is smooth, else as the transformer makes them of
it (indicators of a category, say). Then a smooth map makes the step's output of the points.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.validation import validate_data

from sknn._math import Array


class Step(ABC):
    """One transformer, gone through.

    Attributes
    ----------
    origins : ndarray of int
        From which column of the rows each column of the points comes.
    is_smooth : bool
        Whether points are the rows themselves.
    n_outputs : int
        Columns of the output.
    output_origins : ndarray of int or None
        From which column of the rows each of them comes; None if from several.
    """

    origins: Array
    n_outputs: int
    is_smooth: bool = True
    output_origins: Array | None = None

    @abstractmethod
    def encode(self, X: Any) -> Array:
        """Return rows as points, dense."""

    def slopes(self, X: Any, points: Array) -> Array | None:
        """Return how points change with their origins, NaN where they do not; None if equally."""
        return None

    def output_slopes(self, X: Any) -> Array:
        """Return how each column of the output changes with its origin, if it has one."""
        return np.ones((X.shape[0], self.n_outputs))

    @abstractmethod
    def apply(self, points: Array) -> Array:
        """Return the output that points lead to."""

    @abstractmethod
    def pull_back(self, points: Array, gradient: Array) -> Array:
        """Return the gradient with respect to the points from that with respect to the output."""


class Smooth(Step):
    """A transformer of numbers that is smooth.

    Parameters
    ----------
    transformer : TransformerMixin
        Fitted.
    """

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer
        self.origins = np.arange(transformer.n_features_in_)
        self.n_outputs = len(self.origins)

    def encode(self, X: Any) -> Array:
        rows = validate_data(
            self._transformer, X, reset=False, accept_sparse=True, ensure_all_finite="allow-nan"
        )
        return as_dense(rows)


class Scaling(Smooth):
    """Each column has a factor and a shift, perhaps within a range.

    Parameters
    ----------
    transformer : TransformerMixin
    factor, shift : ndarray of shape (n_columns,)
    limits : tuple of float, default=None
    """

    def __init__(
        self,
        transformer: Any,
        factor: Array,
        shift: Array,
        limits: tuple[float, float] | None = None,
    ) -> None:
        super().__init__(transformer)
        self._factor, self._shift, self._limits = factor, shift, limits
        self.output_origins = self.origins

    def output_slopes(self, X: Any) -> Array:
        points = self.encode(X)
        return self.pull_back(points, np.ones_like(points))

    def apply(self, points: Array) -> Array:
        out = points * self._factor + self._shift
        return out if self._limits is None else np.clip(out, *self._limits)

    def pull_back(self, points: Array, gradient: Array) -> Array:
        found = gradient * self._factor
        if self._limits is not None:
            low, high = self._limits
            out = points * self._factor + self._shift
            found[(out < low) | (out > high)] = 0
        return found


class Mixing(Smooth):
    """Sums of columns: :math:`(x - m) A^T`.

    Parameters
    ----------
    transformer : TransformerMixin
    center : ndarray of shape (n_columns,)
    matrix : ndarray of shape (n_outputs, n_columns)
    """

    def __init__(self, transformer: Any, center: Array, matrix: Array) -> None:
        super().__init__(transformer)
        self._center, self._matrix = center, matrix
        self.n_outputs = len(matrix)

    def apply(self, points: Array) -> Array:
        return (points - self._center) @ self._matrix.T

    def pull_back(self, points: Array, gradient: Array) -> Array:
        return gradient @ self._matrix


class Chosen(Smooth):
    """Some of the columns.

    Parameters
    ----------
    transformer : TransformerMixin
    columns : ndarray of int
    """

    def __init__(self, transformer: Any, columns: Array) -> None:
        super().__init__(transformer)
        self._columns = self.output_origins = columns
        self.n_outputs = len(columns)

    def apply(self, points: Array) -> Array:
        return points[:, self._columns]

    def pull_back(self, points: Array, gradient: Array) -> Array:
        found = np.zeros_like(points)
        found[:, self._columns] = gradient
        return found


class Powers(Smooth):
    r"""Products of powers: :math:`\prod_j x_j^{p_{kj}}`.

    Parameters
    ----------
    transformer : PolynomialFeatures
    """

    def __init__(self, transformer: PolynomialFeatures) -> None:
        super().__init__(transformer)
        self._powers = transformer.powers_
        self.n_outputs = len(self._powers)

    def apply(self, points: Array) -> Array:
        columns = [np.prod(points**powers, axis=1) for powers in self._powers]
        return np.stack(columns, axis=1)

    def pull_back(self, points: Array, gradient: Array) -> Array:
        found = np.zeros_like(points)
        for powers, slope in zip(self._powers, gradient.T, strict=True):
            for j in np.flatnonzero(powers):
                lower = powers - (np.arange(len(powers)) == j)
                found[:, j] += slope * powers[j] * np.prod(points**lower, axis=1)
        return found


class Encoded(Step):
    """Columns that each become one or more others, in a way that is not smooth.

    Parameters
    ----------
    transformer : TransformerMixin
    origins : ndarray of int
        From which column each column of the output comes.
    """

    is_smooth = False

    def __init__(self, transformer: Any, origins: Array) -> None:
        self._transformer = transformer
        self.origins = self.output_origins = np.asarray(origins)
        self.n_outputs = len(self.origins)

    def encode(self, X: Any) -> Array:
        return as_dense(self._transformer.transform(X))

    def slopes(self, X: Any, points: Array) -> Array | None:
        return self.output_slopes(X)

    def output_slopes(self, X: Any) -> Array:
        return np.full((X.shape[0], self.n_outputs), np.nan)

    def apply(self, points: Array) -> Array:
        return points

    def pull_back(self, points: Array, gradient: Array) -> Array:
        return gradient


class Imputed(Encoded):
    """Numbers whose gaps are filled, perhaps with marks where they were.

    Parameters
    ----------
    transformer : SimpleImputer
    """

    def __init__(self, transformer: SimpleImputer) -> None:
        if transformer.keep_empty_features:
            kept = np.arange(transformer.n_features_in_)
        else:
            is_empty = [value is None or value != value for value in transformer.statistics_]
            kept = np.flatnonzero(~np.array(is_empty))
        marks = transformer.indicator_.features_ if transformer.add_indicator else []
        super().__init__(transformer, np.concatenate([kept, marks]).astype(int))
        self._n_kept = len(kept)

    def output_slopes(self, X: Any) -> Array:
        slopes = np.where(_gaps(X, self._transformer)[:, self.origins], np.nan, 1.0)
        slopes[:, self._n_kept :] = 0
        return slopes


class OfTable(Encoded):
    """The encoding of tables: numbers have slopes, categories have none.

    Parameters
    ----------
    transformer : TableEncoder
    """

    def __init__(self, transformer: Any) -> None:
        super().__init__(transformer, transformer.origins_)

    def output_slopes(self, X: Any) -> Array:
        return np.asarray(self._transformer.slopes(X))


class Then(Step):
    """A step after another one.

    Parameters
    ----------
    first, second : Step
    transform : callable
        Returns rows as the first step's transformer makes them.
    name : str
        What the second one is called.
    """

    def __init__(
        self, first: Step, second: Step, transform: Callable[[Any], Any], name: str
    ) -> None:
        self._first, self._second, self._transform = first, second, transform
        self.n_outputs = second.n_outputs
        self.is_smooth = first.is_smooth and second.is_smooth
        self._keeps_points = second.is_smooth
        before, after = first.output_origins, second.output_origins
        if before is not None and after is not None:
            self.output_origins = before[after]
        if self._keeps_points:
            self.origins = first.origins
        elif before is None:
            raise ValueError(
                f"The step {name!r} encodes columns that the steps before it have mixed: what "
                "comes from which column cannot be told. Let it come first, or give it columns of "
                "its own in a ColumnTransformer."
            )
        else:
            self.origins = before[second.origins]

    def encode(self, X: Any) -> Array:
        return (
            self._first.encode(X) if self._keeps_points else self._second.encode(self._transform(X))
        )

    def slopes(self, X: Any, points: Array) -> Array | None:
        if self._keeps_points:
            return self._first.slopes(X, points)
        before = self._first.output_slopes(X)[:, self._second.origins]
        own = self._second.slopes(self._transform(X), points)
        return before if own is None else before * own

    def apply(self, points: Array) -> Array:
        return self._second.apply(self._first.apply(points) if self._keeps_points else points)

    def pull_back(self, points: Array, gradient: Array) -> Array:
        if not self._keeps_points:
            return self._second.pull_back(points, gradient)
        return self._first.pull_back(
            points, self._second.pull_back(self._first.apply(points), gradient)
        )

    def output_slopes(self, X: Any) -> Array:
        of_second = self._second.output_slopes(self._transform(X))
        return self._first.output_slopes(X)[:, self._second.output_origins] * of_second


class Beside(Step):
    """Steps that each take some of the columns, and whose outputs lie beside each other.

    Parameters
    ----------
    parts : list of tuple
        For each the step, the places of its columns, and what takes them from rows.
    """

    def __init__(self, parts: Sequence[tuple[Step, Array, Callable[[Any], Any]]]) -> None:
        self._parts = parts
        self.is_smooth = False
        self.n_outputs = sum(step.n_outputs for step, _, _ in parts)
        self.origins = np.concatenate([columns[step.origins] for step, columns, _ in parts])
        outputs = [
            None if step.output_origins is None else columns[step.output_origins]
            for step, columns, _ in parts
        ]
        if all(of_part is not None for of_part in outputs):
            self.output_origins = np.concatenate([o for o in outputs if o is not None])

    def encode(self, X: Any) -> Array:
        return np.concatenate([step.encode(take(X)) for step, _, take in self._parts], axis=1)

    def slopes(self, X: Any, points: Array) -> Array | None:
        found = []
        for (step, _, take), own in zip(self._parts, self._split(points), strict=True):
            slopes = step.slopes(take(X), own)
            found.append(np.ones(own.shape) if slopes is None else slopes)
        return np.concatenate(found, axis=1)

    def output_slopes(self, X: Any) -> Array:
        return np.concatenate([s.output_slopes(take(X)) for s, _, take in self._parts], axis=1)

    def apply(self, points: Array) -> Array:
        parts = zip(self._parts, self._split(points), strict=True)
        return np.concatenate([step.apply(own) for (step, _, _), own in parts], axis=1)

    def pull_back(self, points: Array, gradient: Array) -> Array:
        found, start = [], 0
        for (step, _, _), own in zip(self._parts, self._split(points), strict=True):
            stop = start + step.n_outputs
            found.append(step.pull_back(own, gradient[:, start:stop]))
            start = stop
        return np.concatenate(found, axis=1)

    def _split(self, points: Array) -> list[Array]:
        ends = np.cumsum([len(step.origins) for step, _, _ in self._parts])[:-1]
        return np.split(points, ends, axis=1)


class Plain(Step):
    """Columns that are numbers already and stay as they are.

    Parameters
    ----------
    n_columns : int
    """

    def __init__(self, n_columns: int) -> None:
        self.origins = self.output_origins = np.arange(n_columns)
        self.n_outputs = n_columns

    def encode(self, X: Any) -> Array:
        return as_dense(X)

    def apply(self, points: Array) -> Array:
        return points

    def pull_back(self, points: Array, gradient: Array) -> Array:
        return gradient


def as_dense(X: Any) -> Array:
    """Return numbers as a dense array."""
    if sp.issparse(X):
        X = X.toarray()
    return np.asarray(X, dtype=None if isinstance(X, np.ndarray) and X.dtype.kind == "f" else float)


def _gaps(X: Any, imputer: SimpleImputer) -> Array:
    """Return where rows have what an imputer fills."""
    import pandas as pd

    rows = X.toarray() if sp.issparse(X) else np.asarray(X)
    missing = imputer.missing_values
    gaps: Any = pd.isna(rows)
    if not pd.isna(missing):
        gaps = gaps | (rows == missing)
    return np.asarray(gaps)
