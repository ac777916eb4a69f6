"""In which order the networks of an ensemble are trained: together, in turn, or one by one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from sknn.solvers import Problem, TrainingState, solve
from sknn.tabular.clock import Clock
from sknn.tabular.members import Member, Members
from sknn.tabular.training import Training
from sknn.training import Checkpoint, Hooks


def shorten(trainings: list[Training], operations: float) -> None:
    """Plan fewer epochs, so that trainings take no more than so many operations."""
    whole = sum(training.operations_per_epoch * training.n_epochs for training in trainings)
    for training in trainings:
        training.n_epochs = max(1, int(training.n_epochs * min(1.0, operations / whole)))


def train(
    trainings: list[Training],
    hooks: list[Hooks],
    seconds: float | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Members | None]:
    """Train all networks of some kinds; return them, or None where Ctrl-C has come too early.

    Parameters
    ----------
    trainings : list of Training
    hooks : list of Hooks
        For each what its first network calls, with its state.
    seconds : float, default=None
        How long it may take; None for as long as it takes.
    checkpoint : Checkpoint, default=None
        Where they are kept; not with `seconds`.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C comes before any network has learnt something.
    """
    if seconds is None:
        trained = _train_together(trainings, [None] * len(trainings), hooks, checkpoint)
    else:
        trained = _train_in_turn(trainings, hooks, seconds)
    if not any(members is not None for members in trained):
        raise KeyboardInterrupt
    return trained


def _train_together(
    trainings: list[Training],
    clocks: Sequence[Clock | None],
    hooks: list[Hooks],
    checkpoint: Checkpoint | None = None,
) -> list[Members | None]:
    rows = list(zip(trainings, clocks, hooks, strict=True))
    if any(training.is_streamed for training in trainings):
        return _train_apart(rows, checkpoint)
    problems = [training.pose(clock, of_kind) for training, clock, of_kind in rows]
    everyone = [problem for of_kind in problems for problem in of_kind]
    if checkpoint is None:
        states = iter(solve(everyone))
    else:
        members = [member for training in trainings for member in training.members]
        states = iter(_solve_kept(everyone, members, checkpoint))
    return [
        training.finish([next(states) for _ in of_kind])
        for training, of_kind in zip(trainings, problems, strict=True)
    ]


def _train_apart(
    rows: list[tuple[Training, Clock | None, Hooks]], checkpoint: Checkpoint | None
) -> list[Members | None]:
    """Train one network after the other, each posed when its turn has come."""
    trained, n_solved = list[Members | None](), 0
    for training, clock, hooks in rows:
        states = list[TrainingState]()
        with training.rows_at_hand():
            for problem in training.pose_each(clock, hooks):
                if checkpoint is None:
                    states += solve([problem])
                else:
                    states += _solve_kept([problem], training.members[-1:], checkpoint, n_solved)
                n_solved += 1
                if states[-1].is_interrupted:
                    break
        training.is_interrupted = states[-1].is_interrupted
        is_complete = len(states) == training.n_folds
        trained.append(training.finish(states) if is_complete else None)
        if training.is_interrupted:
            break
    return trained + [None] * (len(rows) - len(trained))


def _solve_kept(
    problems: list[Problem], members: list[Member], checkpoint: Checkpoint, n_before: int = 0
) -> list[TrainingState]:
    """Solve problems, those that a file has from where they were; keep them there.

    `n_before` others have been solved before.
    """
    states: dict[int, TrainingState] = {}
    posed: dict[int, Problem] = {}
    for i, (problem, member) in enumerate(zip(problems, members, strict=True), n_before):
        checkpoint.begin(str(i), problem.rng, is_own=True)
        member.thetas.update(checkpoint.extra(str(i)) or {})
        extra: Any = partial(dict, member.thetas)
        resumed = checkpoint.resumed(str(i), problem, extra=extra, alone=len(problems) == 1)
        if isinstance(resumed, TrainingState):
            states[i] = resumed
        else:
            posed[i] = resumed
    solved = solve(list(posed.values()))
    for (i, problem), state in zip(posed.items(), solved, strict=True):
        states[i] = state
        if not state.is_interrupted:
            checkpoint.finish(str(i), state, problem.rng, dict(members[i - n_before].thetas))
    checkpoint.try_to_write()
    return [states[i] for i in range(n_before, n_before + len(problems))]


def _train_in_turn(
    trainings: list[Training], hooks: list[Hooks], seconds: float
) -> list[Members | None]:
    """Train one kind after the other, each with its part of the time that is left."""
    end, trained = time.perf_counter() + seconds, list[Members | None]()
    costs = [training.n_epochs * training.seconds_per_epoch for training in trainings]
    for k, training in enumerate(trainings):
        left = end - time.perf_counter()
        clock = training.make_clock(left * costs[k] / sum(costs[k:]))
        members = _train_together([training], [clock], [hooks[k]])
        trained += members
        if training.is_interrupted:
            trained += [None] * (len(trainings) - k - 1)
            break
    return trained
