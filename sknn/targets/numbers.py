"""Targets on a continuous scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.losses import by_sample
from sknn.losses.scores import d2_pinball, r2
from sknn.plain import kept
from sknn.targets._base import Targets, TargetSettings


@kept
@dataclass(frozen=True, kw_only=True)
class Numbers(Targets):
    """Numbers, one or more for each sample.

    Attributes
    ----------
    n_columns : int
        How many.
    """

    n_columns: int

    are_numbers = True

    @property
    def n_outputs(self) -> int:
        return self.n_columns

    @classmethod
    def learn(cls, y: Array, settings: TargetSettings) -> Numbers:
        """Return the targets of which `y` are some.

        Parameters
        ----------
        y : array-like
            Targets as users have them.
        settings : TargetSettings
            What the estimator's parameters say of them.

        Returns
        -------
        Numbers
            With as many columns as y has.
        """
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        return cls(settings=settings, loss=settings.loss, n_columns=n_columns)

    def published(self) -> dict[str, Any]:
        return {"n_outputs_": self.n_outputs}

    def check(self, y: Any, must_have_all: bool = False, name: str = "y") -> None:
        pass  # their number is checked where they are encoded

    def encode(self, y: Any) -> Array:
        loss = self.settings.loss
        outside = y <= loss.lowest if loss.is_open else y < loss.lowest
        if outside.any():
            row = int(np.argmax(outside.reshape(len(y), -1).any(axis=1)))
            raise ValueError(
                f"loss={self.settings.loss_name!r} needs y {'>' if loss.is_open else '>='} "
                f"{loss.lowest:g}; found {np.min(y[row])} at row {row}."
            )
        numbers = y.astype(np.float64) if y.dtype == bool else y  # bools have no differences
        return np.asarray(numbers.reshape(len(y), -1))

    def predict(self, raw: Array) -> Array:
        return self.loss.predictions(raw)

    def predict_with_deviations(self, raw: Array) -> tuple[Array, Array]:
        """Return means and standard deviations; the loss must predict them.

        Parameters
        ----------
        raw : ndarray of shape (n_raw, n_samples)
            Raw scores, consumed.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_targets)
            The means.
        deviation : ndarray of the same shape
            The standard deviations.
        """
        self.loss.inverse_link(raw)
        mean, deviation = self.loss.kinds(raw)
        return by_sample(mean), by_sample(deviation)

    def score(self, raw: Array, encoded: Array, weight: Array | None) -> float:
        self.loss.inverse_link(raw)
        kinds, levels = self.loss.kinds(raw), self.loss.score_levels
        if not levels:
            return r2(encoded.T, kinds[0], weight)
        pairs = zip(levels, kinds, strict=True)
        return float(np.mean([d2_pinball(encoded.T, q, level, weight) for level, q in pairs]))
