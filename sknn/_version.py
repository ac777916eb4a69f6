"""The version, and pickles that know theirs."""

from __future__ import annotations

import inspect
import os
import warnings
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import InconsistentVersionWarning

from sknn.plain import as_plain, from_plain, kept, name_of

__version__ = "0.8.0"

KEY = "_sknn_version"
"""Under which name a pickle has the version that has written it."""

UNKNOWN = "pre-0.2.0"
"""The version of pickles that do not say it."""


NOT_IN_FILES = ("_callback", "_metadata_request", "_parent_callback", "_skl_callbacks")
"""How attributes begin that scikit-learn keeps: callbacks, which are code, what they know while a
model is trained, and requests in a form of its own.
"""

OF_THE_MACHINE = ("checkpoint",)
"""Parameters that files do not have: a path, to which the next fit of who loads it would write."""


def _is_left_out(name: str) -> bool:
    return name.startswith(NOT_IN_FILES) or name in OF_THE_MACHINE


class OtherVersionWarning(InconsistentVersionWarning):
    """A pickle comes from another version of sknn; scikit-learn warns alike of its own."""

    def __str__(self) -> str:
        return (
            f"This {self.estimator_name} was pickled by sknn {self.original_sklearn_version}, and "
            f"is loaded by {self.current_sklearn_version}. It may not work, or give other results: "
            "fit it again, or load it with the version that has pickled it."
        )


class Versioned:
    """Mixin of estimators whose pickles carry the version, and hold nothing private."""

    _private: ClassVar[tuple[str, ...]] = ()
    """Attributes that are put in plain terms."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        is_ours = cls.__module__.startswith("sknn.")  # not what users derive from it
        # Searches hold estimators of others.
        if is_ours and issubclass(cls, BaseEstimator) and not issubclass(cls, MetaEstimatorMixin):
            kept(cls)

    def to_plain(self) -> dict[str, Any]:
        """Return what a file has of it: its parameters, and what has been fitted.

        Returns
        -------
        dict
            Attributes by name.
        """
        return {name: value for name, value in vars(self).items() if not _is_left_out(name)}

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> Self:
        """Return what a file has; parameters that came later are as by default.

        Parameters
        ----------
        state : dict
            What `to_plain` has returned.

        Returns
        -------
        estimator or component
            Of this class, with that state.

        Raises
        ------
        ValueError
            If an attribute would hide what the class itself has, or is one that no file has.
        """
        ours = next(base for base in cls.__mro__ if name_of(base))
        parameters = inspect.signature(cls).parameters
        known = {*parameters, *inspect.signature(ours).parameters}
        hiding = [
            name
            for name in state
            if _is_left_out(name) or (name not in known and hasattr(ours, name))
        ]
        if hiding:
            raise ValueError(f"{ours.__name__} has {', '.join(hiding)} of its own")
        restored = object.__new__(cls)
        given = {p.name: p.default for p in parameters.values() if p.default is not p.empty}
        restored.__dict__.update(given | state)
        return restored

    def _copy(self, *without: str) -> Self:
        """Return a copy with the same attributes, themselves not copied, but for some."""
        other = object.__new__(type(self))
        other.__dict__.update(vars(self))
        for name in without:
            other.__dict__.pop(name, None)
        return other

    def __copy__(self) -> Self:
        # Not by way of plain terms; and a copy is no part of a search that runs.
        return self._copy("_parent_callback_ctx")

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        plain = {name: as_plain(state[name]) for name in self._private if name in state}
        paths = {
            name: os.fspath(value)  # a Path of one system is none of another's
            for name, value in state.items()
            if name in OF_THE_MACHINE and isinstance(value, os.PathLike)
        }
        return {**state, **plain, **paths, KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        version = state.pop(KEY, UNKNOWN)
        if version != __version__:
            warnings.warn(
                OtherVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=__version__,
                    original_sklearn_version=version,
                ),
                stacklevel=2,
            )
        state |= {name: from_plain(state[name]) for name in self._private if name in state}
        super().__setstate__(state)  # type: ignore[misc]
