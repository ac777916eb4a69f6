"""One model of a stack: its rows, its numbers and its bookkeeping."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from sknn._math import Array
from sknn._random import make_words
from sknn.averaging import follow
from sknn.network import CHUNK
from sknn.solvers._base import Problem
from sknn.solvers.batches import Rows
from sknn.solvers.stopping import Epoch, Monitor, not_converged

GOOD = 1.0
"""By this multiple of the best loss, or of 1, a loss is above it in an epoch that is still good."""

LOST = 100.0
"""By this multiple it is above it in an epoch that has diverged."""


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
    batch_size : int
        Samples in a batch of the coming epoch.
    rate : float
        The learning rate of the current epoch.
    is_training : bool
        Whether it has not finished yet.
    settles_draws : bool
        Whether its random state, which somebody else may use afterwards, may go on being drawn
        from for other models when this one has finished.
    moments : dict of ndarray
        The optimizer's arrays, in the units of its `step`, and the average of the parameters.
    noise : ndarray of uint64, shape (batch_size, n_noise)
        The state of the random numbers of the network's layers.
    rng : Generator or None
        The random numbers of the augmentation, if there is any.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.solver: Any = problem.solver
        solver = self.solver
        self.state = problem.state
        self.is_training = True
        self.settles_draws = False
        self.batch_size = solver.batch_size
        self.rate = 0.0
        rng = problem.rng if solver.shuffle else None
        self.rows = Rows(problem.X, problem.y, problem.sample_weight, problem.rows, rng)
        stopping = solver.tol, solver.n_iter_no_change, solver.target_loss, solver.max_time
        self.monitor = Monitor(problem, *stopping)
        self.moments = self._begin_moments()
        self._seed = (*problem.seed, self.state.n_epochs)
        self.rng: Any = None
        if problem.augmentation is not None:
            self.rng = np.random.Generator(np.random.PCG64((*self._seed, 1)))
        self.resize(solver.batch_size)
        self._last_good: Any = None
        if solver.recovers:
            self._few = np.sort(self.rows.order[:CHUNK])
            self._best_loss = self._good_loss = self._loss_of(self.state.theta)
            self._is_good = True
            # A single epoch has nobody who would see what it has begun.
            self._lost = GOOD if problem.one_epoch else LOST
            self._keep(self.state.theta, self.moments)
        self._draws_at_end: Any = None

    def resize(self, batch_size: int) -> None:
        """Change the size of the batches."""
        self.batch_size = batch_size
        self.noise = make_words(self._seed, batch_size, self.problem.objective.network.n_noise)

    def begin_epoch(self) -> None:
        """Choose the learning rate of the coming epoch, and say that it begins."""
        state, solver = self.state, self.solver
        try:
            multiplier = solver.schedule.multiplier(state.n_epochs, solver.max_iter, state.t)
            if not (math.isfinite(multiplier) and multiplier >= 0):
                raise ValueError(
                    f"learning_rate must give a finite number of at least 0; for epoch "
                    f"{state.n_epochs} {type(solver.schedule).__name__} gave {multiplier!r}."
                )
            self.rate = solver.learning_rate * multiplier * state.plateau_factor
            if self.problem.before_epoch is not None:
                self.problem.before_epoch()
        except Exception as error:  # of users' code; the other models of the stack go on
            self.state.ending = error

    def end_epoch(
        self, epoch: Epoch, theta: Array, moments: dict[str, Array], n_steps: int
    ) -> bool:
        """Do the bookkeeping of an epoch; return whether it was the last.

        Parameters
        ----------
        epoch : Epoch
        theta, moments : ndarray, dict of ndarray
            Views of the parameters and the moments.
        n_steps : int
            How many steps the epoch had.
        """
        if self.state.ending is not None:
            return True
        try:
            return self._end_epoch(epoch, theta, moments, n_steps)
        except Exception as error:  # from validation; the other models of the stack go on
            self.state.ending = error
            return True

    def finish(self) -> None:
        """End the training with what the stack has released."""
        self.is_training = False
        if self.solver.recovers and not self._is_good and not self.problem.one_epoch:
            # The last epoch was lost, or on the way there.
            self.state.theta, self.moments = self._last_good
            self.state.loss = self._good_loss
        for name, unit in self.solver.optimizer.moment_units().items():
            np.multiply(self.moments[name], unit, out=self.moments[name], casting="same_kind")
        if "average" in self.moments:
            self.moments["iterate"] = self.state.theta
            self.state.theta = self.moments["average"].copy()
        self.state.moments = self.moments
        self.monitor.finish()
        if self.settles_draws:
            self._draws_at_end = self.rows.draws

    def settle_draws(self) -> None:
        """Leave the problem's random state where it would be had the model trained alone."""
        if self._draws_at_end is not None:
            self.problem.rng.set_state(self._draws_at_end)

    def _begin_moments(self) -> dict[str, Array]:
        """Return the optimizer's arrays, those of an earlier call if there are any."""
        state, optimizer = self.state, self.solver.optimizer
        moments = state.moments
        if moments is None:
            moments = optimizer.init(state.theta)
            if self.solver.averaging is not None:
                moments["average"] = state.theta.copy()
        # Training goes on from where it was, not from the average that was published.
        state.theta = moments.pop("iterate", state.theta)
        for name, unit in optimizer.moment_units().items():
            np.divide(moments[name], unit, out=moments[name], casting="same_kind")
        return moments

    def _end_epoch(
        self, epoch: Epoch, theta: Array, moments: dict[str, Array], n_steps: int
    ) -> bool:
        state, solver = self.state, self.solver
        if solver.averaging is not None:
            weight = solver.averaging.epoch_weight(state.n_epochs, solver.max_iter)
            if weight is not None:
                follow(moments["average"], theta, weight, np.empty_like(theta))
        if "average" in moments:
            # Statistics are running means already.
            n_trained = self.problem.objective.network.layout.n_trained
            moments["average"][n_trained:] = theta[n_trained:]
        state.n_epochs += 1
        state.n_steps += n_steps
        state.t += self.rows.order.size
        is_lost = solver.recovers and self._recovers(theta, moments)
        reason = self.monitor.end_epoch(epoch, moments.get("average", theta), is_lost)
        if reason == "plateau":
            reason = self._after_plateau(epoch.rate)
        state.has_converged = reason == "plateau"
        if reason or self.problem.one_epoch:
            return True
        if state.n_iter == solver.max_iter:
            if not solver.schedule.is_finite:
                state.ending = not_converged(solver.max_iter)
            return True
        return False

    def _recovers(self, theta: Array, moments: dict[str, Array]) -> bool:
        """Go back to the last good epoch if this one has diverged; return whether it has.

        The rate is halved; if that does not help it is divided by 4, 8 and so on, so that a few
        epochs lead from any rate to one that works.
        """
        state, best = self.state, self._best_loss
        # The loss of the epoch's batches says nothing of what the last step has done.
        loss = self._loss_of(theta)
        excess = (loss - best) / max(abs(best), 1.0) if math.isfinite(best) else loss - loss
        if excess <= self._lost and self._is_finite(theta):
            # In between it may be on its way to the divergence, or come back by itself.
            self._is_good = excess <= GOOD
            if self._is_good:
                self._keep(theta, moments)
                self._good_loss, state.n_in_vain = loss, 0
            self._best_loss = min(best, loss)
            return False
        good_theta, good_moments = self._last_good
        theta[...] = good_theta
        for name, array in good_moments.items():
            moments[name][...] = array
        self._is_good = False
        state.n_in_vain += 1
        factor = 0.5**state.n_in_vain
        state.n_recoveries += 1
        state.recovered_at = state.n_iter + 1
        state.recovery_factor *= factor
        state.plateau_factor *= factor
        return True

    def _is_finite(self, theta: Array) -> bool:
        if not np.isfinite(theta).all():
            return False
        return self.problem.objective.predicts_finite(theta, self.rows.X)

    def _loss_of(self, theta: Array) -> float:
        """Return the loss of parameters, on the same few rows in every epoch."""
        objective, rows, few = self.problem.objective, self.rows, self._few
        network, X = objective.network, rows.X[few].astype(theta.dtype, copy=False)
        raw = network.predict(X, network.layout.views(theta)).astype(np.float64)
        with np.errstate(all="ignore"):
            values = objective.loss.sample_values(raw, rows.y[few].T)
        loss = float(objective.reported(values.mean(dtype=np.float64), 0.0))
        return loss if math.isfinite(loss) else math.inf

    def _keep(self, theta: Array, moments: dict[str, Array]) -> None:
        """Keep copies for a later recovery."""
        self._last_good = theta.copy(), {name: array.copy() for name, array in moments.items()}

    def _after_plateau(self, rate: float) -> str | None:
        message, schedule = self.monitor.plateau_message(), self.solver.schedule
        factor = schedule.after_plateau(rate, self.state.n_epochs - 1)
        if factor is None:
            message += f" {schedule.farewell}"
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
