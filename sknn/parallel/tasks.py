"""A task: a call that can be suspended where its fit would start the solver."""

from __future__ import annotations

import contextvars
import ctypes
import os
import re
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import sklearn

from sknn._blas import ONE_BLAS_THREAD
from sknn._crew import start_thread
from sknn.solvers import ALONE, MEETING, Meet, Problem, Solution, TrainingState, train

TICK = 0.05
"""Seconds between two looks at whether the thread that is waited for still lives."""

GRACE = 2.0
"""Seconds that a task has to end by itself before an exception is thrown into it.

That is no clean end: where it lands in a callback that collects garbage, Python only prints it.
"""

AGAIN = 30.0
"""Seconds that a task has to end then, before another one is thrown: the first may be lost."""

NAME = "sknn task"
"""The name of the threads."""

THREAD_TROUBLE = re.compile(
    r"^.*(?:only works in main thread"  # signal
    r"|SQLite objects created in a thread can only be used in that same thread"
    r"|'_thread\._local' object has no attribute"
    r"|no current event loop in thread"  # asyncio
    r"|main thread is not in main loop).*$",  # tkinter
    re.MULTILINE,
)
"""What is said by code that has failed because it runs in another thread than the caller's."""


class Misplaced(BaseException):
    """Unwinds a task that fails in its thread because a task of an inner call does.

    Not an Exception: the inner call would be a candidate that has failed.
    """


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
    problems : list of Problem
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
        self.problems: list[Problem] = []
        self.has_met = False
        self.has_ended = False
        self.error: BaseException | None = None
        self._call: Callable[[], Any] | None = call
        self._result: Any = None
        self._solutions: list[Solution] = []
        self._is_cancelled = False
        self._clock: int | None = None
        self._process = os.getpid()
        self._context: contextvars.Context | None = contextvars.copy_context()
        self._config = sklearn.get_config()
        self._float_errors = _float_errors()
        self._thread: threading.Thread | None = None
        self._door, self._is_over = threading.Lock(), False
        self._turn, self._pause = threading.Lock(), threading.Lock()
        self._turn.acquire()
        self._pause.acquire()

    # For the thread that waits.

    def run_here(self) -> None:
        """Run the whole call in the thread that waits; a problem is then solved at once."""
        self._thread = None
        try:
            self._run_in_context(self._solve)
        except Exception as error:
            self.error = error
        self.has_ended = True

    def start(self) -> bool:
        """Let the task begin, `wait` has to follow; return False if the system gives no thread."""
        self._is_over = False
        # A new one each time: a thread can be started only once.
        self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
        return start_thread(self._thread)

    def resume(self, solutions: list[Solution]) -> None:
        """Hand a suspended task its trained states, or what to raise; `wait` has to follow."""
        self.problems, self._solutions = [], solutions
        self._turn.release()

    def wait(self, seconds: float) -> bool:
        """Wait until the task is suspended or has ended; return False if it takes longer."""
        assert self._thread is not None
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
        if self._thread is None or self._thread.ident is None:
            return  # should it begin after all, it will end at once
        patience = GRACE
        while not self.has_ended:
            if self.problems:
                self.resume([Cancelled()])
            elif not self.wait(patience):
                self.throw_into()
                patience = AGAIN
        self._thread.join()
        self.let_go()

    def throw_into(self) -> None:
        """Raise Cancelled in the thread, wherever it is, unless the call has come to its end."""
        assert self._thread is not None
        assert self._thread.ident is not None
        with self._door:
            if not self._is_over:
                identity, error = ctypes.c_ulong(self._thread.ident), ctypes.py_object(Cancelled)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, error)

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

    def trouble(self) -> str:
        """Return why the call has failed if its thread is to blame, else an empty text."""
        return "" if self._thread is None else find_trouble(self._result, self.error)

    def forget(self) -> None:
        """Forget what has come of the call: it is to be made again."""
        self.has_ended, self._result, self.error = False, None, None

    def let_go(self) -> None:
        """Drop the call, which holds data: it will not be made again."""
        self._call = self._context = None

    # For the thread of the task.

    def _run(self) -> None:
        try:
            try:
                if not self._is_cancelled:
                    if clock_of := getattr(time, "pthread_getcpuclockid", None):
                        self._clock = clock_of(threading.get_ident())
                    self._run_in_context(self._meet)
            except BaseException as error:
                self.error = error
            self._shut_door()
        except Cancelled:  # thrown as late as this: there is nothing left to be ended
            self._shut_door()
        finally:
            self.has_ended = True
            self._pause.release()

    def _shut_door(self) -> None:
        """Let nobody throw any more, and let in what has been thrown."""
        with self._door:
            self._is_over = True
        for _ in range(2):
            pass  # here the interpreter looks for exceptions that others have set

    def _run_in_context(self, meet: Meet) -> None:
        """Make the call; what it sets in its context is not there if it is made again."""
        assert self._context is not None
        self._result = self._context.copy().run(self._run_call, meet)

    def _run_call(self, meet: Meet) -> Any:
        assert self._call is not None
        MEETING.set(meet)
        # NumPy 2 keeps the state in the context. NumPy 1 keeps it in the thread, and setting it to
        # what it is disturbs other threads there.
        is_known = self._float_errors == _float_errors()
        errors = nullcontext() if is_known else np.errstate(**self._float_errors)
        with sklearn.config_context(**self._config), errors:
            return self._call()

    def _meet(self, problems: list[Problem]) -> list[TrainingState]:
        """Suspend the task until its problems are solved."""
        if self._is_cancelled:
            raise Cancelled
        # A thread or a process that the call has begun, with a copy of its context, has nobody
        # who would resume it.
        if threading.current_thread() is not self._thread or os.getpid() != self._process:
            return self._solve(problems)
        self._take_note(problems)
        self.problems = problems
        with warnings.catch_warnings(), ONE_BLAS_THREAD.lifted():
            self._pause.release()
            self._turn.acquire()
        solutions, self._solutions = self._solutions, []
        return _states_of(solutions or [Cancelled()])

    def _solve(self, problems: list[Problem]) -> list[TrainingState]:
        """Solve problems where they come up."""
        self._take_note(problems)
        states = _states_of(train(problems))
        if True in [state.is_interrupted for state in states]:
            raise KeyboardInterrupt
        return states

    def _take_note(self, problems: list[Problem]) -> None:
        self.has_met = {problem.key for problem in problems} != {ALONE}


def _states_of(solutions: list[Solution]) -> list[TrainingState]:
    """Return the states, or raise the first of what has become instead of one."""
    states = []
    for solution in solutions:
        if isinstance(solution, BaseException):
            raise solution
        states.append(solution)
    return states


def _float_errors() -> dict[str, Any]:
    """Return what NumPy does about floating-point errors, as np.errstate takes it."""
    return {**np.geterr(), "call": np.geterrcall()}


def is_in_task() -> bool:
    """Whether the calling thread is that of a task, in the process of the task."""
    thread = threading.current_thread()
    # In a process that the task has forked, its thread is the main thread.
    return thread.name == NAME and thread is not threading.main_thread()


def find_trouble(result: Any, error: BaseException | None) -> str:
    """Return the line that says that a call has failed because of its thread, if there is one.

    scikit-learn's searches make a part of the result of an error, and joblib a list of results.
    """
    if isinstance(error, Misplaced):
        return str(error)
    texts = [] if error is None else traceback.format_exception(error)
    for part in result if isinstance(result, list) else ():
        if isinstance(part, dict):
            texts.append(str(part.get("fit_error")))
    lines = THREAD_TROUBLE.findall("\n".join(texts))
    return lines[-1].strip() if lines else ""
