"""What workers do: pure functions of a shard, parameters and numbers.

Nothing stays on a worker but shards, which are made again where they get lost. So a task gives the
same wherever, and however often, it is done.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sknn._blas import ONE_BLAS_THREAD
from sknn._crew import Crew
from sknn._math import Array
from sknn.augmentation import Augmentation
from sknn.dask.shards import Shard
from sknn.losses.scores import r2_of_sums
from sknn.network import Network
from sknn.objective import Objective
from sknn.samples import Dense
from sknn.schedules import Constant, EveryStep
from sknn.solvers import Problem, Stochastic, TrainingState
from sknn.solvers.model import Model
from sknn.solvers.stack import Stack
from sknn.targets import Targets


class State(NamedTuple):
    """What travels to the workers.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
    moments : dict of ndarray
        The optimizer's arrays, and the average.
    """

    theta: Array
    moments: dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Some steps of an epoch, and the numbers that are theirs.

    Attributes
    ----------
    seed : int or None
        Of the order of the rows in the epoch; None keeps that of the shards.
    epoch, first, n_steps : int
        The epoch, the number in it of the first step, and how many there are.
    t : int
        Steps that the optimizer has made before the epoch.
    rates, decay_levels, noise_levels : float or ndarray of shape (n_steps,)
        See :class:`sknn.solvers.model.Model`.
    """

    seed: int | None
    epoch: int
    first: int
    n_steps: int
    t: int
    rates: Any
    decay_levels: Any
    noise_levels: Any

    def rows(self, shard: Shard, batch_size: int) -> Array:
        """Return which rows of a shard the steps visit."""
        n = shard.n_train
        order = np.arange(n) if self.seed is None else _shuffled(self.seed, shard.number, n)
        places = order[self.first * batch_size : (self.first + self.n_steps) * batch_size]
        return places if shard.train is None else shard.train[places]

    def seeds(self, shard: Shard, seed: tuple[int, ...]) -> tuple[int, ...]:
        """Return the seed of the random numbers of a shard's steps."""
        return (*seed, self.epoch, self.first, shard.number)


@dataclass(frozen=True, kw_only=True)
class Local:
    """How a shard is trained on.

    Attributes
    ----------
    objective : Objective
        Of one batch of the shard.
    solver : Stochastic
        Of its steps; it keeps the order of the rows.
    augmentation : Augmentation or None
    seed : sequence of int
    """

    objective: Objective
    solver: Stochastic
    augmentation: Augmentation | None
    seed: tuple[int, ...]


class Contribution(NamedTuple):
    """What a shard adds to a round.

    Attributes
    ----------
    state : State
        The parameters and moments after the steps; or, of a single step, the sum of the gradients
        of its rows, and no moments.
    weight : float
        The weight of the rows that were visited, with which it counts.
    loss : float
        The losses summed over them.
    n_rows : int
        How many they are.
    grad_norm : float
        The norm of the gradient of one of the batches.
    seconds : float
        The time that it has taken the worker's processor.
    """

    state: State
    weight: float
    loss: float
    n_rows: int
    grad_norm: float
    seconds: float


def carry(state: Any) -> Any:
    """Return what it is given: as a task of its own it travels to the cluster once."""
    return state


def take_steps(shard: Shard, local: Local, state: State, about: Round) -> Contribution:
    """Make the steps of a round on the rows of a shard."""
    begin = time.thread_time()
    batch_size: int = local.solver.batch_size
    rows = about.rows(shard, batch_size)
    problem = Problem(
        objective=local.objective,
        solver=local.solver.changed(batch_size=min(batch_size, len(rows))),
        samples=Dense(shard.X),
        y=shard.y,
        sample_weight=shard.weight,
        rows=rows,
        state=TrainingState(state.theta.copy(), n_steps=about.t + about.first),
        rng=np.random.RandomState(0),
        augmentation=local.augmentation,
        seed=about.seeds(shard, local.seed),
        shares_rows=False,
        one_epoch=True,
    )
    with ONE_BLAS_THREAD:
        model = Model(problem)
        model.moments = {name: array.copy() for name, array in state.moments.items()}
        model.rates, model.decay_levels = about.rates, about.decay_levels
        model.noise_levels = about.noise_levels
        totals, norms = Stack([model], Crew(1)).run_steps()
    after = State(model.state.theta, model.moments)
    weight = shard.weight_of(rows)
    seconds = time.thread_time() - begin
    return Contribution(after, weight, float(totals[0]), len(rows), float(norms[0]), seconds)


def find_gradient(shard: Shard, local: Local, state: State, about: Round) -> Contribution:
    """Return the gradient of the loss on the rows of a shard, for a step of all shards together."""
    begin = time.thread_time()
    rows = about.rows(shard, local.solver.batch_size)
    X, y, seed = shard.X[rows], shard.y[rows], about.seeds(shard, local.seed)
    weights = None if shard.weight is None else shard.weight[rows]
    if local.augmentation is not None:
        y = y.astype(X.dtype)
        rng = np.random.Generator(np.random.PCG64((*seed, 1)))
        local.augmentation.augment(X, y, rng)
    weight = shard.weight_of(rows)
    level = float(np.ravel(about.noise_levels)[0])
    with ONE_BLAS_THREAD, np.errstate(all="ignore"):
        if weight:
            value, grad = local.objective.value_and_grad(state.theta, X, y, weights, seed, level)
        else:
            value, grad = 0.0, np.zeros_like(state.theta)
        grad *= grad.dtype.type(weight)
    seconds = time.thread_time() - begin
    return Contribution(State(grad, {}), weight, value * weight, len(rows), np.nan, seconds)


class Judgement(NamedTuple):
    """Sums over the held-out rows of a shard, which add up over shards.

    Attributes
    ----------
    weight, loss : float
        The weight of the rows, and their losses times that.
    right : float
        Of classes, the weight of those that are right.
    residual, deviation, square : ndarray of shape (n_outputs,)
        Of numbers, the squares of what is missed, what they differ from a centre, and the squares
        of that.
    """

    weight: float
    loss: float
    right: float
    residual: Array
    deviation: Array
    square: Array

    def plus(self, other: Judgement) -> Judgement:
        """Return the sums over both."""
        pairs: Any = zip(self, other, strict=True)
        return Judgement(*(a + b for a, b in pairs))

    def accuracy(self) -> float:
        """Return the share of the rows that are right."""
        return self.right / self.weight

    def r2(self) -> float:
        """Return R^2, averaged over outputs, as :func:`sknn.losses.scores.r2` does."""
        if not np.isfinite(self.residual).all():
            return float("nan")
        total = np.maximum(self.square - self.deviation**2 / self.weight, 0)
        return r2_of_sums(self.residual, total)


def judge(
    shard: Shard, network: Network, targets: Targets, center: Array, theta: Array
) -> Judgement:
    """Return what parameters come to on the held-out rows of a shard."""
    rows = shard.held_out
    y = shard.encoded[rows]
    weights = np.ones(len(rows)) if shard.weight is None else shard.weight[rows].astype(float)
    with ONE_BLAS_THREAD, np.errstate(all="ignore"):
        raw = network.predict(shard.X[rows], network.layout.views(theta))
        values = targets.loss.sample_values(raw.astype(np.float64), y.T)
        targets.loss.inverse_link(raw)
        right, nothing = 0.0, np.zeros(len(center))
        residual = deviation = square = nothing
        if targets.are_numbers:
            apart = y.T - center[:, np.newaxis]
            missed = y.T - targets.loss.kinds(raw)[0].astype(np.float64)
            residual, deviation, square = (
                (weights * part).sum(axis=1) for part in (missed**2, apart, apart**2)
            )
        else:
            decision = targets.decide(raw)  # type: ignore[attr-defined]
            right = float(weights @ targets.is_right(decision, y))  # type: ignore[attr-defined]
    loss = float(weights @ values)
    return Judgement(float(weights.sum()), loss, right, residual, deviation, square)


def without_penalty(objective: Objective) -> Objective:
    """Return the data term alone."""
    return Objective(objective.network, objective.loss, objective.penalty, 0.0)


def with_share_of_penalty(objective: Objective, share: float) -> Objective:
    """Return the objective of a batch that is a share of the whole one.

    The penalty is divided by the weight of a batch; the smaller ones of the shards would have more
    of it than the whole one has.
    """
    return Objective(objective.network, objective.loss, objective.penalty, objective.alpha * share)


def local_solver(solver: Stochastic, batch_size: int) -> Stochastic:
    """Return the solver of the steps on a shard.

    What schedules say travels as numbers. They themselves, which may be functions of what is on
    this machine, stay here.
    """
    follows_steps = EveryStep(Constant())
    return solver.changed(
        batch_size=batch_size,
        shuffle=False,
        recovers=False,
        max_time=None,
        drops_last=False,
        schedule=follows_steps if solver.schedule.by_step else Constant(),
        decay_schedule=None if solver.decay_schedule is None else follows_steps,
        noise_schedule=None if solver.noise_schedule is None else follows_steps,
    )


@lru_cache(maxsize=16)
def _shuffled(seed: int, shard: int, n: int) -> Array:
    """Return the order of a shard's rows; rounds of an epoch ask for it one after the other."""
    order = np.random.Generator(np.random.PCG64((seed, shard))).permutation(n)
    order.flags.writeable = False
    return order
