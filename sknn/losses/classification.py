"""Cross-entropies."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from sknn._math import Array
from sknn.losses._base import CLASSIFICATION_LOSSES, Loss, sum_outputs
from sknn.losses.links import SOFTMAX, LogisticLink, SoftmaxLink, softmax
from sknn.operations import FUNCTION, LOGISTIC, SIMPLE


class BinaryLogLoss(LogisticLink):
    r"""Cross-entropy of independent yes-no targets, with the logistic link.

    .. math:: L = -y \log p - (1 - y) \log(1 - p), \qquad p = \frac{1}{1 + e^{-z}}

    The gradient is :math:`p - y`. The reported value clips p to [eps, 1 - eps] of the dtype, as
    scikit-learn does; the gradient knows no clipping.

    Parameters
    ----------
    is_soft : bool, default=False
        Whether targets may lie between 0 and 1.

    See Also
    --------
    sknn.losses.LogLoss : For one class among several; becomes this one where it fits.
    sknn.losses.BinaryFocal : Looks more at what is predicted badly.
    sklearn.metrics.log_loss : The same as a metric.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import BinaryLogLoss
    >>> raw, target = np.zeros((1, 1)), np.ones((1, 1))
    >>> BinaryLogLoss().sample_values(raw, target).round(3)  # log(2)
    array([0.693])
    """

    starts_at_target = False

    def __init__(self, is_soft: bool = False) -> None:
        self.is_soft = is_soft

    def for_targets(self, one_of_many: bool, are_soft: bool) -> Loss:
        return log_loss_for(one_of_many, are_soft)

    def operations(self, n_raw: int) -> int:
        logarithm = 2 * FUNCTION + 8 * SIMPLE if self.is_soft else FUNCTION + 6 * SIMPLE
        return (LOGISTIC + 2 * SIMPLE + logarithm) * n_raw + SIMPLE

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        expit(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        # As in scikit-learn 1 - p is taken from the rounded p, so that the line search of L-BFGS
        # sees the same values also where p is nearly 1.
        clip_probability(record)
        rest, log_rest = scratch
        np.subtract(1, target, rest)
        if self.is_soft:
            np.subtract(1, record, log_rest)
            np.log(log_rest, log_rest)
            np.multiply(log_rest, rest, rest)
            np.log(record, record)
            np.multiply(record, target, record)
            np.add(record, rest, record)
            return negate(sum_outputs(record))
        np.subtract(rest, record, record)
        np.absolute(record, record)  # p where y = 1, 1 - p where y = 0
        np.log(record, record)
        return negate(sum_outputs(record))


@CLASSIFICATION_LOSSES.register("log_loss")
class LogLoss(SoftmaxLink):
    r"""Cross-entropy of one class among several, with the softmax link.

    .. math:: L = -\sum_k y_k \log p_k, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}

    The gradient is :math:`p - y`. The reported value clips p to [eps, 1 - eps] of the dtype, as
    scikit-learn does.

    Parameters
    ----------
    is_soft : bool, default=False
        Whether targets may be any distribution over the classes.

    See Also
    --------
    sknn.losses.BinaryLogLoss : What becomes of it for two classes, and for labels.
    sknn.losses.Focal : Looks more at what is predicted badly.
    sklearn.metrics.log_loss : The same as a metric.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.losses import LogLoss
    >>> raw, target = np.zeros((4, 1)), np.eye(4)[:, :1]
    >>> LogLoss().sample_values(raw, target).round(3)  # log(4)
    array([1.386])
    """

    starts_at_target = False

    def __init__(self, is_soft: bool = False) -> None:
        self.is_soft = is_soft

    def for_targets(self, one_of_many: bool, are_soft: bool) -> Loss:
        return log_loss_for(one_of_many, are_soft)

    def operations(self, n_raw: int) -> int:
        gradient = (SOFTMAX + 2 * SIMPLE) * n_raw
        if self.is_soft:
            return gradient + (FUNCTION + 4 * SIMPLE) * n_raw + SIMPLE
        # There is one logarithm, of the probability of the true class.
        return gradient + 2 * SIMPLE * n_raw + FUNCTION + 3 * SIMPLE

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        softmax(raw, record)
        np.subtract(record, target, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        if self.is_soft:
            clip_probability(record)
            np.log(record, record)
            np.multiply(record, target, record)
            return negate(sum_outputs(record))
        np.multiply(record, target, record)
        chosen = sum_outputs(record)
        clip_probability(chosen)
        np.log(chosen, out=chosen)
        return negate(chosen)


def log_loss_for(one_of_many: bool, are_soft: bool) -> Loss:
    """Return the cross-entropy that suits some targets, see :meth:`Loss.for_targets`."""
    return LogLoss(are_soft) if one_of_many else BinaryLogLoss(are_soft)


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
