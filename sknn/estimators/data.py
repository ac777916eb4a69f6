"""From what users pass as X and y to arrays."""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.utils.validation import check_X_y, column_or_1d, validate_data

from sknn._blas import MIN_BLAS, ONE_BLAS_THREAD
from sknn._math import Array
from sknn.data import StoredRows
from sknn.estimators.stored import check_features
from sknn.estimators.validation import FLOATS
from sknn.network import CHUNK

SPARSE = ("csr", "csc")
"""The sparse formats that are accepted without a conversion."""


def check_data(
    estimator: Any, X: Any, y: Any, is_first: bool, y_numeric: bool = False
) -> tuple[Any, Any]:
    """Return validated X and y; note the features of X if this is the first time.

    Parameters
    ----------
    estimator : BaseMLP
    X : array-like, sparse matrix or memmap of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    is_first : bool
    y_numeric : bool, default=False
        Whether y must hold numbers.
    """
    if is_first and _is_plain(X) and _is_plain_target(y, X):
        # The usual case by a short way: nothing would be converted.
        estimator.__dict__.pop("feature_names_in_", None)
        estimator.n_features_in_ = X.shape[1]
        return X, y
    if isinstance(X, StoredRows):
        check_features(estimator, X, is_first)
        if isinstance(y, StoredRows):
            return X.samples(), y
        stand_in = np.broadcast_to(0.0, (len(X), 1))
        _, y = check_X_y(stand_in, y, multi_output=True, y_numeric=y_numeric)
        X = X.samples()
    elif is_on_disk(X):
        validate_data(estimator, X[:1], reset=is_first)
        _check_finite(X)
        stand_in = np.broadcast_to(0.0, (len(X), 1))
        _, y = check_X_y(stand_in, y, multi_output=True, y_numeric=y_numeric)
    else:
        with _unheard():
            X, y = validate_data(
                estimator,
                X,
                y,
                accept_sparse=SPARSE,
                multi_output=True,
                dtype=FLOATS,
                reset=is_first,
                y_numeric=y_numeric,
            )
        if not isinstance(X, np.ndarray):
            X = X.tocsr()
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    return X, y


def check_samples(estimator: Any, X: Any) -> Any:
    """Return validated X of an estimator that has been fitted."""
    if is_on_disk(X):
        validate_data(estimator, X[:1], reset=False)
        _check_finite(X)
        return X
    with _unheard():
        X = validate_data(estimator, X, accept_sparse=SPARSE, dtype=FLOATS, reset=False)
    return X if isinstance(X, np.ndarray) else X.tocsr()


def _unheard() -> np.errstate:
    """Keep quiet that a sum, by which scikit-learn looks for NaN, is none: inf minus inf."""
    return np.errstate(invalid="ignore")


def is_known(estimator: Any, X: Any) -> bool:
    """Whether validate_data would return X unchanged; False where that is not certain."""
    fitted = vars(estimator)
    if "coefs_" not in fitted or "feature_names_in_" in fitted:
        return False
    return _is_plain(X) and X.shape[1] == estimator.n_features_in_


def is_on_disk(X: Any) -> bool:
    """Whether X is a matrix of numbers in a file, which may not fit into memory."""
    if not isinstance(X, np.memmap) or X.ndim != 2 or len(X) == 0:
        return False
    return X.dtype.kind in "fiu" and X.dtype.isnative and X.dtype.itemsize <= 8


def _check_finite(X: Array) -> None:
    for start in range(0, len(X), CHUNK):
        if not np.isfinite(X[start : start + CHUNK]).all():
            raise ValueError(
                f"Input X contains NaN or infinity, between rows {start} and "
                f"{min(start + CHUNK, len(X))}."
            )


def _is_plain(X: Any) -> bool:
    """Whether check_array would return X unchanged; False where that is not certain.

    It takes 60 us to find that out, ten times the work of predicting one row.
    """
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype not in FLOATS:
        return False
    if not X.size or not X.flags.c_contiguous or get_config()["array_api_dispatch"]:
        return False
    return _is_finite(X.reshape(-1))


def _is_plain_target(y: Any, X: Array) -> bool:
    """Whether check_array would return y, one number for each sample, unchanged."""
    if type(y) is not np.ndarray or y.shape != X.shape[:1]:
        return False
    return y.dtype.kind in "biu" or (y.dtype in FLOATS and _is_finite(y))


def _is_finite(flat: Array) -> bool:
    # A sum of squares is finite only if all entries are; if it overflows, the long way tells.
    limit = ONE_BLAS_THREAD if flat.size >= MIN_BLAS else nullcontext()
    with limit, np.errstate(over="ignore", invalid="ignore"):
        return bool(get_config()["assume_finite"]) or math.isfinite(np.dot(flat, flat))
