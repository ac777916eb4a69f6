"""Activations that bend below zero and are (nearly) straight above."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.activations._base import ACTIVATIONS, Activation, Room
from sknn.operations import FUNCTION, SIMPLE, SOFTPLUS, ActivationOperations


@ACTIVATIONS.register("elu")
class ELU(Activation):
    r"""Exponential linear unit, f(z) = z where z > 0 and :math:`a (e^z - 1)` elsewhere.

    Parameters
    ----------
    alpha : float, default=1.0
        The limit -a far below 0, positive.

    See Also
    --------
    sknn.activations.SELU : Scaled, so that layers keep mean and variance.
    sknn.activations.LeakyReLU : A straight line below 0.
    sknn.activations.Softplus : Smooth and positive everywhere.

    References
    ----------
    Clevert, D.-A., Unterthiner, T. and Hochreiter, S., "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.activations import ELU
    >>> value, slope = ELU(alpha=0.5).value_and_slope([-20.0, 2.0])
    >>> value.round(3)
    array([-0.5,  2. ])
    >>> MLPClassifier(activation=ELU(alpha=0.5))
    MLPClassifier(activation=ELU(alpha=0.5))
    """

    n_rooms = 1
    operations = ActivationOperations(FUNCTION + 7 * SIMPLE, FUNCTION + 5 * SIMPLE)

    constraints: ClassVar = {"alpha": [Interval(Real, 0, None, "neither")]}

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def constants(self) -> tuple[Any, ...]:
        return self.alpha, 1.0, 0.0

    def apply(self, z: Array) -> None:
        np.copyto(z, self.alpha * (np.exp(np.minimum(z, 0)) - 1), where=z <= 0)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        _exponential_below_zero(z, slope, room, *constants)


@ACTIVATIONS.register("selu")
class SELU(Activation):
    r"""ELU, scaled so that activations keep mean 0 and variance 1 from layer to layer.

    .. math:: f(z) = \lambda \begin{cases} z & z > 0 \\ a (e^z - 1) & z \le 0 \end{cases}

    with :math:`\lambda` = 1.0507 and a = 1.6733. It goes with the initializer "lecun".

    See Also
    --------
    sknn.activations.ELU : Without the factor, and with an alpha of your choice.
    sknn.initializers.LeCun : Initial weights that go with it.

    References
    ----------
    Klambauer, G., Unterthiner, T., Mayr, A. and Hochreiter, S., "Self-normalizing neural
    networks", NeurIPS 2017.

    Examples
    --------
    >>> from sknn.activations import SELU
    >>> value, slope = SELU().value_and_slope([-20.0, 2.0])
    >>> value.round(3)
    array([-1.758,  2.101])
    """

    n_rooms = 1
    operations = ActivationOperations(FUNCTION + 9 * SIMPLE, FUNCTION + 6 * SIMPLE)

    SCALE: ClassVar[float] = 1.0507009873554805
    ALPHA: ClassVar[float] = 1.6732632423543772

    def constants(self) -> tuple[Any, ...]:
        return self.ALPHA, 1.0, 0.0, self.SCALE

    def apply(self, z: Array) -> None:
        np.copyto(z, self.ALPHA * (np.exp(np.minimum(z, 0)) - 1), where=z <= 0)
        np.multiply(z, self.SCALE, z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        *others, scale = constants
        _exponential_below_zero(z, slope, room, *others)
        np.multiply(z, scale, z)
        np.multiply(slope, scale, slope)


@ACTIVATIONS.register("softplus")
class Softplus(Activation):
    r"""Softplus, f(z) = log(1 + exp(z)), a smooth ReLU, with :math:`f' = 1 / (1 + e^{-z})`.

    See Also
    --------
    sknn.activations.ReLU : What it comes near to far from 0.
    sknn.activations.ELU : Another one that is smooth at 0.

    References
    ----------
    Dugas, C. et al., "Incorporating second-order functional knowledge for better option pricing",
    NeurIPS 2000.

    Examples
    --------
    >>> from sknn.activations import Softplus
    >>> value, slope = Softplus().value_and_slope([0.0, 2.0])
    >>> value.round(3)
    array([0.693, 2.127])
    """

    operations = ActivationOperations(SOFTPLUS + FUNCTION + SIMPLE, SOFTPLUS)

    def constants(self) -> tuple[Any, ...]:
        return (0.0,)

    def apply(self, z: Array) -> None:
        np.logaddexp(z, 0, out=z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        (zero,) = constants
        np.copyto(slope, z)
        np.logaddexp(z, zero, z)
        np.subtract(slope, z, slope)  # exp(z) / (1 + exp(z)) = exp(z - f)
        np.exp(slope, slope)


def _exponential_below_zero(
    z: Array, slope: Array, room: Room, alpha: Array, slope_above: Array, zero: Array
) -> None:
    """Replace z by z or alpha (exp(z) - 1), and slope by 1 or alpha exp(z)."""
    np.greater(z, zero, room.mask)
    np.minimum(z, zero, out=room.one)
    np.exp(room.one, room.one)  # 1 above zero
    np.multiply(room.one, alpha, slope)
    np.subtract(slope, alpha, room.one)  # 0 above zero
    np.maximum(z, zero, out=z)
    np.add(z, room.one, z)
    np.copyto(slope, slope_above, where=room.mask)
