"""Which samples early stopping validates on: given ones, a random part, or a splitter's choice."""

from __future__ import annotations

import copy
from collections import deque
from numbers import Real
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from sknn._math import Array
from sknn._warn import warn
from sknn.estimators.data import is_on_disk
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.validation import check_n_outputs, check_sample_weight

HOW_TO_PASS_GROUPS = (
    " Pass them to fit(X, y, groups=...); a search passes them on with scikit-learn's metadata "
    "routing and set_fit_request(groups=True)."
)


def check_held_out(
    estimator: Any, n_outputs: int, X: Any, y: Any, sample_weight: Any
) -> HeldOut | None:
    """Return validated samples to validate on, if some were given."""
    if X is None and y is None:
        if sample_weight is not None:
            raise ValueError("sample_weight_val needs X_val and y_val.")
        return None
    if X is None or y is None:
        raise ValueError("X_val and y_val belong together; pass both or none of them.")
    labels = y
    X, y = estimator._validate_data(X, y, is_first=False)
    y = estimator._encode_held_out(y)
    check_n_outputs(y, n_outputs, "y_val")
    return HeldOut(X, y, check_sample_weight(sample_weight, X), labels)


def check_groups(estimator: Any, groups: Any, n_samples: int, given: HeldOut | None) -> None:
    """Raise ValueError unless each sample has a group; warn if nothing will use them."""
    if groups is None:
        return
    shape = np.shape(groups)
    if shape[:1] != (n_samples,):
        raise ValueError(
            f"groups has shape {shape}, but X has {n_samples} rows: pass an array-like with one "
            "group for each of them."
        )
    if given is not None:
        warn("groups has no effect: with X_val and y_val nothing is held out of X.")
    elif isinstance(estimator.validation_fraction, Real):
        # With a splitter, early_stopping=False may be a candidate of a search: no warning.
        warn(
            f"groups has no effect with early_stopping={estimator.early_stopping} and "
            f"validation_fraction={estimator.validation_fraction}, which is a random part. Use "
            "early_stopping=True and a splitter, such as validation_fraction=GroupShuffleSplit()."
        )


def split(
    estimator: Any, X: Any, y: Array, labels: Any, groups: Any, rng: np.random.RandomState
) -> tuple[Array, Array]:
    """Return the rows to train on and those to validate on.

    Parameters
    ----------
    estimator : BaseMLP
    X : {ndarray, CSR matrix, memmap} of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets, for a random part.
    labels : array-like
        The targets as they were given, for a splitter.
    groups : array-like of shape (n_samples,) or None
    rng : RandomState
    """
    if isinstance(estimator.validation_fraction, Real):
        return _split_at_random(estimator, y, rng)
    return _last_split(estimator.validation_fraction, X, labels, groups, rng)


def _split_at_random(estimator: Any, y: Array, rng: np.random.RandomState) -> tuple[Array, Array]:
    part = f"validation_fraction={estimator.validation_fraction} of {len(y)} samples"
    try:
        train, held_out = train_test_split(
            np.arange(len(y)),
            random_state=rng,
            test_size=float(estimator.validation_fraction),
            stratify=estimator._strata(y),
        )
    except ValueError as error:
        raise ValueError(
            f"{error} (early_stopping=True holds out {part}: more of either may help.)"
        ) from error
    if len(held_out) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            f"your dataset: {part} is {len(held_out)}, and at least 2 are needed."
        )
    return train, held_out


def _last_split(
    splitter: Any, X: Any, labels: Any, groups: Any, rng: np.random.RandomState
) -> tuple[Array, Array]:
    # scikit-learn's splitters show themselves in several lines.
    name, n_samples = f"validation_fraction={' '.join(repr(splitter).split())}", X.shape[0]
    if getattr(splitter, "random_state", rng) is None:
        splitter = copy.copy(splitter)
        splitter.random_state = rng
    if is_on_disk(X):
        X = np.broadcast_to(0.0, (n_samples, 1))  # splitters look at its length only
    try:
        splits = deque(splitter.split(X, labels, groups=groups), maxlen=1)
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
