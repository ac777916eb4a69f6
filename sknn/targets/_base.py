"""The contract of targets: from what users pass as y to the network's outputs, and back.

Targets are learnt once, from the first y. What later calls bring is checked against them. They do
not change: `adopt` and `weighted` return others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from sknn._math import Array
from sknn.losses import Loss
from sknn.plain import kept


@kept
@dataclass(frozen=True, kw_only=True)
class TargetSettings:
    """What an estimator's parameters say of its targets.

    Attributes
    ----------
    loss : Loss
        As the user has chosen it; targets of classes choose its form.
    loss_name : str
        What the user calls it.
    class_weight : dict, list of dict, "balanced" or None
        As the user has chosen it.
    label_smoothing : float
        The share of the targets that is spread evenly over the classes.
    are_mixed : bool
        Whether an augmentation makes probabilities of them.
    """

    loss: Loss
    loss_name: str = ""
    class_weight: Any = None
    label_smoothing: float = 0.0
    are_mixed: bool = False


@dataclass(frozen=True, kw_only=True)
class Targets(ABC):
    """Targets of one kind.

    Attributes
    ----------
    settings : TargetSettings
        What the estimator's parameters say of them.
    loss : Loss
        The form of the loss that suits them.
    """

    settings: TargetSettings
    loss: Loss

    are_numbers: ClassVar[bool] = False
    """Whether they are on a scale that a loss sees."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """The number of encoded columns."""

    def adopt(self, settings: TargetSettings) -> Self:
        """Return the same targets under the settings of a further call.

        Parameters
        ----------
        settings : TargetSettings
            Those of the call.

        Returns
        -------
        Targets
            Of the same kind.
        """
        return replace(self, settings=settings)

    def weighted(self, encoded: Array, weight: Array | None) -> Self:
        """Return the targets with weights of classes and the loss for the targets of a call.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            The targets of the call.
        weight : ndarray of shape (n_samples,) or None
            The weights that were given.

        Returns
        -------
        Targets
            Of the same kind.
        """
        return replace(self, loss=self.settings.loss)

    @abstractmethod
    def published(self) -> dict[str, Any]:
        """Return the attributes of an estimator that say what was learnt."""

    @abstractmethod
    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        """Raise ValueError if `y` is not of the kind that was learnt.

        Parameters
        ----------
        y : array-like
            The targets of a later call.
        must_have_all : bool, default=False
            Whether each known class has to occur (warm_start).
        name : str, default="y"
            What they are called.
        """

    @abstractmethod
    def encode(self, y: Any) -> Array:
        """Return targets as an array of shape (n_samples, n_outputs), of numbers or bools.

        Parameters
        ----------
        y : array-like
            Targets as users have them.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            What the rest of the package works with.
        """

    def for_training(self, encoded: Array) -> Array:
        """Return encoded targets as training uses them.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            The same, or a smoothed copy.
        """
        return encoded

    def weigh(self, encoded: Array, weight: Array | None) -> Array | None:
        """Return the samples' weights, times those of their classes.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.
        weight : ndarray of shape (n_samples,) or None
            The weights that were given.

        Returns
        -------
        ndarray of shape (n_samples,) or None
            None weighs all alike.
        """
        return weight

    def strata(self, encoded: Array, n_held_out: int) -> Array | None:
        """Return what a split is stratified by, or None.

        Parameters
        ----------
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.
        n_held_out : int
            Samples that are to be held out.

        Returns
        -------
        ndarray of shape (n_samples,) or None
            None splits at random.
        """
        return None

    @abstractmethod
    def score(self, raw: Array, encoded: Array, weight: Array | None) -> float:
        """Return the score that early stopping watches, in float64; `raw` is consumed.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores.
        encoded : ndarray of shape (n_samples, n_outputs)
            Encoded targets.
        weight : ndarray of shape (n_samples,) or None
            Weights of the samples; None weighs all alike.

        Returns
        -------
        float
            The higher the better.
        """

    @abstractmethod
    def predict(self, raw: Array) -> Any:
        """Return what an estimator answers to raw scores (n_raw, n_samples), which are consumed.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        array-like
            Predictions as users have them.
        """

    def doubts(self, best_score: float, encoded: Array, weight: Array | None) -> str:
        """Return why the score that early stopping has watched says little, or an empty text.

        Parameters
        ----------
        best_score : float
            The highest score.
        encoded : ndarray of shape (n_samples, n_outputs)
            Targets of the samples that were validated on.
        weight : ndarray of shape (n_samples,) or None
            Their weights.

        Returns
        -------
        str
            A sentence, or nothing.
        """
        return ""
