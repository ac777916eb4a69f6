"""The contract of an optimizer: numbers in the spec, arrays in ``init(theta)``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array, Call
from sknn.operations import SIMPLE

State = dict[str, Array]


class Optimizer(Component):
    """An update rule, element by element on the flat vector, in place.

    What changes from step to step without looking at the gradient (a bias correction, a
    learning rate) is computed for many steps at once by ``step_numbers``; ``step`` itself
    is NumPy calls that allocate nothing. One optimizer serves a whole stack of models: its
    numbers are then arrays of shape (n_models, 1).

    See Also
    --------
    sknn.optimizers.Adam : The default of the estimators.
    sknn.MLPClassifier : Takes a name or an instance as `solver`.
    """

    moments: ClassVar[tuple[str, ...]] = ()
    """Names of the arrays shaped like theta that the rule carries from step to step. One that is
    called "average" is what validation sees and training returns."""

    default_weight_decay: ClassVar[float] = 0.0
    """The decoupled weight decay that belongs to the rule."""

    is_elementwise: ClassVar[bool] = True
    """Whether each parameter's step depends on its own numbers only."""

    depends_on_scale: ClassVar[bool] = False
    """Whether steps are longer where the gradient is larger."""

    def init(self, theta: Array) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The parameters.

        Returns
        -------
        dict of ndarray
            The moments by name.
        """
        return {name: np.zeros_like(theta) for name in self.moments}

    def moment_units(self) -> dict[str, Any]:
        """Return what `step`'s moments have to be multiplied by to be the published rule's.

        The state is kept in the units of the published rule, so that training can go on with
        other numbers.

        Returns
        -------
        dict of float
            Factors by name; 1 where there is no entry.
        """
        return {}

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        """Return the numbers that each of the coming steps needs.

        Parameters
        ----------
        t : ndarray of shape (n_steps,) or (n_steps, n_models or 1, 1)
            The numbers of the steps, counted from 1.
        rate : float or ndarray of shape (n_models, 1)
            The learning rate.

        Returns
        -------
        tuple of ndarray
            Broadcastable to the shape that `t` and `rate` have together.
        """
        return (np.asarray(rate),)

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers that stay the same in all steps; `step` gets them as arrays.

        Returns
        -------
        tuple of float
            In the order in which `step` uses them.
        """
        return ()

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        """Return what a step costs.

        A rule that does not say so counts a multiplication and a subtraction for each parameter.

        Parameters
        ----------
        n_parameters : int
            Number of parameters that the step moves.
        shapes : sequence of (int, int), default=()
            Those of the matrices of weights among them; for rules that are not elementwise.

        Returns
        -------
        int
            Floating-point operations.
        """
        return 2 * SIMPLE * n_parameters

    def bind(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        matrices: list[tuple[slice, tuple[int, ...]]],
    ) -> Callable[[tuple[Array, ...]], list[Call]]:
        """Return what makes the calls of a step from its numbers.

        Parameters
        ----------
        theta : ndarray of shape (..., n_parameters)
            See `step`.
        grad : ndarray of shape (..., n_parameters)
            See `step`.
        scratch : ndarray of shape (..., n_parameters)
            See `step`.
        moments : tuple of ndarray
            See `step`.
        constants : tuple of ndarray
            See `step`.
        matrices : list of (slice, shape)
            Where matrices of weights lie in theta, in order; for rules that are not elementwise.

        Returns
        -------
        callable
            ``make(numbers)`` returns the calls of a step.
        """
        step = partial(self.step, theta, grad, scratch, moments, constants)
        return lambda numbers: [partial(step, *numbers)]

    @abstractmethod
    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        """Update `theta` and the moments in place; `grad` and `scratch` may be consumed.

        Parameters
        ----------
        theta : ndarray of shape (..., n_parameters)
            The parameters.
        grad : ndarray of shape (..., n_parameters)
            Their gradient.
        scratch : ndarray of shape (..., n_parameters)
            Room for what is computed.
        moments : tuple of ndarray
            What `init` returns, in its order.
        constants : tuple of ndarray
            What ``constants()`` returns.
        *numbers : ndarray
            What `step_numbers` returns for the step.
        """


OPTIMIZERS: Registry[Optimizer] = Registry("solver")
