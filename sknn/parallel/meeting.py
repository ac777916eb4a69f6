"""A meeting: the tasks of one Parallel call, whose networks are trained together."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from sknn._warn import warn
from sknn.parallel.tasks import NAME, Misplaced, Task, is_in_task
from sknn.solvers import ALONE, Problem, Solution, TrainingState, bytes_waiting, train

MAX_SUSPENDED = 256
"""So many tasks wait for each other at most: each holds a thread."""

PATIENCE = 30.0
"""Seconds after which a task that does nothing is taken to wait for a suspended one."""

N_UNMET = 2
"""After so many tasks in a row that had nothing to train together the next runs without a thread:
handing over can take milliseconds where the threads of BLAS, spinning, occupy the cores."""

BUSY = 0.1
"""A task that computes for less than this share of the time does nothing."""


class Meeting:
    """Runs tasks one at a time, in order; trains their problems when all of them wait.

    Everything happens in the thread that asks for a result, one `_advance` after the other:
    start the queued tasks until each has ended or is suspended; train what they wait for;
    resume them in order. So draws come in a fixed order, and code that is not thread-safe
    stays safe. Tasks that have nothing to train together soon run without a thread, and so do those
    for which there is none, or which fail in one.

    No generator decides anything here: Ctrl-C that lands as one is closed would be lost.

    Parameters
    ----------
    memory : float
        Bytes that the rows of suspended tasks, and the working set of a stack, should not exceed.
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._queued: deque[Task] = deque()
        self._suspended: list[Task] = []
        self._solved: deque[tuple[Task, list[Solution]]] = deque()
        self._late: list[Task] = []
        self._begun: dict[Task, None] = {}  # all that have begun and not ended, wherever they are
        self._bytes_waiting = 0
        self._has_failed = False
        self._n_unmet = 0
        self._lacks_threads = False
        self._runs_here = False  # whether tasks have failed because of their threads

    def add(self, call: Callable[[], Any], report: Callable[[Task], object]) -> Task:
        """Queue a call; `report` is called with its task once it has ended."""
        task = Task(call, report)
        self._queued.append(task)
        return task

    def finish(self, task: Task) -> Any:
        """Go on until a task has ended; return its result or raise its error."""
        while not task.has_ended:
            self._advance()
        return task.result()

    def finish_all(self) -> None:
        """Go on until all tasks have ended, those that are added meanwhile, too, or one fails."""
        while (self._queued or self._begun) and not self._has_failed:
            self._advance()

    def cancel(self) -> None:
        """End all tasks, wherever they are; the meeting is over then."""
        self._queued.clear()
        interrupt: KeyboardInterrupt | None = None
        with warnings.catch_warnings():
            # First the one that runs.
            for task in sorted(self._begun, key=lambda task: bool(task.problems)):
                try:
                    task.cancel()
                except KeyboardInterrupt as error:  # do not wait for that one
                    interrupt = error
        if interrupt is not None:
            raise interrupt

    def _advance(self) -> None:
        if self._solved:
            task, solutions = self._solved.popleft()
            self._run(task, lambda: task.resume(solutions))
        elif self._queued and not self._is_full() and not self._has_failed:
            self._start_next()
        elif self._suspended:
            self._train()
        elif self._late:
            self._run(self._late.pop(0), lambda: None)
        elif self._queued:  # and nobody waits; after a failure joblib asks for no more, but others
            self._start_next()
        else:
            raise RuntimeError("The meeting is over: its tasks have been cancelled.")

    def _is_full(self) -> bool:
        """Whether those that wait have to go on before another one may begin."""
        is_full = len(self._suspended) >= MAX_SUSPENDED or self._bytes_waiting >= self._memory
        return is_full or self._lacks_threads or self._runs_here

    def _start_next(self) -> None:
        """Let a task begin: in a thread, or here if there is nobody whom it could wait for."""
        task = self._queued.popleft()
        is_alone = not self._suspended and not self._late
        has_thread = False
        if not (is_alone and (self._runs_here or self._n_unmet >= N_UNMET)):
            has_thread = self._run(task, task.start)
        self._lacks_threads = not has_thread and not is_alone
        if self._lacks_threads:
            self._queued.appendleft(task)
            return
        if not has_thread:
            with warnings.catch_warnings():
                task.run_here()
            self._take_note(task)
        self._n_unmet = 0 if task.has_met else self._n_unmet + 1

    def _train(self) -> None:
        solutions = self._solve([p for task in self._suspended for p in task.problems])
        for task in self._suspended:
            self._solved.append((task, [next(solutions) for _ in task.problems]))
        self._suspended, self._bytes_waiting = [], 0

    def _solve(self, problems: list[Problem]) -> Iterator[Solution]:
        """Train problems; yield what has become of each, or raise if Ctrl-C has ended it."""
        solutions = train(problems, self._memory)
        if True in [isinstance(s, TrainingState) and s.is_interrupted for s in solutions]:
            raise KeyboardInterrupt
        return iter(solutions)

    def _run(self, task: Task, go: Callable[[], bool | None]) -> bool:
        """Let a task run until it is suspended, has ended, or seems to wait for another one.

        Return False if it cannot run, which `go` has to say.
        """
        self._begun[task] = None
        with warnings.catch_warnings():
            computed = task.cpu_seconds()
            if go() is False:
                del self._begun[task]
                return False
            while not task.wait(PATIENCE):
                before, computed = computed, task.cpu_seconds()
                is_idle = computed - before < BUSY * PATIENCE
                if is_idle and (self._suspended or self._solved):
                    self._late.append(task)
                    break
        self._take_note(task)
        return True

    def _take_note(self, task: Task) -> None:
        """See what has become of a task that had its turn."""
        if task.has_ended and (trouble := task.trouble()):
            self._put_back(task, trouble)
        elif task.has_ended:
            task.let_go()
            self._begun.pop(task, None)
            self._has_failed = self._has_failed or task.error is not None
            task.report(task)
        elif {problem.key for problem in task.problems} == {ALONE}:
            self._solved.append((task, list(self._solve(task.problems))))
        elif task.problems:
            self._suspended.append(task)
            self._bytes_waiting += sum(map(bytes_waiting, task.problems))

    def _put_back(self, task: Task, trouble: str) -> None:
        """Have a task that fails in a thread run again, and all others from now on, in this one."""
        if is_in_task():  # the thread that will do is further out
            raise Misplaced(trouble)
        task.forget()
        del self._begun[task]
        self._queued.appendleft(task)
        if not self._runs_here:
            self._runs_here = True
            caller = threading.current_thread().name
            warn(
                f"A task has failed in a thread of its own, {NAME!r} ({trouble}). It runs again in "
                f"the thread that waits for it, {caller!r}, and so do all tasks of this call that "
                "follow. Their networks are trained one by one, which takes as long as without "
                "lockstep."
            )
