"""Which column has moved the answer, and by how much: integrated gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp

from sknn._math import Array
from sknn._warn import warn
from sknn.inspection.answers import Answer, Points, gradients_of, sum_by_origin
from sknn.inspection.attributions import Attributions
from sknn.inspection.gradients import (
    as_array,
    as_rows,
    chunks,
    each_chunk,
    in_order,
)
from sknn.inspection.models import Model, Output, model_of
from sknn.network import CHUNK

Baseline: TypeAlias = Literal["mean", "zero"] | Any
"""Where walks may begin."""

FIRST_STEPS, MOST_STEPS = 8, 512
"""With how many steps the search for enough of them begins and ends."""


def integrated_gradients(
    estimator: Any,
    X: Any,
    baseline: Baseline = "mean",
    *,
    background: Any = None,
    n_steps: int | Literal["auto"] = "auto",
    tolerance: float = 0.01,
    target: Any = None,
    output: Output = "raw",
) -> Attributions:
    r"""Return how much each column has moved the answer from that to a baseline.

    .. math:: a_j(x) = (x_j - b_j) \int_0^1 \frac{\partial f}{\partial x_j}(b + t (x - b)) \, dt

    These add up to f(x) - f(b). With a sample of baselines they are means over it (expected
    gradients), which estimate Aumann-Shapley values. The walk from b to x is straight in the
    columns of X where all steps of a Pipeline are smooth; where some are not, it is straight in
    what categories, and columns with gaps, have become, and what one column has become is summed.

    Parameters
    ----------
    estimator : object
        A fitted estimator of this package, or one of scikit-learn's around some, as for
        :func:`input_gradients`.
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
        The rows that are explained.
    baseline : {"mean", "zero"}, array-like or DataFrame, default="mean"
        Where the walk begins: at the mean of `background`, at 0, at a row of shape (n_features,),
        or at each of several rows (n_rows, n_features), over which the mean is taken.
    background : DataFrame, array-like or sparse matrix, default=None
        What "mean" is the mean of; None is X.
    n_steps : int or "auto", default="auto"
        Nodes of Gauss and Legendre's rule, at least 1. "auto" doubles them until the attributions
        miss what they should add up to by no more than `tolerance`.
    tolerance : float, default=0.01
        By which share of the mean absolute difference f(x) - f(b) the worst row may miss it,
        positive. Smooth activations need some 8 nodes; rectifiers, and tables with their bins, need
        many, of which there are 512 at most.
    target : object, default=None
        Which output: a class, or the number of a regressor's output. None is all of them; of two
        classes the second.
    output : {"raw", "probability", "prediction"}, default="raw"
        Raw scores, a classifier's probabilities, or a regressor's predictions in the unit of y.

    Returns
    -------
    Attributions
        With the error that remains.

    Raises
    ------
    ValueError
        If a parameter or X is not valid, or a step cannot be gone through.
    TypeError
        If the estimator is of another kind.

    See Also
    --------
    sknn.inspection.AttributionDisplay : Draws the attributions.
    sknn.inspection.explain_row : Says in words what has moved one answer.
    sknn.inspection.input_gradients : The slope at each row.
    sknn.inspection.importance : One number for each column.

    References
    ----------
    Sundararajan, M., Taly, A. and Yan, Q., "Axiomatic attribution for deep networks", ICML 2017.

    Erion, G. et al., "Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients", Nature Machine Intelligence 3 (2021).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.inspection import integrated_gradients
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> net = MLPRegressor((), alpha=0, solver="lbfgs").fit(X, X @ [3.0, -1.0])
    >>> found = integrated_gradients(net, [[1.0, 2.0]], baseline="zero")
    >>> (found.values.round(2) + 0).tolist()
    [[3.0, -2.0]]
    """
    _check_numbers(n_steps, tolerance)
    X = as_rows(X)
    model, chosen = model_of(estimator, output).choose(target)
    starts = _make_starts(model, X, baseline, background)
    answers = (start.share * model.answer.values(start.points)[chosen, 0] for start in starts)
    base = np.tile(np.sum(list(answers), axis=0), (X.shape[0], 1))
    nodes = FIRST_STEPS if n_steps == "auto" else int(n_steps)
    while True:
        parts = each_chunk(X, partial(_explain, model, starts, chosen, nodes))
        values, end = (np.concatenate(of_all) for of_all in zip(*parts, strict=True))
        errors = end - base - values.sum(axis=1)
        scale = np.abs(end - base).mean(axis=0)
        is_near = bool(np.all(np.abs(errors).max(axis=0) <= tolerance * scale + 1e-12))
        if n_steps != "auto" or is_near or nodes >= MOST_STEPS:
            break
        nodes *= 2
    if n_steps == "auto" and not is_near:
        warn(
            f"With {nodes} steps attributions still miss what they should add up to by up to "
            f"{np.abs(errors).max():.2g}. Set n_steps higher, or accept it with a larger tolerance."
        )
    if len(chosen) == 1:
        values, base, end, errors = values[..., 0], base[:, 0], end[:, 0], errors[:, 0]
    targets = list(range(model.answer.n_outputs)) if model.classes is None else model.classes
    targets = [targets[k] for k in chosen]
    data = in_order(_data(X), model.names)
    return Attributions(values, base, end, errors, data, model.names, targets, nodes)


@dataclass(frozen=True)
class _Start:
    """Where walks begin: points of one row, and what they count."""

    points: Points
    share: float


def _explain(
    model: Model, starts: list[_Start], chosen: list[int], n_nodes: int, rows: Any
) -> tuple[Array, Array]:
    """Return attributions (n_samples, n_features, n_outputs), and answers."""
    answer, n_features = model.answer, len(model.names)
    ends = [array.astype(np.float64) for array in answer.encode(rows)]
    n = len(ends[0])
    values = np.zeros((n, n_features, len(chosen)))
    for start in starts:
        ways = [end - begin for end, begin in zip(ends, start.points, strict=True)]
        for c, k in enumerate(chosen):
            means = _mean_gradients(answer, start.points, ways, k, n_nodes)
            moved = [way * mean for way, mean in zip(ways, means, strict=True)]
            values[:, :, c] += start.share * sum_by_origin(answer.origins, moved, n_features)
    return values, answer.values(ends)[chosen].T


def _mean_gradients(answer: Answer, begin: Points, ways: Points, k: int, n_nodes: int) -> Points:
    """Return the means of the gradient of an output along straight walks."""
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    n, means = len(ways[0]), [np.zeros_like(way) for way in ways]
    at_once = max(1, CHUNK // n)  # of a few rows several nodes, which spares calls
    for first in range(0, n_nodes, at_once):
        some = slice(first, first + at_once)
        t, share = (nodes[some, np.newaxis, np.newaxis] + 1) / 2, weights[some] / 2
        on_way = (b + t * way for b, way in zip(begin, ways, strict=True))
        points = [array.reshape(len(t) * n, array.shape[2]) for array in on_way]
        for mean, gradient in zip(means, gradients_of(answer, points, k), strict=True):
            mean += np.tensordot(share, gradient.reshape(len(t), *mean.shape), 1)
    return means


def _make_starts(model: Model, X: Any, baseline: Any, background: Any) -> list[_Start]:
    answer, n_features = model.answer, len(model.names)
    if isinstance(baseline, str):
        if baseline == "zero":
            return [_Start(_zero(answer), 1.0)]
        if baseline == "mean":
            return [_Start(_mean_points(answer, X, background), 1.0)]
        raise ValueError(
            f"baseline={baseline!r} must be 'mean', 'zero', a row, or rows over which the mean of "
            "the attributions is taken."
        )
    rows = _as_rows(baseline, X)
    shape: Any = getattr(rows, "shape", ())
    if len(shape) != 2 or shape[1] != n_features or not shape[0]:
        raise ValueError(
            f"baseline has the shape {np.shape(baseline)}; it must be ({n_features},) or (n_rows, "
            f"{n_features}) with at least one row, as X has {n_features} columns."
        )
    return list(_starts_of(answer, rows, shape[0]))


def _starts_of(answer: Answer, rows: Any, n_rows: int) -> Iterator[_Start]:
    for part in chunks(rows):
        points = [array.astype(np.float64) for array in answer.encode(part)]
        for i in range(len(points[0])):
            yield _Start([array[i : i + 1] for array in points], 1 / n_rows)


def _as_rows(baseline: Any, X: Any) -> Any:
    """Return a baseline as rows; one of one dimension is a row. Its columns have X's names."""
    if sp.issparse(baseline) or hasattr(baseline, "columns"):
        return as_rows(baseline)
    if hasattr(baseline, "index") and hasattr(baseline, "to_numpy"):  # a row of a frame
        known = list(getattr(X, "columns", []))
        if set(known) == set(baseline.index) and len(known) == len(baseline):
            baseline = baseline[known]
        baseline = baseline.to_numpy()
    rows = as_array(baseline)
    rows = rows[np.newaxis] if rows.ndim == 1 else rows
    if not hasattr(X, "columns") or rows.ndim != 2 or rows.shape[1] != X.shape[1]:
        return rows
    named = zip(X.columns, rows.T.tolist(), strict=True)
    return type(X)(dict(named))  # each column of its own type


def _zero(answer: Answer) -> Points:
    if not answer.is_direct:
        raise ValueError(
            "baseline='zero' is not known here: categories and gaps have no 0, and columns may be "
            "encoded apart. Use baseline='mean', a row, or rows."
        )
    return [np.zeros((1, len(origins))) for origins in answer.origins]


def _mean_points(answer: Answer, X: Any, background: Any) -> Points:
    rows = X if background is None else background
    sums: Points = [np.zeros((1, len(origins))) for origins in answer.origins]
    n = 0
    for part in chunks(rows):
        points = answer.encode(part)
        n += len(points[0])
        for total, array in zip(sums, points, strict=True):
            total += array.sum(axis=0, dtype=np.float64)
    if background is None and n == 1:
        raise ValueError(
            "baseline='mean' of a single row is that row. Pass background=, such as the training "
            "rows, or another baseline."
        )
    return [s / n for s in sums]


def _check_numbers(n_steps: Any, tolerance: Any) -> None:
    is_number = isinstance(n_steps, Integral) and not isinstance(n_steps, bool)
    if not (isinstance(n_steps, str) and n_steps == "auto") and not (is_number and n_steps >= 1):
        raise ValueError(f"n_steps must be 'auto' or an int of at least 1; got {n_steps!r}.")
    if not isinstance(tolerance, (int, float, np.number)) or not tolerance > 0:
        raise ValueError(f"tolerance must be a positive number; got {tolerance!r}.")


def _data(X: Any) -> Any:
    if sp.issparse(X):
        return X.toarray()
    return X
