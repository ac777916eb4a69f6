"""Inputs with a factor each."""

import numpy as np
import scipy.sparse as sp

from sknn.layers import Linear, ScaledLinear
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.operations import Cost
from sknn.penalties import L2
from tests.cases import draw_theta


def make(**options):
    network = Network([ScaledLinear(3, output_major=True, **options)], 4)
    return network, draw_theta(network, np.random.default_rng(0))


def test_inputs_are_multiplied_by_their_factors():
    network, theta = make()
    [parameters] = network.layout.views(theta)
    X = np.random.default_rng(1).standard_normal((6, 4))
    plain = Linear(3, output_major=True)
    shared = {name: parameters[name] for name in ("coef", "intercept")}

    np.testing.assert_allclose(
        network.predict(X, [parameters]), plain.apply(X * parameters["scale"], shared)
    )


def test_sparse_samples_stay_sparse_and_learn_the_same():
    network, theta = make()
    rng = np.random.default_rng(1)
    X = rng.standard_normal((20, 4)) * (rng.random((20, 4)) < 0.3)
    y = rng.standard_normal((20, 3))
    objective = Objective(network, SquaredError(), L2(), 0.1)

    value, grad = objective.value_and_grad(theta, X, y)
    sparse_value, sparse_grad = objective.value_and_grad(theta, sp.csr_matrix(X), y)

    np.testing.assert_allclose(sparse_value, value)
    np.testing.assert_allclose(sparse_grad, grad)


def test_factors_begin_where_they_are_told_to_and_have_numbers_of_their_own():
    layer = ScaledLinear(2, scale=np.array([1.0, 0.5]), scale_rate=6.0, scale_decay=3.0)
    parameters = {name: np.zeros(p.shape) for name, p in layer.parameters(2).items()}
    layer.initialize(parameters, lambda i, o: (np.ones((i, o)), np.zeros(o)), None)
    scale = layer.parameters(2)["scale"]

    np.testing.assert_array_equal(parameters["scale"], [1.0, 0.5])
    assert (scale.rate, scale.decay, scale.published) == (6.0, 3.0, "front_.scale")


def test_weights_adapt_to_scaled_rows():
    layer = ScaledLinear(50, adapts=True, scale=np.array([1.0, 0.01]))
    rng = np.random.RandomState(0)
    parameters = {name: np.zeros(p.shape) for name, p in layer.parameters(2).items()}
    layer.initialize(parameters, lambda i, o: (rng.normal(size=(i, o)), np.zeros(o)), rng)
    x = rng.normal(size=(100, 2)) * [1, 100]
    layer.calibrate(parameters, x, rng)
    sums = layer.apply(x, parameters) - parameters["intercept"]

    np.testing.assert_allclose(sums.std(axis=0), 1)


def test_operations_worked_out_by_hand():
    # Once: a W; then a G, W G and its sums over units.
    cost, linear = ScaledLinear(3).operations(5), Linear(3).operations(5)

    assert cost.forward == cost.prediction == Cost(2 * 5 * 3 + 3, 5 * 3)
    assert cost.backward == Cost(2 * 5 * 3 + 3, 5 * 3 + 5 * 3 + 5 * 3)
    assert cost.input_gradient == linear.input_gradient


def test_operations_with_sparse_samples_are_those_of_the_entries():
    cost = ScaledLinear(3).operations(500, 4)

    assert cost.forward == Cost(2 * 4 * 3 + 3, 500 * 3)
    assert cost.n_accumulated == 0  # the gradient of the weights is written
