"""Steps scaled by the size of past gradients, without a momentum of their own."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import DIVISION, ROOT, SIMPLE
from sknn.optimizers._base import OPTIMIZERS, Optimizer, State


@OPTIMIZERS.register("rmsprop")
class RMSprop(Optimizer):
    r"""The gradient, divided by a running root of its mean square.

    .. math::
        v_t = \rho v_{t-1} + (1 - \rho) g_t^2, \qquad
        b_t = \mu b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \qquad
        \theta_t = \theta_{t-1} - \eta b_t

    Parameters
    ----------
    rho : float, default=0.99
        Decay of the mean square, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.
    momentum : float, default=0.0
        :math:`\mu` in [0, 1).

    See Also
    --------
    sknn.optimizers.Adagrad : Sums the squares instead.
    sknn.optimizers.Adam : Averages the gradient, too.

    References
    ----------
    Tieleman, T. and Hinton, G., "Lecture 6.5: RMSprop", COURSERA: Neural networks for machine
    learning (2012).

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import RMSprop
    >>> MLPClassifier(solver=RMSprop(rho=0.9))
    MLPClassifier(solver=RMSprop(rho=0.9))
    """

    moments = ("second_moment", "velocity")
    constraints: ClassVar = {
        "rho": [Interval(Real, 0, 1)],
        "epsilon": [Interval(Real, 0, None, "neither")],
        "momentum": [Interval(Real, 0, 1)],
    }

    def __init__(self, rho: float = 0.99, epsilon: float = 1e-8, momentum: float = 0.0) -> None:
        self.rho = rho
        self.epsilon = epsilon
        self.momentum = momentum

    def moment_units(self) -> dict[str, Any]:
        return {"second_moment": 1 - self.rho}

    def constants(self) -> tuple[Any, ...]:
        root = np.sqrt(1 - self.rho)
        return self.rho, self.momentum, 1 / root, self.epsilon / root

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + DIVISION + 9 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        rho, momentum, factor, epsilon = constants
        (rate,) = numbers
        v, velocity = moments
        np.multiply(v, rho, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(grad, scratch, scratch)
        np.multiply(scratch, factor, scratch)
        np.multiply(velocity, momentum, velocity)
        np.add(velocity, scratch, velocity)
        np.multiply(velocity, rate, scratch)
        np.subtract(theta, scratch, theta)


@OPTIMIZERS.register("adagrad")
class Adagrad(Optimizer):
    r"""The gradient, divided by the root of the sum of all its squares so far.

    .. math::
        s_t = s_{t-1} + g_t^2, \qquad
        \theta_t = \theta_{t-1} - \frac{\eta}{1 + (t - 1) d} \frac{g_t}{\sqrt{s_t} + \epsilon}

    Parameters
    ----------
    epsilon : float, default=1e-10
        Added to the denominator, positive.
    rate_decay : float, default=0.0
        The decay d of the formula, at least 0.
    initial_sum : float, default=0.0
        What the sum of squares begins with, at least 0.

    See Also
    --------
    sknn.optimizers.RMSprop : Forgets old gradients.
    sknn.optimizers.AMSGrad : Adam that does not forget the largest.

    References
    ----------
    Duchi, J., Hazan, E. and Singer, Y., "Adaptive subgradient methods for online learning and
    stochastic optimization", JMLR 12 (2011).

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import Adagrad
    >>> MLPClassifier(solver=Adagrad(), learning_rate_init=0.01)
    MLPClassifier(learning_rate_init=0.01, solver=Adagrad())
    """

    moments = ("sum_of_squares",)
    constraints: ClassVar = {
        "epsilon": [Interval(Real, 0, None, "neither")],
        "rate_decay": [Interval(Real, 0, None)],
        "initial_sum": [Interval(Real, 0, None)],
    }

    def __init__(
        self, epsilon: float = 1e-10, rate_decay: float = 0.0, initial_sum: float = 0.0
    ) -> None:
        self.epsilon = epsilon
        self.rate_decay = rate_decay
        self.initial_sum = initial_sum

    def init(self, theta: Array) -> State:
        return {"sum_of_squares": np.full_like(theta, self.initial_sum)}

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        return (rate / (1 + (t - 1) * self.rate_decay),)

    def constants(self) -> tuple[Any, ...]:
        return (self.epsilon,)

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + DIVISION + 5 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        (total,), (epsilon,), (rate,) = moments, constants, numbers
        np.multiply(grad, grad, scratch)
        np.add(total, scratch, total)
        np.sqrt(total, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(grad, scratch, scratch)
        np.multiply(scratch, rate, scratch)
        np.subtract(theta, scratch, theta)
