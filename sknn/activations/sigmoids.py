"""Bounded activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._math import Array
from sknn.activations._base import ACTIVATIONS, Activation, Room
from sknn.operations import FUNCTION, SIMPLE, ActivationOperations


@ACTIVATIONS.register("sigmoid")
@ACTIVATIONS.register("logistic")
class Logistic(Activation):
    """The logistic function, f(z) = 1 / (1 + exp(-z)), with f' = f (1 - f).

    See Also
    --------
    sknn.activations.Tanh : The same shape between -1 and 1, with mean 0.
    sknn.activations.SiLU : The logistic function times its argument.
    scipy.special.expit : The function itself.

    Examples
    --------
    >>> from sknn.activations import Logistic
    >>> Logistic().value_and_slope([0.0])
    (array([0.5]), array([0.25]))
    """

    glorot_factor = 2.0
    operations = ActivationOperations(FUNCTION + 5 * SIMPLE, FUNCTION + 3 * SIMPLE)

    def constants(self) -> tuple[Any, ...]:
        return (0.5,)

    def apply(self, z: Array) -> None:
        # 1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2; NumPy's tanh is vectorised and is
        # about five times faster than scipy.special.expit.
        np.multiply(z, 0.5, z)
        np.tanh(z, z)
        np.multiply(z, 0.5, z)
        np.add(z, 0.5, z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        (half,) = constants
        np.multiply(z, half, z)
        np.tanh(z, z)
        np.multiply(z, half, z)
        np.add(z, half, z)
        np.multiply(z, z, slope)
        np.subtract(z, slope, slope)


@ACTIVATIONS.register("tanh")
class Tanh(Activation):
    """The hyperbolic tangent, f(z) = tanh(z), with f' = 1 - f^2.

    See Also
    --------
    sknn.activations.Logistic : The same shape between 0 and 1.
    sknn.initializers.LeCun : Initial weights that go with it.

    Examples
    --------
    >>> from sknn.activations import Tanh
    >>> Tanh().value_and_slope([0.0])
    (array([0.]), array([1.]))
    """

    operations = ActivationOperations(FUNCTION + 2 * SIMPLE, FUNCTION)

    def constants(self) -> tuple[Any, ...]:
        return (1.0,)

    def apply(self, z: Array) -> None:
        np.tanh(z, z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        (one,) = constants
        np.tanh(z, z)
        np.multiply(z, z, slope)
        np.subtract(one, slope, slope)
