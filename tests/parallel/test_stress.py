"""Many tasks of mixed kinds, with failures and nesting, give what they give one by one."""

import threading
import time

import joblib
import numpy as np
import pytest
from sklearn.linear_model import Ridge

import sknn

N_TASKS = 500
RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 3))
Y = X @ [1.0, -1.0, 0.5]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class TaskError(Exception):
    pass


def fit(seed, **parameters):
    rng = np.random.default_rng(seed)
    settings = {
        "hidden_layer_sizes": int(rng.integers(2, 5)),
        "learning_rate_init": 10.0 ** rng.uniform(-4, -1),
        "alpha": rng.random(),
        "activation": ["relu", "tanh"][rng.integers(2)],
        "max_iter": int(rng.integers(1, 5)),
        "random_state": seed,
    }
    return sknn.MLPRegressor(**(settings | parameters)).fit(X, Y).coefs_[0].sum()


def fails_before(seed):
    raise TaskError(seed)


def fails_in_fit(seed):
    return fit(seed, alpha=-1)


def fails_after(seed):
    raise TaskError(fit(seed))


def diverges(seed):
    return fit(seed, solver="sgd", learning_rate_init=1e200)


def nests(seed):
    return joblib.Parallel()(joblib.delayed(attempt)(kind, seed) for kind in KINDS[:6]), fit(seed)


def consumes_a_generator(seed):
    calls = (joblib.delayed(fit)(seed + i) for i in range(4))
    results = joblib.Parallel(return_as="generator")(calls)
    return [next(results), fit(seed), *results]


def fits_twice(seed):
    return fit(seed), fit(seed + 1)


def trains_by_lbfgs(seed):
    return fit(seed, solver="lbfgs")


def fits_something_else(seed):
    return Ridge(alpha=1 + seed).fit(X, Y).coef_.sum()


def sleeps(seed):
    time.sleep(0.001)
    return seed


KINDS = [
    fit,
    fails_before,
    fails_in_fit,
    fails_after,
    diverges,
    fits_twice,
    trains_by_lbfgs,
    fits_something_else,
    sleeps,
    consumes_a_generator,
    nests,
]


def attempt(kind, seed):
    """Return what a task returns, or the error that it raises, as text."""
    try:
        return kind(seed)
    except Exception as error:
        return type(error).__name__


def make_calls():
    rng = np.random.default_rng(1)
    kinds = rng.choice(len(KINDS), N_TASKS, p=[0.3, *[0.08] * 8, 0.04, 0.02])
    return [joblib.delayed(attempt)(KINDS[kind], seed) for seed, kind in enumerate(kinds)]


@pytest.fixture(scope="module")
def expected():
    return joblib.Parallel(n_jobs=1)(make_calls())


def flatten(results):
    for result in results:
        if isinstance(result, (list, tuple)):
            yield from flatten(result)
        else:
            yield result


def assert_same(results, expected):
    pairs = list(zip(flatten(results), flatten(expected), strict=True))
    for one, other in pairs:
        assert one == (other if isinstance(other, str) else pytest.approx(other, rel=1e-12))
    assert len({other for _, other in pairs if isinstance(other, str)}) == 3  # kinds of error


@pytest.mark.parametrize("memory", ["256MB", "20 kB"])
def test_mixed_tasks_give_what_they_give_one_by_one(expected, memory):
    n_threads = threading.active_count()
    with sknn.lockstep(memory=memory):
        results = joblib.Parallel()(make_calls())

    assert_same(results, expected)
    assert threading.active_count() == n_threads


def test_mixed_tasks_in_two_meetings(expected):
    with sknn.lockstep(n_jobs=2, backend="threading"):
        results = joblib.Parallel()(make_calls())

    assert_same(results, expected)
