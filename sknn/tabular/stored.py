"""Tables in files that may be larger than memory.

What the columns hold, and what they become, is learnt from a sample of the rows. All rows are read
once, to a temporary file of numbers and codes, and encoded as networks are trained on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array
from sknn.data import StoredRows
from sknn.data.spool import write_rows
from sknn.streamed import RowFile, Streamed
from sknn.tabular.encoder import TableEncoder
from sknn.tabular.encoding import CROSS_FITTING, TargetMeans
from sknn.tabular.files import read_tables
from sknn.tabular.table import Columns, Table

BLOCK_ROWS = 4096
"""Rows of the temporary file that are looked at together."""

ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
"""What the bits of a row's number are multiplied with."""


class StoredTable:
    """A table that has been read to a file; a sample of its rows is in memory.

    Parameters
    ----------
    data : StoredRows
    columns : Columns
        Learnt from the sample.
    sample : Table

    Attributes
    ----------
    sample : Table
    memory : int
        Bytes that training may hold of the rows.
    places : ndarray of int, or None
        Where in the file the rows are; None if they are in the order of the files.
    """

    def __init__(self, data: StoredRows, columns: Columns, sample: Table) -> None:
        ascending, order = data.in_file_order()
        self._data, self._columns, self.sample = ascending, columns, sample
        self._n_numbers = sample.numbers.shape[1]
        self.memory = data.memory
        self._order = order
        self.places = None if order is None else np.argsort(order)

    def __len__(self) -> int:
        return len(self._data)

    @cached_property
    def file(self) -> RowFile:
        """The numbers and codes of all rows, in the order of the files."""
        tables = read_tables(self._columns, self._data)
        blocks = (np.concatenate([table.numbers, table.codes], axis=1) for table in tables)
        return self.write(blocks, sum(part.shape[1] for part in self.sample), np.float64)

    def write(self, blocks: Iterator[Array], width: int, dtype: Any) -> RowFile:
        """Write something about each row to a temporary file."""
        return write_rows(blocks, (len(self), width), dtype, self._data.folder)

    def discard(self) -> None:
        """Remove the file."""
        if "file" in vars(self):
            discard(self.file)

    def described(self) -> Any:
        """Return what tells the table from others, in plain terms."""
        return self.file.digest(), self._order

    def of(self, rows: Array) -> Table:
        """Return some rows, in memory."""
        return self._as_table(self.file.rows(rows if self.places is None else self.places[rows]))

    def blocks(self) -> Iterator[tuple[range, Array, Table]]:
        """Yield where in the file some rows are, their numbers, and what they hold."""
        for where in self.ranges():
            numbers = np.arange(where.start, where.stop)
            numbers = numbers if self._order is None else self._order[numbers]
            yield where, numbers, self.read(where.start, where.stop)

    def ranges(self) -> Iterator[range]:
        """Yield where in the file some rows are after the other."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield range(start, min(start + BLOCK_ROWS, len(self)))

    def read(self, start: int, stop: int) -> Table:
        """Return neighbours in the file."""
        return self._as_table(self.file.read(start, stop))

    def at(self, places: Array) -> Table:
        """Return what is at some places in the file."""
        return self._as_table(self.file.rows(places))

    def encoded(self, encoder: TableEncoder, sample: Array) -> EncodedSamples:
        """Return all rows, encoded as they are read; `sample` are those of the sample."""
        return EncodedSamples(self, encoder)

    def _as_table(self, rows: Array) -> Table:
        numbers, codes = np.split(rows, [self._n_numbers], axis=1)
        return Table(numbers, codes.astype(np.intp))


def discard(file: RowFile) -> None:
    """Remove a temporary file now, whoever may still know of it."""
    owner: Any = file._owner
    owner.discard()


class Fitted(NamedTuple):
    """Mean targets of categories as the rows see them that a network is trained on.

    Attributes
    ----------
    seed : int
        Of the folds in which targets are kept from each other's rows.
    by_fold : list of tuple of int and ndarray of shape (n_folds, n_levels + 1, n_targets)
        The means for the rows of each fold, by the place of the codes.
    """

    seed: int
    by_fold: list[tuple[int, Array]]


class EncodedSamples(Streamed):
    """The rows of a table in a file as the networks of a kind take them.

    Parameters
    ----------
    table : StoredTable
    encoder : TableEncoder
    fitted : Fitted, default=None
        Means of a network's own, which are added.
    shared : RowFile, default=None
        The rows without these, if they have been written to a file.
    """

    def __init__(
        self,
        table: StoredTable,
        encoder: TableEncoder,
        fitted: Fitted | None = None,
        shared: RowFile | None = None,
    ) -> None:
        self.table, self.encoder, self._shared = table, encoder, shared
        file = EncodedRows(table, encoder, fitted, shared)
        super().__init__(file, table.memory, table.places)

    def with_means(self, fitted: Fitted) -> EncodedSamples:
        """Return the same rows with means of a network's own."""
        return EncodedSamples(self.table, self.encoder, fitted, self._shared)

    def written(self) -> EncodedSamples:
        """Return the same rows, encoded once to a file: an epoch does no more than read them."""
        table, file = self.table, self._matrix
        blocks = (file.read(where.start, where.stop) for where in table.ranges())
        shared = table.write(blocks, file.shape[1], np.float32)
        return EncodedSamples(table, self.encoder, shared=shared)

    def discard(self) -> None:
        """Remove that file."""
        if self._shared is not None:
            discard(self._shared)


class EncodedRows(RowFile):
    """Rows of a table that are encoded as they are read; see `EncodedSamples`."""

    def __init__(
        self,
        table: StoredTable,
        encoder: TableEncoder,
        fitted: Fitted | None,
        shared: RowFile | None,
    ) -> None:
        n_own = 0 if fitted is None else sum(means.shape[2] for _, means in fitted.by_fold)
        shape = len(table), encoder.n_features_out_ + n_own
        super().__init__(table.file.path, shape, np.float32, owner=table)
        self._table, self._encoder, self._fitted, self._written = table, encoder, fitted, shared

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        written, table = self._written, None
        if written is None or self._fitted is not None:
            table = self._table.read(start, stop)
        shared = None if written is None else written.read(start, stop)
        rows = self._join(table, shared, np.arange(start, stop))
        if out is None:
            return rows
        out[...] = rows
        return out

    def rows(self, numbers: Array) -> Array:
        return self._join(self._table.at(numbers), None, np.asarray(numbers))

    def _join(self, table: Table | None, shared: Array | None, places: Array) -> Array:
        """Return what all networks see, and what belongs to one of them."""
        if shared is None:
            assert table is not None
            shared = self._encoder.encode(table)
        if self._fitted is None:
            return shared
        assert table is not None
        folds = draw_by_number(places, self._fitted.seed)
        own = [means[folds, table.codes[:, k]] for k, means in self._fitted.by_fold]
        return np.concatenate([shared, *own], axis=1)


def draw_by_number(numbers: Array, seed: int) -> Array:
    """Return the fold of each row, drawn from its number: nothing has to be kept of it."""
    bits = numbers.astype(np.uint64) * np.uint64(ODD[0])
    bits += np.uint64((seed + 1) * ODD[1] % 2**64)
    for shift, factor in ((30, ODD[1]), (27, ODD[2])):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return ((bits ^ (bits >> np.uint64(31))) % np.uint64(CROSS_FITTING)).astype(np.intp)


def learn_means(
    samples: EncodedSamples,
    about: list[tuple[int, tuple[int, str, int]]],
    targets: Callable[[Array], Array],
    weight: Array | None,
    rows: Array,
    seed: int,
) -> tuple[list[tuple[int, TargetMeans]], EncodedSamples]:
    """Learn the mean targets of categories from some rows; return them, and all rows with them.

    As in memory, the rows that are learnt from see the means of other folds only. What is kept for
    it are sums for each fold and category.

    Parameters
    ----------
    samples : EncodedSamples
    about : list of tuple
        The places of the codes, and for each how many categories there are, the name of the column
        and its place.
    targets : callable
        Returns those of some rows, (n_rows, n_targets).
    weight : ndarray of shape (n_samples,) or None
    rows : ndarray of int
        The rows to learn from.
    seed : int
        Of the folds.
    """
    table = samples.table
    is_learnt = np.zeros(len(table), bool)
    is_learnt[rows] = True
    n_targets = targets(rows[:1]).shape[1]
    found = [np.zeros((2 + n_targets, CROSS_FITTING * (n + 1))) for _, (n, _, _) in about]
    for where, numbers, part in table.blocks():
        chosen = np.flatnonzero(is_learnt[numbers])
        numbers = numbers[chosen]
        folds = draw_by_number(where.start + chosen, seed)
        y = targets(numbers)
        w = np.ones(len(numbers)) if weight is None else weight[numbers]
        for (place, (n_levels, _, _)), sums in zip(about, found, strict=True):
            codes = part.codes[chosen, place]
            cells = folds * (n_levels + 1) + np.where(codes < 0, n_levels, codes)
            for total, values in zip(sums, [None, w, *(w * y.T)], strict=True):
                total += np.bincount(cells, values, total.size)
    learnt, by_fold = [], []
    for (place, (_, name, origin)), sums in zip(about, found, strict=True):
        of_fold = sums.reshape(len(sums), CROSS_FITTING, -1)
        means, fitted = TargetMeans.of_sums(of_fold[0], of_fold[1], of_fold[2:], name, origin)
        learnt.append((place, means))
        by_fold.append((place, fitted.astype(np.float32)))
    return learnt, samples.with_means(Fitted(seed, by_fold))
