"""The curves of a training, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from sknn.inspection.drawing import network_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Training loss, validation loss and validation score over the epochs.

    Make it with :meth:`from_estimator`; all parameters are stored as attributes.

    Parameters
    ----------
    history : DataFrame
        An estimator's ``history_``.
    best_epoch : int or None, default=None
        The epoch whose parameters the estimator has, if it is not the last one.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses.
    score_ax_ : matplotlib Axes or None
        The axes of the score, on the right; None where there is no score.
    figure_ : matplotlib Figure
        The figure.
    lines_ : dict of str to matplotlib Artist
        The curves, by their columns.
    best_line_ : matplotlib Artist or None
        The best epoch.

    See Also
    --------
    sknn.inspection.ActivationDisplay : Dead and saturated units of each layer.
    sknn.model_selection.LearningRateDisplay : The score over the learning rate.
    sklearn.model_selection.LearningCurveDisplay : Scores over the number of samples.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import LossCurveDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> net = MLPClassifier(
    ...     (10,), early_stopping=True, max_iter=500, random_state=0
    ... )
    >>> display = LossCurveDisplay.from_estimator(net.fit(scale(X), y))
    >>> sorted(display.lines_)
    ['loss', 'val_loss', 'val_score']
    """

    ax_: Axes
    score_ax_: Axes | Any
    figure_: Figure
    lines_: dict[str, Line2D]
    best_line_: Line2D | Any

    def __init__(self, *, history: pd.DataFrame, best_epoch: int | None = None) -> None:
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None, **kwargs: Any) -> Self:
        """Draw how a fitted estimator was trained.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, Pipeline or search
            Fitted; a Pipeline, or what a search has found, must end with one of the former.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : LossCurveDisplay
        """
        network, _ = network_of(estimator, cls.__name__)
        history, best = network.history_, None
        if network.best_validation_score_ is not None and history["val_score"].notna().any():
            best = int(history["val_score"].idxmax())
        return cls(history=history, best_epoch=best).plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        log_scale: bool = False,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        log_scale : bool, default=False
            Whether losses are drawn on a logarithmic scale.
        line_kw : dict, default=None
            Options for all curves.

        Returns
        -------
        display : LossCurveDisplay
            Itself, with the attributes of what is drawn.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots()
        self.ax_, self.figure_, self.score_ax_ = ax, cast("Figure", ax.figure), None
        self.lines_ = {}
        options = line_kw or {}
        self._draw(ax, "loss", "training loss", {"color": "C0", **options})
        if self.history["val_loss"].notna().any():
            self._draw(ax, "val_loss", "validation loss", {"color": "C1", **options})
        if self.history["val_score"].notna().any():
            self.score_ax_ = ax.twinx()
            style = {"color": "C2", "linestyle": "--", **options}
            self._draw(self.score_ax_, "val_score", "validation score", style)
            self.score_ax_.set_ylabel("Validation score")
        self.best_line_ = None
        if self.best_epoch is not None:
            label = f"best: epoch {self.best_epoch}"
            self.best_line_ = ax.axvline(self.best_epoch, color="black", linestyle=":", label=label)
        ax.set(xlabel="Epoch", ylabel="Loss", yscale="log" if log_scale else "linear")
        handles = [*self.lines_.values(), *([self.best_line_] if self.best_line_ else [])]
        ax.legend(handles=handles, loc="center right")
        return self

    def _draw(self, ax: Any, column: str, label: str, options: dict[str, Any]) -> None:
        values = self.history[column].replace([np.inf, -np.inf], np.nan)
        (self.lines_[column],) = ax.plot(self.history.index, values, label=label, **options)
