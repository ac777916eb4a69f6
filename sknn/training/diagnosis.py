"""Why training ended badly, in figures, and which parameter to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sknn._math import Array, spread_rows
from sknn.losses import Loss
from sknn.samples import Samples
from sknn.solvers import TrainingState
from sknn.training.trained import Trained

N_ROWS = 500
"""So many rows are looked at."""

N_EPOCHS = 10
"""So many of the last epochs are looked at."""

UNEVEN = 100.0
"""From this ratio of the largest to the smallest standard deviation X is not scaled."""

FAR = 10.0
"""From this mean or standard deviation on X or y is not scaled."""

FAR_FROM_ONE = 1000.0
"""From this ratio of the mean of y to 1, up or down, the raw score of a logarithmic link is far."""

TINY = np.finfo(np.float64).tiny
"""The least normal number."""

DEAD = 0.5
"""The share of a layer's units that do nothing, from which that is worth a word."""


def explain(
    words: Mapping[str, Any],
    trained: Trained,
    samples: Samples,
    y: Array,
    with_progress: bool = True,
) -> str:
    """Return sentences on what seems to be wrong, each with what to do, or an empty string.

    Parameters
    ----------
    words : mapping
        The parameters of the estimator, as the user has given them.
    trained : Trained
        What training has led to.
    samples : Samples
        As they were given.
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    with_progress : bool, default=True
        Whether to tell how the loss went, too; it says something where the epochs have run out.
    """
    chosen = spread_rows(len(samples), N_ROWS)
    rows, theta = samples.to_dense(chosen), trained.state.theta
    with np.errstate(all="ignore"):
        sentences = [_about_X(rows)]
        if trained.targets.are_numbers:
            sentences.append(_about_y(words, trained.loss, y[chosen]))
        if np.isfinite(theta).all():
            X = rows.astype(theta.dtype)
            sentences += _about_units(trained.network.hidden_outputs(X, trained.parameters))
    if with_progress:
        sentences.append(_about_progress(words, trained.state))
    return "".join(f" {sentence}" for sentence in sentences if sentence)


def _about_progress(words: Mapping[str, Any], state: TrainingState) -> str:
    curve = state.loss_curve[-N_EPOCHS:]
    if words["solver"] == "lbfgs" or len(curve) < 2:  # its own message names the parameters
        return ""
    first, last = curve[0], curve[-1]
    figures = f"In the last {len(curve)} epochs the loss went from {first:.4g} to {last:.4g}"
    rate, max_iter = (f"{name}={words[name]}" for name in ("learning_rate_init", "max_iter"))
    if state.n_recoveries:  # what there is to say of the rate is said elsewhere
        return f"{figures}: increase {max_iter}."
    if last < first:
        return f"{figures}: increase {max_iter} or {rate}."
    return f"{figures}: lower {rate}, or increase tol={words['tol']} if that is good enough."


def _about_X(X: Array) -> str:
    mean, std = _place_and_spread(X)
    varying = std[std > 0]
    if not varying.size:
        return ""
    ratio, largest = varying.max() / varying.min(), max(varying.max(), mean.max())
    if ratio < UNEVEN and 1 / UNEVEN < largest < FAR:
        return ""
    return (
        f"X is not scaled: the standard deviations of its columns range from {varying.min():.3g} "
        f"to {varying.max():.3g} and means up to {mean.max():.3g}; put a StandardScaler before "
        "the network."
    )


def _about_y(words: Mapping[str, Any], loss: Loss, y: Array) -> str:
    means, stds = _place_and_spread(y)
    if loss.out_activation == "exp":
        return _about_positive_y(words["intercept_init"], loss, means)
    if loss.out_activation != "identity":
        return ""
    std, mean, varying = stds.max(), means.max(), stds[stds > 0]
    if std == 0:
        return ""
    remedy = "wrap the network in TransformedTargetRegressor(..., transformer=StandardScaler())."
    if varying.max() >= UNEVEN * varying.min():
        return (
            f"The targets are of very different spread: their standard deviations range from "
            f"{varying.min():.3g} to {varying.max():.3g}, and the loss sees the largest; {remedy}"
        )
    if 1 / FAR < std < FAR and mean < FAR * max(std, 1):
        return ""
    return f"y is not scaled: its standard deviation is {std:.3g} and its mean {mean:.3g}; {remedy}"


def _about_positive_y(intercept_init: str, loss: Loss, means: Array) -> str:
    """Say if the mean, whose logarithm is to be near 0, is not scaled for a logarithmic link."""
    far = means[(means > 0) & (np.abs(np.log(np.maximum(means, TINY))) > np.log(FAR_FROM_ONE))]
    if not far.size:
        return ""
    advice = "divide y by its mean"
    begins_there = intercept_init == "target" or loss.starts_at_target
    if intercept_init == "zero" or not begins_there:
        advice += ", or set intercept_init='target'"
    return (
        f"y is not scaled for a logarithmic link: its mean is {far[0]:.3g}, far from 1; {advice}."
    )


def _place_and_spread(columns: Array) -> tuple[Array, Array]:
    """Return the absolute means and the standard deviations of columns, in float64."""
    columns = columns.astype(np.float64)
    # Near the largest numbers, squares and sums would overflow.
    unit = np.maximum(np.abs(columns).max(axis=0), TINY)
    scaled = columns / unit
    return np.abs(scaled.mean(axis=0)) * unit, scaled.std(axis=0) * unit


def _about_units(hidden_outputs: list[Array]) -> list[str]:
    """Return a sentence for each layer of which many units are 0 for all rows."""
    sentences = []
    for i, outputs in enumerate(hidden_outputs, start=1):
        n_dead = int((~outputs.any(axis=0)).sum())
        if n_dead >= DEAD * outputs.shape[1]:
            sentences.append(
                f"Of the {outputs.shape[1]} units of hidden layer {i}, {n_dead} are dead (0 for "
                "all samples): lower learning_rate_init, or use activation='leaky_relu'."
            )
    return sentences
