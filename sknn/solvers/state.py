"""What changes while a model is trained, and all that going on needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.ledger import NOTHING, Spent
from sknn.plain import kept

HISTORY = ("loss", "val_loss", "val_score", "learning_rate", "batch_size", "grad_norm", "seconds")
"""What is noted of each epoch; NaN where there is no such thing."""


@kept
@dataclass(frozen=True)
class Good:
    """The last epoch that was good, to which a training that diverges goes back.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
    moments : dict of ndarray
    loss : float
        The loss after that epoch, on a few rows.
    best_loss : float
        The lowest such loss of all epochs.
    is_latest : bool
        Whether the latest epoch is the good one.
    """

    theta: Array
    moments: dict[str, Array]
    loss: float
    best_loss: float
    is_latest: bool = True


@kept
@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a training stands between two epochs: with it, it goes on as if it had not been cut.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        The latest parameters, also where an average or an earlier epoch is the result.
    moments : dict of ndarray
        The optimizer's arrays that belong to them, and the average, in the units of `step`.
    batch_size : int
        Samples in the batches of the next epoch.
    order : ndarray of int, shape (n_samples,)
        The rows in the order of the latest epoch, which the next one shuffles.
    draws : RandomState, tuple or None
        The generator of that order if nobody else uses it, else its state; None without shuffling.
    noise : ndarray of uint64, shape (batch_size, n_noise)
        The random bits of the network's layers.
    generator : dict or None
        The state of the augmentation's random numbers.
    good : Good or None
        Where to go back to, if the training recovers.
    n_workers : int
        How many workers share a step; sums depend on it in their last digit.
    """

    theta: Array
    moments: dict[str, Array]
    batch_size: int
    order: Array
    draws: Any
    noise: Array
    generator: Any
    good: Good | None
    n_workers: int


@kept
@dataclass
class TrainingState:
    """What has become of a model so far.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        The parameters; at the end of a training its result.
    moments : dict of ndarray or None
        The optimizer's arrays; None before its first step.
    moment_units : dict of float
        What they have to be multiplied by to be the published rule's; 1 where there is no entry.
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
    has_run_out : bool
        Whether the current call has ended since it had no more epochs, and for no other reason.
    ending : Warning, Exception or None
        What there is to say at the end of the current call; `solve` says it to its caller.
    is_interrupted : bool
        Whether Ctrl-C has ended the current call.
    spent : Spent
        What all calls have cost.
    operations_before : int
        The operations of the calls before the current one.
    n_threads : int or None
        How many threads there were when the training began; calls that go on share as it did.
    position : Position or None
        What going on after the latest epoch needs beside all this; None with lbfgs, and in a state
        that has only been published.
    beginning : TrainingState or None
        With lbfgs, whose memory SciPy hides, the state before the first iteration of the current
        call: there a training that was cut begins again, and comes to the same.
    """

    theta: Array
    moments: dict[str, Array] | None = None
    moment_units: dict[str, Any] = field(default_factory=dict)
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
    has_run_out: bool = False
    ending: Exception | None = None
    is_interrupted: bool = False
    spent: Spent = NOTHING
    operations_before: int = 0
    n_threads: int | None = None
    position: Position | None = None
    beginning: TrainingState | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Before 0.3.0 the moments were in the units of the published rule; some attributes went.
        known = {name: state[name] for name in self.__dataclass_fields__ if name in state}
        self.__dict__.update({"moment_units": {}} | known)

    def operations_left(self, most: float | None) -> float:
        """Return how many of so many operations the current call may still make; None: any.

        Parameters
        ----------
        most : float or None
            The budget.

        Returns
        -------
        float
            Infinity without a budget.
        """
        return math.inf if most is None else most - (self.spent.operations - self.operations_before)

    def to_plain(self) -> dict[str, Any]:
        """Return what it is made of, the rows of the history in one array.

        Returns
        -------
        dict
            Fields by name.
        """
        return {**vars(self), "history": np.array(self.history, float).reshape(-1, len(HISTORY))}

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> TrainingState:
        """Return the state that is made of this.

        Parameters
        ----------
        state : dict
            What `to_plain` has returned.

        Returns
        -------
        TrainingState
            The state.
        """
        rows = [tuple(row) for row in state["history"].tolist()]
        return cls(**state | {"history": rows})

    def detached(self) -> TrainingState:
        """Return a copy that shares no array that training writes to.

        Returns
        -------
        TrainingState
            With copies of these arrays.
        """
        moments = self.moments
        if moments is not None:
            moments = {name: array.copy() for name, array in moments.items()}
        return self.copy()._changed(theta=self.theta.copy(), moments=moments)

    def for_next_call(self, theta: Array) -> TrainingState:
        """Return the state that a further call goes on from, with parameters of its own.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The parameters to begin with.

        Returns
        -------
        TrainingState
            With what goes on from call to call.
        """
        return self._changed(
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
            has_run_out=False,
            is_interrupted=False,
            operations_before=self.spent.operations,
            position=None,
            beginning=None,
        )

    def _changed(self, **attributes: Any) -> TrainingState:
        # As dataclasses.replace does, in a sixth of the time: it is done in every fit.
        other = object.__new__(type(self))
        other.__dict__.update(vars(self), **attributes)
        return other

    def copy(self) -> TrainingState:
        """Return a copy that goes its own way, for a solver that writes to none of the arrays.

        Returns
        -------
        TrainingState
            With the same arrays, and lists of its own.
        """
        return self._changed(
            loss_curve=list(self.loss_curve),
            validation_scores=list(self.validation_scores),
            history=list(self.history),
        )

    def without_optimizer(self) -> TrainingState:
        """Return the state with which an optimizer begins anew.

        Returns
        -------
        TrainingState
            Without moments, and without the steps and epochs that these have seen.
        """
        return self._changed(
            moments=None,
            moment_units={},
            n_steps=0,
            n_epochs=0,
            plateau_factor=1.0,
            recovery_factor=1.0,
            n_in_vain=0,
        )

    def trimmed(self) -> TrainingState:
        """Return the state without what only going on needs, and without measured times.

        Returns
        -------
        TrainingState
            From which nothing can go on to the same bits.
        """
        history = [(*row[:-1], np.nan) for row in self.history]  # the seconds come last
        return self.without_optimizer()._changed(
            best_theta=None, history=history, spent=self.spent.timeless()
        )

    def to_keep(self) -> TrainingState:
        """Return what a fitted estimator keeps; it has theta itself, and nothing is going on.

        Returns
        -------
        TrainingState
            Without theta, and without what only the current call needs.
        """
        return self._changed(
            theta=np.empty(0),
            history=list(self.history),
            ending=None,
            position=None,
            beginning=None,
        )
