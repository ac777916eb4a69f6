"""Losses as formulas: what predictions are made of raw scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sknn.export.formula import (
    Value,
    concatenate,
    exp,
    logistic,
    reshape,
    softmax,
    softplus,
    take,
)
from sknn.export.refusal import of_package
from sknn.losses import (
    AbsoluteError,
    BinaryFocal,
    BinaryLogLoss,
    Focal,
    GammaLoss,
    Gaussian,
    Grouped,
    Huber,
    LabelWeighted,
    LogCosh,
    LogLoss,
    Loss,
    PoissonLoss,
    Quantile,
    SquaredError,
    Tweedie,
)


def invert_link(raw: Value, loss: Loss, n_targets: int) -> Value:
    """Return the predictions (n_samples, ...) of raw scores (n_samples, n_raw).

    Parameters
    ----------
    raw : Value
    loss : Loss
    n_targets : int
        Of several scores for each target, those of one kind lie together.
    """
    return of_package(loss, LINK_FORMULAS, "loss")(raw, loss, n_targets)


def _grouped(raw: Value, loss: Grouped, n_targets: int) -> Value:
    groups = [range(n_targets)[group] for group in loss.groups()]
    return concatenate([invert_link(take(raw, g), loss.loss, len(g)) for g in groups])


def _quantiles(raw: Value, loss: Quantile, n_targets: int) -> Value:
    if loss.raw_per_target == 1:
        return raw
    columns = np.arange(loss.raw_per_target * n_targets).reshape(-1, n_targets)
    levels = [take(raw, columns[0])]
    for distance in columns[1:]:
        levels.append((levels[-1] + softplus(take(raw, distance))).called("quantile"))
    by_target = take(concatenate(levels), columns.T.ravel())
    return by_target if n_targets == 1 else reshape(by_target, columns.T.shape)


def _identity(raw: Value, loss: Loss, n_targets: int) -> Value:
    return raw


def _exp(raw: Value, loss: Loss, n_targets: int) -> Value:
    return exp(raw)


def _logistic(raw: Value, loss: Loss, n_targets: int) -> Value:
    return logistic(raw)


def _softmax(raw: Value, loss: Loss, n_targets: int) -> Value:
    return softmax(raw)


LINK_FORMULAS: dict[type, Callable[[Value, Any, int], Value]] = {
    AbsoluteError: _identity,
    BinaryFocal: _logistic,
    BinaryLogLoss: _logistic,
    Focal: _softmax,
    GammaLoss: _exp,
    Gaussian: lambda raw, loss, n_targets: take(raw, range(n_targets)),  # the means
    Grouped: _grouped,
    Huber: _identity,
    LabelWeighted: lambda raw, loss, n_targets: invert_link(raw, loss.loss, n_targets),
    LogCosh: _identity,
    LogLoss: _softmax,
    PoissonLoss: _exp,
    Quantile: _quantiles,
    SquaredError: _identity,
    Tweedie: _exp,
}
"""The inverse link of each loss, of raw scores, the loss and the number of targets."""
