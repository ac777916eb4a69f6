"""Stacks of models with everything beside linear layers: the numbers are each model's own."""

import itertools
import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sknn import _crew, solvers
from sknn._crew import Crew
from sknn.augmentation import GaussianNoise
from sknn.averaging import EMA, SWA
from sknn.losses import LogLoss
from sknn.optimizers import OPTIMIZERS, SGD
from sknn.penalties import ElasticNet
from sknn.schedules import Constant, FromFunction
from sknn.solvers import stochastic
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from tests.cases import pairs
from tests.solvers.problems import solve
from tests.solvers.stacks import (
    OWN_NUMBERS,
    assert_stack_is_its_models,
    everything,
    make_problem,
    train_together,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DTYPES = [np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", DTYPES)


# The last batch is full, short or a single row.
@pytest.mark.parametrize(
    ("name", "n_samples", "dtype"), pairs(list(OWN_NUMBERS), [48, 50, 49], DTYPES)
)
def test_a_stack_of_models_with_their_own_numbers_is_its_models(name, dtype, n_samples):
    states = assert_stack_is_its_models(
        lambda m: make_problem(m, dtype=dtype, n_samples=n_samples, **OWN_NUMBERS[name](m))
    )

    assert all(state.theta.dtype == dtype for state in states)
    assert all(np.isfinite(state.theta).all() for state in states)


@pytest.mark.parametrize("name", [name for name in OWN_NUMBERS if OWN_NUMBERS[name](1)])
def test_the_numbers_matter(name):
    own, plain = solve(make_problem(1, **OWN_NUMBERS[name](1))), solve(make_problem(1))

    assert own.theta.shape != plain.theta.shape or np.any(own.theta != plain.theta)


@dtypes
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
def test_a_stack_of_models_with_everything_is_its_models(dtype, normalization, is_weighted):
    assert_stack_is_its_models(
        lambda m: make_problem(
            m, dtype=dtype, normalization=normalization, is_weighted=is_weighted, **everything(m)
        )
    )


@dtypes
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_stack_is_its_models_for_every_optimizer(optimizer, dtype):
    rule = OPTIMIZERS[optimizer]
    # Schedule-free training has an average of its own.
    options = {k: v for k, v in everything(2).items() if k != "averaging"}

    assert_stack_is_its_models(
        lambda m: make_problem(
            m, optimizer=rule(), dtype=dtype, normalization="batch", **options, loss=LogLoss()
        )
    )


@dtypes
@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_models_that_leave_early_leave_the_others_alone(normalization, dtype):
    def make(m):
        options = everything(m) | {"tol": 100.0, "n_iter_no_change": 2 + 3 * m, "max_iter": 30}
        return make_problem(m, normalization=normalization, dtype=dtype, **options)

    states = assert_stack_is_its_models(make)

    assert [state.n_iter for state in states] == sorted({state.n_iter for state in states})


@pytest.mark.parametrize("n_models", [2, 5])
def test_a_training_that_nobody_goes_on_with_leaves_its_parameters_only(n_models):
    """Models that stay when others leave keep what they need."""

    def make(m, **parameters):
        options = everything(m) | {"tol": 100.0, "n_iter_no_change": 2 + 3 * m, "max_iter": 30}
        return replace(make_problem(m, **options), **parameters)

    kept = train_together(make, n_models)
    found = train_together(partial(make, keeps_state=False), n_models)

    for state, expected in zip(found, kept, strict=True):
        np.testing.assert_array_equal(state.theta, expected.theta)
        assert state.n_iter == expected.n_iter
        assert None not in (expected.moments, expected.position)
        assert (state.moments, state.position) == (None, None)


@dtypes
def test_last_batches_may_be_of_different_sizes(dtype):
    sizes = [50, 48, 55, 48, 49]

    assert_stack_is_its_models(
        lambda m: make_problem(
            m, dtype=dtype, n_samples=sizes[m], normalization="batch", **everything(m)
        )
    )


@dtypes
def test_models_may_share_rows_and_draws(dtype):
    def make(m):
        problem = make_problem(0, dtype=dtype, normalization="batch", **everything(m))
        problem = replace(problem, seed=(m // 2,))
        return problem

    states = assert_stack_is_its_models(make)

    assert np.any(states[0].theta != states[1].theta)


def test_a_model_that_diverges_harms_no_neighbour():
    def make(m):
        options = everything(m) | {"optimizer": SGD(), "max_grad_norm": None}
        options["learning_rate"] = 1e200 if m == 1 else 0.01
        return make_problem(m, normalization="layer", **options)

    states = train_together(make)

    assert not np.isfinite(states[1].theta).all()
    for m in (0, 2, 3, 4):
        np.testing.assert_array_equal(states[m].theta, solve(make(m)).theta)


def test_a_model_that_recovers_harms_no_neighbour():
    def burst(epoch):
        return 1e200 if epoch == 2 else 1.0

    def make(m):
        schedule = FromFunction(burst) if m == 1 else Constant()
        return make_problem(
            m, recovers=True, optimizer=SGD(), schedule=schedule, dropout=(0.1 * m + 0.1,) * 3
        )

    states = assert_stack_is_its_models(make)

    assert [state.n_recoveries for state in states] == [0, 1, 0, 0, 0]
    assert all(np.isfinite(state.theta).all() for state in states)


# Threads.


def let_two_share(monkeypatch):
    """Have two threads share the rows of any batch, whatever the machine has."""
    monkeypatch.setattr(_crew, "count_threads", lambda: 2)
    monkeypatch.setattr(_crew, "MIN_WORK", 0)
    monkeypatch.setattr(_crew, "MIN_WORK_MEETING", 0)
    monkeypatch.setattr(_crew, "MIN_ROWS", 1)


def test_threads_that_share_the_models_change_nothing(monkeypatch):
    crews = []

    def count_workers(most):
        crews.append(min(most, 3))
        return crews[-1]

    monkeypatch.setattr(stochastic, "count_workers", count_workers)
    monkeypatch.setattr(stochastic, "MIN_OUTPUTS", 0)
    sizes = [50, 50, 53, 48, 48]

    def make(m):
        return make_problem(m, n_samples=sizes[m], normalization="batch", **everything(m))

    problems = [make(m) for m in range(5)]
    together = problems[0].solver.minimize(problems)
    monkeypatch.undo()

    assert crews == [3]
    for m, state in enumerate(together):
        np.testing.assert_array_equal(state.theta, solve(make(m)).theta)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
def test_threads_that_share_the_rows_of_a_batch_change_next_to_nothing(
    monkeypatch, max_grad_norm, normalization
):
    options = {"dropout": (0.2, 0.3, 0.4), "normalization": normalization, "residual": True}
    options |= {"max_grad_norm": max_grad_norm, "weight_decay": 0.1, "averaging": EMA(0.9)}
    alone = solve(make_problem(**options))
    crews = []

    class Spy(Crew):
        def __init__(self, n_workers):
            crews.append(n_workers)
            super().__init__(n_workers)

    monkeypatch.setattr(stochastic, "Crew", Spy)
    let_two_share(monkeypatch)
    shared = solve(make_problem(**options))

    assert crews == [2]
    np.testing.assert_allclose(shared.theta, alone.theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "options",
    [{"augmentation": GaussianNoise()}, {"optimizer": "muon"}],
    ids=lambda options: next(iter(options)),
)
def test_what_needs_a_whole_batch_is_trained_by_one_thread(monkeypatch, options):
    if "optimizer" in options:
        options = {"optimizer": OPTIMIZERS[options["optimizer"]]()}
    let_two_share(monkeypatch)
    problem = make_problem(**options)

    plain = make_problem()

    assert plain.solver._count_workers([plain]) == 2
    assert problem.solver._count_workers([problem]) == 1


# Random numbers.


def test_dropout_draws_anew_in_each_step_and_goes_on_in_the_next_epoch():
    problem = make_problem(dropout=(0.5, 0.5, 0.5), max_iter=6)
    model = Model(problem)
    stack, seen = Stack([model], Crew(1)), []
    for _ in range(6):
        stack.run_epoch()
        seen.append(stack._arrays.noise.copy())

    assert all(np.all(one != other) for one, other in itertools.combinations(seen, 2))


@pytest.mark.parametrize("name", ["dropout", "gaussian noise", "mixup", "swap noise"])
def test_a_seed_decides_the_random_numbers(name):
    thetas = []
    for seed in (1, 1, 2):
        problem = make_problem(**OWN_NUMBERS[name](2))
        problem = replace(problem, seed=(seed,))
        thetas.append(solve(problem).theta)

    np.testing.assert_array_equal(thetas[0], thetas[1])
    assert np.any(thetas[0] != thetas[2])


# Memory.


def measure_epoch(batch_size, **options):
    """Return the peak memory that an epoch of two batches and a short one takes, in bytes."""
    problem = make_problem(n_samples=2 * batch_size + 10, batch_size=batch_size, **options)
    stack = Stack([Model(problem)], Crew(1))
    stack.run_epoch()
    for rows in stack._rows:
        rows.shuffle = lambda: None  # would allocate more than what the steps must not
    tracemalloc.start()
    stack.run_epoch()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


FEATURES = {
    "dropout": {"dropout": (0.1, 0.2, 0.3)},
    "batch": {"normalization": "batch"},
    "layer": {"normalization": "layer"},
    "residual": {"residual": True},
    "clipping": {"max_grad_norm": 0.1},
    "weight decay": {"weight_decay": 0.1},
    "elastic net": {"penalty": ElasticNet(0.5)},
    "ema": {"averaging": EMA()},
    "swa": {"averaging": SWA()},
    "all": everything(2) | {"normalization": "batch", "augmentation": None},
} | {name: {"optimizer": rule()} for name, rule in OPTIMIZERS.items()}


@pytest.mark.parametrize("name", FEATURES)
def test_a_step_allocates_nothing_that_grows_with_the_batch(name):
    small, large = (measure_epoch(size, **FEATURES[name]) for size in (9000, 15000))

    # 6,000 samples have 30 kB in the smallest buffer, a mask of bools; those of NumPy have a fixed
    # size.
    assert large - small < 20_000


def measure_steps(width, **options):
    """Return the peak memory that a step takes, in bytes."""
    problem = make_problem(sizes=(width, width, width), n_samples=20, batch_size=10, **options)
    stack = Stack([Model(problem)], Crew(1))
    stack.run_epoch()
    [part] = stack._chunks[0][0]
    tracemalloc.start()
    for call in part.calls(1):
        call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", FEATURES)
def test_a_step_allocates_nothing_that_grows_with_the_network(name):
    small, large = (measure_steps(width, **FEATURES[name]) for width in (10, 100))

    # 20,000 weights have 160 kB.
    assert large - small < 20_000


def test_large_models_that_share_no_rows_are_a_stack_on_any_number_of_threads(
    monkeypatch, stack_sizes
):
    def make(m):
        return replace(make_problem(m), shares_rows=False)

    alone = [solve(make(m)) for m in range(3)]
    stack_sizes.clear()
    let_two_share(monkeypatch)
    together = solvers.solve([make(m) for m in range(3)])

    assert stack_sizes == [3]
    for state, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(state.theta, other.theta)
