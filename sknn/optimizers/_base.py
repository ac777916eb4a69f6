"""The contract of an optimizer: numbers in the spec, arrays in ``init(theta)``."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array

State = dict[str, Array]


class Optimizer(Component):
    """An update rule, element by element on the flat vector, in place.

    What changes from step to step without looking at the gradient (a bias correction, a
    learning rate) is computed for many steps at once by ``step_numbers``; ``step`` itself
    is NumPy calls that allocate nothing. One optimizer serves a whole stack of models: its
    numbers are then arrays of shape (n_models, 1).
    """

    moments: ClassVar[tuple[str, ...]] = ()
    """Names of the arrays shaped like theta that the rule carries from step to step."""

    def init(self, theta: Array) -> State:
        """Return the state before the first step."""
        return {name: np.zeros_like(theta) for name in self.moments}

    def moment_units(self) -> dict[str, Any]:
        """Return what `step`'s moments have to be multiplied by to be the published rule's.

        The state is kept in the units of the published rule, so that training can go on with
        other numbers.
        """
        return {}

    def step_numbers(self, t: Array, rate: Any) -> Array:
        """Return the number that each of the coming steps needs.

        Parameters
        ----------
        t : ndarray of shape (n_steps,) or (n_steps, n_models or 1, 1)
            The numbers of the steps, counted from 1.
        rate : float or ndarray of shape (n_models, 1)
            The learning rate.

        Returns
        -------
        ndarray
            Of the shape that `t` and `rate` have together.
        """
        return np.broadcast_to(rate, np.broadcast_shapes(t.shape, np.shape(rate)))

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers that stay the same in all steps; `step` gets them as arrays."""
        return ()

    @abstractmethod
    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        number: Array,
    ) -> None:
        """Update `theta` and the moments in place; `grad` and `scratch` may be consumed."""


OPTIMIZERS: Registry[Optimizer] = Registry("solver")
