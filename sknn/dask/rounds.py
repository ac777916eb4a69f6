r"""Training on shards, round by round.

In a round each shard makes H = `sync_every` steps from the same parameters; these, and the moments
of the optimizer, are then averaged, weighted by rows (local SGD [1]_). With :math:`\theta_k` of
shard k and its weight :math:`w_k`, and :math:`\Delta` as the gradient of an outer optimizer [2]_,

.. math::
    \Delta = \theta - \frac{\sum_k w_k \theta_k}{\sum_k w_k}, \qquad
    v \leftarrow \mu v + \Delta, \qquad
    \theta \leftarrow \theta - \eta (\Delta + \mu v)

which with :math:`\eta = 1, \mu = 0` is the average. A batch is shared by the shards, so an epoch
has as many steps as on one machine. With H = 1 shards return gradients, whose sum makes one step:
that is the training of one machine.

With H > 1 each shard sees the gradient of a part of the batch only. The average of the steps of
rules such as Adam, which divide the gradient by its size, would be shorter by the noise that this
has more: by the square root of the number of shards S, by which the rate is therefore multiplied
[3]_. (Measured: without it an epoch comes about half as far.) Averaging takes the noise out again.
Steps of gradient descent are linear in the gradient, and need nothing.

References
----------
.. [1] Stich, S. U., "Local SGD converges fast and communicates little", ICLR 2019.
.. [2] Douillard, A. et al., "DiLoCo: Distributed low-communication training of language models",
   arXiv:2311.08105 (2023).
.. [3] Malladi, S., Lyu, K., Panigrahi, A. and Arora, S., "On the SDEs and scaling rules for
   adaptive gradient algorithms", NeurIPS 2022.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.dask.fleet import Fleet
from sknn.dask.tasks import (
    Contribution,
    Local,
    Round,
    State,
    find_gradient,
    local_solver,
    take_steps,
    with_share_of_penalty,
    without_penalty,
)
from sknn.ledger import Laps, Spent
from sknn.objective import PenaltyTerm
from sknn.solvers import Problem, Stochastic, TrainingState
from sknn.solvers.model import Model
from sknn.solvers.stopping import Epoch, mark_interrupted
from sknn.solvers.update import Update

OUTER = "outer"
"""The moment of the outer optimizer."""


class Rounds(Stochastic):
    """Mini-batch gradient descent on the shards of a fleet.

    It also has the parameters of :class:`sknn.solvers.Stochastic`.

    Parameters
    ----------
    fleet : Fleet
    sync_every : int
        Steps of a round.
    outer_learning_rate, outer_momentum : float
        What is made of the averaged difference.
    """

    def __init__(
        self,
        fleet: Fleet,
        sync_every: int,
        outer_learning_rate: float,
        outer_momentum: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fleet = fleet
        self.sync_every = sync_every
        self.outer_learning_rate = outer_learning_rate
        self.outer_momentum = outer_momentum

    def here(self) -> Stochastic:
        own = ("fleet", "sync_every", "outer_learning_rate", "outer_momentum")
        return Stochastic(**{name: value for name, value in vars(self).items() if name not in own})

    def moment_names(self) -> set[str]:
        return super().moment_names() | ({OUTER} if self.outer_momentum else set())

    def stack_key(self, problem: Problem) -> Hashable:
        return None

    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        return [_Training(self, problem).run() for problem in problems]


class _Training:
    """One model while it is trained on shards."""

    def __init__(self, solver: Rounds, problem: Problem) -> None:
        self._solver, self._fleet, self._problem = solver, solver.fleet, problem
        self._model = model = Model(problem)
        self._sizes = self._fleet.batch_sizes(solver.batch_size)
        lengths = [summary.n_train for summary in self._fleet.summaries]
        self._n_steps = [-(-n // size) for n, size in zip(lengths, self._sizes, strict=True)]
        model.n_steps = model.n_allowed = max(self._n_steps)
        if solver.outer_momentum and OUTER not in model.moments:
            model.moments[OUTER] = np.zeros_like(model.state.theta)
        is_scaled = solver.sync_every > 1 and not solver.optimizer.depends_on_scale
        self._factor = math.sqrt(len(self._sizes)) if is_scaled else 1.0
        # Decay, which is multiplied by the rate, stays.
        here = solver.here().changed(weight_decay=solver.weight_decay / self._factor)
        objective = problem.objective
        for_gradient = without_penalty(objective)
        self._locals = [
            Local(
                objective=for_gradient
                if solver.sync_every == 1
                else with_share_of_penalty(objective, size / solver.batch_size),
                solver=local_solver(here, size),
                augmentation=problem.augmentation,
                seed=problem.seed,
            )
            for size in self._sizes
        ]
        self._step = _Step(problem, model) if solver.sync_every == 1 else None
        self._seconds_away = 0.0

    def run(self) -> TrainingState:
        """Train until there is a reason to stop."""
        model, state, problem = self._model, self._model.state, self._problem
        laps = Laps(time.thread_time)

        def settle() -> None:
            state.spent = state.spent.plus(laps.lap()).plus(Spent(cpu_seconds=self._seconds_away))
            self._seconds_away = 0.0

        def snapshot() -> TrainingState:
            settle()
            return model.snapshot(1)

        try:
            while model.is_training:
                model.begin_epoch()
                model.rows.shuffle()
                record = self._run_epoch() if state.ending is None else Epoch(np.nan)
                if model.end_epoch(record, state.theta, model.moments):
                    settle()
                    model.finish(1, is_alone=True)
                elif problem.keep is not None:
                    problem.keep(snapshot)
        except KeyboardInterrupt:
            mark_interrupted(state)
            settle()
            model.finish(1, is_alone=True)
        return state

    def _run_epoch(self) -> Epoch:
        model, total, n_seen, norm = self._model, 0.0, 0, np.nan
        self._fleet.arrange()  # workers may have come or gone
        for first in range(0, model.n_steps, self._solver.sync_every):
            begin = time.perf_counter()
            n_steps = min(self._solver.sync_every, model.n_steps - first)
            loss, n_rows, norm = self._run_round(first, n_steps)
            total, n_seen = total + loss, n_seen + n_rows
            if self._problem.verbose:
                seconds = time.perf_counter() - begin
                number, n = (
                    first // self._solver.sync_every + 1,
                    -(-model.n_steps // self._solver.sync_every),
                )
                print(
                    f"Iteration {model.state.n_iter + 1}, round {number} of {n}: "
                    f"loss = {loss / n_rows:.8f}, {n_rows / seconds:,.0f} rows/s"
                )
        return Epoch(total / n_seen, model.rate, norm, model.batch_size)

    def _run_round(self, first: int, n_steps: int) -> tuple[float, int, float]:
        """Run a round; return its losses summed over rows, the rows, and the gradient's norm."""
        model, fleet = self._model, self._fleet
        steps = slice(first, first + n_steps)
        about = Round(
            seed=model.rows.seed,  # type: ignore[attr-defined]
            epoch=model.state.n_epochs,
            first=first,
            n_steps=n_steps,
            t=model.state.n_steps,
            rates=_of(model.rates, steps) * self._factor,
            decay_levels=_of(model.decay_levels, steps),
            noise_levels=_of(model.noise_levels, steps),
        )
        moments = {name: array for name, array in model.moments.items() if name != OUTER}
        work = take_steps if self._step is None else find_gradient
        state = State(model.state.theta, moments if self._step is None else {})
        n_bytes = sum(array.nbytes for array in (state.theta, *state.moments.values()))
        carried = fleet.share(state, n_bytes)
        numbers = [number for number, n in enumerate(self._n_steps) if n > first]  # with rows left
        parts: list[Contribution] = fleet.ask(
            work, carried, about, own=lambda n: (self._locals[n],), numbers=numbers
        )
        self._seconds_away += sum(part.seconds for part in parts)
        n_rows, weight = sum(part.n_rows for part in parts), sum(part.weight for part in parts)
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            if self._step is not None:
                loss, norm = self._step.make(parts, weight, about)
                return loss * n_rows, n_rows, norm
            self._average(parts, weight)
        norm = float(np.sqrt(np.mean([part.grad_norm**2 for part in parts])))
        return sum(part.loss for part in parts), n_rows, norm

    def _average(self, parts: list[Contribution], weight: float) -> None:
        """Take the average of the parameters and moments, or go on as it says."""
        if not weight:
            return
        solver, moments, theta = self._solver, self._model.moments, self._model.state.theta
        shares = [part.weight / weight for part in parts]
        for name, array in moments.items():
            if name != OUTER:
                _mean([part.state.moments[name] for part in parts], shares, array)
        mean = np.empty_like(theta)
        _mean([part.state.theta for part in parts], shares, mean)
        n_trained = self._problem.objective.network.layout.n_trained
        rate, momentum = solver.outer_learning_rate, solver.outer_momentum
        if rate != 1 or momentum:
            difference = theta[:n_trained] - mean[:n_trained]
            if momentum:
                velocity = moments[OUTER][:n_trained]
                velocity *= momentum
                velocity += difference
                difference += momentum * velocity
            mean[:n_trained] = theta[:n_trained] - rate * difference
        theta[...] = mean


class _Step:
    """One step from the gradients of all shards."""

    def __init__(self, problem: Problem, model: Model) -> None:
        theta, objective, solver = model.state.theta, problem.objective, model.solver
        self._objective = objective
        self._grad, scratch = np.zeros_like(theta), np.empty_like(theta)
        self._factor = np.zeros(1, theta.dtype)
        layout = objective.network.layout
        everything = slice(0, layout.n_trained)
        self._penalty = PenaltyTerm(objective, theta, self._grad, scratch, self._factor, everything)
        vectors = theta, scratch, [self._grad], model.moments
        self._update = Update([solver], layout, *vectors, 1, [everything])
        [[calls]] = self._update.phases(0, [self._penalty.adds[0]])
        self._calls = calls

    def make(self, parts: list[Contribution], weight: float, about: Round) -> tuple[float, float]:
        """Make a step; return the loss as it is reported, and the norm of the gradient."""
        self._grad.fill(0)
        if weight:
            for part in parts:
                self._grad += part.state.theta
            self._grad /= self._grad.dtype.type(weight)
        self._factor[0] = self._objective.alpha / weight if weight else 0
        rate, level = (float(np.ravel(value)[0]) for value in (about.rates, about.decay_levels))
        self._update.load(np.array([about.t + about.first + 1]), rate, level)
        for call in self._calls:
            call()
        data = sum(part.loss for part in parts) / weight if weight else 0.0
        penalty = float(self._penalty.values(1)[0])
        norm = float(self._update.grad_norms())
        return float(self._objective.reported_loss(data, penalty)), norm


def _of(numbers: Any, steps: slice) -> Any:
    """Return those of some steps, or the one of all."""
    return numbers[steps] if np.ndim(numbers) else numbers


def _mean(arrays: list[Array], shares: list[float], out: Array) -> None:
    """Write the weighted mean, added up in the order of the shards."""
    total = np.zeros(out.shape)  # in float64, whatever the dtype is
    for array, share in zip(arrays, shares, strict=True):
        total += share * array
    out[...] = total
