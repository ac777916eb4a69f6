"""What an ensemble gives up to be trained in time: epochs, then kinds, then folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ENOUGH_EPOCHS = 8
"""With fewer epochs than these there are fewer kinds of networks instead."""

FEWEST_EPOCHS = 2
"""With fewer epochs than these there are fewer folds instead."""

FEWEST_FOLDS = 2

RESERVE = 0.05
"""The share of the time that is left for what comes after the training."""

RESERVED_EPOCHS = 0.3
"""So many epochs of each kind take as long as their predictions for the rows that were left out."""


class Plan(NamedTuple):
    """What fits into a time.

    Attributes
    ----------
    n_kinds, n_folds : int
        How many kinds of networks there are, and folds of each.
    seconds : float
        How long the training of all of them may take.
    is_short : bool
        Whether something has to be given up.
    """

    n_kinds: int
    n_folds: int
    seconds: float
    is_short: bool


def make_plan(
    seconds: float, epochs: Sequence[tuple[float, int]], n_folds: int, may_drop_folds: bool
) -> Plan | None:
    """Return what fits into so many seconds; None if nothing does.

    Parameters
    ----------
    seconds : float
        What is left.
    epochs : sequence of tuple
        For each kind the seconds of an epoch of all its folds, and how many epochs are planned.
    n_folds : int
    may_drop_folds : bool
    """
    usable = (1 - RESERVE) * seconds
    whole = _cost(epochs)
    if whole <= usable:
        return Plan(len(epochs), n_folds, usable, False)
    for n_kinds in range(len(epochs), 0, -1):
        kept = epochs[:n_kinds]
        least = sum(min(n, ENOUGH_EPOCHS) * each for each, n in kept)
        if least + _predicting(kept) <= usable:
            return Plan(n_kinds, n_folds, usable - _predicting(kept), True)
    [(each, n_epochs)] = epochs[:1]
    for fewer in range(n_folds, FEWEST_FOLDS - 1 if may_drop_folds else n_folds - 1, -1):
        of_fewer = each * fewer / n_folds
        predicting = _predicting([(of_fewer, 1)])
        if min(n_epochs, FEWEST_EPOCHS) * of_fewer + predicting <= usable:
            return Plan(1, fewer, usable - predicting, True)
    return None


def _cost(epochs: Sequence[tuple[float, int]]) -> float:
    return sum(each * n for each, n in epochs) + _predicting(epochs)


def _predicting(epochs: Sequence[tuple[float, int]]) -> float:
    return RESERVED_EPOCHS * sum(each for each, _ in epochs)
