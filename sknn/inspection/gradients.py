"""How an answer changes with each input: exact gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

from sknn._crew import count_workers, share_out
from sknn._math import Array
from sknn.inspection.answers import Answer, gradients_of, sum_by_origin
from sknn.inspection.models import Output, model_of
from sknn.network import CHUNK

T = TypeVar("T")


def input_gradients(estimator: Any, X: Any, target: Any = None, output: Output = "raw") -> Array:
    r"""Return the exact derivative of what a model answers with respect to each input.

    .. math:: \frac{\partial f_k(x)}{\partial x_j}

    by backpropagation, with dropout off and the statistics of batches fixed. In a Pipeline it is
    followed back through the steps to the columns of X.

    Parameters
    ----------
    estimator : object
        A fitted estimator of this package, or a Pipeline, search, BaggingClassifier,
        BaggingRegressor, VotingClassifier (soft), VotingRegressor, CalibratedClassifierCV (sigmoid)
        or TransformedTargetRegressor around some.
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
        The rows at which it is taken.
    target : object, default=None
        Which output: a class, or the number of a regressor's output; of several targets with
        classes a pair of the target's number and a class. None is all of them; of two classes the
        second. Of several targets with several quantiles those of the lowest level come first.
    output : {"raw", "probability", "prediction"}, default="raw"
        Raw scores, a classifier's probabilities, or a regressor's predictions in the unit of y.

    Returns
    -------
    ndarray of shape (n_samples, n_features) or (n_samples, n_features, n_outputs)
        In the units of X. NaN where there is none: for categories, and for gaps that were filled.

    Raises
    ------
    ValueError
        If X, `target` or `output` is not valid, or a step cannot be gone through.
    TypeError
        If the estimator is of another kind.

    See Also
    --------
    sknn.inspection.integrated_gradients : Adds up gradients to shares of the answer.
    sknn.inspection.importance : One number for each column.
    sklearn.inspection.partial_dependence : Mean answers over the values of a column.

    References
    ----------
    Simonyan, K., Vedaldi, A. and Zisserman, A., "Deep inside convolutional networks: Visualising
    image classification models and saliency maps", arXiv:1312.6034 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.inspection import input_gradients
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> net = MLPRegressor((), alpha=0, solver="lbfgs").fit(X, X @ [3.0, -1.0])
    >>> (input_gradients(net, X[:2]).round(2) + 0).tolist()
    [[3.0, -1.0], [3.0, -1.0]]
    """
    model, chosen = model_of(estimator, output).choose(target)
    n_features = len(model.names)

    def explain(rows: Any) -> Array:
        found = [_gradient(model.answer, rows, k, n_features) for k in chosen]
        return found[0] if len(found) == 1 else np.stack(found, axis=2)

    return np.concatenate(each_chunk(X, explain))


def _gradient(answer: Answer, rows: Any, k: int, n_features: int) -> Array:
    points = answer.encode(rows)
    found = gradients_of(answer, points, k)
    for gradient, slopes in zip(found, answer.slopes(rows, points), strict=True):
        if slopes is not None:
            gradient *= slopes
    return sum_by_origin(answer.origins, found, n_features)


def as_rows(X: Any) -> Any:
    """Return rows of any kind as what can be sliced: an array, a sparse matrix or a frame."""
    if sp.issparse(X):
        return X.tocsr()
    if not hasattr(X, "shape"):
        return as_array(X)
    is_sliced = isinstance(X, np.ndarray) or hasattr(X, "iloc") or hasattr(X, "with_columns")
    return X if is_sliced or not hasattr(X, "to_pandas") else X.to_pandas()


def chunks(X: Any) -> Iterator[Any]:
    """Yield rows, so few at a time that a network takes them at once."""
    X = as_rows(X)
    if len(X.shape) != 2:
        what = f"Expected 2D array, got {len(X.shape)}D array instead."
        raise ValueError(f"{what} Reshape a single row with X.reshape(1, -1).")
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={tuple(X.shape)}) while a minimum of 1 is "
            "required."
        )
    for start in range(0, X.shape[0], CHUNK):
        rows = slice(start, start + CHUNK)
        yield slice_rows(X, rows)


def slice_rows(X: Any, rows: slice) -> Any:
    """Return some rows of an array, a sparse matrix or a frame."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def each_chunk(X: Any, explain: Callable[[Any], T]) -> list[T]:
    """Return what is said of each chunk of rows, in their order; threads share them."""
    parts = list(chunks(X))
    found: dict[int, T] = {}

    def run(k: int) -> None:
        found[k] = explain(parts[k])

    share_out(count_workers(len(parts)), range(len(parts)), run)
    return [found[k] for k in range(len(parts))]


def take_rows(X: Any, row: Any) -> Any:
    """Return the row of this number as the only one, or raise ValueError if there is none."""
    X = as_rows(X)
    n_rows = X.shape[0]
    if not isinstance(row, (int, np.integer)) or not -n_rows <= row < n_rows:
        raise ValueError(f"row must be an int in the range [{-n_rows}, {n_rows - 1}]; got {row!r}.")
    rows = slice(row % n_rows, row % n_rows + 1)
    return slice_rows(X, rows)


def as_array(X: Any) -> Array:
    """Return a sequence of rows as an array, in which numbers among words stay numbers."""
    rows = np.asarray(X)
    return rows if rows.dtype.kind in "biuf" else np.asarray(X, dtype=object)


def in_order(X: Any, names: list[str]) -> Any:
    """Return the columns of a frame in the order of a model, if it has them all by name."""
    columns = list(getattr(X, "columns", names))
    if columns == names or not set(names) <= set(columns):
        return X
    return X[names]
