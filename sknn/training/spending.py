"""What parts of a training cost, before they are made or after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sknn.losses import Loss
from sknn.network import CHUNK, Network
from sknn.solvers import LBFGS, RATES, Problem, Stochastic
from sknn.solvers.cost import (
    Costs,
    entries_per_row,
    evaluation_operations,
    prediction_operations,
    validation_operations,
)
from sknn.training.data import HeldOut


def validation_cost(network: Network, loss: Loss, held_out: HeldOut | None, scoring: Any) -> int:
    """Return how many operations it takes to validate after an epoch."""
    if held_out is None:
        return 0
    about = network, loss, held_out.n_samples, entries_per_row(held_out.samples)
    cost = validation_operations(*about, predicts=scoring is None)
    return cost + (prediction_operations(*about) if scoring not in (None, "loss") else 0)


def cost_on_all_rows(problem: Problem, n_epochs: int) -> int:
    """Return how many operations so many epochs take on all rows, without validation."""
    whole = replace(problem, rows=None, validation_operations=0)
    solver = problem.solver
    if isinstance(solver, LBFGS):  # a line search takes an evaluation most times
        return evaluation_operations(whole) * (n_epochs + 1)
    assert isinstance(solver, Stochastic)
    costs = Costs.of(whole, min(solver.batch_size, whole.n_samples), whole.n_samples)
    return costs.of_steps(costs.n_steps) * n_epochs


def peak_bytes(problem: Problem, arrays: Iterable[Any], n_rows: int, has_range_test: bool) -> int:
    """Return about how much memory a training needs: its data, and training or then predicting.

    Parameters
    ----------
    problem : Problem
    arrays : iterable
        Those of the data, None among them.
    n_rows : int
        Samples in all.
    has_range_test : bool
        Whether many rates have been tried at once.
    """
    theta, network, solver = problem.state.theta, problem.objective.network, problem.solver
    data = sum(each.nbytes for each in arrays if each is not None)
    n_numbers = min(n_rows, CHUNK) * network.n_units_at_once(problem.samples.is_dense)
    predicting = n_numbers * theta.itemsize + len(solver.moment_names()) * theta.nbytes
    training = solver.bytes_per_model(problem)
    if has_range_test and problem.samples.is_dense:
        training = max(training, len(RATES) * (training + theta.nbytes))
    return data + 2 * theta.nbytes + max(training, predicting)
