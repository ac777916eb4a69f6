"""When to stop, epoch by epoch."""

from __future__ import annotations

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._math import Array
from sknn.solvers._base import Problem, TrainingState


class Monitor:
    """Watches one model: keeps its curves, its best parameters, and says when it is done.

    Training stops once the loss has reached `target_loss`, or once neither the training loss
    nor, with a validation score, that score has improved by more than `tol` for more than
    `n_iter_no_change` epochs in a row. As in scikit-learn the count goes on from call to call;
    with a validation score, whose best belongs to the current call, it begins anew.

    Parameters
    ----------
    problem : Problem
        The model; its solver has the numbers.
    tol : float
    n_iter_no_change : int or inf
    target_loss : float or None
    """

    def __init__(
        self,
        problem: Problem,
        tol: float,
        n_iter_no_change: float,
        target_loss: float | None,
    ) -> None:
        self.problem = problem
        self.state = problem.state
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.target_loss = target_loss
        self._best_theta: Array | None = None
        if problem.validate is not None:
            # The best of the current call, whatever an earlier one has seen.
            self.state.best_score, self.state.n_no_change = -np.inf, 0
            if problem.keeps_incoming:
                self._keep_if_best(problem.validate(self.state.theta), self.state.theta)

    def end_epoch(self, loss: float, theta: Array, rate: float) -> str | None:
        """Take note of an epoch; return why training should stop, or None to go on."""
        state, validate = self.state, self.problem.validate
        # First, since Ctrl-C may end it: the curves then stay of one length.
        score = np.nan if validate is None else float(validate(theta))
        state.n_iter += 1
        state.loss = loss
        state.loss_curve.append(loss)
        if state.first_bad_epoch is None and not np.isfinite(loss):
            state.first_bad_epoch = state.n_iter
        self._say("Iteration %d, loss = %.8f", state.n_iter, loss)
        if validate is not None:
            state.validation_scores.append(score)
            self._say("Validation score: %f", score)
            self._count(score < state.best_score + self.tol)
            self._keep_if_best(score, theta)
        else:
            self._count(loss > state.best_loss - self.tol)
        state.history.append((loss, score, rate))
        if loss < state.best_loss:
            state.best_loss = loss
        if self.target_loss is not None and loss <= self.target_loss:
            self._say("Training loss reached target_loss=%f. Stopping.", self.target_loss)
            return "target"
        if state.n_no_change > self.n_iter_no_change:
            return "plateau"
        if state.first_bad_epoch is not None and self._is_lost(theta):
            return "diverged"
        return None

    def plateau_message(self) -> str:
        """Return what scikit-learn says when nothing improves any more."""
        watched = "Training loss" if self.problem.validate is None else "Validation score"
        return (
            f"{watched} did not improve more than tol={self.tol:f} for "
            f"{self.n_iter_no_change} consecutive epochs."
        )

    def finish(self) -> None:
        """Put the best parameters into the state, where there is a score to judge them by."""
        if self._best_theta is not None:
            self.state.theta = self._best_theta

    def _say(self, message: str, *values: float) -> None:
        if self.problem.verbose:
            print(message % values)

    def _count(self, is_stagnant: bool) -> None:
        self.state.n_no_change = self.state.n_no_change + 1 if is_stagnant else 0

    def _keep_if_best(self, score: float, theta: Array) -> None:
        if score > self.state.best_score:
            self.state.best_score = score
            self._best_theta = theta.copy()

    def _is_lost(self, theta: Array) -> bool:
        """Whether training can only end in an error: nothing finite will come back."""
        return self.problem.validate is None and not np.isfinite(theta).all()


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
