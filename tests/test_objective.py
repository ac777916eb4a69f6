import numpy as np
import pytest
import scipy.sparse as sp

from sknn.activations import ReLU, Tanh
from sknn.losses import BinaryLogLoss, SquaredError
from tests.cases import ACTIVATION_CASES, LOSS_CASES, make_objective, make_targets, name_of
from tests.gradcheck import check_gradient

grid = pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)
losses = pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)


def _data(loss, n_samples=9, n_features=4, n_outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    y = make_targets(loss, n_samples, n_outputs, rng)
    return rng, X, y


@grid
@losses
@pytest.mark.parametrize("n_outputs", [1, 2, 3])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
def test_gradient_is_the_derivative_of_the_value(
    activation, loss, n_outputs, is_weighted, is_sparse
):
    rng, X, y = _data(loss, n_outputs=n_outputs)
    weight = rng.random(len(X)) if is_weighted else None
    if is_sparse:
        X = sp.csr_matrix(np.where(rng.random(X.shape) < 0.5, X, 0))
    objective = make_objective(activation, loss, n_outputs=n_outputs)
    theta = rng.standard_normal(objective.network.layout.size) / 2

    check_gradient(lambda t: objective.value_and_grad(t, X, y, weight), theta, rng)


@losses
@pytest.mark.parametrize("hidden", [(), (3,), (3, 4, 5)])
def test_gradient_holds_for_any_depth(loss, hidden):
    rng, X, y = _data(loss)
    objective = make_objective(Tanh(), loss, hidden=hidden)
    theta = rng.standard_normal(objective.network.layout.size) / 2

    check_gradient(lambda t: objective.value_and_grad(t, X, y), theta, rng)


@losses
def test_weight_two_is_the_row_twice(loss):
    rng, X, y = _data(loss)
    objective = make_objective(ReLU(), loss)
    theta = rng.standard_normal(objective.network.layout.size)
    weight = np.ones(len(X))
    weight[0] = 2

    weighted = objective.value_and_grad(theta, X, y, weight)
    repeated = objective.value_and_grad(theta, np.vstack([X[:1], X]), np.vstack([y[:1], y]))

    np.testing.assert_allclose(weighted[0], repeated[0], rtol=1e-13)
    np.testing.assert_allclose(weighted[1], repeated[1], rtol=1e-11, atol=1e-15)


def test_weight_zero_is_the_row_left_out():
    loss = BinaryLogLoss()
    rng, X, y = _data(loss)
    objective = make_objective(ReLU(), loss)
    theta = rng.standard_normal(objective.network.layout.size)
    weight = np.ones(len(X))
    weight[0] = 0

    weighted = objective.value_and_grad(theta, X, y, weight)
    without = objective.value_and_grad(theta, X[1:], y[1:])

    np.testing.assert_allclose(weighted[0], without[0], rtol=1e-13)
    np.testing.assert_allclose(weighted[1], without[1], rtol=1e-11, atol=1e-15)


def test_value_is_the_formula_worked_out_by_hand():
    objective = make_objective(ReLU(), SquaredError(), n_features=1, hidden=(), alpha=0.5)
    theta = np.array([2.0, -1.0, 0.5, 0.25])  # W = [[2, -1]], b = [0.5, 0.25]
    X, y = np.array([[1.0], [3.0]]), np.array([[2.0, 0.0], [6.0, -3.0]])

    value, _ = objective.value_and_grad(theta, X, y)

    # Residuals (0.5, -0.75) and (0.5, 0.25); half the squares summed over outputs, the mean
    # over samples, and alpha / 2n times the squared norm of W.
    expected = (0.25 + 0.5625 + 0.25 + 0.0625) / 2 / 2 + 0.5 / 2 / 2 * 5
    assert value == pytest.approx(expected, rel=1e-14)


@grid
def test_predicting_a_batch_is_predicting_its_rows(activation):
    rng, X, _ = _data(SquaredError())
    network = make_objective(activation, SquaredError()).network
    theta = rng.standard_normal(network.layout.size)
    parameters = network.layout.views(theta)

    together = network.predict(X, parameters)
    single = [network.predict(row[np.newaxis], parameters)[:, 0] for row in X]

    np.testing.assert_allclose(together, np.transpose(single), rtol=1e-13, atol=1e-14)


@grid
def test_prediction_and_training_see_the_same_network(activation):
    rng, X, _ = _data(SquaredError())
    network = make_objective(activation, SquaredError()).network
    theta = rng.standard_normal(network.layout.size)
    bound = network.bind(X, theta, np.empty_like(theta))
    for call in bound.forward:
        call()

    predicted = network.predict(X, network.layout.views(theta))

    np.testing.assert_allclose(bound.raw, predicted, rtol=1e-12, atol=1e-14)


@grid
def test_input_is_left_unchanged(activation):
    loss = SquaredError()
    rng, X, y = _data(loss)
    objective = make_objective(activation, loss)
    theta = rng.standard_normal(objective.network.layout.size)
    before = X.copy(), y.copy(), theta.copy()

    objective.value_and_grad(theta, X, y)

    for now, then in zip((X, y, theta), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_chunks_of_a_long_prediction_join_without_a_seam():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2500, 4))
    network = make_objective(ReLU(), SquaredError()).network
    parameters = network.layout.views(rng.standard_normal(network.layout.size))

    whole = network.predict(X, parameters)

    np.testing.assert_allclose(whole[:, 1020:1030], network.predict(X[1020:1030], parameters))
    assert whole.shape == (2, 2500)


def test_sparse_prediction_equals_dense():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((2500, 4)) < 0.3, 1.5, 0)
    network = make_objective(ReLU(), SquaredError()).network
    parameters = network.layout.views(rng.standard_normal(network.layout.size))

    np.testing.assert_allclose(
        network.predict(sp.csr_matrix(X), parameters),
        network.predict(X, parameters),
        rtol=1e-12,
        atol=1e-14,
    )
