"""What hidden units do over a data set, drawn: how many of them are dead or saturated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from sknn._math import Array
from sknn.activations import Activation
from sknn.inspection.drawing import network_of, shorten
from sknn.inspection.transformers import Transform
from sknn.layers import ActivationLayer, Layer, Residual

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Annotation

CONSTANT = 1e-6
"""A unit is dead if it changes by no more than this part of the largest output of its layer."""

FAR = 1000.0
"""Where bounded activations have reached their bounds."""

Bounds = tuple[float, float] | None
"""The values that an activation tends to on both sides, if there are any."""


class ActivationDisplay:
    """Shares of dead and of saturated units in each hidden layer.

    A unit is dead if its output is the same for all rows, such as the 0 of a ReLU that no row
    reaches: it says nothing, and no longer learns. A unit whose activation has bounds is saturated
    if its output is near one of them for nearly all rows: it hardly learns. One may be both. Make
    it with :meth:`from_estimator`; all parameters are stored as attributes.

    Parameters
    ----------
    outputs : list of ndarray of shape (n_samples, n_units)
        What each hidden layer makes of the rows. Of a layer that adds its input, only what it adds.
    bounds : sequence of tuple of float or None
        For each hidden layer the bounds of its activation; None where there are none.
    layer_names : sequence of str
        For each hidden layer what is written below it.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    dead_ : ndarray of shape (n_hidden_layers,)
        The share of dead units.
    saturated_ : ndarray of shape (n_hidden_layers,)
        The share of saturated units; NaN where the activation has no bounds.
    bars_ : dict of str to matplotlib BarContainer
        The bars "dead" and, if an activation has bounds, "saturated".
    bar_labels_ : dict of str to list of matplotlib Text
        The numbers at their ends.
    legend_ : matplotlib Legend
        What the colours stand for.

    See Also
    --------
    sknn.inspection.LossCurveDisplay : Whether training has come to rest.
    sknn.inspection.WeightsDisplay : What units of the first layer look for.
    sknn.activations.LeakyReLU : An activation whose units do not die.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import ActivationDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(
    ...     (8,), "tanh", solver="lbfgs", max_iter=500, random_state=0
    ... )
    >>> display = ActivationDisplay.from_estimator(net.fit(X, y), X)
    >>> sorted(display.bars_)
    ['dead', 'saturated']
    """

    ax_: Axes
    figure_: Figure
    dead_: Array
    saturated_: Array
    bars_: dict[str, BarContainer]
    bar_labels_: dict[str, list[Annotation]]
    legend_: Legend

    def __init__(
        self, *, outputs: list[Array], bounds: Sequence[Bounds], layer_names: Sequence[str]
    ) -> None:
        self.outputs = outputs
        self.bounds = bounds
        self.layer_names = layer_names

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, ax: Axes | None = None, **kwargs: Any
    ) -> Self:
        """Draw what the hidden units of a fitted estimator do over some rows.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, Pipeline or search
            Fitted; a Pipeline, or a search's best estimator, must end with one of the first two.
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            The rows, at least 2, as the estimator takes them.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : ActivationDisplay

        Raises
        ------
        TypeError
            If the estimator is of another kind.
        NotFittedError
            If it is not fitted.
        ValueError
            If X is not valid, or if the network has no hidden layer.
        """
        network, before = network_of(estimator, cls.__name__)
        rows = Transform(before)(X)
        layers = _hidden_layers(network)
        if not layers:
            raise ValueError(f"{cls.__name__} draws hidden layers; the network has none.")
        outputs = [network.hidden_layer_outputs(rows, i) for i in range(len(layers))]
        if len(outputs[0]) < 2:
            raise ValueError("X must have at least 2 rows: units are looked at over several.")
        activations = [_activation_of(layer) for layer in layers]
        bounds = [None if found is None else bounds_of(found) for found in activations]
        if isinstance(layers[0][0], Residual):  # only its input, which is no layer's, would tell
            bounds[0] = None
        names = [
            f"{i}\n{output.shape[1]} units\n{_name_of(activation)}"
            for i, (output, activation) in enumerate(zip(outputs, activations, strict=True))
        ]
        display = cls(outputs=_own_parts(outputs, layers), bounds=bounds, layer_names=names)
        return display.plot(ax, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        margin: float = 0.01,
        share: float = 0.95,
        bar_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        margin : float, default=0.01
            Outputs are near a bound if they are away from it by no more than this part of the
            distance between the bounds; in [0, 0.5).
        share : float, default=0.95
            A unit is saturated if more than this share of its outputs are near a bound; in [0, 1).
        bar_kw : dict, default=None
            Options for all bars.

        Returns
        -------
        display : ActivationDisplay
            Itself, with the attributes of what is drawn.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import PercentFormatter

        _check_range("margin", margin, 0.5)
        _check_range("share", share, 1.0)
        pairs = list(zip(self.outputs, self.bounds, strict=True))
        self.dead_ = np.array([_share_of_dead(output) for output in self.outputs])
        self.saturated_ = np.array([_share_of_saturated(*pair, margin, share) for pair in pairs])
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, cast("Figure", ax.figure)
        bars = {"dead": self.dead_}
        if not np.isnan(self.saturated_).all():
            bars["saturated"] = self.saturated_
        self._draw_bars(bars, bar_kw or {})
        ax.set_xticks(range(len(pairs)), self.layer_names, fontsize="small")
        ax.set(xlabel="Hidden layer", ylabel="Share of units", ylim=(0, 1.08))
        ax.set(xlim=(-0.6, len(pairs) - 0.4), yticks=np.linspace(0, 1, 6))
        ax.yaxis.set_major_formatter(PercentFormatter(1))
        return self

    def _draw_bars(self, shares: dict[str, Array], options: dict[str, Any]) -> None:
        self.bars_, self.bar_labels_ = {}, {}
        width = 0.7 / len(shares)
        colors = {"dead": "C7", "saturated": "C1"}
        for k, (name, heights) in enumerate(shares.items()):
            there = np.flatnonzero(~np.isnan(heights))
            places = there + (k - (len(shares) - 1) / 2) * width
            style = {"width": 0.9 * width, "color": colors[name], "label": name, **options}
            bars = self.bars_[name] = self.ax_.bar(places, heights[there], **style)
            texts = [f"{height:.0%}" for height in heights[there]]
            self.bar_labels_[name] = self.ax_.bar_label(bars, texts, padding=2, fontsize="small")
        place: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": 2}
        self.legend_ = self.ax_.legend(frameon=False, **place)


def bounds_of(activation: Activation) -> Bounds:
    """Return the values that an activation tends to far below and far above 0, if they differ."""
    z = np.array([-FAR, -FAR / 2, FAR / 2, FAR])
    with np.errstate(all="ignore"):  # a user's own function may overflow so far out
        activation.apply(z)
        low, nearer_low, nearer_high, high = z.tolist()
        is_bounded = np.allclose([low, high], [nearer_low, nearer_high], rtol=1e-6, atol=1e-9)
    return (min(low, high), max(low, high)) if is_bounded and low != high else None


def _hidden_layers(network: Any) -> list[list[Layer]]:
    """Return for each hidden layer what it consists of."""
    groups: list[list[Layer]] = []
    for layer in network._trained().network.layers:
        if layer.begins_hidden_layer:
            groups.append([])
        if groups:  # else it stands in front
            groups[-1].append(layer)
    return groups[:-1]


def _own_parts(outputs: list[Array], layers: list[list[Layer]]) -> list[Array]:
    """Return what each hidden layer makes itself: of a residual one what it adds to its input."""
    parts = [outputs[0]]
    for (incoming, output), layer in zip(pairwise(outputs), layers[1:], strict=True):
        parts.append(output - incoming if isinstance(layer[0], Residual) else output)
    return parts


def _activation_of(layers: Sequence[Layer]) -> Activation | None:
    """Return the activation of a hidden layer; None if it is the identity."""
    parts = layers[0].layers if isinstance(layers[0], Residual) else layers
    return next((part.activation for part in parts if isinstance(part, ActivationLayer)), None)


def _name_of(activation: Activation | None) -> str:
    function = getattr(activation, "function", activation)  # a user's own, if there is one
    return "Identity" if function is None else shorten(type(function).__name__, 14)


def _share_of_dead(outputs: Array) -> float:
    changes = outputs.max(axis=0) - outputs.min(axis=0)
    return float(np.mean(changes <= CONSTANT * np.abs(outputs).max()))


def _share_of_saturated(outputs: Array, bounds: Bounds, margin: float, share: float) -> float:
    if bounds is None:
        return np.nan
    low, high = bounds
    distance = margin * (high - low)
    is_near = (outputs <= low + distance) | (outputs >= high - distance)
    return float(np.mean(is_near.mean(axis=0) > share))


def _check_range(name: str, value: float, end: float) -> None:
    if not 0 <= value < end:
        raise ValueError(f"{name} must be in [0, {end:g}); got {value!r}.")
