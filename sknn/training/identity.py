"""What tells parameters and data from others, in plain terms: for fingerprints.

Of what is not ours all is described that decides how it behaves: the code of functions, what they
have closed over, their defaults and what they call in their own module, and the attributes of
objects. What cannot be described is refused, since two different things must not look alike.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
import types
from numbers import Real
from typing import Any

import joblib
import numpy as np

from sknn.plain import as_plain

PARTIAL = ("func", "args", "keywords")


def fingerprint(value: Any, where: str) -> str:
    """Return a short text that is the same for equal values only.

    Parameters
    ----------
    value : object
    where : str
        What it is called in errors.

    Raises
    ------
    ValueError
        If something cannot be described.
    """
    try:
        return str(joblib.hash(Description().of(value, where)))
    except RecursionError as error:
        raise ValueError(f"{where} holds too much to be told from others.") from error


class Description:
    """Describes values; what it has met before, as in a recursion, it describes by its number."""

    def __init__(self) -> None:
        self._met: dict[int, int] = {}
        self._kept: list[Any] = []

    def of(self, value: Any, where: str = "") -> Any:
        """Return a value in plain terms."""
        return as_plain(_same_numbers(value), self._of_foreign, where)

    def _of_foreign(self, value: Any, where: str) -> Any:
        if id(value) in self._met:
            return "met", self._met[id(value)]
        self._met[id(value)] = len(self._met)
        self._kept.append(value)  # as long as its number is in use
        if isinstance(value, np.random.RandomState):
            return value.get_state()
        if isinstance(value, np.dtype):
            return str(value)
        if isinstance(value, types.ModuleType):
            return "module", value.__name__
        if isinstance(value, types.CodeType):
            return self._of_code(value, where)
        if isinstance(value, types.FunctionType):
            return self._of_function(value, where)
        if isinstance(value, types.MethodType):
            return "method", self.of(value.__func__, where), self.of(value.__self__, where)
        if isinstance(value, functools.partial):
            return "partial", [self.of(getattr(value, name), where) for name in PARTIAL]
        if isinstance(value, type):
            return self._of_class(value, where)
        if isinstance(value, (set, frozenset)):  # in whatever order
            return "set", sorted(fingerprint(each, where) for each in value)
        if isinstance(value, np.ufunc):
            return "ufunc", value.__name__
        if hasattr(value, "__qualname__") and not hasattr(value, "__dict__") and callable(value):
            return "name", str(getattr(value, "__module__", "")), value.__qualname__  # compiled
        return "object", self.of(type(value), where), self._of_attributes(value, where)

    def _of_function(self, function: types.FunctionType, where: str) -> Any:
        name = function.__module__, function.__qualname__
        if _is_of_library(function):
            return "function", name
        cells = [_content(cell) for cell in function.__closure__ or ()]
        inner = {
            name: function.__globals__[name]
            for name in _names_in(function.__code__)
            if name in function.__globals__
        }
        parts = function.__code__, function.__defaults__, function.__kwdefaults__, cells, inner
        return "function", name, [self.of(part, where) for part in parts]

    def _of_code(self, code: types.CodeType, where: str) -> Any:
        return "code", code.co_code, code.co_names, [self.of(c, where) for c in code.co_consts]

    def _of_class(self, cls: type, where: str) -> Any:
        name = cls.__module__, cls.__qualname__
        if _is_of_library(cls):
            return "class", name
        own = {k: v for k, v in vars(cls).items() if not _is_bookkeeping(k, v)}
        bases = [self.of(base, where) for base in cls.__bases__]
        return "class", name, bases, {k: self.of(_unwrapped(v), where) for k, v in own.items()}

    def _of_attributes(self, value: Any, where: str) -> Any:
        slots = [s for cls in type(value).__mro__ for s in getattr(cls, "__slots__", ())]
        state = dict(getattr(value, "__dict__", {}))
        state |= {name: getattr(value, name) for name in slots if hasattr(value, name)}
        if not state and not hasattr(value, "__dict__") and not slots:
            raise ValueError(
                f"{where} holds {value!r}, of which nobody can tell whether it is the same in "
                "another run; a checkpoint needs that."
            )
        return {name: self.of(each, where) for name, each in state.items()}


def _same_numbers(value: Any) -> Any:
    """Return 1, 1.0 and NumPy's 1 as one number."""
    if isinstance(value, (Real, np.generic)) and not isinstance(value, (bool, np.bool_)):
        number = float(value)
        return number if number == value else value
    return value


def _is_of_library(value: Any) -> bool:
    name = str(value.__module__)
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:  # built in; or made where there are no files, as in a notebook
        return name in sys.builtin_module_names
    return name.partition(".")[0] == "sknn" or file.startswith(_installed())


@functools.cache
def _installed() -> tuple[str, ...]:
    """Return where the modules are whose functions and classes are what their names say."""
    paths = sysconfig.get_paths()
    return paths["stdlib"], paths["purelib"], paths["platlib"]


def _names_in(code: types.CodeType) -> set[str]:
    """Return the names that code looks up, also within functions that it makes."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has none yet
        return None


def _is_bookkeeping(name: str, value: Any) -> bool:
    """Whether an entry of a class says nothing of how its objects behave."""
    return name in ("__doc__", "__module__", "__dict__", "__weakref__", "__annotations__") or (
        name.startswith(("_abc_", "__abstract", "__static", "__firstlineno"))
        or isinstance(value, (types.GetSetDescriptorType, types.MemberDescriptorType))
    )


def _unwrapped(value: Any) -> Any:
    """Return what a property or a static method does."""
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    if isinstance(value, property):
        return [value.fget, value.fset]
    return value
