import threading
import types
from functools import partial
from time import sleep

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sknn import MLPClassifier, _crew
from sknn._crew import Crew, share_out
from sknn.activations import ReLU
from sknn.losses import SquaredError
from sknn.objective import WholeObjective
from sknn.samples import as_samples
from sknn.solvers import stochastic
from tests.cases import make_objective
from tests.solvers.problems import make_problem, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def crews_for_all(monkeypatch):
    """Let even small problems be shared; return how many workers the fits then had."""
    seen = []

    class Spy(Crew):
        def __init__(self, n_workers):
            seen.append(n_workers)
            super().__init__(n_workers)

    monkeypatch.setattr(stochastic, "Crew", Spy)
    monkeypatch.setattr(_crew, "MIN_WORK", 0)
    monkeypatch.setattr(_crew, "MIN_ROWS", 5)
    monkeypatch.setattr(stochastic, "MIN_PARAMETERS", 0)
    monkeypatch.setattr(_crew, "count_threads", lambda: 3)
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
    monkeypatch.setattr(_crew, "count_threads", lambda: 1)
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

    before = threading.active_count()
    phase = [[lambda: None] for _ in range(3)]
    phase[worker] = [fail]
    with pytest.raises(RuntimeError, match="in a worker"), Crew(3) as crew:
        crew.run([[phase]] * 5)

    assert threading.active_count() == before


def test_ctrl_c_stops_the_helpers():
    def interrupt():
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Crew(2) as crew:
        crew.run([[[[interrupt], [lambda: None]]]] * 5)

    assert threading.active_count() == before


def test_workers_that_meet_within_a_step_need_more_work(monkeypatch):
    monkeypatch.setattr(_crew, "count_threads", lambda: 2)
    theta = np.zeros(79_105, np.float32)  # 50-256-256-1

    assert _crew.count_row_workers(theta, 256) == 2
    assert _crew.count_row_workers(theta, 256, they_meet=True) == 1
    assert _crew.count_row_workers(theta.astype(float), 256, they_meet=True) == 2


def test_small_problems_are_not_shared(monkeypatch):
    monkeypatch.setattr(
        _crew, "count_workers", lambda most: pytest.fail("shared") if most > 1 else 1
    )
    X = np.random.default_rng(0).standard_normal((300, 64))

    MLPClassifier(max_iter=2).fit(X, X[:, 0] > 0)


def test_a_thread_that_cannot_start_leaves_nothing_behind(monkeypatch):
    before, start = threading.active_count(), threading.Thread.start
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


def test_ctrl_c_while_the_crew_ends_is_raised_after_it_has_ended(monkeypatch):
    before, join = threading.active_count(), threading.Thread.join
    interrupts = iter([True])

    def join_interrupted(thread, timeout=None):
        if next(interrupts, False):
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join_interrupted)
    with pytest.raises(KeyboardInterrupt), Crew(2):
        pass

    assert threading.active_count() == before


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_with_many_cores_large_networks_are_left_to_blas(monkeypatch, solver):
    seen = []

    class Watching(ReLU):
        def forward(self, z, slope, room, *constants):
            seen.append(max(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"))
            super().forward(z, slope, room, *constants)

    monkeypatch.setattr(_crew, "count_threads", lambda: 64)
    X = np.random.default_rng(0).standard_normal((300, 4))
    model = MLPClassifier((20,), Watching(), solver=solver, max_iter=2)
    with threadpool_limits(2, user_api="blas"):
        model.fit(X, X[:, 0] > 0)
        assert set(seen) == {1}
        seen.clear()
        monkeypatch.setattr(_crew, "MIN_WORK", 0)
        model.fit(X, X[:, 0] > 0)

    assert seen.count(2) > len(seen) / 2  # all but the validation of an own activation


@pytest.mark.parametrize("is_weighted", [False, True])
def test_lbfgs_with_shared_rows_minimises_the_same_objective(monkeypatch, is_weighted):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((301, 6))
    y, weight = np.digitize(X[:, 0], [-0.5, 0.5]), rng.random(301) if is_weighted else None
    crews = []

    class Spy(Crew):
        def __init__(self, n_workers):
            crews.append(n_workers)
            super().__init__(n_workers)

    monkeypatch.setattr("sknn.solvers.lbfgs.Crew", Spy)
    monkeypatch.setattr(_crew, "count_threads", lambda: 3)
    model = MLPClassifier((), solver="lbfgs", alpha=1.0, tol=1e-9, max_iter=1000, random_state=0)
    alone = model.fit(X, y, weight).coefs_[0]
    monkeypatch.setattr(_crew, "MIN_WORK", 0)
    shared = model.fit(X, y, weight).coefs_[0]

    assert crews == [1, 3]
    np.testing.assert_allclose(shared, alone, atol=1e-3)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_an_objective_with_shared_rows_has_the_same_value_and_gradient(is_weighted):
    rng = np.random.default_rng(0)
    objective = make_objective(ReLU(), SquaredError())
    theta = rng.standard_normal(objective.network.layout.size)
    X, y = rng.standard_normal((101, 4)), rng.standard_normal((101, 2))
    weight = rng.random(101) if is_weighted else None
    alone = objective.value_and_grad(theta, X, y, weight)
    with Crew(3) as crew:
        whole = WholeObjective(objective, theta, as_samples(X), y, weight, crew)
        values = [whole.evaluate()[0] for _ in range(2)]

    np.testing.assert_allclose(values, alone[0], rtol=1e-13)
    np.testing.assert_allclose(whole.grad, alone[1], rtol=1e-12, atol=1e-14)


def test_without_threads_the_caller_does_all_of_the_work(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    log = []
    phases = [[[lambda w=w, p=p: log.append((p, w))] for w in range(3)] for p in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with Crew(3) as crew:
            crew.run([phases] * 2)
        share_out(3, range(4), log.append)

    assert log == [(p, w) for p in range(2) for w in range(3)] * 2 + [0, 1, 2, 3]


def test_a_worker_that_does_not_get_its_turn_is_not_waited_for():
    # The helper is stuck before it can begin: the caller takes over.
    log, begun, go_on = [], threading.Event(), threading.Event()

    class Slow(Crew):
        def _help(self, worker):
            begun.set()
            go_on.wait()
            super()._help(worker)

    with Slow(2) as crew:
        begun.wait()
        crew.run([[[[lambda: log.append(0)], [lambda: log.append(1)]]]] * 3)
        assert log == [0, 1] * 3
        go_on.set()
        crew.run([[[[lambda: log.append(0)], [lambda: log.append(1)]]]])

    assert len(log) == 8


def test_where_waiting_does_not_pay_the_caller_works_alone_for_a_while(monkeypatch):
    seconds, helped = [0.0], []
    clock = types.SimpleNamespace(perf_counter=lambda: seconds[0])
    monkeypatch.setattr(_crew, "time", clock)

    def own(begun):
        begun.wait()  # so that the caller does not take over
        seconds[0] += 1

    def slow(begun):
        if threading.current_thread() is not threading.main_thread():
            helped.append(True)
            begun.set()
            while not crew._n_own:
                sleep(0.001)  # until the caller has done its own
        seconds[0] += 10

    def run():
        begun = threading.Event()
        if crew._n_alone:
            begun.set()
        crew.run([[[[partial(own, begun)], [partial(slow, begun)]]]])

    with Crew(2) as crew:
        for _ in range(_crew.N_ALONE + 1):
            run()
        assert len(helped) == 1
        run()

    assert len(helped) == 2


@pytest.mark.parametrize("n_workers", [1, 3])
def test_shared_tasks_are_all_done_and_see_the_callers_error_handling(n_workers):
    done, errors = [], []

    def run(task):
        errors.append(np.geterr()["over"])
        done.append(task)

    with np.errstate(over="raise"):
        share_out(n_workers, range(50), run)

    assert sorted(done) == list(range(50))
    assert set(errors) == {"raise"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_a_shared_task_is_raised_and_no_thread_is_left(error):
    def fail(task):
        if task == 3:
            raise error("in a task")

    before = threading.active_count()
    with pytest.raises(error, match="in a task"):
        share_out(3, range(50), fail)

    assert threading.active_count() == before


def test_a_shared_prediction_has_the_same_bits(monkeypatch):
    X = np.random.default_rng(0).standard_normal((30_000, 8))
    model = MLPClassifier((200,), max_iter=2).fit(X[:500], X[:500, 0] > 0)
    monkeypatch.setattr(_crew, "count_threads", lambda: 3)
    seen = []
    monkeypatch.setattr(
        "sknn.network.share_out", lambda n, *rest: (seen.append(n), share_out(n, *rest))
    )
    shared = model.predict_proba(X)
    monkeypatch.setattr(_crew, "count_threads", lambda: 1)
    alone = model.predict_proba(X)

    assert seen == [3, 1]
    np.testing.assert_array_equal(shared, alone)
