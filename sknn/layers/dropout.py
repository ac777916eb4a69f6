"""Dropout."""

from __future__ import annotations

from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array, Call, number
from sknn.layers._base import BoundLayer, Layer
from sknn.layers.share import Share

RESOLUTION = 1 << 16
"""Random numbers that a unit is dropped by, 16 bits each."""


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

    constraints: ClassVar = {"rate": [Interval(Real, 0, 1)]}

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def n_noise(self, n_in: int) -> int:
        return -(-n_in // 4)  # four units share a word

    def bind(
        self,
        x: Any,
        parameters: dict[str, Array],
        gradients: dict[str, Array],
        share: Share,
        wants_input_gradient: bool,
    ) -> BoundLayer:
        threshold = np.minimum(np.rint(np.multiply(self.rate, RESOLUTION)), RESOLUTION - 1)
        scale = number(1 / (1 - threshold / RESOLUTION), x.dtype)
        bits, threshold = (
            share.noise.view(np.uint16)[..., : x.shape[-1]],
            threshold.astype(np.uint16),
        )
        mask, factor = np.empty(x.shape, bool), np.empty_like(x)
        forward: list[Call] = [
            partial(np.greater_equal, bits, threshold.astype(np.uint16), mask),
            partial(np.copyto, factor, mask),
            partial(np.multiply, factor, scale, factor),
            partial(np.multiply, x, factor, x),
        ]

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            return [partial(np.multiply, grad, factor, grad)], grad

        return BoundLayer(x, forward, backward)

    def apply(self, x: Any, parameters: dict[str, Array]) -> Array:
        return np.asarray(x)
