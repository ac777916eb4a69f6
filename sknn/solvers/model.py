"""One model of a stack: its rows, its numbers and its bookkeeping."""

from __future__ import annotations

import copy
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from sknn._crew import count_threads, is_large
from sknn._math import Array
from sknn._random import make_words
from sknn.averaging import follow
from sknn.network import CHUNK
from sknn.solvers._base import Problem
from sknn.solvers.batches import Rows, make_rows
from sknn.solvers.cost import Costs
from sknn.solvers.state import Good, Position, TrainingState
from sknn.solvers.stopping import Epoch, Monitor, not_converged

GOOD = 1.0
"""An epoch is good if its loss exceeds the best one by no more than this share of it.

Shares are of the best loss, or of 1 if that is smaller.
"""

LOST = 100.0
"""An epoch has diverged if its loss exceeds the best one by more than this share of it."""

SCHEDULED = {
    "schedule": "learning_rate",
    "decay_schedule": "The schedule of weight decay",
    "noise_schedule": "The schedule of dropout",
}
"""What users call the schedules of a solver."""


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
    n_full, n_seen, n_steps : int
        The number of full batches of an epoch, of samples that it visits, and of its steps.
    rate : float
        The learning rate of the current epoch, of its first step if it changes.
    rates, decay_levels, noise_levels : float or ndarray of shape (n_steps,)
        The learning rate of each of the epoch's steps, and what weight decay and the rates of
        random changes are multiplied by; one number where they do not change.
    n_allowed, n_visited : int
        Steps of the current epoch that are made, and the samples that they visit: fewer where a
        budget of operations ends.
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
        self.rate = 0.0
        self.rates: float | Array = 0.0
        self.decay_levels: float | Array = 1.0
        self.noise_levels: float | Array = 1.0
        rng = problem.rng if solver.shuffle else None
        self.rows = make_rows(problem.samples, problem.y, problem.sample_weight, problem.rows, rng)
        stopping = solver.tol, solver.n_iter_no_change, solver.target_loss, solver.max_time
        self.monitor = Monitor(problem, *stopping)
        position = self._checked_position() if problem.goes_on else None
        self.moments = {} if position else self._begin_moments()
        # By the epochs before the current call.
        self._seed = (*problem.seed, self.state.n_epochs - self.state.n_iter)
        self.rng: Any = None
        if problem.augmentation is not None:
            self.rng = np.random.Generator(np.random.PCG64((*self._seed, 1)))
        self.resize(solver.batch_size)
        self._good: Good | None = None
        if solver.recovers:
            self._few = self.rows.few(CHUNK)
            # A single epoch has nobody who would see what it has begun.
            self._lost = GOOD if problem.one_epoch else LOST
            if position is None:
                self._good = self._as_good(self.state.theta, self.moments)
        self._draws_at_end: Any = None
        if position is not None:
            self._go_on(position)

    def _checked_position(self) -> Position:
        """Return where the training was cut; raise ValueError if that was another one."""
        position, problem = self.state.position, self.problem
        if position is None:
            raise ValueError("A training can only go on from a state with a position.")
        same_rows = self.rows.is_order(position.order)
        if not same_rows or set(position.moments) != self.solver.moment_names() - {"iterate"}:
            raise ValueError(
                f"The state is that of another training: it has {position.order.size} rows and the "
                f"moments {sorted(position.moments)}; this one has {problem.n_samples} rows and "
                f"{sorted(self.solver.moment_names() - {'iterate'})}."
            )
        return position

    def _go_on(self, position: Position) -> None:
        """Begin where a training was cut."""
        state = self.state
        if self.problem.stops_early and np.isfinite(state.best_score):
            state.best_theta = state.theta  # the result so far
        state.has_run_out = False
        state.theta, self.moments = position.theta.copy(), _copies(position.moments)
        self._set_batch_size(position.batch_size)
        self.noise = position.noise.copy()
        self.rows.order, self._good = position.order, position.good
        draws = position.draws
        if isinstance(draws, np.random.RandomState):
            draws = draws.get_state()
        if draws is not None:
            self.problem.rng.set_state(draws)
        if position.generator is not None:
            self.rng.bit_generator.state = position.generator

    def _position(self, n_workers: int, is_alone: bool) -> Position:
        """Return what going on needs, at the end of an epoch."""
        # The state of a generator is large: to ask for it takes as long as two steps.
        is_ours = is_alone and self.problem.rng_is_own
        draws = self.rows.generator if is_ours else self.rows.draws
        return Position(
            theta=self.state.theta,
            moments=self.moments,
            batch_size=self.batch_size,
            order=self.rows.order,
            draws=draws,
            noise=self.noise,
            generator=None if self.rng is None else self.rng.bit_generator.state,
            good=self._good,
            n_workers=n_workers,
        )

    def resize(self, batch_size: int) -> None:
        """Change the size of the batches."""
        self._set_batch_size(batch_size)
        self.noise = make_words(self._seed, batch_size, self.problem.objective.network.n_noise)

    def _set_batch_size(self, batch_size: int) -> None:
        n_samples, self.batch_size = self.rows.size, batch_size
        # A batch of all samples counts as a last one.
        self.n_full = n_samples // batch_size if n_samples > batch_size else 0
        self.n_seen = self.solver.count_seen(n_samples, batch_size)
        self.n_steps = -(-self.n_seen // batch_size)
        self.n_allowed, self.n_visited = self.n_steps, self.n_seen
        self._costs = Costs.of(self.problem, batch_size, self.n_seen)

    def begin_epoch(self) -> None:
        """Choose the learning rate of the coming epoch, and say that it begins."""
        state, solver = self.state, self.solver
        if solver.max_operations is not None:
            self.n_allowed = self._costs.steps_within(state.operations_left(solver.max_operations))
            self.n_visited = min(self.n_allowed * self.batch_size, self.n_seen)
        try:
            if solver.schedule.by_step:
                factors = self._by_step("schedule")
                rates = solver.learning_rate * factors * state.plateau_factor
                self.rates, self.rate = rates, float(rates[0])
            else:
                multiplier = solver.schedule.multiplier(state.n_epochs, solver.max_iter, state.t)
                if not 0 <= multiplier < math.inf:
                    self._refuse("schedule", multiplier)
                self.rates = self.rate = solver.learning_rate * multiplier * state.plateau_factor
            if solver.decay_schedule is not None:
                self.decay_levels = self._by_step("decay_schedule")
            if solver.noise_schedule is not None:
                self.noise_levels = self._by_step("noise_schedule")
            if self.problem.before_epoch is not None:
                self.problem.before_epoch()
        except Exception as error:  # of users' code; the other models of the stack go on
            self.state.ending = error

    def _by_step(self, name: str) -> Array:
        """Return the factor of a schedule of the solver for each step of the coming epoch."""
        state, n_epochs = self.state, self.solver.max_iter
        schedule = getattr(self.solver, name)
        factors = np.empty(self.n_steps)
        for step in range(self.n_steps):
            epoch, seen = state.n_epochs + step / self.n_steps, state.t + step * self.batch_size
            factors[step] = schedule.step_multiplier(epoch, n_epochs, seen)
            if not 0 <= factors[step] < math.inf:
                self._refuse(name, float(factors[step]))
        return factors

    def _refuse(self, name: str, multiplier: float) -> None:
        kind = type(getattr(self.solver, name)).__name__
        raise ValueError(
            f"{SCHEDULED[name]} must give a finite number of at least 0; for epoch "
            f"{self.state.n_epochs} {kind} gave {multiplier!r}."
        )

    def end_epoch(self, epoch: Epoch, theta: Array, moments: dict[str, Array]) -> bool:
        """Do the bookkeeping of an epoch; return whether it was the last.

        Parameters
        ----------
        epoch : Epoch
        theta, moments : ndarray, dict of ndarray
            Views of the parameters and the moments.
        """
        if self.state.ending is not None:
            return True
        try:
            return self._end_epoch(epoch, theta, moments)
        except Exception as error:  # from validation; the other models of the stack go on
            self.state.ending = error
            return True

    def finish(self, n_workers: int, is_alone: bool) -> None:
        """End the training with what the stack has released.

        Parameters
        ----------
        n_workers : int
            How many workers have shared its steps.
        is_alone : bool
            Whether no other model may go on drawing from its generator.
        """
        self.is_training = False
        state = self.state
        if self.problem.keeps_state:
            state.position = self._position(n_workers, is_alone)
        if self._good is not None and not self._good.is_latest and not self.problem.one_epoch:
            # The last epoch was lost, or on the way there.
            state.theta, self.moments = self._good.theta, self._good.moments
            state.loss = self._good.loss
        moments = self.moments
        if "average" in moments:
            moments = moments | {"iterate": state.theta}
            state.theta = moments["average"].copy()
        self.monitor.finish()
        if self.problem.keeps_state:
            state.moments, state.moment_units = moments, self.solver.optimizer.moment_units()
            if state.n_threads is None and is_large(state.theta, self.batch_size):
                state.n_threads = count_threads()
        if self.settles_draws and state.position is not None:
            self._draws_at_end = state.position.draws

    def snapshot(self, n_workers: int) -> TrainingState:
        """Return a state from which the training goes on as if it had been cut after this epoch."""
        twin = copy.copy(self)
        twin.problem = replace(self.problem, keeps_state=True)
        twin.state, twin.monitor = self.state.detached(), copy.copy(self.monitor)
        twin.monitor.state = twin.state
        twin.moments, twin.noise = _copies(self.moments), self.noise.copy()
        twin.finish(n_workers, is_alone=False)
        return twin.state

    def settle_draws(self) -> None:
        """Leave the problem's random state where it would be had the model trained alone."""
        if self._draws_at_end is not None:
            self.problem.rng.set_state(self._draws_at_end)

    def _begin_moments(self) -> dict[str, Array]:
        """Return the optimizer's arrays, those of an earlier call if there are any."""
        state, optimizer = self.state, self.solver.optimizer
        if state.moments is None:
            moments = optimizer.init(state.theta)
            if self.solver.averaging is not None:
                moments["average"] = state.theta.copy()
            return moments
        moments = _copies(state.moments)
        # Training goes on from where it was, not from the average that was published.
        state.theta = moments.pop("iterate", state.theta)
        for name, unit in optimizer.moment_units().items():
            factor = unit / state.moment_units.get(name, 1.0)
            np.divide(moments[name], factor, out=moments[name], casting="same_kind")
        return moments

    def _end_epoch(self, epoch: Epoch, theta: Array, moments: dict[str, Array]) -> bool:
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
        state.n_steps += self.n_allowed
        state.t += self.n_visited
        operations = self._costs.of_steps(self.n_allowed)
        state.spent = state.spent.after_epoch(self.n_allowed, self.n_visited, operations)
        is_lost = self._good is not None and self._recovers(theta, moments)
        if self.problem.after_epoch is not None:
            self._lend_moments(theta, moments)
        reason = self.monitor.end_epoch(epoch, moments.get("average", theta), is_lost)
        if reason == "plateau":
            reason = self._after_plateau(epoch.rate)
        if state.operations_left(solver.max_operations) <= 0:
            reason = reason or "operations"
        state.has_converged = reason == "plateau"
        if reason or self.monitor.is_told_to_stop or self.problem.one_epoch:
            return True
        if state.n_iter == solver.max_iter:
            state.has_run_out = True
            if not solver.schedule.is_finite:
                state.ending = not_converged(solver.max_iter)
            return True
        return False

    def _lend_moments(self, theta: Array, moments: dict[str, Array]) -> None:
        """Put what going on needs into the state while others look at it."""
        state = self.state
        state.moments = moments | ({"iterate": theta} if "average" in moments else {})
        state.moment_units = self.solver.optimizer.moment_units()

    def _recovers(self, theta: Array, moments: dict[str, Array]) -> bool:
        """Go back to the last good epoch if this one has diverged; return whether it has.

        The rate is halved; if that does not help it is divided by 4, 8 and so on, so that a few
        epochs lead from any rate to one that works.
        """
        good = self._good
        assert good is not None
        state, best = self.state, good.best_loss
        # The loss of the epoch's batches says nothing of what the last step has done.
        loss = self._loss_of(theta)
        excess = (loss - best) / max(abs(best), 1.0) if math.isfinite(best) else loss - loss
        if excess <= self._lost and self._is_finite(theta):
            # In between it may be on its way to the divergence, or come back by itself.
            if excess <= GOOD:
                good, state.n_in_vain = Good(theta.copy(), _copies(moments), loss, best), 0
            is_good = excess <= GOOD
            self._good = replace(good, best_loss=min(best, loss), is_latest=is_good)
            return False
        theta[...] = good.theta
        for name, array in good.moments.items():
            moments[name][...] = array
        self._good = replace(good, is_latest=False)
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
        return self.problem.objective.predicts_finite(theta, self.rows.samples)

    def _loss_of(self, theta: Array) -> float:
        """Return the loss of parameters, on the same few rows in every epoch."""
        objective, rows, few = self.problem.objective, self.rows, self._few
        network, X = objective.network, rows.samples.take(few, theta.dtype)
        with np.errstate(all="ignore"):
            raw = network.predict(X, network.layout.views(theta)).astype(np.float64)
            values = objective.loss.sample_values(raw, rows.y[few].T)
        loss = float(objective.reported_loss(values.mean(dtype=np.float64), 0.0))
        return loss if math.isfinite(loss) else math.inf

    def _as_good(self, theta: Array, moments: dict[str, Array]) -> Good:
        """Return parameters as those of a good epoch."""
        loss = self._loss_of(theta)
        return Good(theta.copy(), _copies(moments), loss, loss)

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


def _copies(arrays: dict[str, Array]) -> dict[str, Array]:
    return {name: array.copy() for name, array in arrays.items()}


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
    return sorted(models, key=lambda model: (model.rows.size, place[id(model.rows)]))
