"""Parameters with rates and decays of their own; gradients that are cut."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from sknn._crew import Crew
from sknn.activations import Tanh
from sknn.initializers import GlorotUniform
from sknn.layers import ActivationLayer, Affine, Layer, Linear
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import OPTIMIZERS, SGD, Muon, ScheduleFree
from sknn.parameters import free, weight
from sknn.penalties import L2
from sknn.samples import as_samples
from sknn.schedules import Constant
from sknn.solvers import LBFGS, Problem, Stochastic, TrainingState
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from tests.cases import OPTIMIZER_CASES, name_of
from tests.solvers import stacks
from tests.solvers.problems import NUMBERS, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Own(Layer):
    """An affine layer whose scale is a vector among the weights, trained in its own way."""

    def __init__(self, rate=1.0, decay=1.0):
        self.rate = rate
        self.decay = decay

    def parameters(self, n_in):
        return {
            "scale": weight((n_in,), "own_.scale", rate=self.rate, decay=self.decay),
            "shift": free((n_in,), "own_.shift"),
        }

    def initialize(self, parameters, draw, rng):
        parameters["scale"].fill(1)

    def bind(self, site):
        return Affine().bind(site)

    def apply(self, x, parameters):
        return Affine().apply(x, parameters)


class SlowLinear(Linear):
    """A linear layer with a rate of its own, first in the network: it takes sparse samples."""

    def __init__(self, n_units, output_major=False, has_intercept=True, rate=0.5):
        super().__init__(n_units, output_major, has_intercept)
        self.rate = rate

    def parameters(self, n_in):
        described = super().parameters(n_in)
        return described | {"coef": weight((n_in, self.n_units), rate=self.rate)}


def make_problem(
    seed=0, first=None, optimizer=None, solver=None, alpha=0.1, sparse=False, **options
):
    rng, state = np.random.default_rng(seed), np.random.RandomState(seed)
    first = Own(6.0) if first is None else first
    layers = [first, Linear(6), ActivationLayer(Tanh()), Own(0.5, 3.0), Linear(1, True)]
    network = Network(layers, 4)

    def draw(n_in, n_out):
        return GlorotUniform().draw(state, n_in, n_out, 6.0)

    X = rng.standard_normal((50, 4))
    return Problem(
        objective=Objective(network, SquaredError(), L2(), alpha),
        solver=solver or Stochastic(optimizer or SGD(0.0), Constant(), **NUMBERS | options),
        samples=as_samples(sp.csr_matrix(np.where(X > 0, X, 0)) if sparse else X),
        y=rng.standard_normal((50, 1)),
        sample_weight=None,
        rows=None,
        state=TrainingState(network.initialize(draw, state, np.float64)),
        rng=state,
        seed=(seed,),
    )


ONE_STEP = {"max_iter": 1, "batch_size": 50, "learning_rate": 0.01}


def factors(problem, number):
    """Return the factor of each parameter."""
    layout = problem.objective.network.layout
    return np.concatenate(
        [np.full(g.where.stop - g.where.start, getattr(g, number)) for g in layout.groups]
    )


def test_each_parameter_moves_at_its_own_rate():
    problem = make_problem(**ONE_STEP)
    theta = problem.state.theta.copy()
    _, grad = problem.objective.value_and_grad(theta, problem.samples[:], problem.y)
    rates = factors(problem, "rate")

    assert set(rates) == {6, 0.5, 1}
    np.testing.assert_allclose(solve(problem).theta, theta - 0.01 * rates * grad, atol=1e-15)


def test_weights_decay_by_rate_and_factor():
    problem = make_problem(weight_decay=0.8, alpha=0, **ONE_STEP)
    plain = solve(make_problem(alpha=0, **ONE_STEP)).theta
    theta, rates, decays = (
        problem.state.theta.copy(),
        *(factors(problem, number) for number in ("rate", "decay")),
    )

    assert set(decays) == {0, 1, 3}
    np.testing.assert_allclose(
        plain - solve(problem).theta, 0.01 * 0.8 * rates * decays * theta, atol=1e-15
    )


@pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)
def test_every_rule_goes_on_at_the_rate_of_a_network_that_has_one(optimizer):
    """With one rate for all, a factor is a learning rate."""
    rate = 4.0
    options = {"optimizer": optimizer, "weight_decay": 0.1, "max_iter": 3}
    slow = make_problem(first=Own(), **options | {"learning_rate": 0.01 * rate})
    fast = make_problem(first=Own(), **options)
    for layers, factor in (
        (slow.objective.network.layers, 1.0),
        (fast.objective.network.layers, rate),
    ):
        layers[:] = [Own(factor), SlowLinear(6, has_intercept=False, rate=factor)]
        layers.append(SlowLinear(1, True, has_intercept=False, rate=factor))
    for problem in (slow, fast):
        network = Network([_without_shift(layer) for layer in problem.objective.network.layers], 4)
        problem.objective.network = network
        problem.state.theta = np.linspace(-1, 1, network.layout.size)
    slow, fast = solve(slow), solve(fast)

    np.testing.assert_allclose(fast.theta, slow.theta, rtol=1e-12)


class Scale(Layer):
    """A scale alone, as a weight."""

    def __init__(self, rate):
        self.rate = rate

    def parameters(self, n_in):
        return {"scale": weight((n_in,), "own_.scale", rate=self.rate)}

    def bind(self, site):
        shift = np.zeros_like(site.parameters["scale"])
        parameters = site.parameters | {"shift": shift}
        return Affine().bind(
            site._replace(parameters=parameters, gradients=site.gradients | {"shift": shift.copy()})
        )

    def apply(self, x, parameters):
        return x * parameters["scale"]


def _without_shift(layer):
    return Scale(layer.rate) if isinstance(layer, Own) else layer


@pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)
def test_a_stack_with_rates_of_its_models_own_is_its_models(optimizer):
    def make(m):
        options = {"first": Own(1.5 + m, float(m)), "weight_decay": 0.01 * (m + 1)}
        return make_problem(m, optimizer=optimizer, learning_rate=0.01 * (m + 1), **options)

    problems = [make(m) for m in range(4)]
    assert len({problem.solver.stack_key(problem) for problem in problems}) == 1
    for m, state in enumerate(problems[0].solver.minimize(problems)):
        np.testing.assert_array_equal(state.theta, solve(make(m)).theta)


def test_models_whose_groups_differ_are_not_stacked():
    problems = [make_problem(first=Own(rate)) for rate in (1.0, 2.0, 3.0)]
    keys = [problem.solver.stack_key(problem) for problem in problems]

    assert keys[0] != keys[1] == keys[2]


@pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)
def test_what_is_frozen_stays_and_does_not_count(optimizer):
    options = {"optimizer": optimizer, "weight_decay": 0.1, "max_grad_norm": 0.1, "max_iter": 4}
    problem = make_problem(first=Own(0.0), **options)
    frozen = problem.objective.network.layout.frozen(slice(0, 100))
    before = problem.state.theta.copy()
    state = solve(problem)

    assert frozen == [slice(0, 4)]
    np.testing.assert_array_equal(state.theta[:4], before[:4])
    assert np.all(state.theta[4:] != before[4:])
    one_step = make_problem(first=Own(0.0), alpha=0, **options | ONE_STEP)
    _, grad = one_step.objective.value_and_grad(before, one_step.samples[:], one_step.y)
    assert solve(one_step).history[0][5] == pytest.approx(np.linalg.norm(grad[4:]), rel=1e-12)


def test_lbfgs_leaves_what_is_frozen():
    solver = LBFGS(2000, 15000, 1e-9, np.inf, None)
    problem = make_problem(first=Own(0.0), solver=solver)
    before = problem.state.theta.copy()
    theta = solve(problem).theta
    _, grad = problem.objective.value_and_grad(theta, problem.samples[:], problem.y)

    np.testing.assert_array_equal(theta[:4], before[:4])
    assert 0 < 5 * np.abs(grad[4:]).max() < np.abs(grad[:4]).max()


@pytest.mark.parametrize("optimizer", [SGD(), OPTIMIZERS["adamw"](), Muon()], ids=name_of)
def test_sparse_samples_train_the_same_network(optimizer):
    dense, sparse = (
        make_problem(first=SlowLinear(4), optimizer=optimizer, sparse=sparse, weight_decay=0.1)
        for sparse in (True, True)
    )
    dense = replace(dense, samples=as_samples(dense.samples[:].toarray()))

    np.testing.assert_allclose(solve(sparse).theta, solve(dense).theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [OPTIMIZERS["adamw"](), ScheduleFree()], ids=name_of)
def test_threads_that_share_the_parameters_change_next_to_nothing(optimizer):
    def train(n_workers):
        problem = make_problem(optimizer=optimizer, weight_decay=0.1, max_grad_norm=0.5)
        model = Model(problem)
        with Crew(n_workers) as crew:
            running = Stack([model], crew)
            for _ in range(3):
                running.run_epoch()
            return running._arrays.theta.copy()

    np.testing.assert_allclose(train(3), train(1), rtol=1e-10, atol=1e-12)


def test_muon_steps_orthogonally_along_matrices_and_as_adamw_along_all_else():
    options = {"weight_decay": 0.1, "max_iter": 3}
    muon = make_problem(first=Own(), optimizer=Muon(), **options)
    layout, before = muon.objective.network.layout, muon.state.theta.copy()
    one = solve(make_problem(first=Own(), optimizer=Muon(), alpha=0, **ONE_STEP)).theta
    adamw = OPTIMIZERS["adamw"]()
    other = solve(make_problem(first=Own(), optimizer=adamw, alpha=0, **ONE_STEP)).theta
    is_matrix = np.zeros(layout.size, bool)
    for where, _ in layout.matrices():
        is_matrix[where] = True

    assert np.all(solve(muon).theta != before)
    np.testing.assert_array_equal(one[~is_matrix], other[~is_matrix])
    for where, shape in layout.matrices():
        singular = np.linalg.svd((before - one)[where].reshape(shape), compute_uv=False)
        scale = 0.01 * np.sqrt(max(1, shape[1] / shape[0]))
        assert np.all((singular > 0.5 * scale) & (singular < 1.5 * scale))


# Clipping and decay, in one step of gradient descent.


def gradient_of(problem):
    """Return the gradient at the beginning, of all samples."""
    _, grad = problem.objective.value_and_grad(
        problem.state.theta.copy(), problem.samples[:], problem.y
    )
    return grad


WHOLE = {"batch_size": 50, "max_iter": 1, "shuffle": False, "learning_rate": 0.25}


@pytest.mark.parametrize("limit", [1e-3, 0.1, 1e3])
def test_a_gradient_is_cut_to_its_norm(limit):
    options = WHOLE | {"optimizer": SGD(momentum=0.0)}
    problem = stacks.make_problem(max_grad_norm=limit, **options)
    theta, grad = problem.state.theta.copy(), gradient_of(problem)
    norm = np.linalg.norm(grad)
    state = solve(problem)

    step = (theta - state.theta) / 0.25
    np.testing.assert_allclose(step, grad * min(1, limit / (norm + 1e-6)), rtol=1e-9, atol=1e-12)
    assert 0.1 < norm < 1e3  # so that the limits are on both sides


def test_weight_decay_shrinks_the_weights_and_nothing_else():
    plain, decayed = (
        stacks.make_problem(
            weight_decay=d, optimizer=SGD(momentum=0.0), normalization="layer", **WHOLE
        )
        for d in (0.0, 0.8)
    )
    theta, n = plain.state.theta.copy(), plain.objective.network.layout.n_penalized
    plain, decayed = solve(plain).theta, solve(decayed).theta

    np.testing.assert_allclose(plain[:n] - decayed[:n], 0.25 * 0.8 * theta[:n], atol=1e-14)
    np.testing.assert_array_equal(plain[n:], decayed[n:])
