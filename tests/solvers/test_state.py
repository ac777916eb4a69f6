"""A training that is cut after any epoch and goes on ends with the same bits."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.schedules import EveryStep, FromFunction, Warmup
from sknn.solvers import stochastic
from tests.cases import OPTIMIZER_CASES, SCHEDULE_CASES, name_of, pairs, turns
from tests.solvers import problems
from tests.solvers.problems import solve
from tests.solvers.test_toolbox import make_problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_EPOCHS = 6


def train(make, n_epochs, cut):
    """Train for some epochs, cut again and again, saved and loaded."""
    state = None
    for stop in (*range(cut, n_epochs, cut), None):
        problem = make()
        if state is not None:
            state = pickle.loads(pickle.dumps(state))
            problem = replace(problem, state=state, goes_on=True)
        if stop is not None:
            problem = replace(problem, after_epoch=lambda s, theta, stop=stop: s.n_iter >= stop)
        state = solve(problem)
        assert stop in (None, state.n_iter)
    return state


def same(one, other):
    """Whether two values are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dict__"):
        return same(vars(one), vars(other))
    return np.array_equal(one, other, equal_nan=np.asarray(one).dtype.kind == "f")


def without_seconds(state):
    return replace(state, history=[row[:-1] for row in state.history])


def assert_cuts_do_not_matter(make, cuts=(1, 2, 4)):
    whole = solve(make())
    for cut in cuts:
        state = train(make, whole.n_iter, cut)
        assert same(vars(without_seconds(state)), vars(without_seconds(whole)))
    return whole


def validate(problem, seed=3):
    """Return a problem with samples to validate on."""
    objective = problem.objective
    X = np.random.default_rng(seed).standard_normal((20, problem.samples.shape[1]))

    def score(theta):
        raw = objective.network.predict(X, objective.network.layout.views(theta))
        return -float(np.abs(raw - 0.3).mean()), 0.5

    return replace(problem, validate=score, stops_early=True)


STOPPINGS = {
    "none": {},
    "plateau": {"tol": 0.02, "n_iter_no_change": 1},
    "target": {"target_loss": 0.6},
    "early": {"tol": 1e-3, "n_iter_no_change": 2},
    "recovers": {"recovers": True, "learning_rate": 3.0},
}
AVERAGES = [None, *(AVERAGINGS.resolve(name) for name in AVERAGINGS)]
CHANGES = [None, *(AUGMENTATIONS.resolve(name) for name in AUGMENTATIONS)]
SCHEDULES = [*SCHEDULE_CASES, Warmup(EveryStep(SCHEDULE_CASES[-1]), 2)]


@pytest.mark.parametrize(
    ("optimizer", "schedule", "averaging", "augmentation", "stopping"),
    pairs(OPTIMIZER_CASES, SCHEDULES, AVERAGES, CHANGES, list(STOPPINGS)),
    ids=name_of,
)
def test_a_cut_changes_nothing(optimizer, schedule, averaging, augmentation, stopping):
    if "average" in optimizer.moments:
        averaging = None

    def make():
        problem = make_problem(
            optimizer=optimizer, schedule=schedule, averaging=averaging, augmentation=augmentation,
            max_iter=N_EPOCHS, batch_size=16, **STOPPINGS[stopping],
        )  # fmt: skip
        return validate(problem) if stopping == "early" else problem

    assert_cuts_do_not_matter(make, cuts=(1, 4))


FEATURES = {
    "dropout": {"dropout": (0.5, 0.3, 0.4)},
    "dropout that falls": {"dropout": (0.5, 0.3, 0.4), "noise_schedule": SCHEDULE_CASES[3]},
    "batch": {"normalization": "batch", "residual": True},
    "clipped and weighted": {"max_grad_norm": 0.1, "weight_decay": 0.1, "is_weighted": True},
    "short batch left out": {"drops_last": True},
    "in order": {"shuffle": False},
    "some rows": {"rows": np.arange(5, 42)},
}


@pytest.mark.parametrize(
    ("name", "dtype"), turns(list(FEATURES), ["float32", "float64"]), ids=name_of
)
def test_features_go_on(name, dtype):
    def make():
        return make_problem(
            dtype=np.dtype(dtype), max_iter=N_EPOCHS, batch_size=16, **FEATURES[name]
        )

    assert_cuts_do_not_matter(make)


def test_a_batch_that_grows_goes_on():
    def make():
        problem = make_problem(
            n_samples=400, batch_size=4, max_batch_size=100, max_iter=N_EPOCHS, dropout=(0.2,) * 3
        )
        return replace(
            problem, y=problem.samples[:][:, :2] + np.random.default_rng(1).random((400, 2))
        )

    whole = assert_cuts_do_not_matter(make, cuts=(1, 2, 3))
    assert len(set(np.array(whole.history)[:, 4])) > 2


def test_recoveries_go_on():
    def explode(epoch):
        return 1e6 if epoch in (1, 3) else 1.0

    def make():
        return make_problem(
            schedule=FromFunction(explode), recovers=True, max_iter=N_EPOCHS, batch_size=16
        )

    whole = assert_cuts_do_not_matter(make)
    assert whole.n_recoveries == 2


def test_models_that_were_cut_go_on_as_a_stack():
    def make(m):
        return make_problem(m, max_iter=N_EPOCHS, batch_size=16, dropout=(0.1 + 0.1 * m,) * 3)

    problems = []
    for m in range(3):
        state = solve(replace(make(m), after_epoch=lambda s, theta: s.n_iter >= 2))
        problems.append(replace(make(m), state=state, goes_on=True))
    states = problems[0].solver.minimize(problems)

    for m, state in enumerate(states):
        np.testing.assert_array_equal(state.theta, solve(make(m)).theta)


def test_workers_are_as_many_as_before(monkeypatch):
    """Sums depend on how many share the rows of a batch: those of the cut training go on."""

    def make():
        return make_problem(max_iter=4, batch_size=16)

    monkeypatch.setattr(stochastic, "count_row_workers", lambda *args: 3)
    whole = solve(make())
    cut = solve(replace(make(), after_epoch=lambda s, theta: s.n_iter >= 2))
    monkeypatch.setattr(stochastic, "count_row_workers", lambda *args: 1)
    on = solve(replace(make(), state=cut, goes_on=True))

    assert cut.position.n_workers == on.position.n_workers == whole.position.n_workers == 3
    np.testing.assert_array_equal(on.theta, whole.theta)


@pytest.mark.parametrize("cut", [1, 3])
def test_a_cut_lbfgs_begins_again_and_comes_to_the_same(cut):
    def make():
        return validate(problems.make_problem(lbfgs=True, max_iter=8))

    whole = solve(make())
    state = solve(replace(make(), after_epoch=lambda s, theta: s.n_iter >= cut))
    assert state.n_iter == cut < whole.n_iter
    state = pickle.loads(pickle.dumps(state))
    on = solve(replace(make(), state=state, goes_on=True))

    np.testing.assert_array_equal(on.theta, whole.theta)
    assert on.loss_curve == whole.loss_curve
    assert on.validation_scores == whole.validation_scores
    assert whole.to_keep().beginning is None


def test_what_is_kept_of_a_fit_has_no_position():
    state = solve(make_problem(max_iter=2))

    assert state.position is not None
    assert state.to_keep().position is None
    assert state.to_keep().theta.size == 0
    assert state.for_next_call(state.theta).position is None
