"""How a network does on samples that it is not trained on, epoch by epoch."""

from __future__ import annotations

import contextvars
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
from sklearn.metrics import check_scoring

from sknn._math import Array
from sknn.losses import Loss
from sknn.network import CHUNK, Network


class RowsOf:
    """Rows of a matrix on disk, which are read a chunk at a time.

    Parameters
    ----------
    X : memmap of shape (n_samples, n_features)
    rows : ndarray of int
    dtype : dtype
        What the rows are converted to.
    """

    def __init__(self, X: Array, rows: Array, dtype: Any) -> None:
        self._X = X
        self._rows = rows
        self.dtype = np.dtype(dtype)
        self.shape = (len(rows), X.shape[1])

    def __getitem__(self, chunk: slice) -> Array:
        return np.asarray(self._X[self._rows[chunk]], self.dtype)


def take_rows(X: Any, rows: Array, dtype: Any) -> Any:
    """Return rows of X; of a matrix on disk only a few at a time will be read."""
    if isinstance(X, np.memmap) and len(rows) > CHUNK:
        return RowsOf(X, rows, dtype)
    return X[rows].astype(dtype, copy=False)


@dataclass
class HeldOut:
    """Samples to validate on.

    Attributes
    ----------
    X : {ndarray, CSR matrix, RowsOf} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of samples and classes, for the loss and the score of one's own.
    labels : array-like
        The targets as they were given, for scorers.
    given_weight : ndarray of shape (n_samples,) or None
        The weights that were given, for scorers.
    """

    X: Any
    y: Array
    sample_weight: Array | None
    labels: Any
    given_weight: Array | None = None


Validate = Callable[[Array], tuple[float, float]]


def make_validation(
    network: Network,
    loss: Loss,
    held_out: HeldOut,
    score_raw: Callable[[Array, Array, Array | None], float],
    scoring: Any,
    view: Callable[[Array], Any],
) -> Validate:
    """Return the function from a parameter vector to a score and a loss on held-out samples.

    Parameters
    ----------
    network, loss
        The model.
    held_out : HeldOut
    score_raw : callable
        The score of raw scores, encoded targets and weights, where `scoring` is None.
    scoring : None, "loss", str or callable
        What the score is.
    view : callable
        Returns a fitted estimator for a parameter vector, for scorers.
    """
    # In float64, whatever the dtypes are.
    weight, divisor = held_out.sample_weight, loss.reported(held_out.y.shape[1])
    weight = None if weight is None else weight.astype(np.float64)
    scorer = None
    if scoring is not None and scoring != "loss":
        scorer = in_context_of_caller(_make_scorer(scoring, view, held_out))

    def validate(theta: Array) -> tuple[float, float]:
        raw = network.predict(held_out.X, network.layout.views(theta))
        with np.errstate(all="ignore"):
            values = loss.sample_values(raw.astype(np.float64), held_out.y.T)
            val_loss = float(np.average(values, weights=weight)) / divisor
        if scoring is None:
            return float(score_raw(raw, held_out.y, weight)), val_loss
        if scorer is None:
            return -val_loss, val_loss
        return float(scorer(theta)), val_loss

    return validate


def _make_scorer(
    scoring: Any, view: Callable[[Array], Any], held_out: HeldOut
) -> Callable[[Array], float]:
    y, options = held_out.labels, _options(scoring, held_out)

    def score(theta: Array) -> float:
        estimator = view(theta)
        X = held_out.X[:] if isinstance(held_out.X, RowsOf) else held_out.X
        value = check_scoring(estimator, scoring)(estimator, X, y, **options)
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"scoring={scoring!r} must return a number; it returned {value!r}."
            ) from error

    return score


def _options(scoring: Any, held_out: HeldOut) -> dict[str, Any]:
    """Return the weights for a scorer that takes some."""
    weight = held_out.given_weight
    takes_weight = not inspect.isfunction(scoring) or "sample_weight" in (
        inspect.signature(scoring).parameters
    )
    return {"sample_weight": weight} if weight is not None and takes_weight else {}


def check_scoring_serves(
    scoring: Any, view: Callable[[Array], Any], held_out: HeldOut, theta: Array
) -> None:
    """Raise ValueError if one of scikit-learn's scorers cannot score an estimator at all.

    The initial parameters are scored, before any time has been spent on training.
    """
    if inspect.isfunction(scoring):
        try:
            inspect.signature(scoring).bind(None, None, None, **_options(scoring, held_out))
        except TypeError as error:
            raise ValueError(
                f"scoring={scoring!r} must be a function scoring(estimator, X, y); make one of a "
                "metric with sklearn.metrics.make_scorer."
            ) from error
    is_scikit_learns = isinstance(scoring, str) or type(scoring).__module__.startswith("sklearn.")
    if scoring == "loss" or not is_scikit_learns:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _make_scorer(scoring, view, held_out)(theta)
    except Exception as error:
        raise ValueError(
            f"scoring={scoring!r} cannot score this estimator on its validation set: "
            f"{str(error).rstrip('.')}. Use None, 'loss', or a scorer for this kind of estimator "
            "and target."
        ) from error


def in_context_of_caller(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs as if it were called here.

    Users' code that is called while training may run in the thread that trains for many fits. It
    is to see the context variables, configuration and warning filters of the fit it belongs to.
    """
    context, config = contextvars.copy_context(), sklearn.get_config()
    filters = list(warnings.filters)

    def run(*arguments: Any) -> Any:
        with warnings.catch_warnings(), sklearn.config_context(**config):
            warnings.filters[:] = filters  # type: ignore[index]
            return function(*arguments)

    return lambda *arguments: context.run(run, *arguments)
