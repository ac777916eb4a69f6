"""The neurons and weights of a small network, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from sknn._math import Array
from sknn.inspection.drawing import (
    NEGATIVE,
    POSITIVE,
    check_count,
    first_weights,
    input_names,
    network_of,
    output_names,
    shorten,
)
from sknn.layers import ActivationLayer, Dropout, Linear, ScaledLinear

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text

WIDEST = 3.0
"""The width in points of the line of the largest weight."""

LARGEST = 18.0
"""The diameter in points of circles that have room enough."""

PLAIN = (ActivationLayer, Dropout, Linear, ScaledLinear)
"""The layers of networks that weights and neurons say all about."""


class NetworkDisplay:
    """The neurons of a small network as circles, and its weights as lines between them.

    A line is the wider the larger the weight is, and its colour shows the sign. Make it with
    :meth:`from_estimator`; all parameters are stored as attributes.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        The weights of each layer.
    feature_names : sequence of str
        The names of the inputs.
    output_names : sequence of str
        The names of the outputs.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    shown_ : list of ndarray of int
        For each layer, inputs and outputs included, the numbers of the units that are drawn.
    circles_ : list of matplotlib PathCollection
        The units of each layer, from top to bottom.
    lines_ : list of matplotlib LineCollection
        The weights between each two layers, the largest last.
    names_ : list of list of matplotlib Text
        The names of the inputs, and those of the outputs.
    titles_ : list of matplotlib Text
        How many units each layer has.
    dots_ : list of matplotlib Text
        The "…" below each layer that has more units than are drawn.
    legend_ : matplotlib Legend
        What the colours stand for.

    See Also
    --------
    sknn.inspection.WeightsDisplay : The weights of the first layer, as images.
    sknn.inspection.ActivationDisplay : Dead and saturated units of each layer.
    sklearn.tree.plot_tree : Draws a decision tree.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import NetworkDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> net = MLPClassifier((5,), solver="lbfgs", max_iter=500, random_state=0)
    >>> net = net.fit(X, y)
    >>> display = NetworkDisplay.from_estimator(net)
    >>> [len(units) for units in display.shown_]
    [4, 5, 3]
    """

    ax_: Axes
    figure_: Figure
    shown_: list[Array]
    circles_: list[PathCollection]
    lines_: list[LineCollection]
    names_: list[list[Text]]
    titles_: list[Text]
    dots_: list[Text]
    legend_: Legend

    def __init__(
        self, *, coefs: list[Array], feature_names: Sequence[str], output_names: Sequence[str]
    ) -> None:
        self.coefs = coefs
        self.feature_names = feature_names
        self.output_names = output_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Axes | None = None,
        max_units: int = 10,
        feature_names: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the network of a fitted estimator.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, Pipeline or search
            Fitted; a Pipeline, or a search's best estimator, must end with one of the first two.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        max_units : int, default=10
            Of layers with more units those with the largest weights are drawn; at least 1.
        feature_names : sequence of str of length n_features, default=None
            The names of the network's inputs. None takes those that X had, or that the steps of a
            Pipeline give.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : NetworkDisplay

        Raises
        ------
        TypeError
            If the estimator is of another kind.
        NotFittedError
            If it is not fitted.
        ValueError
            If the network has layers that such a picture does not show, or if `max_units` or
            `feature_names` is not valid.
        """
        network, before = network_of(estimator, cls.__name__)
        coefs = [first_weights(network), *network.coefs_[1:]]
        layers = network._trained().network.layers
        others = {type(layer).__name__ for layer in layers if not isinstance(layer, PLAIN)}
        if others:
            raise ValueError(
                f"{cls.__name__} draws plain linear layers, one after the other; this network also "
                f"has {', '.join(sorted(others))}."
            )
        names = input_names(network, before) if feature_names is None else list(feature_names)
        if len(names) != len(coefs[0]):
            raise ValueError(
                f"feature_names has {len(names)} names; the network has {len(coefs[0])} inputs."
            )
        display = cls(coefs=coefs, feature_names=names, output_names=output_names(network))
        return display.plot(ax, max_units=max_units, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        max_units: int = 10,
        line_kw: dict[str, Any] | None = None,
        circle_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        max_units : int, default=10
            Of layers with more units those with the largest weights are drawn; at least 1.
        line_kw, circle_kw : dict, default=None
            Options for the lines between all layers, and for the circles.

        Returns
        -------
        display : NetworkDisplay
            Itself, with the attributes of what is drawn.
        """
        import matplotlib.pyplot as plt

        check_count("max_units", max_units)
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, cast("Figure", ax.figure)
        self.shown_ = self._choose_units(int(max_units))
        sizes = [len(self.coefs[0]), *(coef.shape[1] for coef in self.coefs)]
        n_places = [
            len(shown) + (len(shown) < size) for shown, size in zip(self.shown_, sizes, strict=True)
        ]
        heights = [
            (n - 1) / 2 - np.arange(len(shown))
            for shown, n in zip(self.shown_, n_places, strict=True)
        ]
        half = max(n_places) / 2
        ax.set(xlim=(-0.1, len(sizes) - 0.9), ylim=(-half, half))
        ax.set_axis_off()
        self._draw_lines(heights, line_kw or {})
        room = ax.get_window_extent().height * 72 / ax.figure.dpi / max(n_places)  # in points
        diameter = min(LARGEST, 0.6 * room)
        self._draw_circles(heights, {"s": diameter**2, **(circle_kw or {})})
        self._write_names(heights, diameter / 2 + 4, fontsize=min(10.0, 0.8 * room))
        self._write_sizes(sizes, n_places)
        return self

    def _choose_units(self, max_units: int) -> list[Array]:
        """Return the units with the largest weights of each layer, in their order."""
        into = [np.zeros(len(self.coefs[0])), *((coef**2).sum(axis=0) for coef in self.coefs)]
        out = [*((coef**2).sum(axis=1) for coef in self.coefs), np.zeros_like(into[-1])]
        sums = [i + o for i, o in zip(into, out, strict=True)]
        return [np.sort(np.argsort(-total, kind="stable")[:max_units]) for total in sums]

    def _draw_lines(self, heights: list[Array], options: dict[str, Any]) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.lines import Line2D

        coefs = [
            coef[np.ix_(*units)]
            for coef, units in zip(self.coefs, pairwise(self.shown_), strict=True)
        ]
        largest = max(float(np.abs(coef).max()) for coef in coefs) or 1.0
        self.lines_ = []
        for x, coef in enumerate(coefs):
            # Large weights come last, above the others.
            order = np.argsort(np.abs(coef), axis=None, kind="stable")
            left, right = np.unravel_index(order, coef.shape)
            ends = [np.full(coef.size, x), heights[x][left]]
            ends += [np.full(coef.size, x + 1), heights[x + 1][right]]
            weights = coef[left, right]
            style = {
                "linewidths": WIDEST * np.abs(weights) / largest,
                "colors": np.where(weights < 0, NEGATIVE, POSITIVE),
                "zorder": 1,
            }
            segments = list(np.stack(ends, axis=1).reshape(-1, 2, 2))
            lines = LineCollection(segments, **(style | options))
            self.ax_.add_collection(lines, autolim=False)
            self.lines_.append(lines)
        pairs = (POSITIVE, "positive weight"), (NEGATIVE, "negative weight")
        handles = [Line2D([], [], color=color, label=label) for color, label in pairs]
        place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, 0.0), "ncols": 2}
        self.legend_ = self.ax_.legend(handles=handles, frameon=False, **place)

    def _draw_circles(self, heights: list[Array], options: dict[str, Any]) -> None:
        style = {"facecolors": "white", "edgecolors": "black", "zorder": 2, **options}
        self.circles_ = [
            self.ax_.scatter(np.full(len(y), x), y, **style) for x, y in enumerate(heights)
        ]

    def _write_names(self, heights: list[Array], distance: float, fontsize: float) -> None:
        """Write the names of inputs and outputs beside their circles, so many points away."""
        sides = [
            (0, -distance, "right", self.feature_names),
            (len(heights) - 1, distance, "left", self.output_names),
        ]
        self.names_ = [
            [
                self.ax_.annotate(
                    shorten(names[unit], 24),
                    (x, y),
                    xytext=(shift, 0),
                    textcoords="offset points",
                    ha=side,
                    va="center",
                    fontsize=fontsize,
                )
                for unit, y in zip(self.shown_[x], heights[x], strict=True)
            ]
            for x, shift, side, names in sides
        ]

    def _write_sizes(self, sizes: list[int], n_places: list[int]) -> None:
        """Write how many units each layer has, and dots where not all are drawn."""
        kinds = ["input", *["unit"] * (len(sizes) - 2), "output"]
        above = self.ax_.get_xaxis_transform()
        self.titles_, self.dots_ = [], []
        for x, (size, kind, n) in enumerate(zip(sizes, kinds, n_places, strict=True)):
            text = f"{size} {kind}{'s' if size > 1 else ''}"
            title = self.ax_.text(x, 1.02, text, transform=above, ha="center", va="bottom")
            self.titles_.append(title)
            if len(self.shown_[x]) < size:
                y = -(n - 1) / 2
                dots = self.ax_.text(x, y, "…", rotation=90, ha="center", va="center", size="large")
                self.dots_.append(dots)
