"""What steps, epochs, evaluations and predictions cost, counted by hand and by NumPy."""

import itertools
import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp

from sknn.activations import ReLU, Tanh
from sknn.architecture import build_layers
from sknn.averaging import AVERAGINGS, EMA, SWA
from sknn.layers import BatchNorm, PiecewiseLinear, ScaledLinear
from sknn.losses import LogLoss, PoissonLoss, SquaredError
from sknn.network import CHUNK, Network
from sknn.objective import Objective
from sknn.optimizers import SGD, Adam, Muon
from sknn.parameters import leaves
from sknn.penalties import L2, ElasticNet
from sknn.samples import as_samples
from sknn.solvers.cost import (
    entries_per_row,
    epoch_operations,
    evaluation_operations,
    prediction_operations,
    step_operations,
    validation_operations,
)
from tests.cases import make_objective
from tests.counting import Counted, count_buffers, counted
from tests.solvers.problems import make_problem

ADAM = 16
"""Operations for a parameter: 8 simple ones, a root and a division."""

N_WEIGHTS, N_TRAINED = 4 * 6 + 6 * 5 + 5 * 1, 4 * 6 + 6 * 5 + 5 * 1 + 6 + 5 + 1
"""Of the networks of `make_problem`, with one output."""


def make_problem_with(layers, n_features, loss=None, alpha=0.0, **options):
    """Return a problem with a network of one's own."""
    problem = make_problem(**options)
    network = Network(layers, n_features)
    return replace(problem, objective=Objective(network, loss or SquaredError(), L2(), alpha))


def extra(**options):
    """Return what some options of the solver add to a step of 10 rows."""
    return step_operations(make_problem(**options), 10) - step_operations(make_problem(), 10)


# Steps


def test_a_step_worked_out_by_hand():
    # 3 inputs, 5 units with relu, 2 classes; 7 rows; Adam.
    layers = build_layers((5,), [ReLU()], 2)
    problem = make_problem_with(layers, 3, LogLoss(), alpha=0.1, optimizer=Adam())
    forward = (
        2 * 7 * 3 * 5  # x W
        + 7 * 5  # + b
        + 2 * 7 * 5  # z > 0, and times z
        + 2 * 7 * 5 * 2  # h V
        + 7 * 2  # + c
    )
    loss = (
        7 * 2 * (1 + 1 + 8 + 1 + 4)  # softmax: largest, difference, exp, sum, division
        + 7 * 2 * 2  # (p - y) / n
        + 7 * 2 * 2  # y p, and its sum
        + 7 * (2 + 8 + 1)  # its limits, logarithm and sign
        + 7  # the mean
    )
    backward = (
        2 * 5 * 7 * 2  # h' g
        + 7 * 2  # the sum of g
        + 2 * 7 * 2 * 5  # g V'
        + 7 * 5  # times the slope
        + 2 * 3 * 7 * 5  # x' g
        + 7 * 5  # the sum of g
    )
    n_weights, n_intercepts = 3 * 5 + 5 * 2, 5 + 2
    penalty = n_weights * (1 + 2 + 1)  # alpha w, w (alpha w), and to the gradient
    adam = (n_weights + n_intercepts) * (2 + 3 + 4 + 1 + 4 + 1 + 1)

    total = step_operations(problem, 7)

    assert total == forward + loss + backward + penalty + adam
    assert type(total) is int


@pytest.mark.parametrize("sizes", [(3, 2), (30, 20, 10), (4, 50, 3, 7, 1), (784, 100, 10)])
def test_products_of_a_perceptron_are_those_of_the_formula(sizes):
    # Without intercepts, functions and an update, what grows with products of widths is
    # 2 n (3 sum n_in n_out - n_in n_out of the first layer).
    def step(sizes, n_rows):
        *hidden, n_outputs = sizes[1:]
        layers = build_layers(hidden, [Tanh()] * len(hidden), n_outputs)
        return step_operations(make_problem_with(layers, sizes[0]), n_rows)

    n_rows = 11
    pairs = list(itertools.pairwise(sizes))
    products = 2 * n_rows * (3 * sum(a * b for a, b in pairs) - pairs[0][0] * pairs[0][1])
    intercepts = 2 * n_rows * sum(sizes[1:])
    tanh = n_rows * (10 + 1) * sum(sizes[1:-1])
    loss = n_rows * (5 * sizes[-1] + 1)
    update = ADAM * sum(a * b + b for a, b in pairs)

    assert step(sizes, n_rows) == products + intercepts + tanh + loss + update


def test_the_same_rows_in_more_steps_cost_an_update_more_each():
    problem = make_problem()
    update = 4 * N_WEIGHTS + ADAM * N_TRAINED

    assert 2 * step_operations(problem, 5) - step_operations(problem, 10) == update


def test_what_the_solver_adds_to_a_step():
    # The squared norm of the gradient, and its factor.
    assert extra(max_grad_norm=1.0) == (2 + 1) * N_TRAINED
    assert extra(weight_decay=0.1) == N_WEIGHTS
    # The squared norm, and the sum of all gradients.
    assert extra(max_batch_size=32) == (2 + 1) * N_TRAINED
    assert extra(max_batch_size=32, max_grad_norm=1.0) == (2 + 1 + 1) * N_TRAINED
    assert extra(averaging=EMA()) == 3 * N_TRAINED
    assert extra(averaging=SWA()) == 0
    assert extra(alpha=0.0) == -4 * N_WEIGHTS
    assert extra(optimizer=SGD()) == (6 - ADAM) * N_TRAINED
    # Weights: their sum and the division by it; each value times its weight.
    assert extra(is_weighted=True) == (2 + 1) * 10


def test_elastic_net_costs_more_than_a_square():
    problem = make_problem()
    objective = Objective(problem.objective.network, SquaredError(), ElasticNet(), 0.1)
    difference = step_operations(replace(problem, objective=objective), 10) - step_operations(
        problem, 10
    )

    assert difference == (12 - 3) * N_WEIGHTS


def test_muon_costs_the_products_of_each_matrix():
    muon = Muon()
    shapes = [(4, 6), (6, 5), (5, 1)]
    update = sum(muon.operations(a * b, [(a, b)]) for a, b in shapes) + ADAM * (6 + 5 + 1)

    assert extra(optimizer=muon) == update - ADAM * N_TRAINED


def test_statistics_are_not_updated():
    layers = build_layers((5,), [ReLU()], 2, normalization="batch")
    problem = make_problem_with(layers, 3)
    network = problem.objective.network
    cost = network.operations()
    data = 7 * (cost.forward.per_row + cost.backward.per_row + 5 * 2 + 1)
    once = cost.forward.per_call + cost.backward.per_call

    assert isinstance(network.layers[1], BatchNorm)
    assert network.layout.size - network.layout.n_trained == 5 + 5
    assert step_operations(problem, 7) == data + once + ADAM * (3 * 5 + 5 * 2 + 5 + 5 + 2)


@pytest.mark.parametrize("optimizer", [Adam(), Muon()], ids=["adam", "muon"])
def test_what_is_frozen_is_not_moved_but_its_gradient_is_measured(optimizer):
    def step(rate, **numbers):
        layers = [ScaledLinear(2, output_major=True, scale_rate=rate)]
        problem = make_problem_with(layers, 30, optimizer=optimizer, **numbers)
        return step_operations(problem, 7)

    assert step(6.0) - step(0.0) == ADAM * 30
    # Their decay is that of the factors, too.
    both = {"max_grad_norm": 1.0, "weight_decay": 0.1}
    assert step(6.0, **both) - step(6.0) == 3 * (30 * 2 + 2 + 30) + 30 * 2 + 30
    assert step(0.0, **both) - step(0.0) == 3 * (30 * 2 + 2 + 30) + 30 * 2


def test_frozen_matrices_take_no_steps_of_muon():
    class Frozen(ScaledLinear):
        def parameters(self, n_in):
            described = super().parameters(n_in)
            return described | {"coef": replace(described["coef"], rate=0.0)}

    problem = make_problem_with([Frozen(2, output_major=True)], 30, optimizer=Muon())
    plain = make_problem_with([Frozen(2, output_major=True)], 30)

    assert step_operations(problem, 7) == step_operations(plain, 7)


def test_sparse_samples_cost_their_entries():
    X = sp.csr_matrix(([1.0] * 7, ([0, 0, 0, 1, 1, 3, 3], [0, 1, 2, 3, 4, 5, 6])), shape=(4, 9))
    layers = build_layers((5,), [ReLU()], 1)
    problem = make_problem_with(layers, 9, alpha=0.1)
    sparse, dense = (
        replace(problem, samples=as_samples(x), y=np.zeros((4, 1))) for x in (X, X.toarray())
    )
    difference = step_operations(dense, 4) - step_operations(sparse, 4)

    assert entries_per_row(sparse.samples) == Fraction(7, 4)
    assert entries_per_row(dense.samples) is None
    # Forward and back, and the sum of the penalty, which is written before, with the gradient.
    assert difference == 2 * (2 * (4 * 9 - 7) * 5) + 9 * 5
    assert type(step_operations(sparse, 3)) is int


def test_sparse_samples_without_rows_have_no_entries():
    assert entries_per_row(as_samples(sp.csr_matrix((0, 5)))) == 0


# Epochs


def test_an_epoch_is_its_steps_and_the_norms_that_history_has():
    problem = make_problem()
    step, norm = step_operations, 2 * N_TRAINED

    assert epoch_operations(problem, 16, 50) == (
        3 * step(problem, 16) + step(problem, 2) + 2 * norm
    )
    assert epoch_operations(problem, 16, 48) == 3 * step(problem, 16) + norm
    assert epoch_operations(problem, 50, 50) == step(problem, 50) + norm
    assert epoch_operations(problem, 100, 50) == step(problem, 50) + norm


def test_what_is_done_between_epochs():
    def between(**options):
        problem = make_problem(**options)
        steps = 3 * step_operations(problem, 16) + step_operations(problem, 2)
        return epoch_operations(problem, 16, 50) - steps

    assert between(averaging=SWA()) == 2 * 2 * N_TRAINED + 3 * N_TRAINED
    assert between(averaging=EMA()) == 2 * 2 * N_TRAINED
    # No norm beside those that the steps need; the mean gradient's where its noise is measured.
    assert between(max_grad_norm=1.0) == 0
    assert between(max_batch_size=32) == 2 * N_TRAINED


@pytest.mark.parametrize("name", AVERAGINGS)
def test_every_average_costs_something(name):
    averaged, plain = make_problem(averaging=AVERAGINGS.resolve(name)), make_problem()

    assert epoch_operations(averaged, 16, 50) > epoch_operations(plain, 16, 50)


def test_training_that_recovers_looks_at_losses_and_predictions():
    recovers, plain = make_problem(recovers=True), make_problem()
    network, loss = plain.objective.network, plain.objective.loss
    expected = (
        validation_operations(network, loss, 50, predicts=False)
        + prediction_operations(network, loss, 50)
        + 2 * 50  # the largest absolute value
    )

    assert epoch_operations(recovers, 16, 50) - epoch_operations(plain, 16, 50) == expected


@pytest.mark.parametrize(("loss", "n_all"), [(SquaredError(), 0), (PoissonLoss(), 5000)])
def test_all_predictions_are_looked_at_where_they_grow_fast(loss, n_all):
    options = {"loss": loss, "n_samples": 5000}
    recovers, plain = make_problem(recovers=True, **options), make_problem(**options)
    network = plain.objective.network
    expected = validation_operations(network, loss, CHUNK, predicts=False)
    for n_rows in (CHUNK, n_all):
        expected += prediction_operations(network, loss, n_rows) + 2 * n_rows

    assert epoch_operations(recovers, 16, 5000) - epoch_operations(plain, 16, 5000) == expected


# The rest


def test_an_evaluation_worked_out_by_hand():
    problem = make_problem(lbfgs=True)
    products = 2 * 50 * (3 * (24 + 30 + 5) - 24)
    others = 50 * (2 * 12 + (10 + 1) * 11 + 5 + 1)
    penalty, norm = 4 * N_WEIGHTS, 2 * N_TRAINED

    assert evaluation_operations(problem) == products + others + penalty + norm
    weighted = make_problem(lbfgs=True, is_weighted=True)
    assert evaluation_operations(weighted) - evaluation_operations(problem) == 50


def test_an_evaluation_has_the_rows_that_are_trained_on():
    few = make_problem(lbfgs=True, rows=np.arange(20))
    many, once = make_problem(lbfgs=True), 4 * N_WEIGHTS + 2 * N_TRAINED

    assert 50 * (evaluation_operations(few) - once) == 20 * (evaluation_operations(many) - once)


def test_predictions_worked_out_by_hand():
    network = make_objective(Tanh(), LogLoss(), n_outputs=3).network
    products, intercepts = 2 * (4 * 6 + 6 * 5 + 5 * 3), 6 + 5 + 3
    raw = products + intercepts + 8 * 11

    assert prediction_operations(network, LogLoss(), 7) == 7 * (raw + 15 * 3)
    # The loss and its mean, and probabilities for a score.
    loss = 17 * 3 + 2 * 3 + 11 + 1
    assert validation_operations(network, LogLoss(), 7) == 7 * (raw + loss + 15 * 3)
    assert validation_operations(network, LogLoss(), 7, predicts=False) == 7 * (raw + loss)
    assert prediction_operations(network, LogLoss(), 0) == 0


def test_sparse_predictions_cost_their_entries():
    network = make_objective(Tanh(), SquaredError()).network
    dense = prediction_operations(network, SquaredError(), 6)

    assert dense - prediction_operations(network, SquaredError(), 6, Fraction(1, 3)) == (
        2 * 6 * 4 * 6 - 2 * 2 * 6
    )


def test_each_chunk_of_a_long_prediction_scales_the_weights():
    network = Network([ScaledLinear(2, output_major=True)], 3)
    row = 2 * 3 * 2 + 2

    assert prediction_operations(network, SquaredError(), CHUNK) == CHUNK * row + 6
    assert prediction_operations(network, SquaredError(), CHUNK + 1) == (CHUNK + 1) * row + 12


def test_costs_are_exact_beyond_machine_integers():
    layers = build_layers((10**6,), [ReLU()], 1)
    network = Network(layers, 10**6)

    assert prediction_operations(network, SquaredError(), 10**9 + 1) == (10**9 + 1) * (
        2 * 10**12 + 2 * 10**6 + 10**6 + 10**6 + 1
    )


def test_a_front_is_paid_for_in_training_and_prediction():
    front = [PiecewiseLinear(4)]
    plain = make_problem_with(build_layers((5,), [ReLU()], 1), 12)
    binned = make_problem_with(build_layers((5,), [ReLU()], 1, front=front), 3)
    bins = 6 * 12  # four of each of three inputs

    # Nothing in front is trained, so nobody asks for the gradient that would go there.
    assert step_operations(binned, 7) - step_operations(plain, 7) == 7 * bins
    costs = [prediction_operations(p.objective.network, SquaredError(), 7) for p in (binned, plain)]
    assert costs[0] - costs[1] == 7 * bins


CONFIGURATIONS = {
    "adam": {},
    "weights": {"is_weighted": True},
    "classes": {"loss": LogLoss(), "n_outputs": 3},
    "sgd": {"optimizer": SGD(), "max_grad_norm": 1.0, "weight_decay": 0.1},
    "muon": {"optimizer": Muon()},
    "ema": {"averaging": EMA()},
    "swa": {"averaging": SWA()},
    "noise": {"max_batch_size": 16},
    "recovers": {"recovers": True, "loss": PoissonLoss()},
    "no penalty": {"alpha": 0.0},
    "one batch": {"batch_size": 50},
}


@pytest.mark.parametrize("options", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_an_epoch_of_a_fit_asks_numpy_for_what_it_costs(options, monkeypatch):
    def fit(n_epochs):
        problem = make_problem(max_iter=n_epochs, tol=0.0, **options)
        problem.state.theta = counted(problem.state.theta)
        Counted.total = 0
        with monkeypatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count_buffers(patch)
            problem.solver.minimize([problem])
        return Counted.total, problem

    (fewer, _), (more, problem) = fit(2), fit(3)
    expected = epoch_operations(problem, problem.solver.batch_size, 50)

    # The sum over k outputs counts k and is made by k - 1 additions, here and in a look back; the
    # numbers of a step are arrays if there are several steps; Muon's smallest matrix is a number.
    assert abs(expected - (more - fewer)) <= 2 * 50


def test_networks_of_the_tests_have_the_sizes_that_hand_counts_take():
    layout = make_problem().objective.network.layout

    assert (layout.n_penalized, layout.n_trained, layout.size) == (N_WEIGHTS, N_TRAINED, N_TRAINED)
    assert len(list(leaves(layout.views(np.zeros(layout.size))))) == 5
