"""When to stop, epoch by epoch."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._math import Array
from sknn.solvers._base import Problem
from sknn.solvers.state import TrainingState


class Epoch(NamedTuple):
    """What is known of an epoch that has been run.

    Attributes
    ----------
    loss : float
    rate, grad_norm, batch_size : float
        The scheduled learning rate, the norm of the gradient in one of the last batches, and the
        samples of a batch; NaN where there is no such thing.
    """

    loss: float
    rate: float = np.nan
    grad_norm: float = np.nan
    batch_size: float = np.nan


class Monitor:
    """Watches one model: keeps its curves, its best parameters, and says when it is done.

    Training stops once the loss has reached `target_loss`, or once neither the training loss
    nor, with early stopping, the validation score has improved by more than `tol` for more than
    `n_iter_no_change` epochs in a row. As in scikit-learn the count goes on from call to call;
    with a validation score, whose best belongs to the current call, it begins anew.

    Parameters
    ----------
    problem : Problem
        The model; its solver has the numbers.
    tol : float
    n_iter_no_change : int or inf
    target_loss : float or None
    max_time : float or None
        Seconds from now on, validation included.

    Attributes
    ----------
    is_told_to_stop : bool
        Whether `after_epoch` has asked to stop, in the latest epoch. That comes after all other
        reasons, so that a training that was cut there goes on as one that was not.
    """

    def __init__(
        self,
        problem: Problem,
        tol: float,
        n_iter_no_change: float,
        target_loss: float | None,
        max_time: float | None,
    ) -> None:
        self.problem = problem
        self.state = problem.state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.target_loss = target_loss
        self.max_time = max_time
        self.is_told_to_stop = self.state.is_interrupted = False
        self._begin = self._last = time.perf_counter()
        if problem.stops_early and not problem.one_epoch and not problem.goes_on:
            # The best of the current call, whatever an earlier one has seen.
            self.state.best_score, self.state.best_theta, self.state.n_no_change = -np.inf, None, 0
            if problem.keeps_incoming and problem.validate is not None:
                score, _ = problem.validate(self.state.theta)
                self._keep_if_best(score, self.state.theta)

    def end_epoch(self, epoch: Epoch, theta: Array, is_lost: bool = False) -> str | None:
        """Take note of an epoch; return why training should stop, or None to go on.

        Parameters
        ----------
        epoch : Epoch
        theta : ndarray of shape (n_parameters,)
            The parameters that are judged, and returned if training stops.
        is_lost : bool, default=False
            Whether training has gone back to an earlier epoch: then there is nothing to judge.
        """
        state, problem, loss = self.state, self.problem, epoch.loss
        # First, since Ctrl-C may end it: the curves then stay of one length.
        score, val_loss = np.nan, np.nan
        if problem.validate is not None and not is_lost:
            score, val_loss = problem.validate(theta)
        state.n_iter += 1
        state.loss = loss
        state.loss_curve.append(loss)
        if state.first_bad_epoch is None and not np.isfinite(loss) and not is_lost:
            state.first_bad_epoch = state.n_iter
        self._say("Iteration %d, loss = %.8f", state.n_iter, loss)
        if problem.validate is not None:
            state.validation_scores.append(score)
            self._say("Validation score: %f", score)
        if is_lost:
            state.n_no_change = 0
        elif problem.stops_early:
            self._count(score < state.best_score + self.tol)
            self._keep_if_best(score, theta)
        else:
            self._count(loss > state.best_loss - self.tol)
        now = time.perf_counter()
        numbers = epoch.rate, epoch.batch_size, epoch.grad_norm, now - self._last
        self._last = now
        state.history.append((loss, val_loss, score, *numbers))
        if loss < state.best_loss:
            state.best_loss = loss
        return self._reason_to_stop(loss, theta)

    def plateau_message(self) -> str:
        """Return what scikit-learn says when nothing improves any more."""
        watched = "Validation score" if self.problem.stops_early else "Training loss"
        return (
            f"{watched} did not improve more than tol={self.tol:f} for "
            f"{self.n_iter_no_change} consecutive epochs."
        )

    def finish(self) -> None:
        """Put the best parameters into the state, where there is a score to judge them by."""
        state = self.state
        if state.best_theta is not None and (state.has_stopped or not self.problem.one_epoch):
            state.theta, state.best_theta = state.best_theta, None

    def is_lost(self, theta: Array) -> bool:
        """Whether the loss and the parameters are beyond what training can come back from."""
        return self.state.first_bad_epoch is not None and not np.isfinite(theta).all()

    def _reason_to_stop(self, loss: float, theta: Array) -> str | None:
        state, problem = self.state, self.problem
        self.is_told_to_stop = problem.after_epoch is not None and problem.after_epoch(state, theta)
        if self.target_loss is not None and loss <= self.target_loss:
            self._say("Training loss reached target_loss=%f. Stopping.", self.target_loss)
            return "target"
        if state.n_no_change > self.n_iter_no_change:
            state.has_stopped = problem.one_epoch and problem.stops_early
            return "plateau"
        if self.max_time is not None and self._last - self._begin >= self.max_time:
            self._say("max_time=%f seconds are over. Stopping.", self.max_time)
            return "time"
        # Nothing finite will come back; scikit-learn goes on as long as there is a score.
        if not problem.stops_early and self.is_lost(theta):
            return "diverged"
        return None

    def _say(self, message: str, *values: float) -> None:
        if self.problem.verbose:
            print(message % values)

    def _count(self, is_stagnant: bool) -> None:
        self.state.n_no_change = self.state.n_no_change + 1 if is_stagnant else 0

    def _keep_if_best(self, score: float, theta: Array) -> None:
        if score > self.state.best_score:
            self.state.best_score = score
            self.state.best_epoch = self.state.n_iter
            self.state.best_theta = theta.copy()


def not_converged(max_iter: int) -> Warning:
    """Return the warning that the iterations have run out."""
    return ConvergenceWarning(
        f"Stochastic Optimizer: Maximum iterations ({max_iter}) reached and the optimization "
        "hasn't converged yet."
    )


def mark_interrupted(state: TrainingState) -> None:
    """Note that Ctrl-C has ended the training early."""
    state.is_interrupted = True
    state.ending = UserWarning("Training interrupted by user.")
