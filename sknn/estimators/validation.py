"""Checks of constructor parameters, with messages that name parameter, value and remedy."""

from __future__ import annotations

import os
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils.validation import check_array

from sknn._constraints import Check, Constraint, Interval, InvalidParameterError, Member, OneOf
from sknn._math import Array
from sknn._names import did_you_mean
from sknn.activations import ACTIVATIONS, Activation, is_activation
from sknn.architecture import FRONTS, SCALE
from sknn.layers import Layer

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
"""The dtypes that X may have without being converted."""


RANDOM_STATE = Check(
    lambda value: (
        value is None
        or value is np.random
        or isinstance(value, np.random.RandomState)
        or Interval(Integral, 0, 2**32).accepts(value)
    ),
    "None, an int in the range [0, 4294967295] or a numpy.random.RandomState",
)


def is_path(value: Any) -> bool:
    """Whether a value is a path in words."""
    return isinstance(value, (str, os.PathLike)) and len(os.fspath(value)) > 0


SPLITTER = Check(
    # As in scikit-learn's check_cv: strings have a method of that name, too.
    lambda value: hasattr(value, "split") and not isinstance(value, (str, bytes, type)),
    "a splitter with the method split(X, y, groups)",
)

SEQUENCE = Check(
    lambda value: (
        isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)
    ),
    "a sequence with one for each hidden layer",
)

LAYER_ACTIVATION: list[Constraint] = [
    Member(ACTIVATIONS, Activation),
    Check(is_activation, "an object with the methods forward and backward"),
]
"""What the activation of one hidden layer may be."""

LAYER_DROPOUT: list[Constraint] = [Interval(Real, 0, 1)]
"""What the dropout of one hidden layer may be."""

FRONT: list[Constraint] = [
    OneOf([SCALE, *FRONTS]),
    Check(lambda value: isinstance(value, Layer), "a layer from sknn.layers"),
]
"""What may stand in front of the first hidden layer."""


class ScorerName(Constraint):
    """The name of one of scikit-learn's scorers."""

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value in get_scorer_names()

    def __str__(self) -> str:
        return "a name from sklearn.metrics.get_scorer_names()"

    def hint(self, value: Any) -> str:
        return did_you_mean(value, get_scorer_names()) if isinstance(value, str) else ""


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
    if float(weight.max()) * n_samples > float(np.finfo(weight.dtype).max):
        raise ValueError(
            f"The sum of `sample_weight` may overflow {weight.dtype}: the largest is "
            f"{weight.max()}. Divide the weights by a constant."
        )
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number: all are 0.")
    return weight


def check_n_outputs(y: Array, n_outputs: int, name: str = "y") -> None:
    """Raise ValueError unless encoded targets have as many outputs as those of the fit."""
    if y.shape[1] != n_outputs:
        raise ValueError(
            f"{name} has {y.shape[1]} outputs, but the estimator was fitted with {n_outputs}."
        )


def check_initial_arrays(initializer: Any) -> tuple[list[Array], list[Array]]:
    """Return the weights and intercepts that training is to begin with, as arrays of numbers."""
    try:
        coefs, intercepts = (
            [check_array(a, ensure_2d=False, dtype=FLOATS, input_name=name) for a in arrays]
            for name, arrays in zip(("coefs", "intercepts"), initializer, strict=True)
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"initializer=(coefs, intercepts) needs arrays of numbers: {error}"
        ) from error
    return coefs, intercepts
