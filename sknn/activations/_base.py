"""Activation functions, element by element.

An activation is one class: ``apply`` computes f(z) in place, ``forward`` does the same and
leaves the derivative f'(z) in `slope`; going back is then one multiplication for all of them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array, number
from sknn.operations import SIMPLE, ActivationOperations


class Room(NamedTuple):
    """Arrays of one shape that an activation may use while it computes.

    Attributes
    ----------
    mask : ndarray of bool
        For comparisons.
    one, two : ndarray
        For numbers, of the dtype of z.
    """

    mask: Array
    one: Array
    two: Array

    @classmethod
    def like(cls, z: Array, n_rooms: int) -> Self:
        """Return room for values like `z`, with so many arrays for numbers; others are empty.

        Parameters
        ----------
        z : ndarray
            What the room is for.
        n_rooms : int
            How many arrays for numbers, 0 to 2.

        Returns
        -------
        Room
            Of uninitialised arrays.
        """
        one, two = (np.empty(z.shape if i < n_rooms else 0, z.dtype) for i in range(2))
        return cls(np.empty(z.shape, bool), one, two)


class Activation(Component):
    """Contract of an activation function f.

    Attributes
    ----------
    glorot_factor : float
        The numerator of the squared bound of the initial weights, see
        :class:`sknn.initializers.GlorotUniform`.
    is_identity : bool
        Whether f(z) = z, in which case the layer is left out of the network.
    n_rooms : int
        How many arrays for numbers `forward` needs, at most 2.
    operations : ActivationOperations
        What `forward` and `apply` cost for each unit. One that does not say so counts an operation
        for the value and one for the derivative.

    See Also
    --------
    sknn.activations.ReLU : The default of the estimators.
    sknn.MLPClassifier : Takes a name or an instance as `activation`.
    """

    glorot_factor = 6.0
    is_identity = False
    n_rooms: ClassVar[int] = 0
    operations: ClassVar[ActivationOperations] = ActivationOperations(2 * SIMPLE, SIMPLE)

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers in the formula; `forward` gets them as 0-d arrays of z's dtype.

        Returns
        -------
        tuple of float
            In the order in which `forward` takes them.
        """
        return ()

    @abstractmethod
    def apply(self, z: Array) -> None:
        """Replace z by f(z).

        Parameters
        ----------
        z : ndarray
            The weighted sums, overwritten.
        """

    @abstractmethod
    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        """Replace z by f(z), and slope by f'(z).

        Parameters
        ----------
        z, slope : ndarray
            Arrays of one shape and dtype.
        room : Room
            Arrays of the same shape that are free to use.
        *constants : ndarray
            What ``constants()`` returns.
        """

    def value_and_slope(self, z: Any) -> tuple[Array, Array]:
        """Return f(z) and f'(z), as training computes them, in new arrays.

        Parameters
        ----------
        z : array-like
            Where to evaluate.

        Returns
        -------
        ndarray
            The values f(z).
        ndarray
            The derivatives f'(z), of the same shape.

        Examples
        --------
        >>> from sknn.activations import ReLU
        >>> ReLU().value_and_slope([-1.0, 2.0])
        (array([-0.,  2.]), array([0., 1.]))
        """
        value = np.array(z)
        value = value.astype(np.result_type(value, np.float32), copy=False)
        slope = np.empty_like(value)
        constants = (number(constant, value.dtype) for constant in self.constants())
        self.forward(value, slope, Room.like(value, self.n_rooms), *constants)
        return value, slope


ACTIVATIONS: Registry[Activation] = Registry("activation")
