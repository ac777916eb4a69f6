"""How columns become inputs of a network: numbers in three ways, categories in two."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeAlias

import numpy as np
from sklearn.model_selection import KFold

from sknn._math import Array, order_of
from sknn.layers import find_edges
from sknn.plain import kept

NumericName: TypeAlias = Literal["robust", "piecewise_linear", "fourier"]
"""What numbers may become."""

SOFT_RANGE = 3.0
"""Robustly scaled values stay within plus and minus this."""

FAR = 1e100
"""Scaled values beyond this are as far; their squares are still numbers."""

MIN_ROWS_PER_BIN = 20
"""Rows beside the most common value that a bin should have."""

SMOOTHING = 10.0
"""So many rows with the mean of all are added to those of each category."""

CROSS_FITTING = 5
"""Folds in which targets are kept from each other's rows."""

LEAST_SPREAD = 0.1
"""Mean targets that spread less within a fold than this share of those of all say nothing."""

TINY = np.finfo(np.float64).tiny


class Encoding(ABC):
    """What one or more columns become; learnt on training rows.

    Attributes
    ----------
    names : list of str
        What the columns of the result are called.
    origins : list of int
        The places of the table's columns that they come from.
    """

    names: list[str]
    origins: list[int]

    @abstractmethod
    def encode(self, values: Array, out: Array) -> None:
        """Write what columns become.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            Numbers with gaps, or codes of categories.
        out : ndarray of shape (n_samples, len(names))
        """

    def slopes(self, values: Array) -> Array:
        """Return how each column of the result changes with what it comes from.

        NaN where there is no derivative: of categories, and where a number is missing.
        """
        return np.full((len(values), len(self.names)), np.nan)


@kept
class Robust(Encoding):
    r"""Numbers on a common scale, with ends that are drawn in.

    .. math:: r = \frac{z}{\sqrt{1 + (z / 3)^2}}, \qquad z = \frac{x - q_2}{q_3 - q_1}

    with the quartiles q. If the outer ones are equal, half of the range takes the place of their
    distance. Missing values become the mean.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples, n_columns)
        The training rows.
    names, origins
        Those of the columns.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.
    """

    def __init__(self, numbers: Array, names: list[str], origins: list[int]) -> None:
        self.names, self.origins = list(names), list(origins)
        self._mean = np.nan_to_num(_ignoring_gaps(np.nanmean, numbers))
        filled = np.where(np.isnan(numbers), self._mean, numbers)
        low, self._median, high = np.quantile(filled, [0.25, 0.5, 0.75], axis=0)
        spread = high - low
        half_range = filled.max(axis=0) / 2 - filled.min(axis=0) / 2
        spread = np.where(spread > 0, spread, half_range)
        self._factor = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0)

    def encode(self, values: Array, out: Array) -> None:
        z = np.where(np.isnan(values), self._mean, values)
        with np.errstate(over="ignore"):
            z -= self._median
            z *= self._factor
        np.clip(z, -FAR, FAR, out=z)
        out[...] = z / np.sqrt(1 + (z / SOFT_RANGE) ** 2)

    def slopes(self, values: Array) -> Array:
        z = np.clip((values - self._median) * self._factor, -FAR, FAR)
        return np.asarray(self._factor * (1 + (z / SOFT_RANGE) ** 2) ** -1.5)


@kept
class Missing(Encoding):
    """Whether a number is missing: 1 or -1.

    Parameters
    ----------
    names, origins
        Those of the columns.
    """

    def __init__(self, names: list[str], origins: list[int]) -> None:
        self.names, self.origins = [f"{name}_missing" for name in names], list(origins)

    def encode(self, values: Array, out: Array) -> None:
        out[...] = np.where(np.isnan(values), 1, -1)

    def slopes(self, values: Array) -> Array:
        return np.where(np.isnan(values), np.nan, 0.0)


@kept
class Bins(Encoding):
    r"""How much of each of some bins a number has passed: a piecewise linear encoding.

    .. math:: 2 \Big( \min\Big(\max\Big(\frac{x - e_t}{e_{t+1} - e_t}, 0\Big), 1\Big) - m_t \Big)

    with the edges e and the mean m over the training rows. A number that is missing has passed
    none; if no training row lacks one, all that is known is the mean.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples,)
        The training rows.
    edges : ndarray of shape (n_bins + 1,)
        Rising.
    name, origin
        Those of the column.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A., "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022.
    """

    def __init__(self, numbers: Array, edges: Array, name: str, origin: int) -> None:
        n_bins = len(edges) - 1
        self.names, self.origins = [f"{name}_bin{t}" for t in range(n_bins)], [origin] * n_bins
        self._edges, self._steepness = edges[:-1], 1 / np.diff(edges)
        self._has_gaps = bool(np.isnan(numbers).any())
        self._mean = self._passed(numbers).mean(axis=0)

    def encode(self, values: Array, out: Array) -> None:
        np.multiply(2, self._passed(values[:, 0]) - self._mean, out=out, casting="same_kind")
        if not self._has_gaps:
            out[np.isnan(values[:, 0])] = 0

    def slopes(self, values: Array) -> Array:
        # On an edge it is the mean of both sides.
        shares = (values - self._edges) * self._steepness
        is_within = (np.sign(shares) - np.sign(shares - 1)) / 2
        return np.where(np.isnan(values), np.nan, 2 * is_within * self._steepness)

    def _passed(self, numbers: Array) -> Array:
        with np.errstate(over="ignore"):
            shares = (numbers[:, np.newaxis] - self._edges) * self._steepness
        return np.clip(np.nan_to_num(shares, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)


def choose_edges(numbers: Array, n_bins: int) -> Array:
    """Return the edges of the bins of a column; fewer than three say that bins would not help.

    They are quantiles, or all values where there are no more. A value that more than two bins'
    share of the rows have has an edge of its own, and the other rows make up the bins.

    Parameters
    ----------
    numbers : ndarray of shape (n_samples,)
    n_bins : int
        At most.
    """
    known = numbers[np.isfinite(numbers)]
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) <= n_bins + 1:
        return distinct
    mode = distinct[counts.argmax()]
    if counts.max() <= 2 / n_bins * len(known):
        return find_edges(known, n_bins)
    others = known[known != mode]
    n_bins = max(1, min(n_bins - 1, len(others) // MIN_ROWS_PER_BIN))  # the mode makes one more
    return np.union1d(find_edges(others, n_bins), [mode, distinct[0], distinct[-1]])


@kept
class Waves(Encoding):
    r"""Random waves of robustly scaled numbers: :math:`\cos(2 \pi w r + b)`.

    Parameters
    ----------
    robust : Robust
    n_frequencies : int
        Waves for each column.
    deviation : float
        The standard deviation of the frequencies w.
    rng : RandomState

    References
    ----------
    Rahimi, A. and Recht, B., "Random features for large-scale kernel machines", NeurIPS 2007.
    """

    def __init__(
        self, robust: Robust, n_frequencies: int, deviation: float, rng: np.random.RandomState
    ) -> None:
        self._robust = robust
        shape = (len(robust.names), n_frequencies)
        self.names = [f"{name}_wave{k}" for name in robust.names for k in range(n_frequencies)]
        self.origins = np.repeat(robust.origins, n_frequencies).tolist()
        self._frequency = 2 * np.pi * rng.normal(0, deviation, shape)
        self._phase = rng.uniform(-np.pi, np.pi, shape)

    def encode(self, values: Array, out: Array) -> None:
        scaled = np.empty(values.shape)
        self._robust.encode(values, scaled)
        waves = np.cos(scaled[..., np.newaxis] * self._frequency + self._phase)
        out[...] = waves.reshape(len(values), -1)

    def slopes(self, values: Array) -> Array:
        scaled = np.empty(values.shape)
        self._robust.encode(values, scaled)
        waves = -np.sin(scaled[..., np.newaxis] * self._frequency + self._phase) * self._frequency
        waves *= self._robust.slopes(values)[..., np.newaxis]
        return waves.reshape(len(values), -1)


@kept
class OneHot(Encoding):
    """A column for each of the commonest categories, on the scale of `Robust`.

    Two categories without gaps need one column, of 1 and -1. Where a category is rare, missing or
    new, all columns say no.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        The training rows.
    levels : sequence
        The categories, the commonest first.
    max_categories : int
        Columns at most.
    name, origin
        Those of the column.
    """

    def __init__(
        self, codes: Array, levels: Any, max_categories: int, name: str, origin: int
    ) -> None:
        self._is_pair = len(levels) == 2 and codes.min() >= 0
        kept = list(levels)[: 1 if self._is_pair else max_categories]
        self.names, self.origins = [f"{name}_{level}" for level in kept], [origin] * len(kept)
        if not self._is_pair:
            self._robust = Robust(self._indicate(codes), self.names, self.origins)

    def encode(self, values: Array, out: Array) -> None:
        codes = values[:, 0]
        if self._is_pair:
            out[:, 0] = np.choose(codes + 1, [0, 1, -1])
        else:
            self._robust.encode(self._indicate(codes), out)

    def _indicate(self, codes: Array) -> Array:
        return (codes[:, np.newaxis] == np.arange(len(self.names))).astype(np.float64)


@kept
class TargetMeans(Encoding):
    r"""The mean target of each category, drawn to the mean of all, and standardised.

    .. math:: \frac{\sum_i w_i y_i + 10 \bar y}{\sum_i w_i + 10}

    Training rows get the means of the other folds, so that no row sees its own target.

    Parameters
    ----------
    codes : ndarray of shape (n_samples,)
        The training rows.
    n_levels : int
    targets : ndarray of shape (n_samples, n_targets)
    weight : ndarray of shape (n_samples,) or None
    folds : list of ndarray of int
        Rows whose targets are kept from each other's; what is in none sees the means of all.
    name, origin
        Those of the column.

    References
    ----------
    Micci-Barreca, D., "A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems", SIGKDD Explorations 3 (2001).
    """

    def __init__(
        self,
        codes: Array,
        n_levels: int,
        targets: Array,
        weight: Array | None,
        folds: list[Array],
        name: str,
        origin: int,
    ) -> None:
        n_targets = targets.shape[1]
        self.names = [f"{name}_target{k}" for k in range(n_targets)]
        self.origins = [origin] * n_targets
        weight = np.ones(len(codes)) if weight is None else weight
        self._means = _means_by_level(codes, n_levels, targets, weight)
        fitted = self._means[codes]
        for rows in folds:
            others = np.ones(len(codes), bool)
            others[rows] = False
            if weight[others].any():
                part = codes[others], n_levels, targets[others], weight[others]
                fitted[rows] = _means_by_level(*part)[codes[rows]]
        self._center, spread = fitted.mean(axis=0), _deviations(fitted)
        # Where categories are nearly unique the other folds say nothing but their own mean.
        within = fitted - fitted.mean(axis=0)
        for rows in folds:
            within[rows] -= within[rows].mean(axis=0)
        self._factor = self._choose_factor(_deviations(within), spread)
        self._fitted = fitted

    @classmethod
    def of_sums(
        cls, counts: Array, weights: Array, sums: Array, name: str, origin: int
    ) -> tuple[TargetMeans, Array]:
        """Return the encoding, and what training rows become, (n_folds, n_levels + 1, n_targets).

        Parameters
        ----------
        counts, weights : ndarray of shape (n_folds, n_levels + 1)
            How many rows of a fold have a category, and what they weigh; the last is for what is
            missing.
        sums : ndarray of shape (n_targets, n_folds, n_levels + 1)
            Of their targets times their weights.
        name, origin
            Those of the column.
        """
        own = object.__new__(cls)
        n_targets = len(sums)
        own.names = [f"{name}_target{k}" for k in range(n_targets)]
        own.origins = [origin] * n_targets
        sums = np.moveaxis(sums, 0, -1)
        own._means = _drawn_together(sums.sum(axis=0), weights.sum(axis=0))
        fitted = np.empty(sums.shape)
        for fold in range(len(counts)):
            others = np.delete(sums, fold, 0).sum(axis=0), np.delete(weights, fold, 0).sum(axis=0)
            fitted[fold] = _drawn_together(*others) if others[1].any() else own._means
        order = order_of(fitted.reshape(-1, n_targets), axis=0)
        scaled, share = np.ldexp(fitted, -order), (counts / counts.sum())[..., np.newaxis]
        center = (share * scaled).sum(axis=(0, 1))
        spread = np.sqrt((share * (scaled - center) ** 2).sum(axis=(0, 1)))
        of_folds = (share * scaled).sum(axis=1) / np.maximum(share.sum(axis=1), TINY)
        within = np.sqrt((share * (scaled - of_folds[:, np.newaxis]) ** 2).sum(axis=(0, 1)))
        own._center, spread, within = (np.ldexp(n, order) for n in (center, spread, within))
        own._factor = own._choose_factor(within, spread)
        return own, (fitted - own._center) * own._factor

    def _choose_factor(self, within: Array, spread: Array) -> Array:
        """Return what standardises means that spread so much, within folds and in all."""
        says_something = within > LEAST_SPREAD * _deviations(self._means)
        return np.where(says_something, 1 / np.where(says_something, spread, 1), 0)

    def encode(self, values: Array, out: Array) -> None:
        out[...] = (self._means[values[:, 0]] - self._center) * self._factor

    def encode_training_rows(self, out: Array) -> None:
        """Write what the training rows become, and forget them."""
        out[...] = (self._fitted - self._center) * self._factor
        del self._fitted


def draw_folds(n_rows: int, rng: np.random.RandomState) -> list[Array]:
    """Return the rows of each of some folds, in which targets are kept from each other's rows."""
    if n_rows < 2:
        return []
    splitter = KFold(min(CROSS_FITTING, n_rows), shuffle=True, random_state=rng)
    return [rows for _, rows in splitter.split(np.empty((n_rows, 0)))]


def _means_by_level(codes: Array, n_levels: int, targets: Array, weight: Array) -> Array:
    """Return the means of categories, (n_levels + 1, n_targets); the last is for what is missing.

    A code of -1 is an index to the last row: a missing category is one of its own.
    """
    overall = np.average(targets, axis=0, weights=weight)
    places = np.where(codes < 0, n_levels, codes)
    counts = np.bincount(places, weight, n_levels + 1)[:, np.newaxis]
    sums = np.stack(
        [np.bincount(places, weight * column, n_levels + 1) for column in targets.T], axis=1
    )
    return np.asarray((sums + SMOOTHING * overall) / (counts + SMOOTHING))


def _drawn_together(sums: Array, weights: Array) -> Array:
    """Return the means of categories from sums (n_levels + 1, n_targets) and what they weigh."""
    overall = sums.sum(axis=0) / weights.sum()
    return np.asarray((sums + SMOOTHING * overall) / (weights[:, np.newaxis] + SMOOTHING))


def _deviations(numbers: Array) -> Array:
    """Return the standard deviation of each column, also where squares would overflow."""
    order = order_of(numbers, axis=0)
    return np.asarray(np.ldexp(np.ldexp(numbers, -order).std(axis=0), order))


def _ignoring_gaps(function: Any, numbers: Array) -> Array:
    """Return what a function makes of columns of which some may have nothing but gaps."""
    out = np.full(numbers.shape[1], np.nan)
    some = ~np.isnan(numbers).all(axis=0)
    out[some] = function(numbers[:, some], axis=0)
    return out
