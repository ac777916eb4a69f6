"""The epoch loop: mini-batches, an optimizer and a learning-rate schedule."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from functools import partial
from typing import Any

import numpy as np

from sknn._component import per_model, stack
from sknn._crew import MAX_CORES, Crew, Phase, count_workers
from sknn._math import Array, Call, number
from sknn.layers import SparseBatch
from sknn.objective import DataTerm, Objective, PenaltyTerm
from sknn.optimizers import Optimizer
from sknn.schedules import Schedule
from sknn.solvers._base import Problem, Solver, TrainingState
from sknn.solvers.batches import BatchLoader, Rows
from sknn.solvers.stopping import Monitor, mark_interrupted, not_converged

N_SLOTS = 32
"""Batches that are prepared together; between 16 and 64 the time is the same."""

MIN_WORK = 100_000_000
"""Parameters times batch size, in bytes, from which threads share a batch."""

MIN_ROWS = 64
"""Rows of a batch that a thread should have; fewer make its matrix products inefficient."""

MIN_PARAMETERS = 500_000
"""Parameters from which threads share the update alone, with sparse X."""


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
        with Crew(self._count_workers(problems)) as crew:
            while training:
                running = _Stack(training, crew)
                try:
                    while not (finished := running.run_epoch()):
                        pass
                except KeyboardInterrupt:
                    for model in training:
                        mark_interrupted(model.state)
                    finished = training
                running.release(finished)
                training = [model for model in training if model not in finished]
        return [model.problem.state for model in models]

    def stack_key(self, problem: Problem) -> Hashable:
        if not isinstance(problem.X, np.ndarray):
            return None
        objective, dtype = problem.objective, problem.state.theta.dtype
        n_samples = problem.y.shape[0] if problem.rows is None else problem.rows.size
        return (
            objective.network.structure(),
            objective.loss.structure(with_numbers=False),
            objective.penalty.structure(with_numbers=False),
            self.optimizer.structure(with_numbers=False),
            (type(self), self.batch_size, self.shuffle, n_samples, dtype),
            problem.y.dtype,
            problem.sample_weight is None,
        )

    def _count_workers(self, problems: list[Problem]) -> int:
        """Return how many threads share a step: more than one where that pays."""
        theta, X = problems[0].state.theta, problems[0].X
        if len(problems) > 1:
            return 1
        if not isinstance(X, np.ndarray):
            return count_workers(MAX_CORES if theta.size >= MIN_PARAMETERS else 1)
        is_long = theta.nbytes * self.batch_size >= MIN_WORK
        return count_workers(self.batch_size // MIN_ROWS if is_long else 1)


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
        try:
            return self._end_epoch(loss, theta, n_steps)
        except Exception as error:  # from validation; the other models of the stack go on
            self.state.ending = error
            return True

    def _end_epoch(self, loss: float, theta: Array, n_steps: int) -> bool:
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


class _Stack:
    """Models of the same structure that run their epochs together, on stacked parameters."""

    def __init__(self, models: list[_Model], crew: Crew) -> None:
        self.models = models
        self.crew = crew
        states, first = [model.state for model in models], models[0]
        self.theta = _stacked([state.theta for state in states])
        self.moments = {
            name: _stacked([state.moments[name] for state in states if state.moments])
            for name in first.solver.optimizer.moments
        }
        self.scratch = np.empty_like(self.theta)
        # Workers that share the rows of a batch have a gradient each; sparse rows are not shared.
        n_gradients = crew.n_workers if isinstance(first.rows.X, np.ndarray) else 1
        self.grads = [np.empty_like(self.theta) for _ in range(n_gradients)]
        self.optimizer = stack([model.solver.optimizer for model in models])
        for name, unit in self.optimizer.moment_units().items():
            np.divide(self.moments[name], unit, out=self.moments[name], casting="same_kind")
        constants = self.optimizer.constants()
        self.constants = tuple(number(value, self.theta.dtype) for value in constants)
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
        for name, unit in self.optimizer.moment_units().items():
            np.multiply(self.moments[name], unit, out=self.moments[name], casting="same_kind")
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
    """The steps for batches of one size, as calls that are prepared once.

    A step has phases, and a phase has a list of calls for each worker of the crew: the workers
    share the rows of the batch, each with a gradient of its own, and then the parameters.
    """

    def __init__(self, training: _Stack, size: int, n_slots: int) -> None:
        self.size = size
        self._training = training
        theta, rows = training.theta, [model.rows for model in training.models]
        lead = theta.shape[:-1]
        columns = (n_slots, *lead, 1) if lead else (n_slots,)
        self._factor, self._numbers = np.empty(columns, theta.dtype), np.empty(columns, theta.dtype)
        self._terms = self._make_terms(rows, n_slots)
        self._loader = BatchLoader(rows, self._terms, n_slots)
        self._set_factor()
        n_workers, n_accumulated = training.crew.n_workers, self._terms[0].n_accumulated
        shares = self._shares = _even_slices(theta.shape[-1], n_workers)
        self._after = [self._penalty(max(s.start, n_accumulated), s.stop) for s in shares]
        # Where the data term adds to the gradient the penalty has to be written before it.
        self._before: list[PenaltyTerm] = []
        if n_accumulated:
            self._before = [self._penalty(s.start, min(s.stop, n_accumulated)) for s in shares]
        self._steps = [training.crew.prepare(step) for step in self._make_phases(n_slots)]

    def run(self, row: int, n_steps: int, numbers: Array) -> Array:
        """Take `n_steps` steps from position `row` of the epoch; return the summed losses."""
        self._loader.load(row, n_steps)
        self._numbers[:n_steps] = numbers
        if self._terms[0].weight.ndim > 1:
            self._set_factor()
        self._training.crew.run(self._steps[:n_steps])
        data = sum(term.values(n_steps) for term in self._terms)
        penalty = sum(term.values(n_steps) for term in (*self._before, *self._after))
        losses = self._training.objective.reported(data, penalty)
        return np.add.reduce(losses, axis=0) * self.size

    def _make_terms(self, rows: list[Rows], n_slots: int) -> list[DataTerm]:
        """Return the data terms: one for all rows of a batch, or one for each worker's part."""
        training, X = self._training, rows[0].X
        share = 1 / self.size if rows[0].sample_weight is None else None
        sizes = [s.stop - s.start for s in _even_slices(self.size, len(training.grads))]
        return [
            DataTerm(
                training.objective,
                training.theta,
                grad,
                n_rows,
                n_slots,
                share,
                None if isinstance(X, np.ndarray) else SparseBatch((n_rows, X.shape[1])),
            )
            for n_rows, grad in zip(sizes, training.grads, strict=True)
        ]

    def _penalty(self, start: int, stop: int) -> PenaltyTerm:
        training = self._training
        arrays = training.theta, training.grads[0], training.scratch
        return PenaltyTerm(training.objective, *arrays, self._factor, slice(start, stop))

    def _set_factor(self) -> None:
        np.multiply(self._loader.inverse_weight, self._training.objective.alpha, out=self._factor)

    def _make_phases(self, n_slots: int) -> list[list[Phase]]:
        """Return for each slot the phases of its step."""
        updates = [self._make_updates(worker, n_slots) for worker in range(len(self._shares))]
        steps: list[list[Phase]] = []
        for slot in range(n_slots):
            before = [[penalty.writes[slot] for penalty in self._before]] if self._before else []
            rows = [
                [*self._loader.gather_calls(part, slot), *term.calls[slot]]
                for part, term in enumerate(self._terms)
            ]
            steps.append([*before, rows, [calls[slot] for calls in updates]])
        return steps

    def _make_updates(self, worker: int, n_slots: int) -> list[list[Call]]:
        """Return for each slot the calls that update one worker's share of the parameters."""
        training, share = self._training, self._shares[worker]
        grad, *others = (array[..., share] for array in training.grads)
        moments = tuple(array[..., share] for array in training.moments.values())
        arrays = training.theta[..., share], grad, training.scratch[..., share], moments
        step = partial(training.optimizer.step, *arrays, training.constants)
        sums = [partial(np.add, grad, other, grad) for other in others]
        penalties = self._after[worker].adds
        return [
            [*sums, *penalties[slot], partial(step, self._numbers[slot, ...])]
            for slot in range(n_slots)
        ]


def _even_slices(n: int, n_parts: int) -> list[slice]:
    """Return slices that cut a length into parts as equal as can be."""
    ends = [n * part // n_parts for part in range(n_parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


def _stacked(vectors: list[Array]) -> Array:
    """Return the vector itself for one model, else a stack of them."""
    return vectors[0] if len(vectors) == 1 else np.stack(vectors)


def _one(stacked: Array, m: int) -> Array:
    """Return one model's vector, as an array of its own."""
    return stacked[m].copy() if stacked.ndim == 2 else stacked
