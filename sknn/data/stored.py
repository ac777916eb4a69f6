"""Rows in files, as users pass them to estimators."""

from __future__ import annotations

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn.data.column import Column
from sknn.streamed import RowFile, Streamed, stamp

UNITS = ("", "k", "m", "g", "t")

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
    stamps : dict
        What tells each file, by its path, from what may be written in its place.
    """

    n_rows: int
    n_features: int
    n_targets: int
    feature_names: list[str] | None
    dtype: np.dtype[Any]

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._file: RowFile | None = None
        self._folder: Any = None
        self.stamps: dict[str, Any] = {}

    @property
    def file(self) -> RowFile:
        """The rows as numbers in one file; made when it is first wanted."""
        self.check_unchanged()
        with self._lock:
            if self._file is None:
                self._file = self._make_file()
            return self._file

    def check_unchanged(self) -> None:
        """Raise ValueError if a file has been written to since the rows were made of it.

        Features and targets are read one after the other: they have to stay the same rows.
        """
        for path, known in self.stamps.items():
            if stamp(Path(path)) != known:
                raise ValueError(
                    f"{path!r} has been written to since {self} was opened; open it again."
                )

    def __getstate__(self) -> dict[str, Any]:
        # Others read the same file; it lives as long as it does here.
        try:
            file = self.file
        except ValueError:  # these are no numbers: who wants some will be told
            file = None
        return {k: v for k, v in vars(self).items() if k != "_lock"} | {"_file": file}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    @abstractmethod
    def _make_file(self) -> RowFile:
        """Return the rows as numbers in one file."""

    @abstractmethod
    def frames(self) -> Iterator[Any]:
        """Yield the features as they are in the files: DataFrames, or arrays."""

    def tables(self) -> Iterator[Any]:
        """Yield the features in the types that the files have: tables of pyarrow, or arrays."""
        return self.frames()

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

    Indexing with rows (a slice, numbers or a mask) returns some rows of the same files, so that
    scikit-learn's splitters, searches and cross-validation can be used. Targets and predictions
    are in the order of the indices; blocks are read in that of the files.

    Parameters
    ----------
    source : object
        Where the rows come from.
    memory : int
        Bytes that training may hold of the rows at a time.
    rows : ndarray of int, default=None
        Which rows these are; None for all.

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
    ...     np.save(path, np.random.default_rng(0).normal(size=(1000, 2)))
    ...     X = np.load(path, mmap_mode="r")
    ...     data = from_memmap(X, X.sum(axis=1))
    ...     net = MLPRegressor(max_iter=50, random_state=0).fit(data[:800])
    ...     print(data[800:], f"R2 {net.score(data[800:]):.2f}")
    StoredRows(X.npy, 200 rows of 2 features) R2 1.00
    """

    def __init__(self, source: Source, memory: int, rows: Array | None = None) -> None:
        self._source, self._memory, self._rows = source, memory, rows
        self._order: Array | None = None  # in which they are in the files, if it is another
        if rows is not None and (rows[1:] < rows[:-1]).any():
            self._order = np.argsort(rows, kind="stable")

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
        return self.targets_at(slice(None))

    @property
    def sample_weight(self) -> Any:
        """The weights; None if there are none."""
        column = self._source.weights()
        return None if column is None else column[self._in_files(slice(None))]

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        n_rows, n_features = self.shape
        return f"StoredRows({self._source}, {n_rows:,} rows of {n_features} features)"

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """Refuse to become an array, which NumPy would make row by row."""
        raise TypeError(
            f"{self!r} can be passed to fit, predict and score of sknn's networks, but is no "
            "array. For others, read it block by block with blocks(); what is done before a "
            "network, such as scaling, belongs into transform=... of from_parquet."
        )

    def __getitem__(self, rows: Any) -> StoredRows:
        """Return some of the rows.

        Parameters
        ----------
        rows : slice, array-like of int or of bool
            Which ones.

        Returns
        -------
        StoredRows
            These rows.
        """
        if isinstance(rows, tuple) and len(rows) == 2 and rows[1] is Ellipsis:
            rows = rows[0]  # as scikit-learn writes it
        if isinstance(rows, tuple):
            raise TypeError(
                f"Rows of {self!r} can be chosen, columns cannot: name them in from_parquet("
                "features=...)."
            )
        numbers = np.atleast_1d(np.arange(len(self))[rows])
        return StoredRows(self._source, self._memory, self._in_files(numbers))

    def _in_files(self, places: Any) -> Any:
        """Return the numbers in the files of some of these rows."""
        return places if self._rows is None else self._rows[places]

    def in_file_order(self) -> tuple[StoredRows, Array | None]:
        """Return the same rows in the order of the files.

        Returns
        -------
        rows : StoredRows
            The rows.
        order : ndarray of int, or None
            Which of these rows each of them is; None if the order is the same.
        """
        return (self if self._order is None else self[self._order]), self._order

    def blocks(self) -> Iterator[tuple[Any, Any]]:
        """Yield features and targets block by block, as and in the order they are in the files.

        For whatever is learnt before training, such as the means of a StandardScaler with
        ``partial_fit``.

        Yields
        ------
        X : DataFrame or ndarray of shape (n_block_rows, n_features)
            A DataFrame from Parquet.
        y : ndarray of shape (n_block_rows,) or (n_block_rows, n_targets), or None
            The targets.
        """
        for places, X in self._placed(self._source.frames()):
            yield X, self.targets_at(places)

    @property
    def memory(self) -> int:
        """How much of the rows training may hold at a time, in bytes."""
        return self._memory

    @property
    def folder(self) -> Any:
        """Where temporary files are written; None for where the system keeps them."""
        return self._source._folder

    def tables(self) -> Iterator[tuple[Any, Any]]:
        """Yield the features block by block, in the types that the files have.

        Yields
        ------
        places : slice or ndarray of int
            Which of these rows they are.
        X : pyarrow.Table or ndarray of shape (n_block_rows, n_features)
            A Table from Parquet.
        """
        yield from self._placed(self._source.tables())

    def arrays(self) -> Iterator[tuple[Any, Array]]:
        """Yield the features block by block, as they are trained on.

        Yields
        ------
        places : slice or ndarray of int
            Which of these rows they are.
        X : ndarray of shape (n_block_rows, n_features)
            Numbers.
        """
        yield from self._placed(self._source.arrays())

    def targets_at(self, places: Any) -> Any:
        """Return the targets of some of the rows.

        Parameters
        ----------
        places : slice or ndarray of int
            Which of these rows.

        Returns
        -------
        ndarray of shape (n_places,) or (n_places, n_targets), or None
            As they were given; None if there are none.
        """
        parts = [column[self._in_files(places)] for column in self._source.targets()]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else np.column_stack(parts)

    def target_parts(self) -> Iterator[Array]:
        """Yield the one target part by part.

        Yields
        ------
        ndarray of shape (n_part_rows,)
            As it was given.
        """
        [column] = self._source.targets()
        yield from column.parts(self._rows)

    @property
    def n_targets(self) -> int:
        """The number of targets; 0 without any."""
        return self._source.n_targets

    def labels(self) -> Array:
        """Return what occurs in the one target.

        Returns
        -------
        ndarray of shape (n_labels,)
            Each once.
        """
        [column] = self._source.targets()
        return column.unique(self._rows)

    def samples(self) -> Streamed:
        """Return the rows as training takes them.

        Returns
        -------
        Streamed
            Read in windows.
        """
        return Streamed(self._source.file, self._memory, self._rows, self._source.dtype)

    def _placed(self, blocks: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield of each block what belongs to these rows, and which of them it is."""
        rows, order = self._rows, self._order
        if rows is not None and order is not None:
            rows = rows[order]
        start = 0
        for X in blocks:
            stop = start + len(X)
            if rows is None:
                yield slice(start, stop), X
            else:
                first, last = np.searchsorted(rows, [start, stop]).tolist()
                if first < last:
                    wanted = rows[first:last] - start
                    places = slice(first, last) if order is None else order[first:last]
                    yield places, _take(X, wanted)
                if last == len(rows):
                    return
            start = stop


def _take(X: Any, places: Array) -> Any:
    """Return rows of a DataFrame, a table of pyarrow or an array."""
    if hasattr(X, "iloc"):
        return X.iloc[places]
    return X[places] if isinstance(X, np.ndarray) else X.take(places)


def as_bytes(memory: Any) -> int:
    """Return a size such as "256MB" as a number of bytes.

    Raises
    ------
    InvalidParameterError
        If it is none.
    """
    size = 0.0
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+|\d*\.\d+)\s*([kmgt]?)(i?)b?\s*", memory.lower())
        if match is not None:
            number, unit, is_binary = match.groups()
            size = float(number) * (1024 if is_binary else 1000) ** UNITS.index(unit)
    elif isinstance(memory, Real) and memory is not True:
        size = float(memory)
    if not LEAST_MEMORY <= size < float("inf"):
        raise InvalidParameterError(
            f"memory={memory!r} must be a number of bytes of at least {LEAST_MEMORY}, or a text "
            "such as '256MB' or '1GiB'."
        )
    return int(size)
