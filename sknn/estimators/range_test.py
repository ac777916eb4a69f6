"""The range test: which learning rates lower the loss, and which of them to take."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._math import Array
from sknn.schedules import Constant
from sknn.solvers import Problem, Stochastic

if TYPE_CHECKING:
    import pandas as pd

RATES = np.logspace(-6, 1, 29)
"""The learning rates that are tried, four to a decade."""

STEPS = 60
"""Steps that each of them trains for, rounded up to whole epochs."""

CAUTION = 3.0
"""The rate with the lowest loss after so few steps is divided by this, since it has to be stable
for a whole training."""


def find_rate(problem: Problem) -> tuple[float, pd.DataFrame]:
    """Return a learning rate for a problem, and the losses at the rates that were tried.

    Copies of the network are trained for a few dozen steps, all rates together as one stack.

    Parameters
    ----------
    problem : Problem
        With a stochastic solver; left as it is.

    References
    ----------
    Smith, L. N., "Cyclical learning rates for training neural networks", WACV 2017.
    """
    import pandas as pd

    solver = problem.solver
    assert isinstance(solver, Stochastic)
    rows = np.arange(len(problem.y)) if problem.rows is None else problem.rows
    n_steps = math.ceil(len(rows) / solver.batch_size)
    if n_steps > STEPS:  # as many as they see
        rows = np.random.RandomState(0).choice(rows, STEPS * solver.batch_size, replace=False)
    n_epochs = math.ceil(STEPS / n_steps)
    trials = [_make_trial(problem, solver, float(rate), n_epochs, rows) for rate in RATES]
    if isinstance(problem.X, np.ndarray):
        states = solver.minimize(trials)
    else:  # sparse rows are not stacked
        states = [state for trial in trials for state in solver.minimize([trial])]
    losses = np.array([state.loss if state.n_iter == n_epochs else np.inf for state in states])
    losses[~np.isfinite(losses)] = np.inf
    curve = pd.DataFrame({"learning_rate": RATES, "loss": losses})
    if not np.isfinite(losses).any():
        raise ValueError(
            "learning_rate_init='auto' found no rate at which training does not diverge, from "
            f"{RATES[0]:g} to {RATES[-1]:g}: scale X (and, in regression, y)."
        )
    return float(RATES[losses.argmin()] / CAUTION), curve


def _make_trial(
    problem: Problem, solver: Stochastic, rate: float, n_epochs: int, rows: Array
) -> Problem:
    """Return a copy of a problem that is trained on rows at a constant rate for some epochs."""
    settings: dict[str, Any] = vars(solver) | {
        "schedule": Constant(),
        "learning_rate": rate,
        "max_iter": n_epochs,
        "n_iter_no_change": math.inf,
        "target_loss": None,
        "max_time": None,
        "max_batch_size": None,
        "recovers": False,
    }
    return replace(
        problem,
        solver=Stochastic(**settings),
        state=copy.deepcopy(problem.state),
        rows=rows,
        rng=np.random.RandomState(0),
        rng_is_own=True,
        validate=None,
        stops_early=False,
        one_epoch=False,
        before_epoch=None,
        after_epoch=None,
        verbose=False,
    )
