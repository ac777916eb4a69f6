"""Array conventions of the engine, in one place.

Every array ends in its natural axes; an axis in front of them counts models. A single
model drops that axis, because NumPy's two-dimensional calls are the faster ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Call: TypeAlias = Callable[[], object]


def product(a: Array) -> Callable[..., Any]:
    """Return the matrix product for operands like `a`, called as ``product(a, b, out)``.

    ``np.dot`` costs about half of ``np.matmul`` on small matrices and uses BLAS for an
    inner size of one, but knows no leading axis.
    """
    return np.dot if a.ndim == 2 else np.matmul


def swap(a: Array) -> Array:
    """Return the view of `a` with its last two axes exchanged."""
    return a.swapaxes(-1, -2)


def number(value: Any, dtype: Any) -> Array:
    """Return a number, or a column of one per model, as an array of `dtype`.

    NumPy converts a Python float at every call; a 0-d array saves that.
    """
    array = np.asarray(value)
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite to it
        return array.astype(dtype)


def order_of(values: Array, axis: int | None = None) -> Any:
    """Return e such that the largest number is about 2**e; 0 where there is none but 0.

    ``np.ldexp(values, -e)`` has squares that neither overflow nor vanish, and loses no bits.
    """
    return np.frexp(np.abs(values).max(axis=axis, initial=0.0))[1]


def even_slices(n: int, n_parts: int) -> list[slice]:
    """Return slices that cut a length into parts as equal as can be."""
    ends = [n * part // n_parts for part in range(n_parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(ends)]


def spread_rows(n: int, most: int) -> Array:
    """Return the numbers of some rows from all over n of them, all if there are no more."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


def as_shares(sizes: Array) -> Array:
    """Return sizes divided by their sum; equal shares if that says nothing."""
    whole = sizes.sum()
    return sizes / whole if 0 < whole < np.inf else np.full(len(sizes), 1 / len(sizes))
