"""Lockstep meets the operating system: children, threads, memory."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.parallel.tasks import find_trouble
from sknn.solvers import stochastic
from tests.parallel import forks
from tests.parallel.test_equality import assert_equal
from tests.parallel.threads import needs_threads, refuse_threads

X = np.random.default_rng(0).standard_normal((60, 3))
Y = (X[:, 0] > 0).astype(int)
RATES = [0.001, 0.003, 0.01, 0.03, 0.1]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_network(**parameters):
    settings = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    return sknn.MLPClassifier(**(settings | parameters))


def fit(rate=0.001):
    return make_network(learning_rate_init=rate).fit(X, Y)


def run(function, arguments):
    return joblib.Parallel()(joblib.delayed(function)(a) for a in arguments)


def make_search(**options):
    grid = {"learning_rate_init": RATES}
    return GridSearchCV(make_network(), grid, cv=KFold(2), **options)


def search_inside(search, *data):
    with sknn.lockstep():
        return search.fit(*data)


def assert_same_search(found, expected):
    for key, values in expected.cv_results_.items():
        if "time" not in key:
            np.testing.assert_array_equal(found.cv_results_[key], values)
    assert not np.isnan(found.cv_results_["mean_test_score"]).any()


# Children.

PATIENCE = 100
"""Seconds until a child that should need 5 is taken to hang."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.parametrize("kind", forks.KINDS)
def test_a_fit_that_forks_gives_what_it_gives_outside(kind):
    command = [sys.executable, "-m", "tests.parallel.forks", kind]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        printed, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its children as well
        process.communicate()
        pytest.fail("hangs")

    inside, outside = printed.splitlines()
    assert process.returncode == 0
    assert inside == outside


# Threads that cannot be started.


def refuse_starts(monkeypatch, is_refused):
    """Refuse a task its thread at those attempts to start one for which a function says so."""
    start, attempts = threading.Thread.start, []

    def start_or_refuse(thread):
        if thread.name == "sknn task":
            attempts.append(thread)
            if is_refused(len(attempts)):
                raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)


def test_without_threads_a_search_gives_the_same_answers(monkeypatch, stack_sizes):
    expected = make_search().fit(X, Y)
    stack_sizes.clear()
    refuse_threads(monkeypatch)

    assert_same_search(search_inside(make_search(), X, Y), expected)
    assert list(stack_sizes) == [1] * 11


@needs_threads
def test_where_threads_run_out_those_that_wait_are_trained(monkeypatch, stack_sizes):
    expected = make_search(refit=False).fit(X, Y)
    stack_sizes.clear()
    refuse_starts(monkeypatch, lambda attempt: attempt % 4 == 0)

    assert_same_search(search_inside(make_search(refit=False), X, Y), expected)
    assert stack_sizes == [3, 3, 3, 1]


@needs_threads
def test_tasks_that_fit_again_keep_their_threads_until_they_end(monkeypatch, stack_sizes):
    refuse_starts(monkeypatch, lambda attempt: attempt % 4 == 0)
    with sknn.lockstep():
        results = run(lambda rate: [fit(rate), fit(2 * rate)], RATES)

    assert stack_sizes == [3, 3, 2, 2]
    for rate, networks in zip(RATES, results, strict=True):
        for network, expected in zip(networks, [fit(rate), fit(2 * rate)], strict=True):
            np.testing.assert_allclose(network.coefs_[0], expected.coefs_[0], rtol=1e-12)


@needs_threads
def test_a_task_runs_in_the_calling_thread_if_nobody_waits(monkeypatch, stack_sizes):
    refuse_starts(monkeypatch, lambda attempt: attempt == 1)
    with sknn.lockstep():
        threads = run(lambda i: fit() and threading.current_thread(), range(4))

    assert stack_sizes == [1, 3]
    assert [thread is threading.main_thread() for thread in threads] == [True] + [False] * 3


@needs_threads
def test_an_inner_call_without_threads_trains_in_the_task_around(monkeypatch, stack_sizes):
    refuse_starts(monkeypatch, lambda attempt: attempt > 1)
    with sknn.lockstep():
        results = run(lambda i: run(fit, RATES), [0])

    assert list(stack_sizes) == [1] * len(RATES)
    for network, rate in zip(results[0], RATES, strict=True):
        np.testing.assert_allclose(network.coefs_[0], fit(rate).coefs_[0], rtol=1e-12)


def test_an_error_without_threads_is_raised_in_its_own_task(monkeypatch):
    refuse_threads(monkeypatch)

    def task(i):
        fit()
        if i == 2:
            raise KeyError(i)
        return i

    with sknn.lockstep(), pytest.raises(KeyError):
        run(task, range(4))


# Memory that cannot be had.


def limit_stacks(monkeypatch, is_too_large):
    """Let the arrays of a stack not be allocated if a function of its models says so."""
    sizes, make = [], stochastic.Stack

    def make_or_fail(models, crew):
        if is_too_large(models):
            raise MemoryError("no room")
        sizes.append(len(models))
        return make(models, crew)

    monkeypatch.setattr(stochastic, "Stack", make_or_fail)
    return sizes


@needs_threads
def test_a_stack_that_cannot_be_allocated_is_halved(monkeypatch):
    expected = make_search(refit=False).fit(X, Y)
    sizes = limit_stacks(monkeypatch, lambda models: len(models) > 3)

    assert_same_search(search_inside(make_search(refit=False), X, Y), expected)
    assert sorted(sizes) == [2, 2, 3, 3]


def test_a_model_that_cannot_be_allocated_fails_in_its_own_task_alone(monkeypatch):
    expected = [fit(rate) for rate in RATES]

    def has_third(models):
        return any(model.problem.solver.learning_rate == RATES[2] for model in models)

    limit_stacks(monkeypatch, has_third)

    def task(rate):
        try:
            return fit(rate)
        except MemoryError as error:
            return str(error)

    with sknn.lockstep():
        found = run(task, RATES)

    assert found.pop(2) == "no room"
    for one, other in zip(found, expected[:2] + expected[3:], strict=True):
        np.testing.assert_allclose(one.coefs_[0], other.coefs_[0], rtol=1e-12)


# Code that belongs to the caller's thread.

LOCAL = threading.local()
"""What some of the transformers have in the thread that made it only."""


class OfItsThread(TransformerMixin, BaseEstimator):
    """Scales by a number that it can find out in the caller's thread only."""

    def __init__(self, kind="local"):
        self.kind = kind

    def fit(self, X, y=None):
        if self.kind == "signal":
            signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
            self.scale_ = 2.0
        elif self.kind == "sqlite":
            [[self.scale_]] = OfItsThread.connection.execute("select scale from scales")
        else:
            self.scale_ = LOCAL.scale
        return self

    def transform(self, X):
        return X * self.scale_


TROUBLES = {
    "signal": "ValueError: signal only works in main thread",
    "sqlite": "sqlite3.ProgrammingError: SQLite objects created in a thread",
    "local": r"AttributeError: '_thread._local' object has no attribute 'scale'",
}


@pytest.fixture(autouse=True)
def of_this_thread(monkeypatch):
    connection = sqlite3.connect(":memory:")
    connection.execute("create table scales as select 2.0 as scale")
    monkeypatch.setattr(OfItsThread, "connection", connection, raising=False)
    monkeypatch.setattr(LOCAL, "scale", 2.0, raising=False)
    yield
    connection.close()


def make_pipeline_search(kind, **options):
    model = make_pipeline(OfItsThread(kind), make_network())
    return GridSearchCV(model, {"mlpclassifier__learning_rate_init": RATES}, cv=3, **options)


@needs_threads
@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize("kind", TROUBLES)
def test_a_transformer_that_fails_in_a_thread_runs_in_the_callers(kind, error_score, stack_sizes):
    expected = make_pipeline_search(kind, error_score=error_score).fit(X, Y)
    stack_sizes.clear()
    message = rf"thread of its own, 'sknn task' \({TROUBLES[kind]}"
    with pytest.warns(UserWarning, match=message) as caught:
        found = search_inside(make_pipeline_search(kind, error_score=error_score), X, Y)

    texts = [str(item.message) for item in caught if item.category is UserWarning]
    assert len(texts) == 1
    assert "thread that waits for it, 'MainThread'" in texts[0]
    assert "Their networks are trained one by one" in texts[0]
    assert list(stack_sizes) == [1] * 16
    assert_same_search(found, expected)


@needs_threads
def test_an_error_that_is_raised_is_recognised_as_well():
    model = make_pipeline(OfItsThread("signal"), make_network())
    expected = cross_val_predict(model, X, Y, cv=3)
    with sknn.lockstep(), pytest.warns(UserWarning, match="a thread of its own"):
        found = cross_val_predict(model, X, Y, cv=3)

    assert_equal(found, expected)


@needs_threads
def test_those_that_wait_are_trained_before_a_task_runs_again(stack_sizes):
    log = []

    def task(i):
        log.append((i, threading.current_thread().name))
        if i == 3:
            OfItsThread("local").fit(X)
        fit()

    with sknn.lockstep(), pytest.warns(UserWarning, match="a thread of its own"):
        run(task, range(6))

    assert stack_sizes == [3, 1, 1, 1]
    assert log[:4] == [(i, "sknn task") for i in range(4)]
    assert log[4:] == [(i, "MainThread") for i in range(3, 6)]


@needs_threads
def test_a_task_that_fails_after_its_fit_runs_again_from_its_beginning(stack_sizes):
    variable = threading.local()
    variable.n_attempts = 0

    def task(i):
        network = fit(RATES[i])
        if i == 0:
            variable.n_attempts += 1
        return network.coefs_[0]

    with sknn.lockstep(), pytest.warns(UserWarning, match="a thread of its own"):
        found = run(task, range(3))

    assert variable.n_attempts == 1
    assert stack_sizes == [3, 1]
    for i in range(3):
        np.testing.assert_allclose(found[i], fit(RATES[i]).coefs_[0], rtol=1e-12)


@needs_threads
@pytest.mark.parametrize("n_failures", [1, 2])
def test_a_candidate_of_an_inner_search_runs_in_the_callers_thread(n_failures, stack_sizes):
    steps = [StandardScaler(), *map(OfItsThread, ["signal", "local"][:n_failures])]
    search = GridSearchCV(
        make_pipeline(StandardScaler(), make_network()), {"standardscaler": steps}, cv=2
    )
    expected = cross_val_score(search, X, Y, cv=2)
    with sknn.lockstep(), pytest.warns(UserWarning, match="a thread of its own") as caught:
        found = cross_val_score(search, X, Y, cv=2)

    assert FitFailedWarning not in {item.category for item in caught}
    np.testing.assert_array_equal(found, expected)


@needs_threads
def test_what_fails_in_the_callers_thread_too_fails_as_outside():
    attempts = []

    def task(i):
        attempts.append(threading.current_thread().name)
        raise ValueError("signal only works in main thread")

    with sknn.lockstep(), pytest.warns(UserWarning, match="a thread of its own"):  # noqa: SIM117
        with pytest.raises(ValueError, match="signal"):
            run(task, range(3))

    assert attempts == ["sknn task", "MainThread"]


def test_other_errors_are_not_tried_again():
    attempts = []

    def task(i):
        attempts.append(i)
        raise ValueError("no luck")

    with sknn.lockstep(), pytest.raises(ValueError, match="no luck"):
        run(task, range(3))

    assert attempts == [0]


SQLITE = "SQLite objects created in a thread can only be used in that same thread."


@pytest.mark.parametrize(
    ("error", "is_of_thread"),
    [
        (ValueError("signal only works in main thread of the main interpreter"), True),
        (ValueError("set_wakeup_fd only works in main thread of the main interpreter"), True),
        (sqlite3.ProgrammingError(SQLITE), True),
        (AttributeError("'_thread._local' object has no attribute 'x'"), True),
        (AttributeError("'Connection' object has no attribute 'x'"), False),
        (RuntimeError("There is no current event loop in thread 'sknn task'."), True),
        (RuntimeError("main thread is not in main loop"), True),
        (RuntimeError("can't start new thread"), False),
        (KeyboardInterrupt(), False),
        (None, False),
    ],
)
def test_errors_that_belong_to_threads_are_recognised(error, is_of_thread):
    assert bool(find_trouble(None, error)) == is_of_thread
    text = f"Traceback (most recent call last):\n  ...\n{type(error).__name__}: {error}\n"
    results = [{"fit_error": None}, {"fit_error": text}, "no dict"]
    assert find_trouble(results, None) == (text.splitlines()[-1] if is_of_thread else "")
