"""Samples: dense, sparse or on disk, behind one contract.

Whoever trains or predicts asks samples for rows and does not ask what they are. A new kind, such as
tables in other memory formats, is one class here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from sknn._math import Array, Call
from sknn.layers import SparseBatch

FEW = 2048
"""Rows of a matrix on disk that are read at once, and kept, if somebody takes no more."""


class Samples(ABC):
    """A matrix of samples.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_features).
    dtype : dtype
    is_dense : bool
        Whether rows are dense: then a stack of models can hold them, and workers can share them.
    is_in_memory : bool
        Whether all rows are.
    n_elsewhere : int or None
        How many rows a solver trains on that are not here: of these, the samples are a few. None
        where all of them are here.
    """

    is_dense: bool = True
    is_in_memory: bool = True
    n_elsewhere: int | None = None

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix
        self.shape: tuple[int, int] = matrix.shape
        self.dtype: np.dtype[Any] = matrix.dtype

    @property
    def nbytes(self) -> int:
        """About the size of the rows in memory."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, rows: Any) -> Any:
        """Return rows, by a slice or by their numbers, as what a network takes."""

    @abstractmethod
    def take(self, rows: Array, dtype: Any) -> Samples:
        """Return the samples of some rows, as numbers of a dtype."""

    @abstractmethod
    def astype(self, dtype: Any) -> Samples:
        """Return the same samples as numbers of a dtype; what is on disk is left there."""

    def to_dense(self, rows: Array) -> Array:
        """Return rows as an array of float64."""
        return np.asarray(self[rows], np.float64)

    def make_buffer(self, lead: tuple[int, ...], n_rows: int, dtype: Any) -> Any:
        """Return room for a batch of rows, or for one of each model of a stack."""
        return np.empty((*lead, n_rows, self.shape[1]), dtype)

    @abstractmethod
    def gather(self, rows: Array, out: Any) -> Call:
        """Return the call that brings rows, whose numbers may change, to a buffer."""

    def lend(self, rows: slice) -> Any:
        """Return rows that nobody must write to, in place of a buffer."""
        return self[rows]

    def in_order(self) -> Samples:
        """Return the same samples as rows are gathered from them fastest."""
        return self

    def described(self) -> dict[str, Any]:
        """Return what tells the samples from others, in arrays and plain terms."""
        return vars(self)

    def equals(self, other: Samples) -> bool:
        """Whether both are the same numbers, if that can be said at once."""
        return self is other or self._matrix is other._matrix


class Dense(Samples):
    """An array."""

    def __getitem__(self, rows: Any) -> Array:
        return np.asarray(self._matrix[rows])

    def take(self, rows: Array, dtype: Any) -> Samples:
        return Dense(cast(self._matrix[rows], dtype))

    def astype(self, dtype: Any) -> Samples:
        return self if self.dtype == dtype else Dense(cast(self._matrix, dtype))

    def gather(self, rows: Array, out: Any) -> Call:
        if _is_taken_as_it_is(self._matrix, out):
            # "clip" spares the check of the indices, and the copy that it would need.
            return partial(self._matrix.take, rows, 0, out, "clip")
        return partial(copy_rows, self._matrix, rows, out)

    def in_order(self) -> Samples:
        if self._matrix.flags.c_contiguous:
            return self
        # `take` would copy an array of another memory layout at every call.
        return Dense(np.ascontiguousarray(self._matrix))

    def equals(self, other: Samples) -> bool:
        return super().equals(other) or same_arrays(self._matrix, other._matrix)


class Joined(Samples):
    """Columns of an array that several models share, and others that belong to one of them.

    Parameters
    ----------
    shared, own : ndarray of shape (n_samples, n_features)
        Of one dtype.
    """

    def __init__(self, shared: Array, own: Array) -> None:
        super().__init__(own)
        self._shared = shared
        self.shape = (len(own), shared.shape[1] + own.shape[1])

    def __getitem__(self, rows: Any) -> Array:
        return np.concatenate([self._shared[rows], self._matrix[rows]], axis=1)

    def take(self, rows: Array, dtype: Any) -> Samples:
        return Dense(cast(self[rows], dtype))

    def astype(self, dtype: Any) -> Samples:
        if self.dtype == dtype:
            return self
        return Joined(cast(self._shared, dtype), cast(self._matrix, dtype))

    def gather(self, rows: Array, out: Any) -> Call:
        return partial(_copy_both, self._shared, self._matrix, rows, out)

    def equals(self, other: Samples) -> bool:
        if self is other:
            return True
        if not isinstance(other, Joined) or self._shared is not other._shared:
            return False
        return same_arrays(self._matrix, other._matrix)


class Sparse(Samples):
    """A matrix in CSR format."""

    is_dense = False

    @property
    def nbytes(self) -> int:
        parts = self._matrix.data, self._matrix.indices, self._matrix.indptr
        return sum(part.nbytes for part in parts)

    def __getitem__(self, rows: Any) -> Any:
        return self._matrix[rows]

    def take(self, rows: Array, dtype: Any) -> Samples:
        return Sparse(cast(self._matrix[rows], dtype))

    def astype(self, dtype: Any) -> Samples:
        return Sparse(cast(self._matrix, dtype))

    def to_dense(self, rows: Array) -> Array:
        return np.asarray(self._matrix[rows].todense(), np.float64)

    def make_buffer(self, lead: tuple[int, ...], n_rows: int, dtype: Any) -> SparseBatch:
        return SparseBatch((n_rows, self.shape[1]))

    def gather(self, rows: Array, out: Any) -> Call:
        return partial(out.gather, self._matrix, rows)

    def lend(self, rows: slice) -> SparseBatch:
        matrix = self._matrix if rows == slice(0, len(self)) else self._matrix[rows]
        batch = SparseBatch(matrix.shape)
        batch.matrix = matrix
        return batch


class OnDisk(Samples):
    """A matrix in a file, of which only the rows that are asked for are read.

    Parameters
    ----------
    matrix : memmap of shape (n_file_rows, n_features)
    rows : ndarray of int, default=None
        Which rows these samples are; None for all.
    dtype : dtype, default=None
        What rows are converted to; None for none.
    """

    is_in_memory = False

    def __init__(self, matrix: Any, rows: Array | None = None, dtype: Any = None) -> None:
        super().__init__(matrix)
        self._rows = rows
        self.dtype = matrix.dtype if dtype is None else np.dtype(dtype)
        if rows is not None:
            self.shape = (len(rows), matrix.shape[1])

    def __getitem__(self, rows: Any) -> Array:
        in_file = rows if self._rows is None else self._rows[rows]
        return np.asarray(self._matrix[in_file], self.dtype)

    def take(self, rows: Array, dtype: Any) -> Samples:
        if len(rows) <= FEW:
            return Dense(cast(self[rows], dtype))
        return OnDisk(self._matrix, rows if self._rows is None else self._rows[rows], dtype)

    def astype(self, dtype: Any) -> Samples:
        return OnDisk(self._matrix, self._rows, dtype)

    def gather(self, rows: Array, out: Any) -> Call:
        if self._rows is None and _is_taken_as_it_is(self._matrix, out):
            return partial(self._matrix.take, rows, 0, out, "clip")
        return partial(copy_rows, self, rows, out)


def as_samples(X: Any) -> Samples:
    """Return a validated matrix as samples."""
    if isinstance(X, Samples):
        return X
    if sp.issparse(X):
        return Sparse(X)
    return OnDisk(X) if isinstance(X, np.memmap) else Dense(X)


def cast(matrix: Any, dtype: Any) -> Any:
    """Return a matrix as numbers of a dtype; raise ValueError if one is too large for it."""
    if matrix.dtype == dtype:
        return matrix
    with np.errstate(over="ignore"):
        cast = matrix.astype(dtype)
    numbers, given = (m.data if sp.issparse(m) else m for m in (cast, matrix))
    if cast.dtype.itemsize < matrix.dtype.itemsize and not np.isfinite(numbers).all():
        raise ValueError(
            f"The samples have values up to {np.abs(given).max():.3g}, too large for "
            f"{cast.dtype}, in which the network computes. Scale them, or begin anew with float64."
        )
    return cast


def same_arrays(a: Array, b: Array) -> bool:
    """Whether two arrays are equal; most that are not show it in the first few rows."""
    return a is b or (np.array_equal(a[:8], b[:8]) and np.array_equal(a, b))


def _is_taken_as_it_is(X: Array, out: Array) -> bool:
    """Whether `take` writes rows to a buffer without a copy in between."""
    return X.dtype == out.dtype and X.flags.c_contiguous


def copy_rows(X: Any, rows: Array, out: Array) -> None:
    """Bring rows to a buffer."""
    out[...] = X[rows]


def _copy_both(shared: Array, own: Array, rows: Array, out: Array) -> None:
    n_shared = shared.shape[1]
    out[..., :n_shared] = shared[rows]
    out[..., n_shared:] = own[rows]
