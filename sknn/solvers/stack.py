"""Models of the same structure that run their epochs together, on stacked parameters."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from sknn._crew import Crew, Phase
from sknn._math import Array, even_slices
from sknn.solvers.model import Model
from sknn.solvers.step import Arrays, Steps
from sknn.solvers.stopping import Epoch

COPIED_BYTES = 16_000_000
"""Rows of batches that are prepared together, where they have to be copied, in bytes at most."""

N_SLOTS = 32
"""Steps that are prepared together; between 16 and 64 the time is the same."""


class Chunk(NamedTuple):
    """Steps that are run between two looks at the losses.

    Attributes
    ----------
    steps : list of Steps
        Those of all models, by their places.
    first, n_steps : int
        The number of the first step in the epoch, and how many they are.
    """

    steps: list[Steps]
    first: int
    n_steps: int

    def cut(self, n_steps: int) -> Chunk:
        """Return the part of it that lies within so many steps of an epoch."""
        return self._replace(n_steps=min(self.n_steps, n_steps - self.first))


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
        theta = _stacked([model.state.theta for model in models])
        moments = {
            name: _stacked([model.moments[name] for model in models]) for name in first.moments
        }
        # Workers that share the rows of a batch have a gradient each; sparse rows are not shared.
        shares_rows = len(models) == 1 and first.rows.samples.is_dense
        n_row_workers = crew.n_workers if shares_rows else 1
        # Zeros: statistics among the parameters have no gradient.
        grads = [np.zeros_like(theta) for _ in range(n_row_workers)]
        noise = _stacked_rows([model.noise for model in models])
        self._arrays = Arrays(theta, np.empty_like(theta), grads, moments, noise)
        self._batch_size = first.batch_size
        self._rows = list({id(model.rows): model.rows for model in models}.values())
        self._chunks = self._make_chunks()
        for m, model in enumerate(models):  # of large arrays there is one copy while it lasts
            model.state.theta, model.moments = self._rows_of(m)
            model.noise = self._noise_of(m)

    def run_epoch(self) -> list[int]:
        """Train all models for an epoch; return the places of those for which it was the last."""
        for model in self.models:
            if model.is_training:
                model.begin_epoch()
        for rows in self._rows:
            rows.shuffle()
        rates = [model.rate for model in self.models]
        totals, norms = self.run_steps()
        finished = []
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            numbers = zip(self.models, totals.tolist(), rates, norms.tolist(), strict=True)
            for m, (model, total, rate, norm) in enumerate(numbers):
                if model.is_training:
                    record = Epoch(total / model.n_visited, rate, norm, model.batch_size)
                    if model.end_epoch(record, *self._rows_of(m)):
                        finished.append(m)
        return finished

    def run_steps(self) -> tuple[Array, Array]:
        """Make the steps of an epoch that has begun.

        Returns
        -------
        totals, norms : ndarray of shape (n_models,)
            The losses summed over the samples, and the norm of the gradient of one of the last
            batches.
        """
        totals, norms = np.zeros((2, len(self.models)))
        # A budget of operations ends for all in the same step, see `Stochastic.stack_key`.
        cuts = []
        if self.models[0].solver.max_operations is not None:
            cuts = [m.n_allowed for m in self.models if m.is_training and m.n_allowed < m.n_steps]
        chunks = (
            [c.cut(cuts[0]) for c in self._chunks if c.first < cuts[0]] if cuts else self._chunks
        )
        with np.errstate(all="ignore"):  # divergence is reported once it is certain
            for chunk in chunks:
                for steps in chunk.steps:
                    steps.load(chunk.first * self._batch_size, chunk.first, chunk.n_steps)
                self.crew.run(_phases(chunk, self.crew))
                for steps in chunk.steps:
                    totals[steps.models] += steps.losses(chunk.n_steps)
            for steps in chunks[-1].steps:
                norms[steps.models] = steps.update.grad_norms()
        return totals, norms

    def gradient_noise(self) -> tuple[float, float] | None:
        """Return the mean squared norm of the epoch's gradients, and that of their mean.

        Of a stack of one, and of full batches only; None for fewer than two.
        """
        return self._chunks[0].steps[0].gradient_noise()

    def release(self, m: int, goes_on: bool = True) -> None:
        """Hand parameters back to the model at place `m`, and the rest if anybody goes on."""
        model, arrays = self.models[m], self._arrays
        model.state.theta = _one(arrays.theta, m)
        names = arrays.moments if goes_on else arrays.moments.keys() & {"average"}
        model.moments = {name: _one(arrays.moments[name], m) for name in names}
        if goes_on and arrays.noise.ndim == 3:
            model.noise = self._noise_of(m).copy()

    def _noise_of(self, m: int) -> Array:
        noise = self._arrays.noise
        return noise if noise.ndim < 3 else noise[m, : self.models[m].batch_size]

    def _rows_of(self, m: int) -> tuple[Array, dict[str, Array]]:
        """Return views of one model's parameters and moments."""
        theta = self._arrays.theta
        return theta[m] if theta.ndim > 1 else theta, _views_of(self._arrays.moments, m)

    def _make_chunks(self) -> list[Chunk]:
        """Return what an epoch runs."""
        size, n_models = self._batch_size, len(self.models)
        n_full = self.models[0].n_full
        chunks = []
        if n_full:
            shares = even_slices(n_models, 1 if n_models == 1 else self.crew.n_workers)
            n_slots = min(n_full, self._count_slots())
            full = [self._make_steps(share, size, n_slots) for share in shares]
            for step in range(0, n_full, n_slots):
                chunks.append(Chunk(full, step, min(n_slots, n_full - step)))
        rest = []
        # The last batch is smaller, and not equally so for all models.
        places = itertools.groupby(range(n_models), lambda m: self.models[m].n_seen - n_full * size)
        for n_rest, group in places:
            if n_rest:
                first, *others = group
                models = slice(first, first + len(others) + 1)
                rest.append(self._make_steps(models, n_rest, 1))
        if rest:
            chunks.append(Chunk(rest, n_full, 1))
        return chunks

    def _count_slots(self) -> int:
        """Return how many batches are prepared together."""
        n_bytes = self._batch_size * sum(rows.n_copied_bytes for rows in self._rows)
        return max(1, min(N_SLOTS, COPIED_BYTES // max(1, n_bytes)))

    def _make_steps(self, models: slice, size: int, n_slots: int) -> Steps:
        is_single = len(self.models) == 1
        arrays = self._arrays if is_single else self._arrays.of(models)
        n_workers = self.crew.n_workers if is_single else 1
        return Steps(models, self.models[models], arrays, size, n_slots, n_workers)


def _phases(chunk: Chunk, crew: Crew) -> list[list[Phase]]:
    """Return the phases of a chunk's steps, as the crew runs them."""
    steps, n_steps = chunk.steps, chunk.n_steps
    if crew.n_workers == 1:
        return [[[of_models.calls(n_steps)]] for of_models in steps]
    if len(steps[0].phases[0][-1]) > 1:
        return steps[0].phases[:n_steps]
    # Models have nothing to do with each other: the workers meet again after the last step.
    n = crew.n_workers
    work = [[call for s in steps[w::n] for call in s.calls(n_steps)] for w in range(n)]
    return [[work]]


def _stacked(vectors: list[Array]) -> Array:
    """Return the vector itself for one model, else a stack of them."""
    return vectors[0] if len(vectors) == 1 else np.stack(vectors)


def _views_of(arrays: dict[str, Array], m: int) -> dict[str, Array]:
    """Return views of one model's arrays."""
    return {name: array[m] if array.ndim > 1 else array for name, array in arrays.items()}


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


def _one(stacked: Array, m: int) -> Array:
    """Return one model's vector, as an array of its own."""
    return stacked[m].copy() if stacked.ndim == 2 else stacked
