"""A task: a call that can be suspended where its fit would start the solver."""

from __future__ import annotations

import contextvars
import ctypes
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import sklearn

from sknn._blas import ONE_BLAS_THREAD
from sknn.solvers import ALONE, MEETING, Meet, Problem, TrainingState

TICK = 0.05
"""Seconds between two looks at whether the thread that is waited for still lives."""

GRACE = 0.2
"""Seconds that a task has to end by itself before an exception is thrown into it."""


class Cancelled(BaseException):
    """Unwinds a task whose result nobody wants any more.

    Not an Exception: scikit-learn's searches turn those into scores.
    """


class Task:
    """A call in a thread of its own, which runs only while somebody waits for it.

    The thread is just a way to suspend the call. It sees the context variables, the
    scikit-learn configuration and the floating-point error handling of the thread that makes
    the task, and while it is suspended the warning filters are those of the thread that waits.

    Parameters
    ----------
    call : callable
        What to run.
    report : callable
        What to call, by whoever awaits the task, once it has ended.

    Attributes
    ----------
    problem : Problem or None
        What the task, while suspended, waits to have solved.
    has_met : bool
        Whether the call has come to a problem that could be solved together with others.
    has_ended : bool
        Whether there is a result or an error.
    error : BaseException or None
        What the call has raised.
    """

    def __init__(self, call: Callable[[], Any], report: Callable[[Task], object]) -> None:
        self.report = report
        self.problem: Problem | None = None
        self.has_met = False
        self.has_ended = False
        self.error: BaseException | None = None
        self._call: Callable[[], Any] | None = call
        self._result: Any = None
        self._solution: TrainingState | BaseException | None = None
        self._is_cancelled = False
        self._clock: int | None = None
        self._context: contextvars.Context | None = contextvars.copy_context()
        self._config = sklearn.get_config()
        self._float_errors = _float_errors()
        self._thread = threading.Thread(target=self._run, name="sknn task", daemon=True)
        self._turn, self._pause = threading.Lock(), threading.Lock()
        self._turn.acquire()
        self._pause.acquire()

    # For the thread that waits.

    def run_here(self) -> None:
        """Run the whole call in the thread that waits; a problem is then solved at once."""
        try:
            self._run_in_context(self._solve)
        except Exception as error:
            self.error = error
        self.has_ended = True

    def start(self) -> None:
        """Let the task begin; `wait` has to follow."""
        try:
            self._thread.start()
        except RuntimeError as error:
            # Ctrl-C in the midst of it leaves a lock of the interpreter's own unlocked.
            raise error.__context__ or error from None

    def resume(self, solution: TrainingState | BaseException) -> None:
        """Hand a suspended task its trained state, or what to raise; `wait` has to follow."""
        self.problem, self._solution = None, solution
        self._turn.release()

    def wait(self, seconds: float) -> bool:
        """Wait until the task is suspended or has ended; return False if it takes longer."""
        until = time.monotonic() + seconds
        while not self._pause.acquire(timeout=TICK):
            if not self._thread.is_alive() and not self._pause.acquire(timeout=TICK):
                self.has_ended = True  # an interrupt has hit its very last steps
                return True
            if time.monotonic() >= until:
                return False
        return True

    def cancel(self) -> None:
        """End the task, wherever it is, and wait for that."""
        self._is_cancelled = True
        if self._thread.ident is None:
            return  # should it begin after all, it will end at once
        while not self.has_ended:
            if self.problem is not None:
                self.resume(Cancelled())
            elif not self.wait(GRACE):
                identity, error = ctypes.c_ulong(self._thread.ident), ctypes.py_object(Cancelled)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, error)
                self.wait(np.inf)
        self._thread.join()

    def result(self) -> Any:
        """Return what the call has returned, or raise what it has raised."""
        if self.error is not None:
            raise self.error
        return self._result

    def cpu_seconds(self) -> float:
        """Return how much the task has computed so far; 0 where the system does not tell."""
        if self._clock is None:
            return 0.0
        try:
            return time.clock_gettime(self._clock)
        except OSError:  # the thread has just ended
            return 0.0

    # For the thread of the task.

    def _run(self) -> None:
        try:
            if not self._is_cancelled:
                if clock_of := getattr(time, "pthread_getcpuclockid", None):
                    self._clock = clock_of(threading.get_ident())
                self._run_in_context(self._meet)
        except BaseException as error:
            self.error = error
        finally:
            self.has_ended = True
            self._pause.release()

    def _run_in_context(self, meet: Meet) -> None:
        """Make the call; let go of it and of its context, which refers to the task."""
        assert self._context is not None
        try:
            self._result = self._context.run(self._run_call, meet)
        finally:
            self._call = self._context = None

    def _run_call(self, meet: Meet) -> Any:
        assert self._call is not None
        MEETING.set(meet)
        # NumPy 2 keeps the state in the context. NumPy 1 keeps it in the thread, and setting it to
        # what it is disturbs other threads there.
        is_known = self._float_errors == _float_errors()
        errors = nullcontext() if is_known else np.errstate(**self._float_errors)
        with sklearn.config_context(**self._config), errors:
            return self._call()

    def _meet(self, problem: Problem) -> TrainingState:
        """Suspend the task until its problem is solved."""
        if self._is_cancelled:
            raise Cancelled
        if threading.get_ident() != self._thread.ident:
            return self._solve(problem)  # a thread of the task's own, with a copy of its context
        self.problem, self.has_met = problem, problem.key != ALONE
        with warnings.catch_warnings(), ONE_BLAS_THREAD.lifted():
            self._pause.release()
            self._turn.acquire()
        solution, self._solution = self._solution, None
        if not isinstance(solution, TrainingState):
            raise solution if solution is not None else Cancelled
        return solution

    def _solve(self, problem: Problem) -> TrainingState:
        """Solve a problem where it comes up."""
        self.has_met = problem.key != ALONE
        [state] = problem.solver.minimize([problem])
        if state.is_interrupted:
            raise KeyboardInterrupt
        return state


def _float_errors() -> dict[str, Any]:
    """Return what NumPy does about floating-point errors, as np.errstate takes it."""
    return {**np.geterr(), "call": np.geterrcall()}
