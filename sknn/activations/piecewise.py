"""Activations made of straight lines."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.activations._base import ACTIVATIONS, Activation, Room
from sknn.operations import SIMPLE, ActivationOperations


@ACTIVATIONS.register("identity")
class Identity(Activation):
    """The identity, f(z) = z: a network of such layers is a linear model.

    See Also
    --------
    sknn.activations.ReLU : The default, linear on either side of 0.
    sklearn.linear_model.Ridge : A linear model that is solved at once.

    Examples
    --------
    >>> from sknn.activations import Identity
    >>> Identity().value_and_slope([-1.0, 2.0])
    (array([-1.,  2.]), array([1., 1.]))
    """

    is_identity = True
    operations = ActivationOperations(0, 0)

    def apply(self, z: Array) -> None:
        pass

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        slope.fill(1)


@ACTIVATIONS.register("relu")
class ReLU(Activation):
    """Rectified linear unit, f(z) = max(0, z), with f' = 1 where z > 0 and 0 elsewhere.

    See Also
    --------
    sknn.activations.LeakyReLU : Has a slope below 0, too.
    sknn.activations.GELU : A smooth relative.
    sknn.initializers.He : Initial weights that go with it.

    Examples
    --------
    >>> from sknn.activations import ReLU
    >>> ReLU().value_and_slope([-1.0, 2.0])
    (array([-0.,  2.]), array([0., 1.]))
    """

    operations = ActivationOperations(2 * SIMPLE, SIMPLE)

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

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        # The comparison is the derivative. Writing it to bools and copying them costs less than
        # to write it to floats, where NumPy converts through a small buffer.
        (zero,) = constants
        np.greater(z, zero, room.mask)
        slope[...] = room.mask
        np.multiply(z, slope, z)


@ACTIVATIONS.register("leaky_relu")
class LeakyReLU(Activation):
    r"""Leaky ReLU, f(z) = z where z > 0 and :math:`a z` elsewhere, so that no unit ever dies.

    Parameters
    ----------
    negative_slope : float, default=0.01
        The slope a below 0, in [0, 1).

    See Also
    --------
    sknn.activations.ReLU : Without a slope below 0.
    sknn.activations.ELU : Smooth, with a limit below 0.

    References
    ----------
    Maas, A., Hannun, A. and Ng, A., "Rectifier nonlinearities improve neural network acoustic
    models", ICML 2013.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.activations import LeakyReLU
    >>> LeakyReLU(negative_slope=0.1).value_and_slope([-1.0, 2.0])
    (array([-0.1,  2. ]), array([0.1, 1. ]))
    >>> MLPClassifier(activation=LeakyReLU(negative_slope=0.1))
    MLPClassifier(activation=LeakyReLU(negative_slope=0.1))
    """

    operations = ActivationOperations(4 * SIMPLE, 2 * SIMPLE)
    constraints: ClassVar = {"negative_slope": [Interval(Real, 0, 1)]}

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def constants(self) -> tuple[Any, ...]:
        return self.negative_slope, 1 - self.negative_slope, 0.0

    def apply(self, z: Array) -> None:
        np.maximum(z, z * self.negative_slope, out=z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        below, difference, zero = constants
        np.greater(z, zero, room.mask)
        slope[...] = room.mask
        np.multiply(slope, difference, slope)
        np.add(slope, below, slope)
        np.multiply(z, slope, z)


_ZEROS = {np.dtype(name): np.zeros(1 << 14, name) for name in ("float32", "float64")}
