"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import BOOLEAN, Interval
from sknn._math import Array
from sknn.operations import SIMPLE
from sknn.optimizers._base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register("sgd")
class SGD(Optimizer):
    r"""Gradient descent with momentum, Nesterov's or the classical one.

    .. math::
        v_{t} = \mu v_{t-1} - \eta g_t, \qquad
        \theta_{t} = \theta_{t-1} + \begin{cases}
        \mu v_{t} - \eta g_t & \text{(Nesterov)} \\ v_{t} & \text{(classical)} \end{cases}

    Parameters
    ----------
    momentum : float, default=0.9
        :math:`\mu` in [0, 1].
    nesterov : bool, default=True
        Whether to use Nesterov's momentum.

    See Also
    --------
    sknn.optimizers.Adam : A step of its own for each parameter, the default.
    sknn.schedules.OneCycle : A schedule that goes with it.
    sklearn.linear_model.SGDClassifier : A linear model that is trained so.

    References
    ----------
    Sutskever, I. et al., "On the importance of initialization and momentum in deep
    learning", ICML 2013.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import SGD
    >>> MLPClassifier(solver=SGD(momentum=0.95), learning_rate_init=0.01)
    MLPClassifier(learning_rate_init=0.01, solver=SGD(momentum=0.95))
    """

    depends_on_scale = True
    moments = ("velocity",)

    constraints: ClassVar = {
        "momentum": [Interval(Real, 0, 1, "both")],
        "nesterov": [BOOLEAN],
    }

    def __init__(self, momentum: float = 0.9, nesterov: bool = True) -> None:
        self.momentum = momentum
        self.nesterov = nesterov

    def constants(self) -> tuple[Any, ...]:
        return (self.momentum,)

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (6 if self.nesterov else 4) * SIMPLE * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        (velocity,), (momentum,), (number,) = moments, constants, numbers
        np.multiply(grad, number, grad)
        np.multiply(velocity, momentum, velocity)
        np.subtract(velocity, grad, velocity)
        if self.nesterov:
            np.multiply(velocity, momentum, scratch)
            np.subtract(scratch, grad, scratch)
            np.add(theta, scratch, theta)
        else:
            np.add(theta, velocity, theta)
