"""Objects of the package in plain terms: dicts, lists, tuples, numbers, texts and arrays.

So pickles and files hold nothing private: the names of classes and what they are made of. A class
that may be part of a fitted model says so with `kept`; components do without being asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

CLASS = "~"
"""The key under which a dict says what it stands for."""

DICT = "dict"
"""What a dict stands for that has this key itself."""

SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes})
"""What is plain as it is, beside NumPy's arrays and numbers."""

KEPT: dict[str, type] = {}
"""The classes whose objects may be kept, by name."""

_NAMES: dict[type, str] = {}

T = TypeVar("T", bound=type)

Foreign = Callable[[Any, str], Any]
"""Returns what becomes of something that is not ours; it is told where that is."""


def kept(cls: T) -> T:
    """File a class under its room and its name, so that its objects can be put in plain terms.

    Its methods `to_plain` and `from_plain`, if it has them, say what the objects are made of: a
    dict, which is their attributes otherwise.
    """
    name = f"{cls.__module__.split('.')[1]}.{cls.__name__}"
    KEPT[name], _NAMES[cls] = cls, name
    return cls


def name_of(cls: type) -> str | None:
    """Return the name under which a class is kept, or None."""
    return _NAMES.get(cls)


def _leave(value: Any, where: str) -> Any:
    return value


def as_plain(value: Any, foreign: Foreign = _leave, where: str = "") -> Any:
    """Return a value in plain terms.

    Parameters
    ----------
    value : object
    foreign : callable
        ``foreign(value, where)`` returns what stands for an object of a class that is not kept; it
        stays as it is otherwise.
    where : str
        The name of the parameter or attribute.
    """
    kind = type(value)
    if kind in SCALARS or isinstance(value, (np.ndarray, np.generic)):
        return value
    if kind in (list, tuple):
        if all(type(each) in SCALARS for each in value):
            return kind([*value])  # a new one: equal trees have equal hashes
        return kind(as_plain(each, foreign, f"{where}[{i}]") for i, each in enumerate(value))
    if kind is dict:
        plain = {k: as_plain(each, foreign, f"{where}[{k!r}]") for k, each in value.items()}
        return {CLASS: DICT, "items": list(plain.items())} if CLASS in plain else plain
    name = _NAMES.get(kind)
    if name is None:
        return foreign(value, where)
    state = {k: as_plain(each, foreign, _join(where, k)) for k, each in _state_of(value).items()}
    if CLASS in state:
        raise ValueError(f"{where or name} has an attribute {CLASS!r}, which is a word of ours.")
    return {CLASS: name, **state}


def from_plain(plain: Any, foreign: Foreign = _leave, where: str = "") -> Any:
    """Return what has been put in plain terms.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is not made of what its class needs.
    """
    if isinstance(plain, (list, tuple)):
        if all(type(each) in SCALARS for each in plain):
            return plain
        return type(plain)(
            from_plain(each, foreign, f"{where}[{i}]") for i, each in enumerate(plain)
        )
    if not isinstance(plain, dict):
        return plain
    name = plain.get(CLASS)
    if name is None or name == DICT:
        items = plain.items() if name is None else plain["items"]
        return {k: from_plain(each, foreign, f"{where}[{k!r}]") for k, each in items}
    if name not in KEPT:
        return foreign(plain, where)
    state = {
        k: from_plain(each, foreign, _join(where, k)) for k, each in plain.items() if k != CLASS
    }
    return _make(KEPT[name], state)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _state_of(value: Any) -> Mapping[str, Any]:
    if hasattr(value, "to_plain"):
        state: Mapping[str, Any] = value.to_plain()
        return state
    as_dict = getattr(value, "_asdict", None)
    return vars(value) if as_dict is None else as_dict()


def _make(cls: Any, state: dict[str, Any]) -> Any:
    if hasattr(cls, "from_plain"):
        return cls.from_plain(state)
    if dataclasses.is_dataclass(cls) or issubclass(cls, tuple):
        return cls(**state)  # what a later version has added is as its default says
    made = object.__new__(cls)
    made.__dict__.update(state)
    return made
