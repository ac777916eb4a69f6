"""How scikit-learn's transformers, and Pipelines of them, are gone through."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
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
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array
from sknn.inspection.steps import (
    Beside,
    Chosen,
    Encoded,
    Imputed,
    Mixing,
    OfTable,
    Plain,
    Powers,
    Scaling,
    Step,
    Then,
)


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
