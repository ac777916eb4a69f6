"""Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._math import Array
from sknn.optimizers._base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register("adam")
class Adam(Optimizer):
    r"""Adam: gradient descent scaled by running moments of the gradient.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2

    .. math::
        \theta_t = \theta_{t-1} - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
        \frac{m_t}{\sqrt{v_t} + \epsilon}

    :math:`\epsilon` stands where scikit-learn and section 2 of the paper's first version
    have it, beside the uncorrected second moment.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.

    References
    ----------
    Kingma, D. and Ba, J., "Adam: A method for stochastic optimization", ICLR 2015.
    """

    # In `step` the moments are m / (1 - beta_1) and v / (1 - beta_2), which saves a multiplication
    # each; `step_numbers` and `constants` hold the factors that make up for it.
    moments = ("first_moment", "second_moment")

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def moment_units(self) -> dict[str, Any]:
        return {"first_moment": 1 - self.beta_1, "second_moment": 1 - self.beta_2}

    def step_numbers(self, t: Array, rate: Any) -> Array:
        corrected = rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return corrected * (1 - self.beta_1) / np.sqrt(1 - self.beta_2)

    def constants(self) -> tuple[Any, ...]:
        return self.beta_1, self.beta_2, self.epsilon / np.sqrt(1 - self.beta_2)

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        number: Array,
    ) -> None:
        m, v = moments
        beta_1, beta_2, epsilon = constants
        np.multiply(m, beta_1, m)
        np.add(m, grad, m)
        np.multiply(v, beta_2, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, number, scratch)
        np.subtract(theta, scratch, theta)
