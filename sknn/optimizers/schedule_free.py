"""Schedule-free AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import DIVISION, ROOT, SIMPLE
from sknn.optimizers._base import OPTIMIZERS, State
from sknn.optimizers.adam import AdamFamily


@OPTIMIZERS.register("schedule_free")
class ScheduleFree(AdamFamily):
    r"""AdamW without a schedule: gradients are taken between the iterate and its average.

    .. math::
        y_t &= (1 - \beta_1) z_t + \beta_1 x_t \\
        z_{t+1} &= z_t - \eta \frac{g(y_t)}{\sqrt{\hat v_t} + \epsilon} - \eta \lambda y_t \\
        x_{t+1} &= (1 - c_t) x_t + c_t z_{t+1} \\
        c_t &= \frac{\eta_t^2}{\sum_{i \le t} \eta_i^2}

    x, the average, is what validation sees and training returns. In the weights, not the
    intercepts, :math:`\lambda` is the estimator's `weight_decay`.

    Parameters
    ----------
    beta_1 : float, default=0.9
        How close to the average gradients are taken, in (0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.

    See Also
    --------
    sknn.optimizers.AdamW : The rule inside.
    sknn.averaging.EMA : An average beside any rule.
    sknn.schedules.Cosine : A schedule instead.

    References
    ----------
    Defazio, A. et al., "The road less scheduled", NeurIPS 2024.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import ScheduleFree
    >>> MLPClassifier(solver=ScheduleFree(beta_1=0.95))
    MLPClassifier(solver=ScheduleFree(beta_1=0.95))
    """

    # theta holds y and "offset" z - y, so that the decay of theta reaches z. "weight" is the sum
    # of squared rates, the same for all parameters.
    moments = ("second_moment", "offset", "average", "weight")
    constraints: ClassVar = {**AdamFamily.constraints, "beta_1": [Interval(Real, 0, 1, "neither")]}

    def init(self, theta: Array) -> State:
        # Not 0, which a schedule that begins with a rate of 0 would divide by.
        weight = np.full_like(theta, np.finfo(theta.dtype).tiny)
        return super().init(theta) | {"average": theta.copy(), "weight": weight}

    def moment_units(self) -> dict[str, Any]:
        return {"second_moment": 1 - self.beta_2}

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        _, second = self._corrections(t)
        return rate / second, self.epsilon / second, np.square(rate)

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + 2 * DIVISION + 14 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        beta_1, beta_2 = constants
        number, epsilon, square = numbers
        v, offset, average, weight = moments
        np.multiply(v, beta_2, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(grad, scratch, scratch)
        np.multiply(scratch, number, scratch)
        np.add(theta, offset, theta)
        np.subtract(theta, scratch, theta)  # z
        np.add(weight, square, weight)
        np.subtract(theta, average, scratch)
        np.multiply(scratch, square, scratch)
        np.divide(scratch, weight, scratch)
        np.add(average, scratch, average)  # x
        np.subtract(theta, average, offset)
        np.multiply(offset, beta_1, offset)
        np.subtract(theta, offset, theta)  # y
