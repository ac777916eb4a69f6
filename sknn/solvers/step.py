"""A training step: what happens to a batch, prepared once as calls.

raw scores  = forward(batch)       the layers, one after the other
loss                               raw scores become dL/draw
gradient    = backward(dL/draw)    the layers, from the last to the first
penalty                            its gradient is added
update                             the optimizer moves the parameters
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sknn._component import per_model
from sknn._crew import Phase
from sknn._math import Array, Call, even_slices
from sknn.layers import Team, split_at_meetings
from sknn.objective import DataTerm, Objective, PenaltyTerm
from sknn.solvers.batches import BatchLoader, Rows
from sknn.solvers.model import Model
from sknn.solvers.update import Update


class Arrays(NamedTuple):
    """What models are trained in: of one model vectors, of several with a leading axis.

    Attributes
    ----------
    theta, scratch : ndarray of shape (n_parameters,) or (n_models, n_parameters)
        The parameters, and a buffer like them.
    grads : list of ndarray
        The gradient that each worker has.
    moments : dict of ndarray
        The optimizer's arrays, and the average.
    noise : ndarray of uint64, shape (..., batch_size, n_noise)
        The random bits of the layers.
    """

    theta: Array
    scratch: Array
    grads: list[Array]
    moments: dict[str, Array]
    noise: Array

    def of(self, models: slice) -> Arrays:
        """Return views of some models' arrays."""
        moments = {name: array[models] for name, array in self.moments.items()}
        grads = [grad[models] for grad in self.grads]
        return Arrays(self.theta[models], self.scratch[models], grads, moments, self.noise[models])


class Steps:
    """The steps of some models for batches of one size.

    A step is what `_plan` says. It has phases, and a phase has a list of calls for each worker: of
    a single model the workers share the rows of the batch, each with a gradient of its own, and
    then the parameters. So many steps are prepared together as there are slots; they share the
    buffers of the layers, and each has targets, weights and numbers of its own.

    Parameters
    ----------
    models : slice
        The places of the models in their stack.
    members : list of Model
        The models themselves.
    arrays : Arrays
        Theirs.
    size, n_slots : int
        Samples of a batch, and steps that are prepared together.
    n_workers : int
        Workers that share a step, if there is one model.

    Attributes
    ----------
    phases : list of list
        The phases of each slot's step.
    """

    def __init__(
        self,
        models: slice,
        members: list[Model],
        arrays: Arrays,
        size: int,
        n_slots: int,
        n_workers: int,
    ) -> None:
        self.models = models
        self._members, self._arrays, self._size = members, arrays, size
        self._n_steps_summed, self._squares_summed = 0, 0.0
        self._theta = arrays.theta
        self._objective = Objective.stacked([model.problem.objective for model in self._members])
        rows = [model.rows for model in self._members]
        self._n_slots = n_slots
        self._noise_levels = self._make_noise_levels()
        self._terms = self._make_terms(rows)
        self._loader = BatchLoader(rows, self._terms, n_slots)
        self._follows_steps = any(model.solver.schedule.by_step for model in members)
        self._is_weighted = rows[0].sample_weight is not None
        self._factor = self._make_factor()
        solvers, layout = [model.solver for model in members], self._objective.network.layout
        can_share = self._theta.ndim == 1 and solvers[0].optimizer.is_elementwise
        # Statistics belong to the layers: no rule moves them.
        shares = even_slices(layout.n_trained, n_workers if can_share else 1)
        vectors = arrays.theta, arrays.scratch, arrays.grads, arrays.moments
        self.update = Update(solvers, layout, *vectors, n_slots, shares)
        # Where the data term adds to the gradient the penalty has to be written before it.
        n_added = self._terms[0].n_accumulated
        self._before = [self._penalty(s.start, min(s.stop, n_added)) for s in shares if n_added]
        self._after = [self._penalty(max(s.start, n_added), s.stop) for s in shares]
        self.phases = [self._plan(slot) for slot in range(n_slots)]
        by_step = [
            [call for phase in phases for calls in phase for call in calls]
            for phases in self.phases
        ]
        self._calls = [call for calls in by_step for call in calls]
        self._ends = list(itertools.accumulate(map(len, by_step), initial=0))

    def _plan(self, slot: int) -> list[Phase]:
        """Return the phases of a step: all that the engine does to a batch."""
        rows = [
            [
                *self._loader.gather_calls(worker, slot),
                *self._augment_calls(term, slot),
                *term.forward(slot),
                term.loss(slot),
                *term.backward,
            ]
            for worker, term in enumerate(self._terms)
        ]
        before = [[penalty.writes[slot] for penalty in self._before]] if self._before else []
        penalty = [penalty.adds[slot] for penalty in self._after]
        return [*before, *split_at_meetings(rows), *self.update.phases(slot, penalty)]

    def load(self, row: int, step: int, n_steps: int) -> None:
        """Prepare `n_steps` steps from position `row`, step number `step`, of the epoch on."""
        self._loader.load(row, n_steps)
        t = np.arange(step + 1, step + n_steps + 1)
        if self._theta.ndim > 1:
            t = t[:, np.newaxis, np.newaxis]
        # Mostly the same for all models, and powers of it are expensive.
        t = t + _counts([model.state.n_steps for model in self._members])
        steps, solver, decays = slice(step, step + n_steps), self._members[0].solver, 1.0
        rates = [model.rates for model in self._members]
        is_stack = self._theta.ndim > 1
        rates = _by_step(rates, steps, is_stack) if self._follows_steps else per_model(rates)
        if solver.decay_schedule is not None:
            decays = _by_step([model.decay_levels for model in self._members], steps, is_stack)
        self.update.load(t, rates, decays)
        if self._noise_levels is not None:
            noise = _by_step([model.noise_levels for model in self._members], steps, is_stack)
            levels = self._noise_levels[:n_steps]
            levels[...] = np.reshape(noise, (-1, *levels.shape[1:2], *[1] * (levels.ndim - 2)))
        if self._is_weighted:
            np.multiply(self._loader.inverse_weight, self._objective.alpha, out=self._factor)

    def calls(self, n_steps: int) -> list[Call]:
        """Return the calls of the first steps, one after the other."""
        return self._calls[: self._ends[n_steps]]

    def losses(self, n_steps: int) -> Array:
        """Return the losses of the first steps, summed over samples, for each model."""
        if self.update.gradient_sum is not None:
            self._squares_summed += float(self.update.squares[:n_steps].sum())
            self._n_steps_summed += n_steps
        data = sum(term.values(n_steps) for term in self._terms)
        penalty = sum(term.values(n_steps) for term in (*self._before, *self._after))
        losses = self._objective.reported_loss(data, penalty)
        return np.atleast_1d(np.add.reduce(losses, axis=0)) * self._size

    def gradient_noise(self) -> tuple[float, float] | None:
        """See `Stack.gradient_noise`; begins anew."""
        total, n_steps, squares = (
            self.update.gradient_sum,
            self._n_steps_summed,
            self._squares_summed,
        )
        if total is None:
            return None
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            large = float(np.dot(total, total)) / max(n_steps, 1) ** 2
        total.fill(0)
        self._n_steps_summed, self._squares_summed = 0, 0.0
        return (squares / n_steps, large) if n_steps > 1 else None

    def _make_terms(self, rows: list[Rows]) -> list[DataTerm]:
        """Return the data terms: one for all rows of a batch, or one for each worker's share."""
        even_weight = 1 / self._size if rows[0].sample_weight is None else None
        shares = even_slices(self._size, len(self._arrays.grads))
        team = Team([share.stop - share.start for share in shares])
        samples, lead, dtype = rows[0].samples, self._theta.shape[:-1], self._theta.dtype
        level = None if self._noise_levels is None else np.empty(self._noise_levels.shape[1:])
        return [
            DataTerm(
                self._objective,
                self._theta,
                grad,
                share.stop - share.start,
                self._n_slots,
                even_weight,
                # The last batch may be smaller: it has the first rows' random numbers.
                team.share(worker, self._arrays.noise[..., share, :], level),
                samples.make_buffer(lead, share.stop - share.start, dtype),
                noise_levels=self._noise_levels,
            )
            for worker, (share, grad) in enumerate(zip(shares, self._arrays.grads, strict=True))
        ]

    def _make_noise_levels(self) -> Array | None:
        """Return room for what random changes are multiplied by in each slot, if that changes."""
        if self._members[0].solver.noise_schedule is None or self._arrays.noise.shape[-1] == 0:
            return None
        lead = self._theta.shape[:-1]
        return np.empty((self._n_slots, *lead, *[1] * (2 * len(lead))))

    def _make_factor(self) -> Array:
        """Return the penalty's factor in each slot."""
        n_slots, alpha, lead = self._n_slots, self._objective.alpha, self._theta.shape[:-1]
        if not lead or self._is_weighted or not np.any(alpha):
            factor = np.empty((n_slots, *lead, 1) if lead else n_slots, self._theta.dtype)
            with np.errstate(over="ignore"):  # as while training
                np.multiply(self._loader.inverse_weight, alpha, out=factor, casting="same_kind")
            return factor
        # A number for each parameter spares a stack the slices, which are not contiguous in it.
        layout = self._objective.network.layout
        each = np.zeros_like(self._theta[:, : layout.n_trained])
        each[:, : layout.n_penalized] = np.multiply(alpha, 1 / self._size)
        return np.broadcast_to(each, (n_slots, *each.shape))

    def _penalty(self, start: int, stop: int) -> PenaltyTerm:
        arrays = self._theta, self._arrays.grads[0], self._arrays.scratch
        return PenaltyTerm(self._objective, *arrays, self._factor, slice(start, stop))

    def _augment_calls(self, term: DataTerm, slot: int) -> list[Call]:
        """Return the calls that change each model's rows of a batch at random."""
        if self._members[0].problem.augmentation is None:
            return []
        X = term.x if term.x.ndim == 3 else term.x[np.newaxis]
        targets = term.target[slot] if term.x.ndim == 3 else term.target[slot][np.newaxis]
        return [
            partial(augmentation.augment, x, target.T, model.rng)
            for model, x, target in zip(self._members, X, targets, strict=True)
            if (augmentation := model.problem.augmentation)
        ]


def _counts(values: list[int]) -> Any:
    """Return the common count, or a column of them, as ints."""
    counts = per_model(values)
    return counts.astype(np.intp) if isinstance(counts, np.ndarray) else counts


def _by_step(values: list[Any], steps: slice, is_stack: bool) -> Any:
    """Return the number of some models in some steps, to be broadcast with the steps' numbers.

    They are (n_steps, n_models, 1) for a stack, which may have one model, else (n_steps,).
    """
    if not is_stack:
        return values[0][steps]
    n_steps = steps.stop - steps.start
    columns = [v[steps] if np.ndim(v) else np.full(n_steps, v) for v in values]
    return np.stack(columns, axis=1)[..., np.newaxis]
