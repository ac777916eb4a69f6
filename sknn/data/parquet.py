"""Rows of Parquet files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn._names import did_you_mean
from sknn.data.column import Column
from sknn.data.spool import write_rows
from sknn.data.stored import Source, StoredRows, as_bytes
from sknn.streamed import RowFile, stamp

if TYPE_CHECKING:
    import pandas as pd

BLOCK_ROWS = 16_384
"""Rows that are decoded at a time, or fewer of many columns."""

BLOCK_NUMBERS = 1_000_000
"""Numbers that are decoded at a time."""

BUFFER = 100_000
"""Bytes of a column that are read at a time."""

TELL_EVERY = 5_000_000
"""Rows after which a line is printed."""


class Parquet(Source):
    """The rows of Parquet files.

    They are decoded once, block by block, to a file of numbers: so each row can be found, and an
    epoch decodes nothing.

    Parameters
    ----------
    path : path-like
        A file or a folder.
    features : list of str or None
    target : str, list of str or None
    sample_weight : str or None
    dtype : dtype
    transform : callable, transformer or None
    folder : path-like or None
    verbose : bool
    """

    def __init__(
        self,
        path: Any,
        features: Sequence[str] | None,
        target: str | Sequence[str] | None,
        sample_weight: str | None,
        dtype: Any,
        transform: Any,
        folder: Any,
        verbose: bool,
    ) -> None:
        super().__init__()
        self.path = Path(path).expanduser().absolute()
        self.dtype = np.dtype(dtype)
        self._transform, self._folder, self._verbose = transform, folder, verbose
        self._target_names = [target] if isinstance(target, str) else list(target or [])
        self._weight_name = sample_weight
        self._columns = self._choose_columns(None if features is None else list(features))
        self.n_targets = len(self._target_names)
        self.stamps = {file: stamp(Path(file)) for file in self._dataset.files}
        self.n_rows = self._understood(self._dataset.count_rows)
        if not self.n_rows:
            raise ValueError(f"{self} has no rows.")

    def _choose_columns(self, given: list[str] | None) -> list[str]:
        """Return the names of the columns that are features."""
        schema = self._dataset.schema
        names = list(schema.names)
        if len(set(names)) < len(names):
            raise ValueError(f"The columns of {self} do not have different names: {names}.")
        others = [*self._target_names, *([] if self._weight_name is None else [self._weight_name])]
        chosen = [*(given or []), *others]
        for name in chosen:
            if name not in names:
                raise InvalidParameterError(
                    f"{self} has no column {name!r}.{did_you_mean(name, names)} It has "
                    f"{', '.join(map(repr, names[:20]))}{' ...' if len(names) > 20 else ''}."
                )
            if chosen.count(name) > 1:
                raise InvalidParameterError(
                    f"Column {name!r} is named twice; it can be a feature, the target or the "
                    "weight, once."
                )
        # The index that pandas has written is no column of its DataFrame.
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        rest = [name for name in names if name not in others and name not in index]
        columns = rest if given is None else given
        if not columns:
            raise InvalidParameterError(f"{self} has no column that is a feature.")
        return columns

    # The features.

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """The number of features that are trained on."""
        return self._n_made if self._transform is not None else len(self._columns)

    @property
    def feature_names(self) -> list[str] | None:  # type: ignore[override]
        """The names of the columns, unless they are transformed."""
        return None if self._transform is not None else self._columns

    @cached_property
    def _n_made(self) -> int:
        return int(next(self.arrays()).shape[1])  # of the first block

    def frames(self) -> Iterator[pd.DataFrame]:
        for batch in self._batches(self._columns):
            yield batch.to_pandas()

    def tables(self) -> Iterator[Any]:
        import pyarrow as pa

        if self._transform is not None:
            yield from self.arrays()
            return
        for batch in self._batches(self._columns):
            yield pa.Table.from_batches([batch])

    def arrays(self) -> Iterator[Array]:
        start, width = 0, None
        for batch in self._batches(self._columns):
            if self._transform is None:
                X = self._numbers(batch)
            else:
                X = self._transformed(batch.to_pandas(), width)
                width = X.shape[1]
            self._check_finite(X, start)
            start += len(X)
            if self._verbose and start // TELL_EVERY > (start - len(X)) // TELL_EVERY:
                print(f"{self}: {start:,} of {self.n_rows:,} rows have been read.")
            yield X

    def _numbers(self, batch: Any) -> Array:
        """Return the columns of a batch as a matrix."""
        X = np.empty((batch.num_rows, batch.num_columns), self.dtype)
        with np.errstate(over="ignore"):
            for place, column in enumerate(batch.columns):
                X[:, place] = self._as_numbers(column, self._columns[place])
        return X

    def _as_numbers(self, column: Any, name: str) -> Any:
        import pyarrow as pa

        column = as_plain(column)
        kind = column.type
        if pa.types.is_boolean(kind):
            column = column.cast(pa.uint8())  # of which gaps are NaN
        elif pa.types.is_null(kind):  # nothing but gaps
            column = column.cast(pa.float64())
        elif not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            raise ValueError(
                f"Column {name!r} of {self} is {kind}, not numbers. Leave it out with "
                "features=[...], pass transform=... that makes numbers of it, or use "
                "TabularMLPClassifier or TabularMLPRegressor."
            )
        return column.to_numpy(zero_copy_only=False)

    def _transformed(self, frame: pd.DataFrame, width: int | None) -> Array:
        transform: Callable[[Any], Any] = getattr(self._transform, "transform", self._transform)
        made = transform(frame)
        made = made.toarray() if hasattr(made, "toarray") else made
        try:
            with np.errstate(over="ignore"):
                X = np.asarray(made, self.dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"transform={self._transform!r} must return numbers: {error}."
            ) from error
        if X.ndim != 2 or len(X) != len(frame):
            raise ValueError(
                f"transform={self._transform!r} must return a matrix with a row for each of the "
                f"{len(frame)} that it is given; it returned one of shape {X.shape}."
            )
        if width not in (None, X.shape[1]):
            raise ValueError(
                f"transform={self._transform!r} must return as many columns for all rows; it "
                f"returned {width} and {X.shape[1]}."
            )
        return X

    def _check_finite(self, X: Array, start: int) -> None:
        if np.isfinite(X).all():
            return
        row, place = np.argwhere(~np.isfinite(X))[0].tolist()
        name = repr(self._columns[place]) if self._transform is None else f"number {place}"
        raise ValueError(
            f"Input X contains NaN, infinity or a value too large for {self.dtype}: in row "
            f"{start + row}, column {name}, of {self}. Fill gaps with transform="
            "SimpleImputer().fit(...), or use TabularMLPClassifier or TabularMLPRegressor, which "
            "take them."
        )

    def _make_file(self) -> RowFile:
        shape = self.n_rows, self.n_features
        return write_rows(self.arrays(), shape, self.dtype, self._folder)

    # The targets and the weights.

    @cached_property
    def _kept(self) -> dict[str, Column]:
        """Targets and weights by name."""
        names = [*self._target_names, *([] if self._weight_name is None else [self._weight_name])]
        columns = {
            name: Column(f"Column {name!r} of {self}", self.n_rows, self.dtype) for name in names
        }
        for batch in self._batches(names):
            for column, values in zip(columns.values(), batch.columns, strict=True):
                column.add(np.asarray(as_plain(values).to_numpy(zero_copy_only=False)))
        return columns

    def targets(self) -> list[Column]:
        return [self._kept[name] for name in self._target_names]

    def weights(self) -> Column | None:
        if self._weight_name is None:
            return None
        column = self._kept[self._weight_name]
        if column.has_texts:
            raise ValueError(f"{column.name} has texts; weights must be numbers.")
        return column

    # The files.

    def __str__(self) -> str:
        return self.path.name or str(self.path.resolve())

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_dataset"}

    @cached_property
    def _dataset(self) -> Any:
        dataset = import_dataset()
        if not self.path.exists():
            raise FileNotFoundError(
                f"There is no file or folder {os.fspath(self.path)!r}. from_parquet reads one of "
                "this machine; of a folder all files."
            )
        found = self._understood(
            lambda: dataset.dataset(self.path, format="parquet", partitioning="hive")
        )
        if not found.files:
            raise ValueError(f"There are no files in {os.fspath(self.path)!r}.")
        return found

    def _understood(self, work: Callable[[], Any]) -> Any:
        """Return what work makes of the files; say what is wrong with them."""
        try:
            return work()
        except Exception as error:  # of many kinds
            raise ValueError(
                f"{os.fspath(self.path)!r} cannot be read as Parquet: {error} (Of other files in a "
                "folder, those are left out whose names begin with '_' or '.'. Where a column is "
                "in the names of the folders and in the files, too, leave it out of the files.)"
            ) from error

    def _batches(self, columns: list[str]) -> Iterator[Any]:
        """Yield some rows after the other, as record batches."""
        import pyarrow as pa

        self.check_unchanged()
        n_block_rows = max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // max(1, len(columns))))
        for fragment in self._dataset.get_fragments():
            for batch in self._read(fragment, columns, n_block_rows):
                if len(batch):
                    yield batch
        pa.default_memory_pool().release_unused()

    def _read(self, fragment: Any, columns: list[str], n_block_rows: int) -> Iterator[Any]:
        """Yield some rows of a file after the other."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        known = import_dataset().get_partition_keys(fragment.partition_expression)
        known = {name: value for name, value in known.items() if name in columns}
        types = self._dataset.schema
        # A dataset would hold whole row groups of several files.
        with pq.ParquetFile(fragment.path, buffer_size=BUFFER, pre_buffer=False) as file:
            in_file = [name for name in columns if name not in known]
            if lacking := set(in_file) - set(file.schema_arrow.names):
                raise ValueError(f"{fragment.path!r} has no column {sorted(lacking)[0]!r}.")
            for batch in file.iter_batches(n_block_rows, columns=in_file):
                arrays = [
                    pa.repeat(pa.scalar(known[name], types.field(name).type), len(batch))
                    if name in known
                    else batch.column(name)
                    for name in columns
                ]
                yield pa.RecordBatch.from_arrays(arrays, columns)


def as_plain(column: Any) -> Any:
    """Return a column of a record batch without a dictionary, and decimals as numbers."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def import_dataset() -> Any:
    """Return what reads Parquet files; raise ImportError that says how to get it."""
    try:
        import pyarrow.dataset as dataset
    except ImportError as error:
        raise ImportError(
            "from_parquet needs pyarrow; install it with pip install 'sknn[parquet]'."
        ) from error
    return dataset


def from_parquet(
    path: str | os.PathLike[str],
    features: Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    *,
    sample_weight: str | None = None,
    dtype: Any = "float32",
    transform: Any = None,
    memory: int | str = "256MB",
    folder: str | os.PathLike[str] | None = None,
    verbose: bool = False,
) -> StoredRows:
    """Return rows of Parquet files, which estimators take in place of X and y.

    Nothing is read yet but what the columns are. When an estimator is first fitted, the files are
    decoded once, block by block, to a temporary file of numbers, which is removed with the rows;
    an epoch reads that in windows, ahead of training. Predicting reads the Parquet files
    themselves.

    Parameters
    ----------
    path : str or path-like
        A file, or a folder with files, also one that is partitioned (``year=2024/...``): then the
        names of folders are columns, too. Files whose names begin with "_" or "." are left out.
    features : sequence of str, default=None
        The columns that are features; None for all but target, weight, and the index that pandas
        may have written.
    target : str or sequence of str, default=None
        The column with the targets, or several; None to predict only.
    sample_weight : str, default=None
        The column with the weights of the rows.
    dtype : {"float32", "float64"}, default="float32"
        What the network computes with.
    transform : callable or fitted transformer, default=None
        ``transform(frame)``, or its method ``transform``, makes a matrix of numbers of a DataFrame
        with some rows: a StandardScaler, for example, that has been fitted with ``partial_fit`` on
        the blocks of these rows.
    memory : int or str, default="256MB"
        How much of the rows training may hold at a time, in bytes or as a text. Half of it is the
        window whose rows are visited in random order.
    folder : str or path-like, default=None
        Where the temporary file is written: it has 4 (or 8) bytes for each row and feature. None
        for ``TMPDIR``, or where the system keeps large temporary files.
    verbose : bool, default=False
        Whether to print a line now and then while files are decoded.

    Returns
    -------
    StoredRows
        The rows.

    Raises
    ------
    ImportError
        Without pyarrow.
    ValueError
        If there is no such column, or the files cannot be read.

    See Also
    --------
    sknn.data.from_memmap : The same from an array in a file.
    sknn.TabularMLPClassifier : Takes these rows with texts and gaps in them.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> from sknn.data import from_parquet
    >>> frame = load_iris(as_frame=True).frame
    >>> with tempfile.TemporaryDirectory() as path:
    ...     frame.to_parquet(os.path.join(path, "iris.parquet"))
    ...     data, scaler = from_parquet(path, target="target"), StandardScaler()
    ...     for X, y in data.blocks():
    ...         scaler = scaler.partial_fit(X)
    ...     data = from_parquet(path, target="target", transform=scaler)
    ...     net = MLPClassifier(max_iter=500, random_state=0).fit(data)
    ...     print(f"{net.score(data):.2f}")
    0.98
    """
    size, form = as_bytes(memory), as_float(dtype)
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidParameterError(f"path={path!r} must be a file, or a folder with files.")
    if isinstance(features, str):
        raise InvalidParameterError(
            f"features={features!r} must be a sequence of names; write [{features!r}]."
        )
    makes_numbers = transform is None or callable(getattr(transform, "transform", transform))
    if not makes_numbers or isinstance(transform, type):
        raise InvalidParameterError(
            f"transform={transform!r} must be a function, or a fitted transformer such as "
            "StandardScaler().fit(...)."
        )
    if folder is not None and not Path(folder).is_dir():
        raise InvalidParameterError(f"folder={folder!r} must be a folder that exists.")
    source = Parquet(path, features, target, sample_weight, form, transform, folder, verbose)
    return StoredRows(source, size)


def as_float(dtype: Any) -> np.dtype[Any]:
    """Return what a network can compute with."""
    try:
        form = np.dtype(object if dtype is None else dtype)
    except TypeError:
        form = np.dtype(object)
    if form not in (np.float32, np.float64):
        raise InvalidParameterError(f"dtype={dtype!r} must be 'float32' or 'float64'.")
    return form
