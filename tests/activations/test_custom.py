"""Functions of a user's own."""

import numpy as np
import pytest

from sknn.activations import Activation, Custom, LeakyReLU, ReLU, is_activation, resolve_activation

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


class Cube:
    """A function whose derivative is right, or wrong by a factor."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, z):
        return z**3

    def backward(self, z, grad):
        return self.factor * 3 * z**2 * grad


class Bent(Cube):
    """A function with a kink where the derivative is looked at."""

    kink = np.linspace(-3, 3, 61)[40] + 0.0123

    def forward(self, z):
        return np.abs(z - self.kink)

    def backward(self, z, grad):
        return grad * np.sign(z - self.kink)


class Root(Cube):
    """A function that is not a number below zero, as its derivative."""

    def forward(self, z):
        return np.where(z > 0, np.sqrt(np.abs(z)), np.nan)

    def backward(self, z, grad):
        return grad * np.where(z > 0, 0.5 / np.sqrt(np.abs(z)), np.nan)


class Forgetful(Cube):
    """A function that changes the values it is shown."""

    def backward(self, z, grad):
        grad = super().backward(z, grad)
        z += 1
        return grad


@pytest.mark.parametrize(
    "choice",
    [Cube(), Cube, Bent(), Bent],
    ids=["an object", "a class", "another object", "another class"],
)
@dtypes
def test_a_function_with_its_derivative_is_an_activation(choice, dtype):
    assert is_activation(choice)
    activation = resolve_activation(choice)
    function = choice() if isinstance(choice, type) else choice
    z = np.linspace(-2, 2, 12, dtype=dtype).reshape(3, 4)
    value, slope = activation.value_and_slope(z)

    assert isinstance(activation, Custom)
    assert value.dtype == slope.dtype == dtype
    np.testing.assert_array_equal(value, function.forward(z).astype(dtype))
    np.testing.assert_array_equal(slope, function.backward(z, np.ones_like(z)).astype(dtype))


@pytest.mark.parametrize("factor", [0.99, 1.01, -1.0, 0.0])
def test_a_wrong_derivative_is_refused_by_name(factor):
    with pytest.raises(ValueError, match="activation Cube has a wrong derivative"):
        resolve_activation(Cube(factor))


def test_the_message_names_a_place_and_both_slopes():
    with pytest.raises(ValueError, match=r"at z=-2.9877 it says 27.0468, but .* rise by 26.7791\."):
        resolve_activation(Cube(1.01))


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="activation Root has a wrong derivative"):
        resolve_activation(Root())


def test_a_function_that_spoils_its_input_is_refused():
    with pytest.raises(ValueError, match="activation Forgetful has other values in training"):
        resolve_activation(Forgetful())


class Doubled(Activation):
    """An activation that is not in the registry, with one of its slopes."""

    right = 2.0

    def apply(self, z):
        np.multiply(z, 2, z)

    def forward(self, z, slope, room, *constants):
        self.apply(z)
        slope.fill(self.right)


class NotDoubled(Doubled):
    right = 2.02


def test_an_activation_outside_the_registry_is_checked_too():
    assert isinstance(resolve_activation(Doubled()), Doubled)
    assert isinstance(resolve_activation(Doubled), Doubled)
    with pytest.raises(ValueError, match="activation NotDoubled has a wrong derivative"):
        resolve_activation(NotDoubled())


def test_what_is_an_activation():
    assert all(map(is_activation, [Cube(), Cube, ReLU(), ReLU, Doubled]))
    assert not any(map(is_activation, ["relu", None, np.tanh, object(), (ReLU(), ReLU())]))


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Unknown activation 'rleu'"):
        resolve_activation("rleu")


def test_what_happens_to_an_activation_afterwards_does_not_reach_the_resolved_one():
    given = LeakyReLU(0.1)
    resolved = resolve_activation(given)
    given.negative_slope = 0.5

    assert resolved.negative_slope == 0.1


def test_a_function_of_a_users_own_counts_an_operation_for_the_value_and_one_for_the_slope():
    assert resolve_activation(Cube).operations == (2, 1)
