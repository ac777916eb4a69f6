"""The epoch loop: mini-batches, an optimizer and a learning-rate schedule."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._component import per_model, stack
from sknn._math import Array, Call, number
from sknn.layers import SparseBatch
from sknn.objective import BoundObjective, Objective
from sknn.optimizers import Optimizer
from sknn.schedules import Schedule
from sknn.solvers._base import Problem, Solver, TrainingState
from sknn.solvers.batches import BatchLoader, Rows
from sknn.solvers.stopping import Monitor, warn_interrupted, warn_not_converged

N_SLOTS = 32
"""Batches that are prepared together; between 16 and 64 the time is the same."""


class Stochastic(Solver):
    """Mini-batch gradient descent with any update rule.

    Parameters
    ----------
    optimizer : Optimizer
        The update rule.
    schedule : Schedule
        How the learning rate changes from epoch to epoch.
    learning_rate : float
        The initial learning rate, positive.
    batch_size : int
        Samples in a batch.
    max_iter : int
        Epochs at most.
    shuffle : bool
        Whether to visit the samples in a new order in each epoch.
    tol, n_iter_no_change, target_loss
        See :class:`sknn.solvers.stopping.Monitor`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        learning_rate: float,
        batch_size: int,
        max_iter: int,
        shuffle: bool,
        tol: float,
        n_iter_no_change: float,
        target_loss: float | None,
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.target_loss = target_loss

    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        models = [_Model(problem) for problem in problems]
        training = models
        while training:
            running = _Stack(training)
            try:
                while not (finished := running.run_epoch()):
                    pass
            except KeyboardInterrupt:
                warn_interrupted()
                finished = training
            running.release(finished)
            training = [model for model in training if model not in finished]
        return [model.problem.state for model in models]


class _Model:
    """One model of a stack: its rows, its numbers and its bookkeeping."""

    def __init__(self, problem: Problem) -> None:
        solver = problem.solver
        assert isinstance(solver, Stochastic)
        self.problem = problem
        self.solver = solver
        self.state = problem.state
        rng = problem.rng if solver.shuffle else None
        self.rows = Rows(problem.X, problem.y, problem.sample_weight, problem.rows, rng)
        self.monitor = Monitor(problem, solver.tol, solver.n_iter_no_change, solver.target_loss)
        if self.state.moments is None:
            self.state.moments = solver.optimizer.init(self.state.theta)

    @property
    def rate(self) -> float:
        """The learning rate of the coming epoch."""
        multiplier = self.solver.schedule.multiplier(self.state.n_epochs, self.state.t)
        return self.solver.learning_rate * multiplier * self.state.plateau_factor

    def end_epoch(self, loss: float, theta: Array, n_steps: int) -> bool:
        """Do the bookkeeping of an epoch; return whether it was the last."""
        state, rate = self.state, self.rate
        state.n_epochs += 1
        state.n_steps += n_steps
        state.t += self.rows.order.size
        reason = self.monitor.end_epoch(loss, theta, rate)
        if reason == "plateau":
            reason = self._after_plateau(rate)
        if reason or self.problem.one_epoch:
            return True
        if state.n_iter == self.solver.max_iter:
            warn_not_converged(self.solver.max_iter)
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


class _Stack:
    """Models of the same structure that run their epochs together, on stacked parameters."""

    def __init__(self, models: list[_Model]) -> None:
        self.models = models
        states, first = [model.state for model in models], models[0]
        self.theta = _stacked([state.theta for state in states])
        self.moments = {
            name: _stacked([state.moments[name] for state in states if state.moments])
            for name in first.solver.optimizer.moments
        }
        self.grad, self.scratch = np.empty_like(self.theta), np.empty_like(self.theta)
        self.optimizer = stack([model.solver.optimizer for model in models])
        objectives = [model.problem.objective for model in models]
        self.objective = Objective(
            objectives[0].network,
            stack([objective.loss for objective in objectives]),
            stack([objective.penalty for objective in objectives]),
            per_model([objective.alpha for objective in objectives]),
        )
        n_samples, size = first.rows.order.size, first.solver.batch_size
        n_full, n_rest = divmod(n_samples, size)
        self._n_samples, self._n_steps = n_samples, n_full + bool(n_rest)
        # What an epoch runs: batches of one size, the first step, and how many steps.
        self._chunks = []
        full = _Batches(self, size, min(n_full, N_SLOTS))
        for step in range(0, n_full, N_SLOTS):
            self._chunks.append((full, step, min(N_SLOTS, n_full - step)))
        if n_rest:
            self._chunks.append((_Batches(self, n_rest, 1), n_full, 1))

    def run_epoch(self) -> list[_Model]:
        """Train all models for an epoch; return those for which it was the last."""
        for model in self.models:
            model.rows.shuffle()
        numbers = self._step_numbers()
        full_size = self._chunks[0][0].size
        total: Any = 0.0
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            for batches, step, n_steps in self._chunks:
                chosen = numbers[step : step + n_steps]
                total += batches.run(step * full_size, n_steps, chosen)
            losses = np.atleast_1d(total / self._n_samples).tolist()
            thetas = self.theta if self.theta.ndim == 2 else [self.theta]
            return [
                model
                for model, loss, theta in zip(self.models, losses, thetas, strict=True)
                if model.end_epoch(loss, theta, self._n_steps)
            ]

    def release(self, finished: list[_Model]) -> None:
        """Hand parameters and moments back to the models' states."""
        for m, model in enumerate(self.models):
            model.state.moments = {name: _one(a, m) for name, a in self.moments.items()}
            model.state.theta = _one(self.theta, m)
            if model in finished:
                model.monitor.finish()

    def _step_numbers(self) -> Array:
        """Return the optimizer's numbers for each step of the coming epoch."""
        t = np.arange(1, self._n_steps + 1)
        rate = per_model([model.rate for model in self.models])
        if self.theta.ndim == 2:
            done = np.array([[model.state.n_steps] for model in self.models])
            t = t[:, np.newaxis, np.newaxis] + done
        else:
            t = t + self.models[0].state.n_steps
        return self.optimizer.step_numbers(t, rate)


class _Batches:
    """The steps for batches of one size: gather, objective, optimizer, as prepared calls."""

    def __init__(self, training: _Stack, size: int, n_slots: int) -> None:
        self.size = size
        theta, grad, scratch = training.theta, training.grad, training.scratch
        rows, optimizer = [model.rows for model in training.models], training.optimizer
        x = None if isinstance(rows[0].X, np.ndarray) else SparseBatch((size, rows[0].X.shape[1]))
        is_weighted = rows[0].sample_weight is not None
        self._batch = BoundObjective(
            training.objective, theta, grad, size, n_slots, is_weighted, scratch, x
        )
        self._loader = BatchLoader(rows, self._batch, size, n_slots)
        lead = theta.shape[:-1]
        self._numbers = np.empty((n_slots, *lead, 1) if lead else (n_slots,), theta.dtype)
        moments = tuple(training.moments.values())
        constants = tuple(number(value, theta.dtype) for value in optimizer.constants())
        update = partial(optimizer.step, theta, grad, scratch, moments, constants)
        self._steps: list[list[Call]] = [
            [
                *self._loader.gather_calls(slot),
                *self._batch.steps[slot],
                partial(update, self._numbers[slot, ...]),
            ]
            for slot in range(n_slots)
        ]

    def run(self, row: int, n_steps: int, numbers: Array) -> Array:
        """Take `n_steps` steps from position `row` of the epoch; return the summed losses."""
        self._loader.load(row, n_steps)
        self._numbers[:n_steps] = numbers
        for step in self._steps[:n_steps]:
            for call in step:
                call()
        return self._batch.reported_losses(n_steps).sum(axis=0) * self.size


def _stacked(vectors: list[Array]) -> Array:
    """Return the vector itself for one model, else a stack of them."""
    return vectors[0] if len(vectors) == 1 else np.stack(vectors)


def _one(stacked: Array, m: int) -> Array:
    """Return one model's vector, as an array of its own."""
    return stacked[m].copy() if stacked.ndim == 2 else stacked
