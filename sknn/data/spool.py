"""A file of rows that is written once, and removed when nobody wants it any more."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.streamed import RowFile

PREFIX, SUFFIX = "sknn-", ".rows"

SECONDS = 60
"""A file that has been written to since is left alone, whoever locks it."""

MARGIN = 100_000_000
"""Bytes that are left free on the disk."""


class Spool:
    """A temporary file; copies of it in other processes do not remove it.

    Parameters
    ----------
    folder : path-like or None
        Where it is; None for where the system has room for large files.
    """

    def __init__(self, folder: Any) -> None:
        remove_forgotten(folder)
        descriptor, path = tempfile.mkstemp(SUFFIX, PREFIX, dir=folder)
        _lock(descriptor)  # for as long as the process lives, however it ends
        self.path = Path(path)
        self._remove = weakref.finalize(self, _unlink, path, descriptor, os.getpid())

    def discard(self) -> None:
        """Remove it now."""
        self._remove()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}


def _unlink(path: str, descriptor: int, process: int) -> None:
    if os.getpid() == process:  # not in a child that was forked
        if os.path.exists(path):
            os.unlink(path)
        os.close(descriptor)


def remove_forgotten(folder: Any) -> None:
    """Remove files of processes that have been killed: nobody locks them any more."""
    for path in Path(folder).glob(f"{PREFIX}*{SUFFIX}"):
        try:
            if time.time() - path.stat().st_mtime < SECONDS:  # it may be about to be locked
                continue
            with open(path, "rb+") as file:
                if _lock(file.fileno()):
                    path.unlink()
        except OSError:  # somebody else's, or gone
            continue


def _lock(descriptor: int) -> bool:
    """Lock a file, if nobody else does; where there are no locks, none is had."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def write_rows(blocks: Iterable[Array], shape: tuple[int, int], dtype: Any, folder: Any) -> RowFile:
    """Write blocks of rows to a temporary file.

    Parameters
    ----------
    blocks : iterable of ndarray
        Of the dtype.
    shape : tuple of int
        (n_rows, n_features) of all blocks.
    dtype : dtype
    folder : path-like or None
    """
    folder = choose_folder() if folder is None else Path(folder)
    needed = shape[0] * shape[1] * np.dtype(dtype).itemsize
    free = shutil.disk_usage(folder).free
    if needed + MARGIN > free:
        raise OSError(
            f"Training reads rows from a file of {needed / 1e9:.3g} GB, for which "
            f"{os.fspath(folder)!r} has no room: {free / 1e9:.3g} GB are free, of which "
            f"{MARGIN / 1e9} stay so. Pass folder='...' on another disk, fewer features, or "
            "transform=... that makes fewer of them."
        )
    spool = Spool(folder)
    try:
        with open(spool.path, "wb") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block, dtype).data)
    except BaseException:  # Ctrl-C, too
        spool.discard()
        raise
    return RowFile(spool.path, shape, dtype, owner=spool)


def choose_folder() -> Path:
    """Return where large temporary files belong: TMPDIR, or on a disk; /tmp may be memory."""
    large = Path("/var/tmp")  # by the Filesystem Hierarchy Standard
    if "TMPDIR" not in os.environ and large.is_dir() and os.access(large, os.W_OK):
        return large
    return Path(tempfile.gettempdir())
