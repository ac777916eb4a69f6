"""Focal losses: cross-entropies that look less at what is already right."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit

from sknn._constraints import Interval
from sknn._math import Array
from sknn.losses._base import CLASSIFICATION_LOSSES, POWER, Loss, power, sum_outputs
from sknn.losses.classification import negate
from sknn.losses.links import LogisticLink, SoftmaxLink
from sknn.operations import DIVISION, FUNCTION, LOGISTIC, SIMPLE, SOFTPLUS


@CLASSIFICATION_LOSSES.register("focal")
class Focal(SoftmaxLink):
    r"""Cross-entropy, times a power of how wrong the prediction is.

    .. math:: L = -\sum_k y_k (1 - p_k)^\gamma \log p_k

    With :math:`a_k = y_k (\gamma p_k (1 - p_k)^{\gamma - 1} \log p_k - (1 - p_k)^\gamma)` the
    gradient is :math:`a_j - p_j \sum_k a_k`. With :math:`\gamma = 0` it is the log loss, whose
    reported value clips p; here nothing is clipped.

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent, at least 0.

    See Also
    --------
    sknn.losses.LogLoss : Without the power.
    sknn.losses.BinaryFocal : What becomes of it for two classes, and for labels.

    References
    ----------
    Lin, T.-Y., Goyal, P., Girshick, R., He, K. and Dollár, P., "Focal loss for dense object
    detection", ICCV 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.losses import Focal
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(loss=Focal(gamma=1.0), tol=0.01, random_state=0)
    >>> net.fit(X, y).predict(X[:2])
    array([0, 0])
    """

    constraints: ClassVar = {"gamma": [Interval(Real, 0, None)]}

    def __init__(self, gamma: float = 2.0) -> None:
        self.gamma = gamma

    def for_targets(self, one_of_many: bool, are_soft: bool) -> Loss:
        return self if one_of_many else BinaryFocal(self.gamma)

    def constants(self) -> tuple[Any, ...]:
        return (self.gamma,)

    def operations(self, n_raw: int) -> int:
        # Its own softmax has one logarithm a sample.
        gradient = 3 * FUNCTION + POWER + DIVISION + 15 * SIMPLE
        value = FUNCTION + POWER + 4 * SIMPLE
        return (gradient + value) * n_raw + FUNCTION + SIMPLE

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        (gamma,) = constants
        p, rest = scratch
        _log_softmax(raw, record, scratch[0])
        np.exp(record, p)
        np.expm1(record, rest)
        # -a_k = y_k (1 - p_k)^gamma (1 + gamma p_k log(p_k) / (p_k - 1)); the quotient, whose limit
        # at p_k = 1 is 1, is found from log p_k without loss of digits.
        np.multiply(p, record, raw)
        np.divide(raw, rest, raw)
        np.multiply(raw, gamma, raw)
        np.add(raw, 1, raw)
        np.multiply(rest, -1, rest)
        power(rest, gamma, rest)
        np.multiply(raw, rest, raw)
        np.multiply(raw, target, raw)
        total = rest[..., :1, :]
        np.add.reduce(raw, axis=-2, keepdims=True, out=total)
        np.multiply(p, total, p)
        np.subtract(p, raw, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        (gamma,) = constants
        rest, _ = scratch
        np.expm1(record, rest)
        np.multiply(rest, -1, rest)
        power(rest, gamma, rest)
        np.multiply(record, rest, record)
        np.multiply(record, target, record)
        return negate(sum_outputs(record))


class BinaryFocal(LogisticLink):
    r"""The focal loss of independent yes-no targets.

    .. math:: L = -y (1 - p)^\gamma \log p - (1 - y) p^\gamma \log(1 - p)

    Parameters
    ----------
    gamma : float, default=2.0
        The exponent, at least 0.

    See Also
    --------
    sknn.losses.Focal : For one class among several; becomes this one where it fits.
    sknn.losses.BinaryLogLoss : Without the power.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.losses import BinaryFocal
    >>> MLPClassifier(loss=BinaryFocal(gamma=1.0))
    MLPClassifier(loss=BinaryFocal(gamma=1.0))
    """

    constraints: ClassVar = Focal.constraints

    def __init__(self, gamma: float = 2.0) -> None:
        self.gamma = gamma

    def constants(self) -> tuple[Any, ...]:
        return (self.gamma,)

    def operations(self, n_raw: int) -> int:
        slopes = 2 * (SOFTPLUS + 2 * LOGISTIC + POWER + 6 * SIMPLE)
        value = 2 * (SOFTPLUS + LOGISTIC + POWER + 2 * SIMPLE) + 5 * SIMPLE
        return (slopes + 5 * SIMPLE + value) * n_raw + SIMPLE

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        (gamma,) = constants
        yes, no, rest = raw, *scratch
        np.copyto(record, raw)
        _slope(record, 1, gamma, yes, rest)
        _slope(record, -1, gamma, no, rest)
        np.subtract(1, target, rest)
        np.multiply(yes, target, yes)
        np.multiply(no, rest, no)
        np.subtract(yes, no, raw)
        np.multiply(raw, weight, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        (gamma,) = constants
        yes, no = scratch
        np.multiply(record, -1, no)
        log_expit(record, yes)
        expit(no, no)
        power(no, gamma, no)
        np.multiply(yes, no, yes)
        np.multiply(record, -1, no)
        log_expit(no, no)
        expit(record, record)
        power(record, gamma, record)
        np.multiply(no, record, no)
        np.subtract(1, target, record)
        np.multiply(no, record, no)
        np.multiply(yes, target, yes)
        np.add(yes, no, record)
        return negate(sum_outputs(record))


def _slope(raw: Array, sign: int, gamma: Array, out: Array, rest: Array) -> None:
    """Write the derivative of -(1 - p)^gamma log p to `out`, with p the link of sign * raw.

    It is (1 - p)^gamma (gamma p log p - (1 - p)); `rest` is a buffer.
    """
    p = rest
    np.multiply(raw, sign, p)
    log_expit(p, out)
    expit(p, p)
    np.multiply(out, p, out)
    np.multiply(out, gamma, out)
    np.multiply(raw, -sign, rest)
    expit(rest, rest)
    np.subtract(out, rest, out)
    power(rest, gamma, rest)
    np.multiply(out, rest, out)


def _log_softmax(raw: Array, out: Array, buffer: Array) -> None:
    """Write log p to `out`; `raw` is consumed, and so is the first row of `buffer`."""
    row = buffer[..., :1, :]
    np.maximum.reduce(raw, axis=-2, keepdims=True, out=row)
    np.subtract(raw, row, raw)
    np.exp(raw, out)
    np.add.reduce(out, axis=-2, keepdims=True, out=row)
    np.log(row, row)
    np.subtract(raw, row, raw)
    # Not 0, so that log p / (p - 1) is a number.
    np.minimum(raw, _HIGHEST[raw.dtype], out=out)


_HIGHEST = {np.dtype(kind): np.asarray(-np.finfo(kind).tiny) for kind in (np.float32, np.float64)}
