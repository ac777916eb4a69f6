"""Functions that exported source is made of; their text is copied into it.

So they know of NumPy and the standard library only.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np


def _array(dtype: str, shape: tuple[int, ...], text: str) -> Any:
    """Return the array that a text in base 64 holds, bit by bit."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


def _matrix(X: Any, n_columns: int) -> Any:
    """Return samples as an array of floats, or raise ValueError."""
    if hasattr(X, "toarray"):
        raise ValueError("X must be dense; got a sparse matrix. Pass X.toarray().")
    x = np.asarray(X)
    if x.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must hold real numbers.")
    if x.ndim != 2 or x.shape[1] != n_columns:
        raise ValueError(f"X must have the shape (n_samples, {n_columns}); got {x.shape}.")
    x = x.astype(np.float32 if x.dtype in (np.float16, np.float32) else np.float64)
    if not np.isfinite(x).all():
        raise ValueError("X must hold finite numbers; it contains NaN or infinity.")
    return x


def _check_names(X: Any, names: list[str]) -> None:
    """Raise ValueError for a frame with other columns, or with the columns in another order."""
    found = list(getattr(X, "columns", ()))
    if found and all(isinstance(name, str) for name in found) and found != names:
        raise ValueError(f"X must have the columns {names} in this order; got {found}.")


def _columns(X: Any, names: list[Any]) -> list[Any]:
    """Return the columns of a table: a dict or frame, or rows whose columns are in order."""
    if hasattr(X, "toarray"):
        raise ValueError("X must be dense; got a sparse matrix. Pass X.toarray().")
    if hasattr(X, "keys"):
        missing = [name for name in names if name not in X]
        if missing:
            raise ValueError(f"X lacks the column {missing[0]!r}; it must have {names}.")
        columns = {name: np.asarray(X[name], object) for name in names}
        for name, column in columns.items():
            if column.shape != (columns[names[0]].size,):
                raise ValueError(
                    "X must have columns of one length, with a value for each row, be it a single "
                    f"one; column {name!r} has the shape {column.shape}."
                )
        return list(columns.values())
    rows = np.asarray(X, object)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError(
            f"X must be a dict of columns, or have the shape (n_samples, {len(names)}); got "
            f"{rows.shape}."
        )
    return list(rows.T)


def _is_missing(value: Any) -> bool:
    """Whether a value of a table is missing."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def _numbers(column: Any, name: Any) -> Any:
    """Return a column of numbers, of shape (n_samples, 1), with NaN where one is missing."""
    words = [value for value in column if isinstance(value, (str, bytes, complex))]
    if words:
        raise ValueError(f"Column {name!r} must hold numbers; got {words[0]!r}.")
    values = [math.nan if _is_missing(value) else float(value) for value in column]
    return np.array(values, np.float64).reshape(-1, 1)


def _codes(column: Any, name: Any, levels: list[Any]) -> Any:
    """Return the numbers of a column's categories, -1 where one is missing or unknown."""
    known = {level: code for code, level in enumerate(levels)}
    are_bools = known.keys() <= {"False", "True"}
    are_words = all(isinstance(level, str) for level in levels)
    found = []
    for value in column:
        if _is_missing(value):
            found.append(-1)
            continue
        if isinstance(value, (bool, np.bool_)) or (are_bools and value in (0, 1)):
            value = str(bool(value))
        elif are_words and not isinstance(value, (str, bytes)):
            raise ValueError(f"Column {name!r} must hold words; got {value!r}.")
        found.append(known.get(value, -1))
    return np.array(found, np.int64)


def _logistic(z: Any) -> Any:
    """Return 1 / (1 + exp(-z)), exact where it is small, too."""
    e = np.exp(-np.abs(z))
    return np.where(z > 0, np.ones_like(e), e) / (1 + e)


def _normal_cdf(z: Any) -> Any:
    """Return the distribution function of the normal distribution."""
    scaled = np.asarray(z, np.float64) / -math.sqrt(2)
    halves = [math.erfc(value) / 2 for value in scaled.ravel().tolist()]
    return np.array(halves, z.dtype).reshape(z.shape)


def _relu(z: Any) -> Any:
    """Return max(z, 0)."""
    return np.maximum(z, 0)


def _softplus(z: Any) -> Any:
    """Return log(1 + exp(z))."""
    return np.logaddexp(z, 0)


def _softmax(z: Any) -> Any:
    """Return exp(z), divided by its sum over the columns."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _never_zero(p: Any) -> Any:
    """Return probabilities of which none is 0, but the least number above it."""
    return np.maximum(p, np.finfo(p.dtype).smallest_subnormal)
