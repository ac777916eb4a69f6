"""What is trained on, and what is validated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.samples import Samples


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
    """

    samples: Samples
    y: Array
    labels: Any
    given_weight: Array | None = None
    sample_weight: Array | None = None


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
