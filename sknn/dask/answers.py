"""Answers to Dask's collections: one task a partition, and nothing is computed yet."""

from __future__ import annotations

from typing import Any, NamedTuple

import dask.array as da
import numpy as np
import pandas as pd
from dask import delayed, is_dask_collection

from sknn._math import Array
from sknn.dask.fleet import Partitions
from sknn.dask.shards import as_targets, as_vector


def is_lazy(X: Any) -> bool:
    """Whether X is a collection of Dask's."""
    return is_dask_collection(X) and hasattr(X, "to_delayed")


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
    dask Array, Series or DataFrame
        An array for an array; for a DataFrame a Series or DataFrame with its index.
    """
    model, is_frame = without_names(local), hasattr(X, "columns")
    probe = getattr(model, method)(np.zeros((1, X.shape[1])), **options)
    if not isinstance(probe, np.ndarray):
        raise NotImplementedError(
            f"{method} answers to a Dask collection with one array only, and this one returns "
            f"{type(probe).__name__}. Use X.map_blocks(...) or X.map_partitions(...) with "
            "to_local()."
        )
    # One task that holds the model, not a copy in each.
    carried = delayed(model, pure=False, traverse=False)
    if is_frame:
        columns = None if probe.ndim == 1 else _columns(local, method, probe.shape[1])
        meta = _framed(probe[:0], pd.RangeIndex(0), columns)
        return X.map_partitions(_of_frame, carried, method, options, probe[:0], columns, meta=meta)
    X = X.rechunk({1: -1}) if len(X.chunks[1]) > 1 else X
    chunks = (X.chunks[0],) if probe.ndim == 1 else (X.chunks[0], (probe.shape[1],))
    return da.map_blocks(
        _of_block,
        X,
        carried,
        method,
        options,
        probe[:0],
        dtype=probe.dtype,
        meta=probe[:0],
        chunks=chunks,
        drop_axis=[1] if probe.ndim == 1 else [],
    )


def without_names(local: Any) -> Any:
    """Return an estimator for arrays: that names fit has been checked once."""
    model = local._copy("_skl_callbacks", "feature_names_in_")
    return model


def _columns(local: Any, method: str, n: int) -> list[Any]:
    classes = getattr(local, "classes_", None)
    has_classes = method != "predict" and isinstance(classes, np.ndarray) and len(classes) == n
    return list(classes) if has_classes and classes is not None else list(range(n))


def _of_block(X: Array, model: Any, method: str, options: dict[str, Any], nothing: Array) -> Any:
    return getattr(model, method)(X, **options) if len(X) else nothing


def _of_frame(
    X: pd.DataFrame,
    model: Any,
    method: str,
    options: dict[str, Any],
    nothing: Array,
    columns: list[Any] | None,
) -> Any:
    found = getattr(model, method)(X.to_numpy(), **options) if len(X) else nothing
    return _framed(found, X.index, columns)


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
        score = delayed(_score, pure=False)(parts[0])
        return da.from_delayed(score, shape=(), dtype=np.float64)
    raise NotImplementedError(
        "The score of quantiles is no sum over partitions; compute predictions, and score these."
    )


def _sums(model: Any, X: Any, y: Any, weight: Any) -> Sums:
    targets, n_rows = as_targets(y), len(y)
    weights = np.ones(n_rows) if weight is None else as_vector(weight).astype(np.float64)
    total, nothing = float(weights.sum()), np.zeros(1)
    if not total:
        return Sums(0.0, 0.0, nothing, nothing, nothing)
    predicted = model.predict(X.to_numpy() if isinstance(X, pd.DataFrame) else X)
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
    constant = np.where(sums.residual == 0, 1.0, 0.0)
    with np.errstate(all="ignore"):
        lost = np.divide(sums.residual, sums.spread, out=1 - constant, where=sums.spread > 0)
    return np.asarray(np.mean(1 - lost))
