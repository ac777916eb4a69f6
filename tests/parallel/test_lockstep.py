"""The meeting of fits: order, safety, errors, interruption."""

import contextvars
import gc
import itertools
import signal
import sys
import threading
import time
import warnings
import weakref

import joblib
import numpy as np
import pytest
import sklearn
from joblib.parallel import get_active_backend
from sklearn.exceptions import ConvergenceWarning

import sknn
from sknn import _crew
from sknn.activations import ReLU
from sknn.parallel import LockstepBackend, meeting
from sknn.parallel.tasks import Cancelled
from sknn.solvers import Stochastic
from sknn.solvers.stack import Stack
from tests.parallel.threads import needs_threads

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_network(**parameters):
    settings = {"hidden_layer_sizes": 4, "max_iter": 3, "random_state": 0}
    return sknn.MLPClassifier(**(settings | parameters))


def fit(rate=0.001, **parameters):
    return make_network(learning_rate_init=rate, **parameters).fit(X, Y)


def weights(network):
    return network.coefs_[0]


def run(function, arguments, **options):
    """Run a function over arguments as joblib tasks."""
    return joblib.Parallel(**options)(joblib.delayed(function)(a) for a in arguments)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    until = time.monotonic() + 600
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before


# The context.


def test_leaving_the_context_restores_joblib():
    before = type(get_active_backend()[0])
    with sknn.lockstep():
        assert isinstance(get_active_backend()[0], LockstepBackend)
        assert joblib.effective_n_jobs() == joblib.effective_n_jobs(3) == 64
    assert type(get_active_backend()[0]) is before
    with pytest.raises(KeyError), sknn.lockstep():
        raise KeyError
    assert type(get_active_backend()[0]) is before


def test_joblib_knows_the_backend_by_name(stack_sizes):
    with joblib.parallel_config(backend="lockstep", memory="1 MB"):
        run(fit, [0.1, 0.2])
    run(fit, [0.1, 0.2, 0.3], backend="lockstep")

    assert stack_sizes == [2, 3]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"memory": "a lot"}, "'memory' parameter of lockstep must be.*Got 'a lot'"),
        ({"memory": "12 XB"}, "'memory' parameter.*Got '12 XB'"),
        ({"memory": 0}, "'memory' parameter.*Got 0"),
        ({"memory": True}, "'memory' parameter.*Got True"),
        ({"memory": None}, "'memory' parameter.*Got None"),
        ({"n_jobs": 0}, "'n_jobs' parameter of lockstep must be.*Got 0"),
        ({"n_jobs": 1.5}, "'n_jobs' parameter.*Got 1.5"),
        ({"n_jobs": "two"}, "'n_jobs' parameter.*Got 'two'"),
        ({"backend": "telepathy"}, "Invalid backend: telepathy, expected one of"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message), sknn.lockstep(**parameters):
        pass


@pytest.mark.parametrize(
    ("memory", "n_bytes"),
    [("256MB", 256e6), ("1GiB", 2**30), ("10 k", 10e3), ("1.5 MB", 1.5e6), (77, 77), ("8B", 8)],
)
def test_memory_is_a_number_or_a_text(memory, n_bytes):
    assert LockstepBackend(memory)._memory == n_bytes


def test_no_job_is_refused_as_by_joblib():
    with sknn.lockstep(), pytest.raises(ValueError, match="n_jobs == 0 in Parallel"):
        run(abs, [1], n_jobs=0)


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


def test_fits_outside_of_parallel_calls_are_not_held_back(stack_sizes):
    with sknn.lockstep():
        fit()

    assert stack_sizes == [1]


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


def test_an_activation_that_cannot_be_compared_trains_alone(stack_sizes):
    class Knots(ReLU):
        def __init__(self, knots):
            self.knots = knots

    with sknn.lockstep():
        run(lambda i: fit(activation=Knots(([1, i],))), range(2))
        run(lambda i: fit(activation=ReLU()), range(2))

    assert stack_sizes == [1, 1, 2]


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


# What a task sees.


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


def test_an_error_keeps_its_traceback():
    def task(i):
        raise_deep_inside()

    def raise_deep_inside():
        raise ZeroDivisionError

    with sknn.lockstep(), pytest.raises(ZeroDivisionError) as error:
        run(task, range(2))

    assert "raise_deep_inside" in [entry.name for entry in error.traceback]


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


def test_an_error_of_the_iterable_is_raised():
    def arguments():
        yield from range(150)
        raise OSError("no more")

    with sknn.lockstep(), pytest.raises(OSError, match="no more"):
        run(fit_and_forget, arguments())


def fit_and_forget(i):
    fit()


# Generators and dispatch.


def test_generators_are_lazy_and_may_live_at_the_same_time():
    begun = []

    def task(i):
        begun.append(i)
        fit()
        return i

    with sknn.lockstep():
        endless = run(task, itertools.count(), return_as="generator", pre_dispatch=3)
        finite = run(task, range(100, 105), return_as="generator")
        assert list(itertools.islice(endless, 4)) == [0, 1, 2, 3]
        assert list(itertools.islice(finite, 2)) == [100, 101]
        assert next(endless) == 4
        assert list(finite) == [102, 103, 104]
        assert max(i for i in begun if i < 100) < 20
        with pytest.warns(UserWarning, match="have been cancelled|but not used"):
            del endless


needs_unordered = pytest.mark.skipif(
    not hasattr(joblib.Parallel(), "return_ordered"), reason="joblib has it since 1.4"
)


@needs_unordered
def test_an_unordered_generator_gives_all_results():
    with sknn.lockstep():
        results = run(lambda i: fit() and i, range(150), return_as="generator_unordered")
        assert sorted(results) == list(range(150))


@needs_unordered
def test_an_unordered_generator_raises_an_error():
    def task(i):
        fit()
        if i == 2:
            raise KeyError(i)

    with sknn.lockstep(), pytest.raises(KeyError):
        list(run(task, range(5), return_as="generator_unordered"))


@pytest.mark.parametrize("pre_dispatch", ["all", 1, 7, "2*n_jobs"])
@pytest.mark.parametrize("batch_size", ["auto", 5])
def test_results_do_not_depend_on_dispatch(pre_dispatch, batch_size):
    def task(i):
        fit() if i % 3 else None
        return i

    with sknn.lockstep():
        options = {"pre_dispatch": pre_dispatch, "batch_size": batch_size}
        assert run(task, range(140), **options) == list(range(140))


def test_a_parallel_object_can_be_called_again():
    with sknn.lockstep(), joblib.Parallel() as parallel:
        for n in (3, 150):
            assert parallel(joblib.delayed(abs)(i) for i in range(n)) == list(range(n))
        with pytest.raises(TypeError):
            parallel(joblib.delayed(abs)(i) for i in [1, "x"])
        assert parallel(joblib.delayed(abs)(i) for i in range(3)) == [0, 1, 2]


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


# Ctrl-C.


class Log(list):
    """What tasks have gone through, as they unwind."""

    def task(self, i):
        try:
            fit()
            self.append(("returned", i))
        except Exception:
            self.append(("exception", i))
        except Cancelled:
            self.append(("cancelled", i))
            raise
        finally:
            self.append(("finally", i))


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
def test_ctrl_c_reaches_a_task_that_runs():
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
def test_ctrl_c_reaches_a_task_of_an_inner_call():
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
