"""From problems to stacks that are trained together."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias

from sklearn.exceptions import ConvergenceWarning

from sknn._crew import count_threads
from sknn._machine import cache_bytes
from sknn._math import even_slices
from sknn._warn import warn
from sknn.solvers._base import ALONE, Problem
from sknn.solvers.state import TrainingState
from sknn.solvers.stopping import mark_interrupted

MAX_MODELS = 64
"""Models of a stack; more gain nothing."""

MIN_WORKING_SET = 16e6
"""Bytes that a stack may work on in a step, however small the cache: smaller stacks save fewer
calls than the cache could save accesses."""

Solution: TypeAlias = TrainingState | BaseException
"""What has become of a problem: BaseException stands for a training that has not come to an end."""

Meet: TypeAlias = Callable[[list[Problem]], list[TrainingState]]
"""Trains problems, together with others of the same kind if there are any."""

MEETING: ContextVar[Meet | None] = ContextVar("sknn_meeting", default=None)
"""Where the problems of many fits meet to be trained as stacks; None: those of a call are alone."""


def solve(problems: list[Problem]) -> list[TrainingState]:
    """Train models with the solvers that their problems name, in stacks; return them in order.

    Parameters
    ----------
    problems : list of Problem
        What is to be trained; their states are consumed.

    Returns
    -------
    list of TrainingState
        What has become of each.

    Raises
    ------
    Exception
        If the `validate` of a problem has raised it.
    """
    meet = MEETING.get()
    if meet is None:
        solutions = train(problems)
    else:
        met = iter(meet(waiting) if (waiting := [p for p in problems if p.key is not None]) else ())
        solutions = [train([p])[0] if p.key is None else next(met) for p in problems]
    states = []
    for problem, solution in zip(problems, solutions, strict=True):
        if isinstance(solution, BaseException):
            raise solution
        _say_ending(problem, solution)
        states.append(solution)
    return states


def _say_ending(problem: Problem, state: TrainingState) -> None:
    """Warn or raise, as the training has left it to its caller."""
    ending, state.ending = state.ending, None
    if isinstance(ending, Warning):
        category = type(ending)
        is_about_convergence = issubclass(category, ConvergenceWarning)
        if is_about_convergence and problem.explain is not None and not _is_ignored(category):
            ending = category(f"{ending}{problem.explain(state)}")
        warn(ending, category)
    elif ending is not None:
        raise ending


def _is_ignored(category: type[Warning]) -> bool:
    """Whether the filters leave out all warnings of a category."""
    for action, message, other, module, _ in warnings.filters:
        if issubclass(category, other):
            return action == "ignore" and message is None and module is None
    return False


def train(problems: list[Problem], memory: float = math.inf) -> list[Solution]:
    """Train problems in stacks; return what has become of each, in order.

    After Ctrl-C the stacks that follow are not trained any more, which their states say.

    Parameters
    ----------
    problems : list of Problem
        What is to be trained; their states are consumed.
    memory : float, default=inf
        Bytes that the working set of a stack should not exceed.

    Returns
    -------
    list of TrainingState or Exception
        What has become of each, or why nothing has.
    """
    solutions: list[Any] = [None] * len(problems)
    is_interrupted = False
    for members in _stacks_of(problems, memory):
        solved = _train_stack([problems[i] for i in members], is_interrupted)
        is_interrupted = any(isinstance(s, TrainingState) and s.is_interrupted for s in solved)
        for i, solution in zip(members, solved, strict=True):
            solutions[i] = solution
    return solutions


def _train_stack(problems: list[Problem], is_interrupted: bool) -> Sequence[Solution]:
    if is_interrupted:
        for problem in problems:
            mark_interrupted(problem.state)
        return [problem.state for problem in problems]
    try:
        return problems[0].solver.minimize(problems)
    except Exception as error:  # such as a lack of memory: each call has to hear of it
        return [error] * len(problems)


def _stacks_of(problems: list[Problem], memory: float) -> list[list[int]]:
    """Return the places of the problems that make up each stack."""
    if len(problems) == 1:
        return [[0]]
    groups: dict[Hashable, list[int]] = {}
    for i, problem in enumerate(problems):
        key = (problem.key, i) if problem.key in (None, ALONE) else problem.key
        groups.setdefault(key, []).append(i)
    stacks = []
    for members in groups.values():
        size = stack_size(problems[members[0]], len(members), memory)
        shares = even_slices(len(members), -(-len(members) // size))
        stacks += [members[share] for share in shares]
    return stacks


def stack_size(problem: Problem, n_models: int, memory: float) -> int:
    """Return how many models like this one should make up a stack at most."""
    # The more models, the fewer calls, as long as they stay in the cache. No bit depends on it.
    working_set = max(MIN_WORKING_SET, cache_bytes())
    size = problem.solver.bytes_per_model(problem)
    # With a model for each thread at least, all of them have something to do.
    fitting = min(max(working_set // size, count_threads()), memory // size)
    return max(1, min(n_models, MAX_MODELS, int(fitting)))


def bytes_waiting(problem: Problem) -> int:
    """Return how much memory a problem holds while it waits to be trained.

    Parameters
    ----------
    problem : Problem
        What waits.

    Returns
    -------
    int
        Bytes of its samples, targets, weights and parameters.
    """
    arrays = problem.samples, problem.y, problem.sample_weight, problem.state.theta
    return sum(array.nbytes for array in arrays if array is not None)
