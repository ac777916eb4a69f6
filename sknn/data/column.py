"""A column of targets or weights: all of its rows, in as little memory as they need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sknn._math import Array

SIZES = (np.int8, np.int16, np.int32, np.int64)

PART = 1_000_000
"""Rows that are handed out at a time."""


class Column:
    """Values that are added part by part; texts are kept as the numbers of their categories.

    Parameters
    ----------
    name : str
    n_rows : int
        How many values there will be.
    dtype : dtype
        What numbers with fractions are kept as.
    """

    def __init__(self, name: str, n_rows: int, dtype: Any) -> None:
        self.name, self._n_rows, self._dtype = name, n_rows, np.dtype(dtype)
        self._n = 0
        self._values: Array | None = None
        self._places: dict[Any, int] | None = None  # of the categories
        self._kind: np.dtype[Any] = self._dtype

    def __len__(self) -> int:
        return self._n

    @property
    def nbytes(self) -> int:
        """The size of what is kept."""
        return 0 if self._values is None else self._values.nbytes

    def add(self, values: Array) -> None:
        """Add the values of the next rows.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)
            Numbers, bools or texts; without gaps.
        """
        if self._values is None:
            self._begin(values)
        if self._places is not None:
            values = self._as_numbers(values)
        assert self._values is not None
        kept = self._values
        if kept.dtype.kind == "i" and len(values):
            low, high = int(values.min()), int(values.max())
            needed = next(s for s in SIZES if np.iinfo(s).min <= low and high <= np.iinfo(s).max)
            if np.dtype(needed).itemsize > kept.itemsize:
                kept = self._values = kept.astype(needed)
        kept[self._n : self._n + len(values)] = values
        self._n += len(values)

    def all(self) -> Array:
        """Return all values, as they were given."""
        return self._given(self._complete())

    def __getitem__(self, rows: Any) -> Array:
        """Return the values of some rows."""
        return self._given(self._complete()[rows])

    def unique(self, rows: Array | None) -> Array:
        """Return what occurs among some rows, or all of them."""
        kept = self._complete()
        kept = kept if rows is None else kept[rows]
        found = np.zeros(0, kept.dtype)
        for start in range(0, len(kept), PART):
            found = np.union1d(found, kept[start : start + PART])
        return self._given(found)

    def parts(self, rows: Array | None) -> Iterator[Array]:
        """Yield the values of some rows, or of all of them, part by part."""
        kept = self._complete()
        for start in range(0, len(kept) if rows is None else len(rows), PART):
            part = slice(start, start + PART)
            yield self._given(kept[part] if rows is None else kept[rows[part]])

    def _begin(self, values: Array) -> None:
        self._kind = values.dtype
        kind = values.dtype.kind
        if kind in "OUST":
            self._places = {}
            self._kind = np.dtype(object)
        if kind == "f":
            self._kind = kept = self._dtype
        elif kind == "b":
            kept = np.dtype(bool)
        elif kind == "u" and values.itemsize == 8:
            kept = values.dtype
        else:
            kept = np.dtype(np.int8)
        self._values = np.empty(self._n_rows, kept)

    def _as_numbers(self, values: Array) -> Array:
        assert self._places is not None
        # `unique` of objects is slow: most parts have few of them.
        import pandas as pd

        codes, found = pd.factorize(values)
        places = [self._places.setdefault(value, len(self._places)) for value in found.tolist()]
        return np.asarray(places, np.int64)[codes]

    def _complete(self) -> Array:
        return np.empty(0, self._dtype) if self._values is None else self._values[: self._n]

    def _given(self, kept: Array) -> Array:
        if self._places is None:
            return kept if kept.dtype == self._kind else kept.astype(self._kind)
        categories = np.empty(len(self._places), object)
        categories[:] = list(self._places)
        return categories[kept]
