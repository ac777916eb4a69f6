"""A scale and a shift for each unit."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call
from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.layers.linear import sum_samples
from sknn.operations import SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, free


@LAYERS.register("affine")
class Affine(Layer):
    r"""A scale and a shift for each unit: :math:`h = a z + b`.

    Going back, :math:`\partial L/\partial a = \sum_i g_i z_i`, :math:`\partial L/\partial b =
    \sum_i g_i` and :math:`\partial L/\partial z = a g`, with g the gradient with respect to h.
    """

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        return {name: free((n_in,), f"affine_.{name}") for name in ("scale", "shift")}

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        each = Cost(2 * SIMPLE * n_in)
        return LayerOperations(forward=each, backward=Cost(4 * SIMPLE * n_in), prediction=each)

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        parameters["scale"].fill(1)

    def bind(self, site: Site) -> BoundLayer:
        x, parameters, gradients = site.x, site.parameters, site.gradients
        scale, shift = (parameters[name][..., np.newaxis, :] for name in ("scale", "shift"))
        out, scratch = np.empty_like(x), np.empty_like(x)
        forward: list[Call] = [
            partial(np.multiply, x, scale, out),
            partial(np.add, out, shift, out),
        ]

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            return [
                sum_samples(grad, gradients["shift"]),
                partial(np.multiply, grad, x, scratch),
                sum_samples(scratch, gradients["scale"]),
                partial(np.multiply, grad, scale, grad),
            ], grad

        return BoundLayer(out, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        h = x * parameters["scale"][..., np.newaxis, :]
        h += parameters["shift"][..., np.newaxis, :]
        return np.asarray(h)
