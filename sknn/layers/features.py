"""Features of single inputs that bend the input axis for the layers behind."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array, Call
from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.operations import FUNCTION, SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, statistic


class Features(Layer):
    """Layers that make several features of each input; their parameters are not trained.

    Subclasses say what the features of a batch are. Those of an input lie together.
    """

    @property
    @abstractmethod
    def n_per_input(self) -> int:
        """The number of features that are made of an input."""

    @abstractmethod
    def features(self, x: Array, parameters: Any, out: Array, slope: Array | None) -> None:
        """Write the features and, if it is wanted, their derivatives.

        Parameters
        ----------
        x : ndarray of shape (..., n_samples, n_in, 1)
            The inputs.
        parameters : dict of ndarray of shape (..., 1, n_in, n_per_input)
            What the layer keeps.
        out : ndarray of shape (..., n_samples, n_in, n_per_input)
            Where the features will be.
        slope : ndarray of shape (..., n_samples, n_in, n_per_input) or None
            Where the derivatives will be; None if they are not wanted.
        """

    def n_out(self, n_in: int) -> int:
        return n_in * self.n_per_input

    def bind(self, site: Site) -> BoundLayer:
        x = site.x
        shape = (*x.shape, self.n_per_input)
        out = np.empty(shape, x.dtype)
        slope = np.empty_like(out) if site.wants_input_gradient else None
        arguments = x[..., np.newaxis], self._aligned(site.parameters), out, slope
        flat = out.reshape(*x.shape[:-1], -1)

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            if slope is None:
                return [], None
            by_input = grad.reshape(shape)
            return [
                partial(np.multiply, slope, by_input, slope),
                partial(np.add.reduce, slope, -1, None, x),
            ], x

        return BoundLayer(flat, [partial(self.features, *arguments)], backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        out = np.empty((*x.shape, self.n_per_input), x.dtype)
        self.features(x[..., np.newaxis], self._aligned(parameters), out, None)
        return out.reshape(*x.shape[:-1], -1)

    def _aligned(self, parameters: Any) -> dict[str, Array]:
        """Return parameters with an axis for the samples."""
        return {name: array[..., np.newaxis, :, :] for name, array in parameters.items()}


@LAYERS.register("fourier")
class Fourier(Features):
    r"""Each input and waves of it: :math:`x_j, \cos(2 \pi w_{jk} x_j + b_{jk})`.

    The frequencies are drawn from a normal distribution, the phases evenly, and both stay as they
    are. Waves make a network follow a function that bends often; inputs should be standardised.

    Parameters
    ----------
    n_frequencies : int, default=12
        Waves for each input, at least 1.
    deviation : float, default=0.1
        The standard deviation of the frequencies, positive.

    See Also
    --------
    sknn.layers.PiecewiseLinear : Bins in place of waves.
    sklearn.kernel_approximation.RBFSampler : Waves of all inputs together.

    References
    ----------
    Rahimi, A. and Recht, B., "Random features for large-scale kernel machines", NeurIPS 2007.

    Gorishniy, Y., Rubachev, I. and Babenko, A., "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.layers import Fourier
    >>> X = np.linspace(-2, 2, 200)[:, np.newaxis]
    >>> y = np.sin(8 * X[:, 0])
    >>> waves = Fourier(n_frequencies=20, deviation=1.0)
    >>> net = MLPRegressor((20,), front=waves, solver="lbfgs", random_state=0)
    >>> round(net.fit(X, y).score(X, y), 2)
    1.0
    """

    constraints: ClassVar = {
        "n_frequencies": [Interval(Integral, 1, None)],
        "deviation": [Interval(Real, 0, None, "neither")],
    }

    def __init__(self, n_frequencies: int = 12, deviation: float = 0.1) -> None:
        self.n_frequencies = n_frequencies
        self.deviation = deviation

    @property
    def n_per_input(self) -> int:
        return 1 + self.n_frequencies

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        shape = (n_in, self.n_frequencies)
        return {name: statistic(shape, f"front_.{name}") for name in ("frequency", "phase")}

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        n_waves = n_in * self.n_frequencies
        each = Cost((FUNCTION + 2 * SIMPLE) * n_waves)
        slope = (FUNCTION + 2 * SIMPLE) * n_waves + 2 * SIMPLE * self.n_out(n_in)
        return LayerOperations(forward=each, input_gradient=Cost(slope), prediction=each)

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        shape = parameters["phase"].shape
        parameters["frequency"][...] = 2 * np.pi * rng.normal(0, self.deviation, shape)
        parameters["phase"][...] = rng.uniform(-np.pi, np.pi, shape)

    def features(self, x: Array, parameters: Any, out: Array, slope: Array | None) -> None:
        frequency, waves = parameters["frequency"], out[..., 1:]
        np.copyto(out[..., :1], x)
        np.multiply(x, frequency, waves)
        np.add(waves, parameters["phase"], waves)
        if slope is not None:
            slope[..., 0] = 1
            np.sin(waves, slope[..., 1:])
            np.multiply(slope[..., 1:], frequency, slope[..., 1:])
            np.multiply(slope[..., 1:], -1, slope[..., 1:])
        np.cos(waves, waves)


@LAYERS.register("piecewise_linear")
class PiecewiseLinear(Features):
    r"""For each input how much of each of some bins it has passed.

    .. math:: h_{jt} = 2 \Big( \min\Big(\max\Big(\frac{x_j - e_{jt}}{e_{j,t+1} - e_{jt}}, 0\Big),
        1\Big) - m_{jt} \Big)

    The edges e are quantiles of training rows, the distinct values where there are no more of them;
    m is the mean over these rows. A linear layer behind makes a piecewise linear function of each
    input. Inputs that take one value only, and bins that are left, give 0.

    Parameters
    ----------
    n_bins : int, default=16
        Bins of each input at most, at least 1.

    See Also
    --------
    sknn.layers.Fourier : Waves in place of bins.
    sklearn.preprocessing.KBinsDiscretizer : In which bin a value is.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A., "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import MLPRegressor
    >>> from sknn.layers import PiecewiseLinear
    >>> X = np.linspace(-2, 2, 200)[:, np.newaxis]
    >>> y = np.abs(X[:, 0])
    >>> net = MLPRegressor((), front=PiecewiseLinear(8), solver="lbfgs")
    >>> round(net.fit(X, y).score(X, y), 2)
    1.0
    """

    calibrates = True
    constraints: ClassVar = {"n_bins": [Interval(Integral, 1, None)]}

    def __init__(self, n_bins: int = 16) -> None:
        self.n_bins = n_bins

    @property
    def n_per_input(self) -> int:
        return self.n_bins

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        names = "edge", "steepness", "mean"
        return {name: statistic((n_in, self.n_bins), f"front_.{name}") for name in names}

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        n_bins = self.n_out(n_in)
        each = Cost(6 * SIMPLE * n_bins)
        slope = Cost(5 * SIMPLE * n_bins, SIMPLE * n_bins)
        return LayerOperations(forward=each, input_gradient=slope, prediction=each)

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        parameters["steepness"][...] = 1  # until rows are seen

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        for j, column in enumerate(np.asarray(x, np.float64).T):
            edges = find_edges(column, self.n_bins)
            n = len(edges) - 1
            parameters["edge"][j, :n], parameters["steepness"][j] = edges[:-1], 0
            parameters["steepness"][j, :n] = 1 / np.diff(edges)
        parameters["mean"][...] = 0
        shape = (len(x), *parameters["mean"].shape)
        out = np.empty(shape, parameters["mean"].dtype)
        self.features(x[..., np.newaxis], self._aligned(parameters), out, None)
        parameters["mean"][...] = out.mean(axis=0) / 2

    def features(self, x: Array, parameters: Any, out: Array, slope: Array | None) -> None:
        steepness = parameters["steepness"]
        np.subtract(x, parameters["edge"], out)
        np.multiply(out, steepness, out)
        if slope is not None:
            np.multiply((out > 0) & (out < 1), 2 * steepness, slope)
        np.clip(out, 0, 1, out)
        np.subtract(out, parameters["mean"], out)
        np.multiply(out, 2, out)


def find_edges(column: Array, n_bins: int) -> Array:
    """Return the edges of at most so many bins: quantiles, or the distinct values if they are few.

    Parameters
    ----------
    column : ndarray of shape (n_samples,)
        Without missing values.
    n_bins : int
        Bins at most.

    Returns
    -------
    ndarray of shape (n_edges,)
        The edges in rising order, one more than there are bins.
    """
    distinct = np.unique(column)
    if len(distinct) <= n_bins + 1:
        return distinct
    return np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)))
