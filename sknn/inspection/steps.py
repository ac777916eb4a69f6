"""What comes before a network in a Pipeline: how columns become its inputs, and the way back.

A step is gone through in two parts. First rows become *points*, each column of which comes from one
column of the rows: as they are where what follows is smooth, else as the transformer makes them of
it (indicators of a category, say). Then a smooth map makes the step's output of the points.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils.validation import check_is_fitted, validate_data

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


def step_of(transformer: Any, name: str, n_columns: int) -> Step:
    """Return how a fitted transformer is gone through.

    Parameters
    ----------
    transformer : TransformerMixin, "passthrough" or None
    name : str
        What it is called, for errors.
    n_columns : int
        How many columns it is given.

    Raises
    ------
    ValueError
        If that is not known.
    """
    if is_passed(transformer):
        return Plain(n_columns)
    check_is_fitted(transformer)
    kinds = (kind for kind in type(transformer).__mro__ if kind in _STEPS)
    kind = next(kinds, None)
    if kind is not None:
        return _STEPS[kind](transformer, n_columns)
    if hasattr(transformer, "origins_") and hasattr(transformer, "slopes"):
        return OfTable(transformer)
    raise refusal(name, transformer)


def refusal(name: str, transformer: Any) -> ValueError:
    """Return the error for a step that cannot be gone through."""
    return ValueError(
        f"The step {name!r} ({type(transformer).__name__}) cannot be gone through: its output has "
        "no known derivative, and it is not known which column each of it comes from. Explain the "
        "steps after it on what it returns, or replace it by one of "
        f"{', '.join(sorted(k.__name__ for k in _STEPS))}."
    )


def _scaling_of_standard(scaler: StandardScaler, n_columns: int) -> Step:
    factor = 1 / scaler.scale_ if scaler.with_std else np.ones(n_columns)
    return Scaling(scaler, factor, -scaler.mean_ * factor if scaler.with_mean else 0 * factor)


def _scaling_of_min_max(scaler: MinMaxScaler, n_columns: int) -> Step:
    limits = scaler.feature_range if scaler.clip else None
    return Scaling(scaler, scaler.scale_, scaler.min_, limits)


def _scaling_of_max_abs(scaler: MaxAbsScaler, n_columns: int) -> Step:
    return Scaling(scaler, 1 / scaler.scale_, np.zeros(n_columns))


def _scaling_of_robust(scaler: RobustScaler, n_columns: int) -> Step:
    factor = 1 / scaler.scale_ if scaler.with_scaling else np.ones(n_columns)
    return Scaling(
        scaler, factor, -scaler.center_ * factor if scaler.with_centering else 0 * factor
    )


def _mixing_of_pca(pca: PCA, n_columns: int) -> Step:
    matrix = pca.components_
    if pca.whiten:
        deviations = np.sqrt(pca.explained_variance_)
        least = np.finfo(deviations.dtype).eps  # as scikit-learn has it
        matrix = matrix / np.maximum(deviations, least)[:, np.newaxis]
    return Mixing(pca, pca.mean_, matrix)


def _mixing_of_svd(svd: TruncatedSVD, n_columns: int) -> Step:
    return Mixing(svd, np.zeros(n_columns), svd.components_)


def _chosen(selector: SelectorMixin, n_columns: int) -> Step:
    return Chosen(selector, selector.get_support(indices=True))


def _one_hot(encoder: OneHotEncoder, n_columns: int) -> Step:
    widths = [_width_of_category(encoder, j) for j in range(n_columns)]
    return Encoded(encoder, np.repeat(np.arange(n_columns), widths))


def _width_of_category(encoder: OneHotEncoder, j: int) -> int:
    width = len(encoder.categories_[j])
    rare = encoder.infrequent_categories_[j] if _groups_rare(encoder) else None
    if rare is not None:
        width += 1 - len(rare)
    return width - int(encoder.drop_idx_ is not None and encoder.drop_idx_[j] is not None)


def _groups_rare(encoder: OneHotEncoder) -> bool:
    return encoder.max_categories is not None or encoder.min_frequency is not None


def _each(encoder: OrdinalEncoder, n_columns: int) -> Step:
    return Encoded(encoder, np.arange(n_columns))


def _target_means(encoder: TargetEncoder, n_columns: int) -> Step:
    n_each = len(encoder.encodings_) // n_columns
    return Encoded(encoder, np.repeat(np.arange(n_columns), n_each))


def _union(union: FeatureUnion, n_columns: int) -> Step:
    every = np.arange(n_columns)
    parts = [
        (step_of(transformer, name, n_columns), every, _same)
        for name, transformer in union.transformer_list
        if transformer != "drop"
    ]
    if union.transformer_weights:
        raise ValueError("A FeatureUnion with transformer_weights cannot be gone through.")
    return Beside(parts)


def _columns(transformer: ColumnTransformer, n_columns: int) -> Step:
    if transformer.transformer_weights:
        raise ValueError("A ColumnTransformer with transformer_weights cannot be gone through.")
    parts = []
    for name, fitted, columns in transformer.transformers_:
        places = _places(transformer, columns, n_columns)
        if (isinstance(fitted, str) and fitted == "drop") or not len(places):
            continue
        parts.append((step_of(fitted, name, len(places)), places, Take(transformer, places)))
    if not parts:
        raise ValueError("A ColumnTransformer without any column cannot be gone through.")
    return Beside(parts)


def _places(transformer: ColumnTransformer, columns: Any, n_columns: int) -> Array:
    names: Any = getattr(transformer, "feature_names_in_", None)
    if isinstance(columns, slice):
        known = [] if names is None else list(names)
        start, stop = columns.start, columns.stop
        start = known.index(start) if isinstance(start, str) else start
        stop = known.index(stop) + 1 if isinstance(stop, str) else stop
        return np.arange(n_columns)[start : stop : columns.step]
    with warnings.catch_warnings():  # scikit-learn 1.6 warns whoever reads its list of the rest
        warnings.simplefilter("ignore", FutureWarning)
        columns = np.atleast_1d(np.asarray(columns))
    if not columns.size:
        return np.arange(0)
    if columns.dtype == bool:
        return np.flatnonzero(columns)
    if columns.dtype.kind in "iu":
        return columns % n_columns
    known = list(names)
    return np.array([known.index(column) for column in columns.tolist()], int)


def _pipeline(pipeline: Pipeline, n_columns: int) -> Step:
    return chain(pipeline.steps, n_columns)


def chain(steps: list[tuple[str, Any]], n_columns: int) -> Step:
    """Return the step that transformers one after the other make up."""
    (name, transformer), *others = steps
    whole, done = step_of(transformer, name, n_columns), [transformer]
    for name, transformer in others:
        step = step_of(transformer, name, whole.n_outputs)
        whole = Then(whole, step, Transform(list(done)), name)
        done.append(transformer)
    return whole


class Transform:
    """What transformers one after the other make of rows.

    Parameters
    ----------
    transformers : list
    """

    def __init__(self, transformers: list[Any]) -> None:
        self._transformers = transformers

    def __call__(self, X: Any) -> Any:
        for transformer in self._transformers:
            if transformer is not None and not isinstance(transformer, str):
                X = transformer.transform(X)
        return X


_STEPS: dict[type, Callable[[Any, int], Step]] = {
    StandardScaler: _scaling_of_standard,
    MinMaxScaler: _scaling_of_min_max,
    MaxAbsScaler: _scaling_of_max_abs,
    RobustScaler: _scaling_of_robust,
    PCA: _mixing_of_pca,
    TruncatedSVD: _mixing_of_svd,
    SelectorMixin: _chosen,
    PolynomialFeatures: lambda powers, n_columns: Powers(powers),
    SimpleImputer: lambda imputer, n_columns: Imputed(imputer),
    OneHotEncoder: _one_hot,
    OrdinalEncoder: _each,
    TargetEncoder: _target_means,
    FeatureUnion: _union,
    ColumnTransformer: _columns,
    Pipeline: _pipeline,
}
"""How each class of transformers is gone through."""


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


def is_passed(transformer: Any) -> bool:
    """Whether a step hands on what it is given."""
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return True
    return isinstance(transformer, FunctionTransformer) and transformer.func is None


def begin_of(steps: list[tuple[str, Any]]) -> Any:
    """Return the transformer that is handed the rows first, also in nested Pipelines."""
    for _, transformer in steps:
        if isinstance(transformer, Pipeline):
            found = begin_of(transformer.steps)
            if found is not None:
                return found
        elif not is_passed(transformer):
            return transformer
    return None


class Take:
    """Takes the columns of a ColumnTransformer's part: by name where it knows names.

    Parameters
    ----------
    transformer : ColumnTransformer
    places : ndarray of int
    """

    def __init__(self, transformer: ColumnTransformer, places: Array) -> None:
        names = getattr(transformer, "feature_names_in_", None)
        self._names = None if names is None else list(np.asarray(names)[places])
        self._places, self._n_columns = places, transformer.n_features_in_

    def __call__(self, X: Any) -> Any:
        if self._names is not None and hasattr(X, "columns"):
            lacking = sorted(set(self._names) - set(X.columns))
            if lacking:
                raise ValueError(f"columns are missing: {lacking}")
            return X[self._names]
        if X.shape[1] != self._n_columns:
            raise ValueError(
                f"X has {X.shape[1]} features, but ColumnTransformer is expecting "
                f"{self._n_columns} features as input."
            )
        return X.iloc[:, self._places] if hasattr(X, "iloc") else X[:, self._places]


def _same(X: Any) -> Any:
    return X
