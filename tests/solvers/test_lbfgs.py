import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from sknn.activations import Identity
from sknn.layers import BatchNorm, Linear
from sknn.losses import BinaryLogLoss, PoissonLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.samples import as_samples
from sknn.solvers import TrainingState
from tests.cases import LOSS_CASES, make_objective, name_of
from tests.solvers.problems import make_problem, solve

# SciPy stops once the objective falls by less than 2e-9 of itself: four digits of the weights.
LINEAR = {"lbfgs": True, "max_iter": 500, "tol": 1e-6, "activation": Identity()}


def solve_linear(problem):
    """Return coef and intercept of a network without hidden layer."""
    alpha, loss = problem.objective.alpha, problem.objective.loss
    objective = make_objective(Identity(), loss, hidden=(), n_outputs=1, alpha=alpha)
    problem = replace(problem, objective=objective)
    problem.state.theta = np.zeros(problem.objective.network.layout.size)
    published = problem.objective.network.publish(solve(problem).theta)
    return published["coefs_"][0][:, 0], published["intercepts_"][0][0]


def test_a_network_without_hidden_layer_is_ridge_regression():
    problem = make_problem(alpha=2.0, **LINEAR)
    ridge = Ridge(alpha=2.0).fit(problem.samples[:], problem.y[:, 0])
    coef, intercept = solve_linear(problem)

    np.testing.assert_allclose(coef, ridge.coef_, rtol=1e-3, atol=1e-4)
    assert intercept == pytest.approx(ridge.intercept_, rel=1e-3, abs=1e-4)


def test_a_network_without_hidden_layer_is_logistic_regression():
    problem = make_problem(loss=BinaryLogLoss(), alpha=2.0, **LINEAR)
    logistic = LogisticRegression(C=1 / 2.0, tol=1e-9).fit(problem.samples[:], problem.y[:, 0])
    coef, intercept = solve_linear(problem)

    np.testing.assert_allclose(coef, logistic.coef_[0], rtol=1e-3, atol=1e-4)
    assert intercept == pytest.approx(logistic.intercept_[0], rel=1e-3, abs=1e-4)


def test_a_network_without_hidden_layer_is_poisson_regression():
    problem = make_problem(loss=PoissonLoss(), alpha=5.0, **LINEAR)
    # Its penalty is not divided by the number of samples.
    poisson = PoissonRegressor(alpha=5.0 / 50, tol=1e-9).fit(problem.samples[:], problem.y[:, 0])
    coef, intercept = solve_linear(problem)

    np.testing.assert_allclose(coef, poisson.coef_, rtol=1e-3, atol=1e-4)
    assert intercept == pytest.approx(poisson.intercept_, rel=1e-3, abs=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_objective_falls_and_the_curve_reports_it(loss, n_outputs):
    problem = make_problem(loss=loss, n_outputs=n_outputs, lbfgs=True, max_iter=15, tol=1e-8)
    start = problem.state.theta.copy()
    state = solve(problem)
    evaluate = problem.objective.value_and_grad

    assert (
        evaluate(state.theta, problem.samples[:], problem.y)[0]
        < evaluate(start, problem.samples[:], problem.y)[0]
    )
    assert len(state.loss_curve) == state.n_iter
    assert state.loss_curve[-1] == state.loss
    if loss.reported_divisor(n_outputs) == 1:
        # What is reported is what is minimised.
        value, _ = evaluate(state.theta, problem.samples[:], problem.y)
        assert state.loss == pytest.approx(value, rel=1e-12)
        assert np.all(np.diff(state.loss_curve) <= 0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_reported_loss_of_several_outputs_is_their_mean():
    problem = make_problem(loss=SquaredError(), n_outputs=3, lbfgs=True, alpha=0, max_iter=20)
    state = solve(problem)
    value, _ = problem.objective.value_and_grad(state.theta, problem.samples[:], problem.y)

    assert state.loss == pytest.approx(value / 3, rel=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_float32_comes_back_as_float32_and_close_to_float64():
    single = make_problem(dtype=np.float32, lbfgs=True)
    double = make_problem(lbfgs=True)
    double = replace(double, samples=single.samples.astype(np.float64))
    double.state.theta = single.state.theta.astype(np.float64)
    narrow, wide = solve(single), solve(double)

    assert narrow.theta.dtype == np.float32
    np.testing.assert_allclose(narrow.theta, wide.theta, rtol=1e-6, atol=1e-7)


def test_running_out_of_iterations_warns():
    with pytest.warns(ConvergenceWarning, match=r"max_iter=2"):
        state = solve(make_problem(lbfgs=True, max_iter=2, tol=1e-9))

    assert state.n_iter == 2


def test_target_loss_ends_the_training():
    full = solve(make_problem(lbfgs=True, max_iter=2000, tol=1e-3))
    target = full.loss_curve[3]
    state = solve(make_problem(lbfgs=True, max_iter=2000, tol=1e-3, target_loss=target))

    assert state.n_iter == 4
    assert state.loss == target


def test_early_stopping_keeps_the_best_iteration():
    problem = make_problem(lbfgs=True, max_iter=500, n_iter_no_change=3, tol=1e-6)
    seen, scores = [], [0.1, 0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]

    def validate(theta):
        seen.append(theta.copy())
        return scores[len(seen) - 1], 0.5

    problem = replace(problem, validate=validate, stops_early=True)
    state = solve(problem)

    np.testing.assert_array_equal(state.theta, seen[2])
    assert state.validation_scores == scores[:7]
    assert state.n_iter == 7


def test_only_a_plateau_is_called_a_plateau(capsys):
    problem = make_problem(lbfgs=True, tol=1e-3, target_loss=0.5, max_iter=500)
    problem = replace(problem, verbose=True, stops_early=True)
    problem = replace(problem, validate=lambda theta: (0.5, 0.5))
    solve(problem)

    printed = capsys.readouterr().out
    assert "Training loss reached target_loss=0.500000. Stopping." in printed
    assert "consecutive" not in printed


def test_ctrl_c_warns_and_returns_what_there_is():
    problem = make_problem(lbfgs=True, max_iter=2000, tol=1e-3)
    seen = []

    def interrupt(theta):
        seen.append(theta.copy())
        if len(seen) == 4:
            raise KeyboardInterrupt
        return -1.0 / len(seen), 0.5

    problem = replace(problem, validate=interrupt, stops_early=True)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        state = solve(problem)

    np.testing.assert_array_equal(state.theta, seen[2])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sparse_input_gives_the_same_model():
    sparse = make_problem(is_sparse=True, lbfgs=True, max_iter=10)
    dense = make_problem(is_sparse=True, lbfgs=True, max_iter=10)
    dense = replace(dense, samples=as_samples(dense.samples[:].toarray()))

    np.testing.assert_allclose(solve(sparse).theta, solve(dense).theta, rtol=1e-6, atol=1e-8)


def test_what_layers_keep_themselves_is_that_of_the_last_evaluation():
    """SciPy moves the trained parameters only: statistics would stay where they began."""
    network = Network([Linear(3, has_intercept=False), BatchNorm(), Linear(1, True)], 4)
    problem = make_problem(lbfgs=True, max_iter=30)
    objective = Objective(network, problem.objective.loss, problem.objective.penalty, 0.1)
    theta = np.linspace(-1, 1, network.layout.size)
    theta[network.layout.n_trained :] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        state = solve(replace(problem, objective=objective, state=TrainingState(theta.copy())))

    assert np.all(state.theta[network.layout.n_trained :] != 1)
    assert np.isfinite(state.theta).all()
