"""Threads that share work where it is long enough to be shared.

BLAS has threads of its own, but they help with the matrix products only, and between two
products they keep a core busy with waiting. Where there is much to do it is faster to limit BLAS
to one thread for a while, and to let each of our threads have a part of the samples from the
first layer to the last, or a part of the parameters.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from threadpoolctl import ThreadpoolController

from sknn._math import Call

Phase: TypeAlias = list[list[Call]]
"""Calls that run at the same time: a list for each worker."""

MAX_CORES = 4
"""With more cores than these BLAS is left alone: how the two compare there was not measured."""


def count_workers(most: int) -> int:
    """Return how many threads should share a work that `most` could share, 1 for no sharing."""
    if most < 2:
        return 1
    n_cores = ALL_BLAS.count_threads()
    return min(most, n_cores) if n_cores <= MAX_CORES else 1


class Crew:
    """A few threads that run phases of calls together; the caller's thread is one of them.

    Parameters
    ----------
    n_workers : int
        Number of threads; with 1 all is done in the caller's.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._threads: list[threading.Thread] = []
        self._orders: list[SimpleQueue[list[list[Phase]] | None]] = []
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        if self.n_workers > 1:
            try:
                self._start()
            except BaseException:  # Ctrl-C, too, must leave nothing behind
                self._stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.n_workers > 1:
            self._stop()

    def _start(self) -> None:
        crew = range(self.n_workers)
        # What worker i tells worker j: "done" with a phase, or to "leave".
        self._tokens: list[list[SimpleQueue[str]]] = [[SimpleQueue() for _ in crew] for _ in crew]
        self._orders = [SimpleQueue() for _ in crew]
        self._threads = [
            threading.Thread(target=self._help, args=(worker,), name="sknn", daemon=True)
            for worker in crew[1:]
        ]
        ALL_BLAS.limit(self)
        for thread in self._threads:
            thread.start()

    def _stop(self) -> None:
        """Send the helpers away and restore BLAS, even if Ctrl-C is pressed meanwhile."""
        interrupt: KeyboardInterrupt | None = None
        while True:
            try:
                if self._orders:
                    self._tell_others(0, "leave")
                    for orders in self._orders[1:]:
                        orders.put(None)
                for thread in self._threads:
                    if thread.ident is not None:
                        thread.join()
                ALL_BLAS.release(self)
                break
            except KeyboardInterrupt as error:
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def run(self, steps: list[list[Phase]]) -> None:
        """Run steps, each phase by phase."""
        if self.n_workers == 1:
            for phases in steps:
                for (calls,) in phases:
                    for call in calls:
                        call()
            return
        for orders in self._orders[1:]:
            orders.put(steps)
        self._work(0, steps)
        if self._error is not None:
            raise self._error

    def _help(self, worker: int) -> None:
        """Do what a helping thread does until it is told to leave."""
        with np.errstate(all="ignore"):  # as in the caller's thread
            while (steps := self._orders[worker].get()) is not None:
                if not self._work(worker, steps):
                    return

    def _work(self, worker: int, steps: list[list[Phase]]) -> bool:
        """Run a worker's calls, phase by phase with the others; return whether to go on."""
        for phases in steps:
            for phase in phases:
                if worker < len(phase) and self._error is None:
                    try:
                        for call in phase[worker]:
                            call()
                    except Exception as error:
                        self._error = error
                # All tell all: nobody sleeps who is not early.
                self._tell_others(worker, "done")
                for other in range(self.n_workers):
                    if other != worker and self._tokens[other][worker].get() == "leave":
                        self._tell_others(worker, "leave")
                        return False
        return True

    def _tell_others(self, worker: int, token: str) -> None:
        for other in range(self.n_workers):
            if other != worker:
                self._tokens[worker][other].put(token)


class BlasLimit:
    """Limits copies of BLAS to one thread, for as long as anybody in the process wants it.

    Parameters
    ----------
    owner : str
        Part of the path of the copies that are meant: SciPy may bring its own beside NumPy's.
    """

    _lock = threading.Lock()
    _controller: ClassVar[ThreadpoolController | None] = None

    def __init__(self, owner: str = "") -> None:
        self._owner = owner
        self._users: set[int] = set()
        self._before: list[tuple[Any, int]] = []  # the pools that are limited, and their threads

    def count_threads(self) -> int:
        """Return how many threads BLAS would use now, but no more than there are cores."""
        with self._lock:
            # Not every system tells which cores the process may use.
            allowed = getattr(os, "sched_getaffinity", None)
            n_cores = len(allowed(0)) if allowed else os.cpu_count() or 1
            return min([n_cores, *(pool.num_threads for pool in self._pools().lib_controllers)])

    def limit(self, user: object) -> None:
        """Limit BLAS until `user`, and everybody else who has asked for it, releases it."""
        with self._lock:
            self._users.add(id(user))
            if not self._before:
                # Noted first, so that it can be restored even if Ctrl-C comes in between.
                self._before = [(pool, pool.num_threads) for pool in self._pools().lib_controllers]
                for pool, _ in self._before:
                    pool.set_num_threads(1)

    def release(self, user: object) -> None:
        """Say that `user` needs the limit no more; for one who does not have it do nothing."""
        with self._lock:
            self._users.discard(id(user))
            if not self._users:
                self._restore()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Limit BLAS within a with-block."""
        user = object()
        try:
            self.limit(user)
            yield
        finally:
            self.release(user)

    def forget(self) -> None:
        """Drop all users and the limit: a forked child has none of its parent's threads."""
        BlasLimit._lock = threading.Lock()
        self._users.clear()
        self._restore()

    def _restore(self) -> None:
        for pool, n_threads in self._before:
            pool.set_num_threads(n_threads)
        self._before = []

    def _pools(self) -> ThreadpoolController:
        if BlasLimit._controller is None:
            BlasLimit._controller = ThreadpoolController()  # takes 3 ms, so once
        blas = BlasLimit._controller.select(user_api="blas")
        paths = [pool.filepath for pool in blas.lib_controllers if self._owner in pool.filepath]
        return blas.select(filepath=paths)


ALL_BLAS = BlasLimit()
SCIPY_BLAS = BlasLimit("scipy")

if hasattr(os, "register_at_fork"):
    for _blas in (ALL_BLAS, SCIPY_BLAS):
        os.register_at_fork(after_in_child=_blas.forget)
