"""What training and predicting cost, in floating-point operations, from the components.

See :mod:`sknn.operations` for what counts. The numbers are those of one model that is trained by
one thread: what a stack or threads do in another way (gradients of shares that are added up,
penalties of 0 on what is not penalised) is no work of the model. Not counted are what
augmentations, callbacks and scorers do, what layers are shown before the first step, and SciPy's
own part of L-BFGS.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from sknn.averaging import FOLLOWING
from sknn.losses import Loss
from sknn.network import CHUNK, Network
from sknn.operations import MULTIPLY_ADD, SIMPLE, Cost, Count
from sknn.parameters import STATISTIC, Group, ParameterLayout, is_zero
from sknn.samples import Samples
from sknn.solvers._base import Problem


class Costs(NamedTuple):
    """What the epochs of a stochastic solver cost.

    Attributes
    ----------
    full, last : int
        A step of a full batch, and the epoch's last step.
    n_steps : int
        Steps of an epoch.
    beside : int
        What an epoch costs beside its steps, validation included.
    """

    full: int
    last: int
    n_steps: int
    beside: int

    @classmethod
    def of(cls, problem: Problem, batch_size: int, n_rows_seen: int) -> Costs:
        """Return the costs of epochs that visit so many samples."""
        n_steps = -(-n_rows_seen // batch_size)
        n_last, step = n_rows_seen - (n_steps - 1) * batch_size, _step_cost(problem)
        full, last = (round(step.of(n)) for n in (batch_size, n_last))
        whole = _epoch_operations(problem, step, batch_size, n_rows_seen)
        beside = whole + problem.validation_operations - full * (n_steps - 1) - last
        return cls(full, last, n_steps, beside)

    def of_steps(self, n_steps: int) -> int:
        """Return what an epoch costs that ends after so many steps."""
        rest = self.last if n_steps == self.n_steps else self.full
        return self.beside + self.full * (n_steps - 1) + rest

    def steps_within(self, left: float) -> int:
        """Return after how many steps an epoch has reached so many operations; at least one."""
        if left >= self.full * self.n_steps:
            return self.n_steps
        return min(self.n_steps, max(1, math.ceil(left / self.full)))

    def place(self, left: float) -> tuple[int, int] | None:
        """Return the whole epochs before so many operations are reached, and the steps then."""
        if math.isinf(left):
            return None
        whole = self.of_steps(self.n_steps)
        n_epochs = max(0, math.ceil(left / whole) - 1)
        return n_epochs, self.steps_within(left - n_epochs * whole)


def step_operations(problem: Problem, n_rows: int) -> int:
    """Return what a step of a stochastic solver costs.

    Parameters
    ----------
    problem : Problem
    n_rows : int
        Samples of its batch.
    """
    return round(_step_cost(problem).of(n_rows))


def epoch_operations(problem: Problem, batch_size: int, n_rows_seen: int) -> int:
    """Return what an epoch of a stochastic solver costs, its validation left aside.

    Parameters
    ----------
    problem : Problem
    batch_size : int
        Samples of a batch; the last one may have fewer.
    n_rows_seen : int
        Samples that the epoch visits.
    """
    return _epoch_operations(problem, _step_cost(problem), batch_size, n_rows_seen)


def _epoch_operations(problem: Problem, step: Cost, batch_size: int, n_rows_seen: int) -> int:
    n_full, n_rest = divmod(n_rows_seen, batch_size)
    has_rest = n_rest > 0
    steps = step.of(n_rows_seen, n_full + has_rest)
    return round(steps + _watching(problem, (n_full > 0) + has_rest) + _between_epochs(problem))


def evaluation_operations(problem: Problem) -> int:
    """Return what L-BFGS's evaluation of the objective costs, with the norm of the gradient."""
    objective = problem.objective
    n_entries, is_weighted = entries_per_row(problem.samples), problem.sample_weight is not None
    whole = objective.operations(n_entries, is_weighted).of(problem.n_samples)
    return round(whole + MULTIPLY_ADD * objective.network.layout.size)


def prediction_operations(
    network: Network, loss: Loss, n_rows: int, n_entries: Count | None = None
) -> int:
    """Return what predictions cost.

    Parameters
    ----------
    network : Network
    loss : Loss
        What turns raw scores into predictions.
    n_rows : int
        Samples that are predicted.
    n_entries : int or Fraction, default=None
        See `entries_per_row`.
    """
    link = loss.link_operations(network.n_outputs)
    return round(_raw_operations(network, n_rows, n_entries) + link * n_rows)


def validation_operations(
    network: Network,
    loss: Loss,
    n_rows: int,
    n_entries: Count | None = None,
    predicts: bool = True,
) -> int:
    """Return what a validation costs: the loss of samples, and predictions for a score.

    The score itself is not counted.

    Parameters
    ----------
    network, loss, n_rows, n_entries
        See `prediction_operations`.
    predicts : bool, default=True
        Whether raw scores are turned into predictions, too.
    """
    of_sample = loss.operations(network.n_outputs) + SIMPLE  # and their mean
    if predicts:
        of_sample += loss.link_operations(network.n_outputs)
    return round(_raw_operations(network, n_rows, n_entries) + of_sample * n_rows)


def entries_per_row(samples: Samples) -> Count | None:
    """Return the mean number of entries in a row of sparse samples, or None for dense ones.

    It is that of all samples, also where only some of the rows are used.
    """
    if samples.is_dense:
        return None
    matrix = samples.lend(slice(0, len(samples))).matrix
    return Fraction(matrix.nnz, max(len(samples), 1))


def _raw_operations(network: Network, n_rows: int, n_entries: Count | None) -> Count:
    """Return what raw scores cost at prediction time."""
    return network.operations(n_entries).prediction.of(n_rows, -(-n_rows // CHUNK))


def _step_cost(problem: Problem) -> Cost:
    """Return what a step costs: the objective with its gradient, then the update."""
    is_weighted = problem.sample_weight is not None
    n_entries = entries_per_row(problem.samples)
    gradient = problem.objective.operations(n_entries, is_weighted)
    # The weights of a batch are added up, and divided by the sum.
    weighing = 2 * SIMPLE if is_weighted else 0
    update = _update_operations(problem.solver, problem.objective.network.layout)
    return Cost(gradient.per_row + weighing, gradient.per_call + update)


def _update_operations(solver: Any, layout: ParameterLayout) -> int:
    """Return what the parameters cost in a step, once their gradient is there."""
    trained = [group for group in layout.groups if group.kind != STATISTIC]
    moved = [group for group in trained if not is_zero(group.rate)]
    shapes = [] if solver.optimizer.is_elementwise else _shapes_within(layout, moved)
    total: int = solver.optimizer.operations(_size_of(moved), shapes)
    if solver.weight_decay:
        total += SIMPLE * _size_of(group for group in moved if not is_zero(group.decay))
    if _takes_every_norm(solver):
        total += MULTIPLY_ADD * layout.n_trained
    if solver.max_grad_norm is not None:
        total += SIMPLE * layout.n_trained
    if solver.tracks_noise:
        total += SIMPLE * layout.n_trained
    averaging = solver.averaging
    if averaging is not None and averaging.step_weights(np.ones(1, int)) is not None:
        total += FOLLOWING * layout.n_trained
    return total


def _takes_every_norm(solver: Any) -> bool:
    """Whether the norm of the gradient is needed in every step."""
    return solver.max_grad_norm is not None or solver.tracks_noise


def _watching(problem: Problem, n_sizes: int) -> int:
    """Return what the gradient's norm costs that the history of an epoch has.

    It is that of the first step with batches of either size. In long epochs others are computed,
    now and then, that nobody reads; these are not counted.
    """
    layout, solver = problem.objective.network.layout, problem.solver
    return 0 if _takes_every_norm(solver) else MULTIPLY_ADD * layout.n_trained * n_sizes


def _between_epochs(problem: Problem) -> int:
    """Return what is done when an epoch ends."""
    solver: Any = problem.solver
    objective, total = problem.objective, 0
    layout, averaging = objective.network.layout, solver.averaging
    if solver.tracks_noise:
        total += MULTIPLY_ADD * layout.size
    if averaging is not None:
        weight = averaging.epoch_weight(problem.state.n_epochs, solver.max_iter)
        total += FOLLOWING * layout.size if weight is not None else 0
    if solver.recovers:
        total += _looking_back(problem)
    return total


def _looking_back(problem: Problem) -> int:
    """Return what it costs to see that training has not diverged: a loss, and finite predictions.

    Large predictions, of which all are looked at, are no part of a training that goes well.
    """
    objective, n_samples = problem.objective, len(problem.samples)
    network, loss, n_entries = objective.network, objective.loss, entries_per_row(problem.samples)
    few = min(problem.n_samples, CHUNK)
    total = validation_operations(network, loss, few, n_entries, predicts=False)
    looked_at = [min(n_samples, CHUNK)]
    if n_samples > CHUNK and loss.grows_fast:
        looked_at.append(n_samples)
    for n_rows in looked_at:  # and their largest absolute value
        total += prediction_operations(network, loss, n_rows, n_entries)
        total += 2 * SIMPLE * network.n_outputs * n_rows
    return total


def _size_of(groups: Iterable[Group]) -> int:
    """Return the number of parameters of some groups."""
    return sum(group.where.stop - group.where.start for group in groups)


def _shapes_within(layout: ParameterLayout, groups: list[Group]) -> list[tuple[int, ...]]:
    """Return the shapes of the matrices of weights in some groups."""
    return [
        shape
        for where, shape in layout.matrices()
        if any(g.where.start <= where.start < g.where.stop for g in groups)
    ]
