"""Threads that share work where it is long enough to be shared.

While BLAS has one thread (`sknn._blas`), each of ours has a part of the samples from the first
layer to the last, a part of the parameters, or some models of a stack. They sleep while they wait
for each other, so that a busy machine costs no more than the time of the others.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import NamedTuple, Self, TypeAlias, TypeVar

import numpy as np

from sknn._blas import ONE_BLAS_THREAD
from sknn._machine import count_cores
from sknn._math import Array, Call

Phase: TypeAlias = list[list[Call]]
"""Calls that run at the same time: a list for each worker."""

MAX_WORKERS = 4
"""So many threads share a work at most: how more of them do was not measured."""


MIN_WORK = 40_000_000
"""Parameters times samples of a step, in bytes, from which threads share its rows.

It takes 0.4 ms then. Below, handing over costs what sharing gains; above, stacks gain nothing.
"""

MIN_WORK_MEETING = 100_000_000
"""The same where they wait for each other within the step, as in batch normalisation."""

MIN_ROWS = 16
"""Rows of a batch that a thread should have; fewer make its matrix products inefficient."""


def count_threads() -> int:
    """Return how many threads the process may keep busy: its cores, and BLAS's own limit."""
    return min(count_cores(), ONE_BLAS_THREAD.count_threads())


def count_workers(most: int, n_threads: int | None = None) -> int:
    """Return how many threads should share a work that `most` could share, 1 for no sharing.

    Of `n_threads`, or of as many as the process may keep busy.
    """
    if most <= 1:
        return 1
    return min(most, MAX_WORKERS, count_threads() if n_threads is None else n_threads)


def is_large(theta: Array, n_samples: int) -> bool:
    """Whether a step of one model on so many samples is worth being shared."""
    return theta.nbytes * n_samples >= MIN_WORK


def count_row_workers(
    theta: Array, n_samples: int, they_meet: bool = False, n_threads: int | None = None
) -> int:
    """Return how many threads should share the rows of a step.

    What they add up depends on it, so nothing but the shapes and the number of cores decides.

    Parameters
    ----------
    theta : ndarray of shape (n_parameters,)
    n_samples : int
        Rows of a step.
    they_meet : bool, default=False
        Whether they wait for each other within the step, too.
    n_threads : int, default=None
        How many threads there are; None for as many as the process may keep busy.
    """
    if theta.nbytes * n_samples < (MIN_WORK_MEETING if they_meet else MIN_WORK):
        return 1
    n_threads = count_threads() if n_threads is None else n_threads
    if n_threads > MAX_WORKERS:
        return 1
    return count_workers(n_samples // MIN_ROWS, n_threads)


def cpu_clock(n_workers: int, is_large: bool) -> Callable[[], float]:
    """Return the clock of the CPU time that so many workers take, for a large model or another.

    It is that of the calling thread if nobody else works for it, be it BLAS; else that of the whole
    process, in which the program's other threads count, too.
    """
    is_alone = n_workers == 1 and not (is_large and count_threads() > MAX_WORKERS)
    return time.thread_time if is_alone else time.process_time


def large_work() -> AbstractContextManager[object]:
    """Return the context for one large model: with many cores it is left to BLAS's threads."""
    return ONE_BLAS_THREAD.lifted() if count_threads() > MAX_WORKERS else nullcontext()


class Order(NamedTuple):
    """Phases that the crew is to run.

    Attributes
    ----------
    first : int
        The number of the first phase.
    phases : list of list
    untaken : list of list of int
        For each phase the parts that nobody has begun.
    """

    first: int
    phases: list[Phase]
    untaken: list[list[int]]


N_ALONE = 8
"""So many orders the caller carries out alone after one that it would have finished sooner."""

LEAVE = -1
"""What is told in place of the number of a phase when a crew ends."""


class Crew:
    """A few threads that run phases of calls together; the caller's thread is one of them.

    A phase has a part for each worker. What they are follows from the number of workers alone, who
    does them from how busy the machine is: who has done its own part takes over one that has not
    been begun, and where waiting for the others takes longer than to do their parts, the caller
    does so for a while.

    Parameters
    ----------
    n_workers : int
        Number of threads; with 1 all is done in the caller's.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._threads: list[threading.Thread] = []
        self._orders: list[SimpleQueue[Order | None]] = [SimpleQueue() for _ in range(n_workers)]
        # What a worker is told: the number of a phase of which another has done a part, or LEAVE.
        self._inboxes: list[SimpleQueue[int]] = [SimpleQueue() for _ in range(n_workers)]
        self._n_done: list[Counter[int]] = [Counter() for _ in range(n_workers)]
        self._n_phases = 0
        self._n_alone = 0
        self._seconds = 0.0  # what the caller's parts of an order have taken
        self._n_own = 0
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        if self.n_workers > 1:
            try:
                if not self._start():  # then the caller does all of the work
                    self._stop()
            except BaseException:  # Ctrl-C, too, must leave nothing behind
                self._stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> bool:
        self._threads = [
            threading.Thread(target=self._help, args=(worker,), name="sknn", daemon=True)
            for worker in range(1, self.n_workers)
        ]
        return all(start_thread(thread) for thread in self._threads)

    def _stop(self) -> None:
        """Send the helpers away, even if Ctrl-C is pressed meanwhile."""
        interrupt: KeyboardInterrupt | None = None
        while self._threads:
            try:
                self._tell_others(0, LEAVE)
                for orders in self._orders[1:]:
                    orders.put(None)
                for thread in self._threads:
                    if thread.ident is not None:
                        thread.join()
                self._threads = []
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def run(self, steps: list[list[Phase]]) -> None:
        """Run steps, each phase by phase."""
        phases = [phase for phases in steps for phase in phases]
        if not self._threads or self._n_alone:
            self._n_alone = max(0, self._n_alone - 1)
            for phase in phases:
                for calls in phase:
                    for call in calls:
                        call()
            return
        begin, self._seconds, self._n_own = time.perf_counter(), 0.0, 0
        order = Order(self._n_phases, phases, [list(range(len(phase))) for phase in phases])
        self._n_phases += len(phases)
        for orders in self._orders[1:]:
            orders.put(order)
        self._work(0, order)
        if self._error is not None:
            raise self._error
        alone = self._seconds * sum(map(len, phases)) / max(1, self._n_own)
        if time.perf_counter() - begin > alone:
            self._n_alone = N_ALONE

    def _help(self, worker: int) -> None:
        """Do what a helping thread does until it is told to leave."""
        with np.errstate(all="ignore"), ONE_BLAS_THREAD:  # as in the caller's thread
            while (order := self._orders[worker].get()) is not None:
                if not self._work(worker, order):
                    return

    def _work(self, worker: int, order: Order) -> bool:
        """Run parts of the phases, with the others; return whether to go on."""
        inbox, n_done = self._inboxes[worker], self._n_done[worker]
        phases = zip(order.phases, order.untaken, strict=True)
        for number, (phase, untaken) in enumerate(phases, order.first):
            while (part := _take(untaken, worker)) is not None:
                begin = time.perf_counter()
                if self._error is None:
                    try:
                        for call in phase[part]:
                            call()
                    except Exception as error:
                        self._error = error
                if worker == 0:
                    self._seconds += time.perf_counter() - begin
                    self._n_own += 1
                # All tell all: nobody sleeps who is not early.
                self._tell_others(worker, number)
                n_done[number] += 1
            while n_done[number] < len(phase):
                told = inbox.get()
                if told == LEAVE:
                    self._tell_others(worker, LEAVE)
                    return False
                n_done[told] += 1
            del n_done[number]
        return True

    def _tell_others(self, worker: int, number: int) -> None:
        for other, inbox in enumerate(self._inboxes):
            if other != worker:
                inbox.put(number)


def _take(untaken: list[int], worker: int) -> int | None:
    """Take a worker's own part of a phase, else any; return None if there is none left."""
    try:
        untaken.remove(worker)
        return worker
    except ValueError:
        pass
    try:
        return untaken.pop()
    except IndexError:
        return None


T = TypeVar("T")


def share_out(n_workers: int, tasks: Iterable[T], run: Callable[[T], object]) -> None:
    """Run tasks that have nothing to do with each other; whoever is free takes the next.

    Parameters
    ----------
    n_workers : int
        Number of threads at most, the caller's included.
    tasks : iterable
    run : callable
        ``run(task)`` does one of them.
    """
    waiting, lock = iter(tasks), threading.Lock()
    errors: list[BaseException] = []
    float_errors = np.geterr()

    def work() -> None:
        try:
            with ONE_BLAS_THREAD, np.errstate(**float_errors):
                while not errors:
                    with lock:
                        task = next(waiting, None)
                    if task is None:
                        return
                    run(task)
        except BaseException as error:  # Ctrl-C, too, has to reach the caller
            errors.append(error)

    helpers = [threading.Thread(target=work, daemon=True) for _ in range(n_workers - 1)]
    started = [helper for helper in helpers if start_thread(helper)]
    work()
    for helper in started:
        try:
            helper.join()
        except KeyboardInterrupt as error:
            errors.append(error)
            helper.join()
    if errors:
        raise errors[0]


def start_thread(thread: threading.Thread) -> bool:
    """Start a thread; return False where the system gives none."""
    try:
        thread.start()
    except RuntimeError as error:
        # Ctrl-C in the midst of it leaves a lock of the interpreter's own unlocked.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        return False
    return True
