"""Stacks of models with everything beside linear layers: the numbers are each model's own."""

import itertools
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from sknn import _crew
from sknn._crew import Crew
from sknn.activations import ELU, LeakyReLU, Tanh
from sknn.architecture import build_layers
from sknn.augmentation import Augmentation, GaussianNoise, Mixup, SwapNoise
from sknn.averaging import EMA, SWA
from sknn.initializers import GlorotUniform
from sknn.losses import LogLoss, SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import OPTIMIZERS, SGD, Adam
from sknn.penalties import L2, ElasticNet
from sknn.samples import as_samples
from sknn.schedules import Constant, FromFunction
from sknn.solvers import Problem, Stochastic, TrainingState, stochastic
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from tests.cases import make_targets, pairs
from tests.solvers.problems import NUMBERS, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
DTYPES = [np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", DTYPES)

LAYER_OPTIONS = ("dropout", "normalization", "residual")


def make_problem(
    seed=0,
    activation=None,
    sizes=(6, 6, 5),
    loss=None,
    penalty=None,
    optimizer=None,
    schedule=None,
    augmentation=None,
    alpha=0.1,
    dtype=np.float64,
    n_samples=50,
    n_outputs=2,
    is_weighted=False,
    rows=None,
    **options,
):
    """Return a problem whose data, draws and initial weights follow from the seed."""
    rng, loss = np.random.default_rng(seed), loss or SquaredError()
    X = rng.standard_normal((n_samples, 4)).astype(dtype)
    y = make_targets(loss, n_samples, n_outputs, rng).astype(dtype)
    features = {name: options.pop(name) for name in LAYER_OPTIONS if name in options}
    layers = build_layers(sizes, [activation or Tanh()] * len(sizes), n_outputs, **features)
    network = Network(layers, 4)
    objective = Objective(network, loss, penalty or L2(), alpha)
    state = np.random.RandomState(seed)

    def draw(n_in, n_out):
        return GlorotUniform().draw(state, n_in, n_out, 6.0)

    return Problem(
        objective=objective,
        solver=Stochastic(optimizer or Adam(), schedule or Constant(), **NUMBERS | options),
        samples=as_samples(X),
        y=y,
        sample_weight=rng.random(n_samples) if is_weighted else None,
        rows=rows,
        state=TrainingState(network.initialize(draw, state, dtype)),
        rng=state,
        augmentation=augmentation,
        seed=(seed,),
    )


def train_together(make, n_models=5):
    """Train `make(0)`, `make(1)` ... as a stack, which they have to be able to form."""
    problems = [make(m) for m in range(n_models)]
    keys = {problem.solver.stack_key(problem) for problem in problems}
    assert len(keys) == 1
    assert keys.isdisjoint({None, stochastic.ALONE})
    return problems[0].solver.minimize(problems)


def assert_stack_is_its_models(make, n_models=5):
    """Compare a stack with single trainings, exactly; return the states of the stack."""
    together = train_together(make, n_models)
    for m, state in enumerate(together):
        alone = solve(make(m))
        np.testing.assert_array_equal(state.theta, alone.theta)
        assert state.n_iter == alone.n_iter
        np.testing.assert_allclose(state.loss_curve, alone.loss_curve, rtol=1e-5)
        assert set(state.moments) == set(alone.moments)
        for name, moment in alone.moments.items():
            np.testing.assert_array_equal(state.moments[name], moment)
    return together


class Shift(Augmentation):
    """An augmentation of a user's own."""

    def __init__(self, size):
        self.size = size

    def augment(self, X, y, rng):
        X += self.size * rng.random()
        y[rng.integers(len(y))] = 0


# What a model may have of its own, by a number m from 0 to 4.
OWN_NUMBERS = {
    "nothing": lambda m: {},
    "dropout": lambda m: {"dropout": (0.1 + 0.15 * m, 0.5, 0.8 - 0.15 * m)},
    "leaky slope": lambda m: {"activation": LeakyReLU(0.02 * m**2)},
    "elu": lambda m: {"activation": ELU(0.5 + m)},
    "weight decay": lambda m: {"weight_decay": 0.5 * 4.0**-m},
    "clipping norm": lambda m: {"max_grad_norm": 2.0 * 4.0**-m},
    "l1 ratio": lambda m: {"penalty": ElasticNet(0.25 * m), "alpha": 0.5},
    "ema": lambda m: {"averaging": EMA(0.5 + 0.1 * m)},
    "swa": lambda m: {"averaging": SWA(0.2 * m)},
    "gaussian noise": lambda m: {"augmentation": GaussianNoise(0.3 * m)},
    "mixup": lambda m: {"augmentation": Mixup(0.2 + m)},
    "swap noise": lambda m: {"augmentation": SwapNoise(0.1 + 0.2 * m)},
    "own augmentation": lambda m: {"augmentation": Shift(0.5 * m)},
    "kinds of augmentation": lambda m: {"augmentation": [GaussianNoise(), Mixup()][m % 2]},
    "batch": lambda m: {"normalization": "batch"},
    "layer": lambda m: {"normalization": "layer"},
    "residual": lambda m: {"residual": True},
}
numbers = pytest.mark.parametrize("name", OWN_NUMBERS)


def everything(m):
    """Return numbers of all kinds at once."""
    names = ["dropout", "leaky slope", "weight decay", "clipping norm", "l1 ratio", "ema"]
    options = {k: v for name in names for k, v in OWN_NUMBERS[name](m).items()}
    options |= {"augmentation": GaussianNoise(0.1 * m), "residual": True}
    return options | {"learning_rate": 0.002 * 2.0**m}


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


# Which models share a stack.


def key_of(**options):
    problem = make_problem(**options)
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


@numbers
def test_models_that_differ_in_these_numbers_share_a_stack(name):
    assert key_of(**OWN_NUMBERS[name](1)) == key_of(**OWN_NUMBERS[name](3))


# The rules themselves, on a single model.


def gradient_of(problem):
    """Return the gradient at the beginning, of all samples."""
    _, grad = problem.objective.value_and_grad(
        problem.state.theta.copy(), problem.samples[:], problem.y
    )
    return grad


ONE_STEP = {"batch_size": 50, "max_iter": 1, "shuffle": False, "learning_rate": 0.25}


@pytest.mark.parametrize("limit", [1e-3, 0.1, 1e3])
def test_a_gradient_is_cut_to_its_norm(limit):
    options = ONE_STEP | {"optimizer": SGD(momentum=0.0)}
    problem = make_problem(max_grad_norm=limit, **options)
    theta, grad = problem.state.theta.copy(), gradient_of(problem)
    norm = np.linalg.norm(grad)
    state = solve(problem)

    step = (theta - state.theta) / 0.25
    np.testing.assert_allclose(step, grad * min(1, limit / (norm + 1e-6)), rtol=1e-9, atol=1e-12)
    assert 0.1 < norm < 1e3  # so that the limits are on both sides


def test_weight_decay_shrinks_the_weights_and_nothing_else():
    plain, decayed = (
        make_problem(weight_decay=d, optimizer=SGD(momentum=0.0), normalization="layer", **ONE_STEP)
        for d in (0.0, 0.8)
    )
    theta, n = plain.state.theta.copy(), plain.objective.network.layout.n_penalized
    plain, decayed = solve(plain).theta, solve(decayed).theta

    np.testing.assert_allclose(plain[:n] - decayed[:n], 0.25 * 0.8 * theta[:n], atol=1e-14)
    np.testing.assert_array_equal(plain[n:], decayed[n:])


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
