"""Which samples early stopping validates on: given ones, a random part, or a splitter's choice."""

from __future__ import annotations

import copy
import math
from collections import deque
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.model_selection import train_test_split

from sknn._math import Array
from sknn._warn import warn
from sknn.data import StoredRows
from sknn.streamed import Streamed
from sknn.targets import Targets
from sknn.training.data import HeldOut, TrainingSet
from sknn.training.recipe import Recipe

PART = 1_000_000
"""Rows that are drawn at a time."""

HOW_TO_PASS_GROUPS = (
    " Pass them to fit(X, y, groups=...); a search passes them on with scikit-learn's metadata "
    "routing and set_fit_request(groups=True)."
)


def hold_out(
    recipe: Recipe,
    targets: Targets,
    data: TrainingSet,
    weight: Array | None,
    rng: np.random.RandomState,
    dtype: Any,
) -> tuple[Array | None, HeldOut | None]:
    """Return the rows to train on, None for all, and the samples to validate on.

    Parameters
    ----------
    recipe, targets, data
        What is trained.
    weight : ndarray of shape (n_samples,) or None
        The samples' weights, times those of their classes.
    rng : RandomState
    dtype : dtype
        Of the parameters.
    """
    given = data.held_out
    check_groups(recipe, data)
    if given is not None:
        if recipe.refit_full:
            raise ValueError(
                "refit_full=True trains again with the samples that early stopping has held out of "
                "X; with X_val there are none. Use one of the two."
            )
        weight = targets.weigh(given.y, given.given_weight)
        return None, replace(given, samples=given.samples.astype(dtype), sample_weight=weight)
    if not recipe.early_stopping:
        return None, None
    if isinstance(recipe.validation_fraction, Real):
        fraction = float(recipe.validation_fraction)
        if isinstance(data.samples, Streamed):
            rows, chosen = _draw_rows(fraction, len(data.y), rng)
        else:
            rows, chosen = _split_at_random(fraction, targets, data, rng)
    else:
        rows, chosen = _last_split(recipe.validation_fraction, data, rng)
    if weight is not None and not (weight[rows].any() and weight[chosen].any()):
        raise ValueError(
            "sample_weight is 0 for all samples of a part of the early-stopping split; "
            f"{len(chosen)} samples of {len(data.y)} are held out."
        )
    return rows, HeldOut(
        samples=data.samples.take(chosen, dtype),
        y=data.y[chosen],
        labels=_take(data.labels, chosen),
        given_weight=None if data.sample_weight is None else data.sample_weight[chosen],
        sample_weight=None if weight is None else weight[chosen],
    )


def _take(labels: Any, rows: Array) -> Any:
    """Return targets as they were given, of some rows; None of those that are left in files."""
    if isinstance(labels, StoredRows):
        return None
    return labels.tocsr()[rows] if sp.issparse(labels) else np.asarray(labels)[rows]


def check_groups(recipe: Recipe, data: TrainingSet) -> None:
    """Raise ValueError unless each sample has a group; warn if nothing will use them."""
    if data.groups is None:
        return
    shape = np.shape(data.groups)
    if shape[:1] != (len(data.y),):
        raise ValueError(
            f"groups has shape {shape}, but X has {len(data.y)} rows: pass an array-like with one "
            "group for each of them."
        )
    if data.held_out is not None:
        warn("groups has no effect: with X_val and y_val nothing is held out of X.")
    elif isinstance(recipe.validation_fraction, Real):
        # With a splitter, early_stopping=False may be a candidate of a search: no warning.
        warn(
            f"groups has no effect with early_stopping={recipe.words['early_stopping']} and "
            f"validation_fraction={recipe.validation_fraction}, which is a random part. Use "
            "early_stopping=True and a splitter, such as validation_fraction=GroupShuffleSplit()."
        )


def _split_at_random(
    fraction: float, targets: Targets, data: TrainingSet, rng: np.random.RandomState
) -> tuple[Array, Array]:
    n_samples = len(data.y)
    part = f"validation_fraction={fraction} of {n_samples} samples"
    try:
        train, held_out = train_test_split(
            np.arange(n_samples),
            random_state=rng,
            test_size=fraction,
            stratify=targets.strata(data.y, math.ceil(fraction * n_samples)),
        )
    except ValueError as error:
        raise ValueError(
            f"{error} (early_stopping=True holds out {part}: more of either may help.)"
        ) from error
    _check_sizes(part, train, held_out)
    return train, held_out


def _check_sizes(part: str, train: Array, held_out: Array) -> None:
    if len(held_out) < 2 or not len(train):
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            f"your dataset: {part} is {len(held_out)}, and at least 2 are needed."
        )


def _draw_rows(fraction: float, n_samples: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Return the rows to train on, and those that are held out: the share of each part at random.

    Of so many rows nothing is held that takes 8 bytes for each.
    """
    parts: tuple[list[Array], list[Array]] = [], []
    for start in range(0, n_samples, PART):
        size = min(PART, n_samples - start)
        is_held_out = np.zeros(size, bool)
        is_held_out[rng.permutation(size)[: math.ceil(fraction * size)]] = True
        for numbers, wanted in zip(parts, (False, True), strict=True):
            of_part = start + np.flatnonzero(is_held_out == wanted)
            numbers.append(of_part.astype(np.int32 if n_samples < 2**31 else np.int64))
    train, held_out = map(np.concatenate, parts)
    _check_sizes(f"validation_fraction={fraction} of {n_samples} samples", train, held_out)
    return train, held_out


def _last_split(
    splitter: Any, data: TrainingSet, rng: np.random.RandomState
) -> tuple[Array, Array]:
    samples, groups = data.samples, data.groups
    # scikit-learn's splitters show themselves in several lines.
    name, n_samples = f"validation_fraction={' '.join(repr(splitter).split())}", len(samples)
    if getattr(splitter, "random_state", rng) is None:
        splitter = copy.copy(splitter)
        splitter.random_state = rng
    # Splitters look at the length of X only: what is on disk need not be read.
    X = samples[:] if samples.is_in_memory else np.broadcast_to(0.0, (n_samples, 1))
    try:
        splits = deque(splitter.split(X, data.labels, groups=groups), maxlen=1)
    except (TypeError, ValueError) as error:
        hint = HOW_TO_PASS_GROUPS if groups is None and "groups" in str(error) else ""
        raise ValueError(f"{name} cannot split {n_samples} samples: {error}{hint}") from error
    if not splits:
        raise ValueError(f"{name} yields no split of {n_samples} samples; one is needed.")
    try:
        train, held_out = (_row_numbers(rows, n_samples) for rows in splits[0])
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must yield pairs of rows of X, to train on and to validate on: {error}."
        ) from error
    if len(train) == 0 or len(held_out) < 2:
        raise ValueError(
            f"{name}: its last split of {n_samples} samples has {len(train)} rows to train on and "
            f"{len(held_out)} to validate on; at least 1 and 2 are needed."
        )
    return train, held_out


def _row_numbers(rows: Any, n_samples: int) -> Array:
    """Return the numbers of rows, which may be a list or a mask."""
    numbers: Array = np.arange(n_samples)[list(rows) if isinstance(rows, tuple) else rows]
    if numbers.ndim != 1:
        raise ValueError(f"rows must have one axis, got {rows!r}")
    return numbers
