"""Residual connections."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call
from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.operations import SIMPLE, Cost, Count, LayerOperations, add_up, in_a_row
from sknn.parameters import Parameter, Tree


@LAYERS.register("residual")
class Residual(Layer):
    """Adds its input to what some layers make of it: h + f(h).

    Its parameters are a list of those of the layers.

    Parameters
    ----------
    layers : tuple of Layer
        Together they have as many outputs as inputs.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J., "Deep residual learning for image recognition",
    CVPR 2016.
    """

    begins_hidden_layer = True

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers

    @property
    def mixes_rows(self) -> bool:  # type: ignore[override]
        """Whether one of the layers does."""
        return any(layer.mixes_rows for layer in self.layers)

    @property
    def calibrates(self) -> bool:  # type: ignore[override]
        """Whether one of the layers does."""
        return any(layer.calibrates for layer in self.layers)

    def parameters(self, n_in: int) -> Tree[Parameter]:
        trees = []
        for layer in self.layers:
            trees.append(layer.parameters(n_in))
            n_in = layer.n_out(n_in)
        return trees

    def n_noise(self, n_in: int) -> int:
        return sum(self._n_noise(n_in))

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        parts, n_units, connection = [], n_in, Cost(SIMPLE * n_in)
        for layer in self.layers:
            parts.append(layer.operations(n_units))
            n_units = layer.n_out(n_units)
        inner = in_a_row(parts)
        return inner._replace(
            forward=add_up([inner.forward, connection]),
            input_gradient=add_up([inner.input_gradient, connection]),
            prediction=add_up([inner.prediction, connection]),
        )

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        for layer, own in zip(self.layers, parameters, strict=True):
            layer.initialize(own, draw, rng)

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        x = self._begin(x)
        for layer, own in zip(self.layers, parameters, strict=True):
            layer.calibrate(own, x, rng)
            x = layer.apply(x, own)

    def bind(self, site: Site) -> BoundLayer:
        x, first = site.x, 0
        bound: list[BoundLayer] = []
        h = np.empty_like(x) if self._needs_copy() else x
        begin: list[Call] = [partial(np.copyto, h, x)] if self._needs_copy() else []
        views = site.parameters, site.gradients, self._n_noise(x.shape[-1])
        for layer, own, own_gradients, n_words in zip(self.layers, *views, strict=True):
            words = site.share.words(first, first + n_words)
            wants_own = site.wants_input_gradient or len(bound) > 0
            inner = Site(h, own, own_gradients, words, wants_own, site.wants_gradients)
            bound.append(layer.bind(inner))
            h, first = bound[-1].out, first + n_words
        forward: list[Call] = [*begin, *(call for layer in bound for call in layer.forward)]
        forward.append(partial(np.add, h, x, h))
        skipped = np.empty_like(h)

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            calls: list[Call] = [partial(np.copyto, skipped, grad)]
            gradient: Any = grad
            for layer in reversed(bound):
                layer_calls, gradient = layer.backward(gradient)
                calls += layer_calls
            if not site.wants_input_gradient:
                return calls, None
            return [*calls, partial(np.add, gradient, skipped, gradient)], gradient

        return BoundLayer(h, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        h = self._begin(x)
        for layer, own in zip(self.layers, parameters, strict=True):
            h = layer.apply(h, own)
        h += x
        return h

    def at_prediction(self, parameters: Any) -> tuple[Layer | None, Any]:
        pairs = zip(self.layers, parameters, strict=True)
        then = [layer.at_prediction(own) for layer, own in pairs]
        kept = [(layer, own) for layer, own in then if layer is not None]
        return Residual(tuple(layer for layer, _ in kept)), [own for _, own in kept]

    def _begin(self, x: Array) -> Array:
        """Return what the first layer may work on."""
        return x.copy() if self._needs_copy() else x

    def _needs_copy(self) -> bool:
        return not self.layers or self.layers[0].overwrites_input

    def _n_noise(self, n_in: int) -> list[int]:
        counts = []
        for layer in self.layers:
            counts.append(layer.n_noise(n_in))
            n_in = layer.n_out(n_in)
        return counts
