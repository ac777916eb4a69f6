"""Rows of an array in a file."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from sknn._math import Array
from sknn.data.column import Column
from sknn.data.stored import Source, StoredRows, as_bytes
from sknn.streamed import RowFile, stamp

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

TYPES = tuple(map(np.dtype, "?bBhHiIlLqQefd"))
"""What numbers in a file can be."""


class Mapped(Source):
    """The rows of a memmap, which are where they are.

    Parameters
    ----------
    X : memmap of shape (n_rows, n_features)
        In C order.
    y, sample_weight : array-like or None
    """

    feature_names = None

    def __init__(self, X: Any, y: Any, sample_weight: Any) -> None:
        super().__init__()
        self.n_rows, self.n_features = X.shape
        self.dtype = np.result_type(X.dtype, np.float32)  # which has all of its numbers
        self._rows = RowFile(Path(X.filename).absolute(), X.shape, X.dtype, _offset(X))
        self._targets = [] if y is None else _columns(y, self.n_rows, "y")
        self.n_targets = len(self._targets)
        self._weights = None
        if sample_weight is not None:
            [self._weights] = _columns(sample_weight, self.n_rows, "sample_weight")

    def _make_file(self) -> RowFile:
        # It may have been filled since it was opened, but has to stay as it is from now on.
        self.stamps = {str(self._rows.path): stamp(self._rows.path)}
        for _ in self.arrays():  # which looks at them
            pass
        return self._rows

    def frames(self) -> Iterator[Array]:
        self.check_unchanged()
        step = self._rows.n_block_rows
        for start in range(0, self.n_rows, step):
            yield self._rows.read(start, min(start + step, self.n_rows))

    def arrays(self) -> Iterator[Array]:
        start = 0
        for block in self.frames():
            is_finite = np.isfinite(block)
            if not is_finite.all():
                row = start + int(np.argmin(is_finite.all(axis=1)))
                raise ValueError(f"Input X contains NaN or infinity, in row {row} of {self}.")
            start += len(block)
            yield np.asarray(block, self.dtype)

    def targets(self) -> list[Column]:
        return self._targets

    def weights(self) -> Column | None:
        return self._weights

    def __str__(self) -> str:
        return stamp(self._rows.path)[0]


def from_memmap(
    X: np.memmap[Any, Any],
    y: Any = None,
    sample_weight: Any = None,
    *,
    memory: int | str = "256MB",
) -> StoredRows:
    """Return rows of an array in a file, which estimators take in place of X and y.

    A memmap can be passed to ``fit`` as it is, too: then the rows of each batch are read from all
    over the file, in a perfect permutation, which is slow where the file does not fit into memory.
    These rows are read in windows instead, ahead of training.

    Parameters
    ----------
    X : memmap of shape (n_samples, n_features)
        The samples, in C order, such as ``np.load(path, mmap_mode="r")`` returns.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples, at least 0.
    memory : int or str, default="256MB"
        How much of the rows training may hold at a time, in bytes or as a text. Half of it is the
        window whose rows are visited in random order.

    Returns
    -------
    StoredRows
        The rows.

    Raises
    ------
    TypeError
        If X is no memmap, or not in C order.

    See Also
    --------
    sknn.data.from_parquet : The same from Parquet files.
    sknn.data.StoredRows : What is returned.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sknn.data import from_memmap
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "X.npy")
    ...     np.save(path, np.eye(3))
    ...     print(from_memmap(np.load(path, mmap_mode="r"), [0, 1, 1]))
    StoredRows(X.npy, 3 rows of 3 features)
    """
    # What is computed from a memmap calls itself one, but has no file.
    is_file = isinstance(X, np.memmap) and X.filename is not None and X.ndim == 2
    if not (is_file and X.flags.c_contiguous and X.dtype in TYPES and X.size):
        raise TypeError(
            "from_memmap needs numbers in a file as a np.memmap of shape (n_samples, n_features), "
            "in C order, such as np.load(path, mmap_mode='r') returns; got "
            f"{type(X).__name__} of {getattr(X, 'dtype', 'objects')} and shape {np.shape(X)}. Copy "
            "others with np.save(path, np.ascontiguousarray(X)) first; what is in memory can be "
            "passed to fit as it is."
        )
    if X.mode == "c":
        raise ValueError(
            "from_memmap reads the file, but X has mmap_mode='c', which keeps changes in memory. "
            "Use mmap_mode='r' or 'r+'."
        )
    return StoredRows(Mapped(X, y, sample_weight), as_bytes(memory))


def _offset(X: Any) -> int:
    """Return where in its file a memmap begins; that of a slice is not told by `offset`."""
    base = X
    while isinstance(base.base, np.memmap):
        base = base.base
    mapped = base.base if isinstance(base.base, mmap.mmap) else base._mmap
    start = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    in_map = X.__array_interface__["data"][0] - start
    # The map begins at a page, the array behind it.
    return int(base.offset - base.offset % mmap.ALLOCATIONGRANULARITY + in_map)


def _columns(values: Any, n_rows: int, name: str) -> list[Column]:
    array = np.asarray(values.toarray() if sp.issparse(values) else values)
    if array.ndim not in (1, 2) or len(array) != n_rows:
        raise ValueError(
            f"{name} has the shape {array.shape}, but X has {n_rows} rows: it needs one entry, or "
            "one row, for each."
        )
    if name == "sample_weight" and (array.ndim == 2 or array.dtype.kind not in "biuf"):
        raise ValueError(
            f"sample_weight has the shape {array.shape} and the type {array.dtype}; it must be one "
            "number for each row."
        )
    columns = []
    for part in array.T if array.ndim == 2 else [array]:
        column = Column(name, n_rows, part.dtype if part.dtype in FLOATS else np.float64)
        column.add(part)
        columns.append(column)
    return columns
