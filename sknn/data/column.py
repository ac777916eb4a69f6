"""A column of targets or weights: all of its rows, in as little memory as they need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sknn._math import Array

SIZES = (np.int8, np.int16, np.int32, np.int64, np.uint64)

TEXTS = "OUT"
"""What NumPy calls the kinds of texts."""

EXACT = 2**24
"""Up to here float32 has all whole numbers."""

PART = 1_000_000
"""Rows that are handed out at a time."""


class Column:
    """Values that are added part by part; texts are kept as the numbers of their categories.

    Parameters
    ----------
    name : str
        As errors call it.
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
        self._kind: np.dtype[Any] | None = None  # of the numbers as they were given

    def __len__(self) -> int:
        return self._n

    @property
    def nbytes(self) -> int:
        """The size of what is kept."""
        return 0 if self._values is None else self._values.nbytes

    @property
    def has_texts(self) -> bool:
        """Whether the values are texts."""
        return self._places is not None

    def add(self, values: Array) -> None:
        """Add the values of the next rows.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)

        Raises
        ------
        ValueError
            If they are not numbers, bools or texts, are not all of one of these, or have gaps.
        """
        if not len(values):
            return
        self._check(values)
        if values.dtype.kind in TEXTS:
            values = self._as_numbers(values)
        else:
            kind = values.dtype
            self._kind = kind if self._kind is None else np.result_type(self._kind, kind)
        needed = self._room_for(values)
        if self._values is None:
            self._values = np.empty(self._n_rows, needed)
        room = np.result_type(self._values.dtype, needed)
        if room != self._values.dtype:
            self._values = self._values.astype(room)
        self._values[self._n : self._n + len(values)] = values
        self._n += len(values)

    def __getitem__(self, rows: Any) -> Array:
        """Return the values of some rows, as they were given."""
        return self._given(self._complete()[rows])

    def unique(self, rows: Array | None) -> Array:
        """Return what occurs among some rows, or all of them, each once."""
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

    def _check(self, values: Array) -> None:
        kind = values.dtype.kind
        if kind not in "biuf" + TEXTS:
            raise ValueError(
                f"{self.name} is {values.dtype}; a target or a weight must be numbers, bools or "
                "texts."
            )
        if self._values is not None and (kind in TEXTS) != self.has_texts:
            raise ValueError(f"{self.name} has numbers in some rows and texts in others.")
        if kind in "biu":
            return
        import pandas as pd

        if n_gaps := np.count_nonzero(pd.isna(values)):
            raise ValueError(
                f"{self.name} has gaps, {n_gaps} or more: rows without a target or a weight cannot "
                "be learnt from. Leave them out."
            )

    def _as_numbers(self, values: Array) -> Array:
        # `unique` of objects is slow: most parts have few of them.
        import pandas as pd

        self._places = {} if self._places is None else self._places
        try:
            codes, found = pd.factorize(np.asarray(values, object))
        except TypeError as error:
            raise ValueError(
                f"{self.name} holds {type(values[0]).__name__}; a target or a weight must be "
                "numbers, bools or texts."
            ) from error
        places = [self._places.setdefault(value, len(self._places)) for value in found.tolist()]
        return np.asarray(places, np.int64)[codes]

    def _room_for(self, values: Array) -> np.dtype[Any]:
        """Return the smallest type that has room for values."""
        if values.dtype.kind == "f":
            if values.itemsize <= self._dtype.itemsize:
                return self._dtype
            large = values[np.abs(values) > EXACT]
            may_be_labels = (large == np.rint(large)).any()
            return np.dtype(np.float64) if may_be_labels else self._dtype
        low, high = int(values.min()), int(values.max())
        fits = (s for s in SIZES if np.iinfo(s).min <= low and high <= np.iinfo(s).max)
        return np.dtype(next(fits))

    def _complete(self) -> Array:
        if self._values is None:
            return np.empty(0, self._dtype)
        kept = self._values[: self._n]
        kept.flags.writeable = False  # who changes what is lent would change the targets
        return kept

    def _given(self, kept: Array) -> Array:
        if self._places is not None:
            categories = np.empty(len(self._places), object)
            categories[:] = list(self._places)
            return categories[kept]
        is_given = self._kind is None or self._kind.kind == "f" or kept.dtype == self._kind
        return kept if is_given else kept.astype(self._kind)
