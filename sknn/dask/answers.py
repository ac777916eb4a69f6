"""Answers to Dask's collections: one task a partition, and nothing is computed yet."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import pandas as pd
from dask import delayed

from sknn._math import Array
from sknn.dask.fleet import Partitions
from sknn.dask.shards import REMEDY, as_matrix, as_targets, as_vector, dtype_of
from sknn.losses.scores import r2_of_sums


def answer(local: Any, method: str, X: Any, **options: Any) -> Any:
    """Return what a method of a fitted estimator answers to the rows of a collection.

    Parameters
    ----------
    local : estimator
    method : str
    X : dask Array or DataFrame
    **options : dict
        Of the method.

    Returns
    -------
    dask Array, Series or DataFrame, or list or tuple of them
        An array for an array; for a DataFrame a Series or DataFrame with its index.
    """
    model = without_names(local)
    kind = dtype_of(X) if hasattr(X, "columns") else X.dtype
    probe = getattr(model, method)(np.zeros((1, X.shape[1]), kind), **options)
    # One task that holds the model, not a copy in each.
    carried = delayed(model, pure=False, traverse=False)
    if isinstance(probe, np.ndarray):
        return _lazy(local, carried, Question(method, options), X, probe)
    parts = [
        _lazy(local, carried, Question(method, options, i), X, part) for i, part in enumerate(probe)
    ]
    return parts if isinstance(probe, list) else tuple(parts)


@dataclass(frozen=True, eq=False)
class Question:
    """What a model is asked; as a function of a partition it has the name of the method.

    Attributes
    ----------
    method : str
    options : dict
        Of the method.
    item : int or None, default=None
        Which of several arrays is the answer; None if there is one.
    """

    method: str
    options: dict[str, Any]
    item: int | None = None

    @property
    def __name__(self) -> str:
        return self.method

    def __call__(self, X: Any, model: Any, nothing: Array) -> Any:
        if not X.shape[0]:
            return nothing
        found = getattr(model, self.method)(X, **self.options)
        return found if self.item is None else found[self.item]


def _lazy(local: Any, carried: Any, question: Question, X: Any, probe: Array) -> Any:
    method, nothing = question.method, probe[:0]
    if hasattr(X, "columns"):
        if probe.ndim > 2:
            raise NotImplementedError(
                f"{method} has an answer with {probe.ndim} axes, which no DataFrame holds. Use "
                "X.to_dask_array()."
            )
        columns = None if probe.ndim == 1 else _columns(local, question, probe.shape[1])
        meta = _framed(nothing, pd.RangeIndex(0), columns)
        arguments = carried, question, nothing, columns
        return X.map_partitions(_of_frame, *arguments, meta=meta, token=method)
    X = X.rechunk({1: -1}) if len(X.chunks[1]) > 1 else X
    return da.map_blocks(
        question,
        X,
        carried,
        nothing,
        dtype=probe.dtype,
        meta=nothing,
        chunks=(X.chunks[0], *((n,) for n in probe.shape[1:])),
        drop_axis=[1] if probe.ndim == 1 else [],
        new_axis=list(range(2, probe.ndim)),
    )


def without_names(local: Any) -> Any:
    """Return an estimator for arrays: that names fit has been checked once."""
    return local._copy("_skl_callbacks", "feature_names_in_")


def _columns(local: Any, question: Question, n: int) -> list[Any]:
    classes = getattr(local, "classes_", None)
    if question.item is not None and isinstance(classes, list):
        classes = classes[question.item]
    if question.method == "predict" or classes is None or len(classes) != n:
        return list(range(n))
    return list(classes)


def _of_frame(
    X: pd.DataFrame, model: Any, question: Question, nothing: Array, columns: list[Any] | None
) -> Any:
    return _framed(question(as_matrix(X, dtype_of(X)), model, nothing), X.index, columns)


def _framed(values: Array, index: Any, columns: list[Any] | None) -> Any:
    if columns is None:
        return pd.Series(values, index)
    return pd.DataFrame(values, index, columns)


class Sums(NamedTuple):
    """What scores are made of, of some rows.

    Attributes
    ----------
    weight : float
    right : float
        Of classes, the weight of the rows that are right.
    mean, spread, residual : ndarray of shape (n_outputs,)
        Of numbers, their weighted mean, the sum of squares around it, and that of what is missed.
    """

    weight: float
    right: float
    mean: Array
    spread: Array
    residual: Array

    def plus(self, other: Sums) -> Sums:
        """Return the sums over both, see [1]_.

        References
        ----------
        .. [1] Chan, T. F., Golub, G. H. and LeVeque, R. J., "Updating formulae and a pairwise
           algorithm for computing sample variances", Stanford STAN-CS-79-773 (1979).
        """
        weight = self.weight + other.weight
        if not weight:
            return self
        apart = other.mean - self.mean
        share = other.weight / weight
        return Sums(
            weight,
            self.right + other.right,
            self.mean + share * apart,
            self.spread + other.spread + self.weight * share * apart**2,
            self.residual + other.residual,
        )


class LazyScore(da.Array):
    """A score that is computed when somebody needs the number, as scikit-learn's searches do."""

    __slots__ = ()

    def item(self) -> float:
        """Return it as a number."""
        return float(self)


def mean_score(local: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    """Return the accuracy, or R^2, on the rows of collections, as a lazy number.

    Parameters
    ----------
    local : estimator
    X, y : dask Array or DataFrame
    sample_weight : dask Array or Series, or None

    Returns
    -------
    dask Array of shape ()
        ``float(...)`` computes it.
    """
    if not local._targets.are_numbers or not local._targets.loss.score_levels:
        partitions = Partitions(X, y, sample_weight)
        model = delayed(without_names(local), pure=False, traverse=False)
        look = delayed(_sums, pure=False)
        parts = [look(model, *partitions.of(p)) for p in range(len(partitions))]
        while len(parts) > 1:  # in pairs, so that no task has to hold many
            pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts = [delayed(_plus, pure=False)(*pair) for pair in pairs]
        score, name = delayed(_score, pure=False)(parts[0]), f"score-{uuid.uuid4().hex}"
        array = da.from_delayed(score, shape=(), dtype=np.float64, name=name)
        return LazyScore(array.dask, array.name, array.chunks, meta=array._meta)
    raise NotImplementedError(
        "The score of quantiles is no sum over partitions; compute predictions, and score these."
    )


def _sums(model: Any, X: Any, y: Any, weight: Any) -> Sums:
    targets, n_rows = as_targets(y), len(y)
    weights = np.ones(n_rows) if weight is None else as_vector(weight).astype(np.float64)
    if not len(X) == n_rows == len(weights):
        raise ValueError(
            f"A partition of X has {len(X)} rows, that of y {n_rows}, and that of sample_weight, "
            f"if it is given, {len(weights)}. {REMEDY}"
        )
    total, nothing = float(weights.sum()), np.zeros(1)
    if not total:
        return Sums(0.0, 0.0, nothing, nothing, nothing)
    predicted = model.predict(as_matrix(X, dtype_of(X)) if isinstance(X, pd.DataFrame) else X)
    if not model._targets.are_numbers:
        right = total * model._targets.accuracy(predicted, targets, weights)
        return Sums(total, right, nothing, nothing, nothing)
    truth, found = (np.asarray(a, np.float64).reshape(n_rows, -1) for a in (targets, predicted))
    mean = weights @ truth / total
    spread, residual = weights @ (truth - mean) ** 2, weights @ (truth - found) ** 2
    return Sums(total, -1.0, mean, spread, residual)


def _plus(one: Sums, other: Sums | None = None) -> Sums:
    return one if other is None else one.plus(other)


def _score(sums: Sums) -> Array:
    if not sums.weight:
        raise ValueError("There is nothing to score: no rows, or all of sample_weight is 0.")
    if sums.right >= 0:
        return np.asarray(sums.right / sums.weight)
    with np.errstate(all="ignore"):
        return np.asarray(r2_of_sums(sums.residual, sums.spread))
