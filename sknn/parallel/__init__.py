"""Whole searches as one fit: the joblib backend in which fits meet."""

from sknn.parallel.backend import LockstepBackend, lockstep

__all__ = ["LockstepBackend", "lockstep"]
