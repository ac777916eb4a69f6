"""The meeting of fits: order, stacks, errors, and tasks that hold each other up."""

import threading
import time

import joblib
import numpy as np
import pytest

import sknn
from sknn import _crew
from sknn.activations import ReLU
from sknn.parallel import meeting
from sknn.solvers import Stochastic
from sknn.solvers.stack import Stack
from tests.parallel.fits import X, Y, fit, make_network, run, weights
from tests.parallel.threads import needs_threads

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("no_thread_is_left"),
]


# How the fits meet.


def test_all_fits_of_a_call_train_as_one_stack(stack_sizes):
    alone = [fit(rate) for rate in (0.001, 0.01, 0.1)]
    stack_sizes.clear()
    with sknn.lockstep():
        together = run(fit, [0.001, 0.01, 0.1])

    assert stack_sizes == [3]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(weights(one), weights(other), rtol=1e-12)


@needs_threads
def test_tasks_run_one_at_a_time_and_in_order():
    log, running = [], []

    def task(i):
        for stage in ("before", "after"):
            running.append(i)
            log.append((stage, i))
            time.sleep(0.001)
            assert running.pop() == i
            assert not running
            fit() if stage == "before" else None

    with sknn.lockstep():
        run(task, range(5))

    assert log == [(stage, i) for stage in ("before", "after") for i in range(5)]


@needs_threads
def test_problems_of_another_structure_make_another_stack(stack_sizes):
    sizes = [3, 4, 3, 4, 4]
    with sknn.lockstep():
        run(lambda n: fit(hidden_layer_sizes=n), sizes)

    assert sorted(stack_sizes) == [2, 3]


def test_samples_whose_numbers_differ_a_little_share_a_stack(stack_sizes):
    def fit_rows(n):
        return make_network(batch_size=8).fit(X[:n], Y[:n])

    alone = [fit_rows(n) for n in (34, 36, 32, 34)]
    stack_sizes.clear()
    with sknn.lockstep():
        together = run(fit_rows, (34, 36, 32, 34))

    assert stack_sizes == [4]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(weights(one), weights(other), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-12)
        assert one.t_ == other.t_


def test_lbfgs_sparse_x_and_partial_fit_train_alone(stack_sizes):
    from scipy.sparse import csr_matrix

    with sknn.lockstep():
        run(lambda rate: make_network().fit(csr_matrix(X), Y), range(2))
        run(lambda rate: make_network().partial_fit(X, Y, classes=[0, 1]), range(2))
        run(lambda rate: make_network(solver="lbfgs").fit(X, Y), range(2))

    assert stack_sizes == [1, 1, 1, 1]


def test_large_networks_train_alone_in_the_calling_thread(stack_sizes, monkeypatch):
    monkeypatch.setattr(_crew, "MIN_WORK", 0)
    places = []
    minimize = Stochastic.minimize

    def note(self, problems):
        places.append(threading.current_thread())
        return minimize(self, problems)

    monkeypatch.setattr(Stochastic, "minimize", note)
    with sknn.lockstep():
        results = run(fit, [0.001, 0.01, 0.1, 0.2])

    assert places == [threading.current_thread()] * 4
    assert stack_sizes == [1] * 4
    np.testing.assert_array_equal(weights(results[3]), weights(fit(0.2)))


def test_the_memory_limit_bounds_the_stacks(stack_sizes):
    with sknn.lockstep(memory=1):
        run(fit, [0.1] * 4)
    assert stack_sizes == [1] * 4

    stack_sizes.clear()
    many = np.tile(X, (20, 1))
    with sknn.lockstep(memory=2.5 * many.nbytes):
        run(lambda i: make_network(batch_size=4).fit(many, np.tile(Y, 20)), range(6))
    assert stack_sizes == [3, 3]


def test_a_limit_to_the_number_of_waiting_tasks(stack_sizes, monkeypatch):
    monkeypatch.setattr(meeting, "MAX_SUSPENDED", 4)
    with sknn.lockstep():
        run(fit, [0.1] * 10)

    assert stack_sizes == [4, 4, 2]


def test_several_fits_in_a_task_meet_again(stack_sizes):
    with sknn.lockstep():
        run(lambda i: [fit(0.1), fit(0.2)], range(3))

    assert stack_sizes == [3, 3]


def test_an_inner_parallel_call_meets_by_itself(stack_sizes):
    def outer(i):
        inner = run(fit, [0.1, 0.2, 0.3])
        return inner, fit(0.4)

    with sknn.lockstep():
        results = run(outer, range(2))

    assert stack_sizes == [3, 3, 2]
    np.testing.assert_allclose(weights(results[0][1]), weights(fit(0.4)), rtol=1e-12)


def test_a_random_state_that_is_given_ends_where_it_would_alone():
    def draws_after(context):
        states = [np.random.RandomState(3) for _ in range(3)]
        with context:
            run(lambda i: fit(max_iter=2 + i, random_state=states[i]), range(3))
        return [state.randint(1000) for state in states]

    assert draws_after(sknn.lockstep()) == draws_after(joblib.parallel_config(n_jobs=1))


def test_a_later_fit_draws_on_from_where_its_own_has_ended():
    def train(context):
        states = [np.random.RandomState(seed) for seed in range(4)]
        with context:
            return run(
                lambda i: [fit(max_iter=2 + 3 * i, random_state=states[i]) for _ in range(2)],
                range(4),
            )

    pairs = zip(train(sknn.lockstep()), train(joblib.parallel_config(n_jobs=1)), strict=True)
    for inside, outside in pairs:
        np.testing.assert_allclose(weights(inside[1]), weights(outside[1]), rtol=1e-12)


def test_models_that_share_a_random_state_take_turns():
    def train(seed):
        state = np.random.RandomState(seed)
        with sknn.lockstep():
            return run(lambda i: fit(random_state=state), range(3))

    one, other = train(0), train(0)

    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(weights(a), weights(b))
    assert not np.allclose(weights(one[0]), weights(one[1]))


def test_an_activation_that_cannot_be_compared_trains_alone(stack_sizes):
    class Knots(ReLU):
        def __init__(self, knots):
            self.knots = knots

    with sknn.lockstep():
        run(lambda i: fit(activation=Knots(([1, i],))), range(2))
        run(lambda i: fit(activation=ReLU()), range(2))

    assert stack_sizes == [1, 1, 2]


# Errors.


@pytest.mark.parametrize("return_as", ["list", "generator"])
def test_the_first_error_in_order_is_raised(return_as):
    def task(i):
        if i == 2:
            raise KeyError(i)
        fit()
        if i == 1:
            raise OSError(i)
        return i

    done = []
    with sknn.lockstep(), pytest.raises(OSError, match="1"):
        done.extend(run(task, range(400), return_as=return_as))

    assert done == ([0] if return_as == "generator" else [])


def test_after_a_failure_no_further_task_begins():
    begun = []

    def task(i):
        begun.append(i)
        if i == 3:
            raise KeyError(i)
        fit()

    with sknn.lockstep(), pytest.raises(KeyError):
        run(task, range(400))

    assert begun == [0, 1, 2, 3]


def test_divergence_raises_in_its_own_task_alone(stack_sizes):
    def task(rate):
        try:
            return fit(rate, solver="sgd", alpha=1.0).n_iter_
        except ValueError as error:
            return str(error)

    with sknn.lockstep():
        results = run(task, [0.01, 1e200, 0.02])

    assert stack_sizes == [3]
    assert results[0] == results[2] == 3
    assert "Training diverged" in results[1]


def test_a_first_validation_that_fails_harms_no_neighbour():
    def fail(estimator, X, y):
        raise ZeroDivisionError

    def task(scoring):
        options = {"early_stopping": True, "warm_start": True, "max_iter": 3}
        network = make_network(**options).fit(X, Y)
        try:
            return network.set_params(scoring=scoring).fit(X, Y).n_iter_
        except ZeroDivisionError:
            return "failed"

    with sknn.lockstep():
        results = run(task, [None, fail, None])

    assert results == [3, "failed", 3]


def test_an_error_of_the_whole_stack_reaches_all_of_its_tasks(monkeypatch):
    def fail(*arguments):
        raise MemoryError("too large")

    def task(i):
        try:
            fit()
        except MemoryError as error:
            return str(error)

    monkeypatch.setattr(Stack, "__init__", fail)
    with sknn.lockstep():
        assert run(task, range(3)) == ["too large"] * 3


def fit_and_forget(i):
    fit()


needs_unordered = pytest.mark.skipif(
    not hasattr(joblib.Parallel(), "return_ordered"), reason="joblib has it since 1.4"
)


# Tasks that hold each other up.


def test_a_task_that_waits_for_a_suspended_one_does_not_hang(monkeypatch):
    monkeypatch.setattr(meeting, "PATIENCE", 0.2)
    lock = threading.Lock()

    def task(i):
        with lock:
            return fit().n_iter_

    with sknn.lockstep():
        assert run(task, range(3)) == [3, 3, 3]


@needs_threads
def test_a_task_that_computes_for_long_is_waited_for(monkeypatch):
    monkeypatch.setattr(meeting, "PATIENCE", 0.1)
    monkeypatch.setattr(meeting, "BUSY", 1e-4)  # others may have most of the cores
    log = []

    def task(i):
        fit() if i == 0 else None
        log.append(("begins", i))
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            pass
        log.append(("ends", i))

    with sknn.lockstep():
        run(task, range(2))

    assert log == [("begins", 1), ("ends", 1), ("begins", 0), ("ends", 0)]
