"""From Dask's collections to shards: parts of the rows that stay on the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd

from sknn._math import Array, spread_rows
from sknn.estimators.validation import check_sample_weight
from sknn.targets import Targets
from sknn.targets.kinds import kind_of, labels_of, refuse

FEW = 100
"""So many rows of a partition are looked at where targets are a matrix."""

MANY = 10_000
"""A column of targets with so many values in a partition has no labels."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Some of the rows.

    Attributes
    ----------
    number : int
    X : ndarray of shape (n_rows, n_features)
    encoded, y : ndarray of shape (n_rows, n_outputs)
        Encoded targets, and those as training uses them.
    given, weight : ndarray of shape (n_rows,) or None
        The weights that were given, and those times the weights of classes.
    train : ndarray of int, or None
        The rows that are trained on; None for all.
    held_out : ndarray of int
        The others.
    fingerprint : str
        Of the rows, their targets and weights; empty if nobody asks.
    """

    number: int
    X: Array
    encoded: Array
    y: Array
    given: Array | None
    weight: Array | None
    train: Array | None
    held_out: Array
    fingerprint: str

    def __setstate__(self, state: dict[str, Any]) -> None:
        # An array that has travelled may lie at any address, and each call that takes rows of such
        # a one would copy it whole.
        self.__dict__.update(
            {
                name: np.require(value, requirements=("C", "A"))
                if isinstance(value, np.ndarray)
                else value
                for name, value in state.items()
            }
        )

    @property
    def n_train(self) -> int:
        """The number of rows that are trained on."""
        return len(self.X) if self.train is None else len(self.train)

    def weight_of(self, rows: Array) -> float:
        """Return the weight of some rows."""
        return float(len(rows) if self.weight is None else self.weight[rows].sum(dtype=float))


class Summary(NamedTuple):
    """What is known of a shard where it is not.

    Attributes
    ----------
    n_train, n_held_out : int
    w_train, w_held_out : float
        The weights of these rows.
    X, y, given : ndarray, or None
        A few rows that are trained on, with encoded targets and the weights that were given.
    fingerprint : str
    """

    n_train: int
    n_held_out: int
    w_train: float
    w_held_out: float
    X: Array
    y: Array
    given: Array | None
    fingerprint: str


def summarize(shard: Shard, n_rows: int) -> Summary:
    """Return a summary of a shard with a few of its rows."""
    train = np.arange(len(shard.X)) if shard.train is None else shard.train
    rows = train[spread_rows(len(train), n_rows)]
    return Summary(
        n_train=len(train),
        n_held_out=len(shard.held_out),
        w_train=shard.weight_of(train),
        w_held_out=shard.weight_of(shard.held_out),
        X=shard.X[rows],
        y=shard.encoded[rows],
        given=None if shard.given is None else shard.given[rows],
        fingerprint=shard.fingerprint,
    )


class Survey(NamedTuple):
    """What a partition of y says.

    Attributes
    ----------
    n_rows : int
    labels : ndarray
        The labels that occur; of a matrix some rows that have them, of numbers nothing.
    weights : ndarray of shape (n_labels,)
        The weights of the rows of each label.
    total, sums : float, ndarray of shape (n_outputs,)
        The weight of all rows, and of numbers their sums.
    """

    n_rows: int
    labels: Array
    weights: Array
    total: float
    sums: Array


def survey(y: Any, weight: Any, are_numbers: bool) -> Survey:
    """Return what a partition of y says, in one pass."""
    values = as_targets(y)
    n_rows = len(values)
    weight = np.ones(n_rows) if weight is None else as_vector(weight).astype(np.float64)
    if len(weight) != n_rows:
        raise ValueError(
            f"A partition of sample_weight has {len(weight)} rows, and that of y {n_rows}: {REMEDY}"
        )
    nothing = np.empty(0)
    if are_numbers:
        if values.dtype.kind not in "biuf" and len(values):
            raise ValueError(
                f"y has values of {values.dtype}; a regressor needs numbers. Convert it before, "
                "such as with y.astype(float)."
            )
        matrix = np.asarray(values, np.float64)
        matrix = matrix[:, np.newaxis] if matrix.ndim == 1 else matrix
        return Survey(n_rows, nothing, nothing, float(weight.sum()), weight @ matrix)
    if values.ndim == 2:
        return Survey(n_rows, _some_rows(values), nothing, float(weight.sum()), nothing)
    if not n_rows:
        return Survey(0, values, nothing, 0.0, nothing)
    refuse(values, kind_of(values))
    labels = labels_of(values)
    weights = np.bincount(np.searchsorted(labels, values), weight, len(labels))
    return Survey(n_rows, labels, weights, float(weight.sum()), nothing)


def _some_rows(matrix: Array) -> Array:
    """Return some rows of targets, and the first one with each label that a column has."""
    rows = [np.arange(min(FEW, len(matrix)))]
    for column in matrix.T:
        found, first = np.unique(column, return_index=True)
        if len(found) < MANY:  # else they are numbers
            rows.append(first)
    return matrix[np.unique(np.concatenate(rows))]


MAX_PIECES = 4096
"""Into so many pieces partitions are cut at most, or each into one: a piece is a task of Dask's."""

REMEDY = (
    "X, y and sample_weight need partitions of the same rows. Take all of them from one DataFrame, "
    "or give arrays the chunks of X: y.rechunk(X.chunks[0]); after X.compute_chunk_sizes(), if "
    "these are not known."
)


class Piece(NamedTuple):
    """Rows of a partition that belong to a shard.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
    weight : ndarray of shape (n_rows,) or None
    """

    X: Array
    y: Array
    weight: Array | None


def make_piece(X: Any, y: Any, weight: Any, n_rows: int, rows: slice, dtype: Any) -> Piece:
    """Return some rows of a partition, which has so many by y."""
    if hasattr(X, "toarray") or not hasattr(X, "__array__"):
        raise TypeError(
            f"The partitions of X are of {type(X).__name__}; a DaskMLP* estimator needs arrays or "
            "DataFrames of numbers. Make sparse ones dense: X.map_blocks(lambda x: x.toarray())."
        )
    if len(X) != n_rows:
        raise ValueError(f"A partition of X has {len(X)} rows, and that of y {n_rows}: {REMEDY}")
    part = X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]
    weight = None if weight is None else as_vector(weight)[rows]
    return Piece(as_matrix(part, dtype), as_targets(y)[rows], weight)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How shards are made.

    Attributes
    ----------
    targets : Targets
        With the weights of classes.
    dtype : dtype
        Of X.
    held_out : float
        The share that is held out.
    seed : int
        Of the rows that are.
    has_fingerprint : bool
        Whether rows are told from others.
    """

    targets: Targets
    dtype: Any
    held_out: float
    seed: int
    has_fingerprint: bool


def make_shard(pieces: list[Piece], number: int, plan: Plan) -> Shard:
    """Return a shard of pieces of partitions."""
    X = np.concatenate([piece.X for piece in pieces])
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0].tolist()
        raise ValueError(
            f"Input X contains NaN, infinity or a value too large for {X.dtype}: in row {row} of "
            f"shard {number}, column {column}. Fill gaps before, for example with X.fillna(0)."
        )
    y, given = np.concatenate([piece.y for piece in pieces]), None
    if pieces[0].weight is not None:
        given = np.concatenate([piece.weight for piece in pieces if piece.weight is not None])
        given = check_sample_weight(given, X) if given.any() else given.astype(np.float64)
    plan.targets.check(y)
    encoded = plan.targets.encode(y)
    if encoded.dtype.kind == "f" and not np.isfinite(encoded).all():
        raise ValueError(f"Input y contains NaN or infinity, in shard {number}.")
    train, held_out = _split(len(X), number, plan)
    arrays = [X, encoded, given]
    return Shard(
        number=number,
        X=X,
        encoded=encoded,
        y=np.ascontiguousarray(plan.targets.for_training(encoded)),
        given=given,
        weight=_weigh(plan.targets, encoded, given),
        train=train,
        held_out=held_out,
        fingerprint=joblib.hash(arrays) if plan.has_fingerprint else "",
    )


def _weigh(targets: Any, encoded: Array, given: Array | None) -> Array | None:
    """Return weights times those of classes: all may be 0, as long as other shards have some."""
    factors, weight = getattr(targets, "factors", ()), given
    if factors:
        for factor, (_, codes) in zip(factors, targets.codes(encoded), strict=True):
            weight = factor[codes] if weight is None else weight.astype(np.float64) * factor[codes]
    return weight


def as_matrix(X: Any, dtype: Any) -> Array:
    """Return a partition of X as an array of numbers; gaps become NaN."""
    with np.errstate(over="ignore"):
        if not isinstance(X, pd.DataFrame):
            if X.dtype.kind == "c":
                raise ValueError("X has complex numbers; use X.real, X.imag or abs(X).")
            if X.dtype.kind not in "biufO":
                raise ValueError(f"X is {X.dtype}, not numbers. Encode it before.")
            return np.asarray(X, dtype)
        kinds = list(X.dtypes)  # names may occur twice
        for name, kind in zip(X.columns, kinds, strict=True):
            if not _is_number(kind):
                raise ValueError(
                    f"Column {name!r} of X is {kind}, not numbers. Leave it out, or encode it "
                    "before."
                )
        return X.to_numpy(dtype, na_value=np.nan)


def dtype_of(X: Any) -> Any:
    """Return what a network computes in that sees a collection, or a partition of it."""
    kinds = list(X.dtypes) if hasattr(X, "columns") else [X.dtype]
    is_single = all(getattr(kind, "itemsize", 8) <= 4 and kind.kind == "f" for kind in kinds)
    return np.dtype(np.float32 if is_single else np.float64)


def _is_number(kind: Any) -> bool:
    return bool(pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind))


def _split(n_rows: int, number: int, plan: Plan) -> tuple[Array | None, Array]:
    """Return the rows of a shard to train on, None for all, and those that are held out."""
    if not plan.held_out:
        return None, np.empty(0, np.intp)
    generator = np.random.Generator(np.random.PCG64((plan.seed, number)))
    n_held_out = min(n_rows - 1, max(1, round(plan.held_out * n_rows)))
    order = generator.permutation(n_rows)
    return np.sort(order[n_held_out:]), np.sort(order[:n_held_out])


def as_targets(y: Any) -> Array:
    """Return a partition of targets as an array."""
    values = np.asarray(y)
    if values.ndim not in (1, 2):
        raise ValueError(f"y must have one or two axes, not {values.ndim}: a column for a target.")
    if values.dtype.kind == "O" and pd.isna(values).any():
        raise ValueError(
            "Input y contains NaN, or None: there are rows without a target. Leave them out, for "
            "example with df.dropna(subset=[...]), before X and y are taken from df."
        )
    if values.dtype.kind == "O" and len(values) and not isinstance(values.flat[0], str):
        numbers = np.array(values.tolist())
        values = numbers if numbers.dtype.kind in "biuf" else values
    if values.dtype.kind in "UST":
        values = values.astype(object)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def as_vector(weight: Any) -> Array:
    """Return a partition of weights as an array."""
    values = np.asarray(weight)
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim != 1:
        raise ValueError(
            f"sample_weight has partitions of shape {values.shape}; it needs one axis, with a "
            "weight for each row."
        )
    return values


def deal(n_rows: list[int], n_shards: int) -> list[list[tuple[int, slice]]]:
    """Return for each shard the partitions that have rows of it, and which rows.

    The rows are dealt out like cards, so that shards are alike, and as equal as can be, however the
    rows are sorted and whatever the partitions are. Where that would take too many pieces, each
    partition is dealt to some of the shards only, in turn.
    """
    filled = [p for p, n in enumerate(n_rows) if n]
    most = min(n_shards, max(1, MAX_PIECES // len(filled)))
    hands: list[list[tuple[int, slice]]] = [[] for _ in range(n_shards)]
    counts, begin = np.zeros(n_shards, int), 0
    for p in filled:
        n_pieces = min(most, n_rows[p])
        if most == n_shards:
            places = (begin + np.arange(n_pieces)) % n_shards
        else:  # those that have the fewest rows
            places = np.argsort(counts, kind="stable")[:n_pieces]
        for start, number in enumerate(places.tolist()):
            hands[number].append((p, slice(start, None, n_pieces)))
            counts[number] += len(range(start, n_rows[p], n_pieces))
        begin += n_rows[p]
    return hands
