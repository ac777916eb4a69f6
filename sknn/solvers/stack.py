"""Models of the same structure that run their epochs together, on stacked parameters."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from sknn._component import per_model
from sknn._crew import Crew, Phase
from sknn._math import Array, Call, even_slices
from sknn.layers import SparseBatch, Team, split_at_meetings
from sknn.objective import DataTerm, Objective, PenaltyTerm
from sknn.solvers.batches import BatchLoader, Rows
from sknn.solvers.model import Model
from sknn.solvers.stopping import Epoch
from sknn.solvers.update import Update

N_SLOTS = 32
"""Batches that are prepared together; between 16 and 64 the time is the same."""


class Stack:
    """Models that are trained together.

    A stack of one drops the models' axis. Where the crew has several workers, they share the
    rows of each batch of a stack of one, and the models of a larger one.

    Parameters
    ----------
    models : list of Model
        Those of equal rows, and of equally many, come one after the other.
    crew : Crew
    """

    def __init__(self, models: list[Model], crew: Crew) -> None:
        self.models = models
        self.crew = crew
        first = models[0]
        self.theta = _stacked([model.state.theta for model in models])
        self.moments = {
            name: _stacked([model.moments[name] for model in models]) for name in first.moments
        }
        self.noise = _stacked_rows([model.noise for model in models])
        self.scratch = np.empty_like(self.theta)
        # Workers that share the rows of a batch have a gradient each; sparse rows are not shared.
        shares_rows = len(models) == 1 and isinstance(first.rows.X, np.ndarray)
        n_gradients = crew.n_workers if shares_rows else 1
        # Zeros: statistics among the parameters have no gradient.
        self.grads = [np.zeros_like(self.theta) for _ in range(n_gradients)]
        self._batch_size = first.batch_size
        self._rows = list({id(model.rows): model.rows for model in models}.values())
        self._chunks = self._make_chunks()

    def run_epoch(self) -> list[int]:
        """Train all models for an epoch; return the places of those for which it was the last."""
        for model in self.models:
            if model.is_training:
                model.begin_epoch()
        for rows in self._rows:
            rows.shuffle()
        rates = [model.rate for model in self.models]
        totals, norms = np.zeros((2, len(self.models)))
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            for parts, step, n_steps in self._chunks:
                for part in parts:
                    part.load(step * self._batch_size, step, n_steps, rates)
                self.crew.run(_steps(parts, n_steps, self.crew))
                for part in parts:
                    totals[part.models] += part.losses(n_steps)
            for part in parts:
                norms[part.models] = part.update.grad_norms()
            finished = []
            numbers = zip(self.models, totals.tolist(), rates, norms.tolist(), strict=True)
            for m, (model, total, rate, norm) in enumerate(numbers):
                if model.is_training:
                    n_samples = model.rows.order.size
                    record = Epoch(total / n_samples, rate, norm, model.batch_size)
                    n_steps = -(-n_samples // model.batch_size)
                    if model.end_epoch(record, *self._rows_of(m), n_steps):
                        finished.append(m)
        return finished

    def gradient_noise(self) -> tuple[float, float] | None:
        """Return the mean squared norm of the epoch's gradients, and that of their mean.

        Of a stack of one, and of full batches only; None for fewer than two.
        """
        parts, _, _ = self._chunks[0]
        return parts[0].gradient_noise()

    def release(self, m: int) -> None:
        """Hand parameters and moments back to the model at place `m`."""
        model = self.models[m]
        model.state.theta = _one(self.theta, m)
        model.moments = {name: _one(array, m) for name, array in self.moments.items()}
        if self.noise.ndim == 3:
            model.noise = self.noise[m, : model.batch_size].copy()

    def _rows_of(self, m: int) -> tuple[Array, dict[str, Array]]:
        """Return views of one model's parameters and moments."""
        if self.theta.ndim == 1:
            return self.theta, self.moments
        return self.theta[m], {name: array[m] for name, array in self.moments.items()}

    def _make_chunks(self) -> list[tuple[list[Part], int, int]]:
        """Return what an epoch runs: the parts, their first step, and how many steps."""
        size, n_models = self._batch_size, len(self.models)
        n_samples = [model.rows.order.size for model in self.models]
        # A batch of all samples counts as a last one.
        n_full = n_samples[0] // size if n_samples[0] > size else 0
        chunks = []
        if n_full:
            shares = even_slices(n_models, 1 if n_models == 1 else self.crew.n_workers)
            full = [Part(self, share, size, min(n_full, N_SLOTS)) for share in shares]
            for step in range(0, n_full, N_SLOTS):
                chunks.append((full, step, min(N_SLOTS, n_full - step)))
        rest = []
        # The last batch is smaller, and not equally so for all models.
        places = itertools.groupby(range(n_models), lambda m: n_samples[m] - n_full * size)
        for n_rest, group in places:
            if n_rest:
                first, *others = group
                rest.append(Part(self, slice(first, first + len(others) + 1), n_rest, 1))
        if rest:
            chunks.append((rest, n_full, 1))
        return chunks


class Part:
    """The steps of some models of a stack for batches of one size, prepared once as calls.

    A step of a stack of one has phases, and a phase has a list of calls for each worker of the
    crew: the workers share the rows of the batch, each with a gradient of its own, and then the
    parameters.

    Parameters
    ----------
    whole : Stack
    models : slice
        Which of its models.
    size, n_slots : int
        Samples of a batch, and batches that are prepared together.

    Attributes
    ----------
    phases : list of list
        The phases of each slot's step.
    """

    def __init__(self, whole: Stack, models: slice, size: int, n_slots: int) -> None:
        self.models = models
        self._size = size
        self._n_steps_summed, self._squares_summed = 0, 0.0
        self._members = whole.models[models]
        is_single = whole.theta.ndim == 1
        mine: Any = (...,) if is_single else models
        self._theta, self._scratch = whole.theta[mine], whole.scratch[mine]
        self._grads = [grad[mine] for grad in whole.grads]
        moments = {name: array[mine] for name, array in whole.moments.items()}
        self._objective = Objective.stacked([model.problem.objective for model in self._members])
        # The last batch may be smaller: it has the first rows' random numbers.
        self._noise = whole.noise[mine][..., :size, :]
        rows = [model.rows for model in self._members]
        self._n_slots = n_slots
        self._terms = self._make_terms(rows)
        self._loader = BatchLoader(rows, self._terms, n_slots)
        self._is_weighted = rows[0].sample_weight is not None
        self._factor = self._make_factor()
        solvers = [model.solver for model in self._members]
        can_share = is_single and solvers[0].optimizer.is_elementwise
        layout = self._objective.network.layout
        # Statistics belong to the layers: no rule moves them.
        shares = even_slices(layout.n_trained, whole.crew.n_workers if can_share else 1)
        arrays = self._theta, self._scratch, self._grads, moments
        self.update = Update(solvers, layout, *arrays, n_slots, len(shares))
        n_accumulated = self._terms[0].n_accumulated
        self._after = [self._penalty(max(s.start, n_accumulated), s.stop) for s in shares]
        # Where the data term adds to the gradient the penalty has to be written before it.
        self._before: list[PenaltyTerm] = []
        if n_accumulated:
            self._before = [self._penalty(s.start, min(s.stop, n_accumulated)) for s in shares]
        self.phases = self._make_phases(shares)
        by_step = [
            [call for phase in phases for calls in phase for call in calls]
            for phases in self.phases
        ]
        self._calls = [call for calls in by_step for call in calls]
        self._ends = list(itertools.accumulate(map(len, by_step), initial=0))

    def load(self, row: int, step: int, n_steps: int, rates: list[float]) -> None:
        """Prepare `n_steps` steps from position `row`, step number `step`, of the epoch on."""
        self._loader.load(row, n_steps)
        t = np.arange(step + 1, step + n_steps + 1)
        if self._theta.ndim > 1:
            t = t[:, np.newaxis, np.newaxis]
        # Mostly the same for all models, and powers of it are expensive.
        t = t + _counts([model.state.n_steps for model in self._members])
        self.update.load(t, per_model(rates[self.models]))
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
        losses = self._objective.reported(data, penalty)
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
        large = float(np.dot(total, total)) / max(n_steps, 1) ** 2
        total.fill(0)
        self._n_steps_summed, self._squares_summed = 0, 0.0
        return (squares / n_steps, large) if n_steps > 1 else None

    def _make_terms(self, rows: list[Rows]) -> list[DataTerm]:
        """Return the data terms: one for all rows of a batch, or one for each worker's part."""
        X = rows[0].X
        share = 1 / self._size if rows[0].sample_weight is None else None
        parts = even_slices(self._size, len(self._grads))
        team = Team([part.stop - part.start for part in parts])
        return [
            DataTerm(
                self._objective,
                self._theta,
                grad,
                part.stop - part.start,
                self._n_slots,
                share,
                team.share(member, self._noise[..., part, :]),
                None if isinstance(X, np.ndarray) else SparseBatch((self._size, X.shape[1])),
            )
            for member, (part, grad) in enumerate(zip(parts, self._grads, strict=True))
        ]

    def _make_factor(self) -> Array:
        """Return the penalty's factor in each slot."""
        n_slots, alpha, lead = self._n_slots, self._objective.alpha, self._theta.shape[:-1]
        if not lead or self._is_weighted:
            factor = np.empty((n_slots, *lead, 1) if lead else n_slots, self._theta.dtype)
            np.multiply(self._loader.inverse_weight, alpha, out=factor, casting="same_kind")
            return factor
        # A number for each parameter spares a stack the slices, which are not contiguous in it.
        layout = self._objective.network.layout
        each = np.zeros_like(self._theta[:, : layout.n_trained])
        each[:, : layout.n_penalized] = np.multiply(alpha, 1 / self._size)
        return np.broadcast_to(each, (n_slots, *each.shape))

    def _penalty(self, start: int, stop: int) -> PenaltyTerm:
        arrays = self._theta, self._grads[0], self._scratch
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

    def _make_phases(self, shares: list[slice]) -> list[list[Phase]]:
        updates = self.update.phases(shares, self._after, self._n_slots)
        steps: list[list[Phase]] = []
        for slot, update in enumerate(updates):
            before = [[penalty.writes[slot] for penalty in self._before]] if self._before else []
            rows = [
                [
                    *self._loader.gather_calls(part, slot),
                    *self._augment_calls(term, slot),
                    *term.calls[slot],
                ]
                for part, term in enumerate(self._terms)
            ]
            phases = split_at_meetings(rows)
            steps.append([*before, *phases, *update])
        return steps


def _steps(parts: list[Part], n_steps: int, crew: Crew) -> list[list[Phase]]:
    """Return the first steps of all parts, as the crew runs them."""
    if crew.n_workers == 1:
        return [[[part.calls(n_steps)]] for part in parts]
    if len(parts[0].phases[0][-1]) > 1:
        return parts[0].phases[:n_steps]
    # Models have nothing to do with each other: the workers meet again after the last step.
    workers = range(crew.n_workers)
    return [
        [[[call for p in parts[w :: len(workers)] for call in p.calls(n_steps)] for w in workers]]
    ]


def _stacked(vectors: list[Array]) -> Array:
    """Return the vector itself for one model, else a stack of them."""
    return vectors[0] if len(vectors) == 1 else np.stack(vectors)


def _stacked_rows(arrays: list[Array]) -> Array:
    """Return matrices of one width as a stack; those with fewer rows are filled up."""
    n_rows = max(len(array) for array in arrays)
    padded = [
        np.concatenate([array, np.ones((n_rows - len(array), array.shape[1]), array.dtype)])
        if len(array) < n_rows
        else array
        for array in arrays
    ]
    return _stacked(padded)


def _counts(values: list[int]) -> Any:
    """Return the common count, or a column of them, as ints."""
    counts = per_model(values)
    return counts.astype(np.intp) if isinstance(counts, np.ndarray) else counts


def _one(stacked: Array, m: int) -> Array:
    """Return one model's vector, as an array of its own."""
    return stacked[m].copy() if stacked.ndim == 2 else stacked
