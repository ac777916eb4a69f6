"""Activation functions, element by element.

An activation is one class: ``apply`` computes f(z) in place, ``forward`` does the same and
leaves the derivative f'(z) in `slope`; going back is then one multiplication for all of them.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array


class Activation(Component):
    """Contract of an activation function f.

    Attributes
    ----------
    glorot_factor : float
        The numerator of the squared bound of the initial weights, see
        :class:`sknn.initializers.GlorotUniform`.
    is_identity : bool
        Whether f(z) = z, in which case the layer is left out of the network.
    """

    glorot_factor = 6.0
    is_identity = False

    @abstractmethod
    def apply(self, z: Array) -> None:
        """Replace z by f(z)."""

    @abstractmethod
    def forward(self, z: Array, slope: Array) -> None:
        """Replace z by f(z), and slope by f'(z)."""


ACTIVATIONS: Registry[Activation] = Registry("activation")


@ACTIVATIONS.register("identity")
class Identity(Activation):
    """f(z) = z: a network of such layers is a linear model."""

    is_identity = True

    def apply(self, z: Array) -> None:
        pass

    def forward(self, z: Array, slope: Array) -> None:
        slope.fill(1)


@ACTIVATIONS.register("logistic")
class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), with f' = f (1 - f)."""

    glorot_factor = 2.0

    def apply(self, z: Array) -> None:
        # 1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2; NumPy's tanh is vectorised and is
        # about five times faster than scipy.special.expit.
        np.multiply(z, 0.5, out=z)
        np.tanh(z, out=z)
        np.multiply(z, 0.5, out=z)
        np.add(z, 0.5, out=z)

    def forward(self, z: Array, slope: Array) -> None:
        self.apply(z)
        np.multiply(z, z, out=slope)
        np.subtract(z, slope, out=slope)


@ACTIVATIONS.register("tanh")
class Tanh(Activation):
    """f(z) = tanh(z), with f' = 1 - f^2."""

    def apply(self, z: Array) -> None:
        np.tanh(z, out=z)

    def forward(self, z: Array, slope: Array) -> None:
        np.tanh(z, out=z)
        np.multiply(z, z, out=slope)
        np.subtract(1.0, slope, out=slope)


@ACTIVATIONS.register("relu")
class ReLU(Activation):
    """f(z) = max(0, z), with f' = 1 where z > 0 and 0 elsewhere."""

    def apply(self, z: Array) -> None:
        np.maximum(z, 0.0, out=z)

    def forward(self, z: Array, slope: Array) -> None:
        # A comparison and a multiplication cost together what `maximum` costs alone, and
        # the comparison is the derivative.
        np.greater(z, 0.0, out=slope)
        np.multiply(z, slope, out=z)
