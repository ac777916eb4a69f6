"""From an estimator's parameters to a solver: what is allowed, and what it means."""

from __future__ import annotations

import math
import warnings
from numbers import Integral, Real
from typing import Any

from sklearn.utils.metaestimators import available_if

from sknn.activations import ACTIVATIONS, Activation
from sknn.estimators.validation import (
    BOOLEAN,
    NONE,
    RANDOM_STATE,
    Check,
    Constraint,
    Interval,
    Member,
    OneOf,
)
from sknn.optimizers import SGD, Adam, Optimizer
from sknn.schedules import SCHEDULES, InverseScaling, Schedule
from sknn.solvers import LBFGS, Solver, Stochastic

CONSTRAINTS: dict[str, list[Constraint]] = {
    "activation": [Member(ACTIVATIONS, Activation)],
    "solver": [OneOf(["lbfgs", "sgd", "adam"])],
    "alpha": [Interval(Real, 0, None)],
    "batch_size": [OneOf(["auto"]), Interval(Integral, 1, None)],
    "learning_rate": [OneOf(SCHEDULES)],
    "learning_rate_init": [Interval(Real, 0, None, "neither")],
    "power_t": [Interval(Real, 0, None)],
    "max_iter": [Interval(Integral, 1, None)],
    "shuffle": [BOOLEAN],
    "random_state": [RANDOM_STATE],
    "tol": [Interval(Real, 0, None)],
    "verbose": [BOOLEAN, Interval(Integral, 0, None)],
    "warm_start": [BOOLEAN],
    "momentum": [Interval(Real, 0, 1, "both")],
    "nesterovs_momentum": [BOOLEAN],
    "early_stopping": [BOOLEAN],
    "validation_fraction": [Interval(Real, 0, 1)],
    "beta_1": [Interval(Real, 0, 1)],
    "beta_2": [Interval(Real, 0, 1)],
    "epsilon": [Interval(Real, 0, None, "neither")],
    "n_iter_no_change": [
        Interval(Integral, 1, None),
        Check(lambda value: isinstance(value, Real) and value == math.inf, "inf"),
    ],
    "max_fun": [Interval(Integral, 1, None)],
    "target_loss": [NONE, Interval(Real, None, None)],
}


def make_optimizer(estimator: Any) -> Optimizer:
    """Return the update rule of the stochastic solver that `estimator` names."""
    if estimator.solver == "adam":
        return Adam(estimator.beta_1, estimator.beta_2, estimator.epsilon)
    return SGD(estimator.momentum, bool(estimator.nesterovs_momentum))


def make_schedule(estimator: Any) -> Schedule:
    """Return the learning-rate schedule that `estimator` names."""
    if estimator.learning_rate == "invscaling":
        return InverseScaling(estimator.power_t)
    return SCHEDULES.resolve(estimator.learning_rate)


def choose_batch_size(choice: Any, n_samples: int) -> int:
    """Return the batch size that an estimator's parameter means for so many samples."""
    return min(200, n_samples) if choice == "auto" else choice


def make_solver(estimator: Any, n_samples: int) -> Solver:
    """Return the solver for `n_samples` training samples."""
    stopping = {
        "max_iter": estimator.max_iter,
        "tol": estimator.tol,
        "n_iter_no_change": estimator.n_iter_no_change,
        "target_loss": estimator.target_loss,
    }
    if estimator.solver == "lbfgs":
        return LBFGS(max_fun=estimator.max_fun, **stopping)
    batch_size = choose_batch_size(estimator.batch_size, n_samples)
    if batch_size > n_samples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped: "
            f"batch_size={batch_size}, but there are {n_samples} training samples.",
            stacklevel=5,
        )
    return Stochastic(
        optimizer=make_optimizer(estimator),
        schedule=make_schedule(estimator),
        learning_rate=float(estimator.learning_rate_init),
        batch_size=min(batch_size, n_samples),
        shuffle=bool(estimator.shuffle),
        **stopping,
    )


def _is_stochastic(estimator: Any) -> bool:
    """Say whether the estimator can learn from one batch of data after the other."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


available_if_stochastic = available_if(_is_stochastic)
