"""What every activation of the registry has to do."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

from sknn._math import number
from sknn.activations import ACTIVATIONS, ELU, LeakyReLU, Room
from tests.activations.formulas import dtypes
from tests.cases import ACTIVATION_CASES, name_of
from tests.counting import count, count_buffers, counted, says_its_cost

OTHER_NUMBERS = [LeakyReLU(0.0), LeakyReLU(0.3), ELU(0.25), ELU(3.0)]
grid = pytest.mark.parametrize("activation", ACTIVATION_CASES + OTHER_NUMBERS, ids=name_of)

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


@grid
def test_operations_are_those_that_numpy_is_asked_for(activation, monkeypatch):
    count_buffers(monkeypatch)
    z = np.random.default_rng(0).standard_normal((6, 5))
    value, slope = counted(z), counted(z)
    constants = [number(value, float) for value in activation.constants()]
    room = Room.like(value, activation.n_rooms)
    forward = partial(activation.forward, value, slope, room, *constants)
    apply = partial(activation.apply, counted(z))

    assert (count(forward) / z.size, count(apply) / z.size) == activation.operations


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_says_what_it_costs(name):
    activation = ACTIVATIONS[name]

    assert says_its_cost(activation, "operations", "forward", "apply")
    assert activation.is_identity or min(activation.operations) >= 1


def test_scikit_learns_names_are_there():
    assert set(ACTIVATIONS) >= {"identity", "logistic", "tanh", "relu"}


@pytest.mark.parametrize(("n_rooms", "shapes"), [(0, [0, 0]), (1, [6, 0]), (2, [6, 6])])
def test_room_is_made_for_what_is_needed(n_rooms, shapes):
    mask, *numbers = Room.like(np.zeros((2, 3), np.float32), n_rooms)

    assert (mask.shape, mask.dtype) == ((2, 3), bool)
    assert [array.size for array in numbers] == shapes
    assert {array.dtype for array in numbers} == {np.dtype(np.float32)}


def test_whole_numbers_are_taken_as_floats_and_left_as_they_are():
    z = np.array([-1, 2])
    value, slope = LeakyReLU(0.5).value_and_slope(z)

    np.testing.assert_array_equal(value, [-0.5, 2.0])
    np.testing.assert_array_equal(slope, [0.5, 1.0])
    np.testing.assert_array_equal(z, [-1, 2])
