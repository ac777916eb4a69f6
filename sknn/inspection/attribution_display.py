"""How much each column has moved the answers of a model, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast, get_args

import numpy as np

from sknn._math import Array, spread_rows
from sknn.inspection.attributions import Attributions
from sknn.inspection.drawing import NEGATIVE, POSITIVE, check_count, other_columns, shorten
from sknn.inspection.integrated import integrated_gradients
from sknn.inspection.models import model_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation

DIAMETER = 4.0
"""How large points are, in points of the figure."""

N_LEVELS = 1000
"""At most so many points lie above and below each other; more share their places."""

HALF_HEIGHT = 0.4
"""How far from the middle of their line points may lie; the next line is 1 away."""

Kind: TypeAlias = Literal["beeswarm", "bar", "row"]

KINDS = get_args(Kind)
"""What may be drawn."""

MAX_ROWS = 2000
"""So many rows are drawn as points at most, evenly spread over their order."""


class AttributionDisplay:
    """Attributions: how much each column has moved the answers to some rows.

    Make it with :meth:`from_estimator` or :meth:`from_attributions`; all parameters are stored as
    attributes.

    Parameters
    ----------
    attributions : Attributions
        As :func:`integrated_gradients` returns them.
    target : object, default=None
        Which of several outputs; None if there is but one.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    figure_ : matplotlib Figure
        The figure.
    columns_ : ndarray of int
        The columns that have a line of their own, the one that matters most first.
    bars_ : matplotlib BarContainer or None
        The bars, from top to bottom; None in a beeswarm.
    bar_labels_ : list of matplotlib Text or None
        The numbers at their ends.
    points_ : list of matplotlib PathCollection or None
        The points of each line of a beeswarm, row by row; None elsewhere.
    colorbar_ : matplotlib Colorbar or None
        What the colours of a beeswarm stand for; None where no column has numbers.
    zero_line_ : matplotlib Artist
        Where a column has moved nothing.

    See Also
    --------
    sknn.inspection.integrated_gradients : Computes what is drawn.
    sknn.inspection.explain_row : The same for one row, in words.
    sklearn.inspection.PartialDependenceDisplay : Draws mean answers over a column's values.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sknn import MLPRegressor
    >>> from sknn.inspection import AttributionDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> net = MLPRegressor((), solver="lbfgs", max_iter=1000, random_state=0)
    >>> net = net.fit(X, y)
    >>> display = AttributionDisplay.from_estimator(
    ...     net, X, kind="bar", max_features=3
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['s1', 's5', 'bmi', '7 other columns']
    """

    ax_: Axes
    figure_: Figure
    columns_: Array
    bars_: BarContainer | Any
    bar_labels_: list[Annotation] | Any
    points_: list[PathCollection] | Any
    colorbar_: Colorbar | Any
    zero_line_: Line2D

    def __init__(self, *, attributions: Attributions, target: Any = None) -> None:
        self.attributions = attributions
        self.target = target

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        kind: Kind = "beeswarm",
        ax: Axes | None = None,
        row: int = 0,
        max_features: int = 10,
        target: Any = None,
        bar_kw: dict[str, Any] | None = None,
        scatter_kw: dict[str, Any] | None = None,
        **options: Any,
    ) -> Self:
        """Draw the attributions of a fitted estimator's answers.

        Parameters
        ----------
        estimator : object
            A fitted estimator of this package, or one of scikit-learn's around some, as for
            :func:`integrated_gradients`.
        X : DataFrame, array-like or sparse matrix of shape (n_samples, n_features)
            The rows that are explained.
        kind : {"beeswarm", "bar", "row"}, default="beeswarm"
            What is drawn, see :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        row : int, default=0
            Which row "row" draws.
        max_features : int, default=10
            So many columns have a line of their own.
        target : object, default=None
            Which output: a class, or the number of a regressor's output. None if there is but one;
            of two classes it is the second.
        bar_kw : dict, default=None
            Options for all bars.
        scatter_kw : dict, default=None
            Options for the points of all lines.
        **options : dict
            Passed to :func:`integrated_gradients`.

        Returns
        -------
        display : AttributionDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is of another kind.
        NotFittedError
            If it is not fitted.
        ValueError
            If there are several outputs and no target, or if something is not valid.
        """
        model = model_of(estimator, options.get("output", "raw"))
        if target is None and model.answer.n_outputs > 1:  # said before anything is computed
            raise _no_target(model.classes or list(range(model.answer.n_outputs)))
        found = integrated_gradients(estimator, X, target=target, **options)
        display = cls(attributions=found, target=None if target is None else found.target_names[0])
        style = {"bar_kw": bar_kw, "scatter_kw": scatter_kw}
        return display.plot(ax, kind=kind, row=row, max_features=max_features, **style)

    @classmethod
    def from_attributions(
        cls,
        attributions: Attributions,
        *,
        kind: Kind = "beeswarm",
        ax: Axes | None = None,
        target: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw attributions.

        Parameters
        ----------
        attributions : Attributions
            As :func:`integrated_gradients` returns them.
        kind : {"beeswarm", "bar", "row"}, default="beeswarm"
            What is drawn, see :meth:`plot`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        target : object, default=None
            Which of several outputs, one of their ``target_names``; None if there is but one.
        **kwargs : dict
            Passed to :meth:`plot`.

        Returns
        -------
        display : AttributionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are several outputs and no target, or if something is not valid.
        """
        return cls(attributions=attributions, target=target).plot(ax, kind=kind, **kwargs)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: Kind = "beeswarm",
        row: int = 0,
        max_features: int = 10,
        bar_kw: dict[str, Any] | None = None,
        scatter_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        kind : {"beeswarm", "bar", "row"}, default="beeswarm"
            A point for each row and column, whose colour is the column's value: gray for categories
            and gaps, else from the lowest to the highest, by rank. Or a bar for each column: its
            mean absolute attribution, or its attribution in one row.
        row : int, default=0
            Which row "row" draws, in [-n_samples, n_samples).
        max_features : int, default=10
            So many columns have a line of their own, those that matter most; at least 1. The others
            are summed.
        bar_kw, scatter_kw : dict, default=None
            Options for all bars, and for the points of all lines.

        Returns
        -------
        display : AttributionDisplay
            Itself, with the attributes of what is drawn.
        """
        import matplotlib.pyplot as plt

        found = self._chosen()
        _check(found, kind, row, max_features)
        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, cast("Figure", ax.figure)
        self.bars_, self.bar_labels_, self.points_, self.colorbar_ = None, None, None, None
        self.zero_line_ = ax.axvline(0, color="gray", linewidth=0.8, zorder=0)
        sizes = np.abs(found.values[[row]] if kind == "row" else found.values).mean(axis=0)
        self.columns_ = np.argsort(-sizes, kind="stable")[:max_features]
        match kind:
            case "row":
                self._draw_row(found, row, bar_kw or {})
            case "bar":
                self._draw_means(found, bar_kw or {})
            case _:
                self._draw_points(found, scatter_kw or {})
        return self

    def _chosen(self) -> Attributions:
        """Return the attributions to the one output that is drawn."""
        found = self.attributions
        if self.target is None and found.values.ndim == 3:
            raise _no_target(found.target_names)
        return found if self.target is None else found.of(self.target)

    def _draw_row(self, found: Attributions, row: int, options: dict[str, Any]) -> None:
        lengths = self._with_others(found.values[row])
        style = {"color": np.where(lengths < 0, NEGATIVE, POSITIVE).tolist(), **options}
        self._draw_bars(lengths, "%+.3g", style)
        cells = [_column(found.data, j).iloc[row] for j in self.columns_]
        pairs = zip(self._names(found), cells, strict=True)
        self._label_lines(found, [f"{name} = {_as_text(cell)}" for name, cell in pairs])
        answer, base = float(found.predictions[row]), float(found.base_values[row])
        self.ax_.set_title(f"Row {row % len(found)}: answer {answer:.4g}, base value {base:.4g}")
        self.ax_.set_xlabel(self._quantity("Attribution", found))

    def _draw_means(self, found: Attributions, options: dict[str, Any]) -> None:
        lengths = self._with_others(np.abs(found.values).mean(axis=0))
        self._draw_bars(lengths, "%.3g", {"color": "C0", **options})
        self._label_lines(found, self._names(found))
        self.ax_.set_xlabel(self._quantity("Mean absolute attribution", found))

    def _draw_bars(self, lengths: Array, number: str, style: dict[str, Any]) -> None:
        self.bars_ = self.ax_.barh(range(len(lengths)), lengths, **style)
        self.bar_labels_ = self.ax_.bar_label(self.bars_, fmt=number, padding=3, fontsize="small")
        low, high = _range_with_zero(lengths)
        room = 0.2 * (high - low)  # for the numbers
        self.ax_.set_xlim(low - room * (low < 0), high + room * (high > 0))

    def _draw_points(self, found: Attributions, options: dict[str, Any]) -> None:
        from matplotlib import colormaps

        found = found[spread_rows(len(found), MAX_ROWS)]
        values = self._with_others(found.values)
        colors = np.full(values.shape, np.nan)
        for line, j in enumerate(self.columns_):
            colors[:, line] = _ranks(_column(found.data, j))
        cmap = colormaps["coolwarm"].with_extremes(bad="gray")
        style: dict[str, Any] = {"cmap": cmap, "s": DIAMETER**2, "linewidths": 0, **options}
        self._label_lines(found, self._names(found))
        self.ax_.set_xlabel(self._quantity("Attribution", found))
        low, high = _range_with_zero(values)
        self.ax_.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        if not np.isnan(colors).all():
            self._draw_colorbar(style["cmap"])
        width, height = self._size_of_points(float(np.sqrt(np.max(style["s"]))))
        self.points_ = []
        for y, (x, color) in enumerate(zip(values.T, colors.T, strict=True)):
            heights = y + swarm(x, width, height)
            scale = {"c": color, "vmin": 0, "vmax": 1, "plotnonfinite": True}
            self.points_.append(self.ax_.scatter(x, heights, **scale, **style))

    def _draw_colorbar(self, cmap: Any) -> None:
        from matplotlib.cm import ScalarMappable

        place: dict[str, Any] = {"ax": self.ax_, "ticks": [0, 1], "aspect": 40}
        self.colorbar_ = self.figure_.colorbar(ScalarMappable(cmap=cmap), **place)
        self.colorbar_.ax.set_yticklabels(["low", "high"])
        self.colorbar_.set_label("Value of the column", labelpad=-15)  # between the two

    def _size_of_points(self, diameter: float) -> tuple[float, float]:
        """Return how wide and high points of so many points are on the axes."""
        # Only once everything else has found its place the axes have their size.
        self.figure_.canvas.figure.draw_without_rendering()
        extent = self.ax_.get_window_extent()
        pixels = diameter * self.figure_.dpi / 72
        width, height = np.ptp(self.ax_.get_xlim()), np.ptp(self.ax_.get_ylim())
        return pixels * width / extent.width, pixels * height / extent.height

    def _with_others(self, numbers: Array) -> Array:
        """Return numbers of the shown columns, and the sum of the others if there are any."""
        others = np.delete(numbers, self.columns_, axis=-1)
        shown = [numbers[..., self.columns_]]
        if others.shape[-1]:
            shown.append(others.sum(axis=-1, keepdims=True))
        return np.concatenate(shown, axis=-1)

    def _label_lines(self, found: Attributions, labels: list[str]) -> None:
        n_others = len(found.feature_names) - len(labels)
        if n_others:
            labels = [*labels, other_columns(n_others)]
        self.ax_.set_yticks(range(len(labels)), labels)
        self.ax_.set_ylim(len(labels) - 0.5, -0.5)  # the first one on top
        self.ax_.locator_params(axis="x", nbins=6)

    def _names(self, found: Attributions) -> list[str]:
        return [shorten(found.feature_names[j], 24) for j in self.columns_]

    def _quantity(self, text: str, found: Attributions) -> str:
        """Return what is drawn, with the output where it is chosen or a class."""
        [name] = found.target_names
        return f"{text} to output {name}" if self.target is not None or name != 0 else text


def swarm(x: Array, width: float, height: float) -> Array:
    """Return how far points are moved up or down so that they do not cover each other.

    Where there are too many of them for their line, they come closer until they do.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Where they lie.
    width, height : float
        How large they are.
    """
    cells = np.floor((x - x.min()) / width).astype(int) + 1
    # On each level, 0, 1, -1, 2, -2 ..., a cell has room for one point.
    taken = np.full((min(len(x), N_LEVELS), cells.max() + 2), np.nan)
    levels, n_used = np.empty(len(x), int), 0
    for i in np.random.default_rng(0).permutation(len(x)):  # in the order of x they would lean
        around = taken[:n_used, cells[i] - 1 : cells[i] + 2]
        is_covered = (np.abs(around - x[i]) < width).any(axis=1)
        if is_covered.all() and n_used < len(taken):
            levels[i], n_used = n_used, n_used + 1
        else:
            levels[i] = np.argmin(is_covered)
        taken[levels[i], cells[i]] = x[i]
    signed = (levels + 1) // 2 * np.where(levels % 2, 1, -1)
    return signed * min(height, HALF_HEIGHT / max(1, int(np.abs(signed).max())))


def _check(found: Attributions, kind: str, row: int, max_features: int) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {list(KINDS)}; got {kind!r}.")
    check_count("max_features", max_features)
    n = len(found)
    if kind == "row" and (not isinstance(row, (int, np.integer)) or not -n <= row < n):
        raise ValueError(f"row must be an int in [{-n}, {n - 1}]; got {row!r}.")


def _no_target(names: list[Any]) -> ValueError:
    return ValueError(
        f"There are attributions to {len(names)} outputs: set target to one of {names}."
    )


def _range_with_zero(numbers: Array) -> tuple[float, float]:
    """Return the smallest and the largest number, 0 included; not both 0."""
    low, high = min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)
    return (low, high) if low < high else (-1.0, 1.0)


def _column(data: Any, j: int) -> pd.Series:
    import pandas as pd

    if hasattr(data, "iloc"):
        return data.iloc[:, j]
    column = data[data.columns[j]].to_list() if hasattr(data, "columns") else data[:, j]
    return pd.Series(column).infer_objects()


def _ranks(column: pd.Series) -> Array:
    """Return ranks from 0 to 1, equal ones for equal numbers; NaN for gaps and categories."""
    ranks = np.full(len(column), np.nan)
    if column.dtype.kind not in "biuf":
        return ranks
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    is_known = ~np.isnan(numbers)
    distinct, places = np.unique(numbers[is_known], return_inverse=True)
    ranks[is_known] = places / (len(distinct) - 1) if len(distinct) > 1 else 0.5
    return ranks


def _as_text(cell: Any) -> str:
    import pandas as pd

    if pd.isna(cell):
        return "missing"
    if not isinstance(cell, (float, np.floating)):
        return shorten(cell, 16)
    number = float(cell)
    return f"{number:.4g}" if abs(number) < 1e4 else shorten(f"{number:.0f}", 16)
