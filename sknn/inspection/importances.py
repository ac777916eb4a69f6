"""How much each column matters to a model, over a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import scipy.sparse as sp
from sklearn.inspection import permutation_importance

from sknn._math import Array
from sknn.inspection.gradients import as_rows, in_order, input_gradients
from sknn.inspection.integrated import integrated_gradients
from sknn.inspection.models import best_of, is_search, model_of, names_of

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal["integrated_gradients", "gradient", "permutation"]


def importance(
    estimator: Any,
    X: Any,
    y: Any = None,
    kind: Kind = "integrated_gradients",
    **options: Any,
) -> pd.Series:
    r"""Return how much each column matters to what a model says of some rows.

    Parameters
    ----------
    estimator : object
        A fitted estimator of this package, or one of scikit-learn's around some, as for
        :func:`input_gradients`.
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
        The rows.
    y : array-like, default=None
        The targets; only "permutation" needs them.
    kind : {"integrated_gradients", "gradient", "permutation"}, default="integrated_gradients"
        The mean absolute attribution; the mean absolute derivative, times the column's standard
        deviation (NaN for categories); or by how much the score falls when the column is shuffled.
        The second is for smooth networks: the bins of tables are steep where values lie close.
    **options
        Passed to :func:`integrated_gradients`, :func:`input_gradients` or
        :func:`sklearn.inspection.permutation_importance`.

    Returns
    -------
    Series
        A number for each column, in the order of X. Of several outputs it is the sum.

    Raises
    ------
    ValueError
        If `kind` is unknown, or "permutation" has no targets.

    See Also
    --------
    sknn.inspection.integrated_gradients : What the numbers are means of, row by row.
    sknn.inspection.input_gradients : Derivatives, row by row.
    sklearn.inspection.permutation_importance : Shuffles columns of any estimator's X.

    References
    ----------
    Breiman, L., "Random forests", Machine Learning 45 (2001), for the permutation.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import MLPRegressor
    >>> from sknn.inspection import importance
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = MLPRegressor((), solver="lbfgs", max_iter=1000, random_state=0)
    >>> net = net.fit(X, y)
    >>> importance(net, X).nlargest(3).index.tolist()
    ['s1', 's5', 'bmi']
    """
    import pandas as pd

    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {list(_KINDS)}; got {kind!r}.")
    if kind == "permutation" and y is None:
        raise ValueError("kind='permutation' compares scores: pass y.")
    X = as_rows(X)
    if kind == "permutation":
        names = names_of(estimator, X.shape[1])
    else:
        options.setdefault("output", _own_output(estimator))
        names = model_of(estimator, options["output"]).names
    found = _KINDS[kind](estimator, in_order(X, names), y, options)
    return pd.Series(found, names, name=kind)


def _own_output(estimator: Any) -> str:
    """Return an output that the estimator has: of calibrated ones it is the probability."""
    while is_search(estimator) or hasattr(estimator, "steps"):
        estimator = best_of(estimator) if is_search(estimator) else estimator.steps[-1][1]
    return "probability" if hasattr(estimator, "calibrated_classifiers_") else "raw"


def _by_attributions(estimator: Any, X: Any, y: Any, options: dict[str, Any]) -> Array:
    values = integrated_gradients(estimator, X, **options).values
    return _sum_outputs(np.abs(values).mean(axis=0))


def _by_gradients(estimator: Any, X: Any, y: Any, options: dict[str, Any]) -> Array:
    sizes = np.abs(input_gradients(estimator, X, **options))
    counts: Any = (~np.isnan(sizes)).sum(axis=0)
    means = np.where(counts > 0, np.nansum(sizes, axis=0) / np.maximum(counts, 1), np.nan)
    return _sum_outputs(means) * _deviations(X)


def _by_permutation(estimator: Any, X: Any, y: Any, options: dict[str, Any]) -> Array:
    rows = X.toarray() if sp.issparse(X) else X
    return np.asarray(permutation_importance(estimator, rows, y, **options).importances_mean)


_KINDS: dict[Kind, Callable[[Any, Any, Any, dict[str, Any]], Array]] = {
    "integrated_gradients": _by_attributions,
    "gradient": _by_gradients,
    "permutation": _by_permutation,
}


def _sum_outputs(numbers: Array) -> Array:
    return numbers if numbers.ndim == 1 else np.asarray(numbers.sum(axis=1))


def _deviations(X: Any) -> Array:
    """Return the standard deviation of each column; NaN for what is no number."""
    import pandas as pd

    rows = X.toarray() if sp.issparse(X) else X
    frame = pd.DataFrame(rows.to_dict(as_series=False) if hasattr(rows, "to_dicts") else rows)
    columns = [frame.iloc[:, j].infer_objects() for j in range(frame.shape[1])]
    are_numbers = [c.dtype.kind in "fiub" for c in columns]
    return np.array(
        [
            c.astype(float).std(ddof=0) if is_number else np.nan
            for c, is_number in zip(columns, are_numbers, strict=True)
        ]
    )
