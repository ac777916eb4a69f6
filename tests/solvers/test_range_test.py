"""The verdict on a range test, which learning_rate_init="auto" and the search share."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.model_selection import LearningRateSearchCV
from sknn.optimizers import SGD
from sknn.samples import as_samples
from sknn.solvers import Stochastic
from sknn.solvers.range_test import RATES, choose_rates, find_rate
from tests.solvers.problems import make_problem

DECADES = np.logspace(-5, 0, 6)
X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X[:100]), scale(Y[:100])
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("losses", "low", "high", "rate"),
    [
        ([1.0, 1.0, 0.5, 0.0, 0.1, 2.0], 1e-3, 1e-1, 1e-2 / 3),
        # Not beyond a rate that is too large; above the lower end, so a third of the best.
        ([1.0, 0.95, 0.89, 0.0, 0.3, 0.1], 1e-3, 1e-2, 1e-2 / 3),
        ([1.0, 0.8, 0.4, 0.0, np.nan, np.nan], 1e-4, 1e-2, 1e-2 / 3),
        ([1.0, 0.8, 0.4, 0.2, 0.1, 0.0], 1e-4, 1.0, 1 / 3),
        ([np.nan, 1.0, 0.0, 1.0, 1.0, 1.0], 1e-4, 1e-2, 1e-3 / 3),  # a single good one
        ([1.0, np.inf, np.inf, np.inf, np.inf, np.inf], 1e-5, 1e-4, 1e-5),  # not below the range
    ],
)
def test_the_rate_is_a_third_of_the_best_within_what_learns_and_is_stable(losses, low, high, rate):
    assert choose_rates(DECADES, np.array(losses)) == pytest.approx((low, high, rate))


def test_infinite_and_undefined_losses_are_the_same_verdict():
    losses = np.array([1.0, 0.8, 0.4, 0.0, np.inf, np.inf])

    assert choose_rates(DECADES, losses) == choose_rates(
        DECADES, np.where(np.isinf(losses), np.nan, losses)
    )


def test_auto_takes_the_rate_and_the_search_the_ends_of_one_verdict():
    model = MLPRegressor(5, learning_rate_init="auto", max_iter=1, random_state=0).fit(X, Y)
    network = MLPRegressor(5, max_iter=1, random_state=0)
    search = LearningRateSearchCV(network, n_rates=2, cv=2).fit(X, Y)

    assert model.learning_rate_ == choose_rates(*model.lr_find_.to_numpy().T)[2]
    table = search.range_test_.to_numpy().T
    assert search.rates_ == pytest.approx(choose_rates(*table)[:2])
    np.testing.assert_array_equal(table[0], RATES)


def test_divergence_everywhere_says_what_to_do():
    with pytest.raises(ValueError, match=r"every learning rate.*1e-05 to 1\. Scale X"):
        choose_rates(DECADES, np.full(6, np.nan))


def test_auto_and_the_search_refuse_data_that_diverge_in_the_same_words():
    network = MLPRegressor(5, solver="sgd", max_iter=1, random_state=0)
    message = r"every learning rate of the range test, from 1e-06 to 10\. Scale X"
    with np.errstate(all="ignore"):
        with pytest.raises(ValueError, match=message):
            MLPRegressor(
                5, solver="sgd", learning_rate_init="auto", max_iter=1, random_state=0
            ).fit(X, Y * 1e200)
        with pytest.raises(ValueError, match=message):
            LearningRateSearchCV(network, n_rates=2, cv=2).fit(X, Y * 1e200)


# Trials on copies of a problem.


def test_the_trials_leave_the_problem_as_it_is():
    problem = make_problem(n_samples=80, batch_size=8)
    theta, order = problem.state.theta.copy(), problem.rng.get_state()[1].copy()
    rate, losses, n_operations = find_rate(problem)

    assert n_operations > len(RATES) * 60
    assert rate == choose_rates(RATES, losses)[2]
    np.testing.assert_array_equal(problem.state.theta, theta)
    np.testing.assert_array_equal(problem.rng.get_state()[1], order)
    assert (problem.state.n_iter, problem.state.moments) == (0, None)


@pytest.mark.parametrize(
    ("n_samples", "n_epochs"), [(80, 6), (800, 1), (10, 30), (60 * 8, 1), (60 * 8 + 1, 1)]
)
def test_each_rate_trains_for_sixty_steps_in_whole_epochs(monkeypatch, n_samples, n_epochs):
    seen = []
    minimize = Stochastic.minimize

    def note(self, trials):
        seen.extend((trial.solver, trial.n_samples) for trial in trials)
        return minimize(self, trials)

    monkeypatch.setattr(Stochastic, "minimize", note)
    find_rate(make_problem(n_samples=n_samples, batch_size=8))

    assert [solver.learning_rate for solver, _ in seen] == pytest.approx(RATES.tolist())
    assert {solver.max_iter for solver, _ in seen} == {n_epochs}
    assert {n for _, n in seen} == {min(n_samples, 60 * 8)}


def test_sparse_rows_have_the_verdict_of_dense_ones():
    sparse, dense = (make_problem(is_sparse=True, n_samples=80, batch_size=8) for _ in range(2))
    dense = replace(dense, samples=as_samples(dense.samples[:].toarray()))
    (rate, losses, _), (expected, dense_losses, _) = find_rate(sparse), find_rate(dense)

    assert rate == expected
    np.testing.assert_allclose(losses, dense_losses, rtol=1e-6)


def test_a_rate_that_diverges_has_no_loss():
    problem = make_problem(optimizer=SGD(), n_samples=80, batch_size=8)
    problem = replace(problem, y=1e150 * problem.y)
    with np.errstate(all="ignore"):
        _, losses, _ = find_rate(problem)

    is_lost = np.isnan(losses)
    assert is_lost[-1]
    assert not is_lost[0]
    assert np.all(np.diff(is_lost.astype(int)) >= 0)


# Through the estimators.


CANCER, IS_BENIGN = load_breast_cancer(return_X_y=True)
CANCER = scale(CANCER)
DIABETES, DISEASE = (scale(a) for a in load_diabetes(return_X_y=True))


def test_the_range_test_finds_a_rate_and_keeps_its_curve():
    model = MLPClassifier((20,), learning_rate_init="auto", max_iter=40, random_state=0).fit(
        CANCER, IS_BENIGN
    )

    assert 1e-4 < model.learning_rate_ < 1
    assert list(model.lr_find_.columns) == ["learning_rate", "loss"]
    assert model.lr_find_["loss"].iloc[0] > 2 * model.lr_find_["loss"].min()
    assert model.score(CANCER, IS_BENIGN) > 0.97
    assert (model.history_["learning_rate"] == model.learning_rate_).all()
    assert not hasattr(model.set_params(learning_rate_init=0.1).fit(CANCER, IS_BENIGN), "lr_find_")


@pytest.mark.parametrize("n", [50, 300])
def test_the_range_test_works_with_partial_fit(n):
    model = MLPRegressor((5,), learning_rate_init="auto", random_state=0)
    rate = model.partial_fit(DIABETES[:n], DISEASE[:n]).learning_rate_
    model.partial_fit(DIABETES[:n], DISEASE[:n])

    assert model.learning_rate_ == rate > 1e-5
