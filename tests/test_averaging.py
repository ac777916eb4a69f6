import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn.averaging import AVERAGINGS, EMA, FOLLOWING, SWA, follow
from tests.counting import count, counted
from tests.optimizers.fitting import BATCH_SIZE, N_SAMPLES, fit, make_data, make_estimator
from tests.solvers.problems import make_problem, solve

N_EPOCHS = 8


def iterates(n_epochs=N_EPOCHS, **parameters):
    """Return the parameters after each epoch of a training without averages, as vectors."""
    X, y, coefs, intercepts = make_data((4,))
    estimator = make_estimator(coefs, intercepts, n_epochs, **parameters)
    vectors = []
    for _ in range(n_epochs):
        estimator.partial_fit(X, y)
        vectors.append(vector_of(estimator))
    return vectors


def vector_of(estimator):
    return np.concatenate([a.ravel() for a in (*estimator.coefs_, *estimator.intercepts_)])


def start():
    _, _, coefs, intercepts = make_data((4,))
    return np.concatenate([a.ravel() for a in (*coefs, *intercepts)])


def test_ema_forgets_its_beginning():
    t = np.array([1, 2, 8, 90, 10**6])
    expected = [9 / 11, 9 / 12, 9 / 18, 9 / 100, 0.001]
    np.testing.assert_allclose(EMA().step_weights(t), expected, rtol=1e-12)
    np.testing.assert_allclose(EMA(0.5).step_weights(t), [9 / 11, 0.75, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(EMA(0.0).step_weights(t), 1)
    assert EMA().epoch_weight(3, 10) is None


@pytest.mark.parametrize(
    ("averaging", "n_epochs", "expected"),
    [
        (SWA(), 8, [1, 1, 1, 1, 1, 1, 1, 1 / 2]),
        (SWA(), 1, [1]),
        (SWA(0.5), 8, [1, 1, 1, 1, 1, 1 / 2, 1 / 3, 1 / 4]),
        (SWA(0.5), 5, [1, 1, 1, 1 / 2, 1 / 3]),
        (SWA(0.0), 4, [1, 1 / 2, 1 / 3, 1 / 4]),
        (SWA(0.29), 100, [1] * 30 + [1 / 2, 1 / 3]),  # 0.29 * 100 is 28.999999999999996
    ],
)
def test_swa_weighs_the_last_epochs_alike(averaging, n_epochs, expected):
    weights = [averaging.epoch_weight(epoch, n_epochs) for epoch in range(len(expected))]

    assert weights == pytest.approx(expected, rel=1e-15)
    assert averaging.step_weights(np.arange(1, 4)) is None


@pytest.mark.parametrize("solver", ["sgd", "adam", "muon"])
@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_ema_is_the_average_of_the_iterates(solver, decay):
    # A single batch: each epoch has one step.
    average = start()
    for t, theta in enumerate(iterates(solver=solver, batch_size=N_SAMPLES), 1):
        d = min(decay, (1 + t) / (10 + t))
        average = d * average + (1 - d) * theta
    averaged = fit((4,), N_EPOCHS, solver=solver, batch_size=N_SAMPLES, weight_averaging=EMA(decay))

    np.testing.assert_allclose(vector_of(averaged), average, rtol=1e-12, atol=1e-14)


def test_ema_counts_the_steps_of_all_batches():
    # Gradient descent on a linear model, with three batches in each of two epochs.
    X, y, coefs, intercepts = make_data()
    theta = np.concatenate([coefs[0].ravel(), intercepts[0]])
    average, t = theta.copy(), 0
    for _ in range(2):
        for first in range(0, N_SAMPLES, BATCH_SIZE):
            x, target = X[first : first + BATCH_SIZE], y[first : first + BATCH_SIZE]
            error = (x @ theta[:6].reshape(3, 2) + theta[6:] - target) / len(x)
            theta = theta - 0.1 * np.concatenate([(x.T @ error).ravel(), error.sum(axis=0)])
            t += 1
            average += 9 / (10 + t) * (theta - average)
    plain = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1}
    averaged = fit((), 2, **plain, weight_averaging="ema")

    assert t == 6
    np.testing.assert_allclose(vector_of(averaged), average, rtol=1e-12)
    np.testing.assert_allclose(averaged._state.moments["iterate"], theta, rtol=1e-12)


@pytest.mark.parametrize("solver", ["sgd", "adam", "muon"])
def test_swa_is_the_mean_of_the_last_epochs(solver):
    expected = np.mean(iterates(solver=solver)[4:], axis=0)
    averaged = fit((4,), N_EPOCHS, solver=solver, weight_averaging=SWA(0.5))

    np.testing.assert_allclose(vector_of(averaged), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_swa_is_the_latest_until_it_begins():
    X, y, coefs, intercepts = make_data((4,))
    averaged = make_estimator(coefs, intercepts, 100, weight_averaging="swa")
    vectors = []
    for _ in range(N_EPOCHS):
        averaged.partial_fit(X, y)
        vectors.append(vector_of(averaged))

    np.testing.assert_allclose(vectors, iterates(), rtol=1e-13)


@pytest.mark.parametrize("name", AVERAGINGS)
def test_averages_go_on_from_call_to_call(name):
    X, y, coefs, intercepts = make_data((4,))
    stepwise = make_estimator(coefs, intercepts, N_EPOCHS, weight_averaging=name)
    for _ in range(N_EPOCHS):
        stepwise.partial_fit(X, y)

    at_once = fit((4,), N_EPOCHS, weight_averaging=name)
    np.testing.assert_allclose(vector_of(stepwise), vector_of(at_once), rtol=1e-12)


@pytest.mark.parametrize("averages", [[EMA(0.1), EMA(0.5), EMA(0.9)], [SWA(0.0), SWA(0.3), SWA()]])
def test_models_of_a_stack_have_averages_of_their_own(averages):
    def make(m):
        return make_problem(seed=m, averaging=averages[m])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        problems = [make(m) for m in range(3)]
        together = problems[0].solver.minimize(problems)
        alone = [solve(make(m)) for m in range(3)]

    for state, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(state.theta, single.theta, rtol=1e-12)
        assert np.abs(single.theta - single.moments["iterate"]).max() > 1e-4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("averaging", [EMA(0.9), SWA(0.5)])
def test_the_average_is_what_validation_sees(averaging):
    X, y, coefs, intercepts = make_data((4,))
    estimator = make_estimator(coefs, intercepts, N_EPOCHS, weight_averaging=averaging)
    estimator.fit(X, y, X_val=X, y_val=y)

    assert estimator.validation_scores_[-1] == pytest.approx(estimator.score(X, y), rel=1e-12)
    plain = make_estimator(coefs, intercepts, N_EPOCHS).fit(X, y, X_val=X, y_val=y)
    assert abs(plain.validation_scores_[-1] - estimator.validation_scores_[-1]) > 1e-3


def test_to_follow_costs_what_numpy_is_asked_for():
    average, theta, scratch = (counted(np.arange(8)) for _ in range(3))

    assert count(partial(follow, average, theta, np.array(0.1), scratch)) == FOLLOWING * 8
    assert FOLLOWING == 3  # a difference, its share, a sum
