"""Intervals and sets with a guarantee, from what networks say of rows that they have not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._math import Array, order_of, spread_rows
from sknn.plain import kept
from sknn.tabular.ensemble import Ensemble, Judges

MAX_ROWS = 10_000
"""So many of the training rows' misses are kept at most, evenly spread over their order."""

ROUNDING = 1e-9
"""By how much a rank may miss a whole number and be it."""

MAX_CELLS = 4_000_000
"""So many numbers are sorted at a time."""


@kept
@dataclass(frozen=True)
class Misses:
    """By how much networks have missed the training rows that they had not seen.

    Attributes
    ----------
    judges : list
        The networks that rows have in common.
    values : list of ndarray of shape (n_outputs, n_rows)
        Their misses: with numbers y minus the prediction, in the order of its absolute value for
        each output; with classes 1 minus the probability of the true one, sorted.
    n_rows : int
        How many training rows there are in all.
    """

    judges: list[Judges]
    values: list[Array]
    n_rows: int

    @classmethod
    def of(cls, ensemble: Ensemble, misses: Array) -> Misses:
        """Return the misses of an ensemble.

        Parameters
        ----------
        ensemble : Ensemble
        misses : ndarray of shape (n_outputs, n_samples)
            NaN where no network has been kept from a row.
        """
        groups: dict[Judges, list[int]] = {}
        for row, those in enumerate(ensemble.judges(misses.shape[1])):
            if all(those) and np.isfinite(misses[:, row]).all():
                groups.setdefault(those, []).append(row)
        n_rows = sum(map(len, groups.values()))
        values = []
        for rows in groups.values():
            found = misses[:, rows]
            ordered = np.take_along_axis(found, np.abs(found).argsort(axis=1), 1)
            n_kept = max(1, math.ceil(len(rows) * min(1.0, MAX_ROWS / n_rows)))
            values.append(ordered[:, spread_rows(len(rows), n_kept)])
        return cls(list(groups), values, n_rows)

    def predictions(self, answers: list[Array]) -> Array:
        """Return what the networks say that groups of rows have in common.

        Parameters
        ----------
        answers : list of ndarray of shape (n_members, n_raw, n_samples)
            One for each kind.

        Returns
        -------
        ndarray of shape (n_groups, n_raw, n_samples)
        """
        return np.stack(
            [
                sum(a[list(m)].mean(axis=0) for a, m in zip(answers, those, strict=True))
                for those in self.judges
            ]
        )


def intervals(ensemble: Ensemble, misses: Misses, X: Any, confidence: float) -> Array:
    r"""Return CV+ intervals: shape (n_samples, n_outputs, 2).

    With :math:`\mu_{-i}` the networks that have not seen training row i, and :math:`R_i = |y_i -
    \mu_{-i}(x_i)|`, the ends for a row x are the quantiles of

    .. math:: \{\mu_{-i}(x) - R_i\}, \quad \{\mu_{-i}(x) + R_i\}

    at the ranks :math:`\lfloor \alpha (n + 1) \rfloor` and :math:`\lceil (1 - \alpha) (n + 1)
    \rceil`; without an end if there is no such rank.

    References
    ----------
    Barber, R. F. et al., "Predictive inference with the jackknife+", Annals of Statistics 49
    (2021).
    """
    n = sum(values.shape[1] for values in misses.values)
    rank = math.ceil(confidence * (n + 1) - ROUNDING)
    if rank > n:  # so few rows say nothing of so rare cases
        n_new = sum(answers[0].shape[2] for answers in ensemble.by_member(X))
        n_outputs = misses.values[0].shape[0]
        return np.tile([-np.inf, np.inf], (n_new, n_outputs, 1))
    low, high = n - rank, rank - 1
    distances = [np.abs(values) for values in misses.values]
    parts = []
    for answers in ensemble.by_member(X):
        for start in range(0, max(1, answers[0].shape[2]), chunk := max(1, MAX_CELLS // n)):
            rows = slice(start, start + chunk)
            means = misses.predictions([a[..., rows] for a in answers])
            ends = []
            for sign, rank in ((-1, low), (1, high)):
                pairs = zip(means, distances, strict=True)
                all_ends = np.concatenate(
                    [m[..., np.newaxis] + sign * d[:, np.newaxis] for m, d in pairs], axis=-1
                )
                ends.append(np.partition(all_ends, rank, axis=-1)[..., rank])
            parts.append(np.stack(ends, axis=-1).transpose(1, 0, 2))
    # At a low confidence they may lie the other way round.
    return np.sort(np.concatenate(parts), axis=-1)


def means_and_deviations(ensemble: Ensemble, misses: Misses, X: Any) -> tuple[Array, Array]:
    r"""Return the answer, and standard deviations of what may be observed.

    Both have the shape (n_outputs, n_samples), and the networks are asked once.

    .. math:: \sigma^2(x) = \frac{1}{n} \sum_i (\mu_{-i}(x) + r_i - \mu(x))^2

    with the misses :math:`r_i = y_i - \mu_{-i}(x_i)`: the noise and what networks disagree about.
    """
    shares = np.array([values.shape[1] for values in misses.values], np.float64)
    shares /= shares.sum()
    order = order_of(np.concatenate(misses.values, axis=1), axis=1)[:, np.newaxis]
    missed = [np.ldexp(values, -order) for values in misses.values]
    bias = np.stack([values.mean(axis=1) for values in missed])[..., np.newaxis]
    noise = np.stack([(values**2).mean(axis=1) for values in missed])[..., np.newaxis]
    means, variances = [], []
    for answers in ensemble.by_member(X):
        whole = np.asarray(sum(a.mean(axis=0) for a in answers))
        apart = np.ldexp(misses.predictions(answers) - whole, -order)
        means.append(whole)
        variances.append(np.tensordot(shares, apart**2 + 2 * apart * bias + noise, 1))
    variance = np.concatenate(variances, axis=1)
    return np.concatenate(means, axis=1), np.ldexp(np.sqrt(np.maximum(variance, 0)), order)


def prediction_sets(ensemble: Ensemble, misses: Misses, X: Any, confidence: float) -> Array:
    r"""Return which classes are in the CV+ set of each row: (n_samples, n_classes), bool.

    With the misses :math:`s_i = 1 - p_{-i}(y_i | x_i)` class k is in the set of x if

    .. math:: \sum_i [s_i < 1 - p_{-i}(k | x)] < (1 - \alpha) (n + 1)

    The most probable class always is.

    References
    ----------
    Romano, Y., Sesia, M. and Candès, E. J., "Classification with valid and adaptive coverage",
    NeurIPS 2020 (section 2.3), with the score of

    Sadinle, M., Lei, J. and Wasserman, L., "Least ambiguous set-valued classifiers with bounded
    error levels", Journal of the American Statistical Association 114 (2019).
    """
    n = sum(values.shape[1] for values in misses.values)
    parts = []
    for answers in ensemble.by_member(X):
        p = both_sides(misses.predictions(answers))
        n_smaller = sum(
            np.searchsorted(values[0], 1 - of_group, side="left")
            for of_group, values in zip(p, misses.values, strict=True)
        )
        chosen = n_smaller < confidence * (n + 1) - ROUNDING
        whole = both_sides(np.asarray(sum(a.mean(axis=0) for a in answers)))
        chosen[whole.argmax(axis=0), np.arange(chosen.shape[1])] = True
        parts.append(chosen.T)
    return np.concatenate(parts)


def both_sides(p: Array) -> Array:
    """Return the probabilities of both classes where those of one are given."""
    if p.shape[-2] > 1:
        return p
    return np.concatenate([1 - p, p], axis=-2)
