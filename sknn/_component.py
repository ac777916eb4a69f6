"""Components: small specs with numbers, found by name in a registry.

A component (an activation, a loss, an optimizer ...) holds the numbers a user chose and
nothing else; whatever changes while training lives in the solver's state.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from numbers import Real
from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

C = TypeVar("C", bound="Component")


class Component(BaseEstimator):
    """Base of all specs: ``get_params``, ``clone`` and ``repr`` as in scikit-learn."""

    def structure(self, with_numbers: bool) -> Hashable:
        """Return what two components must have in common to be interchangeable.

        Parameters
        ----------
        with_numbers : bool
            Whether their numbers must be the same, too; `stack` takes any.
        """
        parts: list[Any] = [type(self)]
        for name, value in vars(self).items():
            if isinstance(value, Component):
                parts.append((name, value.structure(with_numbers)))
            elif with_numbers or isinstance(value, bool) or not isinstance(value, Real):
                try:
                    hash(value)
                except TypeError:  # what cannot be compared equals only itself
                    value = id(value)
                parts.append((name, value))
        return tuple(parts)


def did_you_mean(name: object, allowed: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest allowed name, or an empty string."""
    close = difflib.get_close_matches(str(name), list(allowed), n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


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

    def register(self, name: str) -> Callable[[type[C]], type[C]]:
        """Return a class decorator that files the class under `name`."""

        def decorate(member: type[C]) -> type[C]:
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


def per_model(values: list[Any]) -> Any:
    """Return the common value, or a column of shape (n_models, 1) where values differ."""
    first = values[0]
    if all(value == first for value in values):
        return first
    return np.array(values, dtype=np.float64)[:, np.newaxis]


def stack(components: list[C]) -> C:
    """Return one component whose numbers serve a whole stack of models.

    A number that is the same in all models stays a number; one that differs becomes an
    array of shape (n_models, 1), which broadcasts over the stacked parameters.
    """
    if len(components) == 1:
        return components[0]
    # A component's attributes are its constructor parameters, and only those.
    numbers = {
        name: per_model([getattr(component, name) for component in components])
        for name in vars(components[0])
    }
    return type(components[0])(**numbers)
