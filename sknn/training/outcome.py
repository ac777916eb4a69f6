"""What has become of a training: whether its result can be used, and is of use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._math import Array, spread_rows
from sknn._warn import warn
from sknn.network import CHUNK
from sknn.objective import Objective
from sknn.samples import Samples
from sknn.solvers import Problem
from sknn.training.diagnosis import explain
from sknn.training.trained import Trained

MUCH_WORSE = 0.05
"""A network that answers a constant has its loss, or one that is larger by less than this share."""

SHRUNK = 0.1
"""Weights of less than this share of their usual size have been shrunk by the penalty."""

NO_BETTER = 1e-3
"""A network whose loss is below that of a constant by less than this share is no better."""


def check_outcome(
    words: Mapping[str, Any], problem: Problem, trained: Trained, samples: Samples
) -> None:
    """Raise if training has diverged; warn if it had to go back, or has come to nothing.

    Parameters
    ----------
    words : mapping
        The parameters of the estimator, as the user has given them.
    problem : Problem
        What was to be solved.
    trained : Trained
        What training has led to.
    samples : Samples
        As they were given.
    """
    state, rate, objective = trained.state, words["learning_rate_init"], problem.objective
    has_finite_weights = bool(np.isfinite(state.theta).all())
    if not has_finite_weights or not objective.predicts_finite(state.theta, problem.samples):
        what = "parameter weights" if not has_finite_weights else "predictions"
        epoch = state.n_iter if state.first_bad_epoch is None else state.first_bad_epoch
        raise ValueError(
            f"Solver produced non-finite {what}. The input data may contain large "
            f"values and need to be preprocessed. Training diverged in epoch {epoch}: scale "
            "X (and, in regression, y), for example with StandardScaler, or lower "
            f"learning_rate_init={rate}."
            f"{explain(words, trained, samples, problem.y, with_progress=False)}"
        )
    if state.n_recoveries:
        warn(
            f"Training diverged, {state.n_recoveries} time(s); it went back to the last good epoch "
            f"and on at {state.recovery_factor:.3g} of the learning rate. Lower "
            f"learning_rate_init={rate}."
            f"{explain(words, trained, samples, problem.y, with_progress=False)}",
            ConvergenceWarning,
        )
    if state.has_converged:
        _warn_if_constant(words, problem, trained, samples)


def _warn_if_constant(
    words: Mapping[str, Any], problem: Problem, trained: Trained, samples: Samples
) -> None:
    """Warn if a training that has converged is no better than the best constant."""
    if (problem.y == problem.y[:1]).all():
        return  # there is nothing to learn
    losses = _losses_beside_constant(problem, trained.state.theta)
    if losses is None:
        return
    ours, constant, is_dead = losses
    if ours < constant - NO_BETTER * abs(constant):
        return
    # What is much worse has not come to rest at a constant: it has hardly begun to learn.
    if not is_dead and ours > constant + MUCH_WORSE * abs(constant):
        return
    if _is_shrunk(problem.objective, trained.state.theta):
        return
    why = explain(words, trained, samples, problem.y, with_progress=False)
    rate = f"learning_rate_init={words['learning_rate_init']!r}"
    remedy = "another alpha or scaled X" if words["solver"] == "lbfgs" else f"another {rate}"
    warn(
        f"Training has ended as nothing improved any more, but the network is no better than a "
        f"constant (loss {ours:.4g}; that of the best constant is {constant:.4g}). If X says "
        f"anything about y, try {remedy}.{why}",
        ConvergenceWarning,
    )


def _is_shrunk(objective: Objective, theta: Array) -> bool:
    """Whether the penalty has shrunk all weights to nothing: then a constant is what was asked for.

    The root mean square of a layer's weights is compared with that of Glorot's initial ones.
    """
    sizes = [
        (float(np.sqrt(np.mean(np.square(theta[where], dtype=np.float64)))), sum(shape))
        for where, shape in objective.network.layout.matrices()
    ]
    return bool(sizes) and all(rms < SHRUNK * np.sqrt(2 / n) for rms, n in sizes)


def _losses_beside_constant(problem: Problem, theta: Array) -> tuple[float, float, bool] | None:
    """Return the mean loss of a network on some rows, and that of the best constant.

    And whether the network answers the same for all of them. None for a loss that does not know its
    constant.
    """
    network, loss = problem.objective.network, problem.objective.loss
    y, weight = problem.y, problem.sample_weight
    constant = loss.best_constant(y, weight)
    if constant is None:
        return None
    few = spread_rows(len(y), CHUNK)
    weights = None if weight is None else weight[few].astype(np.float64)
    if weights is not None and not weights.any():
        return None
    targets = y[few].T
    with np.errstate(all="ignore"):
        raw = network.predict(problem.samples.take(few, theta.dtype), network.layout.views(theta))
        same = np.repeat(np.asarray(constant, np.float64)[:, np.newaxis], len(few), axis=1)
        ours, theirs = (
            np.average(loss.sample_values(scores, targets), weights=weights)
            for scores in (raw.astype(np.float64), same)
        )
    return float(ours), float(theirs), bool((raw == raw[:, :1]).all())
