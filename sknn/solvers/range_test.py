"""The range test: which learning rates lower the loss, and which of them to take."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np

from sknn._math import Array
from sknn.ledger import NOTHING
from sknn.schedules import Constant
from sknn.solvers._base import Problem
from sknn.solvers.cost import Costs
from sknn.solvers.stochastic import Stochastic
from sknn.streamed import Streamed

RATES = np.logspace(-6, 1, 29)
"""The learning rates that are tried, four to a decade."""

STEPS = 60
"""Steps that each of them trains for, rounded up to whole epochs."""

CAUTION = 3.0
"""The rate with the lowest loss after so few steps is divided by this, since it has to be stable
for a whole training."""

LEARNS = 0.1
"""Too small is a rate that lowers the loss by less than this share of what the best one does."""

STABLE = 0.8
"""Too large is a rate that lowers the loss by less than this share of what the best one does."""


def choose_rates(rates: Array, losses: Array) -> tuple[float, float, float]:
    """Return the ends of the range that is worth a search, and a rate in it to train with.

    Parameters
    ----------
    rates, losses : ndarray of shape (n_rates,)
        Ascending learning rates, and the loss that each has reached; not finite if it diverged.

    Returns
    -------
    low, high : float
        The smallest and the largest of the rates around the best one that are neither too small
        nor too large.
    rate : float
        The best one divided by `CAUTION`, within the range.
    """
    is_finite = np.isfinite(losses)
    if not is_finite.any():
        raise ValueError(
            "Training diverged at every learning rate of the range test, from "
            f"{rates[0]:g} to {rates[-1]:g}. Scale X (and, in regression, y), for example with "
            "StandardScaler."
        )
    gains = np.where(is_finite, losses[is_finite][0] - losses, -np.inf)
    best = int(np.argmax(gains))
    low = high = best
    while low > 0 and gains[low - 1] >= LEARNS * gains[best]:
        low -= 1
    while high < len(rates) - 1 and gains[high + 1] >= STABLE * gains[best]:
        high += 1
    if low == high:  # no rate helped notably more than its neighbours
        low, high = max(low - 1, 0), min(high + 1, len(rates) - 1)
    rate = max(rates[best] / CAUTION, rates[low])
    return float(rates[low]), float(rates[high]), float(rate)


def find_rate(problem: Problem) -> tuple[float, Array, int]:
    """Return a rate for a problem, the losses at `RATES`, which were tried, and the operations.

    Copies of the network are trained for a few dozen steps, all rates together as one stack.

    Parameters
    ----------
    problem : Problem
        With a stochastic solver; left as it is.

    Returns
    -------
    rate : float
        The rate to train with.
    losses : ndarray
        One for each of `RATES` that was tried.
    operations : int
        What it has cost.

    References
    ----------
    Smith, L. N., "Cyclical learning rates for training neural networks", WACV 2017.
    """
    trials = make_trials(problem, RATES)
    solver = trials[0].solver
    assert isinstance(solver, Stochastic)
    n_epochs = solver.max_iter
    if problem.samples.is_dense:
        states = solver.minimize(trials)
    else:  # sparse rows are not stacked
        states = [state for trial in trials for state in solver.minimize([trial])]
    # One that diverges ends before its time.
    losses = np.array([state.loss if state.n_iter == n_epochs else np.nan for state in states])
    _, _, rate = choose_rates(RATES, losses)
    return rate, losses, sum(state.spent.operations for state in states)


def count_operations(problem: Problem) -> int:
    """Return how many operations the range test of a problem takes at most."""
    [trial] = make_trials(problem, RATES[:1])
    solver = trial.solver
    assert isinstance(solver, Stochastic)
    costs = Costs.of(trial, solver.batch_size, trial.n_samples)
    return len(RATES) * solver.max_iter * costs.of_steps(costs.n_steps)


def make_trials(problem: Problem, rates: Array) -> list[Problem]:
    """Return the trials of a range test, one for each rate; the problem is left as it is."""
    solver = problem.solver
    assert isinstance(solver, Stochastic)
    solver = solver.here()
    if problem.samples.n_elsewhere is not None:
        problem = problem.in_memory(np.arange(len(problem.y)))
    rows = np.arange(len(problem.y)) if problem.rows is None else problem.rows
    n_steps = math.ceil(len(rows) / solver.batch_size)
    if n_steps > STEPS:  # as many as they see
        rows = np.random.RandomState(0).choice(rows, STEPS * solver.batch_size, replace=False)
    n_epochs = math.ceil(STEPS / n_steps)
    if isinstance(problem.samples, Streamed):  # all rates see the same few rows
        problem = problem.in_memory(rows)
        rows = np.arange(len(rows))
    return [_make_trial(problem, solver, float(rate), n_epochs, rows) for rate in rates]


def _make_trial(
    problem: Problem, solver: Stochastic, rate: float, n_epochs: int, rows: Array
) -> Problem:
    """Return a copy of a problem that is trained on rows at a constant rate for some epochs."""
    solver = solver.changed(
        schedule=Constant(),
        learning_rate=rate,
        max_iter=n_epochs,
        n_iter_no_change=math.inf,
        target_loss=None,
        max_time=None,
        max_batch_size=None,
        max_operations=None,
        recovers=False,
    )
    return replace(
        problem,
        solver=solver,
        state=replace(copy.deepcopy(problem.state), spent=NOTHING),
        rows=rows,
        rng=np.random.RandomState(0),
        rng_is_own=True,
        validate=None,
        validation_operations=0,
        stops_early=False,
        one_epoch=False,
        before_epoch=None,
        after_epoch=None,
        keep=None,
        verbose=False,
    )
