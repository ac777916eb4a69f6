"""Errors about a parameter that does not exist say which one is meant."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sknn._names import ELSEWHERE, closest

F = TypeVar("F", bound=Callable[..., Any])

UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
"""What Python says of a keyword that a function does not take."""

INVALID = re.compile(r"Invalid parameter '(\w+)' for estimator")
"""What scikit-learn says of a parameter that an estimator does not have."""

TYPO = 0.7
"""The likeness from which on a keyword is taken for another one, mistyped."""


def with_hints(function: F) -> F:
    """Return a method or constructor whose TypeError about an unknown keyword names the right one.

    The signature stays as it is.
    """

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            match = UNEXPECTED.search(str(error))
            known = inspect.signature(function).parameters
            # Others come from within, where users' code may be called.
            if match is None or match[1] not in kwargs or match[1] in known:
                raise
            text = f"{type(args[0]).__name__}.{function.__name__}() {match[0]}."
            raise TypeError(f"{text}{_where(type(args[0]), match[1], known)}") from None

    run.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return run  # type: ignore[return-value]


def _where(cls: Any, name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown argument of a method: maybe the constructor has it."""
    if name in inspect.signature(cls).parameters:
        return f" {name} is a parameter of the constructor."
    return hint(name, known)


def hint(name: str, known: Iterable[str]) -> str:
    """Return a sentence about what an unknown parameter is called here, or an empty string."""
    meant = ELSEWHERE.get(name.lower())
    if meant is not None:
        return f" What other libraries call {name} is {meant}."
    close = closest(name, [other for other in known if other != "self"], TYPO)
    return f" Did you mean {close!r}?" if close is not None else ""
