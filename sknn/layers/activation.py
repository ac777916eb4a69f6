"""The layer that applies an activation function."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call, number
from sknn.activations import Activation, Room
from sknn.layers._base import LAYERS, BoundLayer, Layer, Site
from sknn.operations import SIMPLE, Cost, Count, LayerOperations


@LAYERS.register("activation")
class ActivationLayer(Layer):
    """An activation function, applied in the buffer of the layer before it.

    The forward pass leaves the slope f'(z) in a buffer of this layer's own, so nothing that
    comes later can spoil what the backward pass needs, and the output may be overwritten.

    Parameters
    ----------
    activation : Activation
        The function.
    """

    overwrites_input = True

    def __init__(self, activation: Activation) -> None:
        self.activation = activation

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        each = self.activation.operations
        return LayerOperations(
            forward=Cost(each.forward * n_in),
            backward=Cost(SIMPLE * n_in),
            prediction=Cost(each.apply * n_in),
        )

    def bind(self, site: Site) -> BoundLayer:
        x = site.x
        slope, room = np.empty_like(x), Room.like(x, self.activation.n_rooms)
        constants = (number(value, x.dtype) for value in self.activation.constants())
        forward = partial(self.activation.forward, x, slope, room, *constants)

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            return [partial(np.multiply, grad, slope, grad)], grad

        return BoundLayer(x, [forward], backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        self.activation.apply(x)
        return x
