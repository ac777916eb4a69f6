"""The validation score over the learning rate, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class LearningRateDisplay:
    """The validation score over the learning rate, as a search has found it.

    Make it with :meth:`from_estimator`; all parameters are stored as attributes.

    Parameters
    ----------
    rates : ndarray of shape (n_rates,)
        The learning rates, ascending.
    scores : ndarray of shape (n_rates, n_splits)
        The score of each rate on each fold, of the best candidate with that rate.
    best_rate : float
        The chosen rate.
    n_epochs : ndarray of shape (n_rates,), default=None
        The epochs that each was trained for, where they differ.
    score_name : str, default="Score"
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    line_ : matplotlib Artist
        The mean scores.
    fill_between_ : matplotlib Artist or None
        The spread over the folds.
    best_line_ : matplotlib Artist
        The chosen rate.

    See Also
    --------
    sknn.model_selection.LearningRateSearchCV : Finds the rates that are drawn.
    sknn.inspection.LossCurveDisplay : The loss over the epochs of one training.
    sklearn.model_selection.ValidationCurveDisplay : Scores over the values of any parameter.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.model_selection import (
    ...     LearningRateDisplay,
    ...     LearningRateSearchCV,
    ... )
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(10, tol=0.01, max_iter=180, random_state=0)
    >>> search = LearningRateSearchCV(network, n_rates=5).fit(X, y)
    >>> display = LearningRateDisplay.from_estimator(search)
    >>> display.ax_.get_xlabel()
    'Learning rate'
    """

    ax_: Axes
    figure_: Figure
    line_: Line2D
    fill_between_: PolyCollection | Any
    best_line_: Line2D

    def __init__(
        self,
        *,
        rates: Array,
        scores: Array,
        best_rate: float,
        n_epochs: Array | None = None,
        score_name: str = "Score",
    ) -> None:
        self.rates = rates
        self.scores = scores
        self.best_rate = best_rate
        self.n_epochs = n_epochs
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, search: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw what a fitted search has found.

        Parameters
        ----------
        search : fitted search
            A :class:`LearningRateSearchCV`, or any search of scikit-learn over
            ``learning_rate_init`` that has a single metric.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : LearningRateDisplay
        """
        _check_is_search(search)
        results = pd.DataFrame(search.cv_results_)
        names = [
            name for name in results if name.removeprefix("param_").split("__")[-1] == _PARAMETER
        ]
        if len(names) != 1 or "mean_test_score" not in results:
            raise ValueError(
                f"The search must be over one parameter {_PARAMETER!r} and have a single metric; "
                f"it has {', '.join(results.filter(regex='^param_|^mean_test')) or 'none'}."
            )
        results["rate"] = results[names[0]].astype(float)
        if "iter" in results:  # of successive halving the last round that a candidate took part in
            results["candidate"] = _without_resource(search, results)
            results = results.sort_values("iter", kind="stable").groupby("candidate").tail(1)
            # Scores of other rounds do not compare: of each rate the one that came furthest.
            results = results[results["iter"] == results.groupby("rate")["iter"].transform("max")]
        best = results.sort_values("mean_test_score", kind="stable").groupby("rate").tail(1)
        best = best.sort_values("rate")
        splits = best.filter(regex=r"^split\d+_test_score$")
        scoring = search.scoring
        display = cls(
            rates=best["rate"].to_numpy(),
            scores=splits.to_numpy(float),
            best_rate=float(results.loc[search.best_index_, "rate"]),
            n_epochs=best["n_resources"].to_numpy() if "n_resources" in best else None,
            score_name=scoring.replace("_", " ") if isinstance(scoring, str) else "Score",
        )
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        std_display_style: Literal["fill_between"] | None = "fill_between",
        line_kw: dict[str, Any] | None = None,
        fill_between_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        std_display_style : {"fill_between"} or None, default="fill_between"
            How to draw the standard deviation over the folds; None leaves it out.
        line_kw, fill_between_kw : dict, default=None
            Options for the line of the mean scores, and for the band around it.

        Returns
        -------
        display : LearningRateDisplay
            Itself, with the attributes of what is drawn.
        """
        import matplotlib.pyplot as plt

        if std_display_style not in ("fill_between", None):
            raise ValueError(
                "The 'std_display_style' parameter must be 'fill_between' or None. "
                f"Got {std_display_style!r} instead."
            )
        if ax is None:
            _, ax = plt.subplots()
        mean, spread = np.mean(self.scores, axis=1), np.std(self.scores, axis=1)
        (self.line_,) = ax.plot(
            self.rates, mean, **{"marker": "o", "label": "mean of the folds", **(line_kw or {})}
        )
        self.fill_between_ = None
        if std_display_style is not None:
            band = {"alpha": 0.2, "color": self.line_.get_color(), "linewidth": 0}
            band["label"] = "± one standard deviation"
            self.fill_between_ = ax.fill_between(
                self.rates, mean - spread, mean + spread, **{**band, **(fill_between_kw or {})}
            )
        if self.n_epochs is not None:
            self._annotate(ax, mean)
        label = f"chosen: {self.best_rate:.2g}"
        self.best_line_ = ax.axvline(self.best_rate, color="black", linestyle=":", label=label)
        ax.set(xscale="log", xlabel="Learning rate", ylabel=self.score_name)
        ax.legend()
        self.ax_, self.figure_ = ax, cast("Figure", ax.figure)
        return self

    def _annotate(self, ax: Any, mean: Array) -> None:
        """Write to each point how many epochs it was trained for."""
        assert self.n_epochs is not None
        place = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
        box = {"boxstyle": "round,pad=0.1", "color": "white", "alpha": 0.8}
        for rate, score, n_epochs in zip(self.rates, mean, self.n_epochs, strict=True):
            ax.annotate(f"{n_epochs}", (rate, score), fontsize="x-small", bbox=box, **place)
        ax.margins(y=0.12)
        ax.set_title("numbers: epochs trained", fontsize="small")


_PARAMETER = "learning_rate_init"


def _check_is_search(search: Any) -> None:
    """Raise TypeError for what is no search, and NotFittedError for one that is not fitted."""
    # Of all estimators only searches have an error score.
    if hasattr(search, "cv_results_") or hasattr(search, "error_score"):
        check_is_fitted(search, "cv_results_")
        return
    hint = ""
    if hasattr(search, "lr_find_"):
        hint = " The range test of learning_rate_init='auto' is in its attribute lr_find_."
    raise TypeError(
        f"LearningRateDisplay.from_estimator needs a fitted search over {_PARAMETER!r}, such as "
        f"LearningRateSearchCV. Got {type(search).__name__} instead.{hint}"
    )


def _without_resource(search: Any, results: pd.DataFrame) -> list[str]:
    """Return a name for each candidate of a halving search that is the same in all rounds."""
    return [
        repr({name: value for name, value in params.items() if name != search.resource})
        for params in results["params"]
    ]
