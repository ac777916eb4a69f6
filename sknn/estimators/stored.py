"""What estimators do with rows in files, see :mod:`sknn.data`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.utils.validation import check_consistent_length, validate_data

from sknn._constraints import InvalidParameterError
from sknn._math import Array
from sknn.data import StoredRows
from sknn.estimators.validation import SPLITTER


def take_targets(
    estimator: Any, data: StoredRows, y: Any, sample_weight: Any, validates: bool | None = None
) -> tuple[Any, Any]:
    """Return targets and weights, which rows in files bring along or the caller has passed.

    Targets that a classifier can read part by part stay where they are.

    Parameters
    ----------
    estimator : BaseMLP
    data : StoredRows
    y, sample_weight : array-like or None
    validates : bool, default=None
        Whether some of these rows are validated on; None for where early stopping is on.

    Raises
    ------
    ValueError
        If there are two of either, or no targets; or if a parameter needs all rows in memory.
    """
    check_parameters_for(estimator, estimator.early_stopping if validates is None else validates)
    check_batch_size(estimator.batch_size, data)
    weight = own_weight(data, sample_weight)
    stays = y is None and data.n_targets == 1 and is_classifier(estimator)
    if stays and not SPLITTER.accepts(estimator.validation_fraction):
        return data, weight
    return own_y(data, y), weight


def own_targets(data: StoredRows, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """Return targets and weights as arrays: those of rows in files, or what has been passed.

    Raises
    ------
    ValueError
        If there are two of either, or no targets.
    """
    return own_y(data, y), own_weight(data, sample_weight)


def own_y(data: StoredRows, y: Any) -> Any:
    """Return the targets of rows in files, or those that have been passed."""
    if y is not None and data.n_targets:
        raise ValueError(
            f"{data!r} has targets of its own; leave out y. Where splitters and scorers want y, as "
            "in cross-validation, pass it, with rows that were opened without target=."
        )
    if y is None and not data.n_targets:
        raise ValueError(
            f"requires y to be passed, but the target y is None: {data!r} has no target. Name it "
            "in from_parquet(target=...), or pass y."
        )
    return data.y if y is None else y


def own_weight(data: StoredRows, sample_weight: Any) -> Any:
    """Return the weights of rows in files, or those that have been passed."""
    own = data.sample_weight
    if sample_weight is not None and own is not None:
        raise ValueError(f"{data!r} has weights of its own; leave out sample_weight.")
    return own if sample_weight is None else sample_weight


def check_parameters_for(estimator: Any, validates: bool) -> None:
    """Raise InvalidParameterError for parameters that need all rows in memory."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise InvalidParameterError(
            "solver='lbfgs' works on all samples at once and cannot read them from files; use a "
            "stochastic solver such as 'adam'."
        )
    if validates and not (estimator.scoring is None or is_loss(estimator.scoring)):
        raise InvalidParameterError(
            f"scoring={estimator.scoring!r} needs the samples that are validated on in memory; "
            "with rows in files use None or 'loss', or pass X_val and y_val as arrays."
        )


def check_batch_size(batch_size: Any, data: StoredRows) -> None:
    """Raise InvalidParameterError for batches that have no room in the memory."""
    if isinstance(batch_size, str):
        return
    n_bytes = min(batch_size, len(data)) * data.shape[1] * data.dtype.itemsize
    if n_bytes > data.memory:
        raise InvalidParameterError(
            f"batch_size={batch_size!r} needs {n_bytes / 1e6:,.3g} MB of rows at a time, but they "
            f"may take memory={data.memory / 1e6:,.3g} MB. Lower the one, or raise the other."
        )


def is_loss(scoring: Any) -> bool:
    """Whether a score is the loss itself."""
    return isinstance(scoring, str) and scoring == "loss"


def check_features(estimator: Any, data: StoredRows, is_first: bool) -> None:
    """Raise ValueError unless rows have the features of an estimator; note them the first time."""
    if not len(data):
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required: {data!r}."
        )
    check_unread(estimator, data.shape[1], data.feature_names, is_first)


def check_unread(estimator: Any, n_features: int, names: Any, is_first: bool) -> None:
    """Do what scikit-learn does with the features of X, where none of its rows is here."""
    head: Any = np.zeros((1, n_features))
    if names is not None:
        import pandas as pd

        head = pd.DataFrame(head, columns=names)
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
    for places, block in data.arrays():
        of_block = network.predict(block, parameters)
        if raw is None:
            raw = np.empty((len(of_block), len(data)), of_block.dtype)
        raw[:, places] = of_block
    assert raw is not None
    return raw


def score_stored(estimator: Any, data: StoredRows, y: Any, sample_weight: Any) -> float:
    """Return the accuracy of a classifier on rows in files, block by block."""
    check_features(estimator, data, is_first=False)
    network, targets = estimator._network, estimator._targets
    parameters = network.parameters(vars(estimator))
    weights = own_weight(data, sample_weight)
    if y is not None or not data.n_targets:  # else they are looked up block by block
        y = own_y(data, y)
        y = y.tocsr() if sp.issparse(y) else np.asarray(y)
    check_consistent_length(data, y, weights)
    weights = None if weights is None else np.asarray(weights)
    right = total = 0.0
    for places, block in data.arrays():
        weight = None if weights is None else weights[places]
        share = float(len(block) if weight is None else weight.sum(dtype=float))
        if share:
            predicted = targets.predict(network.predict(block, parameters))
            truth = data.targets_at(places) if y is None else y[places]
            right += share * targets.accuracy(predicted, truth, weight)
            total += share
    if not total:
        raise ValueError("All of sample_weight is 0: there is nothing to score.")
    return right / total
