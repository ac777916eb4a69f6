"""Features of single inputs."""

import numpy as np
import pytest

from sknn.layers import Fourier, PiecewiseLinear, find_edges
from sknn.operations import Cost


def fitted(layer, x, seed=0):
    """Return the parameters of a layer that has seen some rows."""
    rng = np.random.RandomState(seed)
    parameters = {name: np.zeros(p.shape) for name, p in layer.parameters(x.shape[1]).items()}
    layer.initialize(parameters, None, rng)
    layer.calibrate(parameters, x, rng)
    return parameters


def test_waves_are_those_of_the_formula():
    layer, x = Fourier(3, deviation=0.5), np.random.default_rng(0).standard_normal((5, 2))
    parameters = fitted(layer, x)
    out = layer.apply(x, parameters).reshape(5, 2, 4)

    np.testing.assert_array_equal(out[..., 0], x)
    angles = x[..., np.newaxis] * parameters["frequency"] + parameters["phase"]
    np.testing.assert_allclose(out[..., 1:], np.cos(angles))


def test_frequencies_have_the_deviation_that_was_asked_for():
    frequency = fitted(Fourier(5000, deviation=0.1), np.zeros((1, 1)))["frequency"]

    assert frequency.std() == pytest.approx(2 * np.pi * 0.1, rel=0.05)


def test_bins_are_passed_one_after_the_other():
    layer = PiecewiseLinear(2)
    parameters = fitted(layer, np.array([[0.0], [1.0], [3.0]]))
    out = layer.apply(np.array([[-1.0], [0.5], [2.0], [9.0]]), parameters) / 2

    np.testing.assert_allclose(out + parameters["mean"], [[0, 0], [0.5, 0], [1, 0.5], [1, 1]])
    np.testing.assert_allclose(parameters["mean"], [[2 / 3, 1 / 3]])


def test_bins_that_are_left_and_constant_inputs_say_nothing():
    layer, x = PiecewiseLinear(4), np.array([[0.0, 7.0], [1.0, 7.0], [3.0, 7.0]])
    out = layer.apply(x, fitted(layer, x)).reshape(3, 2, 4)

    assert out[:, 0, :2].any()
    assert not out[:, 0, 2:].any()
    assert not out[:, 1].any()


def test_means_over_the_training_rows_are_zero():
    x = np.random.default_rng(0).standard_normal((200, 3))
    layer = PiecewiseLinear(5)

    np.testing.assert_allclose(layer.apply(x, fitted(layer, x)).mean(axis=0), 0, atol=1e-12)


def test_edges_are_quantiles_or_all_values():
    x = np.random.default_rng(0).standard_normal(1000)

    np.testing.assert_array_equal(find_edges(np.array([2.0, 1.0, 2.0]), 5), [1, 2])
    np.testing.assert_allclose(find_edges(x, 4), np.quantile(x, [0, 0.25, 0.5, 0.75, 1]))
    assert len(find_edges(np.repeat([1.0, 2, 3, 4, 5, 6], [100, 1, 1, 1, 1, 1]), 4)) < 5


def test_operations_of_waves_worked_out_by_hand():
    # 3 waves of each of 5 inputs; of the slope -w sin, and products and sums with the gradient.
    cost = Fourier(3).operations(5)

    assert cost.forward == cost.prediction == Cost((1 + 1 + 8) * 15)
    assert cost.backward == Cost(0)
    assert cost.input_gradient == Cost((8 + 1 + 1) * 15 + 2 * 20)


def test_operations_of_bins_worked_out_by_hand():
    # 4 bins of each of 5 inputs: a difference, its quotient, two limits, the mean and the factor.
    cost = PiecewiseLinear(4).operations(5)

    assert cost.forward == cost.prediction == Cost((1 + 1 + 2 + 1 + 1) * 20)
    assert cost.backward == Cost(0)
    assert cost.input_gradient == Cost((2 + 1 + 1 + 1) * 20, 20)
