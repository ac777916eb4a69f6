"""The joblib backend in which fits meet, and the context that makes it the ambient one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import joblib
from joblib.parallel import FallbackToBackend, ParallelBackendBase

from sknn.parallel.meeting import Meeting
from sknn.parallel.tasks import Task

N_JOBS = 64
"""What tools are told about the number of workers, so that they hand out many small tasks."""


class Job(NamedTuple):
    """What joblib holds of a task until it asks for the result."""

    task: Task
    meeting: Meeting

    def get(self) -> Any:
        """Train and run whatever has to come first; return the task's result."""
        return self.meeting.finish(self.task)


class LockstepBackend(ParallelBackendBase):
    """Runs the tasks of a Parallel call one at a time and trains their networks together."""

    uses_threads = True
    supports_sharedmem = True
    supports_timeout = False
    supports_return_generator = True

    def __init__(self, memory: float = 256e6, parallel: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self._memory = memory
        self.parallel = parallel
        self._meeting = Meeting(memory)
        # Results that are wanted in the order of completion have to be reported as they come.
        self.supports_retrieve_callback = not getattr(parallel, "return_ordered", True)

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        return N_JOBS

    def configure(self, n_jobs: int = 1, parallel: Any = None, **options: Any) -> int:
        if parallel is not self.parallel:
            # A meeting belongs to one Parallel object, a backend of the context to many.
            own = type(self)(self._memory, parallel, nesting_level=self.nesting_level)
            raise FallbackToBackend(own)
        return self.effective_n_jobs(n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], Any]) -> Job:
        def report(task: Task) -> None:
            # After a failure nothing more is to be dispatched.
            if task.error is None or self.supports_retrieve_callback:
                callback(task)

        return Job(self._meeting.add(func, report), self._meeting)

    apply_async = submit  # its name before joblib 1.5

    def retrieve_result_callback(self, out: Task) -> Any:
        return out.result()

    @contextmanager
    def retrieval_context(self) -> Iterator[None]:
        if self.supports_retrieve_callback:
            self._meeting.finish_all()
        yield

    def abort_everything(self, ensure_ready: bool = True) -> None:
        meeting, self._meeting = self._meeting, Meeting(self._memory)
        meeting.cancel()

    def get_nested_backend(self) -> tuple[ParallelBackendBase, int | None]:
        level = (self.nesting_level or 0) + 1
        return type(self)(self._memory, nesting_level=level), None


@contextmanager
def lockstep(memory: Any = "256MB") -> Iterator[None]:
    with joblib.parallel_config(backend=LockstepBackend(256e6)):
        yield


joblib.register_parallel_backend("lockstep", LockstepBackend)
