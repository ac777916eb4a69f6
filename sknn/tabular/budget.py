"""What an ensemble gives up to keep to a budget: epochs, then kinds, then folds.

A budget is of seconds, or of operations.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import NamedTuple

from sknn._warn import warn
from sknn.tabular.presets import Kind, Preset
from sknn.tabular.training import Training

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
    """What fits into a budget.

    Attributes
    ----------
    n_kinds, n_folds : int
        How many kinds of networks there are, and folds of each.
    budget : float
        What the training of all of them may take.
    is_short : bool
        Whether something has to be given up.
    """

    n_kinds: int
    n_folds: int
    budget: float
    is_short: bool

    def describe(self, epochs: Sequence[tuple[float, int]], n_kinds: int, n_folds: int) -> str:
        """Return what is kept, in words; an empty text if that is all.

        Parameters
        ----------
        epochs : sequence of tuple
            See `make_plan`.
        n_kinds, n_folds : int
            How many there are without a budget.
        """
        if not self.is_short and self.n_kinds == n_kinds:
            return ""
        kept = epochs[: self.n_kinds]
        whole = sum(each * n for each, n in kept) * self.n_folds / n_folds
        share = min(1.0, self.budget / whole)
        parts = [f"about {max(1, round(share * kept[0][1]))} of {kept[0][1]} epochs"]
        if self.n_kinds < n_kinds:
            parts.append(f"{self.n_kinds} of {n_kinds} kinds of networks")
        if self.n_folds < n_folds:
            parts.append(f"{self.n_folds} of {n_folds} folds")
        return ", ".join(parts)


def make_plan(
    budget: float,
    epochs: Sequence[tuple[float, int]],
    n_folds: int,
    may_drop_folds: bool,
    is_exact: bool = False,
) -> Plan | None:
    """Return what fits into a budget; None if nothing does.

    Parameters
    ----------
    budget : float
        What is left.
    epochs : sequence of tuple
        For each kind what an epoch of all its folds takes, and how many epochs are planned.
    n_folds : int
    may_drop_folds : bool
    is_exact : bool, default=False
        Whether epochs take just that, and nothing comes after the training.
    """
    usable = budget if is_exact else (1 - RESERVE) * budget
    reserved = 0.0 if is_exact else RESERVED_EPOCHS

    def predicting(epochs: Sequence[tuple[float, int]]) -> float:
        return reserved * sum(each for each, _ in epochs)

    whole = sum(each * n for each, n in epochs) + predicting(epochs)
    if whole <= usable:
        return Plan(len(epochs), n_folds, usable, False)
    for n_kinds in range(len(epochs), 0, -1):
        kept = epochs[:n_kinds]
        least = sum(min(n, ENOUGH_EPOCHS) * each for each, n in kept)
        if least + predicting(kept) <= usable:
            return Plan(n_kinds, n_folds, usable - predicting(kept), True)
    [(each, n_epochs)] = epochs[:1]
    for fewer in range(n_folds, FEWEST_FOLDS - 1 if may_drop_folds else n_folds - 1, -1):
        of_fewer = each * fewer / n_folds
        left = usable - predicting([(of_fewer, 1)])
        if min(n_epochs, FEWEST_EPOCHS) * of_fewer <= left:
            return Plan(1, fewer, left, True)
    return None


def plan_time(max_time: float, seconds: float, trainings: list[Training], preset: Preset) -> Plan:
    """Return what fits into the seconds that are left of `max_time`; warn if that is not all.

    Raises
    ------
    ValueError
        If nothing does.
    """
    begin = time.perf_counter()
    epochs = list[tuple[float, int]]()
    probed = dict[Kind, Training]()
    for training in trainings:
        twin = probed.setdefault(replace(training.kind, repeat=0), training)
        if twin is not training:
            training.takes_as_long_as(twin)
        epochs.append((training.seconds_per_epoch, training.n_epochs))
        if ENOUGH_EPOCHS * sum(each for each, _ in epochs) > seconds:
            break  # there is no time for others
    seconds -= time.perf_counter() - begin
    n_folds, has_number = trainings[0].n_folds, isinstance(preset.cv, Integral)
    plan = make_plan(seconds, epochs, n_folds, has_number)
    if plan is None:
        least = 2 * epochs[0][0] * (2 / n_folds if has_number else 1)
        raise ValueError(
            f"max_time={max_time} seconds are too short: two epochs of the smallest ensemble for "
            f"this table take about {least:.2g} seconds beside what else there is to do. Increase "
            "it, or pass fewer rows."
        )
    if kept := plan.describe(epochs, len(trainings), n_folds):
        warn(f"max_time={max_time} seconds are enough for {kept}.")
    return plan


def plan_operations(max_flops: float, trainings: list[Training], preset: Preset) -> Plan:
    """Return what a budget of operations is enough for; warn if that is not all.

    Raises
    ------
    ValueError
        If nothing is.
    """
    epochs = [(training.operations_per_epoch, training.n_epochs) for training in trainings]
    n_folds, has_number = trainings[0].n_folds, isinstance(preset.cv, Integral)
    plan = make_plan(max_flops, epochs, n_folds, has_number, is_exact=True)
    if plan is None:
        least = 2 * epochs[0][0] * (2 / n_folds if has_number else 1)
        raise ValueError(
            f"max_flops={max_flops} are too few: two epochs of the smallest ensemble for this "
            f"table take {least:.2g} operations. Increase it, or pass fewer rows."
        )
    if kept := plan.describe(epochs, len(trainings), n_folds):
        warn(f"max_flops={max_flops} are enough for {kept}.")
    return plan
