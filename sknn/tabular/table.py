"""From tables, as people have them, to numbers with gaps and codes of categories."""

from __future__ import annotations

import datetime
from collections.abc import Hashable
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from pandas.api import types

from sknn._math import Array
from sknn._warn import warn
from sknn.data import StoredRows
from sknn.plain import kept
from sknn.tabular.files import read_frame

PARTS = ("year", "month", "day", "day_of_week", "hour", "minute")
"""What a date is taken apart into, beside the time since the first one, in days."""

NUMBER, CATEGORY, DATE, CLOCK = "number", "category", "date", "time of day"
"""What a column can be."""

BOOLS = {"True", "False"}
"""What bools are called."""

BY_NAME = ("kinds", "_parts", "_first_dates")
"""What is known of columns by their names, which need not be words."""

DAY = np.timedelta64(1, "D")


class Table(NamedTuple):
    """A table that has been read.

    Attributes
    ----------
    numbers : ndarray of float64, shape (n_samples, n_numbers)
        NaN where a value is missing.
    codes : ndarray of int, shape (n_samples, n_categories)
        The numbers of categories; -1 where one is missing or was not there when the columns were
        learnt.
    """

    numbers: Array
    codes: Array

    def __len__(self) -> int:
        return len(self.numbers)

    # What tables in files do otherwise, see `sknn.tabular.stored`.

    @property
    def sample(self) -> Table:
        """The rows from which it is learnt what becomes of the columns: all of them."""
        return self

    def of(self, rows: Any) -> Table:
        """Return some rows."""
        return Table(self.numbers[rows], self.codes[rows])

    def encoded(self, encoder: Any, sample: Array) -> Any:
        """Return all rows as networks take them, if those of the sample are known."""
        return sample

    def described(self) -> Any:
        """Return what tells the table from others, in arrays and plain terms."""
        return tuple(self)

    def discard(self) -> None:
        """Remove what is kept elsewhere."""


@kept
class Columns:
    """What the columns of a table are, learnt from the first one.

    Parameters
    ----------
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_columns)
    categorical_features : "from_dtype" or array-like of bool, int or str
        Which columns hold categories. From their dtype those do that are categories, strings or
        bools.
    owner : str, default="Columns"
        What errors call whoever reads the tables.

    Attributes
    ----------
    names : list
        Those of the columns, numbers where they had none.
    kinds : dict of str
        For each name what its column is.
    number_names, category_names : list of str
        What the columns of `Table.numbers` and `Table.codes` are called.
    number_origins, category_origins : list of int
        The places of the columns that they come from.
    levels : list of Index
        The categories of each column of `Table.codes`.
    """

    def __init__(
        self, X: Any, categorical_features: Any = "from_dtype", owner: str = "Columns"
    ) -> None:
        frame = as_frame(X)
        if not len(frame) or not frame.shape[1]:
            what = "0 sample(s)" if not len(frame) else "0 feature(s)"
            raise ValueError(
                f"Found array with {what} (shape={frame.shape}) while a minimum of 1 is required "
                f"by {owner}."
            )
        self._owner = owner
        self.names = list(frame.columns)
        self._has_names = has_names(X)
        chosen = _choose(categorical_features, frame)
        self.kinds: dict[Any, str] = {}
        self.number_names: list[str] = []
        self.category_names: list[str] = []
        self.number_origins: list[int] = []
        self.category_origins: list[int] = []
        self.levels: list[pd.Index] = []
        self._parts: dict[Any, list[str]] = {}
        self._empty: list[Any] = []
        self._first_dates: dict[Any, Any] = {}
        for place, name in enumerate(self.names):
            column = frame.iloc[:, place]
            kind = CATEGORY if chosen[place] else kind_of(column)
            self.kinds[name] = kind
            if kind == CATEGORY:
                self.category_names.append(str(name))
                self.category_origins.append(place)
                self.levels.append(_levels_of(column))
                continue
            if column.isna().all():
                self._empty.append(name)
            elif kind == DATE:
                self._learn_date(name, column)
            of_number = self._names_of_number(name)
            self.number_names += of_number
            self.number_origins += [place] * len(of_number)

    def to_plain(self) -> dict[str, Any]:
        """Return what has been learnt, in arrays."""
        by_name = {key: list(value.items()) for key, value in vars(self).items() if key in BY_NAME}
        levels = [each.to_numpy(copy=True) for each in self.levels]
        return {**vars(self), **by_name, "levels": levels}

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> Columns:
        """Return what has learnt this."""
        columns = object.__new__(cls)
        columns.__dict__.update(state)
        columns.levels = [pd.Index(each, dtype=object) for each in columns.levels]
        for key in BY_NAME:
            setattr(columns, key, dict(getattr(columns, key)))
        return columns

    def read(self, X: Any) -> Table:
        """Return a further table with the same columns, which may come in another order.

        Raises
        ------
        ValueError
            If a column is missing, or is of another kind than it was.
        """
        frame = as_frame(X)
        if not (has_names(X) and self._has_names):
            self._check_count(frame)
            self._warn_about_names(has_names(X))
            frame = frame.set_axis(pd.Index(self.names, tupleize_cols=False), axis=1)
        numbers = np.empty((len(frame), len(self.number_names)))
        codes = np.empty((len(frame), len(self.category_names)), np.intp)
        n_numbers = n_codes = 0
        for column, (name, kind) in zip(self._in_order(frame), self.kinds.items(), strict=True):
            if kind == CATEGORY:
                codes[:, n_codes] = self._read_category(name, self.levels[n_codes], column)
                n_codes += 1
                continue
            values = self._read_number(name, kind, column)
            numbers[:, n_numbers : n_numbers + values.shape[1]] = values
            n_numbers += values.shape[1]
        return Table(numbers, codes)

    def _check_count(self, frame: pd.DataFrame) -> None:
        """Raise ValueError unless a table without names has as many columns as that of fit."""
        found, expected = frame.shape[1], len(self.names)
        if found != expected:
            raise ValueError(
                f"X has {found} features, but {self._owner} is expecting {expected} features as "
                "input."
            )

    def _warn_about_names(self, are_there: bool) -> None:
        if are_there:
            warn(
                f"X has feature names, but {self._owner} was fitted without feature names: its "
                "columns are taken in the order of fit."
            )
        elif self._has_names and _all_words(self.names):
            warn(
                f"X does not have valid feature names, but {self._owner} was fitted with feature "
                "names: its columns are taken in the order of those."
            )

    def _in_order(self, frame: pd.DataFrame) -> list[pd.Series]:
        """Return the columns in the order in which they were learnt."""
        if list(frame.columns) == self.names:
            return [frame.iloc[:, place] for place in range(len(self.names))]
        there = set(frame.columns)
        missing = [name for name in self.names if name not in there]
        if missing:
            raise ValueError(
                f"X lacks {len(missing)} of the columns that the table had in fit: "
                f"{', '.join(map(repr, missing[:5]))}."
            )
        return [frame[name] for name in self.names]

    def _check_kind(self, name: Any, kind: str, found: str) -> None:
        if found != kind:
            raise ValueError(
                f"Column {name!r} had {_PLURALS[kind]} in fit, and now has {_PLURALS[found]}."
            )

    def _learn_date(self, name: Any, column: pd.Series) -> None:
        dates = _as_dates(column)
        self._first_dates[name] = dates.min().to_datetime64()
        parts = [part for part in PARTS if getattr(dates.dt, part).nunique() > 1]
        self._parts[name] = parts

    def _names_of_number(self, name: Any) -> list[str]:
        return [str(name), *(f"{name}_{part}" for part in self._parts.get(name, ()))]

    def _read_category(self, name: Any, levels: pd.Index, column: pd.Series) -> Array:
        """Return the codes of a column of categories."""
        if column.isna().all() or not len(levels):
            return np.full(len(column), -1)
        if BOOLS.issuperset(levels) and kind_of(column) == NUMBER:
            numbers = _as_numbers(column)
            if np.isin(numbers[~np.isnan(numbers)], (0, 1)).all():
                column = pd.Series(numbers).map({0.0: "False", 1.0: "True"})
        if all(map(_is_word, levels)):
            self._check_kind(name, CATEGORY, kind_of(column))  # numbers are no words
        elif not any(map(_is_word, levels)) and all(map(_is_word, column.dropna())):
            raise ValueError(
                f"Column {name!r} had categories that are no words in fit, such as {levels[0]!r}, "
                f"and now has words, such as {column.dropna().iloc[0]!r}; make them alike."
            )
        return _encode(column, levels)

    def _read_number(self, name: Any, kind: str, column: pd.Series) -> Array:
        """Return the numbers that a column gives, of shape (n_samples, n_numbers)."""
        if name in self._empty or column.isna().all():
            return np.full((len(column), len(self._names_of_number(name))), np.nan)
        if kind == NUMBER and types.is_bool_dtype(column.dtype):
            return column.astype("Float64").to_numpy(np.float64, na_value=np.nan)[:, np.newaxis]
        self._check_kind(name, kind, kind_of(column))
        if kind == NUMBER:
            return _as_numbers(column)[:, np.newaxis]
        if kind == CLOCK:
            return _as_hours(column)[:, np.newaxis]
        dates = _as_dates(column)
        elapsed = (dates - self._first_dates[name]) / DAY
        series = [elapsed, *(getattr(dates.dt, part) for part in self._parts[name])]
        return np.stack([each.to_numpy(np.float64, na_value=np.nan) for each in series], axis=1)


_PLURALS = {NUMBER: "numbers", CATEGORY: "categories", DATE: "dates", CLOCK: "times of day"}


def _all_words(names: Any) -> bool:
    return all(isinstance(name, str) for name in names)


def has_names(X: Any) -> bool:
    """Whether a table is of a make whose columns have names."""
    if isinstance(X, StoredRows):
        return X.feature_names is not None
    return isinstance(X, pd.DataFrame) or hasattr(X, "column_names") or hasattr(X, "get_columns")


def as_frame(X: Any) -> pd.DataFrame:
    """Return a table of any make as a pandas frame, of which nothing is copied that need not be.

    Raises
    ------
    ValueError, TypeError
        If it is no table, or an empty one.
    """
    if isinstance(X, StoredRows):
        return as_frame(read_frame(X))
    if isinstance(X, pd.DataFrame):
        frame = X
    elif sp.issparse(X):
        frame = pd.DataFrame(X.toarray())
    elif hasattr(X, "to_pandas") and hasattr(X, "column_names"):  # pyarrow
        frame = X.to_pandas()
    elif hasattr(X, "get_columns"):  # polars
        frame = pd.DataFrame({series.name: _from_polars(series) for series in X.get_columns()})
    else:
        frame = _from_array(X)
    if any(isinstance(dtype, pd.ArrowDtype) for dtype in frame.dtypes):
        frame = _without_arrow(frame)
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"The names of columns must differ; X has several called {name!r}.")
    return frame


def _without_arrow(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns of pyarrow are as :meth:`pyarrow.Table.to_pandas` makes them."""
    columns = [
        column.array.__arrow_array__().to_pandas().array
        if isinstance(column.dtype, pd.ArrowDtype)
        else column.array
        for _, column in frame.items()
    ]
    out = pd.DataFrame(dict(enumerate(columns)), index=frame.index)
    return out.set_axis(frame.columns, axis=1)


def _from_array(X: Any) -> pd.DataFrame:
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X must be a table, whose rows have the same length: {error}") from error
    if array.dtype.kind in "US" and isinstance(X, (list, tuple)):
        array = np.asarray(X, dtype=object)  # numbers beside words stay numbers
    if not array.dtype.isnative:  # which pandas cannot tell categories from
        array = array.astype(array.dtype.newbyteorder("="))
    if array.ndim != 2:
        hint = (
            " Reshape your data with X.reshape(-1, 1) if it has a single feature, or with "
            "X.reshape(1, -1) if it is a single sample."
        )
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead.{hint}")
    if array.dtype.kind == "c":
        raise ValueError("Complex data not supported.")
    frame = pd.DataFrame(array)
    return frame.infer_objects() if array.dtype == object else frame


def _from_polars(series: Any) -> Any:
    """Return a column of polars as pandas takes it, with its kind and its gaps."""
    name = str(series.dtype)
    if name.startswith(("Categorical", "Enum")):
        return pd.Categorical(series.to_list())
    if name in ("String", "Boolean", "Date", "Time") and series.null_count():
        return pd.Series(series.to_list(), dtype=object).to_numpy()
    return series.to_numpy()


def kind_of(column: pd.Series) -> str:
    """Return what a column is by its dtype, or by its values where they are objects."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype | pd.IntervalDtype) or types.is_bool_dtype(dtype):
        return CATEGORY
    if types.is_complex_dtype(dtype):
        raise ValueError("Complex data not supported.")
    if types.is_numeric_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return NUMBER
    if types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return DATE
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return CATEGORY
    return _kind_of_objects(column)


_KINDS = {
    "string": CATEGORY,
    "boolean": CATEGORY,
    "categorical": CATEGORY,
    "interval": CATEGORY,
    "floating": NUMBER,
    "integer": NUMBER,
    "mixed-integer-float": NUMBER,
    "integer-na": NUMBER,
    "decimal": NUMBER,
    "timedelta": NUMBER,
    "datetime": DATE,
    "datetime64": DATE,
    "date": DATE,
    "period": DATE,
    "time": CLOCK,
    "empty": NUMBER,
}
"""What objects are, by pandas's name for them."""


def _kind_of_objects(column: pd.Series) -> str:
    found = types.infer_dtype(column, skipna=True)
    if found in _KINDS:
        return _KINDS[found]
    values = column.dropna()
    if all(isinstance(value, (int, float, Decimal, np.number)) for value in values) and not any(
        isinstance(value, bool) for value in values
    ):
        return NUMBER
    known = (str, bytes, bool, int, float, np.generic)
    if all(isinstance(value, known) for value in values):
        return CATEGORY  # words among numbers
    strange = next(value for value in values if not isinstance(value, known))
    raise TypeError(
        f"Column {column.name!r} holds objects of type {type(strange).__name__}: argument must be "
        "a string or a number, a bool, a date or a time of day."
    )


def _as_numbers(column: pd.Series) -> Array:
    if types.is_timedelta64_dtype(column.dtype):
        column = column / DAY
    elif column.dtype == object:
        first = column.dropna()
        if len(first) and isinstance(first.iloc[0], (datetime.timedelta, np.timedelta64)):
            return _as_numbers(pd.to_timedelta(column))
        column = pd.to_numeric(column)
    return column.to_numpy(np.float64, na_value=np.nan)


def _as_dates(column: pd.Series) -> pd.Series:
    """Return dates without a zone, in microseconds, which reach farther than nanoseconds."""
    if column.dtype == object and types.infer_dtype(column, skipna=True) == "period":
        column = column.map(pd.Period.to_timestamp, na_action="ignore")
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    if not types.is_datetime64_any_dtype(column.dtype):
        column = pd.to_datetime(column, utc=True)
    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.dt.as_unit("us")


def _as_hours(column: pd.Series) -> Array:
    def hours(time: Any) -> float:
        if pd.isna(time):
            return np.nan
        seconds = time.second + time.microsecond / 1e6
        return float(time.hour + time.minute / 60 + seconds / 3600)

    return np.array([hours(time) for time in column])


def _find_categories(column: pd.Series) -> tuple[Array, list[Any]]:
    """Return the number of each value's category, -1 where it is missing, and the categories.

    Equal categories are equal whatever the dtypes are; bools, which equal 0 and 1, are as words.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes, found = column.cat.codes.to_numpy(), column.cat.categories
    else:
        codes, found = pd.factorize(column)
    return codes.astype(np.intp), [_plain(value) for value in found.tolist()]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (bool, np.bool_)) else value


def _is_word(level: Any) -> bool:
    return isinstance(level, (str, bytes))


def _levels_of(column: pd.Series) -> pd.Index:
    """Return the categories that occur, the commonest first, and else in order of appearance."""
    codes, found = _find_categories(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(found))
    order = np.argsort(-counts, kind="stable")
    return pd.Index([found[k] for k in order if counts[k]], dtype=object).unique()


def _encode(column: pd.Series, levels: pd.Index) -> Array:
    """Return the numbers of a column's categories among those that were learnt."""
    codes, found = _find_categories(column)
    known = levels.get_indexer(pd.Index(found, dtype=object))
    return np.append(known, -1)[codes]  # the last one is for those that are missing


def _choose(choice: Any, frame: pd.DataFrame) -> list[bool]:
    """Return for each column whether it is named as one of categories."""
    names = list(frame.columns)
    if choice is None or (isinstance(choice, str) and choice == "from_dtype"):
        return [False] * len(names)
    if not np.iterable(choice):
        raise ValueError(
            f"categorical_features must be 'from_dtype' or a list of names, places or bools; got "
            f"{choice!r}."
        )
    chosen: list[Any] = [choice] if isinstance(choice, str) else list(choice)
    if chosen and all(isinstance(each, (bool, np.bool_)) for each in chosen):
        if len(chosen) != len(names):
            raise ValueError(
                f"categorical_features as a mask must have {len(names)} values, one for each "
                f"column; got {len(chosen)}."
            )
        return [bool(each) for each in chosen]
    if all(isinstance(each, (int, np.integer)) for each in chosen):
        bad = [place for place in chosen if not 0 <= place < len(names)]
        if bad:
            raise ValueError(
                f"categorical_features has {bad[0]}, but X has the columns 0 to {len(names) - 1}."
            )
        return np.isin(np.arange(len(names)), chosen).tolist()
    there = set(names)
    unknown = [name for name in chosen if not isinstance(name, Hashable) or name not in there]
    if unknown:
        raise ValueError(f"categorical_features names {unknown[0]!r}, which X does not have.")
    wanted = set(chosen)
    return [name in wanted for name in names]


def note_features(estimator: Any, columns: Columns) -> None:
    """Set what scikit-learn wants to know of the columns that an estimator has been fitted to."""
    estimator.n_features_in_ = len(columns.names)
    estimator.__dict__.pop("feature_names_in_", None)
    if _all_words(columns.names):
        estimator.feature_names_in_ = np.asarray(columns.names, dtype=object)


def take_tables(tags: Any) -> Any:
    """Return the tags of an estimator that takes tables as they are."""
    tags.input_tags.allow_nan = True
    tags.input_tags.categorical = True
    tags.input_tags.string = True
    tags.input_tags.sparse = True
    return tags
