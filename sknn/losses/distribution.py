"""Losses of regressors that predict more than one number for each target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from sknn._constraints import Check, Interval
from sknn._math import Array
from sknn.losses._base import LOSSES, Loss, sum_outputs, weighted_mean, weighted_quantile
from sknn.losses.links import IdentityLink
from sknn.operations import FUNCTION, LOGISTIC, SIMPLE, SOFTPLUS

CLOSE = 1e-3
"""By how much of the range of y two quantiles differ at least when training begins."""


def _are_levels(value: Any) -> bool:
    is_array = isinstance(value, np.ndarray) and value.ndim == 1
    if not (is_array or isinstance(value, (tuple, list))) or len(value) == 0:
        return False
    is_level = Interval(Real, 0, 1, "neither").accepts
    return all(map(is_level, value)) and bool(np.all(np.diff(value) > 0))


@LOSSES.register("quantile")
class Quantile(Loss):
    r"""The pinball loss, whose best constant is a quantile; for several at once without crossing.

    .. math:: L = \sum_k \max(\tau (y_k - q_k), (\tau - 1)(y_k - q_k))

    Several quantiles are the lowest one and positive distances,
    :math:`q_1 = z_1, \; q_{j} = q_{j - 1} + \log(1 + e^{z_j})`, so a higher level never has a
    lower prediction. Then L is the sum over the levels.

    Parameters
    ----------
    level : float or sequence of float, default=0.5
        The level :math:`\tau` in (0, 1), or several in rising order.

    See Also
    --------
    sknn.losses.Gaussian : Intervals from a mean and a deviation.
    sknn.losses.AbsoluteError : The median.
    sklearn.linear_model.QuantileRegressor : A linear model with this loss.
    sklearn.metrics.mean_pinball_loss : The same as a metric.

    References
    ----------
    Koenker, R. and Bassett, G., "Regression quantiles", Econometrica 46 (1978).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from sknn import MLPRegressor
    >>> from sknn.losses import Quantile
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = MLPRegressor(loss=Quantile([0.1, 0.5, 0.9]), early_stopping=True)
    >>> net = net.set_params(learning_rate_init=0.01, random_state=0)
    >>> low, median, high = net.fit(scale(X), scale(y)).predict(scale(X)).T
    >>> bool((low <= median).all() and (median <= high).all())
    True
    """

    constraints: ClassVar = {
        "level": [
            Interval(Real, 0, 1, "neither"),
            Check(_are_levels, "a sequence of floats in (0, 1), in rising order"),
        ]
    }

    def __init__(self, level: float | Sequence[float] | Array = 0.5) -> None:
        self.level: Any = level

    @property
    def has_many(self) -> bool:
        """Whether predictions have an axis of levels."""
        is_array = isinstance(self.level, np.ndarray) and self.level.ndim == 1
        return is_array or isinstance(self.level, (tuple, list))

    @property
    def levels(self) -> list[Any]:
        """The levels, each a number or a column of one for each model."""
        return list(self.level) if self.has_many else [self.level]

    @property
    def score_levels(self) -> tuple[float, ...]:
        """The levels, if they are several."""
        return tuple(self.levels) if len(self.levels) > 1 else ()

    @property
    def raw_per_target(self) -> int:
        return len(self.levels)

    def constants(self) -> tuple[Any, ...]:
        columns = [np.asarray(level, float) for level in self.levels]
        lead = np.broadcast_shapes(*(column.shape[:1] for column in columns))
        shape = (*lead, 1, 1, 1)
        columns = [np.broadcast_to(c.reshape(*c.shape[:1], 1, 1, 1), shape) for c in columns]
        levels = np.concatenate(columns, axis=-3)
        return np.multiply(levels, -1), 1 - levels  # the slopes below and above the target

    def operations(self, n_raw: int) -> int:
        n_distances = n_raw - n_raw // self.raw_per_target
        slopes = (LOGISTIC + 2 * SIMPLE) * n_distances
        return self.link_operations(n_raw) + slopes + 9 * SIMPLE * n_raw

    def link_operations(self, n_raw: int) -> int:
        return (SOFTPLUS + SIMPLE) * (n_raw - n_raw // self.raw_per_target)

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        below, above = constants
        np.copyto(record, raw)
        self.inverse_link(record)
        scores, errors, slopes = map(self._by_level, (raw, record, scratch[0]))
        np.subtract(errors, target[..., np.newaxis, :, :], errors)
        np.sign(errors, slopes)
        np.maximum(slopes, below, out=slopes)
        np.minimum(slopes, above, out=slopes)
        # A distance moves all quantiles above it.
        for j in range(slopes.shape[-3] - 1, 0, -1):
            slope, score = slopes[..., j, :, :], scores[..., j, :, :]
            np.add(slopes[..., j - 1, :, :], slope, slopes[..., j - 1, :, :])
            expit(score, score)
            np.multiply(slope, score, score)
        np.copyto(scores[..., 0, :, :], slopes[..., 0, :, :])
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        below, above = constants
        errors, losses = self._by_level(record), self._by_level(scratch[0])
        np.multiply(errors, above, losses)
        np.multiply(errors, below, errors)
        np.maximum(errors, losses, out=errors)
        return sum_outputs(record)

    def inverse_link(self, raw: Array) -> None:
        quantiles = self._by_level(raw)
        for j in range(1, quantiles.shape[-3]):
            quantile = quantiles[..., j, :, :]
            np.logaddexp(quantile, 0, out=quantile)
            np.add(quantile, quantiles[..., j - 1, :, :], quantile)

    def pull_back(self, predicted: Array, slope: Array) -> None:
        # The derivative of a distance log(1 + exp(z)) is 1 - exp(-distance).
        quantiles, slopes = self._by_level(predicted), self._by_level(slope)
        for j in range(slopes.shape[-3] - 1, 0, -1):
            slopes[..., j - 1, :, :] += slopes[..., j, :, :]
            distance = quantiles[..., j, :, :] - quantiles[..., j - 1, :, :]
            slopes[..., j, :, :] *= -np.expm1(-distance)

    def start(self, y: Array, weight: Array | None) -> Array | None:
        quantiles = np.stack([weighted_quantile(y, weight, level) for level in self.levels])
        # A distance is log(1 + exp(z)), and not 0.
        distances = np.maximum(np.diff(quantiles, axis=0), CLOSE * (1 + np.ptp(y, axis=0)))
        scores = distances + np.log(-np.expm1(-distances))
        return np.concatenate([quantiles[:1], scores]).reshape(-1)

    def _by_level(self, a: Array) -> Array:
        """Return the view of an array with the axes (..., n_levels, n_targets, n_samples)."""
        k = self.raw_per_target
        return a.reshape(*a.shape[:-2], k, a.shape[-2] // k, a.shape[-1])


@LOSSES.register("gaussian")
class Gaussian(IdentityLink):
    r"""The negative log-likelihood of a normal distribution: mean and variance are both learnt.

    .. math::
        L = \tfrac{1}{2} \sum_k \log(2 \pi) + s_k + (y_k - \mu_k)^2 e^{-s_k}, \qquad
        s_k = \log \sigma_k^2

    The gradients are :math:`(\mu - y) e^{-s}` and :math:`\tfrac{1}{2}(1 - (y - \mu)^2 e^{-s})`.

    See Also
    --------
    sknn.losses.Quantile : Intervals without a shape that is assumed.
    sknn.losses.SquaredError : The mean alone.
    sklearn.gaussian_process.GaussianProcessRegressor : Deviations from another model.

    References
    ----------
    Nix, D. and Weigend, A., "Estimating the mean and variance of the target probability
    distribution", ICNN 1994.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from sknn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = MLPRegressor(loss="gaussian", early_stopping=True, max_iter=500)
    >>> net = net.set_params(learning_rate_init=0.01, random_state=0)
    >>> net = net.fit(scale(X), scale(y))
    >>> mean, deviation = net.predict(scale(X), return_std=True)
    >>> bool((deviation > 0).all())
    True
    """

    grows_fast = True  # the standard deviation

    predicts_deviations = True

    @property
    def raw_per_target(self) -> int:
        return 2

    def operations(self, n_raw: int) -> int:
        n_targets = n_raw // 2
        return (2 * FUNCTION + 15 * SIMPLE) * n_targets

    def link_operations(self, n_raw: int) -> int:
        return (FUNCTION + SIMPLE) * (n_raw // 2)

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        np.copyto(record, raw)
        (mean, log_variance), (error, _) = _halves(raw), _halves(record)
        np.subtract(mean, target, error)
        np.multiply(log_variance, -1, log_variance)
        np.exp(log_variance, log_variance)  # now the precision
        np.multiply(error, log_variance, mean)
        np.multiply(error, mean, log_variance)
        np.subtract(1, log_variance, log_variance)
        np.multiply(log_variance, 0.5, log_variance)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        error, log_variance = _halves(record)
        precision, _ = _halves(scratch[0])
        np.multiply(log_variance, -1, precision)
        np.exp(precision, precision)
        np.multiply(precision, error, precision)
        np.multiply(error, precision, error)
        np.add(error, log_variance, error)
        np.add(error, math.log(2 * math.pi), error)
        np.multiply(error, 0.5, error)
        return sum_outputs(error)

    def inverse_link(self, raw: Array) -> None:
        _, log_variance = _halves(raw)
        np.multiply(log_variance, 0.5, log_variance)
        np.exp(log_variance, log_variance)  # the standard deviation

    def pull_back(self, predicted: Array, slope: Array) -> None:
        (_, deviation), (_, of_deviation) = _halves(predicted), _halves(slope)
        of_deviation *= deviation / 2

    def start(self, y: Array, weight: Array | None) -> Array | None:
        mean = weighted_mean(y, weight)
        variance = weighted_mean((y.astype(np.float64) - mean) ** 2, weight)
        log_variance = np.log(variance, out=np.zeros_like(variance), where=variance > 0)
        return np.concatenate([mean, log_variance])


def _halves(a: Array) -> tuple[Array, Array]:
    """Return the views of the means and of the (log-)variances."""
    k = a.shape[-2] // 2
    return a[..., :k, :], a[..., k:, :]
