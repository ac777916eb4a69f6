"""Losses of classifiers."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from sknn._math import Array
from sknn.losses._base import LOSSES, Loss, sum_outputs


@LOSSES.register("binary_log_loss")
class BinaryLogLoss(Loss):
    r"""Cross-entropy of independent yes-no targets, with the logistic link.

    .. math:: L = -y \log p - (1 - y) \log(1 - p), \qquad p = \frac{1}{1 + e^{-z}}

    The gradient is :math:`p - y`. The reported value clips p to [eps, 1 - eps] of the dtype, as
    scikit-learn does; the gradient knows no clipping.
    """

    out_activation = "logistic"

    def gradient(self, raw: Array, target: Array, weight: Array, record: Array) -> None:
        expit(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array) -> Array:
        # As in scikit-learn 1 - p is taken from the rounded p, so that the line search of L-BFGS
        # sees the same values also where p is nearly 1.
        clip_probability(record)
        np.subtract(1, target, scratch)
        np.subtract(scratch, record, record)
        np.absolute(record, record)  # p where y = 1, 1 - p where y = 0
        np.log(record, record)
        return negate(sum_outputs(record))

    def inverse_link(self, raw: Array) -> None:
        expit(raw, out=raw)

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probability, which is never -inf."""
        clip_to_finite(raw)
        # Above 1/2 the logarithm of the rounded probability, so that both rank alike.
        raw[...] = np.where(raw > 0, np.log(expit(np.maximum(raw, 0))), log_expit(raw))


@LOSSES.register("log_loss")
class LogLoss(Loss):
    r"""Cross-entropy of one class among several, with the softmax link.

    .. math:: L = -\sum_k y_k \log p_k, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}

    The gradient is :math:`p - y`. The reported value clips p to [eps, 1 - eps] of the dtype, as
    scikit-learn does.
    """

    out_activation = "softmax"

    def gradient(self, raw: Array, target: Array, weight: Array, record: Array) -> None:
        softmax(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array) -> Array:
        np.multiply(record, target, record)
        chosen = sum_outputs(record)
        clip_probability(chosen)
        np.log(chosen, out=chosen)
        return negate(chosen)

    def inverse_link(self, raw: Array) -> None:
        probabilities = np.empty_like(raw)
        softmax(raw, probabilities)
        raw[...] = probabilities

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probabilities, which is never -inf."""
        clip_to_finite(raw)
        raw -= raw.max(axis=-2, keepdims=True)
        raw -= np.log(np.exp(raw).sum(axis=-2, keepdims=True))


def negate(a: Array) -> Array:
    """Change the sign in place, and return the array."""
    # Not np.negative: with AVX-512, NumPy 2.4 computes it wrongly for some strided arrays.
    return np.multiply(a, -1, a)


def clip_probability(p: Array) -> None:
    """Bring p into [eps, 1 - eps], in place, so that its logarithm is finite."""
    lowest, highest = _CLIP[p.dtype]
    np.maximum(p, lowest, out=p)
    np.minimum(p, highest, out=p)


_CLIP = {
    np.dtype(kind): (np.asarray(np.finfo(kind).eps), np.asarray(1 - np.finfo(kind).eps))
    for kind in (np.float32, np.float64)
}


def clip_to_finite(raw: Array) -> None:
    """Replace infinite scores, in place, by large ones whose differences are finite."""
    largest = np.finfo(raw.dtype).max / 4
    np.clip(raw, -largest, largest, out=raw)


def softmax(raw: Array, out: Array) -> None:
    """Write the softmax over the outputs to `out`, another array; `raw` is consumed."""
    # The first row of whichever array is free at the moment serves as the buffer.
    largest, total = out[..., :1, :], raw[..., :1, :]
    np.maximum.reduce(raw, axis=-2, keepdims=True, out=largest)
    np.subtract(raw, largest, raw)
    np.exp(raw, out)
    np.add.reduce(out, axis=-2, keepdims=True, out=total)
    np.divide(out, total, out)
