"""Activation functions, element by element.

An activation is one class: ``apply`` computes f(z) in place, ``forward`` does the same and
leaves the derivative f'(z) in `slope`; going back is then one multiplication for all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array, number


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

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers in the formula; `forward` gets them as 0-d arrays of z's dtype."""
        return ()

    @abstractmethod
    def apply(self, z: Array) -> None:
        """Replace z by f(z)."""

    @abstractmethod
    def forward(self, z: Array, slope: Array, mask: Array, *constants: Array) -> None:
        """Replace z by f(z), and slope by f'(z).

        Parameters
        ----------
        z, slope : ndarray
            Arrays of one shape and dtype.
        mask : ndarray of bool
            Room of the same shape, for comparisons.
        *constants : ndarray
            What ``constants()`` returns.
        """

    def value_and_slope(self, z: Any) -> tuple[Array, Array]:
        """Return f(z) and f'(z), as training computes them, in new arrays.

        Parameters
        ----------
        z : array-like
            Where to evaluate.

        Examples
        --------
        >>> from sknn.activations import ReLU
        >>> ReLU().value_and_slope([-1.0, 2.0])
        (array([-0.,  2.]), array([0., 1.]))
        """
        value = np.array(z)
        value = value.astype(np.result_type(value, np.float32), copy=False)
        slope, mask = np.empty_like(value), np.empty(value.shape, bool)
        self.forward(value, slope, mask, *(number(c, value.dtype) for c in self.constants()))
        return value, slope


ACTIVATIONS: Registry[Activation] = Registry("activation")


@ACTIVATIONS.register("identity")
class Identity(Activation):
    """f(z) = z: a network of such layers is a linear model."""

    is_identity = True

    def apply(self, z: Array) -> None:
        pass

    def forward(self, z: Array, slope: Array, mask: Array, *constants: Array) -> None:
        slope.fill(1)


@ACTIVATIONS.register("logistic")
class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z)), with f' = f (1 - f)."""

    glorot_factor = 2.0

    def constants(self) -> tuple[Any, ...]:
        return (0.5,)

    def apply(self, z: Array) -> None:
        # 1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2; NumPy's tanh is vectorised and is
        # about five times faster than scipy.special.expit.
        np.multiply(z, 0.5, z)
        np.tanh(z, z)
        np.multiply(z, 0.5, z)
        np.add(z, 0.5, z)

    def forward(self, z: Array, slope: Array, mask: Array, *constants: Array) -> None:
        (half,) = constants
        np.multiply(z, half, z)
        np.tanh(z, z)
        np.multiply(z, half, z)
        np.add(z, half, z)
        np.multiply(z, z, slope)
        np.subtract(z, slope, slope)


@ACTIVATIONS.register("tanh")
class Tanh(Activation):
    """f(z) = tanh(z), with f' = 1 - f^2."""

    def constants(self) -> tuple[Any, ...]:
        return (1.0,)

    def apply(self, z: Array) -> None:
        np.tanh(z, z)

    def forward(self, z: Array, slope: Array, mask: Array, *constants: Array) -> None:
        (one,) = constants
        np.tanh(z, z)
        np.multiply(z, z, slope)
        np.subtract(one, slope, slope)


@ACTIVATIONS.register("relu")
class ReLU(Activation):
    """f(z) = max(0, z), with f' = 1 where z > 0 and 0 elsewhere."""

    def constants(self) -> tuple[Any, ...]:
        return (0.0,)

    def apply(self, z: Array) -> None:
        # With an array of zeros NumPy's maximum is vectorised, with a scalar it is not.
        zeros = _ZEROS.get(z.dtype)
        if zeros is None or not z.flags.c_contiguous:
            np.maximum(z, 0.0, out=z)
            return
        flat = z.reshape(-1)
        for start in range(0, flat.size, zeros.size):
            part = flat[start : start + zeros.size]
            np.maximum(part, zeros[: part.size], out=part)

    def forward(self, z: Array, slope: Array, mask: Array, *constants: Array) -> None:
        # The comparison is the derivative. Writing it to bools and copying them costs less than
        # to write it to floats, where NumPy converts through a small buffer.
        (zero,) = constants
        np.greater(z, zero, mask)
        slope[...] = mask
        np.multiply(z, slope, z)


_ZEROS = {np.dtype(name): np.zeros(1 << 14, name) for name in ("float32", "float64")}
