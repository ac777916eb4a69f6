"""Checks of constructor parameters, with messages that name parameter, value and remedy."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from sknn._component import Component, Registry, did_you_mean
from sknn._math import Array

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
"""The dtypes that X may have without being converted."""


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
    registry : Registry
    family : type
        The base class of the registry's members.
    """

    def __init__(self, registry: Registry[Any], family: type[Component]) -> None:
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
RANDOM_STATE = Check(
    lambda value: (
        value is None
        or value is np.random
        or isinstance(value, np.random.RandomState)
        or Interval(Integral, 0, 2**32).accepts(value)
    ),
    "None, an int in the range [0, 4294967295] or a numpy.random.RandomState",
)


def check_parameters(estimator: Any, constraints: dict[str, list[Constraint]]) -> None:
    """Raise InvalidParameterError for the first parameter that no constraint accepts."""
    for name, allowed in constraints.items():
        value = getattr(estimator, name)
        if not any(constraint.accepts(value) for constraint in allowed):
            hints = "".join(constraint.hint(value) for constraint in allowed)
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__} must be "
                f"{' or '.join(map(str, allowed))}. Got {value!r} instead.{hints}"
            )


def check_hidden_layer_sizes(value: Any) -> list[int]:
    """Return `hidden_layer_sizes` as a list of positive ints, or raise."""
    sizes: Any = [value] if isinstance(value, Real) else value
    if isinstance(sizes, (str, bytes)) or not hasattr(sizes, "__len__") or np.ndim(sizes) == 0:
        raise InvalidParameterError(
            "The 'hidden_layer_sizes' parameter must be an int or a sequence of ints. "
            f"Got {value!r} instead."
        )
    sizes = list(sizes)
    for size in sizes:
        if not Interval(Integral, None, None).accepts(size):
            raise InvalidParameterError(
                f"hidden_layer_sizes must hold ints >= 1, got {size!r} in {value!r}."
            )
        if size <= 0:
            raise InvalidParameterError(f"hidden_layer_sizes must be > 0, got {value!r}.")
    return [int(size) for size in sizes]


def check_sample_weight(sample_weight: Any, X: Any) -> Array | None:
    """Return validated weights, or None; refuse negative ones and such as are all zero."""
    if sample_weight is None:
        return None
    n_samples = X.shape[0]
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, float(sample_weight))
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=FLOATS, order="C", input_name="sample_weight"
    )
    if weight.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weight.ndim}D array. Expected either "
            f"a scalar value or a 1D array of length {n_samples}."
        )
    if weight.shape[0] != n_samples:
        raise ValueError(
            f"sample_weight.shape == {weight.shape}, expected ({n_samples},): one for each sample."
        )
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: {weight[row]} at row {row}. "
            "Weights must be at least 0."
        )
    if float(weight.max()) * n_samples > np.finfo(weight.dtype).max:
        raise ValueError(
            f"The sum of `sample_weight` may overflow {weight.dtype}: the largest is "
            f"{weight.max()}. Divide the weights by a constant."
        )
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number: all are 0.")
    return weight
