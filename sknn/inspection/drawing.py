"""What displays, and explanations in words, have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array
from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.inspection.models import best_of, is_search, model_of
from sknn.layers import Dropout, Linear

POSITIVE, NEGATIVE = "C3", "C0"
"""The colours of numbers by their sign, in all displays: red and blue."""


def network_of(estimator: Any, display: str) -> tuple[Any, list[Any]]:
    """Return the network at the end of an estimator, and the transformers before it.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, Pipeline or search
    display : str
        What wants to draw it.

    Raises
    ------
    TypeError
        If there is no network.
    NotFittedError
        If it is not fitted.
    """
    before: list[Any] = []
    while not isinstance(estimator, (MLPClassifier, MLPRegressor)):
        if hasattr(estimator, "steps"):
            before += [transformer for _, transformer in estimator.steps[:-1]]
            estimator = estimator.steps[-1][1]
        elif is_search(estimator):
            estimator = best_of(estimator)
        else:
            raise TypeError(
                f"{display} draws an MLPClassifier or an MLPRegressor, or a Pipeline or a search "
                f"that ends with one; got {type(estimator).__name__}."
            )
    check_is_fitted(estimator)
    return estimator, before


def first_weights(network: Any) -> Array:
    """Return the weights of the inputs, of shape (n_features, n_units), with their factors.

    Raises
    ------
    ValueError
        If something else stands in front of the first linear layer.
    """
    trained = network._trained()
    pairs = zip(trained.network.layers, trained.parameters, strict=True)
    first, parameters = next(pair for pair in pairs if not isinstance(pair[0], Dropout))
    if not isinstance(first, Linear):
        raise ValueError(
            f"The network begins with {type(first).__name__}, so its first weights are not those "
            "of the inputs; only networks that begin with a linear layer can be drawn."
        )
    coef = np.asarray(parameters["coef"])
    return coef * parameters["scale"][:, np.newaxis] if "scale" in parameters else coef


def input_names(network: Any, before: list[Any]) -> list[str]:
    """Return the names of a network's inputs: its own, or those the transformers before it give."""
    names = getattr(network, "feature_names_in_", None)
    for transformer in before if names is None else []:
        if transformer in (None, "passthrough"):
            continue
        if not hasattr(transformer, "get_feature_names_out"):
            names = None
            break
        names = transformer.get_feature_names_out(names)
    return [f"x{j}" for j in range(network.n_features_in_)] if names is None else list(names)


def output_names(network: Any) -> list[str]:
    """Return the names of a network's outputs: classes, or numbers if there are several."""
    model = model_of(network, "raw")
    if model.classes is not None:
        return [str(label) for label in model.classes]
    n_outputs = model.answer.n_outputs
    return ["output"] if n_outputs == 1 else [f"output {k}" for k in range(n_outputs)]


def shorten(text: Any, length: int) -> str:
    """Return a text that is no longer than `length`, so that there is room for the picture."""
    whole = str(text)
    return whole if len(whole) <= length else f"{whole[: length - 1]}…"


def check_count(name: str, value: Any) -> None:
    """Raise ValueError unless a parameter is a number of things, at least one."""
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be an int of at least 1; got {value!r}.")


def other_columns(n: int) -> str:
    """Return what so many columns are called that are not shown one by one."""
    return f"{n} other column{'s' if n > 1 else ''}"
