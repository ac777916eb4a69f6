"""From the problems of many fits to stacks that are trained together."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from sknn._machine import cache_bytes
from sknn._math import even_slices
from sknn.solvers import Problem, TrainingState

MAX_MODELS = 64
"""Models of a stack; more gain nothing."""

MIN_WORKING_SET = 16e6
"""Bytes that a stack may work on in a step, however small the cache: smaller stacks save fewer
calls than the cache could save accesses."""


def bytes_waiting(problem: Problem) -> int:
    """Return how much memory a problem holds while it waits to be trained."""
    arrays = problem.X, problem.y, problem.sample_weight, problem.state.theta
    return sum(array.nbytes for array in arrays if array is not None)


def train(problems: list[Problem], memory: float) -> list[TrainingState | BaseException]:
    """Train problems in stacks; return what has become of each, in order.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C has ended the training.
    """
    groups: dict[Hashable, list[int]] = {}
    for i, problem in enumerate(problems):
        groups.setdefault(problem.key, []).append(i)
    solutions: list[Any] = [None] * len(problems)
    for members in groups.values():
        size = stack_size(problems[members[0]], len(members), memory)
        for share in even_slices(len(members), -(-len(members) // size)):
            part = members[share]
            for i, solution in zip(part, _train_stack([problems[i] for i in part]), strict=True):
                solutions[i] = solution
    return solutions


def stack_size(problem: Problem, n_models: int, memory: float) -> int:
    """Return how many models like this one should make up a stack at most."""
    # The more models, the fewer calls, as long as they stay in the cache. No bit depends on it.
    working_set = max(MIN_WORKING_SET, cache_bytes())
    fitting = min(working_set, memory) // problem.solver.bytes_per_model(problem)
    return max(1, min(n_models, MAX_MODELS, int(fitting)))


def _train_stack(problems: list[Problem]) -> list[TrainingState | BaseException]:
    try:
        states = problems[0].solver.minimize(problems)
    except Exception as error:  # such as a lack of memory: each task has to hear of it
        return [error] * len(problems)
    if any(state.is_interrupted for state in states):
        raise KeyboardInterrupt
    return list(states)
