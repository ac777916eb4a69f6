import numpy as np
import pytest

from sknn._component import stack
from sknn._random import make_words
from sknn.activations import ELU, LeakyReLU, Tanh
from sknn.layers import ActivationLayer, Share, Site
from sknn.operations import Cost
from tests.cases import ACTIVATION_CASES, name_of

grid = pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)


def bind(layer, x):
    return layer.bind(Site(x, {}, {}, Share.alone(make_words(0, x.shape[-2], 0))))


def run(calls):
    for call in calls:
        call()


def test_the_function_and_its_slope_worked_out_by_hand():
    x = np.array([[-2.0, 4.0]])
    bound = bind(ActivationLayer(LeakyReLU(0.5)), x)
    backward, gradient = bound.backward(np.array([[3.0, 5.0]]))
    run([*bound.forward, *backward])

    np.testing.assert_array_equal(bound.out, [[-1, 4]])
    np.testing.assert_array_equal(gradient, [[1.5, 5]])


@grid
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_applies_the_function_in_the_buffer_of_the_layer_before(activation, dtype):
    x = np.random.default_rng(0).standard_normal((7, 5)).astype(dtype)
    value, _ = activation.value_and_slope(x)
    bound = bind(ActivationLayer(activation), x)
    run(bound.forward)

    assert bound.out is x
    assert x.dtype == dtype
    np.testing.assert_array_equal(x, value)


@grid
def test_an_output_that_is_overwritten_spoils_no_gradient(activation):
    x = np.random.default_rng(0).standard_normal((7, 5))
    _, slope = activation.value_and_slope(x)
    bound = bind(ActivationLayer(activation), x)
    grad = np.arange(35.0).reshape(7, 5)
    backward, gradient = bound.backward(grad.copy())
    run(bound.forward)
    bound.out.fill(np.nan)
    run(backward)

    np.testing.assert_array_equal(gradient, grad * slope)


@grid
def test_prediction_applies_the_function(activation):
    x = np.random.default_rng(0).standard_normal((7, 5))
    expected = x.copy()
    activation.apply(expected)
    applied = ActivationLayer(activation).apply(x, {})

    np.testing.assert_array_equal(applied, expected)
    assert applied is x


def test_there_is_nothing_to_train_and_no_unit_more_or_less():
    layer = ActivationLayer(Tanh())

    assert layer.parameters(5) == {}
    assert layer.n_out(5) == 5
    assert layer.n_noise(5) == 0


def test_a_stack_with_numbers_of_its_own_is_its_models():
    x = np.random.default_rng(0).standard_normal((3, 7, 5))
    activations = [ELU(0.5), ELU(1.0), ELU(2.0)]
    expected = [activation.value_and_slope(x[m]) for m, activation in enumerate(activations)]
    bound = bind(stack([ActivationLayer(activation) for activation in activations], 2), x)
    backward, gradient = bound.backward(np.ones_like(x))
    run([*bound.forward, *backward])

    for m, (value, slope) in enumerate(expected):
        np.testing.assert_array_equal(bound.out[m], value)
        np.testing.assert_array_equal(gradient[m], slope)


def test_operations_are_those_of_the_function_and_a_multiplication_a_unit():
    cost = ActivationLayer(Tanh()).operations(5)

    assert cost.forward == Cost((8 + 1 + 1) * 5)  # t = tanh(z) and 1 - t t
    assert cost.backward == Cost(5)
    assert cost.prediction == Cost(8 * 5)
