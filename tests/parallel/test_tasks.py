"""A task: what it sees, its warnings and its errors, and how Ctrl-C ends it."""

import contextvars
import gc
import signal
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest
import sklearn
from sklearn.exceptions import ConvergenceWarning

import sknn
from sknn.parallel import tasks
from sknn.parallel.tasks import Cancelled, Task
from sknn.solvers.stack import Stack
from tests.parallel.fits import Log, X, Y, fit, make_network, run
from tests.parallel.threads import needs_threads

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("no_thread_is_left"),
]


# What a task sees.


def test_a_fit_in_a_thread_of_the_tasks_own_does_not_meet(stack_sizes):
    def task(i):
        context = contextvars.copy_context()
        results = []
        thread = threading.Thread(target=context.run, args=(lambda: results.append(fit()),))
        thread.start()
        thread.join()
        return results[0].n_iter_, fit().n_iter_

    with sknn.lockstep():
        assert run(task, range(3)) == [(3, 3)] * 3

    assert stack_sizes == [1, 1, 1, 3]


def test_data_are_let_go_of_without_the_garbage_collector():
    samples = [X.copy() for _ in range(3)]
    alive = [weakref.ref(array) for array in samples]

    def train(i):
        make_network().fit(samples[i], Y)

    gc.disable()
    try:
        with sknn.lockstep():
            run(train, range(3))
        samples.clear()
        assert [ref() for ref in alive] == [None] * 3
    finally:
        gc.enable()


def test_a_task_sees_what_the_caller_has_set():
    variable = contextvars.ContextVar("variable", default=0)
    variable.set(7)

    def look(i):
        fit()
        return (
            variable.get(),
            sklearn.get_config()["assume_finite"],
            np.geterr()["under"],
            any("marked" in str(f[1]) for f in warnings.filters),
        )

    with (
        sknn.lockstep(),
        sklearn.config_context(assume_finite=True),
        np.errstate(under="print"),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="marked")
        assert run(look, range(3)) == [(7, True, "print", True)] * 3


def test_the_callers_warning_filters_are_unchanged_afterwards():
    def task(i):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if i % 2 else "default", ImportWarning)
            mine = warnings.filters[0]
            fit()
            assert warnings.filters[0] == mine

    filters, content = warnings.filters, list(warnings.filters)
    with sknn.lockstep():
        run(task, range(6))

    assert warnings.filters is filters
    assert warnings.filters == content


def test_each_task_gets_its_own_warnings():
    def task(i):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit(max_iter=2 + i)
        return [str(w.message) for w in caught if w.category is ConvergenceWarning]

    with sknn.lockstep():
        results = run(task, range(3))

    assert [len(messages) for messages in results] == [1, 1, 1]
    assert all(f"({2 + i})" in messages[0] for i, messages in enumerate(results))


def test_a_warning_that_is_an_error_fails_its_own_task_alone():
    def task(i):
        with warnings.catch_warnings():
            warnings.simplefilter("error" if i == 1 else "ignore", ConvergenceWarning)
            try:
                return fit().n_iter_
            except ConvergenceWarning:
                return "raised"

    with sknn.lockstep():
        assert run(task, range(3)) == [3, "raised", 3]


def test_verbose_networks_print_as_outside(capsys):
    outside = fit(verbose=True) and capsys.readouterr().out
    with sknn.lockstep():
        run(lambda i: fit(verbose=i == 1), range(3))

    assert capsys.readouterr().out == outside != ""


def test_an_error_keeps_its_traceback():
    def task(i):
        raise_deep_inside()

    def raise_deep_inside():
        raise ZeroDivisionError

    with sknn.lockstep(), pytest.raises(ZeroDivisionError) as error:
        run(task, range(2))

    assert "raise_deep_inside" in [entry.name for entry in error.traceback]


# Ctrl-C.


@needs_threads
def test_ctrl_c_stops_the_training_and_cancels_the_tasks(monkeypatch):
    def press_ctrl_c(self):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Stack, "run_epoch", press_ctrl_c)
    log = Log()
    with sknn.lockstep(), pytest.raises(KeyboardInterrupt):
        run(log.task, range(4))

    assert log == [(word, i) for i in range(4) for word in ("cancelled", "finally")]


@needs_threads
def test_ctrl_c_reaches_a_task_that_runs(monkeypatch):
    monkeypatch.setattr(tasks, "GRACE", 0.2)
    log = Log()

    def task(i):
        if i < 2:
            return log.task(i)
        signal.raise_signal(signal.SIGINT)
        try:
            while True:
                time.sleep(0.01)
        finally:
            log.append(("unwound", i))

    with sknn.lockstep(), pytest.raises(KeyboardInterrupt):
        run(task, range(4))

    assert log == [("unwound", 2)] + [(w, i) for i in range(2) for w in ("cancelled", "finally")]


@needs_threads
def test_ctrl_c_reaches_a_task_of_an_inner_call(monkeypatch):
    monkeypatch.setattr(tasks, "GRACE", 0.2)
    log = []

    def inner(i):
        fit()
        if i == 1:
            signal.raise_signal(signal.SIGINT)
            try:
                while True:
                    time.sleep(0.01)
            finally:
                log.append("inner")

    def outer(i):
        try:
            run(inner, range(3))
        except Exception:
            log.append("swallowed")
        finally:
            log.append("outer")

    with sknn.lockstep(), pytest.raises(KeyboardInterrupt):
        run(outer, range(2))

    assert log == ["inner", "outer"]


def test_ctrl_c_at_any_moment_leaves_nothing_behind():
    calls, target = 0, None
    filters = list(warnings.filters)

    def interrupt(frame, event, argument):
        """Raise where the interpreter looks for signals: as a function of the meeting begins."""
        nonlocal calls
        if "parallel" in frame.f_code.co_filename and "sknn" in frame.f_code.co_filename:
            calls += 1
            if calls == target:
                sys.settrace(None)
                raise KeyboardInterrupt

    def train():
        sys.settrace(interrupt)
        try:
            with sknn.lockstep():
                run(fit, [0.1, 0.2])
        finally:
            sys.settrace(None)

    train()
    n_calls, n_threads = calls, threading.active_count()
    assert n_calls > 30
    for k in range(1, n_calls + 1):
        calls, target = 0, k
        with pytest.raises(KeyboardInterrupt):
            train()
        assert threading.active_count() <= n_threads
        assert warnings.filters == filters


@needs_threads
def test_a_cancelled_task_that_goes_on_is_cancelled_again(monkeypatch):
    def press_ctrl_c(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "run_epoch", press_ctrl_c)
    attempts = []

    def stubborn(i):
        for _ in range(3):
            try:
                fit()
            except BaseException as error:
                attempts.append(type(error))

    with sknn.lockstep(), pytest.raises(KeyboardInterrupt):
        run(stubborn, [0])

    assert attempts == [Cancelled] * 3


@needs_threads
@pytest.mark.parametrize("is_thrown_into", [False, True])
def test_a_task_that_ends_as_it_is_cancelled_ends_in_silence(monkeypatch, is_thrown_into):
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)

    class Late:
        """Throws when the thread can no longer do anything about it."""

        def __init__(self, lock):
            self.lock = lock

        def release(self):
            task.throw_into()
            self.lock.release()

        def acquire(self, timeout):
            return self.lock.acquire(timeout=timeout)

    def call():
        if is_thrown_into:
            task.throw_into()

    task = Task(call, lambda task: None)
    task._pause = Late(task._pause)
    assert task.start()
    assert task.wait(60)
    task._thread.join()
    assert task.has_ended
    assert not said


@needs_threads
def test_a_task_that_loses_what_is_thrown_is_thrown_into_again(monkeypatch):
    monkeypatch.setattr(tasks, "GRACE", 0.05)
    monkeypatch.setattr(tasks, "AGAIN", 0.05)
    caught, begun = [], threading.Event()

    def call():
        begun.set()
        while len(caught) < 3:
            try:
                while True:
                    time.sleep(0.001)
            except Cancelled:
                caught.append("lost")

    task = Task(call, lambda task: None)
    assert task.start()
    assert begun.wait(60)
    task.cancel()
    assert caught == ["lost"] * 3
