"""Why a model says so of one row, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from sknn._math import Array
from sknn.inspection.attributions import Attributions
from sknn.inspection.drawing import check_count, other_columns
from sknn.inspection.gradients import as_rows, take_rows
from sknn.inspection.integrated import Baseline, integrated_gradients
from sknn.inspection.models import Model, Output, model_of

if TYPE_CHECKING:
    import pandas as pd

BAR = 20
"""Characters of the longest bar."""

COLOURS = "#1f77b4", "#d62728"
"""What lowers the answer, and what raises it, as in the figures."""


@dataclass(frozen=True, eq=False)
class RowExplanation:
    """What has moved the answer to one row; printed, it says so.

    Attributes
    ----------
    target : object
        The class, or the number of the output, that is explained.
    output : str
        "raw", "probability" or "prediction".
    answer, base_value : float
        The answer to the row, and to the baseline.
    attributions : Series
        How much each column has moved it, the largest first.
    data : Series
        The values of the columns, in the same order.
    max_features : int
        How many columns are shown one by one.

    See Also
    --------
    sknn.inspection.explain_row : Makes it.
    sknn.inspection.Attributions : The numbers for many rows.
    sknn.inspection.AttributionDisplay : Draws them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import explain_row
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> net = MLPClassifier(tol=0.01, max_iter=500, random_state=0).fit(X, y)
    >>> explanation = explain_row(net, X, row=149)
    >>> int(explanation.target)
    2
    >>> explanation.attributions.index[0]
    'petal width (cm)'
    """

    target: Any
    output: Output
    answer: float
    base_value: float
    attributions: pd.Series
    data: pd.Series
    max_features: int

    def to_frame(self) -> pd.DataFrame:
        """Return a table of all columns: their values, and how much they have moved the answer.

        Returns
        -------
        DataFrame of shape (n_features, 2)
            A row for each column of X, the one that matters most first.
        """
        import pandas as pd

        return pd.DataFrame({"value": self.data, "attribution": self.attributions})

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        longest = max(abs(moved) for _, moved in rows) or 1.0
        lines = [
            f"{name:{width}}  {self._signed(moved):>9}  {'#' * round(BAR * abs(moved) / longest)}"
            for name, moved in rows
        ]
        return "\n".join([self._headline(), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        rows = self._rows()
        longest = max(abs(moved) for _, moved in rows) or 1.0
        lines = []
        for name, moved in rows:
            size, colour = 120 * abs(moved) / longest, COLOURS[moved > 0]
            bar = f'<div style="width:{size:.0f}px;height:0.8em;background:{colour}"></div>'
            cells = f"<td>{escape(name)}</td><td>{self._signed(moved)}</td><td>{bar}</td>"
            lines.append(f"<tr>{cells}</tr>")
        return f"<p>{escape(self._headline())}</p><table>{''.join(lines)}</table>"

    def _headline(self) -> str:
        what = {
            "raw": f"Raw score of {self.target!r}",
            "probability": f"Probability of {self.target!r}",
            "prediction": "Prediction",
        }[self.output]
        return f"{what}: {self.answer:.4g}. Base value: {self.base_value:.4g}."

    def _rows(self) -> list[tuple[str, float]]:
        """Return what is shown, and how much it has moved the answer."""
        shown = self.attributions.iloc[: self.max_features]
        rows = [
            (f"{name} = {_in_words(self.data.iloc[k])}", float(moved))
            for k, (name, moved) in enumerate(shown.items())
        ]
        n_others = len(self.attributions) - len(shown)
        if n_others:
            others = float(self.attributions.iloc[self.max_features :].sum())
            rows.append((other_columns(n_others), others))
        return rows

    def _signed(self, moved: float) -> str:
        return f"{moved:+.4g}" if moved else "0"


def explain_row(
    estimator: Any,
    X: Any,
    row: int = 0,
    *,
    target: Any = None,
    output: Output | None = None,
    max_features: int = 8,
    baseline: Baseline = "mean",
    background: Any = None,
    **options: Any,
) -> RowExplanation:
    """Say why a model answers as it does to one row.

    Parameters
    ----------
    estimator : object
        A fitted estimator of this package, or one of scikit-learn's around some, as for
        :func:`input_gradients`.
    X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
        Rows, which are the background, too, unless another is given.
    row : int, default=0
        Which of them: its position.
    target : object, default=None
        Which output; None is the class that is predicted, or the only output.
    output : {"raw", "probability", "prediction"}, default=None
        None is the probability of a class, and the prediction of a number.
    max_features : int, default=8
        How many columns are shown one by one, at least 1.
    baseline : {"mean", "zero"}, array-like or DataFrame, default="mean"
        See :func:`integrated_gradients`.
    background : DataFrame, array-like or sparse matrix, default=None
        See :func:`integrated_gradients`.
    **options : dict
        Passed to :func:`integrated_gradients`.

    Returns
    -------
    RowExplanation
        Print it, or show it in a notebook.

    Raises
    ------
    ValueError
        If `row` or another parameter is not valid, or several targets leave open which is meant.

    See Also
    --------
    sknn.inspection.integrated_gradients : Computes the attributions, of many rows.
    sknn.inspection.AttributionDisplay : Draws them.
    sknn.inspection.importance : What matters for all rows together.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import explain_row
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> y = load_iris().target_names[y]
    >>> net = MLPClassifier(solver="lbfgs", alpha=1.0, random_state=0)
    >>> net = make_pipeline(StandardScaler(), net).fit(X, y)
    >>> explanation = explain_row(net, X, row=0)
    >>> print(str(explanation).splitlines()[0])
    Probability of 'setosa': 0.9... Base value: 0.0...
    >>> explanation.to_frame().index[0]
    'petal length (cm)'
    """
    check_count("max_features", max_features)
    if output is None:
        output = "probability" if hasattr(estimator, "classes_") else "prediction"
    X = as_rows(X)
    model, one = model_of(estimator, output), take_rows(X, row)
    if background is None and X.shape[0] > 1:
        background = X
    options = {"baseline": baseline, "background": background, "output": output, **options}
    target = _predicted(model, estimator, one) if target is None else target
    found = integrated_gradients(estimator, one, target=target, **options)
    return _explanation(found, target, output, max_features)


def _predicted(model: Model, estimator: Any, row: Any) -> Any:
    """Return the class that is predicted of a row, or the number of the only output."""
    if model.classes is None:
        if model.answer.n_outputs > 1:
            raise ValueError(
                f"target=None leaves open which of {model.answer.n_outputs} outputs is meant: pass "
                "its number."
            )
        return 0
    predicted = np.asarray(estimator.predict(row))
    if predicted.ndim > 1:
        raise ValueError(f"target=None leaves open which is meant: pass one of {model.classes}.")
    return predicted.tolist()[0]


def _explanation(
    found: Attributions, target: Any, output: Output, max_features: int
) -> RowExplanation:
    import pandas as pd

    moved: Array = found.values[0]
    order = np.argsort(-np.abs(moved), kind="stable")
    data = _cells(found.data)
    names = [found.feature_names[j] for j in order]
    return RowExplanation(
        target,
        output,
        float(found.predictions[0]),
        float(found.base_values[0]),
        pd.Series(moved[order], names, name="attribution"),
        pd.Series([data[j] for j in order], names, dtype=object, name="value"),
        int(max_features),
    )


def _in_words(value: Any) -> str:
    if value is None or value != value:
        return "missing"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def _cells(rows: Any) -> list[Any]:
    """Return the values of the first row, each of its own type."""
    if hasattr(rows, "iloc"):
        return [rows.iloc[:, j].tolist()[0] for j in range(rows.shape[1])]
    return list(rows.row(0)) if hasattr(rows, "columns") else list(rows[0].tolist())
