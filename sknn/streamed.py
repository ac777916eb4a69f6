"""Rows in files that may be larger than memory: read in windows, ahead of training.

A file has rows one after the other, as numbers of one dtype. An epoch visits it in *blocks*, runs
of neighbouring rows that are read at once. So many blocks as fit into half of the memory that is
allowed make up a *window*, whose rows are visited in random order; a thread fills the other half
with the next window meanwhile. It is no perfect permutation: rows of one block are visited within
one window. But of each stretch of the file every window gets one block, by lot, so that the rows of
a sorted file are as mixed in it as those of any other.
"""

from __future__ import annotations

import hashlib
import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sknn._crew import start_thread
from sknn._math import Array, Call
from sknn.samples import FEW, Dense, Samples, cast, copy_rows

BLOCK_BYTES = 1_000_000
"""A block should have so many bytes: fewer are read slowly."""

BLOCKS_PER_WINDOW = 64
"""So many blocks at least make up a window, even if they are small: so it has rows from all over
the file."""

DENSITY = 32
"""Rows are read with what lies between them if that is no more than so many times as much."""

NUMBER = np.dtype(np.intp)
"""A row's number in the file, and its place in the order of a window."""


class RowFile:
    """A matrix in a file, row by row.

    It is opened whenever rows are read, which takes some microseconds: so it can be sent to other
    processes, and used in any number of threads.

    Parameters
    ----------
    path : path-like
    shape : tuple of int
        (n_rows, n_features).
    dtype : dtype
    offset : int, default=0
        Where in the file the first row begins, in bytes.
    owner : object, default=None
        What must live as long as the file is wanted.
    """

    def __init__(
        self,
        path: Any,
        shape: tuple[int, int],
        dtype: Any,
        offset: int = 0,
        owner: Any = None,
    ) -> None:
        self.path = Path(path)
        self.shape, self.dtype, self.offset = shape, np.dtype(dtype), offset
        self._owner = owner

    @property
    def n_row_bytes(self) -> int:
        """The size of a row."""
        return self.shape[1] * self.dtype.itemsize

    @property
    def n_block_rows(self) -> int:
        """How many rows make up a block."""
        return max(1, BLOCK_BYTES // max(1, self.n_row_bytes))

    def digest(self) -> str:
        """Return a text that is the same for equal rows only."""
        content = hashlib.blake2b(digest_size=16)
        for start in range(0, self.shape[0], self.n_block_rows):
            content.update(self.read(start, min(start + self.n_block_rows, self.shape[0])).data)
        return content.hexdigest()

    def read(self, start: int, stop: int, out: Array | None = None) -> Array:
        """Return the rows from `start` to `stop`, in an array of one's own if there is one.

        Parameters
        ----------
        start, stop : int
        out : ndarray of shape (stop - start, n_features), default=None
            In C order, of the file's dtype.
        """
        if out is None:
            out = np.empty((stop - start, self.shape[1]), self.dtype)
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset + start * self.n_row_bytes)
            left = out.reshape(-1).view(np.uint8).data
            while len(left):
                n_read = file.readinto(left)
                if not n_read:
                    raise OSError(
                        f"{os.fspath(self.path)!r} ends before row {stop}: it has been cut, or "
                        "written anew, since it was opened."
                    )
                left = left[n_read:]
        return out

    def rows(self, numbers: Array) -> Array:
        """Return rows by their numbers, in any order; neighbours in a block are read together."""
        numbers = np.asarray(numbers)
        out = np.empty((len(numbers), self.shape[1]), self.dtype)
        order = np.argsort(numbers, kind="stable")
        ascending = numbers[order]
        is_apart = np.diff(ascending) > DENSITY
        is_apart |= np.diff(ascending // self.n_block_rows) > 0
        for places in np.split(order, np.flatnonzero(is_apart) + 1):
            if len(places):
                first, last = int(numbers[places[0]]), int(numbers[places[-1]])
                out[places] = self.read(first, last + 1)[numbers[places] - first]
        return out


def stamp(path: Path) -> tuple[str, int, int]:
    """Return what tells a file from others: its name, its size, and when it was written."""
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns


class Streamed(Samples):
    """Rows of a file, which training reads in windows.

    Parameters
    ----------
    file : RowFile
    memory : int
        Bytes that the windows may take.
    rows : ndarray of int, default=None
        Which rows these samples are; None for all.
    dtype : dtype, default=None
        What rows are converted to; None for none.
    """

    is_in_memory = False

    def __init__(
        self, file: RowFile, memory: int, rows: Array | None = None, dtype: Any = None
    ) -> None:
        super().__init__(file)
        self._rows, self._memory = rows, memory
        self.dtype = file.dtype if dtype is None else np.dtype(dtype)
        if rows is not None:
            self.shape = (len(rows), file.shape[1])

    @property
    def nbytes(self) -> int:
        return min(super().nbytes, self._memory)

    def __getitem__(self, rows: Any) -> Array:
        file: RowFile = self._matrix
        if self._rows is not None:
            found = file.rows(self._rows[rows])
        elif isinstance(rows, slice):
            start, stop, _ = rows.indices(file.shape[0])
            found = file.read(start, stop)
        else:
            found = file.rows(rows)
        return cast(found, self.dtype)

    def take(self, rows: Array, dtype: Any) -> Samples:
        if len(rows) <= FEW:
            return Dense(self[rows]).astype(dtype)
        in_file = rows if self._rows is None else self._rows[rows]
        return Streamed(self._matrix, self._memory, in_file, dtype)

    def astype(self, dtype: Any) -> Samples:
        return Streamed(self._matrix, self._memory, self._rows, dtype)

    def gather(self, rows: Array, out: Any) -> Call:
        return partial(copy_rows, self, rows, out)

    def equals(self, other: Samples) -> bool:
        return self is other

    def described(self) -> dict[str, Any]:
        return {"rows": self._matrix.digest(), "of them": self._rows, "dtype": self.dtype}

    def stream(self, rows: Array | None) -> Stream:
        """Return what reads rows of these samples, epoch by epoch.

        Parameters
        ----------
        rows : ndarray of int, or None
            None for all.
        """
        in_file = self._rows if rows is None else rows if self._rows is None else self._rows[rows]
        if in_file is not None and (in_file[1:] < in_file[:-1]).any():
            order = np.argsort(in_file, kind="stable")
            in_file, rows = in_file[order], order if rows is None else rows[order]
        return Stream(self._matrix, in_file, rows, self.dtype, self._memory)


class Window:
    """Room for some blocks of rows.

    Parameters
    ----------
    stream : Stream
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._X = np.empty((stream.n_window_rows, stream.file.shape[1]), stream.dtype)
        self._numbers = np.empty(stream.n_window_rows, np.intp)
        self._order = np.empty(0, np.intp)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.blocks: Array | None = None

    def begin(self, blocks: Array, seed: Any, ahead: bool) -> None:
        """Begin to read blocks, in another thread if there is one and nobody waits for them.

        Parameters
        ----------
        blocks : ndarray of int
        seed : sequence of int, or None
            Of the order in which their rows are visited; None keeps that of the file.
        ahead : bool
        """
        self.end()
        self._seed = seed
        if self.blocks is not None and np.array_equal(np.sort(blocks), np.sort(self.blocks)):
            return  # they are here
        self.blocks, self._error = blocks, None
        self._thread = threading.Thread(target=self._read, name="sknn", daemon=True)
        if not (ahead and start_thread(self._thread)):
            self._thread = None
            self._read()

    def end(self) -> None:
        """Wait until the blocks have been read; raise what reading them has raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error, self.blocks = self._error, None, None
            raise error

    def shuffle(self) -> int:
        """Draw the order in which the rows are visited; return how many there are."""
        self._order = np.empty(0, np.intp)  # there is no room for two
        if self._seed is not None:
            generator = np.random.Generator(np.random.PCG64(self._seed))
            self._order = generator.permutation(self._n_rows)
        else:
            self._order = np.arange(self._n_rows)
        return self._n_rows

    def take(self, start: int, stop: int, out: Array) -> Array:
        """Write rows from the position `start` to `stop` of that order; return their numbers."""
        chosen = self._order[start:stop]
        self._X.take(chosen, 0, out, "clip")
        return self._numbers[chosen]

    def _read(self) -> None:
        assert self.blocks is not None
        try:
            n = 0
            for block in self.blocks.tolist():
                numbers, rows = self._stream.read_block(block)
                end = n + len(numbers)
                self._X[n:end] = cast(rows, self._X.dtype)
                self._numbers[n:end] = numbers
                n = end
            self._n_rows = n
        except BaseException as error:  # for the thread that waits for them
            self._error = error


class Stream:
    """Hands out the rows of a file in the order of an epoch, one after the other.

    Parameters
    ----------
    file : RowFile
    rows : ndarray of int, or None
        Those of the file that are visited, ascending; None for all.
    numbers : ndarray of int, or None
        What these are called; None counts them.
    dtype : dtype
        What they are handed out as.
    memory : int
        Bytes that two windows may take.
    """

    def __init__(
        self, file: RowFile, rows: Array | None, numbers: Array | None, dtype: Any, memory: int
    ) -> None:
        self.file, self.dtype, self._rows, self._numbers = file, np.dtype(dtype), rows, numbers
        n_file_rows, n_features = file.shape
        self.n_rows = n_file_rows if rows is None else len(rows)
        row_bytes = max(1, n_features * self.dtype.itemsize)
        most = max(1, memory // 2 // (row_bytes + 2 * NUMBER.itemsize))
        if self.n_rows <= 2 * most:  # all of them fit, and are read once
            most = self.n_rows
        self.n_block_rows = max(1, min(BLOCK_BYTES // row_bytes, most // BLOCKS_PER_WINDOW))
        n_blocks = -(-n_file_rows // self.n_block_rows)
        self._edges = np.minimum(np.arange(n_blocks + 1) * self.n_block_rows, n_file_rows)
        self._starts = self._edges if rows is None else np.searchsorted(rows, self._edges)
        # Whichever blocks a window gets, it has room for them.
        sizes = np.sort(np.diff(self._starts))[::-1]
        n_fitting = np.searchsorted(np.cumsum(sizes), most, "right")
        self._n_window_blocks = max(1, int(n_fitting))
        self.n_window_rows = int(sizes[: self._n_window_blocks].sum())
        self._windows: list[Window] = []

    def begin_epoch(self, seed: int | None) -> None:
        """Begin an epoch, in an order that follows from a seed; None keeps that of the file."""
        blocks = np.flatnonzero(np.diff(self._starts))  # those that have rows
        n_windows = max(1, -(-len(blocks) // self._n_window_blocks))
        if seed is None:
            self._plan = np.array_split(blocks, n_windows)
        else:
            generator = np.random.Generator(np.random.PCG64((seed, 0)))
            self._plan = _deal(blocks, n_windows, generator)
        self._seed, self._current = seed, -1
        self._position = self._n_in_window = 0
        self._windows += [Window(self) for _ in range(min(2, n_windows) - len(self._windows))]
        self._begin_window(0, ahead=False)

    def read(self, out: Array) -> Array:
        """Write the next rows to an array; return their numbers.

        Parameters
        ----------
        out : ndarray of shape (n_rows, n_features)
        """
        numbers, n = np.empty(len(out), np.intp), 0
        while n < len(out):
            if self._position == self._n_in_window:
                self._next_window()
            stop = min(self._position + len(out) - n, self._n_in_window)
            end = n + stop - self._position
            window = self._windows[self._current % len(self._windows)]
            numbers[n:end] = window.take(self._position, stop, out[n:end])
            self._position, n = stop, end
        return numbers

    def read_block(self, block: int) -> tuple[Array, Array]:
        """Return the numbers of the rows of a block, and the rows."""
        first, last = int(self._edges[block]), int(self._edges[block + 1])
        rows = self.file.read(first, last)
        if self._rows is None:
            return np.arange(first, last), rows
        where = slice(*self._starts[block : block + 2].tolist())
        chosen = rows[self._rows[where] - first]
        if self._numbers is None:
            return np.arange(where.start, where.stop), chosen
        return self._numbers[where], chosen

    def _begin_window(self, number: int, ahead: bool) -> None:
        seed = None if self._seed is None else (self._seed, 1, number)
        self._windows[number % len(self._windows)].begin(self._plan[number], seed, ahead)

    def _next_window(self) -> None:
        self._current += 1
        window = self._windows[self._current % len(self._windows)]
        window.end()
        self._position, self._n_in_window = 0, window.shuffle()
        if self._current + 1 < len(self._plan):
            self._begin_window(self._current + 1, ahead=True)


def _deal(blocks: Array, n_windows: int, generator: np.random.Generator) -> list[Array]:
    """Deal blocks to windows: of each run of as many blocks as there are windows one to each."""
    windows = np.tile(np.arange(n_windows), (-(-len(blocks) // n_windows), 1))
    places = generator.permuted(windows, axis=1).reshape(-1)[: len(blocks)]
    ends = np.cumsum(np.bincount(places, minlength=n_windows))
    return np.split(blocks[np.argsort(places, kind="stable")], ends[:-1])
