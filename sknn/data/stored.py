"""Rows in files, as users pass them to estimators."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn.data.column import Column
from sknn.streamed import RowFile, Streamed

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

LEAST_MEMORY = 10_000
"""Bytes: less has no room for a few rows."""


class Source(ABC):
    """Where rows come from.

    Attributes
    ----------
    n_rows, n_features, n_targets : int
    feature_names : list of str or None
    dtype : dtype
        Of the rows as they are trained on.
    """

    n_rows: int
    n_features: int
    n_targets: int
    feature_names: list[str] | None
    dtype: np.dtype[Any]

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._file: RowFile | None = None

    @property
    def file(self) -> RowFile:
        """The rows as numbers in one file; made when it is first wanted."""
        with self._lock:
            if self._file is None:
                self._file = self._make_file()
            return self._file

    def __getstate__(self) -> dict[str, Any]:
        # Others read the same file; it lives as long as it does here.
        return {k: v for k, v in vars(self).items() if k != "_lock"} | {"_file": self.file}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    @abstractmethod
    def _make_file(self) -> RowFile:
        """Return the rows as numbers in one file."""

    @abstractmethod
    def frames(self) -> Iterator[Any]:
        """Yield the features as they are in the files: DataFrames, or arrays."""

    @abstractmethod
    def arrays(self) -> Iterator[Array]:
        """Yield the features as they are trained on, in order."""

    @abstractmethod
    def targets(self) -> list[Column]:
        """Return the targets, if there are some."""

    @abstractmethod
    def weights(self) -> Column | None:
        """Return the weights, if there are some."""

    @abstractmethod
    def __str__(self) -> str: ...


class StoredRows:
    """Rows in files, to be passed to an estimator in place of X, or of X and y.

    Made by :func:`sknn.data.from_parquet` and :func:`sknn.data.from_memmap`. Estimators read them
    in windows while they train, and block by block to predict. Targets and weights are kept in
    memory: 4 bytes a row for numbers, 1 for most labels; while a classifier trains, another byte
    for each class where there are more than two.

    Indexing with rows (a slice, numbers or a mask) returns fewer rows of the same files, in the
    order of the files, so that scikit-learn's splitters, searches and cross-validation can be used.

    Parameters
    ----------
    source : object
        Where the rows come from.
    memory : int
        Bytes that training may hold of the rows at a time.
    rows : ndarray of int, default=None
        Which rows these are, ascending; None for all.

    Attributes
    ----------
    shape : tuple of int
        (n_rows, n_features).
    feature_names : list of str or None
        The names of the features, if they have some.
    y : ndarray of shape (n_rows,) or (n_rows, n_targets), or None
        The targets; None if there are none.
    sample_weight : ndarray of shape (n_rows,) or None
        The weights of the rows.

    See Also
    --------
    sknn.data.from_parquet : Rows from Parquet files.
    sknn.data.from_memmap : Rows from an array in a file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.data import from_memmap
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "X.npy")
    ...     np.save(path, np.linspace(-1, 1, 2000).reshape(-1, 2))
    ...     X = np.load(path, mmap_mode="r")
    ...     data = from_memmap(X, X.sum(axis=1))
    ...     net = MLPRegressor(max_iter=50, random_state=0).fit(data[:800])
    ...     print(data[800:], f"R2 {net.score(data[800:]):.2f}")
    StoredRows(X.npy, 200 rows of 2 features) R2 1.00
    """

    def __init__(self, source: Source, memory: int, rows: Array | None = None) -> None:
        self._source, self._memory, self._rows = source, memory, rows

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows, and of features."""
        n_rows = self._source.n_rows if self._rows is None else len(self._rows)
        return n_rows, self._source.n_features

    @property
    def ndim(self) -> int:
        """The number of axes, 2."""
        return 2

    @property
    def dtype(self) -> Any:
        """The type of the numbers that are trained on."""
        return self._source.dtype

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the features, if they have some."""
        return self._source.feature_names

    @property
    def y(self) -> Any:
        """The targets; None if there are none."""
        columns = [c.all() if self._rows is None else c[self._rows] for c in self._source.targets()]
        if not columns:
            return None
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    @property
    def sample_weight(self) -> Any:
        """The weights; None if there are none."""
        column = self._source.weights()
        if column is None:
            return None
        return column.all() if self._rows is None else column[self._rows]

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        n_rows, n_features = self.shape
        return f"StoredRows({self._source}, {n_rows:,} rows of {n_features} features)"

    def __getitem__(self, rows: Any) -> StoredRows:
        """Return some of the rows.

        Parameters
        ----------
        rows : slice, array-like of int or of bool
            Which ones.

        Returns
        -------
        StoredRows
            In the order of the files.
        """
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # as scikit-learn writes it
        if isinstance(rows, tuple):
            raise TypeError(
                f"Rows of {self!r} can be chosen, columns cannot: name them in from_parquet("
                "features=...)."
            )
        numbers = np.atleast_1d(np.arange(len(self))[rows])
        if self._rows is not None:
            numbers = self._rows[numbers]
        return StoredRows(self._source, self._memory, np.sort(numbers))

    def blocks(self) -> Iterator[tuple[Any, Any]]:
        """Yield features and targets block by block, as they are in the files.

        For whatever is learnt before training, such as the means of a StandardScaler with
        ``partial_fit``.

        Yields
        ------
        X : DataFrame or ndarray of shape (n_block_rows, n_features)
            A DataFrame from Parquet.
        y : ndarray of shape (n_block_rows,) or (n_block_rows, n_targets), or None
            The targets.
        """
        for rows, X in _chosen(self._source.frames(), self._rows):
            yield X, self._targets_of(rows)

    def arrays(self) -> Iterator[Array]:
        """Yield the features block by block, as they are trained on.

        Yields
        ------
        ndarray of shape (n_block_rows, n_features)
            Numbers.
        """
        for _, X in _chosen(self._source.arrays(), self._rows):
            yield X

    def target_parts(self) -> Iterator[Array]:
        """Yield the one target part by part.

        Yields
        ------
        ndarray of shape (n_part_rows,)
            As it was given.
        """
        [column] = self._source.targets()
        yield from column.parts(self._rows)

    def labelled_arrays(self) -> Iterator[tuple[Array, Any]]:
        """Yield what `arrays` yields, with the targets of the rows.

        Yields
        ------
        X : ndarray of shape (n_block_rows, n_features)
            Numbers.
        y : ndarray of shape (n_block_rows,) or (n_block_rows, n_targets), or None
            As they were given.
        """
        for rows, X in _chosen(self._source.arrays(), self._rows):
            yield X, self._targets_of(rows)

    @property
    def n_targets(self) -> int:
        """The number of targets; 0 without any."""
        return self._source.n_targets

    def labels(self) -> Array:
        """Return what occurs in the one target.

        Returns
        -------
        ndarray of shape (n_labels,)
            Sorted.
        """
        [column] = self._source.targets()
        return column.unique(self._rows)

    def _targets_of(self, rows: Any) -> Any:
        parts = [column[rows] for column in self._source.targets()]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else np.column_stack(parts)

    def samples(self) -> Streamed:
        """Return the rows as training takes them.

        Returns
        -------
        Streamed
            Read in windows.
        """
        return Streamed(self._source.file, self._memory, self._rows)


def _chosen(blocks: Iterator[Any], rows: Array | None) -> Iterator[tuple[Any, Any]]:
    """Yield the numbers of rows, and the rows, of blocks of which some rows are wanted."""
    start = 0
    for X in blocks:
        stop = start + len(X)
        if rows is None:
            yield slice(start, stop), X
        else:
            first, last = np.searchsorted(rows, [start, stop])
            if first < last:
                places = rows[first:last] - start
                is_frame = hasattr(X, "iloc")
                yield rows[first:last], X.iloc[places] if is_frame else X[places]
        start = stop


def as_bytes(memory: Any) -> int:
    """Return a size such as "256MB" as a number of bytes.

    Raises
    ------
    InvalidParameterError
        If it is none.
    """
    match = None
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*([\d.]+)\s*([kKmMgGtT]?)(i?)[bB]?\s*", memory)
    if match is not None:
        try:
            unit = UNITS[match[2].lower()]
            size = float(match[1]) * (2 ** (10 * list(UNITS).index(match[2].lower())) if match[3] else unit)
        except ValueError:
            size = 0.0
    else:
        size = float(memory) if isinstance(memory, Real) and not isinstance(memory, bool) else 0.0
    if not LEAST_MEMORY <= size < float("inf"):
        raise InvalidParameterError(
            f"memory={memory!r} must be a number of bytes of at least {LEAST_MEMORY}, or a text "
            "such as '256MB' or '1GiB'."
        )
    return int(size)
