"""Tables in files as pandas's: all of one, or a sample of its rows, or some after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from sknn._math import Array
from sknn.data import StoredRows

SAMPLE_ROWS = 100_000
"""Columns are learnt from so many rows at most."""

LEAST_ROWS = 5_000
"""And from so many at least, however little memory there is."""

BYTES_OF_VALUE = 32
"""About what a value takes while a sample is read: texts take more, numbers less."""


def fits(data: StoredRows) -> bool:
    """Whether a table takes no more memory than has been allowed, as numbers of 8 bytes."""
    n_rows, n_columns = data.shape
    return 8 * n_rows * n_columns <= data.memory


def read_frame(data: StoredRows) -> Any:
    """Return a whole table as a DataFrame, or as an array where its columns have no names."""
    ascending, order = data.in_file_order()
    whole = _collect(ascending)
    if order is not None:
        places = np.argsort(order)
        whole = whole[places] if isinstance(whole, np.ndarray) else whole.take(places)
    return whole if isinstance(whole, np.ndarray) else whole.to_pandas()


def choose_sample(data: StoredRows) -> Array:
    """Return the places of some rows of a table, from all over it; always the same ones.

    As the encoding of a table in memory, that of one in files does not depend on `random_state`.
    """
    n_rows, n_columns = data.shape
    fitting = data.memory // (BYTES_OF_VALUE * max(1, n_columns))
    n_sampled = min(n_rows, SAMPLE_ROWS, max(LEAST_ROWS, fitting))
    # One from each of as many stretches.
    starts = np.arange(n_sampled + 1) * n_rows // n_sampled
    lots = np.random.RandomState(0).random_sample(n_sampled)
    places: Array = starts[:-1] + (lots * np.diff(starts)).astype(np.intp)
    return places


def read_sample(data: StoredRows) -> Any:
    """Return the rows that `choose_sample` has chosen."""
    return as_block(_collect(data[choose_sample(data)].in_file_order()[0]))


def read_tables(columns: Any, data: StoredRows) -> Iterator[Any]:
    """Yield a table in files block by block, in the order of the files."""
    for _, block in data.tables():
        yield columns.read(as_block(block))


def say_in_order(say: Callable[[Any], Array], X: Any, axis: int) -> Array:
    """Return what is said of rows, which an axis counts, in their order; it may be asked of files.

    Parameters
    ----------
    say : callable
        Is given the rows, those in files in the order of these.
    X : DataFrame, array-like, sparse matrix or StoredRows
    axis : int
    """
    if not isinstance(X, StoredRows):
        return say(X)
    ascending, order = X.in_file_order()
    found = say(ascending)
    return found if order is None else found.take(np.argsort(order), axis)


def as_block(block: Any) -> Any:
    """Return some rows as a table whose dtypes do not depend on whether there are gaps in them."""
    return block if isinstance(block, np.ndarray) else block.to_pandas(types_mapper=_with_gaps)


def _with_gaps(kind: Any) -> Any:
    """Return pandas's dtype for a type that it has gaps for in a dtype of its own only."""
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_integer(kind):
        return pd.api.types.pandas_dtype(str(kind).replace("u", "U").replace("i", "I"))
    return None


def _collect(data: StoredRows) -> Any:
    """Return rows as one table of pyarrow, or as one array."""
    parts = [part for _, part in data.tables()]
    if not parts:
        raise ValueError(
            f"Found array with 0 sample(s): {data!r}, while a minimum of 1 is required."
        )
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.concatenate(parts)
    import pyarrow as pa

    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise ValueError(
            f"A column of {data!r} has different types in different files: {error}"
        ) from error
