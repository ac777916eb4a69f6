"""The joblib backend in which fits meet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import joblib
import numpy as np
from joblib.parallel import FallbackToBackend, ParallelBackendBase

from sknn.parallel.meeting import Meeting
from sknn.parallel.workers import Delegation

N_JOBS = 64
"""What tools are told about the number of workers, so that they hand out many small tasks."""

UNITS = {"": 1, **{prefix: 1000**i for i, prefix in enumerate("kMGT", 1)}}
UNITS |= {f"{prefix}i": 1024**i for i, prefix in enumerate("kMGT", 1)}


class Job(NamedTuple):
    """What joblib holds of a task until it asks for the result."""

    task: Any
    meeting: Any

    def get(self) -> Any:
        """Train and run whatever has to come first; return the task's result."""
        return self.meeting.finish(self.task)


class LockstepBackend(ParallelBackendBase):
    """Runs the tasks of a Parallel call in turns and trains their networks together.

    Parameters
    ----------
    memory : float or str, default="256MB"
        See :func:`lockstep`.
    workers : tuple, default=None
        Number of jobs and backend of the workers; None for the calling process.
    parallel : joblib.Parallel, default=None
        The Parallel object that the backend serves; one without is a template.
    nesting_level : int, default=None
        How many Parallel calls are around.
    """

    uses_threads = True
    supports_timeout = False
    supports_return_generator = True

    def __init__(
        self,
        memory: float | str = "256MB",
        workers: tuple[int | None, Any] | None = None,
        parallel: Any = None,
        nesting_level: int | None = None,
    ) -> None:
        super().__init__(nesting_level=nesting_level)
        self._memory = parse_memory(memory)
        self._workers = workers
        self.parallel = parallel
        self.supports_sharedmem = workers is None
        # Results that are wanted in the order of completion have to be reported as they come.
        self.supports_retrieve_callback = not getattr(parallel, "return_ordered", True)
        self._begin()

    def _begin(self) -> None:
        self._meeting: Meeting | Delegation = (
            Meeting(self._memory)
            if self._workers is None
            else Delegation(self._memory, *self._workers)
        )

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return N_JOBS

    def configure(self, n_jobs: int = 1, parallel: Any = None, **options: Any) -> int:
        if parallel is not self.parallel:
            # A meeting belongs to one Parallel object, the backend of a context to many.
            own = LockstepBackend(self._memory, self._workers, parallel, self.nesting_level)
            raise FallbackToBackend(own)
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], Any]) -> Job:
        """Take on a task.

        Parameters
        ----------
        func : callable
            The task, without arguments.
        callback : callable
            ``callback(task)`` is called when it is done.

        Returns
        -------
        Job
            What its result is asked of.
        """

        def report(task: Any) -> None:
            # After a failure nothing more is to be dispatched.
            if task.error is None or self.supports_retrieve_callback:
                callback(task)

        return Job(self._meeting.add(func, report), self._meeting)

    apply_async = submit  # its name before joblib 1.5

    def retrieve_result_callback(self, out: Any) -> Any:
        return out.result()

    @contextmanager
    def retrieval_context(self) -> Iterator[None]:
        if self.supports_retrieve_callback:
            self._meeting.finish_all()
        yield

    def abort_everything(self, ensure_ready: bool = True) -> None:
        meeting = self._meeting
        self._begin()
        meeting.cancel()

    def get_nested_backend(self) -> tuple[ParallelBackendBase, int | None]:
        level = (self.nesting_level or 0) + 1
        return LockstepBackend(self._memory, nesting_level=level), None


def parse_memory(memory: Any) -> float:
    """Return a number of bytes, given as such or as a text like "256MB"."""
    n_bytes = 0.0
    if isinstance(memory, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?i?)B?\s*", memory.replace("K", "k"))
        if match and match[2] in UNITS:
            n_bytes = float(match[1]) * UNITS[match[2]]
    elif not isinstance(memory, bool) and isinstance(memory, (int, float, np.number)):
        n_bytes = float(memory)
    if not n_bytes > 0:
        raise ValueError(
            "The 'memory' parameter of lockstep must be a positive number of bytes, or a str such "
            f"as '256MB' or '1GiB'. Got {memory!r} instead."
        )
    return n_bytes


joblib.register_parallel_backend("lockstep", LockstepBackend)
