"""Components: small specs with numbers, found by name in a registry.

A component (an activation, a loss, an optimizer ...) holds the numbers a user chose and
nothing else; whatever changes while training lives in the solver's state.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from numbers import Integral, Real
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from sknn._constraints import Constraint, check_parameters
from sknn._links import Linked
from sknn._names import did_you_mean
from sknn.plain import kept

C = TypeVar("C", bound="Component")
M = TypeVar("M", bound="Component")  # a class keeps its own type where it is registered


class Component(Linked, BaseEstimator):
    """Base of all specs: ``get_params``, ``clone`` and ``repr`` as in scikit-learn."""

    constraints: ClassVar[Mapping[str, list[Constraint]]] = {}
    """What the parameters may be."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith("sknn."):  # not what users derive from it
            kept(cls)

    def to_plain(self) -> dict[str, Any]:
        """Return what it is made of: its parameters, and only those.

        Returns
        -------
        dict
            The parameters by name.
        """
        return dict(vars(self))

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> Self:
        """Return a component of these parameters; those that came later are as by default.

        Parameters
        ----------
        state : dict
            What `to_plain` has returned.

        Returns
        -------
        component
            Of this class.
        """
        return cls(**state)

    def check(self) -> None:
        """Raise ValueError for the first parameter with a value that is not allowed.

        Components among the parameters, or in sequences of them, are checked as well.
        """
        check_parameters(self, self.constraints)
        for value in vars(self).values():
            check_components(value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # A pickle from before a parameter came knows nothing of it: it was as the default says.
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if name not in vars(self) and parameter.default is not parameter.empty:
                setattr(self, name, parameter.default)

    def changed(self: C, **parameters: Any) -> C:
        """Return a copy with other values of some parameters.

        Parameters
        ----------
        **parameters : dict
            The new values by name.

        Returns
        -------
        component
            Of the same class.
        """
        return type(self)(**vars(self) | parameters)

    def structure(self) -> Hashable:
        """Return what components must have in common to be stacked; floats may differ.

        Returns
        -------
        hashable
            Equal for components that can be stacked.
        """
        return _structure(self)


def check_components(value: Any) -> None:
    """Check a parameter that may be a component, or a sequence with some."""
    for item in value if isinstance(value, (list, tuple)) else (value,):
        if isinstance(item, Component):
            item.check()


def _structure(value: Any) -> Hashable:
    if isinstance(value, Component):
        items = ((name, _structure(v)) for name, v in vars(value).items())
        return type(value), *items
    if isinstance(value, (tuple, list)):
        return tuple(_structure(v) for v in value)
    if isinstance(value, Real) and not isinstance(value, Integral):
        return float
    try:
        hash(value)
    except TypeError:  # what cannot be compared equals only itself
        return id(value)
    return value


class Registry(Mapping[str, type[C]], Generic[C]):
    """The members of one family, by name.

    Parameters
    ----------
    kind : str
        What the members are, in the singular; used in error messages.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._members: dict[str, type[C]] = {}

    def __getitem__(self, name: str) -> type[C]:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def register(self, name: str) -> Callable[[type[M]], type[M]]:
        """Return a class decorator that files the class under `name`."""

        def decorate(member: type[M]) -> type[M]:
            self._members[name] = member
            return member

        return decorate

    def resolve(self, choice: str | C) -> C:
        """Return `choice` itself if it is an instance, else a new member of that name."""
        if isinstance(choice, str):
            if choice in self._members:
                return self._members[choice]()
            raise ValueError(
                f"Unknown {self.kind} {choice!r}. Allowed are "
                f"{', '.join(map(repr, self._members))}.{did_you_mean(choice, self)}"
            )
        return choice


def are_equal(one: Any, other: Any) -> bool:
    """Return whether two values of a parameter are the same choice."""
    if one is other:
        return True
    if isinstance(one, Real) and isinstance(other, Real):
        return bool(one == other)
    if type(one) is not type(other):
        return False
    if isinstance(one, Component):
        return are_equal(vars(one), vars(other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(are_equal(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(are_equal, one, other))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return isinstance(one, str) and one == other


def own(choice: Any) -> Any:
    """Return a copy of a component, with those in it, and any other choice itself.

    So what a user does to the component afterwards does not change what has been fitted with it.
    """
    if isinstance(choice, Component):
        copied = copy.copy(choice)
        copied.__dict__.update({name: own(value) for name, value in vars(choice).items()})
        return copied
    return type(choice)(map(own, choice)) if type(choice) in (list, tuple) else choice


def per_model(values: list[Any]) -> Any:
    """Return the common value, or a column of shape (n_models, 1) where values differ."""
    first = values[0]
    if all(value == first for value in values):
        return first
    return np.array(values, dtype=np.float64)[:, np.newaxis]


def stack(components: list[C], n_axes: int = 1) -> C:
    """Return one component whose numbers serve a whole stack of models.

    A number that is the same in all models stays a number; one that differs becomes an
    array of shape (n_models, 1, ...), which broadcasts over what is stacked.

    Parameters
    ----------
    components : list of Component
        Of the same structure.
    n_axes : int, default=1
        How many axes follow that of the models.
    """
    stacked: C = _stack(components, n_axes)
    return stacked


def _stack(values: list[Any], n_axes: int) -> Any:
    first = values[0]
    if len(values) == 1 or all(value is first for value in values):
        return first
    if isinstance(first, Component):
        # A component's attributes are its constructor parameters, and only those.
        return type(first)(
            **{
                name: _stack([getattr(value, name) for value in values], n_axes)
                for name in vars(first)
            }
        )
    if isinstance(first, (tuple, list)):
        return type(first)(_stack(list(v), n_axes) for v in zip(*values, strict=True))
    if isinstance(first, Real):
        column = per_model(values)
        if isinstance(column, np.ndarray):
            return column.reshape(-1, *[1] * n_axes)
    return first
