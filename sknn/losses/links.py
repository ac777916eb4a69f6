"""Losses by their inverse links: from raw scores to predictions."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit, logit

from sknn._math import Array
from sknn.losses._base import Loss
from sknn.operations import DIVISION, FUNCTION, LOGISTIC, SIMPLE

RARE = 1e-4
"""The least probability that a class is taken to have when training begins."""


class LogisticLink(Loss):
    """Losses of outputs that are true or not, each by itself."""

    out_activation = "logistic"

    def link_operations(self, n_raw: int) -> int:
        return LOGISTIC * n_raw

    def inverse_link(self, raw: Array) -> None:
        expit(raw, out=raw)

    def pull_back(self, predicted: Array, slope: Array) -> None:
        slope *= predicted * (1 - predicted)

    def link(self, mean: Array) -> Array | None:
        return np.asarray(logit(np.clip(mean, RARE, 1 - RARE)))

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probability, which is never -inf.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, overwritten.
        """
        clip_to_finite(raw)
        # Above 1/2 the logarithm of the rounded probability, so that both rank alike.
        raw[...] = np.where(raw > 0, np.log(expit(np.maximum(raw, 0))), log_expit(raw))


class SoftmaxLink(Loss):
    """Losses of outputs of which exactly one is true."""

    out_activation = "softmax"

    def link_operations(self, n_raw: int) -> int:
        return SOFTMAX * n_raw

    def inverse_link(self, raw: Array) -> None:
        probabilities = np.empty_like(raw)
        softmax(raw, probabilities)
        raw[...] = probabilities

    def pull_back(self, predicted: Array, slope: Array) -> None:
        slope -= (predicted * slope).sum(axis=-2, keepdims=True)
        slope *= predicted

    def link(self, mean: Array) -> Array | None:
        return np.log(np.maximum(mean, RARE))

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probabilities, which is never -inf.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, overwritten.
        """
        clip_to_finite(raw)
        raw -= raw.max(axis=-2, keepdims=True)
        raw -= np.log(np.exp(raw).sum(axis=-2, keepdims=True))


class LogLink(Loss):
    """Losses of a positive mean, whose logarithm is the raw score."""

    out_activation = "exp"
    grows_fast = True

    def link_operations(self, n_raw: int) -> int:
        return FUNCTION * n_raw

    def inverse_link(self, raw: Array) -> None:
        np.exp(raw, raw)

    def pull_back(self, predicted: Array, slope: Array) -> None:
        slope *= predicted

    def link(self, mean: Array) -> Array | None:
        return np.log(mean, out=np.zeros_like(mean), where=mean > 0)


class IdentityLink(Loss):
    """Losses whose raw score is the prediction."""

    def link_operations(self, n_raw: int) -> int:
        return 0

    def inverse_link(self, raw: Array) -> None:
        pass

    def pull_back(self, predicted: Array, slope: Array) -> None:
        pass

    def link(self, mean: Array) -> Array | None:
        return mean


def clip_to_finite(raw: Array) -> None:
    """Replace infinite scores, in place, by large ones whose differences are finite."""
    largest = np.finfo(raw.dtype).max / 4
    np.clip(raw, -largest, largest, out=raw)


SOFTMAX = FUNCTION + DIVISION + 3 * SIMPLE
"""What each score of `softmax` costs."""


def softmax(raw: Array, out: Array) -> None:
    """Write the softmax over the outputs to `out`, another array; `raw` is consumed."""
    # The first row of whichever array is free at the moment serves as the buffer.
    largest, total = out[..., :1, :], raw[..., :1, :]
    np.maximum.reduce(raw, axis=-2, keepdims=True, out=largest)
    np.subtract(raw, largest, raw)
    np.exp(raw, out)
    np.add.reduce(out, axis=-2, keepdims=True, out=total)
    np.divide(out, total, out)
