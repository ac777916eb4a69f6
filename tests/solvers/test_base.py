"""What a problem says of itself, and what a solver is that promises nothing more."""

from dataclasses import replace

import numpy as np
import pytest

from sknn import solvers
from sknn.solvers import Solver
from tests.solvers.problems import make_problem, solve


class Halving(Solver):
    """Halves the parameters; knows nothing of stacks."""

    def __init__(self):
        self.calls = []

    def minimize(self, problems):
        self.calls.append(len(problems))
        for problem in problems:
            problem.state.theta /= 2
        return [problem.state for problem in problems]


def test_a_solver_of_ones_own_only_has_to_minimize():
    problems = [replace(make_problem(seed), solver=Halving()) for seed in range(3)]
    thetas = [problem.state.theta.copy() for problem in problems]
    states = solvers.solve(problems)

    for state, theta in zip(states, thetas, strict=True):
        np.testing.assert_array_equal(state.theta, theta / 2)
    assert [problem.solver.calls for problem in problems] == [[1]] * 3


def test_a_plain_solver_is_the_same_for_all_samples_and_carries_nothing():
    solver, problem = Halving(), make_problem()

    assert solver.for_samples(1) is solver
    assert solver.moment_names() == set()
    assert solver.stack_key(problem) is None
    assert solver.bytes_per_model(problem) == problem.state.theta.nbytes


@pytest.mark.parametrize(("rows", "n_samples"), [(None, 50), (np.array([3, 1, 4]), 3)])
def test_the_samples_of_a_problem_are_those_it_is_trained_on(rows, n_samples):
    assert make_problem(rows=rows).n_samples == n_samples


def test_a_single_epoch_has_nothing_in_common_with_others():
    problem = make_problem()

    assert problem.key == problem.solver.stack_key(problem) is not None
    assert replace(problem, one_epoch=True).key is None


def test_the_state_of_a_problem_is_consumed():
    problem = make_problem(max_iter=500, tol=10.0, n_iter_no_change=1)

    assert solve(problem) is problem.state
