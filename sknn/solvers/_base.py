"""What a solver is given and what it returns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn._component import Component
from sknn._math import Array
from sknn.objective import Objective


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
        (loss, validation score or NaN, scheduled learning rate or NaN) of each epoch.
    best_loss, best_score : float
        The lowest loss, the highest validation score.
    n_no_change : int
        Epochs in a row without an improvement by more than tol.
    first_bad_epoch : int or None
        The first epoch of the current call whose loss was not finite.
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
    history: list[tuple[float, float, float]] = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    n_no_change: int = 0
    first_bad_epoch: int | None = None


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
    validate : callable or None
        ``validate(theta)`` returns the score that early stopping watches.
    keeps_incoming : bool
        Whether the initial parameters, too, may turn out to be the best.
    one_epoch : bool
        Whether to run a single epoch, without a word about convergence.
    verbose : bool
        Whether to print a line an epoch.
    """

    objective: Objective
    solver: Solver
    X: Any
    y: Array
    sample_weight: Array | None
    rows: Array | None
    state: TrainingState
    rng: np.random.RandomState
    validate: Callable[[Array], float] | None = None
    keeps_incoming: bool = False
    one_epoch: bool = False
    verbose: bool = False


class Solver(Component):
    """Contract of a solver: it minimises the objectives of a stack of problems."""

    @abstractmethod
    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        """Train the models of a stack together; return their states in order.

        The problems have networks, losses and solvers of the same structure, the same
        number of samples and the same dtype; numbers, data and random streams may differ.
        """


def solve(problem: Problem) -> TrainingState:
    """Train one model with the solver that its problem names."""
    return problem.solver.minimize([problem])[0]
