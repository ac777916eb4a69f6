"""Which rows the networks of an ensemble are trained on, and which they are judged by."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn._warn import warn
from sknn.tabular.members import Fold, LeftOut


def make_folds(
    cv: Any,
    X: Any,
    y: Any,
    strata: Array | None,
    groups: Any,
    n_rows: int,
    seeds: list[int],
    are_many: bool = False,
) -> list[list[Fold | LeftOut]]:
    """Return the folds of each repeat.

    Parameters
    ----------
    cv : int, splitter or iterable of splits
        With a number, folds of each repeat are drawn anew; stratified by class where there is one
        target, and groups stay together. A splitter's are the same for all.
    X, y : array-like
        What a splitter is handed.
    strata : ndarray of shape (n_samples,) or None
        The numbers of the classes.
    groups : array-like of shape (n_samples,) or None
    n_rows : int
        How many samples there are.
    seeds : list of int
        One for each repeat.
    are_many : bool, default=False
        Whether the rows are so many that their numbers should take little memory.
    """
    if not isinstance(cv, Integral):
        splitter = check_cv(cv, y, classifier=strata is not None)
        folds: list[Fold | LeftOut] = [
            _checked(train, held_out, n_rows) for train, held_out in splitter.split(X, y, groups)
        ]
        if not folds:
            raise ValueError(f"cv={cv!r} gives no split.")
        return [folds] * len(seeds)
    n_folds, strata = _adapted(int(cv), n_rows, strata, groups)
    repeats: list[list[Fold | LeftOut]] = []
    for seed in seeds:
        splitter = _choose_splitter(n_folds, strata, groups, seed)
        places = np.zeros((n_rows, 1))
        splits = splitter.split(places, strata, groups)
        if are_many:
            repeats.append([LeftOut(held_out, n_rows) for _, held_out in splits])
        else:
            repeats.append([Fold(train, held_out) for train, held_out in splits])
    return repeats


def _choose_splitter(n_folds: int, strata: Array | None, groups: Any, seed: int) -> Any:
    if groups is None:
        kind = KFold if strata is None else StratifiedKFold
        return kind(n_folds, shuffle=True, random_state=seed)
    if strata is None:
        # Before scikit-learn 1.6 the folds of groups could not be drawn.
        return GroupKFold(n_folds, shuffle=True, random_state=seed)
    return StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)


def _adapted(
    wanted: int, n_rows: int, strata: Array | None, groups: Any
) -> tuple[int, Array | None]:
    """Return as many folds as there can be, and what they are stratified by."""
    if n_rows < 2:
        raise ValueError(
            f"Found {n_rows} sample(s), while a minimum of 2 is required: networks are trained on "
            "some rows and judged by others."
        )
    if groups is not None and pd.isna(np.asarray(groups)).any():
        raise ValueError("groups has missing values; each row must belong to a group.")
    n_units = n_rows if groups is None else len(np.unique(np.asarray(groups)))
    if n_units < 2:
        raise ValueError("groups has a single group, while folds need at least 2.")
    n_folds = min(wanted, n_units)
    if n_folds < wanted:
        what = "rows" if groups is None else "groups"
        warn(f"cv={wanted} folds need as many {what}, but there are {n_units}: cv={n_folds}.")
    if strata is None:
        return n_folds, None
    counts = np.bincount(strata)
    counts = counts[counts > 0]
    if counts.min() >= n_folds:
        return n_folds, strata
    fewer = max(2, int(counts.min()))
    if counts.min() >= 2:
        warn(
            f"The rarest class has {counts.min()} rows, fewer than cv={n_folds} folds: "
            f"cv={fewer}, so that each fold has some of it."
        )
        return fewer, strata
    warn(
        "The rarest class has a single row: the folds are not stratified, and the networks that "
        "are judged by this row have not seen its class."
    )
    return n_folds, None


def check_weights(weight: Array | None, repeats: list[list[Fold | LeftOut]]) -> None:
    """Raise ValueError if all rows of a part of a fold weigh nothing."""
    if weight is None:
        return
    for fold in (fold for folds in repeats for fold in folds):
        if not (weight[fold.train].any() and weight[fold.held_out].any()):
            raise ValueError(
                "sample_weight (times class_weight) is 0 for all rows that a fold trains on, or "
                "for all that it holds out: use fewer folds, or drop rows without weight."
            )


def check_rounds(answers: list[Array], cv: Any) -> None:
    """Raise unless networks of a further fit have left out the rows that earlier ones have."""
    first, *others = [np.isnan(of_kind[0, 0]).sum(axis=0) for of_kind in answers]
    same_rounds = len({of_kind.shape[2] for of_kind in answers}) == 1
    if not same_rounds or not all(np.array_equal(first, other) for other in others):
        raise InvalidParameterError(
            "warm_start=True needs folds that leave out each row as often as before; those of "
            f"cv={cv!r} do not."
        )


def _checked(train: Any, held_out: Any, n_rows: int) -> Fold:
    every = np.arange(n_rows)
    try:
        fold = Fold(every[train], every[held_out])
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"cv must give pairs of rows of X, which has {n_rows}, to train on and to judge by: "
            f"{error}."
        ) from error
    if not len(fold.train) or not len(fold.held_out):
        raise ValueError("cv gives a split without rows to train on, or without rows to judge by.")
    if np.isin(fold.held_out, fold.train).any():
        raise ValueError("cv gives a split that holds out rows which it trains on, too.")
    return fold
