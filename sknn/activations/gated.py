"""Activations that multiply z by a smooth gate between 0 and 1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr

from sknn._math import Array
from sknn.activations._base import ACTIVATIONS, Activation, Room
from sknn.operations import DIVISION, FUNCTION, NORMAL, SIMPLE, ActivationOperations


@ACTIVATIONS.register("gelu")
class GELU(Activation):
    r""":math:`f(z) = z \Phi(z)` with the normal distribution :math:`\Phi` (the exact form).

    Its derivative is :math:`\Phi(z) + z \varphi(z)`, with the normal density.

    See Also
    --------
    sknn.activations.SiLU : Nearly the same, from the logistic function.
    sknn.activations.Mish : Another smooth relative of ReLU.
    sknn.activations.ReLU : The default.

    References
    ----------
    Hendrycks, D. and Gimpel, K., "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016).

    Examples
    --------
    >>> from sknn.activations import GELU
    >>> value, slope = GELU().value_and_slope([-1.0, 2.0])
    >>> value.round(3)
    array([-0.159,  1.954])
    """

    n_rooms = 1
    operations = ActivationOperations(NORMAL + FUNCTION + 6 * SIMPLE, NORMAL + SIMPLE)

    def constants(self) -> tuple[Any, ...]:
        return -0.5, 1 / math.sqrt(2 * math.pi)

    def apply(self, z: Array) -> None:
        np.multiply(z, ndtr(z), z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        minus_half, factor = constants
        ndtr(z, slope)
        np.multiply(z, z, room.one)
        np.multiply(room.one, minus_half, room.one)
        np.exp(room.one, room.one)
        np.multiply(room.one, factor, room.one)
        np.multiply(room.one, z, room.one)
        np.multiply(z, slope, z)
        np.add(slope, room.one, slope)


@ACTIVATIONS.register("silu")
class SiLU(Activation):
    r""":math:`f(z) = z \sigma(z)` with the logistic function, also called swish.

    Its derivative is :math:`\sigma + f (1 - \sigma)`.

    See Also
    --------
    sknn.activations.GELU : Nearly the same, from the normal distribution.
    sknn.activations.Mish : Another smooth relative of ReLU.
    sknn.activations.ReLU : The default.

    References
    ----------
    Elfwing, S., Uchibe, E. and Doya, K., "Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning", Neural Networks 107 (2018).

    Examples
    --------
    >>> from sknn.activations import SiLU
    >>> value, slope = SiLU().value_and_slope([-1.0, 2.0])
    >>> value.round(3)
    array([-0.269,  1.762])
    """

    n_rooms = 1
    operations = ActivationOperations(FUNCTION + 7 * SIMPLE, FUNCTION + 4 * SIMPLE)

    def constants(self) -> tuple[Any, ...]:
        return (0.5,)

    def apply(self, z: Array) -> None:
        np.multiply(z, 0.5 + 0.5 * np.tanh(0.5 * z), z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        (half,) = constants
        gate = room.one
        np.multiply(z, half, gate)
        np.tanh(gate, gate)
        np.multiply(gate, half, gate)
        np.add(gate, half, gate)
        np.multiply(z, gate, z)
        np.multiply(z, gate, slope)
        np.subtract(z, slope, slope)
        np.add(slope, gate, slope)


@ACTIVATIONS.register("mish")
class Mish(Activation):
    r""":math:`f(z) = z \tanh(\log(1 + e^z))`.

    With t the hyperbolic tangent the derivative is :math:`t + z \sigma(z) (1 - t^2)`.

    See Also
    --------
    sknn.activations.SiLU : Cheaper, and of a similar shape.
    sknn.activations.GELU : From the normal distribution.
    sknn.activations.Softplus : What is inside of its hyperbolic tangent.

    References
    ----------
    Misra, D., "Mish: A self regularized non-monotonic activation function", BMVC 2020.

    Examples
    --------
    >>> from sknn.activations import Mish
    >>> value, slope = Mish().value_and_slope([-1.0, 2.0])
    >>> value.round(3)
    array([-0.303,  1.944])
    """

    n_rooms = 2
    operations = ActivationOperations(
        FUNCTION + 2 * DIVISION + 11 * SIMPLE, FUNCTION + DIVISION + 5 * SIMPLE
    )

    # With e = exp(z) is t = e (e + 2) / (e (e + 2) + 2). Above 20 that is 1 in float64.
    LARGE = 20.0

    def constants(self) -> tuple[Any, ...]:
        return self.LARGE, 1.0, 2.0

    def apply(self, z: Array) -> None:
        e = np.exp(np.minimum(z, self.LARGE))
        n = e * (e + 2)
        np.multiply(z, n / (n + 2), z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        large, one, two = constants
        _, gate, rest = room
        np.minimum(z, large, out=rest)
        np.exp(rest, rest)
        np.add(rest, two, gate)
        np.multiply(gate, rest, gate)
        np.add(gate, two, slope)
        np.divide(gate, slope, gate)
        np.add(rest, one, slope)
        np.divide(rest, slope, rest)  # the logistic function
        np.multiply(rest, z, rest)
        np.multiply(gate, gate, slope)
        np.subtract(one, slope, slope)
        np.multiply(slope, rest, slope)
        np.add(slope, gate, slope)
        np.multiply(z, gate, z)
