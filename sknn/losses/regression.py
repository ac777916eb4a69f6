"""Losses of regressors."""

from __future__ import annotations

import numpy as np
from scipy.special import kl_div

from sknn._math import Array
from sknn.losses._base import LOSSES, Loss, sum_outputs


@LOSSES.register("squared_error")
class SquaredError(Loss):
    r"""Half the squared error, with the identity link.

    .. math:: L = \tfrac{1}{2} \sum_k (z_k - y_k)^2

    Its gradient is :math:`z - y`. Reported is the mean over the outputs, as scikit-learn does.
    """

    out_activation = "identity"

    def gradient(self, raw: Array, target: Array, weight: Array, record: Array) -> None:
        np.subtract(raw, target, record)
        np.multiply(record, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array) -> Array:
        np.multiply(record, record, record)
        np.multiply(record, 0.5, record)
        return sum_outputs(record)

    def inverse_link(self, raw: Array) -> None:
        pass

    def reported(self, n_outputs: int) -> float:
        return float(n_outputs)


@LOSSES.register("poisson")
class PoissonLoss(Loss):
    r"""Half the Poisson deviance, with the logarithmic link.

    .. math:: L = \sum_k y_k \log\frac{y_k}{\mu_k} - y_k + \mu_k, \qquad \mu_k = e^{z_k}

    Its gradient is :math:`\mu - y`. Targets are counts or rates, y >= 0.
    """

    out_activation = "exp"

    def gradient(self, raw: Array, target: Array, weight: Array, record: Array) -> None:
        np.exp(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array) -> Array:
        kl_div(target, record, record)  # y log(y / mu) - y + mu
        return sum_outputs(record)

    def inverse_link(self, raw: Array) -> None:
        np.exp(raw, raw)
