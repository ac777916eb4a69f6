"""The run in which sknn gets no thread: ``make test-no-threads``."""

import os
import threading

import pytest

HAS_THREADS = "SKNN_NO_THREADS" not in os.environ

needs_threads = pytest.mark.skipif(not HAS_THREADS, reason="there are no threads in this run")
"""For tests of threads themselves, or of stacks, which need them."""


def refuse_threads(patch):
    """Let the system have no thread for sknn, as under Pyodide or at the limit of processes."""
    start = threading.Thread.start

    def refuse(thread):
        module = getattr(thread._target, "__module__", None) or ""
        if thread.name.startswith("sknn") or module.startswith("sknn"):
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", refuse)


class StackSizes(list):
    """How many models each training has had; without threads only their sum can be compared."""

    __hash__ = None

    def __eq__(self, sizes):
        return super().__eq__(sizes) if HAS_THREADS else sum(self) == sum(sizes)
