"""How a network does on samples that it is not trained on, epoch by epoch."""

from __future__ import annotations

import contextvars
import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import sklearn
from sklearn.metrics import check_scoring

from sknn._math import Array
from sknn.network import Network
from sknn.targets import Targets
from sknn.training.data import HeldOut

Validate: TypeAlias = Callable[[Array], tuple[float, float]]
"""Returns a score, the higher the better, and the loss for a parameter vector."""

View: TypeAlias = Callable[[Array], Any]
"""Returns an estimator that is fitted with a parameter vector, for arrays without names."""


def make_validation(
    network: Network, targets: Targets, held_out: HeldOut, scoring: Any, view: View
) -> Validate:
    """Return the function from a parameter vector to a score and a loss on held-out samples.

    Parameters
    ----------
    network, targets
        The model.
    held_out : HeldOut
    scoring : None, "loss", str or callable
        What the score is; None is that of the targets.
    view : callable
        Returns a fitted estimator for a parameter vector, for scorers.
    """
    if held_out.judge is not None:
        return functools.partial(held_out.judge.judge, network, targets, scoring)
    # In float64, whatever the dtypes are.
    weight, divisor = held_out.sample_weight, targets.loss.reported_divisor(held_out.y.shape[1])
    weight = None if weight is None else weight.astype(np.float64)
    scorer = None
    if scoring is not None and scoring != "loss":
        scorer = in_context_of_caller(_make_scorer(scoring, view, held_out))

    def validate(theta: Array) -> tuple[float, float]:
        with np.errstate(all="ignore"):
            raw = network.predict(held_out.samples, network.layout.views(theta))
            values = targets.loss.sample_values(raw.astype(np.float64), held_out.y.T)
            val_loss = float(np.average(values, weights=weight)) / divisor
            if scoring is None:
                return targets.score(raw, held_out.y, weight), val_loss
        if scorer is None:
            return -val_loss, val_loss
        return float(scorer(theta)), val_loss

    return validate


def _make_scorer(scoring: Any, view: View, held_out: HeldOut) -> Callable[[Array], float]:
    y, options = held_out.labels, _options(scoring, held_out)

    def score(theta: Array) -> float:
        estimator = view(theta)
        value = check_scoring(estimator, scoring)(estimator, held_out.samples[:], y, **options)
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


def check_scoring_serves(scoring: Any, view: View, held_out: HeldOut, theta: Array) -> None:
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
