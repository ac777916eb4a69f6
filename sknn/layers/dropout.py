"""Dropout."""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array, Call
from sknn.layers._base import LAYERS, BoundLayer, Layer, Site
from sknn.operations import SIMPLE, Cost, Count, LayerOperations

RESOLUTION = 1 << 16
"""Random numbers that a unit is dropped by, 16 bits each."""


@LAYERS.register("dropout")
class Dropout(Layer):
    r"""Sets a random part of its inputs to 0 while training, and scales up the others.

    .. math:: h' = \frac{m}{1 - p} h, \qquad m \sim \text{Bernoulli}(1 - p)

    So the expected value is the same, and prediction has nothing to do.

    Parameters
    ----------
    rate : float
        The probability p of being dropped, in [0, 1). It is rounded to 16 bits.

    References
    ----------
    Srivastava, N. et al., "Dropout: A simple way to prevent neural networks from overfitting",
    JMLR 15 (2014).
    """

    overwrites_input = True
    constraints: ClassVar = {"rate": [Interval(Real, 0, 1)]}

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def n_noise(self, n_in: int) -> int:
        return -(-n_in // 4)  # four units share a word

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        return LayerOperations(forward=Cost(2 * SIMPLE * n_in), backward=Cost(SIMPLE * n_in))

    def bind(self, site: Site) -> BoundLayer:
        x, level = site.x, site.share.noise_level
        bits = site.share.noise.view(np.uint16)[..., : x.shape[-1]]
        mask, factor = np.empty(x.shape, bool), np.empty_like(x)
        shape = np.shape(self.rate) if level is None else np.broadcast(self.rate, level).shape
        threshold, scale = np.empty(shape, np.uint16), np.empty(shape, x.dtype)
        forward: list[Call] = [
            partial(np.greater_equal, bits, threshold, mask),
            partial(np.copyto, factor, mask),
            partial(np.multiply, factor, scale, factor),
            partial(np.multiply, x, factor, x),
        ]
        if level is None:
            _set_rate(self.rate, threshold, scale)
        else:
            forward.insert(0, lambda: _set_rate(np.multiply(self.rate, level), threshold, scale))

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            return [partial(np.multiply, grad, factor, grad)], grad

        return BoundLayer(x, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        return np.asarray(x)

    def at_prediction(self, parameters: Any) -> tuple[Layer | None, Any]:
        return None, {}


def _set_rate(rate: Any, threshold: Array, scale: Array) -> None:
    """Set below which random numbers a unit is dropped, and by what the others are multiplied."""
    n_dropped = np.minimum(np.rint(np.multiply(rate, RESOLUTION)), RESOLUTION - 1)
    np.copyto(threshold, n_dropped, casting="unsafe")
    scale[...] = 1 / (1 - n_dropped / RESOLUTION)
