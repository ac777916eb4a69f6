"""Problems with everything beside linear layers, and stacks of them."""

import numpy as np

from sknn.activations import ELU, LeakyReLU, Tanh
from sknn.architecture import build_layers
from sknn.augmentation import Augmentation, GaussianNoise, Mixup, SwapNoise
from sknn.averaging import EMA, SWA
from sknn.initializers import GlorotUniform
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import Adam
from sknn.penalties import L2, ElasticNet
from sknn.samples import as_samples
from sknn.schedules import Constant
from sknn.solvers import Problem, Stochastic, TrainingState, stochastic
from tests.cases import make_targets
from tests.solvers.problems import NUMBERS, solve

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


def everything(m):
    """Return numbers of all kinds at once."""
    names = ["dropout", "leaky slope", "weight decay", "clipping norm", "l1 ratio", "ema"]
    options = {k: v for name in names for k, v in OWN_NUMBERS[name](m).items()}
    options |= {"augmentation": GaussianNoise(0.1 * m), "residual": True}
    return options | {"learning_rate": 0.002 * 2.0**m}
