"""One thread for BLAS while networks compute.

The threads of BLAS wait for each other by spinning. On a machine that does something else as
well, one of them is often not running, and the others burn a core until it is: the same fit then
takes ten times longer. So BLAS has one thread while we compute, and where it pays our own threads
(`sknn._crew`), which sleep while they wait, share the work.

A limit holds for the whole process with most builds of BLAS, and for the calling thread with MKL
and with an OpenBLAS built on OpenMP.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple, Self, TypeVar

from threadpoolctl import ThreadpoolController

F = TypeVar("F", bound=Callable[..., Any])

MIN_BLAS = 9_000
"""Multiplications from which BLAS may use its threads (OpenBLAS, for a matrix times a vector)."""


class Pool(NamedTuple):
    """A copy of BLAS in the process.

    Attributes
    ----------
    read : callable
        Returns its number of threads.
    set : callable
        Sets it, whichever thread calls.
    is_of_thread : bool
        Whether the number belongs to the calling thread.
    """

    read: Callable[[], int]
    set: Callable[[int], object]
    is_of_thread: bool


Before = list[tuple[Pool, int]]
"""Pools, and the numbers of threads that they had."""


class BlasLimit:
    """Limits all copies of BLAS to one thread, for as long as anybody in the process wants it.

    Ctrl-C may skip the end of a block. So a block is known by the frame that has begun it, and is
    over once that frame is no longer on the stack of its thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._blocks: dict[int, list[int]] = {}  # by thread: the frames that have begun blocks
        self._of_process: Before = []
        self._of_threads: dict[int, Before] = {}
        self._known: list[Pool] | None = None

    def __enter__(self) -> Self:
        frame = sys._getframe(1)
        blocks = self.blocks()
        if blocks:
            alive = set(_stack_of(frame))
            blocks = [block for block in blocks if block in alive]
        self.set_blocks([*blocks, id(frame)])
        return self

    def __exit__(self, *_: object) -> None:
        self.set_blocks(self.blocks()[:-1])

    def __call__(self, function: F) -> F:
        """Return a function that is a block."""

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]

    def blocks(self) -> list[int]:
        """Return the frames that have begun blocks of the calling thread."""
        return self._blocks.get(threading.get_ident(), [])

    def set_blocks(self, blocks: list[int]) -> None:
        """Say in which blocks the calling thread is, even if Ctrl-C is pressed meanwhile."""
        thread, interrupt = threading.get_ident(), None
        while True:
            try:
                with self._lock:
                    if blocks:
                        self._limit(thread)
                        self._blocks[thread] = blocks
                    else:
                        self._release(thread)
                break
            except KeyboardInterrupt as error:
                interrupt = error
                # What was to begin does not; what was to end ends.
                blocks = blocks if len(blocks) < len(self.blocks()) else self.blocks()
        if interrupt is not None:
            raise interrupt

    def lifted(self) -> Lifted:
        """Return a context in which the calling thread wants no limit, as it waits for others."""
        return Lifted(self)

    def count_threads(self) -> int:
        """Return how many threads the calling thread's BLAS would have without our limit."""
        with self._lock:
            of_thread = self._of_threads.get(threading.get_ident(), [])
            limited = {id(pool): n_threads for pool, n_threads in [*self._of_process, *of_thread]}
            counts = [limited.get(id(pool)) or pool.read() for pool in self._pools()]
        return min((n for n in counts if n), default=1)

    def forget(self) -> None:
        """Drop all blocks and the limit: a forked child has none of its parent's threads."""
        self._lock = threading.RLock()
        of_thread = self._of_threads.get(threading.get_ident(), [])
        self._blocks, self._of_threads = {}, {}
        _restore([*of_thread, *self._of_process])
        self._of_process = []

    def _limit(self, thread: int) -> None:
        """Limit what is not limited yet; the numbers are noted first, so that none is lost."""
        if thread in self._blocks:
            return
        if not self._of_process:
            self._of_process = [(p, p.read()) for p in self._pools() if not p.is_of_thread]
        self._of_threads[thread] = [(p, p.read()) for p in self._pools() if p.is_of_thread]
        for pool, _ in (*self._of_process, *self._of_threads[thread]):
            pool.set(1)

    def _release(self, thread: int) -> None:
        _restore(self._of_threads.get(thread, []))
        if not self._blocks.keys() - {thread}:
            _restore(self._of_process)
            self._of_process = []
        self._of_threads.pop(thread, None)
        self._blocks.pop(thread, None)

    def _pools(self) -> list[Pool]:
        if self._known is None:  # finding them takes 3 ms
            controller = ThreadpoolController().select(user_api="blas")
            self._known = [find_pool(library) for library in controller.lib_controllers]
        return self._known


class Lifted:
    """What `BlasLimit.lifted` returns."""

    def __init__(self, limit: BlasLimit) -> None:
        self._limit = limit
        self._blocks: list[int] = []

    def __enter__(self) -> None:
        self._blocks = self._limit.blocks()
        if self._blocks:
            self._limit.set_blocks([])

    def __exit__(self, *_: object) -> None:
        if self._blocks:
            self._limit.set_blocks(self._blocks)


def find_pool(library: Any) -> Pool:
    """Return how to read and set the number of threads of one of threadpoolctl's libraries.

    threadpoolctl lets only the first thread that has set the number of an OpenBLAS without OpenMP
    set it again as long as that thread lives. A fit may run in any thread, so the library itself
    is asked.
    """
    layer = getattr(library, "threading_layer", None)
    if library.internal_api == "openblas" and layer != "openmp":
        for prefix, suffix in itertools.product(("", "scipy_"), ("", "64_", "_64")):
            setter = getattr(library.dynlib, f"{prefix}openblas_set_num_threads{suffix}", None)
            if setter is not None:
                return Pool(library.get_num_threads, setter, is_of_thread=False)
    # Older versions of threadpoolctl set MKL's number for the process.
    setter = getattr(library.dynlib, "MKL_Set_Num_Threads_Local", library.set_num_threads)
    return Pool(library.get_num_threads, setter, library.internal_api in ("mkl", "openblas"))


def _restore(before: Before) -> None:
    for pool, n_threads in before:
        # Somebody else's limit may have ended meanwhile, with the number from before ours.
        if pool.read() == 1:
            pool.set(n_threads)


def _stack_of(frame: FrameType | None) -> Iterator[int]:
    """Yield a frame and those that have called it."""
    while frame is not None:
        yield id(frame)
        frame = frame.f_back


ONE_BLAS_THREAD = BlasLimit()
"""``with ONE_BLAS_THREAD:`` limits BLAS; blocks may be nested, in any number of threads.

As a decorator it makes a block of a function.
"""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ONE_BLAS_THREAD.forget)
