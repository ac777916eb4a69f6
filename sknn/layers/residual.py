"""Residual connections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call
from sknn.layers._base import BoundLayer, Draw, Layer
from sknn.layers.share import Share
from sknn.parameters import Shapes


class Residual(Layer):
    """Adds its input to what some layers make of it: h + f(h).

    Parameters
    ----------
    layers : tuple of Layer
        They have as many outputs as inputs, and the first leaves its input as it is.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J., "Deep residual learning for image recognition",
    CVPR 2016.
    """

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers

    @property
    def penalized(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the layers' penalised parameters."""
        return self._named(lambda layer: layer.penalized)

    @property
    def mixes_rows(self) -> bool:  # type: ignore[override]
        """Whether one of the layers does."""
        return any(layer.mixes_rows for layer in self.layers)

    @property
    def statistics(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the layers' statistics."""
        return self._named(lambda layer: layer.statistics)

    def shapes(self, n_in: int) -> Shapes:
        return {
            f"{i}.{name}": shape
            for i, layer in enumerate(self.layers)
            for name, shape in layer.shapes(n_in).items()
        }

    def n_noise(self, n_in: int) -> int:
        return sum(layer.n_noise(n_in) for layer in self.layers)

    def initialize(self, parameters: dict[str, Array], draw: Draw) -> None:
        for layer, own in zip(self.layers, self._split(parameters), strict=True):
            layer.initialize(own, draw)

    def bind(
        self,
        x: Any,
        parameters: dict[str, Array],
        gradients: dict[str, Array],
        share: Share,
        wants_input_gradient: bool,
    ) -> BoundLayer:
        bound, out, first = [], x, 0
        views = self._split(parameters), self._split(gradients)
        for layer, own, own_gradients in zip(self.layers, *views, strict=True):
            last = first + layer.n_noise(x.shape[-1])
            bound.append(layer.bind(out, own, own_gradients, share.words(first, last), True))
            out, first = bound[-1].out, last
        forward: list[Call] = [call for layer in bound for call in layer.forward]
        forward.append(partial(np.add, out, x, out))
        skipped = np.empty_like(out)

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            calls: list[Call] = [partial(np.copyto, skipped, grad)]
            gradient: Any = grad
            for layer in reversed(bound):
                layer_calls, gradient = layer.backward(gradient)
                calls += layer_calls
            return [*calls, partial(np.add, gradient, skipped, gradient)], gradient

        return BoundLayer(out, forward, backward)

    def apply(self, x: Any, parameters: dict[str, Array]) -> Array:
        h = x
        for layer, own in zip(self.layers, self._split(parameters), strict=True):
            h = layer.apply(h, own)
        h += x
        return h

    def _named(self, names: Callable[[Layer], tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(f"{i}.{n}" for i, layer in enumerate(self.layers) for n in names(layer))

    def _split(self, arrays: dict[str, Array]) -> list[dict[str, Array]]:
        """Return each layer's arrays under the names that it knows."""
        split: list[dict[str, Array]] = [{} for _ in self.layers]
        for name, array in arrays.items():
            i, own_name = name.split(".", 1)
            split[int(i)][own_name] = array
        return split
