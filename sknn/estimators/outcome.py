"""What has become of a training: whether its result can be used, and is of use."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._math import Array, spread_rows
from sknn._warn import warn
from sknn.estimators.diagnosis import explain
from sknn.network import CHUNK
from sknn.objective import Objective
from sknn.solvers import Problem, TrainingState

MUCH_WORSE = 0.05
"""A network that answers a constant has its loss, or one that is larger by less than this share."""

SHRUNK = 0.1
"""Weights of less than this share of their usual size have been shrunk by the penalty."""

NO_BETTER = 1e-3
"""A network whose loss is below that of a constant by less than this share is no better."""


def check_outcome(estimator: Any, problem: Problem, state: TrainingState, X: Any) -> None:
    """Raise if training has diverged; warn if it had to go back, or has come to nothing.

    Parameters
    ----------
    estimator : BaseMLP
    problem : Problem
        What was to be solved.
    state : TrainingState
        What training has led to.
    X : {ndarray, CSR matrix, memmap} of shape (n_samples, n_features)
        The samples as they were given.
    """
    objective, y = problem.objective, problem.y
    has_finite_weights = bool(np.isfinite(state.theta).all())
    if not has_finite_weights or not objective.predicts_finite(state.theta, problem.X):
        what = "parameter weights" if not has_finite_weights else "predictions"
        epoch = state.n_iter if state.first_bad_epoch is None else state.first_bad_epoch
        raise ValueError(
            f"Solver produced non-finite {what}. The input data may contain large "
            f"values and need to be preprocessed. Training diverged in epoch {epoch}: scale "
            "X (and, in regression, y), for example with StandardScaler, or lower "
            f"learning_rate_init={estimator.learning_rate_init}."
            f"{explain(estimator, state, X, y, with_progress=False)}"
        )
    if state.n_recoveries:
        warn(
            f"Training diverged, {state.n_recoveries} time(s); it went back to the last good epoch "
            f"and on at {state.recovery_factor:.3g} of the learning rate. Lower "
            f"learning_rate_init={estimator.learning_rate_init}."
            f"{explain(estimator, state, X, y, with_progress=False)}",
            ConvergenceWarning,
        )
    if state.has_converged:
        _warn_if_constant(estimator, problem, state, X)


def _warn_if_constant(estimator: Any, problem: Problem, state: TrainingState, X: Any) -> None:
    """Warn if a training that has converged is no better than the best constant."""
    if (problem.y == problem.y[:1]).all():
        return  # there is nothing to learn
    losses = losses_beside_constant(
        problem.objective, state.theta, problem.X, problem.y, problem.sample_weight
    )
    if losses is None:
        return
    ours, constant, is_dead = losses
    if ours < constant - NO_BETTER * abs(constant):
        return
    # What is much worse has not come to rest at a constant: it has hardly begun to learn.
    if not is_dead and ours > constant + MUCH_WORSE * abs(constant):
        return
    if _is_shrunk(problem.objective, state.theta):
        return
    why = explain(estimator, state, X, problem.y, with_progress=False)
    rate = f"learning_rate_init={estimator.learning_rate_init!r}"
    remedy = "another alpha or scaled X" if estimator.solver == "lbfgs" else f"another {rate}"
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
    return all(rms < SHRUNK * np.sqrt(2 / n) for rms, n in sizes)


def losses_beside_constant(
    objective: Objective, theta: Array, X: Any, y: Array, weight: Array | None
) -> tuple[float, float, bool] | None:
    """Return the mean loss of a network on some rows, and that of the best constant.

    And whether the network answers the same for all of them. None for a loss that does not know its
    constant.
    """
    loss = objective.loss
    constant = loss.best_constant(y, weight)
    if constant is None:
        return None
    few = spread_rows(X.shape[0], CHUNK)
    rows = X[few].astype(theta.dtype, copy=False)
    weights = None if weight is None else weight[few].astype(np.float64)
    if weights is not None and not weights.any():
        return None
    targets = y[few].T
    with np.errstate(all="ignore"):
        raw = objective.network.predict(rows, objective.network.layout.views(theta))
        same = np.repeat(np.asarray(constant, np.float64)[:, np.newaxis], len(few), axis=1)
        ours, theirs = (
            np.average(loss.sample_values(scores, targets), weights=weights)
            for scores in (raw.astype(np.float64), same)
        )
    return float(ours), float(theirs), bool((raw == raw[:, :1]).all())
