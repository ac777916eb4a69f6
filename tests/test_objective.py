import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from sknn._crew import Crew
from sknn._random import make_words
from sknn.activations import LeakyReLU, ReLU, Tanh
from sknn.architecture import build_layers
from sknn.layers import Share
from sknn.losses import BinaryLogLoss, Gaussian, LogLoss, PoissonLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective, WholeObjective
from sknn.parameters import leaves
from sknn.penalties import L2, ElasticNet
from sknn.samples import as_samples
from tests import cases
from tests.cases import ACTIVATION_CASES, LOSS_CASES, make_objective, make_targets, name_of, pairs
from tests.counting import count, count_buffers, counted
from tests.gradcheck import check_gradient

grid = pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)
losses = pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
EITHER = [False, True]


def _data(loss, n_samples=9, n_features=4, n_outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    y = make_targets(loss, n_samples, n_outputs, rng)
    return rng, X, y


# A loss with its outputs and weights is computed in one place; activation and X are elsewhere.
@pytest.mark.parametrize(
    ("activation", "loss", "n_outputs", "is_weighted", "is_sparse"),
    [
        (activation, loss, *outputs, is_sparse)
        for activation, loss, outputs, is_sparse in pairs(
            ACTIVATION_CASES, LOSS_CASES, [*itertools.product([1, 2, 3], EITHER)], EITHER
        )
    ],
    ids=name_of,
)
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


# Networks with all that there is besides linear layers and activations.

FEATURES = list(itertools.product([None, "batch", "layer"], [False, True], [(), (0.3, 0.5, 0.1)]))
features = pytest.mark.parametrize(("normalization", "residual", "dropout"), FEATURES)
FEW_LOSSES = [SquaredError(), LogLoss(), Gaussian()]


def make_network(activations, n_outputs, sizes=(5, 5, 4), n_features=4, **options):
    if not isinstance(activations, list):
        activations = [activations] * len(sizes)
    return Network(build_layers(sizes, activations, n_outputs, **options), n_features)


def draw_theta(network, rng):
    """Return parameters at random, and how many of them are trained."""
    return cases.draw_theta(network, rng), network.layout.n_trained


def check_network(network, loss, X, y, weight, rng, penalty=None):
    """Check the gradient of a network's objective; that of statistics is 0."""
    objective = Objective(network, loss, penalty or L2(), alpha=0.1)
    theta, n_trained = draw_theta(network, rng)

    def value_and_grad(trained):
        now = np.concatenate([trained, theta[n_trained:]])  # statistics are brought up to date
        value, grad = objective.value_and_grad(now, X, y, weight)
        np.testing.assert_array_equal(grad[n_trained:], 0)
        return value, grad[:n_trained]

    check_gradient(value_and_grad, theta[:n_trained], rng, n_directions=3)


# What layers add meets itself in all ways, and everything else in pairs.
@pytest.mark.parametrize(
    ("activation", "normalization", "residual", "dropout", "loss", "is_weighted", "is_sparse"),
    [
        (activation, *feature, *loss, is_sparse)
        for activation, feature, loss, is_sparse in pairs(
            ACTIVATION_CASES, FEATURES, [*itertools.product(FEW_LOSSES, EITHER)], EITHER
        )
    ],
    ids=name_of,
)
def test_gradient_holds_for_all_features_together(
    activation, normalization, residual, dropout, loss, is_weighted, is_sparse
):
    rng, X, y = _data(loss, n_samples=12, n_outputs=3)
    weight = rng.random(len(X)) if is_weighted else None
    if is_sparse:
        X = sp.csr_matrix(np.where(rng.random(X.shape) < 0.5, X, 0))
    options = {"normalization": normalization, "residual": residual, "dropout": dropout}
    network = make_network(activation, 3 * loss.raw_per_target, **options)

    check_network(network, loss, X, y, weight, rng)


@features
def test_gradient_holds_for_an_activation_of_each_layers_own(normalization, residual, dropout):
    rng, X, y = _data(SquaredError())
    options = {"normalization": normalization, "residual": residual, "dropout": dropout}
    network = make_network([Tanh(), LeakyReLU(0.2), ReLU()], 2, **options)

    check_network(network, SquaredError(), X, y, None, rng, ElasticNet(0.3))


@features
@pytest.mark.parametrize("n_samples", [1, 3])
def test_gradient_holds_for_tiny_batches(normalization, residual, dropout, n_samples):
    rng, X, y = _data(SquaredError(), n_samples=n_samples)
    options = {"normalization": normalization, "residual": residual, "dropout": dropout}

    check_network(make_network(Tanh(), 2, **options), SquaredError(), X, y, None, rng)


@features
def test_features_change_the_network(normalization, residual, dropout):
    _, X, y = _data(SquaredError())
    options = {"normalization": normalization, "residual": residual, "dropout": dropout}
    plain, network = make_network(Tanh(), 2), make_network(Tanh(), 2, **options)
    values = [
        Objective(n, SquaredError(), L2(), 0).value_and_grad(np.full(n.layout.size, 0.3), X, y)[0]
        for n in (plain, network)
    ]

    is_plain = (normalization, residual, dropout) == (None, False, ())
    assert (values[0] == values[1]) == is_plain


@features
def test_the_random_numbers_of_an_objective_are_the_same_in_each_call(
    normalization, residual, dropout
):
    rng, X, y = _data(SquaredError())
    options = {"normalization": normalization, "residual": residual, "dropout": dropout}
    network = make_network(Tanh(), 2, **options)
    objective = Objective(network, SquaredError(), L2(), 0.1)
    theta, _ = draw_theta(network, rng)

    one, other = (objective.value_and_grad(theta, X, y) for _ in range(2))

    assert one[0] == other[0]
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("residual", [False, True])
def test_weights_of_samples_leave_the_statistics_of_a_batch_alone(residual):
    rng, X, y = _data(SquaredError())
    network = make_network(Tanh(), 2, normalization="batch", residual=residual)
    objective = Objective(network, SquaredError(), L2(), 0.1)
    theta, n_trained = draw_theta(network, rng)
    plain, weighted = theta.copy(), theta.copy()
    objective.value_and_grad(plain, X, y)
    objective.value_and_grad(weighted, X, y, rng.random(len(X)))

    np.testing.assert_array_equal(plain, weighted)
    np.testing.assert_array_equal(plain[:n_trained], theta[:n_trained])
    assert np.all(plain[n_trained:] != theta[n_trained:])


@features
def test_prediction_is_the_network_of_training_without_noise(normalization, residual, dropout):
    rng, X, _ = _data(SquaredError(), n_samples=50)
    options = {"normalization": normalization, "residual": residual}
    network = make_network(Tanh(), 2, **options)
    noisy = make_network(Tanh(), 2, dropout=dropout, **options)
    theta, _ = draw_theta(network, rng)
    bound = network.bind(X, theta, np.empty_like(theta), Share.alone(make_words(0, len(X), 0)))
    for _ in range(600):  # the running statistics arrive at those of these samples
        for call in bound.forward:
            call()
    for layer in leaves(network.layout.views(theta)):
        if "variance" in layer:
            layer["variance"] *= (len(X) - 1) / len(X)  # training uses the biased variance

    predicted = noisy.predict(X, noisy.layout.views(theta))

    np.testing.assert_allclose(predicted, bound.raw, rtol=1e-9, atol=1e-11)


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
    bound = network.bind(X, theta, np.empty_like(theta), Share.alone(make_words(0, len(X), 0)))
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


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("row", [0, 2500, 5000])
def test_no_prediction_that_is_not_finite_is_hidden_by_those_that_are(bad, row):
    objective = make_objective(ReLU(), PoissonLoss(), hidden=(), n_outputs=1)
    theta = np.full(objective.network.layout.size, 0.1)
    X = np.zeros((5001, 4))
    assert objective.predicts_finite(theta, X)
    X[row, 0] = bad

    assert not objective.predicts_finite(theta, X)


def test_operations_are_those_of_layers_loss_and_penalty():
    objective = make_objective(ReLU(), LogLoss(), n_outputs=3)
    network, cost = objective.network.operations(), objective.operations()

    # The mean over rows adds the values up.
    assert cost.per_row == network.forward.per_row + network.backward.per_row + (
        LogLoss().operations(3) + 1
    )
    # 4 x 6, 6 x 5 and 5 x 3 weights: alpha w, the inner product, and the sum with the gradient.
    assert cost.per_call == (1 + 2 + 1) * (24 + 30 + 15)
    assert objective.operations(is_weighted=True) == (cost.per_row + 1, cost.per_call)


def test_operations_of_a_penalty_that_is_written_first_are_without_the_sum():
    sparse = make_objective(ReLU(), LogLoss(), n_outputs=3).operations(n_entries=2)

    assert sparse.per_call == (1 + 2) * 24 + (1 + 2 + 1) * (30 + 15)


def test_operations_without_a_penalty_are_those_of_what_is_written_all_the_same():
    objective = make_objective(ReLU(), LogLoss(), n_outputs=3, alpha=0.0)

    assert objective.operations().per_call == 0
    assert objective.operations(n_entries=2).per_call == (1 + 2) * 24


@losses
@pytest.mark.parametrize("is_weighted", EITHER)
def test_operations_are_those_that_numpy_is_asked_for(loss, is_weighted, monkeypatch):
    count_buffers(monkeypatch)
    rng, X, y = _data(loss)
    objective = make_objective(Tanh(), loss)
    theta = counted(rng.standard_normal(objective.network.layout.size))
    weight = rng.random(len(X)) if is_weighted else None
    whole = WholeObjective(objective, theta, as_samples(X), y, weight, Crew(1))

    # A sum over k outputs counts k; it is made by k - 1 additions.
    cost = objective.operations(is_weighted=is_weighted)
    assert count(whole.evaluate) == cost.of(len(X)) - len(X)
