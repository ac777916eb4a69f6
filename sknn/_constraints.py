"""What a parameter may be, with messages that name parameter, value and remedy."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from sknn._names import did_you_mean

LARGEST = sys.float_info.max


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a value that is not allowed; both a ValueError and a TypeError.

    scikit-learn's exception of the same name is both, too, so that code which catches one or
    the other works unchanged.
    """


class Constraint(ABC):
    """What a parameter may be."""

    @abstractmethod
    def accepts(self, value: Any) -> bool:
        """Return whether `value` is allowed."""

    @abstractmethod
    def __str__(self) -> str:
        """Complete the sentence "The parameter must be ..."."""

    def hint(self, value: Any) -> str:
        """Return what the user may have meant, as a sentence, or an empty string."""
        return ""


class Interval(Constraint):
    """A number in an interval.

    Parameters
    ----------
    kind : {Real, Integral}
        What the number must be; bools do not count as numbers.
    low, high : float or None
        The ends; None is unbounded.
    closed : {"left", "both", "neither"}, default="left"
        Which ends belong to the interval.
    """

    def __init__(
        self, kind: Any, low: float | None, high: float | None, closed: str = "left"
    ) -> None:
        self.kind = kind
        self._plain_types = (int,) if kind is Integral else (float, int)
        self.low = low
        self.high = high
        self.closed = closed

    def accepts(self, value: Any) -> bool:
        # The plain types first: a test against an abstract class takes longer than all the rest.
        if type(value) not in self._plain_types and (
            not isinstance(value, self.kind) or isinstance(value, (bool, np.bool_))
        ):
            return False
        if type(value) is int and abs(value) > LARGEST:
            return False  # what is beyond all floats is as good as infinite
        low = -math.inf if self.low is None else self.low
        is_open = self.closed == "neither" or self.low is None
        above = value > low if is_open else value >= low
        high = math.inf if self.high is None else self.high
        below = value <= high if self.closed == "both" else value < high
        return above and below  # NaN fails both comparisons

    def __str__(self) -> str:
        kind = "an int" if self.kind is Integral else "a float"
        left = "(" if self.low is None or self.closed == "neither" else "["
        right = "]" if self.high is not None and self.closed == "both" else ")"
        low = "-inf" if self.low is None else self.low
        high = "inf" if self.high is None else self.high
        return f"{kind} in the range {left}{low}, {high}{right}"


class OneOf(Constraint):
    """One of a few values, told apart by equality and type."""

    def __init__(self, values: Collection[Any]) -> None:
        self.values = values  # not copied: a registry may grow

    def accepts(self, value: Any) -> bool:
        return any(type(value) is type(allowed) and value == allowed for allowed in self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return repr(next(iter(self.values)))
        return f"one of {', '.join(map(repr, self.values))}"

    def hint(self, value: Any) -> str:
        names = [allowed for allowed in self.values if isinstance(allowed, str)]
        return did_you_mean(value, names) if isinstance(value, str) else ""


class Member(OneOf):
    """A name in a registry, or an instance of its family.

    Parameters
    ----------
    registry : collection of str
        The names.
    family : type
        The base class of the registry's members.
    """

    def __init__(self, registry: Collection[str], family: type) -> None:
        super().__init__(registry)
        self.family = family

    def accepts(self, value: Any) -> bool:
        return isinstance(value, self.family) or super().accepts(value)

    def __str__(self) -> str:
        return f"{super().__str__()} or an instance of {self.family.__name__}"


class Check(Constraint):
    """Whatever a function says is allowed."""

    def __init__(self, accepts: Callable[[Any], bool], description: str) -> None:
        self._accepts = accepts
        self._description = description

    def accepts(self, value: Any) -> bool:
        return self._accepts(value)

    def __str__(self) -> str:
        return self._description


BOOLEAN = Check(lambda value: isinstance(value, (bool, np.bool_)), "a bool")
NONE = Check(lambda value: value is None, "None")


def check_parameters(owner: Any, constraints: Mapping[str, list[Constraint]]) -> None:
    """Raise InvalidParameterError for the first parameter that no constraint accepts."""
    for name, allowed in constraints.items():
        value = getattr(owner, name)
        if not any(constraint.accepts(value) for constraint in allowed):
            value = value.item() if isinstance(value, np.generic) else value
            hints = "".join(constraint.hint(value) for constraint in allowed)
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(owner).__name__} must be "
                f"{' or '.join(map(str, allowed))}. Got {value!r} instead.{hints}"
            )
