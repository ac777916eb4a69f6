"""How the answers of an ensemble's networks become one: weights and temperatures, out of fold."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar, nnls

from sknn._math import Array, order_of
from sknn.losses import Grouped, Loss
from sknn.plain import kept

N_EM_STEPS = 60
"""Steps of the expectation-maximisation that finds the weights of probabilities."""

COLDEST, HOTTEST = np.log(0.1), np.log(10)
"""Logarithms of the temperatures among which is searched."""

FEWEST = 1.2
"""With fewer kinds than these a line through one and all of them says nothing."""

LEAST_SHARE = 0.05
"""Kinds with a larger weight keep a column."""

TOLERANCE = 0.001
"""By which share of the loss it may grow for the sake of fewer columns."""

ROUNDING = 1e-10
"""What is added to the diagonal of squares, so that columns may be alike."""

MAX_ORDER = 500
"""The square of 2 to this power is a float."""

TINY = np.finfo(np.float64).tiny


@kept
@dataclass(frozen=True)
class Blend:
    """A weighted mean of answers.

    Attributes
    ----------
    weights : ndarray of shape (n_columns,)
        At least 0; their sum is 1.
    temperatures : ndarray of shape (n_columns,) or None
        By what raw scores are divided before they become probabilities; None for numbers.
    temperature, temperature_out_of_fold : float
        By what the logarithms of mean probabilities are divided: those of all networks, and those
        of the networks that have not seen a row.
    """

    weights: Array
    temperatures: Array | None = None
    temperature: float = 1.0
    temperature_out_of_fold: float = 1.0

    def over(self, usable: Array) -> Blend:
        """Return the blend of more columns, of which those that are usable are these."""
        weights, temperatures = np.zeros(len(usable)), None
        weights[usable] = self.weights
        if self.temperatures is not None:
            temperatures = np.ones(len(usable))
            temperatures[usable] = self.temperatures
        return replace(self, weights=weights, temperatures=temperatures)

    def answer(self, raw: Array, column: int, loss: Loss) -> Array:
        """Return what is averaged of a column: numbers as they are, or probabilities."""
        if self.temperatures is None:
            return raw
        return probabilities(raw.astype(np.float64) / self.temperatures[column], loss)


def blend_numbers(answers: Array, y: Array, weight: Array | None, kinds: Array) -> Blend:
    r"""Return the weights that make the mean of answers closest to the targets.

    Columns that can be done without get none, see `prune`.

    They solve :math:`\min_w \sum_i (y_i - \sum_c w_c f_{ic})^2` with :math:`w \ge 0, \sum_c w_c =
    1`. With :math:`w \ge 0` alone the solution of :math:`\min \lVert (F - y 1^\top) w \rVert^2 +
    (1 - \sum_c w_c)^2` is a multiple of it.

    Parameters
    ----------
    answers : ndarray of shape (n_columns, n_outputs, n_samples)
    y : ndarray of shape (n_outputs, n_samples)
    weight : ndarray of shape (n_samples,) or None
    kinds : ndarray of int, shape (n_columns,)
        The number of each column's kind of networks.

    References
    ----------
    Haskell, K. H. and Hanson, R. J., "An algorithm for linear least squares problems with equality
    and nonnegativity constraints", Mathematical Programming 21 (1981).
    """
    order = order_of(y, axis=1)[:, np.newaxis]
    y, answers = np.ldexp(y, -order), np.ldexp(answers, -order)
    mean = np.average(y, axis=1, weights=weight)[:, np.newaxis]
    spread = np.sqrt(np.average((y - mean) ** 2, axis=1, weights=weight))[:, np.newaxis]
    errors = (answers - y) / np.where(spread > 0, spread, np.ldexp(1.0, -order))
    if weight is not None:
        errors *= np.sqrt(weight / weight.mean())
    # The weights do not depend on their unit; squares of larger ones would overflow.
    errors = np.ldexp(errors, -max(0, order_of(errors) - MAX_ORDER))
    rows = errors.reshape(len(answers), -1)
    # As many numbers as there are pairs of columns, however many samples there are.
    squares = rows @ rows.T / rows.shape[1]

    def solve(kept: Array) -> tuple[Array, float]:
        n = len(kept)
        some = squares[np.ix_(kept, kept)]
        gram = some + np.ones((n, n))
        root = np.linalg.cholesky(gram + ROUNDING * np.trace(gram) * np.eye(n))
        weights, _ = nnls(root.T, np.linalg.solve(root, np.ones(n)))
        weights /= weights.sum()
        return weights, float(np.sqrt(max(weights @ some @ weights, 0.0)))

    return Blend(prune(solve, kinds))


def blend_classes(
    answers: Array,
    y: Array,
    weight: Array | None,
    loss: Loss,
    kinds: Array,
    n_members: float,
) -> Blend:
    r"""Return temperatures and weights under which the targets are most likely.

    Each column's temperature minimises its log loss. The weights of the mixture of calibrated
    probabilities are found by expectation-maximisation, :math:`w_c \leftarrow \overline{w_c p_{ic}
    / \sum_d w_d p_{id}}` with :math:`p_{ic}` the probability of the true class.

    Parameters
    ----------
    answers : ndarray of shape (n_columns, n_raw, n_samples)
        Raw scores.
    y : ndarray of bool, shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,) or None
    loss : Loss
    kinds : ndarray of int, shape (n_columns,)
        The number of each column's kind of networks.
    n_members : float
        How many networks of each kind an answer to a new row is the mean of.

    References
    ----------
    Guo, C. et al., "On calibration of modern neural networks", ICML 2017.
    """
    temperatures = np.array([find_temperature(raw, y, weight, loss) for raw in answers])
    likely = np.stack(
        [
            likelihoods(probabilities(raw / temperature, loss), y, loss)
            for raw, temperature in zip(answers, temperatures, strict=True)
        ]
    )
    likely = np.maximum(likely, TINY)
    share = np.ones(likely.shape[-1]) if weight is None else weight
    share = np.broadcast_to(share / share.sum() / likely.shape[1], likely.shape[1:])

    def solve(kept: Array) -> tuple[Array, float]:
        some, weights = likely[kept], np.full(len(kept), 1 / len(kept))
        for _ in range(N_EM_STEPS):
            mixture = np.maximum(np.tensordot(weights, some, 1), TINY)
            weights *= np.tensordot(some, share / mixture, 2)
            weights /= weights.sum()
        mixture = np.maximum(np.tensordot(weights, some, 1), TINY)
        return weights, -float((np.log(mixture) * share).sum())

    blend = Blend(prune(solve, kinds), temperatures)
    of_mean, out_of_fold = cool_down(blend, answers, y, weight, loss, kinds, n_members)
    return replace(blend, temperature=of_mean, temperature_out_of_fold=out_of_fold)


def cool_down(
    blend: Blend,
    answers: Array,
    y: Array,
    weight: Array | None,
    loss: Loss,
    kinds: Array,
    n_members: float,
) -> tuple[float, float]:
    r"""Return the temperatures of mean probabilities: of all networks, and out of fold.

    The mean of several calibrated networks is too flat, the more so the more they are and the less
    they agree. The variance of a mean of k falls as 1 / k, and so the temperature that mends it is
    about :math:`e^{a + b / k}`. Out of fold it can be measured twice: of each kind alone (k = 1),
    and of all kinds together, which are as many as :math:`1 / \sum_j v_j^2` equal ones, with v the
    weights of the kinds. The curve through both leads to the number of networks that answer to a
    new row. The arguments are those of `blend_classes`.
    """

    def temperature_of(columns: Array) -> float:
        weights = blend.weights[columns] / blend.weights[columns].sum()
        parts = zip(columns.tolist(), weights, strict=True)
        mean = np.asarray(sum(w * blend.answer(answers[c], c, loss) for c, w in parts))
        return find_temperature(raw_of(mean, loss), y, weight, loss)

    used = np.flatnonzero(blend.weights)
    together = temperature_of(used)
    of_kinds = [used[kinds[used] == kind] for kind in np.unique(kinds[used])]
    shares = np.array([blend.weights[columns].sum() for columns in of_kinds])
    k = float(1 / (shares**2).sum())
    if k < FEWEST:
        return together, together
    alone = float(shares @ [temperature_of(columns) for columns in of_kinds])
    b = math.log(alone / together) / (1 - 1 / k)
    of_all = together * math.exp(-b * (1 / k - 1 / (k * n_members)))
    return min(max(of_all, math.exp(COLDEST)), math.exp(HOTTEST)), together


def prune(solve: Callable[[Array], tuple[Array, float]], kinds: Array) -> Array:
    """Return weights of which as many are 0 as cost next to nothing.

    Predictions take as long as there are columns with a weight. The column that has least is left
    out, and the weights of the others are found anew, as long as the loss stays near the least one.
    A kind that counts keeps a column: what it adds to a mean over all folds is more than what shows
    out of fold.

    Parameters
    ----------
    solve : callable
        ``solve(kept)`` returns the weights of the columns of these numbers, and their loss.
    kinds : ndarray of int, shape (n_columns,)
        The number of each column's kind of networks.
    """
    kept = np.arange(len(kinds))
    found, least = solve(kept)
    allowed = least + TOLERANCE * abs(least)
    while True:
        of_kind = kinds[kept] == kinds[kept][:, np.newaxis]
        is_last = (of_kind.sum(axis=1) == 1) & (found >= LEAST_SHARE)
        if is_last.all() or len(kept) == 1:
            break
        fewer = np.delete(kept, np.where(is_last, np.inf, found).argmin())
        weights, loss = solve(fewer)
        if loss > allowed:
            break
        kept, found = fewer, weights
    result = np.zeros(len(kinds))
    result[kept] = found
    return result


def find_temperature(raw: Array, y: Array, weight: Array | None, loss: Loss) -> float:
    """Return by what to divide raw scores so that their log loss is least."""

    def log_loss(log_temperature: float) -> float:
        p = likelihoods(probabilities(raw / np.exp(log_temperature), loss), y, loss)
        return -float(np.average(np.log(np.maximum(p, TINY)).mean(axis=0), weights=weight))

    found = minimize_scalar(log_loss, bounds=(COLDEST, HOTTEST), options={"xatol": 1e-2})
    return float(np.exp(found.x))


def probabilities(raw: Array, loss: Loss) -> Array:
    """Return the probabilities (n_raw, n_samples) of raw scores, which are consumed."""
    loss.inverse_link(raw)
    return raw


def likelihoods(probability: Array, y: Array, loss: Loss) -> Array:
    """Return how probable the targets are: a row for each of several of them."""
    truth = y.T
    if loss.out_activation == "logistic":
        return np.where(truth, probability, 1 - probability)
    groups = loss.groups() if isinstance(loss, Grouped) else [slice(None)]
    return np.stack([(probability[g] * truth[g]).sum(axis=0) for g in groups])


def raw_of(probability: Array, loss: Loss) -> Array:
    """Return raw scores that have these probabilities."""
    log = np.log(np.maximum(probability, TINY))
    if loss.out_activation != "logistic":
        return np.asarray(log)
    return np.asarray(log - np.log(np.maximum(1 - probability, TINY)))
