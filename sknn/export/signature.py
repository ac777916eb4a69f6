"""What goes into an exported model: the names of its inputs, and of what kind their values are."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

BOOL, FLOAT32, FLOAT64, INT64, WORDS = KINDS = ("bool", "float32", "float64", "int64", "str")
"""The kinds of values."""


class Input(NamedTuple):
    """An input.

    Attributes
    ----------
    name : str
    kind : str
        One of `KINDS`.
    n_columns : int
    """

    name: str
    kind: str
    n_columns: int


def signature_of(X_sample: Any) -> list[Input]:
    """Return the inputs that samples like some need: a matrix, or each column of a frame.

    Parameters
    ----------
    X_sample : DataFrame or array-like of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If a column holds what no tensor can, such as dates.
    """
    if sp.issparse(X_sample):
        raise ValueError("X_sample must be dense: ONNX has no sparse inputs. Pass X[:1].toarray().")
    if hasattr(X_sample, "columns") or hasattr(X_sample, "column_names"):
        return _of_frame(X_sample)
    array = np.asarray(X_sample)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"X_sample must have the shape (n_samples, n_features), with at least one row and one "
            f"column; got {array.shape}."
        )
    kind = _kind_of_dtype(array.dtype)
    if kind is None and all(isinstance(value, str) for value in array.ravel().tolist()):
        kind = WORDS
    if kind is None:
        return _of_frame(array)
    return [Input("X", kind, array.shape[1])]


def _of_frame(X_sample: Any) -> list[Input]:
    import pandas as pd

    from sknn.tabular.table import as_frame

    frame = as_frame(X_sample)
    inputs = []
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        kind = _kind_of_column(column, pd)
        if kind is None:
            raise ValueError(
                f"Column {name!r} of X_sample holds values of dtype {column.dtype}, which cannot "
                "be exported: columns must hold numbers, words or bools, not dates, times or "
                "objects of other kinds."
            )
        inputs.append(Input(str(name) or "x", kind, 1))
    counts = Counter(each.name for each in inputs)
    name, n_columns = counts.most_common(1)[0]
    if n_columns > 1:
        raise ValueError(
            f"X_sample has {n_columns} columns called {name!r}, as a word or as a number; the "
            "names of inputs must differ."
        )
    return inputs


def _kind_of_dtype(dtype: Any) -> str | None:
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return FLOAT32 if dtype.itemsize <= 4 else FLOAT64
    return {"b": BOOL, "i": INT64, "u": INT64, "U": WORDS}.get(dtype.kind)


def _kind_of_column(column: Any, pd: Any) -> str | None:
    """Return the kind of a column's values; what has gaps are floats or words."""
    has_gaps = bool(column.isna().any())
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind = _kind_of_column(column.cat.categories.to_series(), pd)
    elif isinstance(column.dtype, np.dtype) and column.dtype != object:
        kind = _kind_of_dtype(column.dtype)
    else:
        kind = _INFERRED.get(pd.api.types.infer_dtype(column, skipna=True))
    if has_gaps and kind in (BOOL, INT64):
        return WORDS if kind == BOOL else FLOAT64
    return kind


_INFERRED = {
    "boolean": BOOL,
    "decimal": FLOAT64,
    "empty": FLOAT64,
    "floating": FLOAT64,
    "integer": INT64,
    "integer-na": FLOAT64,
    "mixed-integer-float": FLOAT64,
    "string": WORDS,
}
"""The kinds of objects, by pandas's name for them."""
