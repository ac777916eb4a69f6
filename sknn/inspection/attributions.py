"""What explanations come as: how much each column has moved each row's answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._math import Array
from sknn.inspection.models import are_same

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Attributions:
    """How much each column has moved the answer to each row, from a base value.

    Attributes
    ----------
    values : ndarray of shape (n_samples, n_features) or (n_samples, n_features, n_outputs)
        The attributions, in the unit of the answer. They sum to `predictions` - `base_values` but
        for `errors`.
    base_values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The answer to the baseline.
    predictions : ndarray of the same shape
        The answer to each row.
    errors : ndarray of the same shape
        By how much the attributions miss the difference.
    data : DataFrame or ndarray of shape (n_samples, n_features)
        The rows; dense.
    feature_names : list of str
        The names of the columns.
    target_names : list
        What each output stands for: a class, or the number of a target.
    n_steps : int
        How many gradients each is the mean of.

    See Also
    --------
    sknn.inspection.integrated_gradients : Computes them.
    sknn.inspection.AttributionDisplay : Draws them.
    sknn.inspection.RowExplanation : Those of one row, in words.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import MLPRegressor
    >>> from sknn.inspection import integrated_gradients
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = MLPRegressor((), solver="lbfgs", max_iter=1000, random_state=0)
    >>> net = net.fit(X, y)
    >>> found = integrated_gradients(net, X)
    >>> found.to_frame().shape
    (442, 10)
    """

    values: Array
    base_values: Array
    predictions: Array
    errors: Array
    data: Any
    feature_names: list[str]
    target_names: list[Any]
    n_steps: int

    def __repr__(self) -> str:
        n_outputs = 1 if self.values.ndim == 2 else self.values.shape[2]
        worst = float(np.abs(self.errors).max(initial=0.0))
        return (
            f"<Attributions of {len(self.values)} rows to {len(self.feature_names)} columns, "
            f"{n_outputs} output{'s' if n_outputs > 1 else ''}, {self.n_steps} steps, "
            f"errors up to {worst:.2g}>"
        )

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Attributions:
        """Return the attributions of some rows: by a slice, their places, or an array of bools."""
        places = np.atleast_1d(np.arange(len(self))[rows])
        data = self.data.iloc[places] if hasattr(self.data, "iloc") else self.data[places]
        arrays = (self.values, self.base_values, self.predictions, self.errors)
        values, base, predictions, errors = (array[places] for array in arrays)
        return replace(
            self,
            values=values,
            base_values=base,
            predictions=predictions,
            errors=errors,
            data=data,
        )

    def of(self, target: Any) -> Attributions:
        """Return the attributions of one of several outputs.

        Parameters
        ----------
        target : object
            One of `target_names`.

        Returns
        -------
        Attributions
            Those of that output alone.

        Raises
        ------
        ValueError
            If there is no such output.
        """
        known = [k for k, name in enumerate(self.target_names) if are_same(name, target)]
        if not known:
            raise ValueError(f"target={target!r} is none of {self.target_names}.")
        if self.values.ndim == 2:
            return self
        [k] = known
        return replace(
            self,
            values=self.values[:, :, k],
            base_values=self.base_values[:, k],
            predictions=self.predictions[:, k],
            errors=self.errors[:, k],
            target_names=[self.target_names[k]],
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the values as a DataFrame: a row for each row, a column for each column.

        With several outputs they are a second level of the columns.

        Returns
        -------
        DataFrame of shape (n_samples, n_features) or (n_samples, n_features * n_outputs)
            The values; its index is that of `data`, if that is a frame.
        """
        import pandas as pd

        index = getattr(self.data, "index", None)
        if self.values.ndim == 2:
            return pd.DataFrame(self.values, index, self.feature_names)
        columns = pd.MultiIndex.from_product([self.feature_names, self.target_names])
        return pd.DataFrame(self.values.reshape(len(self.values), -1), index, columns)

    def to_shap(self) -> Any:
        """Return a ``shap.Explanation``, which shap's plots draw; needs the package shap.

        They call the base value E[f(X)]. It is that where the baseline was a sample of rows; with
        "mean" it is the answer to the mean row.

        Returns
        -------
        shap.Explanation
            The values, base values and data.
        """
        import shap

        data = self.data.to_numpy() if hasattr(self.data, "to_numpy") else self.data
        several = self.values.ndim == 3
        return shap.Explanation(
            self.values,
            self.base_values,
            data,
            feature_names=list(self.feature_names),
            output_names=[str(name) for name in self.target_names] if several else None,
        )
