"""TableEncoder: from tables to the inputs of a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from sknn._constraints import Check, Constraint, Interval, OneOf, check_parameters
from sknn._links import Linked
from sknn._math import Array
from sknn._random import make_random_state
from sknn._version import Versioned
from sknn.data import StoredRows
from sknn.estimators.validation import RANDOM_STATE, check_sample_weight
from sknn.estimators.words import CategoricalFeatures, RandomState, Untyped
from sknn.plain import kept
from sknn.tabular.encoding import (
    Bins,
    Encoding,
    Missing,
    NumericName,
    OneHot,
    Robust,
    TargetMeans,
    Waves,
    choose_edges,
    draw_folds,
)
from sknn.tabular.files import choose_sample, fits, read_sample, read_tables, say_in_order
from sknn.tabular.table import NUMBER, Columns, Table, note_features, take_tables

NUMERIC = get_args(NumericName)
"""What numbers may become."""

MIN_BINS = 2
"""Edges with fewer bins than this say little more than the number itself."""

MAX_CLASSES = 100
"""Whole numbers as targets are classes if there are no more different ones."""

CHUNK = 4096
"""Rows that are encoded at a time, which bounds the memory beside the result."""


@kept
class Step(NamedTuple):
    """An encoding, which columns of a `Table` it takes, and which of the result it gives."""

    encoding: Encoding
    is_of_numbers: bool
    columns: Any
    start: int
    stop: int

    @property
    def out(self) -> slice:
        """The columns of the result."""
        return slice(self.start, self.stop)


class TableEncoder(Untyped, TransformerMixin, Versioned, Linked, BaseEstimator):
    r"""Encode the columns of a table, whatever they hold, as numbers that networks learn well from.

    Numbers are scaled robustly, cut into bins (a piecewise linear encoding), or turned into waves;
    gaps are filled and marked. Dates become the time that has passed and what varies of year,
    month, day, weekday, hour and minute. Categories (categories, strings, bools) become a column
    each for the commonest, and from `min_target_categories` on the mean target of each,
    cross-fitted. What was not there in fit counts as missing. Columns that hold a single value are
    left out.

    The width of the result is bounded: where `max_width` would be exceeded, bins and waves for each
    number, and columns for each category, become fewer. Only with more numbers than that it is
    wider.

    Parameters
    ----------
    categorical_features : "from_dtype" or array-like of bool, int or str, default="from_dtype"
        Which columns hold categories, beside those whose dtype says so.
    numeric : str or sequence of str, default=("robust", "piecewise_linear")
        What numbers become: "robust", "piecewise_linear", "fourier", or several of them.
    n_bins : int, default=32
        Bins of a number at most, at least 2.
    n_frequencies : int, default=12
        Waves of a number, at least 1.
    max_categories : int, default=100
        Columns of a category at most, at least 1.
    min_target_categories : int or None, default=9
        From how many categories on their mean targets are used, at least 1; None never uses them.
    max_width : int, default=2048
        How many columns the result should not exceed, at least 1.
    random_state : int, RandomState instance or None, default=None
        Seeds waves, and the folds of `fit_transform`.

    Attributes
    ----------
    n_features_in_ : int
        The number of columns of the table.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if they are all strings.
    n_features_out_ : int
        The number of columns of the result.
    origins_ : ndarray of int, shape (`n_features_out_`,)
        From which column of the table each column of the result comes.

    See Also
    --------
    sknn.TabularMLPClassifier : Encodes its tables so, and classifies them.
    sknn.TabularMLPRegressor : Encodes its tables so, and predicts numbers.
    sklearn.compose.ColumnTransformer : Transformers of your choice for the columns.
    sklearn.preprocessing.TargetEncoder : The mean targets of categories alone.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn.tabular import TableEncoder
    >>> table = pd.DataFrame(
    ...     {
    ...         "size": [1.0, 2.0, None, 4.0],
    ...         "color": ["red", "blue", "red", None],
    ...     }
    ... )
    >>> encoder = TableEncoder(numeric="robust").set_output(transform="pandas")
    >>> encoder.fit_transform(table).round(1)
       size  size_missing  color_red  color_blue
    0  -1.1          -1.0        0.5         0.0
    1  -0.2          -1.0       -0.5         2.4
    2   0.2           1.0        0.5         0.0
    3   1.6          -1.0       -0.5         0.0
    """

    n_features_in_: int
    feature_names_in_: Array
    n_features_out_: int
    origins_: Array
    _private = ("_columns", "_steps")
    _constraints: ClassVar[dict[str, list[Constraint]]] = {
        "numeric": [
            OneOf(NUMERIC),
            Check(
                lambda value: (
                    isinstance(value, (tuple, list))
                    and all(each in NUMERIC for each in value)
                    and 0 < len(set(value)) == len(value)
                ),
                "a sequence of different ones of them",
            ),
        ],
        "n_bins": [Interval(Integral, 2, None)],
        "n_frequencies": [Interval(Integral, 1, None)],
        "max_categories": [Interval(Integral, 1, None)],
        "min_target_categories": [Check(lambda v: v is None, "None"), Interval(Integral, 1, None)],
        "max_width": [Interval(Integral, 1, None)],
        "random_state": [RANDOM_STATE],
    }

    def __init__(
        self,
        categorical_features: CategoricalFeatures = "from_dtype",
        *,
        numeric: NumericName | Sequence[NumericName] = ("robust", "piecewise_linear"),
        n_bins: int = 32,
        n_frequencies: int = 12,
        max_categories: int = 100,
        min_target_categories: int | None = 9,
        max_width: int = 2048,
        random_state: RandomState | None = None,
    ) -> None:
        self.categorical_features = categorical_features
        self.numeric = numeric
        self.n_bins = n_bins
        self.n_frequencies = n_frequencies
        self.max_categories = max_categories
        self.min_target_categories = min_target_categories
        self.max_width = max_width
        self.random_state = random_state

    if TYPE_CHECKING:

        def set_output(
            self, *, transform: Literal["default", "pandas", "polars"] | None = None
        ) -> Self: ...

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn what the columns hold.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The table. Of one in files that takes more than its `memory` a sample is looked at.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            The targets; without them categories have no mean targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, for the mean targets.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        if isinstance(X, StoredRows) and not fits(X):
            rows = choose_sample(X)
            y = None if y is None else np.asarray(y)[rows]
            if np.ndim(sample_weight):
                sample_weight = np.asarray(sample_weight)[rows]
            X = read_sample(X)
        self.fit_transform(X, y, sample_weight)
        return self

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Learn what the columns hold, and encode the training rows.

        With targets it differs from ``fit(X, y).transform(X)``: of the mean targets a row sees
        those of other rows only, as in :class:`sklearn.preprocessing.TargetEncoder`.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            See `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_targets), default=None
            See `fit`.
        sample_weight : array-like of shape (n_samples,), default=None
            See `fit`.

        Returns
        -------
        ndarray of float32, shape (n_samples, n_features_out)
            Or what ``set_output`` asks for.
        """
        check_parameters(self, self._constraints)
        rng = make_random_state(self.random_state)
        columns = Columns(X, self.categorical_features, type(self).__name__)
        table = columns.read(X)
        targets = None if y is None else as_targets(y)
        if targets is not None and len(targets) != len(table):
            raise ValueError(f"X has {len(table)} rows and y has {len(targets)}; they must agree.")
        folds = draw_folds(len(table), rng)
        weight = check_sample_weight(sample_weight, table.numbers)
        return self.learn(columns, table, targets, weight, folds, rng)

    def learn(
        self,
        columns: Columns,
        table: Table,
        targets: Array | None,
        weight: Array | None,
        folds: list[Array],
        rng: np.random.RandomState,
    ) -> Array:
        """Learn from a table that has been read; return its rows, encoded.

        Parameters
        ----------
        columns : Columns
            What the columns of the table hold.
        table : Table
            The training rows.
        targets : ndarray of shape (n_samples, n_targets) or None
            Numbers whose means categories become; None uses none.
        weight : ndarray of shape (n_samples,) or None
            Weights of the rows; None weighs all alike.
        folds : list of ndarray of int
            Rows whose targets are kept from each other.
        rng : RandomState
            Draws the waves.

        Returns
        -------
        ndarray of float32, shape (n_samples, n_features_out)
            The rows as numbers.
        """
        note_features(self, columns)
        self._columns = columns
        self._find_limits(table.numbers)
        table = self._bounded(table)
        self._room = self.max_width - self._least_width(table, targets)
        pairs = [*self._of_numbers(table, rng), *self._of_categories(table, targets, weight, folds)]
        self._steps, start = [], 0
        for encoding, is_of_numbers, chosen in pairs:
            stop = start + len(encoding.names)
            self._steps.append(Step(encoding, is_of_numbers, chosen, start, stop))
            start = stop
        self.n_features_out_ = start
        self.origins_ = np.array(
            [origin for step in self._steps for origin in step.encoding.origins], dtype=np.intp
        )
        encoded = self._encode(table)
        for step in self._steps:
            if isinstance(step.encoding, TargetMeans):
                step.encoding.encode_training_rows(encoded[:, step.out])
        return encoded

    def transform(self, X: Any) -> Any:
        """Encode rows of a table with the same columns.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The table; named columns may come in another order.

        Returns
        -------
        ndarray of float32, shape (n_samples, n_features_out)
            Or what ``set_output`` asks for.
        """
        check_is_fitted(self)
        if isinstance(X, StoredRows):
            return say_in_order(self._transform_stored, X, axis=0)
        return self.encode(self._columns.read(X))

    def _transform_stored(self, data: Any) -> Array:
        return np.concatenate([self.encode(table) for table in read_tables(self._columns, data)])

    def encode(self, table: Table) -> Array:
        """Return the rows of a table that has been read, encoded.

        Parameters
        ----------
        table : Table
            Of the columns of fit.

        Returns
        -------
        ndarray of float32, shape (n_samples, n_features_out)
            The rows as numbers.
        """
        return self._encode(self._bounded(table))

    def slopes(self, X: Any) -> Array:
        """Return how each column of the result changes with the number that it comes from.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_columns)
            The table.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            NaN where there is no derivative: of categories, dates and times, and where a number is
            missing.
        """
        check_is_fitted(self)
        return self.slopes_of(self._columns.read(X))

    def slopes_of(self, table: Table) -> Array:
        """Return the slopes of a table that has been read.

        Parameters
        ----------
        table : Table
            Of the columns of fit.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            As `slopes` returns them.
        """
        table = self._bounded(table)
        parts = [np.empty((len(table), 0))]  # where no column varies there are no others
        for step in self._steps:
            values = table.numbers if step.is_of_numbers else table.codes
            with np.errstate(over="ignore"):  # far out the slope is 0
                parts.append(step.encoding.slopes(values[:, step.columns]))
        found = np.concatenate(parts, axis=1)
        kinds = list(self._columns.kinds.values())
        found[:, [kinds[origin] != NUMBER for origin in self.origins_]] = np.nan
        return found

    def about_category(self, place: int) -> tuple[int, str, int]:
        """Return how many categories a column of codes has, its name and its place in the table.

        Parameters
        ----------
        place : int
            The column's place among the columns of codes.

        Returns
        -------
        n_categories : int
            How many there are.
        name : str
            The name of the column.
        column : int
            Its place in the table.
        """
        columns = self._columns
        origin = columns.category_origins[place]
        return len(columns.levels[place]), columns.category_names[place], origin

    def encodings(self) -> list[Encoding]:
        """Return the encodings whose results lie one after the other.

        Returns
        -------
        list of Encoding
            In the order of the result's columns.
        """
        return [step.encoding for step in self._steps]

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Return what the columns of the result are called.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Ignored but for a check: the names are those of fit.

        Returns
        -------
        ndarray of str, shape (n_features_out,)
            The name of the column, and what it has become.
        """
        check_is_fitted(self)
        if input_features is not None:
            known = self._columns.names
            given = list(input_features)
            if len(given) != len(known):
                raise ValueError(
                    f"input_features should have length equal to number of features "
                    f"({len(known)}), got {len(given)}"
                )
            if hasattr(self, "feature_names_in_") and given != known:
                raise ValueError("input_features is not equal to feature_names_in_")
        names = [name for step in self._steps for name in step.encoding.names]
        return np.asarray(_made_unique(names), dtype=object)

    def _encode(self, table: Table) -> Array:
        out = np.empty((len(table), self.n_features_out_), np.float32)
        for start in range(0, len(table), CHUNK):
            rows = slice(start, start + CHUNK)
            for step in self._steps:
                values = table.numbers if step.is_of_numbers else table.codes
                step.encoding.encode(values[rows, step.columns], out[rows, step.out])
        return out

    # What the numbers may be: an infinite one is as far as the farthest.

    def _find_limits(self, numbers: Array) -> None:
        finite = np.where(np.isfinite(numbers), numbers, np.nan)
        empty = np.isnan(finite).all(axis=0)
        finite[:, empty] = 0
        self._lowest, self._highest = np.nanmin(finite, axis=0), np.nanmax(finite, axis=0)

    def _bounded(self, table: Table) -> Table:
        numbers = table.numbers
        if np.isinf(numbers).any():
            numbers = np.where(np.isposinf(numbers), self._highest, numbers)
            numbers = np.where(np.isneginf(numbers), self._lowest, numbers)
        return Table(numbers, table.codes)

    # The encodings.

    def _of_numbers(
        self, table: Table, rng: np.random.RandomState
    ) -> Iterator[tuple[Encoding, bool, Any]]:
        """Yield the encodings of numbers and which numbers they take."""
        kinds = (self.numeric,) if isinstance(self.numeric, str) else self.numeric
        names, origins = self._columns.number_names, self._columns.number_origins
        varies = self._highest > self._lowest
        edges = self._choose_edges(table, varies) if "piecewise_linear" in kinds else {}
        varying = np.flatnonzero(varies)
        n_waves = self._fitting(self.n_frequencies, varying.size) if "fourier" in kinds else 0
        is_plain = varies & ("robust" in kinds or n_waves == 0)
        if "robust" not in kinds:
            is_plain[[*edges]] = False
        plain = np.flatnonzero(is_plain)
        if plain.size:
            yield _robust(table.numbers[:, plain], names, origins, plain), True, plain
        has_gaps = np.isnan(table.numbers).any(axis=0) & ~np.isnan(table.numbers).all(axis=0)
        gaps = np.flatnonzero(has_gaps)
        gaps = gaps[np.unique(np.asarray(origins, dtype=int)[gaps], return_index=True)[1]]
        if gaps.size:
            yield Missing([names[j] for j in gaps], [origins[j] for j in gaps]), True, gaps
        for j, column_edges in edges.items():
            column = table.numbers[:, j]
            yield Bins(column, column_edges, names[j], origins[j]), True, [j]
        if varying.size and n_waves:
            robust = _robust(table.numbers[:, varying], names, origins, varying)
            yield Waves(robust, n_waves, 0.1, rng), True, varying

    def _least_width(self, table: Table, targets: Array | None) -> int:
        """Return the columns of the result beside bins, waves and further categories."""
        n_varying = int((self._highest > self._lowest).sum())
        gaps = np.isnan(table.numbers).any(axis=0)
        n_gaps = len({self._columns.number_origins[j] for j in np.flatnonzero(gaps)})
        n_means = 0
        if targets is not None and self.min_target_categories is not None:
            many = [len(levels) >= self.min_target_categories for levels in self._columns.levels]
            n_means = sum(many) * targets.shape[1]
        return n_varying + n_gaps + len(self._columns.levels) + n_means

    def _choose_edges(self, table: Table, varies: Array) -> dict[int, Array]:
        """Return the edges of the bins of those numbers for which they help."""
        chosen = np.flatnonzero(varies)
        n_bins = self._fitting(self.n_bins, chosen.size)
        if n_bins < MIN_BINS:
            return {}
        edges = {int(j): choose_edges(table.numbers[:, j], n_bins) for j in chosen}
        return {j: found for j, found in edges.items() if len(found) > MIN_BINS}

    def _fitting(self, n_wanted: int, n_columns: int) -> int:
        """Return how many columns of the result each of some columns may have."""
        n_chosen = max(0, min(n_wanted, self._room // max(1, n_columns)))
        self._room -= n_chosen * n_columns
        return n_chosen

    def _of_categories(
        self, table: Table, targets: Array | None, weight: Array | None, folds: list[Array]
    ) -> Iterator[tuple[Encoding, bool, Any]]:
        columns = self._columns
        n_kept = 1 + max(0, self._fitting(self.max_categories - 1, len(columns.category_names)))
        for k, (name, origin, levels) in enumerate(
            zip(columns.category_names, columns.category_origins, columns.levels, strict=True)
        ):
            codes = table.codes[:, k]
            has_gaps = bool((codes < 0).any())
            if len(levels) + has_gaps < 2:
                continue
            yield OneHot(codes, levels, n_kept, name, origin), False, [k]
            least = self.min_target_categories
            if targets is not None and least is not None and len(levels) >= least:
                known = targets, weight, folds, name, origin
                yield TargetMeans(codes, len(levels), *known), False, [k]

    def __sklearn_tags__(self) -> Any:
        tags = take_tables(super().__sklearn_tags__())
        tags.transformer_tags.preserves_dtype = []
        return tags


def _robust(numbers: Array, names: list[str], origins: list[int], chosen: Array) -> Robust:
    return Robust(numbers, [names[j] for j in chosen], [origins[j] for j in chosen])


def _made_unique(names: list[str]) -> list[str]:
    """Return names with a number behind those that have occurred before."""
    seen: set[str] = set(names) if len(set(names)) < len(names) else set()
    if not seen:
        return names
    result: list[str] = []
    used: set[str] = set()
    for name in names:
        unique, k = name, 2
        while unique in used or (unique != name and unique in seen):
            unique, k = f"{name}_{k}", k + 1
        used.add(unique)
        result.append(unique)
    return result


def as_targets(y: Any) -> Array:
    """Return targets as numbers of which means can be taken: (n_samples, n_targets), in float64.

    Classes become a column each, but for the first. Whole numbers are classes unless they are more
    than `MAX_CLASSES`.
    """
    y = y.toarray() if sp.issparse(y) else np.asarray(y)
    if y.ndim == 0:
        raise ValueError(f"y must be an array of one or more targets for each row; got {y!r}.")
    if y.dtype == object:
        y = pd.DataFrame(y).infer_objects().to_numpy().reshape(y.shape)
    if y.ndim > 1 and y.dtype.kind not in "biuf":
        return np.concatenate([as_targets(column) for column in y.T], axis=1)
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity.")
    with np.errstate(invalid="ignore"):  # it tries whether huge numbers are ints
        kind = type_of_target(y)
    if kind.startswith("continuous") or y.ndim > 1:
        return y.reshape(len(y), -1).astype(np.float64)
    classes, codes = np.unique(column_or_1d(y), return_inverse=True)
    if len(classes) > MAX_CLASSES and y.dtype.kind in "iuf":
        return y.reshape(-1, 1).astype(np.float64)
    return (codes[:, np.newaxis] == np.arange(1, max(2, len(classes)))).astype(np.float64)
