"""The scores that early stopping watches, on encoded targets.

scikit-learn's accuracy_score and r2_score give the same numbers, but cost 0.6 ms a call, as
much as an epoch of a small network. All is computed in float64, whatever the dtypes are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score

from sknn._math import Array, order_of


def accuracy(is_right: Array, sample_weight: Array | None) -> float:
    """Return the share of samples that are right.

    Parameters
    ----------
    is_right : ndarray of bool, shape (n_samples,)
    sample_weight : ndarray of shape (n_samples,) or None
    """
    if sample_weight is None:
        return float(np.count_nonzero(is_right) / is_right.size)
    return float(np.average(is_right, weights=sample_weight.astype(np.float64)))


def r2(y: Array, predicted: Array, sample_weight: Array | None) -> float:
    """Return the coefficient of determination, averaged over outputs.

    An output that does not vary scores 1 if it is met exactly and 0 otherwise.

    Parameters
    ----------
    y, predicted : ndarray of shape (n_outputs, n_samples)
    sample_weight : ndarray of shape (n_samples,) or None

    Returns
    -------
    float
        NaN if a prediction is not finite.
    """
    if not np.isfinite(predicted).all():
        return float("nan")
    y, predicted = y.astype(np.float64), predicted.astype(np.float64)
    weight = np.ones(y.shape[1]) if sample_weight is None else sample_weight.astype(np.float64)
    mean = np.average(y, axis=1, weights=weight)[:, np.newaxis]
    # R^2 has no unit: without it the squares of large numbers are finite.
    unit = np.abs(y - mean).max(axis=1, keepdims=True)
    unit[unit == 0] = 1
    residual = (weight * ((y - predicted) / unit) ** 2).sum(axis=1)
    total = (weight * ((y - mean) / unit) ** 2).sum(axis=1)
    return r2_of_sums(residual, total)


def r2_of_sums(residual: Array, total: Array) -> float:
    """Return the coefficient of determination, averaged over outputs; see `r2`.

    Parameters
    ----------
    residual, total : ndarray of shape (n_outputs,)
        The sums of squares of what is missed, and around the mean.
    """
    constant = np.where(residual == 0, 1.0, 0.0)
    scores = np.divide(residual, total, out=1 - constant, where=total > 0)
    return float(np.mean(1 - scores))


def r2_of_any_size(y: Any, predicted: Any, sample_weight: Any) -> float:
    """Return scikit-learn's r2_score, also for numbers whose squares overflow.

    Parameters
    ----------
    y, predicted : array-like of shape (n_samples,) or (n_samples, n_outputs)
        As users have them.
    sample_weight : array-like of shape (n_samples,) or None

    Returns
    -------
    float
        -inf if predictions are that far off.
    """
    if sample_weight is not None and not np.any(sample_weight):
        raise ValueError("All of sample_weight is 0: there is nothing to score.")
    y, predicted = np.asarray(y), np.asarray(predicted, np.float64)
    with np.errstate(over="ignore"):
        if y.dtype.kind in "biuf":  # half precision has no room for sums of squares
            y, is_finite = y.astype(np.float64), np.isfinite(predicted).all()
            order = order_of(y)
            y, predicted = np.ldexp(y, -order), np.ldexp(predicted, -order)
            if is_finite and not np.isfinite(predicted).all():
                return -np.inf
        return float(r2_score(y, predicted, sample_weight=sample_weight))


def d2_pinball(y: Array, predicted: Array, level: float, sample_weight: Array | None) -> float:
    """Return the share of the pinball loss that quantiles save, averaged over outputs.

    Parameters
    ----------
    y, predicted : ndarray of shape (n_outputs, n_samples)
    level : float
    sample_weight : ndarray of shape (n_samples,) or None

    Returns
    -------
    float
        NaN if a prediction is not finite.
    """
    if not np.isfinite(predicted).all():
        return float("nan")
    y, predicted = y.astype(np.float64), predicted.astype(np.float64)
    return float(d2_pinball_score(y.T, predicted.T, sample_weight=sample_weight, alpha=level))
