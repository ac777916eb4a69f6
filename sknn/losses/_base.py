"""The contract of a loss.

Conventions, once for all losses:

- *raw* holds the network's raw scores **output by output**: the last two axes are
  (n_outputs, n_samples). Sums over outputs then run along whole rows of samples, which
  costs half of what short rows of outputs do.
- A loss owns its link: it turns raw scores into a value, a gradient and, through the
  inverse link, a prediction.
- The objective is a weighted mean over samples and a sum over outputs. What is reported
  may differ by the constant `reported`, see there.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array


class Loss(Component):
    """Contract of a loss function.

    Attributes
    ----------
    out_activation : str
        scikit-learn's name of the inverse link (``out_activation_``).
    """

    out_activation: str

    @abstractmethod
    def gradient(self, raw: Array, target: Array, weight: Array, record: Array) -> None:
        """Replace raw by dL/draw, and leave in `record` what `values` needs.

        Parameters
        ----------
        raw, target, record : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, targets as numbers, and room of the same shape.
        weight : ndarray, broadcastable to raw
            Weights of the samples, divided by their sum; 1 / n_samples without weights.
        """

    @abstractmethod
    def values(self, record: Array, target: Array, scratch: Array) -> Array:
        """Return each sample's loss, summed over outputs; `record` and `scratch` are consumed.

        Returns
        -------
        ndarray of shape (..., n_samples)
            A view into `record`.
        """

    @abstractmethod
    def inverse_link(self, raw: Array) -> None:
        """Replace raw by predictions, in place."""

    def reported(self, n_outputs: int) -> float:
        """Return what scikit-learn's reported loss is divided by (its issue 8349)."""
        return 1.0


LOSSES: Registry[Loss] = Registry("loss")


def sum_outputs(values: Array) -> Array:
    """Sum in place over the outputs axis, into its first row, and return that row."""
    total = values[..., 0, :]
    for k in range(1, values.shape[-2]):
        np.add(total, values[..., k, :], out=total)
    return total
