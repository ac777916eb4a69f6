import itertools
import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn import _crew
from sknn._crew import Crew
from sknn.activations import LeakyReLU, ReLU
from sknn.augmentation import GaussianNoise
from sknn.averaging import EMA, SWA
from sknn.losses import BinaryLogLoss, LogLoss
from sknn.optimizers import SGD, Adam
from sknn.penalties import ElasticNet
from sknn.samples import as_samples
from sknn.schedules import Adaptive, Constant, InverseScaling
from sknn.solvers import ALONE, HISTORY, stochastic
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from tests.cases import (
    ACTIVATION_CASES,
    LOSS_CASES,
    OPTIMIZER_CASES,
    SCHEDULE_CASES,
    name_of,
    turns,
)
from tests.solvers import stacks
from tests.solvers.problems import make_problem, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RATES = [0.001, 0.01, 0.05, 0.002, 0.1]
ALPHAS = [0.0, 0.1, 1.0, 0.01, 10.0]


def assert_same_training(together, alone, rtol=1e-12):
    for state, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(state.theta, single.theta, rtol=rtol, atol=1e-14)
        np.testing.assert_allclose(state.loss_curve, single.loss_curve, rtol=rtol)
        assert state.n_iter == single.n_iter
        assert state.t == single.t
        for name, moment in single.moments.items():
            np.testing.assert_allclose(state.moments[name], moment, rtol=1e-10, atol=1e-14)


def compare_stack_with_singles(make, n_models=5):
    """Train `make(0)`, `make(1)` ... together and one by one, and compare all of it."""
    problems = [make(m) for m in range(n_models)]
    together = problems[0].solver.minimize(problems)
    alone = [solve(make(m)) for m in range(n_models)]
    assert_same_training(together, alone)
    return together


def numbers_of(m):
    """Return the numbers of the m-th model: its own rate, alpha, data and draws."""
    return {"seed": m, "learning_rate": RATES[m], "alpha": ALPHAS[m]}


@pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
def test_stack_equals_single_fits_for_every_loss(loss, n_outputs, is_weighted):
    compare_stack_with_singles(
        lambda m: make_problem(
            loss=loss, n_outputs=n_outputs, is_weighted=is_weighted, **numbers_of(m)
        )
    )


@pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)
def test_stack_equals_single_fits_for_every_activation(activation):
    compare_stack_with_singles(lambda m: make_problem(activation=activation, **numbers_of(m)))


# They meet in one number, the rate that a step is given.
@pytest.mark.parametrize(
    ("optimizer", "schedule"), turns(OPTIMIZER_CASES, SCHEDULE_CASES), ids=name_of
)
def test_stack_equals_single_fits_for_every_optimizer_and_schedule(optimizer, schedule):
    compare_stack_with_singles(
        lambda m: make_problem(
            optimizer=optimizer, schedule=schedule, n_iter_no_change=2, **numbers_of(m)
        )
    )


def test_models_of_a_stack_have_their_own_optimizer_numbers():
    compare_stack_with_singles(
        lambda m: make_problem(optimizer=Adam(0.5 + 0.1 * m, 0.9 + 0.01 * m, 10.0**-m), seed=m)
    )
    compare_stack_with_singles(lambda m: make_problem(optimizer=SGD(0.2 * m), seed=m))


def test_models_of_a_stack_train_on_their_own_rows():
    rows = [np.random.default_rng(m).permutation(50)[:37] for m in range(5)]

    compare_stack_with_singles(lambda m: make_problem(rows=rows[m], seed=0))


def test_models_of_a_stack_may_have_last_batches_of_different_sizes():
    sizes = [50, 48, 55, 48, 50]

    compare_stack_with_singles(lambda m: make_problem(seed=m, n_samples=sizes[m]))
    compare_stack_with_singles(
        lambda m: make_problem(seed=m, n_samples=sizes[m], is_weighted=True, n_outputs=2)
    )


def test_models_with_a_single_batch_each_may_have_batches_of_different_sizes():
    sizes = [50, 48, 55, 48, 50]

    compare_stack_with_singles(
        lambda m: make_problem(seed=m, n_samples=sizes[m], batch_size=sizes[m])
    )
    keys = {structure_of(n_samples=n, batch_size=n) for n in sizes}
    assert len(keys) == 1


def test_threads_that_share_the_models_change_nothing(monkeypatch):
    crews = []

    def count_workers(most):
        crews.append(min(most, 3))
        return crews[-1]

    monkeypatch.setattr(stochastic, "count_workers", count_workers)
    monkeypatch.setattr(stochastic, "MIN_OUTPUTS", 0)
    sizes = [50, 50, 53, 48, 48]
    problems = [make_problem(seed=m, n_samples=sizes[m], max_iter=3 + 2 * m) for m in range(5)]
    together = problems[0].solver.minimize(problems)
    monkeypatch.undo()
    alone = [solve(make_problem(seed=m, n_samples=sizes[m], max_iter=3 + 2 * m)) for m in range(5)]

    assert crews == [3, 3, 2]  # a stack of one is a single fit
    assert_same_training(together, alone)


def test_a_model_whose_validation_fails_harms_no_neighbour():
    def fail(theta):
        raise KeyError("no score")

    problems = [make_problem(seed=m) for m in range(3)]
    problems[1] = replace(problems[1], validate=fail, stops_early=True)
    together = problems[0].solver.minimize(problems)

    assert isinstance(together[1].ending, KeyError)
    assert_same_training(together[::2], [solve(make_problem(seed=m)) for m in (0, 2)])


def test_ctrl_c_marks_the_models_that_were_still_training():
    def interrupt(theta):
        if problems[1].state.n_iter == 3:
            raise KeyboardInterrupt
        return 0.0, 0.5

    problems = [make_problem(seed=m, max_iter=2 + 6 * (m > 0)) for m in range(3)]
    problems[1] = replace(problems[1], validate=interrupt, stops_early=True)
    states = problems[0].solver.minimize(problems)

    assert [state.is_interrupted for state in states] == [False, True, True]
    assert [type(state.ending) for state in states] == [
        ConvergenceWarning,
        UserWarning,
        UserWarning,
    ]


def structure_of(**options):
    problem = make_problem(**options)
    return problem.solver.stack_key(problem)


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 1},
        {"alpha": 7.0},
        {"learning_rate": 0.5},
        {"max_iter": 1, "tol": 0.5, "n_iter_no_change": 3, "target_loss": 0.1},
        {"optimizer": Adam(0.5, 0.6, 0.7)},
        {"schedule": Adaptive()},
        {"n_samples": 52},
        {"shuffle": False},
    ],
)
def test_models_that_differ_in_numbers_share_a_stack(options):
    assert structure_of() == structure_of(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"loss": LogLoss(), "n_outputs": 3},
        {"activation": ReLU()},
        {"n_outputs": 2},
        {"optimizer": SGD()},
        {"batch_size": 15},
        {"n_samples": 64},
        {"is_weighted": True},
        {"dtype": np.float32},
    ],
)
def test_models_that_differ_in_structure_do_not(options):
    assert structure_of() != structure_of(**options)
    assert hash(structure_of(**options)) == hash(structure_of(**options))


def test_what_cannot_be_stacked_has_no_structure():
    assert structure_of(is_sparse=True) is None
    assert structure_of(lbfgs=True) is None


def test_what_threads_share_anyway_is_not_stacked(monkeypatch):
    monkeypatch.setattr(_crew, "count_threads", lambda: 2)

    assert structure_of() not in (ALONE, None)
    assert structure_of(is_sparse=True) is None
    monkeypatch.setattr(_crew, "MIN_WORK", 0)
    monkeypatch.setattr(stochastic, "MIN_PARAMETERS", 0)
    assert structure_of() == ALONE
    assert structure_of(is_sparse=True) == ALONE


def test_nesterov_and_classical_momentum_do_not_mix():
    nesterov, classical = SGD(nesterov=True), SGD(nesterov=False)

    assert structure_of(optimizer=nesterov) != structure_of(optimizer=classical)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stack_keeps_the_dtype(dtype):
    problems = [make_problem(seed=m, dtype=dtype) for m in range(3)]
    states = problems[0].solver.minimize(problems)

    assert all(state.theta.dtype == dtype for state in states)
    assert all(m.dtype == dtype for state in states for m in state.moments.values())


def test_models_that_stop_early_leave_the_stack():
    states = compare_stack_with_singles(
        lambda m: make_problem(seed=m, max_iter=30, tol=1.0, n_iter_no_change=2 + 3 * m)
    )

    assert [state.n_iter for state in states] == sorted({state.n_iter for state in states})


def test_a_model_that_diverges_harms_no_neighbour():
    states = compare_stack_with_singles(
        lambda m: make_problem(
            optimizer=SGD(), seed=m, learning_rate=1e200 if m == 1 else 0.01, alpha=1.0
        )
    )

    assert not np.isfinite(states[1].theta).all()
    assert states[1].first_bad_epoch == states[1].n_iter == 1
    assert all(np.isfinite(states[m].theta).all() for m in (0, 2, 3, 4))


def test_rows_select_the_training_samples():
    rows = np.arange(0, 50, 2)
    chosen = make_problem(shuffle=False, rows=rows)
    alone = make_problem(shuffle=False)
    alone = replace(alone, samples=as_samples(alone.samples[rows]), y=alone.y[rows])

    np.testing.assert_array_equal(solve(chosen).theta, solve(alone).theta)


def test_a_fortran_ordered_array_gives_the_same_model():
    one, other = make_problem(), make_problem()
    other = replace(other, samples=as_samples(np.asfortranarray(other.samples[:])))

    np.testing.assert_array_equal(solve(one).theta, solve(other).theta)


def test_sparse_input_gives_the_same_model():
    sparse, dense = make_problem(is_sparse=True), make_problem(is_sparse=True)
    dense = replace(dense, samples=as_samples(dense.samples[:].toarray()))

    np.testing.assert_allclose(solve(sparse).theta, solve(dense).theta, rtol=1e-11, atol=1e-14)


def test_sparse_input_without_penalty_gives_the_same_model():
    sparse, dense = make_problem(is_sparse=True, alpha=0), make_problem(is_sparse=True, alpha=0)
    dense = replace(dense, samples=as_samples(dense.samples[:].toarray()))

    np.testing.assert_allclose(solve(sparse).theta, solve(dense).theta, rtol=1e-11, atol=1e-14)


def test_a_batch_without_any_weight_changes_nothing_and_does_not_crash():
    problem = make_problem(optimizer=SGD(momentum=0), shuffle=False, max_iter=1, n_samples=32)
    problem = replace(problem, sample_weight=np.repeat([1.0, 0.0], 16))
    half = make_problem(optimizer=SGD(momentum=0), shuffle=False, max_iter=1, n_samples=32)
    half = replace(half, rows=np.arange(16))

    weighted, alone = solve(problem), solve(half)

    np.testing.assert_allclose(weighted.theta, alone.theta, rtol=1e-14)
    assert weighted.loss == pytest.approx(alone.loss / 2)


def test_units_make_moments_those_of_the_published_rule():
    problem = make_problem(optimizer=Adam(0.7, 0.9), batch_size=50, max_iter=1, shuffle=False)
    _, grad = problem.objective.value_and_grad(
        problem.state.theta.copy(), problem.samples[:], problem.y
    )
    state = solve(problem)
    moments = {name: unit * state.moments[name] for name, unit in state.moment_units.items()}

    np.testing.assert_allclose(moments["first_moment"], 0.3 * grad, rtol=1e-12)
    np.testing.assert_allclose(moments["second_moment"], 0.1 * grad**2, rtol=1e-12)


def rates_of(state):
    """Return the learning rate of each epoch."""
    return [row[HISTORY.index("learning_rate")] for row in state.history]


def test_learning_rates_follow_the_schedule():
    constant = solve(make_problem(schedule=Constant(), max_iter=3))
    inverse = solve(make_problem(schedule=InverseScaling(1.0), max_iter=3))

    assert rates_of(constant) == [0.01] * 3
    assert rates_of(inverse) == pytest.approx([0.01, 0.01 / 51, 0.01 / 101])


def test_adaptive_rate_falls_at_a_plateau_and_ends_the_training():
    state = solve(make_problem(schedule=Adaptive(), tol=100, n_iter_no_change=1, max_iter=100))
    rates = rates_of(state)

    assert rates[:7] == pytest.approx([0.01] * 3 + [0.002] * 2 + [0.0004] * 2)
    assert rates[-1] <= 1e-6
    assert state.n_iter < 100


def test_running_out_of_epochs_warns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(8\) reached"):
        solve(make_problem())


def test_ctrl_c_warns_and_returns_what_there_is():
    problem = make_problem(max_iter=50)
    calls = []

    def interrupt(theta):
        calls.append(theta.copy())
        if len(calls) == 3:
            raise KeyboardInterrupt
        return float(len(calls)), 0.5

    problem = replace(problem, validate=interrupt, stops_early=True)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        state = solve(problem)

    np.testing.assert_array_equal(state.theta, calls[1])  # the best so far
    assert len(state.history) == len(state.loss_curve) == len(state.validation_scores) == 2


def measure_epoch(batch_size, width, n_outputs, loss):
    """Return the peak memory that an epoch of two batches and a short one takes, in bytes."""
    problem = make_problem(
        loss=loss, n_samples=2 * batch_size + 10, batch_size=batch_size, n_outputs=n_outputs
    )
    stack = Stack([Model(problem)], Crew(1))
    stack.run_epoch()
    for rows in stack._rows:
        rows.shuffle = lambda: None  # would allocate more than what the steps must not
    tracemalloc.start()
    stack.run_epoch()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
@pytest.mark.parametrize("n_outputs", [1, 5])
def test_a_step_allocates_nothing_that_grows_with_the_batch(loss, n_outputs):
    small, large = (measure_epoch(size, 10, n_outputs, loss) for size in (9000, 15000))

    # 6,000 samples have 48 kB in the smallest buffer; those of NumPy have a fixed size.
    assert large - small < 20_000


def test_x_is_not_copied_when_its_dtype_fits():
    problem = make_problem(n_samples=1000)
    model = Model(problem)

    assert model.rows.samples is problem.samples


def test_stacked_log_losses_do_not_mix_models():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for loss, n_outputs in ((LogLoss(), 4), (BinaryLogLoss(), 1)):
            compare_stack_with_singles(
                lambda m, loss=loss, k=n_outputs: make_problem(
                    loss=loss, n_outputs=k, learning_rate=10.0**-m, seed=m, n_samples=33
                )
            )


# Which models share a stack.


def key_of(**options):
    problem = stacks.make_problem(**options)
    return problem.solver.stack_key(problem)


STRUCTURES = [
    {},
    {"dropout": (0.5, 0.5, 0.5)},
    {"dropout": (0.5, 0.0, 0.5)},
    {"normalization": "batch"},
    {"normalization": "layer"},
    {"residual": True},
    {"activation": LeakyReLU()},
    {"penalty": ElasticNet(0.5)},
    {"weight_decay": 0.1},
    {"max_grad_norm": 1.0},
    {"averaging": EMA()},
    {"averaging": SWA()},
    {"augmentation": GaussianNoise()},
]


def test_models_of_different_structures_never_share_a_stack():
    for one, other in itertools.combinations(STRUCTURES, 2):
        assert key_of(**one) != key_of(**other)


@pytest.mark.parametrize("name", stacks.OWN_NUMBERS)
def test_models_that_differ_in_these_numbers_share_a_stack(name):
    assert key_of(**stacks.OWN_NUMBERS[name](1)) == key_of(**stacks.OWN_NUMBERS[name](3))
