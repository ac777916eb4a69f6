"""What is trained on, and what is validated on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.network import Network
from sknn.samples import Samples
from sknn.targets import Targets


class Judge(ABC):
    """Validates on samples that are elsewhere.

    Attributes
    ----------
    n_samples : int
        How many they are.
    """

    n_samples: int

    @abstractmethod
    def judge(
        self, network: Network, targets: Targets, scoring: Any, theta: Array
    ) -> tuple[float, float]:
        """Return the score, the higher the better, and the loss.

        Parameters
        ----------
        network : Network
            What is judged.
        targets : Targets
            With the loss and the weights of classes.
        scoring : None or "loss"
            What the score is.
        theta : ndarray of shape (n_parameters,)
            The parameters.

        Returns
        -------
        tuple of float
            Score and loss.
        """


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Samples to validate on.

    Attributes
    ----------
    samples : Samples
        The samples.
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    labels : array-like
        The targets as they were given, for scorers.
    given_weight : ndarray of shape (n_samples,) or None
        The weights that were given, for scorers.
    sample_weight : ndarray of shape (n_samples,) or None
        Those, times the weights of classes, for the loss and the score of one's own.
    judge : Judge or None
        Who validates, where the samples are elsewhere and these are a few of them.
    """

    samples: Samples
    y: Array
    labels: Any
    given_weight: Array | None = None
    sample_weight: Array | None = None
    judge: Judge | None = None

    @property
    def n_samples(self) -> int:
        """The number of samples."""
        return len(self.y) if self.judge is None else self.judge.n_samples


@dataclass(frozen=True)
class TrainingSet:
    """Samples to train on; a part of them may be held out.

    Attributes
    ----------
    samples : Samples
        The samples.
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    labels : array-like
        The targets as they were given, for splitters and scorers.
    sample_weight : ndarray of shape (n_samples,) or None
        The weights that were given.
    groups : array-like of shape (n_samples,) or None
        For a splitter; not validated.
    held_out : HeldOut or None
        Samples to validate on that were given.
    """

    samples: Samples
    y: Array
    labels: Any
    sample_weight: Array | None = None
    groups: Any = None
    held_out: HeldOut | None = None

    @property
    def n_samples(self) -> int:
        """The number of samples."""
        elsewhere = self.samples.n_elsewhere
        return len(self.y) if elsewhere is None else elsewhere

    def described(self) -> dict[str, Any]:
        """Return what training depends on, in arrays, under the names that users know.

        Returns
        -------
        dict of ndarray
            Arrays by name.
        """
        held_out, groups = self.held_out, self.groups
        validated = None
        if held_out is not None:
            labels = np.asarray(held_out.labels)
            validated = held_out.samples.described(), held_out.y, labels, held_out.given_weight
        return {
            "X": self.samples.described(),
            "y": self.y,
            "sample_weight": self.sample_weight,
            "groups": None if groups is None else np.asarray(groups),
            "X_val, y_val": validated,
        }
