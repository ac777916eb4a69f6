"""What may stand in a file beside what is ours: scikit-learn's splitters, random states, own code.

They are stored by name and state. What is somebody's own is found by its name among what the one
who loads the file has named: nothing is imported.
"""

from __future__ import annotations

import importlib
import inspect
import textwrap
import types
from collections.abc import Iterable
from typing import Any

import numpy as np
import sklearn.model_selection

from sknn._component import Component
from sknn._version import Versioned
from sknn.container import RefusedError
from sknn.plain import CLASS, KEPT, as_plain, from_plain

RANDOM_STATE, MODULE, SPLITTER, SPLITTERS = "RandomState", "numpy.random", "splitter", "splitters"
FUNCTION, OBJECT = "function", "object"
"""What such dicts stand for."""

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc)

LATER = "tabular."
"""What the names of classes begin with whose room is imported only when it is needed."""


def _is_splitter(value: Any) -> bool:
    return (
        isinstance(value, type)
        and hasattr(value, "split")
        and hasattr(value, "get_n_splits")
        and not value.__name__.startswith("Base")
    )


SPLITTERS_BY_NAME = {
    name: value for name, value in vars(sklearn.model_selection).items() if _is_splitter(value)
}
_SPLITTER_NAMES = {cls: name for name, cls in SPLITTERS_BY_NAME.items()}


class Encoder:
    """Returns what stands in a file for objects that are not ours.

    Attributes
    ----------
    own : dict
        The classes and functions, by name, that whoever loads the file has to name.
    """

    def __init__(self) -> None:
        self.own: dict[str, Any] = {}

    def __call__(self, value: Any, where: str) -> Any:
        """Return a dict in plain terms.

        Raises
        ------
        ValueError
            If there is no way to store the object; with its place.
        """
        if isinstance(value, types.ModuleType) and value.__name__ == MODULE:
            return {CLASS: MODULE}
        if type(value) is np.random.RandomState:
            return _encode_random_state(value, where)
        if isinstance(value, type):
            if value not in _SPLITTER_NAMES:
                raise _refusal(value, where)
            return {CLASS: SPLITTERS, "name": _SPLITTER_NAMES[value]}
        if type(value) in _SPLITTER_NAMES:
            name, state = _SPLITTER_NAMES[type(value)], as_plain(dict(vars(value)), self, where)
            return {CLASS: SPLITTER, "name": name, "state": state}
        if isinstance(value, FUNCTIONS):
            return {CLASS: FUNCTION, "name": self._note(value, value, where)}
        if not _is_made_of_attributes(value):
            raise _refusal(value, where)
        name = self._note(type(value), value, where)
        return {CLASS: OBJECT, "name": name, "state": as_plain(_state_of(value), self, where)}

    def _note(self, code: Any, value: Any, where: str) -> str:
        """Return the name of a function or a class."""
        name: str = code.__name__
        if not name.isidentifier() or getattr(code, "__module__", "") in ("builtins", "types"):
            raise _refusal(value, where)
        if self.own.setdefault(name, code) is not code:
            raise ValueError(
                f"{where or 'The value'} holds {name}, and something else of this name is in the "
                "same file: give one of them another name."
            )
        return name


def _encode_random_state(value: np.random.RandomState, where: str) -> dict[str, Any]:
    state: Any = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        raise ValueError(
            f"{where or 'The value'} holds a RandomState over {state['bit_generator']}, which "
            "cannot be stored in a file: one over MT19937 can, as RandomState(seed) makes it."
        )
    return {CLASS: RANDOM_STATE, "state": state}


def _is_made_of_attributes(value: Any) -> bool:
    """Whether an object is its class and its attributes, and nothing beside them."""
    kind: Any = type(value)
    if kind.__reduce__ is not object.__reduce__ or kind.__reduce_ex__ is not object.__reduce_ex__:
        return False
    slots = [vars(base).get("__slots__") for base in kind.__mro__]
    if any(slots) or not hasattr(value, "__dict__"):
        return False
    try:
        object.__new__(kind)
    except TypeError:  # a kind of dict, number or text
        return False
    return True


def _state_of(value: Any) -> dict[str, Any]:
    return dict(value.to_plain() if hasattr(value, "to_plain") else vars(value))


def _refusal(value: Any, where: str) -> ValueError:
    text = textwrap.shorten(repr(value), 100, placeholder=" ...")
    return ValueError(
        f"{where or 'The value'} holds {text} of type {type(value).__name__}, which cannot be "
        "stored in a file: numbers, texts, lists and dicts can, and what has a name and attributes "
        "(a def or an object of a class, not a lambda)."
    )


class Decoder:
    """Returns what stands in a file for objects that are not ours.

    Parameters
    ----------
    components : iterable of class or function
        What the one who loads the file trusts.
    """

    def __init__(self, components: Iterable[Any]) -> None:
        self._own: dict[str, Any] = {}
        if not isinstance(components, Iterable) or isinstance(components, (str, type)):
            raise TypeError(
                f"components must be a list of classes and functions; got {components!r}."
            )
        for each in components:
            if not hasattr(each, "__name__"):
                raise TypeError(
                    f"components must hold classes and functions; got {each!r} of type "
                    f"{type(each).__name__}."
                )
            if self._own.setdefault(each.__name__, each) is not each:
                raise ValueError(
                    f"components must have names of their own; got two of {each.__name__!r}."
                )

    def __call__(self, plain: dict[str, Any], where: str) -> Any:
        kind = plain[CLASS]
        if kind == MODULE:
            return np.random
        if kind == RANDOM_STATE:
            return _make_random_state(plain["state"])
        if kind == SPLITTERS:
            return SPLITTERS_BY_NAME[plain["name"]]
        if kind == SPLITTER:
            splitter: Any = object.__new__(SPLITTERS_BY_NAME[plain["name"]])
            splitter.__dict__.update(self._state(plain, where))
            return splitter
        if kind == FUNCTION:
            return self._find(plain["name"], where)
        if kind == OBJECT:
            return self._make(plain, where)
        if isinstance(kind, str) and kind.startswith(LATER):
            importlib.import_module("sknn.tabular")
            if kind in KEPT:
                return from_plain(plain, self, where)
        raise ValueError(f"{where or 'it'} is of an unknown class {kind!r}")

    def _state(self, plain: dict[str, Any], where: str) -> dict[str, Any]:
        state: dict[str, Any] = from_plain(plain["state"], self, where)
        return state

    def _make(self, plain: dict[str, Any], where: str) -> Any:
        cls, state = self._find(plain["name"], where), self._state(plain, where)
        if not isinstance(cls, type):
            raise ValueError(f"{plain['name']!r} is a class in the file; components has {cls!r}")
        if issubclass(cls, Versioned):
            return cls.from_plain(state)
        made = object.__new__(cls)
        if issubclass(cls, Component):
            parameters = inspect.signature(cls).parameters.values()
            made.__dict__.update(
                {p.name: p.default for p in parameters if p.default is not p.empty}
            )
        made.__dict__.update(state)
        return made

    def _find(self, name: str, where: str) -> Any:
        if name not in self._own:
            raise OwnCodeError(
                f"The parameter {where!r} holds {name}, which is not of sknn. If you trust it, "
                f"import it and pass load(path, components=[{name}])."
            )
        return self._own[name]


class OwnCodeError(RefusedError):
    """A file names code that has not been named by the one who loads it."""


def _make_random_state(state: dict[str, Any]) -> np.random.RandomState:
    made = np.random.RandomState(0)
    made.set_state(state)
    return made
