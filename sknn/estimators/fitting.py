"""One call of fit: from validated arrays to a trained state."""

from __future__ import annotations

import time
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning

from sknn._math import Array
from sknn._random import make_random_state
from sknn._warn import warn
from sknn.augmentation import AUGMENTATIONS
from sknn.estimators.data import is_on_disk
from sknn.estimators.evaluation import HeldOut, check_scoring_serves, make_validation, take_rows
from sknn.estimators.holdout import check_groups, split
from sknn.estimators.range_test import find_rate
from sknn.estimators.settings import (
    check_batches_can_be_normalized,
    make_penalty,
    make_solver,
)
from sknn.objective import Objective
from sknn.schedules import FromFunction
from sknn.solvers import HISTORY, Problem, Stochastic, TrainingState, solve

if TYPE_CHECKING:
    from sknn.estimators.base import BaseMLP


class Fit:
    """What a call of fit works with.

    Parameters
    ----------
    estimator : BaseMLP
        The copy that will be the fitted estimator.
    X : {ndarray, CSR matrix, memmap} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    labels : array-like
        The targets as they were given.
    sample_weight : ndarray of shape (n_samples,) or None
    given : HeldOut or None
        Samples to validate on that were given.
    groups : array-like of shape (n_samples,) or None
        For a splitter as `validation_fraction`; not validated.
    is_first, is_partial : bool
        Whether training begins anew, and whether it is for one epoch only.

    Attributes
    ----------
    problem : Problem
        What is to be solved.
    held_out : HeldOut or None
        The samples to validate on.
    """

    def __init__(
        self,
        estimator: BaseMLP,
        X: Any,
        y: Array,
        labels: Any,
        sample_weight: Array | None,
        given: HeldOut | None,
        groups: Any,
        is_first: bool,
        is_partial: bool,
    ) -> None:
        self.estimator = estimator
        self._begin = time.perf_counter()
        check_groups(estimator, groups, len(y), given)
        self._y, self._labels, self._given = y, labels, sample_weight
        self._targets, self._weight = estimator._training_targets(y, sample_weight)
        rng = make_random_state(estimator.random_state)
        state = estimator._begin(X, y, sample_weight, rng, is_first, is_partial)
        self._X = X if is_on_disk(X) else X.astype(state.theta.dtype, copy=False)
        rows, self.held_out = self._hold_out(given, groups, rng, state.theta.dtype)
        self.problem = replace(
            self._make_problem(rng, rows, state), keeps_incoming=not is_first, one_epoch=is_partial
        )
        if self.held_out is not None:
            self._watch(self.held_out)
        if estimator.learning_rate_init == "auto":
            self._choose_rate(self.problem.solver)

    def _watch(self, held_out: HeldOut) -> None:
        """Have the training validated after each epoch."""
        estimator, problem = self.estimator, self.problem

        def view(theta: Array) -> Any:
            return estimator._view(theta, problem.state)

        check_scoring_serves(estimator.scoring, view, held_out, problem.state.theta)
        validate = make_validation(
            estimator._network,
            estimator._loss,
            held_out,
            estimator._score_raw,
            estimator.scoring,
            view,
        )
        stops_early = bool(estimator.early_stopping)
        self.problem = replace(problem, validate=validate, stops_early=stops_early)

    def run(self) -> TrainingState:
        """Train; return what has become of the model."""
        estimator, problem = self.estimator, self.problem
        self._use_rest_of_time(problem)
        [state] = solve([problem])
        if not problem.stops_early or problem.one_epoch or state.is_interrupted:
            return state
        if not state.best_epoch and not np.isfinite(state.best_score):
            warn(
                f"scoring={estimator.scoring!r} gave no number in any epoch, so there is no best "
                "one: the weights are those of the last.",
                ConvergenceWarning,
            )
        elif self.held_out is not None and estimator.scoring is None:
            estimator._check_validation_scores(state, self.held_out)
        if estimator.refit_full and state.best_epoch:
            return self._run_again(state)
        return state

    def _use_rest_of_time(self, problem: Problem) -> None:
        """Leave a solver the part of `max_time` that has not been used yet."""
        if self.estimator.max_time is not None:
            used = time.perf_counter() - self._begin
            problem.solver.max_time = max(0.0, self.estimator.max_time - used)

    def _make_problem(
        self, rng: np.random.RandomState, rows: Array | None, state: TrainingState
    ) -> Problem:
        estimator = self.estimator
        network, loss = estimator._network, estimator._loss
        augmentation = estimator.augmentation
        if augmentation is not None and not isinstance(self._X, np.ndarray):
            raise ValueError(
                f"augmentation={augmentation!r} needs dense X; convert it with X.toarray()."
            )
        solver = make_solver(estimator, len(self._y) if rows is None else len(rows))
        check_batches_can_be_normalized(estimator, solver)
        return Problem(
            objective=Objective(network, loss, make_penalty(estimator), float(estimator.alpha)),
            solver=solver,
            X=self._X,
            y=self._targets,
            sample_weight=self._weight,
            rows=rows,
            state=state,
            rng=rng,
            rng_is_own=isinstance(estimator.random_state, Integral),
            verbose=bool(estimator.verbose),
            augmentation=None if augmentation is None else AUGMENTATIONS.resolve(augmentation),
            seed=self._draw_seed(rng),
        )

    def _draw_seed(self, rng: np.random.RandomState) -> tuple[int, ...]:
        """Return a seed for random numbers beside the shuffles; draws only if there are any."""
        estimator = self.estimator
        if estimator._network.n_noise == 0 and estimator.augmentation is None:
            return (0,)
        return (int(rng.randint(np.iinfo(np.int32).max)),)

    def _choose_rate(self, solver: Any) -> None:
        """Have a range test choose a solver's learning rate, unless that has been done before."""
        estimator = self.estimator
        if not hasattr(estimator, "learning_rate_"):
            estimator.learning_rate_, estimator.lr_find_ = find_rate(self.problem)
        solver.learning_rate = estimator.learning_rate_

    def _hold_out(
        self, given: HeldOut | None, groups: Any, rng: np.random.RandomState, dtype: Any
    ) -> tuple[Array | None, HeldOut | None]:
        """Return the rows to train on, None for all, and the samples to validate on."""
        estimator, weight = self.estimator, self._weight
        if given is not None and estimator.refit_full:
            raise ValueError(
                "refit_full=True trains again with the samples that early stopping has held out of "
                "X; with X_val there are none. Use one of the two."
            )
        if given is not None:
            if not is_on_disk(given.X):
                given.X = given.X.astype(dtype, copy=False)
            given.given_weight = given.sample_weight
            given.sample_weight = estimator._weigh(given.y, given.sample_weight)
            return None, given
        if not estimator.early_stopping:
            return None, None
        rows, held_out = split(estimator, self._X, self._y, self._labels, groups, rng)
        if weight is not None and not (weight[rows].any() and weight[held_out].any()):
            raise ValueError(
                "sample_weight is 0 for all samples of a part of the early-stopping split; "
                f"{len(held_out)} samples of {len(self._y)} are held out."
            )
        return rows, HeldOut(
            X=take_rows(self._X, held_out, dtype),
            y=self._y[held_out],
            sample_weight=None if weight is None else weight[held_out],
            labels=_take(self._labels, held_out),
            given_weight=None if self._given is None else self._given[held_out],
        )

    def _run_again(self, first: TrainingState) -> TrainingState:
        """Train anew on all rows, for as many epochs as were best; return the final state."""
        estimator = self.estimator
        rng = make_random_state(estimator.random_state)
        state = estimator._begin(self._X, self._y, self._given, rng, True, False)
        problem = self._make_problem(rng, None, state)
        problem = replace(
            problem, after_epoch=lambda state, theta: state.n_iter >= first.best_epoch
        )
        solver: Any = problem.solver
        solver.n_iter_no_change = np.inf
        if isinstance(solver, Stochastic):
            # The same rates again, those after plateaus and recoveries, too.
            rates = [row[HISTORY.index("learning_rate")] for row in first.history]
            if first.recovered_at:  # not those from which training had to go back
                highest = max(rates[first.recovered_at :], default=rates[-1])
                rates = [min(rate, highest) for rate in rates]
            solver.schedule, solver.learning_rate = FromFunction(rates.__getitem__), 1.0
        self._use_rest_of_time(problem)
        [state] = solve([problem])
        if state.n_iter < first.best_epoch and not state.is_interrupted:
            warn(
                f"max_time={estimator.max_time} seconds were over after {state.n_iter} of the "
                f"{first.best_epoch} epochs on all samples; increase it.",
                ConvergenceWarning,
            )
        return replace(
            state, validation_scores=first.validation_scores, best_score=first.best_score
        )


def _take(labels: Any, rows: Array) -> Any:
    """Return targets as they were given, of some rows."""
    return labels.tocsr()[rows] if sp.issparse(labels) else np.asarray(labels)[rows]
