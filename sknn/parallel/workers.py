"""Meetings in several workers, each with a part of the tasks of a Parallel call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import joblib

from sknn.parallel.meeting import Meeting


class DelegatedTask:
    """A call that some worker runs.

    Attributes
    ----------
    error : None
        An error of a worker is raised at once.
    """

    error = None

    def __init__(self, call: Callable[[], Any], report: Callable[[DelegatedTask], object]) -> None:
        self.call = call
        self.report = report
        self.has_ended = False
        self._result: Any = None

    def end(self, result: Any) -> None:
        """Take the result."""
        self._result, self.has_ended = result, True

    def result(self) -> Any:
        """Return the result."""
        return self._result


class Delegation:
    """Hands the tasks of a Parallel call to the workers of another joblib backend.

    Parameters
    ----------
    memory : float
        See :class:`Meeting`; for each worker.
    n_jobs : int or None
        Number of workers, as joblib counts them.
    backend : str or ParallelBackendBase
        The backend that has the workers.
    """

    def __init__(self, memory: float, n_jobs: int | None, backend: Any) -> None:
        self._memory = memory
        self._n_jobs = n_jobs
        self._backend = backend
        self._queued: list[DelegatedTask] = []

    def add(
        self, call: Callable[[], Any], report: Callable[[DelegatedTask], object]
    ) -> DelegatedTask:
        """Queue a call; `report` is called with its task once it has ended."""
        self._queued.append(DelegatedTask(call, report))
        return self._queued[-1]

    def finish(self, task: DelegatedTask) -> Any:
        """Let the workers run all queued tasks if this one has not ended; return its result."""
        while not task.has_ended:
            self._run_queued()
        return task.result()

    def finish_all(self) -> None:
        """Go on until all tasks have ended, those included that are added meanwhile."""
        while self._queued:
            self._run_queued()

    def cancel(self) -> None:
        """Forget the queue; joblib has already stopped the workers."""
        self._queued = []

    def _run_queued(self) -> None:
        tasks, self._queued = self._queued, []
        with joblib.parallel_config(backend=self._backend, n_jobs=self._n_jobs):
            n_chunks = min(joblib.effective_n_jobs(self._n_jobs), len(tasks))
            # Every n-th task, because neighbours cost alike: large networks come together.
            chunks = [tasks[k::n_chunks] for k in range(n_chunks)]
            results = joblib.Parallel(batch_size=1, pre_dispatch="all")(
                joblib.delayed(run_meeting)([task.call for task in chunk], self._memory)
                for chunk in chunks
            )
        for chunk, chunk_results in zip(chunks, results, strict=True):
            for task, result in zip(chunk, chunk_results, strict=True):
                task.end(result)
        for task in tasks:
            task.report(task)


def run_meeting(calls: list[Callable[[], Any]], memory: float) -> list[Any]:
    """Run calls in a meeting of their own; return their results."""
    meeting = Meeting(memory)
    tasks = [meeting.add(call, lambda task: None) for call in calls]
    try:
        return [meeting.finish(task) for task in tasks]
    except BaseException:
        meeting.cancel()
        raise
