import gc

import numpy as np
import pytest

from sknn import MLPRegressor
from sknn._crew import Crew
from sknn.activations import ReLU
from sknn.averaging import EMA
from sknn.layers import Affine, Layer, Linear
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import Adam
from sknn.parameters import free
from sknn.penalties import L2
from sknn.samples import as_samples
from sknn.schedules import Constant
from sknn.solvers import Problem, Stochastic, TrainingState
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from tests.solvers.problems import NUMBERS, make_problem, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def calls_of_a_step(problem):
    """Return the names of what a step calls, in order."""
    stack = Stack([Model(problem)], Crew(1))
    steps = stack._chunks[0].steps[0]
    return [getattr(getattr(c, "func", c), "__name__", "") for c in steps.calls(1)]


def test_a_step_is_the_plan():
    """Gather, forward, loss, backward, penalty, update: nothing else is called."""
    problem = make_problem(optimizer=Adam(), activation=ReLU(), n_samples=64)
    names = calls_of_a_step(problem)

    layer = ["dot", "add", "forward"]
    back = ["dot", "dot"]  # gradients of weights and intercepts
    assert names == [
        "take",
        *layer, *layer, "dot", "add",  # 4-6-5-1 units
        "gradient",
        *back, "dot", "multiply", *back, "dot", "multiply", *back,
        "add_gradient", "dot",  # the norm, of the first step of a chunk only
        "step",
    ]  # fmt: skip


class Slow(Layer):
    """An affine layer at a rate of its own."""

    def __init__(self, rate=0.1):
        self.rate = rate

    def parameters(self, n_in):
        return {n: free((n_in,), f"slow_.{n}", rate=self.rate) for n in ("scale", "shift")}

    def bind(self, site):
        return Affine().bind(site)

    def apply(self, x, parameters):
        return Affine().apply(x, parameters)


@pytest.mark.parametrize(("rate", "n_updates"), [(1.0, 1), (0.1, 2), (0.0, 1)])
def test_each_group_of_equal_rates_is_one_call(rate, n_updates):
    network = Network([Linear(3), Slow(rate), Linear(1, output_major=True)], 4)
    rng = np.random.default_rng(0)
    problem = Problem(
        objective=Objective(network, SquaredError(), L2(), 0.1),
        solver=Stochastic(Adam(), Constant(), **NUMBERS),
        samples=as_samples(rng.standard_normal((64, 4))),
        y=rng.standard_normal((64, 1)),
        sample_weight=None,
        rows=None,
        state=TrainingState(rng.standard_normal(network.layout.size)),
        rng=np.random.RandomState(0),
    )

    assert calls_of_a_step(problem).count("step") == n_updates


def test_a_training_leaves_nothing_to_the_garbage_collector():
    """A circle of references would keep all arrays of every fit for a while."""
    gc.collect()
    gc.disable()
    try:
        gc.set_debug(gc.DEBUG_SAVEALL)
        for options in ({}, {"max_grad_norm": 0.1, "weight_decay": 0.1}, {"averaging": EMA()}):
            solve(make_problem(max_iter=2, **options))
        gc.collect()
        left = [thing for thing in gc.garbage if type(thing).__module__.startswith("sknn")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    assert left == []


@pytest.mark.parametrize("change", [{"alpha": 1e300}, {"batch_size": "adaptive"}])
def test_numbers_that_overflow_are_reported_once_training_has_diverged(change):
    X = 1e30 * np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
    model = MLPRegressor((3,), max_iter=2, random_state=0, **change)

    with pytest.raises(ValueError, match="diverged"):
        model.fit(X, X[:, 0])
