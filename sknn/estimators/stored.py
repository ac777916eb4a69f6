"""What estimators do with rows in files, see :mod:`sknn.data`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import validate_data

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn.data import StoredRows
from sknn.estimators.validation import SPLITTER


def take_targets(estimator: Any, data: StoredRows, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Return targets and weights, which rows in files bring along or the caller has passed.

    Targets that a classifier can read part by part stay where they are.

    Raises
    ------
    ValueError
        If there are two of either, or no targets; or if a parameter needs all rows in memory.
    """
    check_parameters_for(estimator)
    if y is None and data.n_targets == 1 and is_classifier(estimator):
        if not SPLITTER.accepts(estimator.validation_fraction):
            return data, own_targets(data, 0, sample_weight, wants_y=False)[1]
    return own_targets(data, y, sample_weight)


def own_targets(
    data: StoredRows, y: Any, sample_weight: Any, wants_y: bool = True
) -> tuple[Any, Any]:
    """Return targets and weights as arrays: those of rows in files, or what has been passed.

    Raises
    ------
    ValueError
        If there are two of either, or no targets.
    """
    if wants_y and y is not None and data.n_targets:
        raise ValueError(f"{data!r} has targets of its own; leave out y.")
    if wants_y and y is None and not data.n_targets:
        raise ValueError(
            f"requires y to be passed, but the target y is None: {data!r} has no target. Name it "
            "in from_parquet(target=...), or pass y."
        )
    own = data.sample_weight
    if sample_weight is not None and own is not None:
        raise ValueError(f"{data!r} has weights of its own; leave out sample_weight.")
    return (data.y if wants_y and y is None else y), own if sample_weight is None else sample_weight


def check_parameters_for(estimator: Any) -> None:
    """Raise InvalidParameterError for parameters that need all rows in memory."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise InvalidParameterError(
            "solver='lbfgs' works on all samples at once and cannot read them from files; use a "
            "stochastic solver such as 'adam'."
        )
    if estimator.early_stopping and estimator.scoring not in (None, "loss"):
        raise InvalidParameterError(
            f"scoring={estimator.scoring!r} needs the samples that are validated on in memory; with "
            "rows in files use None or 'loss', or pass X_val and y_val as arrays."
        )


def check_features(estimator: Any, data: StoredRows, is_first: bool) -> None:
    """Raise ValueError unless rows have the features of an estimator; note them the first time."""
    head: Any = np.zeros((1, data.shape[1]))
    if data.feature_names is not None:
        import pandas as pd

        head = pd.DataFrame(head, columns=data.feature_names)
    validate_data(estimator, head, reset=is_first)


def encode_parts(targets: Any, data: StoredRows) -> Array:
    """Return the targets of rows as a network's outputs, encoded part by part."""
    encoded: Array | None = None
    start = 0
    for part in data.target_parts():
        of_part = targets.encode(part)
        if encoded is None:
            encoded = np.empty((len(data), of_part.shape[1]), of_part.dtype)
        encoded[start : start + len(part)] = of_part
        start += len(part)
    assert encoded is not None
    return encoded


def predict_stored(estimator: Any, data: StoredRows) -> Array:
    """Return raw scores (n_outputs, n_samples), block by block."""
    check_features(estimator, data, is_first=False)
    network, parameters = estimator._network, estimator._network.parameters(vars(estimator))
    raw: Array | None = None
    start = 0
    for block in data.arrays():
        of_block = network.predict(block, parameters)
        if raw is None:
            raw = np.empty((len(of_block), len(data)), of_block.dtype)
        raw[:, start : start + len(block)] = of_block
        start += len(block)
    assert raw is not None
    return raw


def score_stored(estimator: Any, data: StoredRows, y: Any, sample_weight: Any) -> float:
    """Return the accuracy of a classifier on rows in files, block by block."""
    check_features(estimator, data, is_first=False)
    network, targets = estimator._network, estimator._targets
    parameters = network.parameters(vars(estimator))
    _, weights = own_targets(data, y, sample_weight, wants_y=not data.n_targets or y is not None)
    weights = None if weights is None else np.asarray(weights)
    given = None if y is None else np.asarray(y)
    right = total = 0.0
    start = 0
    for block, own in data.labelled_arrays():
        rows = slice(start, start + len(block))
        truth = own if given is None else given[rows]
        weight = None if weights is None else weights[rows]
        start, share = rows.stop, float(len(block) if weight is None else weight.sum(dtype=float))
        if share:
            predicted = targets.predict(network.predict(block, parameters))
            right += share * targets.accuracy(predicted, truth, weight)
            total += share
    if not total:
        raise ValueError("All of sample_weight is 0: there is nothing to score.")
    return right / total
