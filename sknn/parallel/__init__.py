"""Whole searches as one fit: the joblib backend in which fits meet."""

from sknn.parallel.backend import LockstepBackend
from sknn.parallel.context import ambient_lockstep, lockstep

__all__ = ["LockstepBackend", "ambient_lockstep", "lockstep"]
