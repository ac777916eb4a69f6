"""Problems of one call train as stacks, wherever they come up."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn import solvers
from sknn.layers import Affine, Layer, Linear
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import SGD
from sknn.parameters import free
from sknn.solvers import ALONE, MEETING, TrainingState, grouping, train
from sknn.solvers.grouping import stack_size
from tests.solvers.problems import make_problem, solve

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make_all():
    """Return problems of two structures, some that are not stacked, and one of lbfgs."""
    return [
        make_problem(0),
        make_problem(1, optimizer=SGD()),
        make_problem(2),
        make_problem(3, is_sparse=True),
        make_problem(4, optimizer=SGD()),
        make_problem(5, lbfgs=True),
        make_problem(6),
    ]


def test_problems_of_one_structure_are_one_stack_and_come_back_in_order(stack_sizes):
    states = solvers.solve(make_all())

    assert sorted(stack_sizes) == [1, 2, 3]  # lbfgs is not counted
    for problem, state in zip(make_all(), states, strict=True):
        np.testing.assert_array_equal(state.theta, solve(problem).theta)


def test_a_meeting_is_handed_all_that_can_be_stacked():
    seen = []

    def meet(problems):
        seen.append(len(problems))
        return train(problems)

    token = MEETING.set(meet)
    try:
        states = solvers.solve(make_all())
    finally:
        MEETING.reset(token)

    assert seen == [5]  # neither lbfgs nor sparse samples
    for problem, state in zip(make_all(), states, strict=True):
        np.testing.assert_array_equal(state.theta, solve(problem).theta)


def test_a_single_epoch_meets_nobody():
    assert replace(make_problem(), one_epoch=True).key is None


def test_problems_that_only_want_another_thread_are_not_stacked(stack_sizes):
    growing = [make_problem(m, max_batch_size=32) for m in range(2)]

    assert {problem.key for problem in growing} == {ALONE}
    train(growing)
    assert stack_sizes == [1, 1]


def test_each_problem_says_its_own_at_the_end():
    problems = [replace(make_problem(m), explain=lambda state, m=m: f" ({m})") for m in range(2)]
    with pytest.warns(ConvergenceWarning) as caught:
        solvers.solve(problems)

    assert [str(w.message)[-4:] for w in caught] == [" (0)", " (1)"]


def test_the_error_of_a_validation_is_raised():
    def fail(theta):
        raise KeyError("no score")

    problems = [make_problem(0), replace(make_problem(1), validate=fail, stops_early=True)]
    with pytest.raises(KeyError, match="no score"):
        solvers.solve(problems)


def test_after_ctrl_c_no_other_stack_is_trained():
    def interrupt(theta):
        raise KeyboardInterrupt

    first = [replace(make_problem(m), validate=interrupt, stops_early=True) for m in range(2)]
    other = make_problem(5, optimizer=SGD())
    before = other.state.theta.copy()
    with pytest.warns(UserWarning, match="interrupted"):
        states = solvers.solve([*first, other])

    assert [state.is_interrupted for state in states] == [True] * 3
    np.testing.assert_array_equal(states[2].theta, before)
    assert states[2].n_iter == 0


class Rated(Layer):
    """An affine layer whose scale and shift have a rate of their own."""

    def __init__(self, rate):
        self.rate = rate

    def parameters(self, n_in):
        return {n: free((n_in,), f"rated_.{n}", rate=self.rate) for n in ("scale", "shift")}

    def initialize(self, parameters, draw, rng):
        parameters["scale"].fill(1)

    def bind(self, site):
        return Affine().bind(site)

    def apply(self, x, parameters):
        return Affine().apply(x, parameters)


def make_rated(*rates):
    """Return a problem with layers of equal size that train at rates of their own."""
    layers = [*(Rated(float(rate)) for rate in rates), Linear(1, output_major=True)]
    problem = make_problem(max_iter=4, max_grad_norm=0.1)
    network = Network(layers, 4)
    theta = np.linspace(-1, 1, network.layout.size)
    objective = Objective(network, problem.objective.loss, problem.objective.penalty, 0.1)
    return replace(problem, objective=objective, state=TrainingState(theta))


@pytest.mark.parametrize("rates", [(2, 2, 3), (2, 3, 3), (0, 3, 2), (2, 0, 2), (4, 6, 4)])
def test_only_models_with_the_same_parameters_at_the_same_places_are_stacked(rates):
    first, other = make_rated(2, 3, 2), make_rated(*rates)
    states = solvers.solve([first, other])

    assert (first.key == other.key) == (rates == (4, 6, 4))
    np.testing.assert_array_equal(states[0].theta, solve(make_rated(2, 3, 2)).theta)
    np.testing.assert_array_equal(states[1].theta, solve(make_rated(*rates)).theta)


def test_ctrl_c_is_over_with_its_call():
    def interrupt(theta):
        raise KeyboardInterrupt

    problem = replace(make_problem(), validate=interrupt, stops_early=True)
    with pytest.warns(UserWarning, match="interrupted"):
        state = solve(problem)
    assert state.is_interrupted
    assert not state.for_next_call(state.theta).is_interrupted
    states = solvers.solve([replace(make_problem(), state=state), make_problem(1, optimizer=SGD())])

    assert [s.is_interrupted for s in states] == [False, False]
    assert all(s.n_iter > 0 for s in states)


def test_memory_bounds_a_stack():
    problem = make_problem()
    bytes_each = problem.solver.bytes_per_model(problem)

    assert stack_size(problem, 10, np.inf) == 10
    assert stack_size(problem, 100, np.inf) == 64
    assert stack_size(problem, 10, 3.5 * bytes_each) == 3
    assert stack_size(problem, 10, 0) == 1


def test_a_stack_has_a_model_for_each_thread_if_there_is_memory(monkeypatch):
    problem = make_problem()
    size = problem.solver.bytes_per_model(problem)
    monkeypatch.setattr(grouping, "MIN_WORKING_SET", 0)
    monkeypatch.setattr(grouping, "cache_bytes", lambda: 0)
    monkeypatch.setattr(grouping, "count_threads", lambda: 3)

    assert stack_size(problem, 10, np.inf) == 3
    assert stack_size(problem, 10, 2.5 * size) == 2
