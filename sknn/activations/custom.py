"""A user's own function as an activation."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._component import own
from sknn._math import Array
from sknn.activations._base import ACTIVATIONS, Activation, Room


class Custom(Activation):
    """An activation made of an object with the methods ``forward`` and ``backward``.

    Parameters
    ----------
    function : object
        ``function.forward(z)`` returns f(z), and ``function.backward(z, grad)`` returns
        ``grad * f'(z)``, element by element, in new arrays.
    """

    n_rooms = 1

    def __init__(self, function: Any) -> None:
        self.function = function

    def apply(self, z: Array) -> None:
        z[...] = self.function.forward(z)

    def forward(self, z: Array, slope: Array, room: Room, *constants: Array) -> None:
        np.copyto(room.one, 1)
        slope[...] = self.function.backward(z, room.one)
        z[...] = self.function.forward(z)


def resolve_activation(choice: Any) -> Activation:
    """Return the activation that a name, an instance or a user's own class stands for.

    Parameters
    ----------
    choice : str, Activation, object or class
        What a user has given.

    Returns
    -------
    Activation
        Its numbers are allowed, and its slope fits its values.

    Raises
    ------
    ValueError
        If a number is not allowed, or if what a user has written is not the derivative of its own
        values.
    """
    if isinstance(choice, type):
        choice = choice()
    if not isinstance(choice, (str, Activation)):
        choice = Custom(choice)
    activation = ACTIVATIONS.resolve(own(choice))
    activation.check()
    if type(activation) not in ACTIVATIONS.values():
        check_derivative(activation)
    return activation


def is_activation(value: Any) -> bool:
    """Whether `value` is an activation, or an object with its two methods, or such a class.

    Parameters
    ----------
    value : object
        What a user has given.

    Returns
    -------
    bool
        Whether it can be one.
    """
    if isinstance(value, Activation) or (isinstance(value, type) and issubclass(value, Activation)):
        return True
    return all(callable(getattr(value, name, None)) for name in ("forward", "backward"))


def check_derivative(activation: Activation) -> None:
    """Raise ValueError unless the slope of an activation is its numeric derivative."""
    z = np.linspace(-3, 3, 61) + 0.0123  # beside the kinks that most functions have
    step = 1e-6
    ahead, here, behind = z + step, z.copy(), z - step
    for values in (ahead, here, behind):
        activation.apply(values)
    numeric = (ahead - behind) / (2 * step)
    trained, slope = activation.value_and_slope(z)
    name = type(getattr(activation, "function", activation)).__name__
    # NaNs are not close to anything.
    is_right = np.abs(slope - numeric) <= 1e-5 * np.maximum(1, np.abs(numeric))
    # At a kink the two differ; a function may have a few.
    if np.count_nonzero(~is_right) > 2:
        [i, *_] = np.flatnonzero(~is_right)
        raise ValueError(
            f"The activation {name} has a wrong derivative: at z={z[i]:.4f} it says "
            f"{slope[i]:.6g}, but its values rise by {numeric[i]:.6g}."
        )
    if not np.allclose(trained, here, rtol=1e-6, atol=1e-9):
        i = np.argmax(np.abs(trained - here))
        raise ValueError(
            f"The activation {name} has other values in training than in prediction: at "
            f"z={z[i]:.4f} they are {trained[i]:.6g} and {here[i]:.6g}."
        )
