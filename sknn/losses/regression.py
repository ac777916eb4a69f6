"""Losses of regressors that watch one number."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import kl_div

from sknn._constraints import Interval
from sknn._math import Array
from sknn.losses._base import LOSSES, POWER, power, sum_outputs, weighted_quantile
from sknn.losses.links import IdentityLink, LogLink
from sknn.operations import DIVISION, FUNCTION, SIMPLE


@LOSSES.register("squared_error")
class SquaredError(IdentityLink):
    r"""Half the squared error, with the identity link.

    .. math:: L = \tfrac{1}{2} \sum_k (z_k - y_k)^2

    Its gradient is :math:`z - y`. Reported is the mean over the outputs, as scikit-learn does.

    See Also
    --------
    sknn.losses.Huber : Outliers pull less.
    sknn.losses.Gaussian : Learns the variance, too.
    sklearn.metrics.mean_squared_error : The metric, without the half.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import SquaredError
    >>> raw, target = np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])
    >>> SquaredError().sample_values(raw, target)
    array([0., 2.])
    """

    starts_at_target = False

    def operations(self, n_raw: int) -> int:
        return 5 * SIMPLE * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        np.subtract(raw, target, record)
        np.multiply(record, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        np.multiply(record, record, record)
        np.multiply(record, 0.5, record)
        return sum_outputs(record)

    def reported_divisor(self, n_outputs: int) -> float:
        return float(n_outputs)


@LOSSES.register("absolute_error")
class AbsoluteError(IdentityLink):
    r"""The absolute error; the best constant is the median.

    .. math:: L = \sum_k |z_k - y_k|

    Its gradient is :math:`\operatorname{sign}(z - y)`.

    See Also
    --------
    sknn.losses.Quantile : Other quantiles than the median.
    sknn.losses.Huber : Squared near the target.
    sklearn.metrics.mean_absolute_error : The same as a metric.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import AbsoluteError
    >>> raw, target = np.array([[1.0, 2.0]]), np.array([[1.0, 4.0]])
    >>> AbsoluteError().sample_values(raw, target)
    array([0., 2.])
    """

    def operations(self, n_raw: int) -> int:
        return 5 * SIMPLE * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        np.subtract(raw, target, record)
        np.sign(record, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        np.absolute(record, record)
        return sum_outputs(record)

    def best_constant(self, y: Array, weight: Array | None) -> Array | None:
        return weighted_quantile(y, weight, 0.5)


@LOSSES.register("huber")
class Huber(IdentityLink):
    r"""Squared near the target, linear far from it, so that outliers pull no harder.

    .. math::
        L = \sum_k \begin{cases} \tfrac{1}{2} r_k^2 & |r_k| \le \delta \\
        \delta (|r_k| - \tfrac{1}{2} \delta) & \text{else} \end{cases}, \qquad r = z - y

    Its gradient is r, clipped to :math:`[-\delta, \delta]`.

    Parameters
    ----------
    delta : float, default=1.0
        Where the two parts meet, positive, in the unit of y.

    See Also
    --------
    sknn.losses.LogCosh : Smooth, and of a similar shape.
    sknn.losses.AbsoluteError : Linear everywhere.
    sklearn.linear_model.HuberRegressor : A linear model with this loss.

    References
    ----------
    Huber, P., "Robust estimation of a location parameter", Annals of Mathematical Statistics 35
    (1964).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.losses import Huber
    >>> raw, target = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> Huber(delta=1.0).sample_values(raw, target)
    array([0.125, 1.5  ])
    >>> MLPRegressor(loss=Huber(delta=2.0))
    MLPRegressor(loss=Huber(delta=2.0))
    """

    constraints: ClassVar = {"delta": [Interval(Real, 0, None, "neither")]}

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = delta

    def constants(self) -> tuple[Any, ...]:
        return np.multiply(self.delta, -1), self.delta

    def operations(self, n_raw: int) -> int:
        return 10 * SIMPLE * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        lowest, highest = constants
        np.subtract(raw, target, record)
        np.maximum(record, lowest, out=raw)
        np.minimum(raw, highest, out=raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        lowest, highest = constants
        clipped, rest = scratch
        # With c the clipped residual it is c (r - c / 2).
        np.maximum(record, lowest, out=clipped)
        np.minimum(clipped, highest, out=clipped)
        np.multiply(clipped, 0.5, rest)
        np.subtract(record, rest, record)
        np.multiply(record, clipped, record)
        return sum_outputs(record)


@LOSSES.register("log_cosh")
class LogCosh(IdentityLink):
    r"""The logarithm of the hyperbolic cosine: a smooth Huber loss.

    .. math:: L = \sum_k \log \cosh(z_k - y_k)

    Its gradient is :math:`\tanh(z - y)`.

    See Also
    --------
    sknn.losses.Huber : The point where it becomes linear can be chosen.
    sknn.losses.SquaredError : Squared everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import LogCosh
    >>> raw, target = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> LogCosh().sample_values(raw, target).round(3)
    array([0.12 , 1.325])
    """

    def operations(self, n_raw: int) -> int:
        return (3 * FUNCTION + 7 * SIMPLE) * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        np.subtract(raw, target, record)
        np.tanh(record, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        # log cosh r = |r| + log(1 + (exp(-2 |r|) - 1) / 2), exact also for small r
        rest, _ = scratch
        np.absolute(record, record)
        np.multiply(record, -2, rest)
        np.expm1(rest, rest)
        np.multiply(rest, 0.5, rest)
        np.log1p(rest, rest)
        np.add(record, rest, record)
        return sum_outputs(record)


@LOSSES.register("poisson")
class PoissonLoss(LogLink):
    r"""Half the Poisson deviance, with the logarithmic link.

    .. math:: L = \sum_k y_k \log\frac{y_k}{\mu_k} - y_k + \mu_k, \qquad \mu_k = e^{z_k}

    Its gradient is :math:`\mu - y`. Targets are counts or rates, y >= 0.

    See Also
    --------
    sknn.losses.Tweedie : Amounts that are often exactly 0.
    sknn.losses.GammaLoss : Positive targets.
    sklearn.linear_model.PoissonRegressor : A linear model with this loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import PoissonLoss
    >>> raw, target = np.log([[2.0, 2.0]]), np.array([[2.0, 4.0]])
    >>> PoissonLoss().sample_values(raw, target).round(3)
    array([0.   , 0.773])
    """

    lowest = 0.0
    starts_at_target = False

    def operations(self, n_raw: int) -> int:
        return (2 * FUNCTION + DIVISION + 6 * SIMPLE) * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        np.exp(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        kl_div(target, record, record)  # y log(y / mu) - y + mu
        return sum_outputs(record)


@LOSSES.register("gamma")
class GammaLoss(LogLink):
    r"""Half the gamma deviance, with the logarithmic link, for errors in proportion to the mean.

    .. math:: L = \sum_k \frac{y_k}{\mu_k} - \log\frac{y_k}{\mu_k} - 1, \qquad \mu_k = e^{z_k}

    Its gradient is :math:`1 - y / \mu`. Targets are positive.

    See Also
    --------
    sknn.losses.PoissonLoss : Counts and rates.
    sknn.losses.Tweedie : Between both.
    sklearn.linear_model.GammaRegressor : A linear model with this loss.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import GammaLoss
    >>> raw, target = np.log([[2.0, 2.0]]), np.array([[2.0, 4.0]])
    >>> GammaLoss().sample_values(raw, target).round(3)
    array([0.   , 0.307])
    """

    lowest = 0.0
    is_open = True

    def operations(self, n_raw: int) -> int:
        return (3 * FUNCTION + 5 * SIMPLE) * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        # With d = log(y / mu) the gradient is 1 - exp(d) and the value exp(d) - 1 - d.
        np.log(target, record)
        np.subtract(record, raw, record)
        np.expm1(record, raw)
        np.multiply(raw, -1, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        excess, _ = scratch
        np.expm1(record, excess)
        np.subtract(excess, record, record)
        return sum_outputs(record)


@LOSSES.register("tweedie")
class Tweedie(LogLink):
    r"""Half the Tweedie deviance, with the logarithmic link: amounts that are often exactly 0.

    .. math::
        L = \sum_k \frac{y_k^{2 - p}}{(1 - p)(2 - p)} - \frac{y_k \mu_k^{1 - p}}{1 - p}
        + \frac{\mu_k^{2 - p}}{2 - p}, \qquad \mu_k = e^{z_k}

    Its gradient is :math:`\mu^{2 - p} - y \mu^{1 - p}`. Targets are at least 0.

    Parameters
    ----------
    power : float, default=1.5
        The variance is in proportion to the mean to the power p, in (1, 2): between Poisson (1)
        and gamma (2), which are losses of their own.

    See Also
    --------
    sknn.losses.PoissonLoss : The power 1.
    sknn.losses.GammaLoss : The power 2.
    sklearn.linear_model.TweedieRegressor : A linear model with this loss.

    References
    ----------
    Jørgensen, B., "The theory of dispersion models", Chapman & Hall 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.losses import Tweedie
    >>> raw, target = np.log([[2.0, 2.0]]), np.array([[0.0, 4.0]])
    >>> Tweedie(power=1.5).sample_values(raw, target).round(3)
    array([2.828, 0.485])
    >>> MLPRegressor(loss=Tweedie(power=1.7))
    MLPRegressor(loss=Tweedie(power=1.7))
    """

    lowest = 0.0
    constraints: ClassVar = {"power": [Interval(Real, 1, 2, "neither")]}

    def __init__(self, power: float = 1.5) -> None:
        self.power = power

    def constants(self) -> tuple[Any, ...]:
        return 1 - self.power, 2 - self.power

    def operations(self, n_raw: int) -> int:
        return (4 * FUNCTION + POWER + 3 * DIVISION + 11 * SIMPLE) * n_raw

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        one_minus, two_minus = constants
        pull, _ = scratch
        np.copyto(record, raw)
        np.multiply(raw, one_minus, pull)
        np.exp(pull, pull)
        np.multiply(pull, target, pull)
        np.multiply(raw, two_minus, raw)
        np.exp(raw, raw)
        np.subtract(raw, pull, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        one_minus, two_minus = constants
        first, second = scratch
        power(target, two_minus, first)
        np.divide(first, one_minus * two_minus, first)
        np.multiply(record, one_minus, second)
        np.exp(second, second)
        np.multiply(second, target, second)
        np.divide(second, one_minus, second)
        np.multiply(record, two_minus, record)
        np.exp(record, record)
        np.divide(record, two_minus, record)
        np.subtract(record, second, record)
        np.add(record, first, record)
        return sum_outputs(record)
