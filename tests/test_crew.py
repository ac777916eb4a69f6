import os
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from sknn import MLPClassifier, _crew
from sknn._crew import ALL_BLAS, SCIPY_BLAS, Crew, count_workers
from sknn.solvers import solve, stochastic
from tests.solvers.problems import make_problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blas_threads():
    """Return the number of threads of each copy of BLAS."""
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture
def crews_for_all(monkeypatch):
    """Let even small problems be shared; return how many workers the fits then had."""
    seen = []

    class Spy(Crew):
        def __init__(self, n_workers):
            seen.append(n_workers)
            super().__init__(n_workers)

    monkeypatch.setattr(stochastic, "Crew", Spy)
    monkeypatch.setattr(stochastic, "MIN_WORK", 0)
    monkeypatch.setattr(stochastic, "MIN_ROWS", 5)
    monkeypatch.setattr(stochastic, "MIN_PARAMETERS", 0)
    monkeypatch.setattr(ALL_BLAS, "count_threads", lambda: 3)
    return seen


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_shared_fit_gives_the_same_model(
    crews_for_all, monkeypatch, is_sparse, is_weighted, alpha, n_outputs
):
    numbers = {
        "is_sparse": is_sparse,
        "is_weighted": is_weighted,
        "alpha": alpha,
        "n_outputs": n_outputs,
    }
    shared = solve(make_problem(**numbers))
    monkeypatch.setattr(ALL_BLAS, "count_threads", lambda: 1)
    alone = solve(make_problem(**numbers))

    assert crews_for_all == [3, 1]
    np.testing.assert_allclose(shared.theta, alone.theta, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(shared.loss_curve, alone.loss_curve, rtol=1e-12)


def test_workers_run_the_phases_in_step():
    log, n_steps = [], 50
    phases = [[[lambda w=w, p=p: log.append((p, w))] for w in range(3)] for p in range(2)]
    with Crew(3) as crew:
        crew.run([phases] * n_steps)

    assert [phase for phase, _ in log] == [0, 0, 0, 1, 1, 1] * n_steps
    assert {worker for _, worker in log} == {0, 1, 2}


def test_a_phase_may_have_fewer_calls_than_workers():
    log = []
    with Crew(3) as crew:
        crew.run([[[[lambda: log.append("only")]], [[], [lambda: log.append("second")]]]] * 2)

    assert log == ["only", "second"] * 2


@pytest.mark.parametrize("worker", [0, 1, 2])
def test_an_error_in_any_worker_is_raised_and_no_thread_is_left(worker):
    def fail():
        raise RuntimeError("in a worker")

    before, limits = threading.active_count(), blas_threads()
    phase = [[lambda: None] for _ in range(3)]
    phase[worker] = [fail]
    with pytest.raises(RuntimeError, match="in a worker"), Crew(3) as crew:
        crew.run([[phase]] * 5)

    assert threading.active_count() == before
    assert blas_threads() == limits


def test_ctrl_c_stops_the_helpers():
    def interrupt():
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Crew(2) as crew:
        crew.run([[[[interrupt], [lambda: None]]]] * 5)

    assert threading.active_count() == before


def test_blas_is_limited_while_anybody_works_and_restored_afterwards():
    limits = blas_threads()
    with Crew(2):
        assert set(blas_threads()) == {1}
        with Crew(2):
            pass
        assert set(blas_threads()) == {1}

    assert blas_threads() == limits


def test_only_the_copy_that_is_meant_is_limited():
    info = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    with SCIPY_BLAS.limited():
        for pool, now in zip(info, blas_threads(), strict=True):
            assert now == (1 if "scipy" in pool["filepath"] else pool["num_threads"])


@pytest.mark.parametrize(
    ("most", "n_threads", "expected"),
    [(1, 2, 1), (2, 2, 2), (8, 2, 2), (2, 4, 2), (4, 1, 1), (8, 16, 1)],
)
def test_workers_are_as_many_as_pay(monkeypatch, most, n_threads, expected):
    monkeypatch.setattr(ALL_BLAS, "count_threads", lambda: n_threads)

    assert count_workers(most) == expected
    assert _crew.MAX_CORES == 4


def test_small_problems_are_not_shared(monkeypatch):
    monkeypatch.setattr(
        stochastic, "count_workers", lambda most: pytest.fail("shared") if most > 1 else 1
    )
    X = np.random.default_rng(0).standard_normal((300, 64))

    MLPClassifier(max_iter=2).fit(X, X[:, 0] > 0)


def test_a_thread_that_cannot_start_leaves_nothing_behind(monkeypatch):
    before, limits, start = threading.active_count(), blas_threads(), threading.Thread.start
    started = []

    def start_once(thread):
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_once)
    with pytest.raises(KeyboardInterrupt), Crew(3):
        pass

    assert threading.active_count() == before
    assert blas_threads() == limits


def test_ctrl_c_while_the_crew_ends_is_raised_after_it_has_ended(monkeypatch):
    before, limits, join = threading.active_count(), blas_threads(), threading.Thread.join
    interrupts = iter([True])

    def join_interrupted(thread, timeout=None):
        if next(interrupts, False):
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join_interrupted)
    with pytest.raises(KeyboardInterrupt), Crew(2):
        pass

    assert threading.active_count() == before
    assert blas_threads() == limits


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_no_limit():
    with Crew(2):
        pid = os.fork()
        if pid == 0:
            os._exit(0 if not ALL_BLAS._users and not ALL_BLAS._before else 1)
        _, status = os.waitpid(pid, 0)

    assert os.waitstatus_to_exitcode(status) == 0
