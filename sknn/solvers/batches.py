"""Mini-batches: which rows make up which batch, and how they reach the network's buffers."""

from __future__ import annotations

import itertools
from collections.abc import Hashable
from functools import cached_property, partial
from typing import Any

import numpy as np

from sknn._math import Array, Call, spread_rows
from sknn.objective import DataTerm
from sknn.samples import Dense, Samples, same_arrays
from sknn.streamed import Streamed


class Rows:
    """The rows of one model, in the order in which the current epoch visits them.

    Parameters
    ----------
    samples : Samples
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    sample_weight : ndarray of shape (n_samples,) or None
    rows : ndarray of int or None
        The rows to use; None for all.
    rng : RandomState or None
        Where the order is drawn from; None keeps it.

    Attributes
    ----------
    order : ndarray of int
        The rows in the order of the current epoch; of it the next one is made.
    generator : RandomState or None
        Where it is drawn from.
    """

    def __init__(
        self,
        samples: Samples,
        y: Array,
        sample_weight: Array | None,
        rows: Array | None,
        rng: np.random.RandomState | None,
    ) -> None:
        self.samples = samples.in_order()
        self.y = np.ascontiguousarray(y)
        self.sample_weight = sample_weight
        self.generator = rng
        self.order = np.arange(y.shape[0]) if rows is None else rows

    @cached_property
    def _first_draws(self) -> Hashable:
        """What tells the random states of two models apart before the first epoch."""
        if self.generator is None:
            return None
        kind, keys, *rest = self.draws
        return kind, keys.tobytes(), *rest

    @cached_property
    def draws(self) -> Any:
        """The state of what the order is drawn from, for all models that share it."""
        return None if self.generator is None else self.generator.get_state()

    def equals(self, other: Rows) -> bool:
        """Whether two models have the same samples and will visit them in the same order."""
        if self.generator is not None and self.generator is other.generator:
            return False  # they take turns
        if self._first_draws != other._first_draws:
            return False
        if (self.sample_weight is None) != (other.sample_weight is None):
            return False
        pairs = [(self.order, other.order), (self.y, other.y)]
        if self.sample_weight is not None and other.sample_weight is not None:
            pairs.append((self.sample_weight, other.sample_weight))
        return all(same_arrays(a, b) for a, b in pairs) and self.samples.equals(other.samples)

    @property
    def size(self) -> int:
        """How many they are."""
        return self.order.size

    def few(self, most: int) -> Array:
        """Return the numbers of some rows, ascending."""
        return np.sort(self.order[:most])

    def is_order(self, order: Array) -> bool:
        """Whether an earlier training may have left such an order of these rows."""
        return order.size == self.size and order.max() < len(self.y)

    def shuffle(self) -> None:
        """Draw the order of the next epoch; the draws are those of sklearn.utils.shuffle."""
        if self.generator is not None:
            self.__dict__.pop("draws", None)
            permutation = np.arange(self.order.size)
            self.generator.shuffle(permutation)
            self.order = self.order[permutation]

    def _draw_seed(self) -> int | None:
        """Draw the seed of the next epoch's order, if there is one to draw."""
        if self.generator is None:
            return None
        self.__dict__.pop("draws", None)
        return int(self.generator.randint(np.iinfo(np.int32).max))

    @property
    def n_copied_bytes(self) -> int:
        """How much of a row is copied before it reaches a buffer."""
        return 0

    def source(self, n_rows: int) -> Samples:
        """Return what so many rows, which are to be visited next, are gathered from."""
        return self.samples

    def visit(self, start: int, source: Samples, places: Array) -> Array:
        """Return the numbers of the rows from the position `start` of the epoch on.

        Parameters
        ----------
        start : int
        source : Samples
            Of `source`.
        places : ndarray of int, shape (n_rows,)
            Is told where in the source these rows are.
        """
        places[:] = self.order[start : start + len(places)]
        return places


class StreamedRows(Rows):
    """Rows of one model that come from a file, in windows; see :mod:`sknn.streamed`.

    They are asked for one after the other. Nothing is kept of an order but where it is drawn from.
    """

    def __init__(
        self,
        samples: Streamed,
        y: Array,
        sample_weight: Array | None,
        rows: Array | None,
        rng: np.random.RandomState | None,
    ) -> None:
        super().__init__(samples, y, sample_weight, np.empty(0, np.intp), rng)
        self._stream, self._rows = samples.stream(rows), rows

    @property
    def size(self) -> int:
        return self._stream.n_rows

    def few(self, most: int) -> Array:
        places = spread_rows(self.size, most)
        return places if self._rows is None else np.sort(self._rows[places])

    def is_order(self, order: Array) -> bool:
        return order.size == 0

    def shuffle(self) -> None:
        self._stream.begin_epoch(self._draw_seed())

    @property
    def n_copied_bytes(self) -> int:
        return self.samples.shape[1] * self.samples.dtype.itemsize

    def source(self, n_rows: int) -> Samples:
        return Dense(np.empty((n_rows, self.samples.shape[1]), self.samples.dtype))

    def visit(self, start: int, source: Samples, places: Array) -> Array:
        places[:] = np.arange(len(places))
        return self._stream.read(source[: len(places)])


class RowsElsewhere(Rows):
    """Rows of which only some are here, which others visit.

    Attributes
    ----------
    seed : int or None
        Of the order in which they do so in the current epoch; None keeps that of the rows.
    """

    def __init__(
        self,
        samples: Samples,
        y: Array,
        sample_weight: Array | None,
        rng: np.random.RandomState | None,
    ) -> None:
        super().__init__(samples, y, sample_weight, np.empty(0, np.intp), rng)
        assert samples.n_elsewhere is not None
        self._n_rows = samples.n_elsewhere
        self.seed: int | None = None

    @property
    def size(self) -> int:
        return self._n_rows

    def few(self, most: int) -> Array:
        return spread_rows(len(self.y), most)

    def is_order(self, order: Array) -> bool:
        return order.size == 0

    def shuffle(self) -> None:
        self.seed = self._draw_seed()


def make_rows(
    samples: Samples,
    y: Array,
    sample_weight: Array | None,
    rows: Array | None,
    rng: np.random.RandomState | None,
) -> Rows:
    """Return the rows of a model; see `Rows`."""
    if samples.n_elsewhere is not None:
        return RowsElsewhere(samples, y, sample_weight, rng)
    if isinstance(samples, Streamed):
        return StreamedRows(samples, y, sample_weight, rows, rng)
    return Rows(samples, y, sample_weight, rows, rng)


class BatchLoader:
    """Fills the buffers of data terms, slot by slot, from the rows of the stack's models.

    Parameters
    ----------
    rows : list of Rows
        One for each model; the same one for neighbours that share it.
    terms : list of DataTerm
        Each has a share of the rows of each batch, one after the other.
    n_slots : int
        Batches that are prepared together.

    Attributes
    ----------
    inverse_weight : ndarray of shape (n_slots,) or (n_slots, n_models, 1)
        One by the total weight of each batch; 0 for a batch without any weight.
    """

    def __init__(self, rows: list[Rows], terms: list[DataTerm], n_slots: int) -> None:
        # Neighbours with the same rows share the work.
        groups = [list(group) for _, group in itertools.groupby(rows, key=id)]
        ends = np.cumsum([len(group) for group in groups]).tolist()
        self._groups = [
            (group[0], slice(end - len(group), end))
            for group, end in zip(groups, ends, strict=True)
        ]
        self._terms = terms
        ends = list(itertools.accumulate((term.target.shape[-1] for term in terms), initial=0))
        self._shares = [slice(*ends_) for ends_ in itertools.pairwise(ends)]
        self._batch_size = ends[-1]
        self._indices = np.empty((len(groups), n_slots, self._batch_size), np.intp)
        self._sources = [group[0].source(n_slots * self._batch_size) for group in groups]
        y = rows[0].y
        self._y = np.empty((n_slots * self._batch_size, y.shape[1]), y.dtype)
        self._is_stack = terms[0].target.ndim == 4
        self._weights: Array | None = None
        shape = (n_slots, len(rows), 1) if self._is_stack else (n_slots,)
        self.inverse_weight = np.full(shape, 1 / self._batch_size)
        if rows[0].sample_weight is not None:
            self._weights = np.empty((n_slots, len(rows), self._batch_size))

    def gather_calls(self, term: int, slot: int) -> list[Call]:
        """Return the calls that bring a slot's rows into the input buffer of a term."""
        x, share = self._terms[term].x, self._shares[term]
        if not self._sources[0].is_dense:
            return [self._sources[0].gather(self._indices[0, slot], x)]
        buffers = x if self._is_stack else x[np.newaxis]
        calls: list[Call] = []
        for g, (source, (_, models)) in enumerate(zip(self._sources, self._groups, strict=True)):
            first, copies = buffers[models.start], buffers[models.start + 1 : models.stop]
            calls.append(source.gather(self._indices[g, slot, share], first))
            if len(copies):
                calls.append(partial(np.copyto, copies, first))
        return calls

    def load(self, start: int, n_slots: int) -> None:
        """Prepare `n_slots` batches, beginning with the row at position `start` of the epoch."""
        n = n_slots * self._batch_size
        for g, (rows, models) in enumerate(self._groups):
            places = self._indices[g].reshape(-1)[:n]
            chosen = rows.visit(start, self._sources[g], places)
            gathered = self._y[:n]
            rows.y.take(chosen, 0, gathered, "clip")
            by_slot = gathered.reshape(n_slots, self._batch_size, -1).transpose(0, 2, 1)
            for term, share in zip(self._terms, self._shares, strict=True):
                target, batch = term.target[:n_slots], by_slot[..., share]
                if self._is_stack:
                    target, batch = target[:, models], batch[:, np.newaxis]
                np.copyto(target, batch, casting="same_kind")
            if self._weights is not None and rows.sample_weight is not None:
                weights = rows.sample_weight[chosen].reshape(n_slots, 1, -1)
                self._weights[:n_slots, models] = weights
        if self._weights is not None:
            self._load_weights(self._weights[:n_slots], n_slots)

    def _load_weights(self, weights: Array, n_slots: int) -> None:
        """Hand the terms their samples' weights, divided by the total of the batch."""
        total = weights.sum(axis=-1, keepdims=True)
        inverse = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
        self.inverse_weight[:n_slots] = inverse if self._is_stack else inverse[:, 0, 0]
        relative = (weights * inverse)[:, :, np.newaxis]
        for term, share in zip(self._terms, self._shares, strict=True):
            term.weight[:n_slots] = (
                relative[..., share] if self._is_stack else relative[:, 0, :, share]
            )
