"""Mini-batches: which rows make up which batch, and how they reach the network's buffers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call
from sknn.layers import SparseBatch
from sknn.objective import BoundObjective


class Rows:
    """The rows of one model, in the order in which the current epoch visits them.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    sample_weight : ndarray of shape (n_samples,) or None
    rows : ndarray of int or None
        The rows to use; None for all.
    rng : RandomState or None
        Where the order is drawn from; None keeps it.
    """

    def __init__(
        self,
        X: Any,
        y: Array,
        sample_weight: Array | None,
        rows: Array | None,
        rng: np.random.RandomState | None,
    ) -> None:
        # `take` would copy an array of another memory layout at every call.
        self.X = np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X
        self.y = np.ascontiguousarray(y)
        self.sample_weight = sample_weight
        self._rng = rng
        self.order = np.arange(y.shape[0]) if rows is None else rows

    def shuffle(self) -> None:
        """Draw the order of the next epoch; the draws are those of sklearn.utils.shuffle."""
        if self._rng is not None:
            permutation = np.arange(self.order.size)
            self._rng.shuffle(permutation)
            self.order = self.order[permutation]


class BatchLoader:
    """Fills a bound objective's buffers, slot by slot, from the rows of its models.

    Parameters
    ----------
    rows : list of Rows
        One for each model.
    batch : BoundObjective
        Whose input, targets and weights are filled.
    batch_size, n_slots : int
        Samples in a batch, batches that are prepared together.
    """

    def __init__(
        self, rows: list[Rows], batch: BoundObjective, batch_size: int, n_slots: int
    ) -> None:
        self._rows = rows
        self._batch = batch
        self._batch_size = batch_size
        self._indices = np.empty((len(rows), n_slots, batch_size), np.intp)
        n_outputs, y = rows[0].y.shape[1], rows[0].y
        self._y = np.empty((n_slots * batch_size, n_outputs), y.dtype)
        is_weighted = rows[0].sample_weight is not None
        self._weights = np.empty((n_slots, len(rows), batch_size)) if is_weighted else None

    def gather_calls(self, slot: int) -> list[Call]:
        """Return the calls that bring the rows of a slot into the input buffer."""
        x = self._batch.x
        if isinstance(x, SparseBatch):
            return [partial(x.gather, self._rows[0].X, self._indices[0, slot])]
        buffers = x if x.ndim == 3 else x[np.newaxis]
        # "clip" spares the check of the indices, and the copy that it would need.
        return [
            partial(rows.X.take, self._indices[m, slot], 0, buffers[m], "clip")
            for m, rows in enumerate(self._rows)
        ]

    def load(self, start: int, n_slots: int) -> None:
        """Prepare `n_slots` batches, beginning with the row at position `start` of the epoch."""
        n = n_slots * self._batch_size
        for m, rows in enumerate(self._rows):
            chosen = self._indices[m].reshape(-1)[:n]
            chosen[:] = rows.order[start : start + n]
            gathered = self._y[:n]
            rows.y.take(chosen, 0, gathered, "clip")
            target = self._batch.target[:n_slots]
            target = target[:, m] if target.ndim == 4 else target
            by_slot = gathered.reshape(n_slots, self._batch_size, -1)
            np.copyto(target, by_slot.transpose(0, 2, 1), casting="same_kind")
            if self._weights is not None and rows.sample_weight is not None:
                self._weights[:n_slots, m] = rows.sample_weight[chosen].reshape(n_slots, -1)
        if self._weights is not None:
            weights = self._weights[:n_slots]
            is_single = self._batch.target.ndim == 3
            self._batch.set_weights(weights[:, 0] if is_single else weights, n_slots)
