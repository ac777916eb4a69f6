"""A training that is cut after any epoch and goes on ends with the same bits."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.ledger import Spent
from sknn.schedules import EveryStep, FromFunction, Warmup
from sknn.solvers import TrainingState, stochastic
from sknn.solvers import solve as solve_all
from tests.cases import OPTIMIZER_CASES, SCHEDULE_CASES, name_of, pairs, turns
from tests.solvers import problems
from tests.solvers.problems import solve
from tests.solvers.stacks import make_problem

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
    history = [row[:-1] for row in state.history]
    return replace(state, history=history, spent=state.spent.timeless())


def assert_cuts_do_not_matter(make, cuts=(1, 2, 4)):
    whole = solve(make())
    for cut in cuts:
        state = train(make, whole.n_iter, cut)
        assert same(vars(without_seconds(state)), vars(without_seconds(whole)))
    return whole


def keep_each(problem):
    """Return a problem whose states are kept after each epoch, and the list of them."""
    kept = []
    return replace(problem, keep=lambda snapshot: kept.append(snapshot())), kept


def assert_snapshots_go_on(make):
    """A state that was kept in passing leads to where the training came that went on."""
    problem, kept = keep_each(make())
    whole = solve(problem)
    assert [state.n_iter for state in kept] == list(range(1, whole.n_iter))
    for state in kept[::2]:
        state = pickle.loads(pickle.dumps(state))
        found = solve(replace(make(), state=state, goes_on=True))
        assert same(vars(without_seconds(found)), vars(without_seconds(whole)))


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


@pytest.mark.parametrize(
    ("optimizer", "averaging", "augmentation", "stopping"),
    turns(OPTIMIZER_CASES, AVERAGES, CHANGES, list(STOPPINGS)),
    ids=name_of,
)
def test_what_is_kept_in_passing_goes_on(optimizer, averaging, augmentation, stopping):
    if "average" in optimizer.moments:
        averaging = None

    def make():
        problem = make_problem(
            optimizer=optimizer, averaging=averaging, augmentation=augmentation,
            max_iter=N_EPOCHS, batch_size=16, **STOPPINGS[stopping],
        )  # fmt: skip
        return validate(problem) if stopping == "early" else problem

    assert_snapshots_go_on(make)


def test_what_is_kept_of_a_stack_goes_on_alone_and_in_a_stack():
    seeds = range(4)

    def make():
        return [make_problem(seed=seed, max_iter=N_EPOCHS, batch_size=16) for seed in seeds]

    pairs_ = [keep_each(problem) for problem in make()]
    whole = solve_all([problem for problem, _ in pairs_])
    middle = [kept[2] for _, kept in pairs_]
    going_on = [
        replace(problem, state=state.detached(), goes_on=True)
        for problem, state in zip(make(), middle, strict=True)
    ]
    alone = [
        solve(replace(problem, state=state.detached(), goes_on=True))
        for problem, state in zip(make(), middle, strict=True)
    ]
    for found in (solve_all(going_on), alone):
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_array_equal(one.theta, other.theta)


def test_a_state_that_is_kept_is_not_written_to():
    problem, kept = keep_each(make_problem(max_iter=4, batch_size=16))
    before = []

    def keep(snapshot):
        problem.keep(snapshot)
        before.append(kept[-1].detached())

    solve(replace(problem, keep=keep))

    for state, copy in zip(kept, before, strict=True):
        assert same(vars(state), vars(copy))


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


def full_state():
    """Return a state of which every field has a value of its own."""
    values = {field.name: f"the {field.name}" for field in fields(TrainingState)}
    lists = {name: [1.0, 2.0] for name in ("loss_curve", "validation_scores", "history")}
    return TrainingState(**values | lists | {"spent": Spent(operations=7)})


def changed(state, other):
    """Return what differs between two states."""
    before = vars(state)
    return {
        name: value
        for name, value in vars(other).items()
        if value is not before[name] and value != before[name]
    }


def test_a_further_call_goes_on_from_the_curves_and_forgets_the_call():
    state = full_state()
    following = state.for_next_call("other parameters")

    assert changed(state, following) == {
        "theta": "other parameters",
        "n_iter": 0,
        "first_bad_epoch": None,
        "best_epoch": 0,
        "n_recoveries": 0,
        "recovered_at": 0,
        "has_converged": False,
        "has_stopped": False,
        "has_run_out": False,
        "operations_before": 7,
        "is_interrupted": False,
        "position": None,
        "beginning": None,
    }


def test_an_optimizer_that_begins_anew_has_neither_moments_nor_steps():
    state = full_state()

    assert changed(state, state.without_optimizer()) == {
        "moments": None,
        "moment_units": {},
        "n_steps": 0,
        "n_epochs": 0,
        "plateau_factor": 1.0,
        "recovery_factor": 1.0,
        "n_in_vain": 0,
    }


def test_what_is_kept_of_a_fit_is_all_but_what_is_elsewhere_or_over():
    state = full_state()
    state.theta = np.ones(3)
    kept = state.to_keep()

    assert kept.theta.size == 0
    kept.theta = state.theta
    assert changed(state, kept) == {"ending": None, "position": None, "beginning": None}


@pytest.mark.parametrize("method", ["copy", "for_next_call"])
def test_copies_have_curves_of_their_own(method):
    state = full_state()
    other = state.copy() if method == "copy" else state.for_next_call(state.theta)
    for name in ("loss_curve", "validation_scores", "history"):
        getattr(other, name).append(3.0)
        assert getattr(state, name) == [1.0, 2.0]


def test_states_of_before_units_were_noted_have_none():
    state = solve(make_problem(max_iter=2))
    old = {name: value for name, value in vars(state).items() if name != "moment_units"}
    again = TrainingState.__new__(TrainingState)
    again.__setstate__(old)

    assert again.moment_units == {}
    assert again.loss_curve == state.loss_curve


def test_a_generator_of_its_own_goes_on():
    def make(**options):
        return replace(make_problem(max_iter=N_EPOCHS, batch_size=16), rng_is_own=True, **options)

    whole = solve(make())
    cut = solve(make(after_epoch=lambda s, theta: s.n_iter >= 2))
    on = solve(make(state=pickle.loads(pickle.dumps(cut)), goes_on=True))

    np.testing.assert_array_equal(on.theta, whole.theta)


def test_workers_that_share_only_the_update_are_as_many_as_before(monkeypatch):
    """Sparse rows are not shared, but the norm is a sum over shares of the parameters."""

    def make(**options):
        problem = problems.make_problem(is_sparse=True, max_iter=4, max_grad_norm=0.1)
        return replace(problem, **options)

    monkeypatch.setattr(stochastic, "MIN_PARAMETERS", 10)
    monkeypatch.setattr(stochastic, "count_workers", lambda n, n_threads=None: min(n, 2))
    whole = solve(make())
    cut = solve(make(after_epoch=lambda s, theta: s.n_iter >= 2))
    monkeypatch.setattr(stochastic, "MIN_PARAMETERS", 10**9)
    on = solve(make(state=cut, goes_on=True))

    assert whole.position.n_workers == on.position.n_workers == 2
    np.testing.assert_array_equal(on.theta, whole.theta)


@pytest.mark.parametrize("lbfgs", [False, True])
def test_a_state_that_has_only_been_kept_cannot_go_on(lbfgs):
    problem = problems.make_problem(lbfgs=lbfgs, max_iter=2)
    state = replace(solve(problem).to_keep(), theta=np.ones(problem.state.theta.size))
    with pytest.raises(ValueError, match="can only go on from a state with a"):
        solve(replace(problem, state=state, goes_on=True))


@pytest.mark.parametrize(
    "other",
    [
        {"n_samples": 30},
        {"rows": np.arange(40)},
        {"optimizer": OPTIMIZER_CASES[-1]},
        {"averaging": AVERAGINGS.resolve("ema")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_training_does_not_go_on_from_another_ones_state(other):
    state = solve(make_problem(max_iter=2))
    with pytest.raises(ValueError, match="state is that of another training"):
        solve(replace(make_problem(max_iter=4, **other), state=state, goes_on=True))


def test_ctrl_c_is_over_when_a_training_goes_on():
    def make(**options):
        return replace(make_problem(max_iter=N_EPOCHS, batch_size=16), **options)

    cut = solve(make(after_epoch=lambda s, theta: s.n_iter >= 2))
    cut.is_interrupted = True
    on = solve(make(state=cut, goes_on=True))

    assert not on.is_interrupted
    np.testing.assert_array_equal(on.theta, solve(make()).theta)
