"""BLAS has one thread while networks compute, and its own number afterwards."""

import os
import threading
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn._blas import ONE_BLAS_THREAD, BlasLimit, find_pool
from sknn._crew import Crew
from sknn.activations import ReLU

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blas_threads():
    """Return the number of threads of each copy of BLAS."""
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def two_threads():
    """Whatever the machine has: BLAS begins with two threads, and has them again at the end."""
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        yield before
        assert blas_threads() == before


class Watching(ReLU):
    """An activation that notes how many threads BLAS has while it is computed."""

    seen: list = []  # noqa: RUF012

    def forward(self, z, slope, room, *constants):
        self.seen.append(max(blas_threads()))
        super().forward(z, slope, room, *constants)

    def apply(self, z):
        self.seen.append(max(blas_threads()))
        super().apply(z)


@pytest.fixture
def seen():
    Watching.seen.clear()
    return Watching.seen


X = np.random.default_rng(0).standard_normal((400, 60))
Y = (X[:, 0] > 0).astype(int)
SMALL = {"max_iter": 2, "activation": Watching(), "random_state": 0}


def fit_classifier():
    return MLPClassifier((20,), **SMALL).fit(X, Y)


DOINGS = {
    "fit": fit_classifier,
    "fit of a regressor": lambda: MLPRegressor((20,), **SMALL).fit(X, X[:, 0]),
    "early stopping": lambda: MLPClassifier((20,), early_stopping=True, **SMALL).fit(X, Y),
    "partial_fit": lambda: MLPClassifier((20,), **SMALL).partial_fit(X, Y, classes=[0, 1]),
    "lbfgs": lambda: MLPClassifier((20,), solver="lbfgs", **SMALL).fit(X, Y),
    "range test": lambda: MLPClassifier((20,), learning_rate_init="auto", **SMALL).fit(X, Y),
    "sparse": lambda: MLPClassifier((20,), **SMALL).fit(sp.csr_matrix(X), Y),
    "search": lambda: GridSearchCV(MLPClassifier((20,), **SMALL), {"alpha": [0.1, 1.0]}, cv=2).fit(
        X, Y
    ),
}


@pytest.mark.parametrize("name", DOINGS)
def test_training_has_one_thread(seen, name):
    DOINGS[name]()

    assert set(seen) == {1}


def test_a_search_in_lockstep_has_one_thread(seen, stack_sizes):
    with sknn.lockstep():
        DOINGS["search"]()

    assert set(seen) == {1}
    assert max(stack_sizes) > 1


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score"])
def test_predictions_have_one_thread(seen, method):
    model = fit_classifier()
    seen.clear()
    getattr(model, method)(*([X, Y] if method == "score" else [X]))

    assert set(seen) == {1}


def test_a_prediction_too_small_for_blas_to_share_pays_for_no_limit(seen):
    model = fit_classifier()
    seen.clear()
    model.predict(X[:2])

    assert set(seen) == {2}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_gives_the_threads_back(error):
    class Failing(ReLU):
        def forward(self, z, slope, room, *constants):
            if len(z) == 200:  # a batch
                raise error("in the midst of it")
            super().forward(z, slope, room, *constants)

    model = MLPClassifier((5,), activation=Failing(), max_iter=2)
    if error is RuntimeError:
        with pytest.raises(RuntimeError, match="midst"):
            model.fit(X, Y)
    else:
        with pytest.warns(UserWarning, match="interrupted"):
            model.fit(X, Y)


def test_a_fit_in_another_thread_has_one_thread_too(seen):
    # threadpoolctl obeys one thread of a process only: here that which has limited BLAS to two.
    joblib.Parallel(n_jobs=2, backend="threading")(
        joblib.delayed(fit_classifier)() for _ in range(2)
    )

    assert set(seen) == {1}


def test_suspended_tasks_do_not_hold_the_limit():
    with sknn.lockstep():
        results = joblib.Parallel(return_as="generator")(
            joblib.delayed(fit_classifier)() for _ in range(3)
        )
        next(results)
        assert set(blas_threads()) == {2}
        list(results)


def test_blocks_may_be_nested_and_overlap():
    limit, entered, may_leave = ONE_BLAS_THREAD, threading.Event(), threading.Event()

    def other():
        with limit:
            entered.set()
            may_leave.wait()

    thread = threading.Thread(target=other)
    with limit:
        with limit:
            thread.start()
            entered.wait()
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {1}  # the other one still wants it
    may_leave.set()
    thread.join()

    assert set(blas_threads()) == {2}


def test_a_thread_that_waits_lifts_its_own_limit_only():
    with ONE_BLAS_THREAD, ONE_BLAS_THREAD:
        with ONE_BLAS_THREAD.lifted():
            assert set(blas_threads()) == {2}
        assert set(blas_threads()) == {1}
    with ONE_BLAS_THREAD.lifted():
        assert set(blas_threads()) == {2}


def test_the_users_own_limit_is_what_counts():
    with ONE_BLAS_THREAD:
        assert ONE_BLAS_THREAD.count_threads() == 2
    with threadpool_limits(1, user_api="blas"):
        with ONE_BLAS_THREAD:
            assert ONE_BLAS_THREAD.count_threads() == 1
        assert set(blas_threads()) == {1}


def test_an_interrupt_while_the_limit_is_set_leaves_none(monkeypatch):
    limit = BlasLimit()
    pools = limit._pools()

    def interrupt(n_threads):
        if n_threads == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(limit, "_known", [*pools, pools[-1]._replace(set=interrupt)])
    with pytest.raises(KeyboardInterrupt), limit:
        pass

    assert set(blas_threads()) == {2}


class PerThread:
    """A BLAS that counts threads for each of ours, as one built on OpenMP does."""

    internal_api, threading_layer, dynlib = "openblas", "openmp", SimpleNamespace()

    def __init__(self):
        self._numbers = threading.local()

    def get_num_threads(self):
        return getattr(self._numbers, "n", 8)

    def set_num_threads(self, n):
        self._numbers.n = n


def test_a_blas_that_counts_for_each_thread_is_limited_in_each():
    library, limit = PerThread(), BlasLimit()
    limit._known = [find_pool(library)]
    seen = []

    def other():
        with limit:
            seen.append(library.get_num_threads())
        seen.append(library.get_num_threads())

    with limit:
        assert library.get_num_threads() == 1
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert library.get_num_threads() == 1
        assert limit.count_threads() == 8

    assert seen == [1, 8]
    assert library.get_num_threads() == 8


def test_mkl_is_limited_for_the_calling_thread():
    calls = [4]
    library = SimpleNamespace(
        internal_api="mkl",
        dynlib=SimpleNamespace(MKL_Set_Num_Threads_Local=calls.append),
        get_num_threads=lambda: calls[-1],
        set_num_threads=lambda n: pytest.fail("for the whole process"),
    )
    limit = BlasLimit()
    limit._known = [find_pool(library)]
    with limit:
        pass

    assert calls == [4, 1, 4]


def test_an_interrupt_while_the_limit_ends_is_raised_after_it_has_ended(monkeypatch):
    limit = BlasLimit()
    pools, interrupts, numbers = limit._pools(), iter([True]), [2]

    def interrupt(n_threads):
        if n_threads != 1 and next(interrupts, False):
            raise KeyboardInterrupt
        numbers.append(n_threads)

    library = pools[-1]._replace(set=interrupt, read=lambda: numbers[-1])
    monkeypatch.setattr(limit, "_known", [library, *pools])
    with pytest.raises(KeyboardInterrupt), limit:
        pass

    assert set(blas_threads()) == {2}
    assert not limit._blocks


def test_a_block_whose_end_was_skipped_is_over_with_its_frame():
    def skips_the_end():
        ONE_BLAS_THREAD.__enter__()  # as if Ctrl-C had hit the beginning of __exit__

    skips_the_end()
    assert set(blas_threads()) == {1}
    with ONE_BLAS_THREAD:
        assert set(blas_threads()) == {1}

    assert set(blas_threads()) == {2}


def test_the_end_of_somebody_elses_limit_meanwhile_is_kept():
    other = threadpool_limits(1, user_api="blas")
    with ONE_BLAS_THREAD:
        other.restore_original_limits()
        assert set(blas_threads()) == {2}

    assert set(blas_threads()) == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_no_limit():
    with Crew(2), ONE_BLAS_THREAD:
        pid = os.fork()
        if pid == 0:
            os._exit(0 if not ONE_BLAS_THREAD._blocks and set(blas_threads()) == {2} else 1)
        _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
