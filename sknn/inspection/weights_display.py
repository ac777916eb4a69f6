"""The weights of the inputs as images, one for each unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sknn._math import Array
from sknn.inspection.drawing import check_count, first_weights, network_of, output_names, shorten

if TYPE_CHECKING:
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class WeightsDisplay:
    """What the units of the first layer look for: their weights, as images.

    All images have one scale of colours, in which 0 is white. The units with the largest weights
    come first. Make it with :meth:`from_estimator`; all parameters are stored as attributes.

    Parameters
    ----------
    weights : ndarray of shape (n_features, n_units)
        The weights of the first layer.
    shape : tuple of int
        Height and width of the images.
    unit_names : sequence of str
        The names of the units.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes that have an image, row by row.
    figure_ : matplotlib Figure
        The figure.
    units_ : ndarray of int
        The numbers of the units that are drawn, the one with the largest norm first.
    images_ : list of matplotlib AxesImage
        The images, in the order of `units_`.
    colorbar_ : matplotlib Colorbar
        The scale of the colours.

    See Also
    --------
    sknn.inspection.NetworkDisplay : All weights of a small network, as lines.
    sknn.inspection.AttributionDisplay : What each input has done for an answer.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import MLPClassifier
    >>> from sknn.inspection import WeightsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> net = MLPClassifier((20,), tol=0.1, random_state=0).fit(X / 16, y)
    >>> display = WeightsDisplay.from_estimator(net)
    >>> display.images_[0].get_array().shape
    (8, 8)
    """

    axes_: Array
    figure_: Figure
    units_: Array
    images_: list[AxesImage]
    colorbar_: Colorbar

    def __init__(
        self, *, weights: Array, shape: tuple[int, int], unit_names: Sequence[str]
    ) -> None:
        self.weights = weights
        self.shape = shape
        self.unit_names = unit_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        shape: tuple[int, int] | None = None,
        n_units: int = 16,
        axes: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Draw the first weights of a fitted estimator.

        Parameters
        ----------
        estimator : MLPClassifier, MLPRegressor, Pipeline or search
            Fitted; a Pipeline, or a search's best estimator, must end with one of the first two.
        shape : tuple of int, default=None
            Height and width of the images, whose product is the number of features. None is a
            square.
        n_units : int, default=16
            How many units are drawn at most; at least 1.
        axes : array-like of matplotlib Axes, default=None
            Where to draw, one for each unit; None makes a new figure.
        **kwargs
            Passed to :meth:`plot`.

        Returns
        -------
        display : WeightsDisplay

        Raises
        ------
        TypeError
            If the estimator is of another kind.
        NotFittedError
            If it is not fitted.
        ValueError
            If the features do not fill an image of this shape, if something stands in front of the
            first linear layer, or if `n_units` is not valid.
        """
        network, _ = network_of(estimator, cls.__name__)
        weights = first_weights(network)
        is_hidden = len(network.coefs_) > 1
        names = [f"unit {u}" for u in range(weights.shape[1])]
        display = cls(
            weights=weights,
            shape=_check_shape(shape, len(weights)),
            unit_names=names if is_hidden else output_names(network),
        )
        return display.plot(axes, n_units=n_units, **kwargs)

    def plot(
        self, axes: Any = None, *, n_units: int = 16, image_kw: dict[str, Any] | None = None
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        axes : array-like of matplotlib Axes, default=None
            Where to draw, one for each unit; None makes a new figure.
        n_units : int, default=16
            How many units are drawn at most; at least 1.
        image_kw : dict, default=None
            Options for all images, such as ``cmap``.

        Returns
        -------
        display : WeightsDisplay
            Itself, with the attributes of what is drawn.
        """
        check_count("n_units", n_units)
        norms = np.linalg.norm(self.weights, axis=0)
        self.units_ = np.argsort(-norms, kind="stable")[: int(n_units)]
        n = len(self.units_)
        places = np.ravel(_new_axes(n, self.shape) if axes is None else axes)
        if len(places) < n:
            raise ValueError(
                f"axes has {len(places)} Axes for {n} units: set n_units, or add some."
            )
        self.axes_, self.figure_ = places[:n], places[0].figure
        shown = self.weights[:, self.units_]
        limit = float(np.abs(shown).max()) or 1.0
        style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, **(image_kw or {})}
        self.images_ = []
        for ax, unit, weights in zip(self.axes_, self.units_, shown.T, strict=True):
            self.images_.append(ax.imshow(weights.reshape(self.shape), **style))
            ax.set(xticks=[], yticks=[])
            ax.set_title(shorten(self.unit_names[unit], 16), fontsize="small")
        self.colorbar_ = self.figure_.colorbar(
            self.images_[0], ax=list(self.axes_), label="Weight", shrink=0.8
        )
        return self


def _check_shape(shape: Any, n_features: int) -> tuple[int, int]:
    if shape is None:
        side = math.isqrt(n_features)
        if side**2 == n_features:
            return side, side
        raise ValueError(
            f"{n_features} features are no square: set shape to the height and width of the images."
        )
    if len(shape) != 2 or math.prod(shape) != n_features or min(shape) < 1:
        raise ValueError(
            f"shape={shape!r} must be a height and a width whose product is {n_features}, the "
            "number of features."
        )
    return int(shape[0]), int(shape[1])


def _new_axes(n: int, shape: tuple[int, int]) -> Array:
    """Return so many Axes of a new figure, in a grid that images of this shape fill well."""
    import matplotlib.pyplot as plt

    height, width = shape
    n_columns = min(n, math.ceil(math.sqrt(n * height / width)))
    n_rows = math.ceil(n / n_columns)
    _, axes = plt.subplots(n_rows, n_columns, squeeze=False, layout="constrained")
    places = axes.ravel()
    for ax in places[n:]:
        ax.remove()
    return np.asarray(places[:n])
