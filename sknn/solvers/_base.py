"""What a solver is given and what it returns."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._component import Component
from sknn._math import Array
from sknn._warn import warn
from sknn.augmentation import Augmentation
from sknn.objective import Objective

HISTORY = ("loss", "val_loss", "val_score", "learning_rate", "batch_size", "grad_norm", "seconds")
"""What is noted of each epoch; NaN where there is no such thing."""


@dataclass
class TrainingState:
    """All that changes while a model is trained, and all that resuming needs.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        The parameters.
    moments : dict of ndarray or None
        The optimizer's arrays; None before its first step.
    n_steps, n_epochs : int
        Steps and epochs since the optimizer was initialised.
    n_iter : int
        Epochs (or iterations) of the current call.
    t : int
        Samples seen in all.
    plateau_factor : float
        By what the plateaus so far have multiplied the learning rate.
    loss : float
        The last loss.
    loss_curve, validation_scores : list of float
        One entry an epoch; the scores only of epochs with a validation set.
    history : list of tuple of float
        A row of `HISTORY` for each epoch.
    best_loss, best_score : float
        The lowest loss, the highest validation score.
    best_epoch : int
        The epoch of the current call after which the score was highest; 0 before the first.
    best_theta : ndarray or None
        The parameters after that epoch.
    has_stopped : bool
        Whether early stopping has ended a training that goes on epoch by epoch.
    n_recoveries : int
        How often the current call has gone back after a divergence.
    recovery_factor : float
        By what that has multiplied the learning rate; by calls of `partial_fit` together.
    n_in_vain : int
        How often in a row it has gone back without coming to a good epoch.
    recovered_at : int
        The epoch of the current call in which it went back last; 0 before.
    has_converged : bool
        Whether the current call has ended since nothing improved any more.
    n_no_change : int
        Epochs in a row without an improvement by more than tol.
    first_bad_epoch : int or None
        The first epoch of the current call whose loss was not finite.
    ending : Warning, Exception or None
        What there is to say at the end of the current call; `solve` says it to its caller.
    is_interrupted : bool
        Whether Ctrl-C has ended the current call.
    """

    theta: Array
    moments: dict[str, Array] | None = None
    n_steps: int = 0
    n_epochs: int = 0
    n_iter: int = 0
    t: int = 0
    plateau_factor: float = 1.0
    loss: float = np.nan
    loss_curve: list[float] = field(default_factory=list)
    validation_scores: list[float] = field(default_factory=list)
    history: list[tuple[float, ...]] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    best_epoch: int = 0
    best_theta: Array | None = None
    has_stopped: bool = False
    n_recoveries: int = 0
    recovery_factor: float = 1.0
    n_in_vain: int = 0
    recovered_at: int = 0
    has_converged: bool = False
    n_no_change: int = 0
    first_bad_epoch: int | None = None
    ending: Exception | None = None
    is_interrupted: bool = False

    def for_next_call(self, theta: Array) -> TrainingState:
        """Return the state that a further call goes on from, with parameters of its own."""
        return replace(
            self,
            theta=theta,
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            history=list(self.history),
            n_iter=0,
            first_bad_epoch=None,
            best_epoch=0,
            n_recoveries=0,
            recovered_at=0,
            has_converged=False,
            has_stopped=False,
        )

    def without_optimizer(self) -> TrainingState:
        """Return the state with which an optimizer begins anew."""
        return replace(
            self,
            moments=None,
            n_steps=0,
            n_epochs=0,
            plateau_factor=1.0,
            recovery_factor=1.0,
            n_in_vain=0,
        )


@dataclass
class Problem:
    """One model to be trained: an objective with its data and its numbers.

    Attributes
    ----------
    objective : Objective
    solver : Solver
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        The targets, as numbers or bools.
    sample_weight : ndarray of shape (n_samples,) or None
    rows : ndarray of int or None
        The rows to train on; None for all.
    state : TrainingState
        Where to start; consumed.
    rng : RandomState
        Where the shuffles are drawn from.
    rng_is_own : bool
        Whether nobody else uses it, also not afterwards.
    validate : callable or None
        ``validate(theta)`` returns a score, the higher the better, and the loss on other samples.
    stops_early : bool
        Whether the score decides when to stop, and which parameters are the best.
    before_epoch : callable or None
        ``before_epoch()`` is called when an epoch begins.
    after_epoch : callable or None
        ``after_epoch(state, theta)`` is called with the parameters to be judged and returns whether
        to stop.
    explain : callable or None
        ``explain(state)`` returns what to add to a warning that training has not converged.
    augmentation : Augmentation or None
        Changes each batch at random.
    seed : sequence of int
        Seeds the random numbers of layers and of the augmentation.
    keeps_incoming : bool
        Whether the initial parameters, too, may turn out to be the best.
    one_epoch : bool
        Whether to run a single epoch, without a word about convergence.
    verbose : bool
        Whether to print a line an epoch.
    key : hashable or None
        What it has in common with the problems that it may be stacked with, see
        `Solver.stack_key`.
    """

    objective: Objective
    solver: Solver
    X: Any
    y: Array
    sample_weight: Array | None
    rows: Array | None
    state: TrainingState
    rng: np.random.RandomState
    rng_is_own: bool = False
    validate: Callable[[Array], tuple[float, float]] | None = None
    stops_early: bool = False
    before_epoch: Callable[[], object] | None = None
    explain: Callable[[TrainingState], str] | None = None
    after_epoch: Callable[[TrainingState, Array], bool] | None = None
    augmentation: Augmentation | None = None
    seed: tuple[int, ...] = (0,)
    keeps_incoming: bool = False
    one_epoch: bool = False
    verbose: bool = False
    key: Hashable = None


class Solver(Component):
    """Contract of a solver: it minimises the objectives of a stack of problems."""

    @abstractmethod
    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        """Train the models of a stack together; return their states in order.

        The problems have the same `stack_key`; numbers, data and random streams may differ.
        Ctrl-C ends the training of all models early, which their states then say.
        """

    def stack_key(self, problem: Problem) -> Hashable:
        """Return what the problems of a stack must have in common.

        None says that the problem is solved where it comes up; ALONE that it is not stacked, but
        best solved by the thread that trains the stacks.
        """
        return None

    def bytes_per_model(self, problem: Problem) -> int:
        """Return about how much memory a model's part of a step works on."""
        return problem.state.theta.nbytes


ALONE = "alone"
"""The key of a problem that only wants another thread, see `Solver.stack_key`."""

Meet: TypeAlias = Callable[[Problem], TrainingState]
"""Trains a problem, together with others of the same kind if there are any."""

MEETING: ContextVar[Meet | None] = ContextVar("sknn_meeting", default=None)
"""Where the problems of many fits meet to be trained as stacks; None: each is trained alone."""


def solve(problem: Problem) -> TrainingState:
    """Train one model with the solver that its problem names.

    Raises
    ------
    Exception
        If the problem's `validate` has raised it.
    """
    meet = MEETING.get()
    if meet is not None and not problem.one_epoch:
        problem.key = problem.solver.stack_key(problem)
    if meet is None or problem.key is None:
        [state] = problem.solver.minimize([problem])
    else:
        state = meet(problem)
    ending, state.ending = state.ending, None
    if isinstance(ending, Warning):
        category = type(ending)
        is_about_convergence = issubclass(category, ConvergenceWarning)
        if is_about_convergence and problem.explain is not None and not _is_ignored(category):
            ending = category(f"{ending}{problem.explain(state)}")
        warn(ending, category)
    elif ending is not None:
        raise ending
    return state


def _is_ignored(category: type[Warning]) -> bool:
    """Whether the filters leave out all warnings of a category."""
    for action, message, other, module, _ in warnings.filters:
        if issubclass(category, other):
            return action == "ignore" and message is None and module is None
    return False
