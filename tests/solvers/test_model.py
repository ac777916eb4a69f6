"""Numbers that change from step to step, last batches that are left out, and averages."""

from dataclasses import replace

import numpy as np
import pytest

from sknn.activations import ReLU
from sknn.averaging import EMA, SWA
from sknn.optimizers import SGD
from sknn.schedules import (
    Constant,
    Cosine,
    CosLog,
    EveryStep,
    FromFunction,
    InverseScaling,
    Schedule,
    Warmup,
)
from sknn.solvers import stochastic
from sknn.solvers.model import Model
from tests.cases import OPTIMIZER_CASES, name_of
from tests.solvers.problems import solve
from tests.solvers.stacks import assert_stack_is_its_models, make_problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FOLLOWED = {
    "rate": {"schedule": EveryStep(Cosine())},
    "decay": {"decay_schedule": Cosine(), "weight_decay": 0.5},
    "noise": {"noise_schedule": Cosine(), "dropout": (0.5, 0.3, 0.4)},
}

followed = pytest.mark.parametrize("what", FOLLOWED)


class Recorder(Schedule):
    """Notes what it is asked."""

    by_step = True

    def __init__(self):
        self.asked = []

    def step_multiplier(self, epoch, n_epochs, n_samples_seen):
        self.asked.append((epoch, n_epochs, n_samples_seen))
        return 1.0


def test_schedules_are_told_epoch_and_step():
    schedule = Recorder()
    solve(make_problem(schedule=schedule, batch_size=20, max_iter=2))  # 20, 20 and 10 rows

    assert [seen for _, _, seen in schedule.asked] == [0, 20, 40, 50, 70, 90]
    np.testing.assert_allclose([epoch for epoch, *_ in schedule.asked], np.arange(6) / 3)
    assert {n_epochs for _, n_epochs, _ in schedule.asked} == {2}


@pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)
def test_a_schedule_that_stays_within_an_epoch_is_one_by_epochs(optimizer):
    """The same rates, handed over as arrays, give the same bits."""
    by_epoch = FromFunction(lambda epoch: 1 / (1 + int(epoch)))
    options = {"optimizer": optimizer, "weight_decay": 0.1, "batch_size": 7, "max_iter": 3}
    one, other = (
        solve(make_problem(schedule=schedule, **options)).theta
        for schedule in (by_epoch, EveryStep(by_epoch))
    )

    np.testing.assert_array_equal(one, other)


def test_the_rate_follows_the_schedule_step_by_step():
    """Gradient descent by hand."""
    options = {"optimizer": SGD(0.0), "batch_size": 25, "shuffle": False, "alpha": 0, "max_iter": 2}
    problem = make_problem(schedule=EveryStep(Cosine()), learning_rate=0.1, **options)
    theta = problem.state.theta.copy()
    for step in range(4):
        rows = slice(0, 25) if step % 2 == 0 else slice(25, 50)
        _, grad = problem.objective.value_and_grad(theta, problem.samples[rows], problem.y[rows])
        theta -= 0.1 * 0.5 * (1 + np.cos(np.pi * step / 4)) * grad

    np.testing.assert_allclose(solve(problem).theta, theta, rtol=1e-10)


def test_weight_decay_follows_its_schedule():
    options = {"optimizer": SGD(0.0), "batch_size": 25, "shuffle": False, "max_iter": 2}
    problem = make_problem(
        weight_decay=0.5, decay_schedule=Cosine(), learning_rate=0.1, alpha=0, **options
    )
    theta, n = problem.state.theta.copy(), problem.objective.network.layout.n_penalized
    for step in range(4):
        rows = slice(0, 25) if step % 2 == 0 else slice(25, 50)
        _, grad = problem.objective.value_and_grad(theta, problem.samples[rows], problem.y[rows])
        theta[:n] *= 1 - 0.1 * 0.5 * 0.5 * (1 + np.cos(np.pi * step / 4))
        theta -= 0.1 * grad

    np.testing.assert_allclose(solve(problem).theta, theta, rtol=1e-10)


def test_dropout_follows_its_schedule():
    """At a level of 0 nothing is dropped, and at 1 all is as without a schedule."""
    options = {"dropout": (0.5, 0.3, 0.4), "max_iter": 2}
    plain = solve(make_problem(max_iter=2)).theta
    dropped = solve(make_problem(**options)).theta
    off, on, half = (
        solve(make_problem(noise_schedule=FromFunction(lambda epoch, v=v: v), **options)).theta
        for v in (0.0, 1.0, 0.5)
    )
    weaker = solve(make_problem(**options | {"dropout": (0.25, 0.15, 0.2)})).theta

    np.testing.assert_allclose(off, plain, rtol=1e-12)  # factors of 1
    np.testing.assert_array_equal(on, dropped)
    np.testing.assert_array_equal(half, weaker)
    assert np.all(off != dropped)


@followed
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_follows_as_its_models_do(what, dtype):
    def make(m):
        return make_problem(
            m,
            dtype=dtype,
            batch_size=9,
            max_iter=3 + m,
            learning_rate=0.01 * (m + 1),
            **FOLLOWED[what],
        )

    assert_stack_is_its_models(make)


def test_schedules_by_step_and_by_epoch_may_share_a_stack():
    def make(m):
        schedule = [Constant(), EveryStep(Cosine()), InverseScaling(0.3)][m % 3]
        return make_problem(m, schedule=schedule, batch_size=9)

    assert_stack_is_its_models(make)


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
@pytest.mark.parametrize("name", ["schedule", "decay_schedule", "noise_schedule"])
def test_a_factor_that_is_none_is_refused(name, value):
    schedule = EveryStep(FromFunction(lambda epoch: value if epoch > 1 else 1.0))

    with pytest.raises(
        ValueError, match=r"must give a finite number of at least 0; for epoch [12] "
    ):
        solve(make_problem(**{name: schedule}))


def test_a_warmup_rises_from_step_to_step():
    schedule = Warmup(EveryStep(CosLog()), 2)

    assert schedule.by_step
    assert [schedule.step_multiplier(e, 4, 0) for e in (0, 0.5, 1.5)] == [1 / 3, 0.5, 2.5 / 3]
    assert schedule.step_multiplier(2.5, 4, 0) == CosLog().step_multiplier(0.5, 2, 0)


def test_a_short_last_batch_can_be_left_out():
    problem = make_problem(batch_size=20, shuffle=False, drops_last=True, max_iter=3)
    short = make_problem(batch_size=20, shuffle=False, max_iter=3)
    short = replace(short, rows=np.arange(40))
    dropped, state = solve(problem), solve(short)

    np.testing.assert_array_equal(dropped.theta, state.theta)
    assert dropped.loss_curve == state.loss_curve
    assert (dropped.t, dropped.n_steps) == (120, 6)


def test_other_rows_are_left_out_in_each_epoch():
    one, other = (
        solve(make_problem(batch_size=20, drops_last=d, max_iter=3)) for d in (True, False)
    )

    assert (one.n_steps, other.n_steps) == (6, 9)
    assert np.all(one.theta != other.theta)


@pytest.mark.parametrize("batch_size", [50, 64])
def test_an_only_batch_is_never_left_out(batch_size):
    one, other = (
        solve(make_problem(batch_size=min(batch_size, 50), drops_last=d)).theta
        for d in (True, False)
    )

    np.testing.assert_array_equal(one, other)


def test_a_stack_leaves_out_what_its_models_do():
    def make(m):
        return make_problem(m, batch_size=20, drops_last=True, n_samples=45 + m)

    assert_stack_is_its_models(make)


# Averages of the parameters.


def test_an_average_is_the_formula_along_the_training():
    options = {"batch_size": 50, "shuffle": False, "max_iter": 1}
    steps, problem = [], make_problem(**options | {"max_iter": 12})
    problem = replace(problem, after_epoch=lambda state, theta: steps.append(theta.copy()))
    average = problem.state.theta.copy()
    solve(problem)
    for t, theta in enumerate(steps, 1):
        decay = min(0.7, (1 + t) / (10 + t))
        average = decay * average + (1 - decay) * theta
    state = solve(make_problem(averaging=EMA(0.7), **options | {"max_iter": 12}))

    np.testing.assert_allclose(state.theta, average, rtol=1e-10)
    np.testing.assert_array_equal(state.moments["iterate"], steps[-1])


def test_swa_is_the_mean_of_the_last_epochs():
    steps, problem = [], make_problem(max_iter=8)
    problem = replace(problem, after_epoch=lambda state, theta: steps.append(theta.copy()))
    solve(problem)
    state = solve(make_problem(max_iter=8, averaging=SWA(0.5)))

    np.testing.assert_allclose(state.theta, np.mean(steps[4:], axis=0), rtol=1e-12)


@followed
def test_a_worker_may_have_a_single_model_of_a_stack(monkeypatch, what):
    monkeypatch.setattr(stochastic, "count_workers", lambda most: min(most, 2))
    monkeypatch.setattr(stochastic, "MIN_OUTPUTS", 0)

    assert_stack_is_its_models(lambda m: make_problem(m, **FOLLOWED[what]), n_models=3)


def test_parameters_at_which_outputs_overflow_have_an_infinite_loss():
    problem = make_problem(activation=ReLU())
    model = Model(replace(problem, solver=problem.solver.changed(recovers=True)))
    size = problem.objective.network.layout.size

    assert model._loss_of(np.full(size, 1e300)) == np.inf
