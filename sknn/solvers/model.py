"""One model of a stack: its rows, its numbers and its bookkeeping."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.solvers._base import Problem
from sknn.solvers.batches import Rows
from sknn.solvers.stopping import Monitor, not_converged


class Model:
    """One model while it is trained.

    Parameters
    ----------
    problem : Problem
        Its solver is stochastic.

    Attributes
    ----------
    rows : Rows
        Its rows, which models with the same rows and draws may share.
    is_training : bool
        Whether it has not finished yet.
    settles_draws : bool
        Whether its random state, which somebody else may use afterwards, may go on being drawn
        from for other models when this one has finished.
    moments : dict of ndarray
        The optimizer's arrays, in the units of its `step`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.solver: Any = problem.solver
        solver = self.solver
        self.state = problem.state
        self.is_training = True
        self.settles_draws = False
        rng = problem.rng if solver.shuffle else None
        self.rows = Rows(problem.X, problem.y, problem.sample_weight, problem.rows, rng)
        self.monitor = Monitor(problem, solver.tol, solver.n_iter_no_change, solver.target_loss)
        self.moments = self.state.moments or solver.optimizer.init(self.state.theta)
        for name, unit in solver.optimizer.moment_units().items():
            np.divide(self.moments[name], unit, out=self.moments[name], casting="same_kind")
        self._draws_at_end: Any = None

    @property
    def rate(self) -> float:
        """The learning rate of the coming epoch."""
        multiplier = self.solver.schedule.multiplier(self.state.n_epochs, self.state.t)
        return self.solver.learning_rate * multiplier * self.state.plateau_factor

    def end_epoch(self, loss: float, theta: Array, rate: float, n_steps: int) -> bool:
        """Do the bookkeeping of an epoch; return whether it was the last."""
        try:
            return self._end_epoch(loss, theta, rate, n_steps)
        except Exception as error:  # from validation; the other models of the stack go on
            self.state.ending = error
            return True

    def finish(self) -> None:
        """End the training with what the stack has released."""
        self.is_training = False
        for name, unit in self.solver.optimizer.moment_units().items():
            np.multiply(self.moments[name], unit, out=self.moments[name], casting="same_kind")
        self.state.moments = self.moments
        self.monitor.finish()
        if self.settles_draws:
            self._draws_at_end = self.rows.draws

    def settle_draws(self) -> None:
        """Leave the problem's random state where it would be had the model trained alone."""
        if self._draws_at_end is not None:
            self.problem.rng.set_state(self._draws_at_end)

    def _end_epoch(self, loss: float, theta: Array, rate: float, n_steps: int) -> bool:
        state = self.state
        state.n_epochs += 1
        state.n_steps += n_steps
        state.t += self.rows.order.size
        reason = self.monitor.end_epoch(loss, theta, rate)
        if reason == "plateau":
            reason = self._after_plateau(rate)
        if reason or self.problem.one_epoch:
            return True
        if state.n_iter == self.solver.max_iter:
            state.ending = not_converged(self.solver.max_iter)
            return True
        return False

    def _after_plateau(self, rate: float) -> str | None:
        message, factor = self.monitor.plateau_message(), self.solver.schedule.after_plateau(rate)
        if factor is None:
            message += f" {self.solver.schedule.farewell}"
        else:
            self.state.plateau_factor *= factor
            self.state.n_no_change = 0
            message += f" Setting learning rate to {rate * factor:f}"
        if self.problem.verbose:
            print(message)
        return "plateau" if factor is None else None


def arrange(models: list[Model]) -> list[Model]:
    """Return models in the order in which a stack wants them; let them share equal rows."""
    distinct: list[Rows] = []
    for model in models:
        equal = next((rows for rows in distinct if rows.equals(model.rows)), None)
        if equal is None:
            distinct.append(model.rows)
        else:
            model.rows = equal
    users = Counter(id(model.problem.rng) for model in models)
    for model in models:
        is_alone = users[id(model.problem.rng)] == 1
        model.settles_draws = model.solver.shuffle and is_alone and not model.problem.rng_is_own
    place = {id(rows): i for i, rows in enumerate(distinct)}
    return sorted(models, key=lambda model: (model.rows.order.size, place[id(model.rows)]))
