import tracemalloc
from functools import partial

import numpy as np
import pytest
from scipy.special import expit, ndtr

from sknn._math import number
from sknn.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    SELU,
    Activation,
    Custom,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    Room,
    SiLU,
    Softplus,
    Tanh,
    is_activation,
    resolve_activation,
)
from tests.cases import ACTIVATION_CASES, name_of

OTHER_NUMBERS = [LeakyReLU(0.0), LeakyReLU(0.3), ELU(0.25), ELU(3.0)]
grid = pytest.mark.parametrize("activation", ACTIVATION_CASES + OTHER_NUMBERS, ids=name_of)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# What torch 2.13's functions of the same names, and their derivatives, are in float64.
TORCH_Z = [-5.0, -2.0, -0.5, 0.5, 2.0]
TORCH = {
    "relu": (
        [0.0, 0.0, 0.0, 0.5, 2.0],
        [0.0, 0.0, 0.0, 1.0, 1.0],
    ),
    "leaky_relu": (
        [-0.05, -0.02, -0.005, 0.5, 2.0],
        [0.01, 0.01, 0.01, 1.0, 1.0],
    ),
    "elu": (
        [-0.993262053, -0.8646647168, -0.3934693403, 0.5, 2.0],
        [0.006737946999, 0.1353352832, 0.6065306597, 1.0, 1.0],
    ),
    "selu": (
        [-1.746253361, -1.520166469, -0.6917581878, 0.5253504937, 2.101401975],
        [0.01184598018, 0.2379328723, 1.066341153, 1.050700987, 1.050700987],
    ),
    "softplus": (
        [0.006715348489, 0.126928011, 0.4740769842, 0.9740769842, 2.126928011],
        [0.006692850924, 0.119202922, 0.3775406688, 0.6224593312, 0.880797078],
    ),
    "gelu": (
        [-1.433257859e-06, -0.0455002639, -0.1542687694, 0.3457312306, 1.954499736],
        [-7.146946002e-06, -0.08523180108, 0.1325048753, 0.8674951247, 1.085231801],
    ),
    "silu": (
        [-0.03346425462, -0.238405844, -0.1887703344, 0.3112296656, 1.761594156],
        [-0.02654743243, -0.09078424878, 0.2600388127, 0.7399611873, 1.090784249],
    ),
    "mish": (
        [-0.03357623773, -0.2525014827, -0.2207437747, 0.3752452113, 1.94395896],
        [-0.02674749802, -0.1083550924, 0.2895106779, 0.8864243754, 1.069317934],
    ),
    "sigmoid": (
        [0.006692850924, 0.119202922, 0.3775406688, 0.6224593312, 0.880797078],
        [0.006648056671, 0.1049935854, 0.2350037122, 0.2350037122, 0.1049935854],
    ),
    "tanh": (
        [-0.9999092043, -0.9640275801, -0.4621171573, 0.4621171573, 0.9640275801],
        [0.0001815832309, 0.07065082485, 0.786447733, 0.786447733, 0.07065082485],
    ),
}

FORMULAS = [
    (Logistic(), expit, lambda z: expit(z) * expit(-z)),
    (Tanh(), np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    (LeakyReLU(0.3), lambda z: np.where(z > 0, z, 0.3 * z), lambda z: np.where(z > 0, 1, 0.3)),
    (
        ELU(0.5),
        lambda z: np.where(z > 0, z, 0.5 * np.expm1(z)),
        lambda z: np.where(z > 0, 1, 0.5 * np.exp(z)),
    ),
    (
        SELU(),
        lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
        lambda z: 1.0507009873554805 * np.where(z > 0, 1, 1.6732632423543772 * np.exp(z)),
    ),
    (Softplus(), lambda z: np.log1p(np.exp(z)), expit),
    (
        GELU(),
        lambda z: z * ndtr(z),
        lambda z: ndtr(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
    ),
    (SiLU(), lambda z: z * expit(z), lambda z: expit(z) * (1 + z * expit(-z))),
    (
        Mish(),
        lambda z: z * np.tanh(np.log1p(np.exp(z))),
        lambda z: np.tanh(np.log1p(np.exp(z))) + z * expit(z) / np.cosh(np.log1p(np.exp(z))) ** 2,
    ),
]


@grid
def test_slope_is_the_numeric_derivative(activation):
    z = np.linspace(-3, 3, 41) + 0.0123  # away from the kink of relu
    ahead, behind = z + 1e-6, z - 1e-6
    activation.apply(ahead)
    activation.apply(behind)
    _, slope = activation.value_and_slope(z)

    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", TORCH)
def test_values_and_slopes_are_torchs(name):
    value, slope = ACTIVATIONS.resolve(name).value_and_slope(TORCH_Z)
    expected_value, expected_slope = TORCH[name]

    np.testing.assert_allclose(value, expected_value, rtol=1e-9, atol=3e-15)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-9, atol=3e-15)


def test_every_bent_activation_is_compared_with_torch():
    compared = {ACTIVATIONS[name] for name in TORCH}

    assert {type(a) for a in ACTIVATION_CASES if not a.is_identity} == compared


@pytest.mark.parametrize(("activation", "function", "derivative"), FORMULAS, ids=name_of)
@dtypes
def test_values_and_slopes_follow_the_formula(activation, function, derivative, dtype):
    z = np.concatenate([np.linspace(-25, 25, 1001), np.linspace(-0.1, 0.1, 101)]).astype(dtype)
    exact = z.astype(np.float64)
    value, slope = activation.value_and_slope(z)
    eps = np.finfo(dtype).eps

    np.testing.assert_allclose(value, function(exact), rtol=8 * eps, atol=8 * eps)
    np.testing.assert_allclose(slope, derivative(exact), rtol=8 * eps, atol=32 * eps)


@grid
@dtypes
def test_forward_and_apply_agree_and_keep_the_dtype(activation, dtype):
    z = np.linspace(-4, 4, 30, dtype=dtype).reshape(5, 6)
    applied = z.copy()
    activation.apply(applied)
    forwarded, slope = activation.value_and_slope(z)

    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(applied, forwarded, rtol=tolerance, atol=tolerance)
    assert applied.dtype == forwarded.dtype == slope.dtype == dtype


@pytest.mark.parametrize("activation", [LeakyReLU(np.float64(0.3)), ELU(np.float64(0.3))])
def test_a_number_from_numpy_keeps_the_dtype(activation):
    z = np.linspace(-4, 4, 30, dtype=np.float32)
    applied = z.copy()
    activation.apply(applied)
    forwarded, slope = activation.value_and_slope(z)

    assert forwarded.dtype == slope.dtype == np.float32
    np.testing.assert_allclose(applied, forwarded, rtol=1e-6)


@grid
@dtypes
def test_values_stay_finite_far_out(activation, dtype):
    z = np.array([-1e3, -50, 0, 50, 1e3], dtype)
    applied = z.copy()
    activation.apply(applied)
    a, slope = activation.value_and_slope(z)

    assert np.isfinite(applied).all()
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


@grid
@dtypes
def test_forward_allocates_nothing(activation, dtype):
    z = np.random.default_rng(0).standard_normal((100, 200)).astype(dtype)
    slope, room = np.empty_like(z), Room.like(z, activation.n_rooms)
    constants = [number(value, dtype) for value in activation.constants()]
    forward = partial(activation.forward, z, slope, room, *constants)
    forward()
    tracemalloc.start()
    forward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < z.size / 2  # bytes; the smallest array, of bools, would have twice that


@grid
@dtypes
def test_a_stack_with_numbers_of_its_own_is_its_models(activation, dtype):
    models = [type(activation)(**activation.get_params()) for _ in range(3)]
    for m, model in enumerate(models):
        model.set_params(**dict.fromkeys(model.get_params(), 0.1 + 0.2 * m))
    z = np.random.default_rng(0).standard_normal((3, 7, 5)).astype(dtype)
    columns = [
        np.array(values, dtype).reshape(3, 1, 1)
        for values in zip(*(model.constants() for model in models), strict=True)
    ]
    value, slope = z.copy(), np.empty_like(z)
    activation.forward(value, slope, Room.like(z, activation.n_rooms), *columns)

    for m, model in enumerate(models):
        np.testing.assert_array_equal(value[m], model.value_and_slope(z[m])[0])
        np.testing.assert_array_equal(slope[m], model.value_and_slope(z[m])[1])


def test_logistic_is_scipys():
    z = np.linspace(-30, 30, 101)
    expected = expit(z)
    Logistic().apply(z)

    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-15)


def test_relu_has_no_slope_at_zero():
    _, slope = ReLU().value_and_slope(np.zeros(3))

    np.testing.assert_array_equal(slope, 0)


@dtypes
def test_leaky_relu_leaves_positive_values_as_they_are(dtype):
    z = np.random.default_rng(0).random(1000).astype(dtype)
    for negative_slope in (0.01, 0.1, 1 / 3, 0.7):
        value, slope = LeakyReLU(negative_slope).value_and_slope(z)

        np.testing.assert_array_equal(value, z)
        np.testing.assert_array_equal(slope, 1)


def test_scikit_learns_names_are_there():
    assert set(ACTIVATIONS) >= {"identity", "logistic", "tanh", "relu"}


def test_sigmoid_is_another_name_of_logistic():
    assert ACTIVATIONS["sigmoid"] is ACTIVATIONS["logistic"]


def test_relu_is_applied_to_arrays_of_any_size():
    z = np.random.default_rng(0).standard_normal((3, 40_000))
    expected = np.maximum(z, 0)
    ReLU().apply(z)

    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize(
    "activation",
    [LeakyReLU(-0.1), LeakyReLU(1.0), ELU(0.0), ELU(-1.0)],
    ids=["leaky -0.1", "leaky 1", "elu 0", "elu -1"],
)
def test_numbers_that_make_no_sense_are_refused(activation):
    with pytest.raises(ValueError, match=next(iter(activation.get_params()))):
        activation.check()
    with pytest.raises(ValueError, match=next(iter(activation.get_params()))):
        resolve_activation(activation)


# Functions of a user's own.


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


@pytest.mark.parametrize("choice", [Cube(), Cube, Bent(), Bent], ids=repr)
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
