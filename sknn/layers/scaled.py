"""A linear layer that scales its inputs."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component
from sknn._constraints import Interval
from sknn._math import Array, Call, product
from sknn.layers._base import LAYERS, BoundLayer, Draw, Site
from sknn.layers.linear import Linear
from sknn.layers.sparse import SparseBatch
from sknn.operations import SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, free


@LAYERS.register("scaled_linear")
class ScaledLinear(Linear):
    r"""Weighted sums of inputs that have a factor each: :math:`z = (a \odot x) W + b`.

    In front of a network the factors learn which features matter: with a rate of their own that is
    larger than that of the weights they find them soon, and weight decay takes the others away.
    The factors are multiplied with the rows of W, not with the samples. So sparse X stays sparse,
    and with :math:`G = x^\top g`, g the gradient with respect to z, going back needs no more
    products of matrices than a linear layer:

    .. math:: \frac{\partial L}{\partial W_{ju}} = a_j G_{ju}, \qquad
        \frac{\partial L}{\partial a_j} = \sum_u W_{ju} G_{ju}

    Parameters
    ----------
    n_units : int
        Number of sums.
    output_major : bool, default=False
        See :class:`Linear`.
    has_intercept : bool, default=True
        See :class:`Linear`.
    parametrization : {"standard", "ntk"}, default="standard"
        See :class:`Linear`.
    adapts : bool, default=False
        See :class:`Linear`.
    scale_rate : float, default=6.0
        By what the learning rate of the factors is multiplied, at least 0.
    scale_decay : float, default=6.0
        By what their decoupled weight decay is multiplied, beside that rate; at least 0.
    scale : float or ndarray of shape (n_in,), default=1.0
        What the factors begin with.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.
    """

    constraints: ClassVar = {
        **Linear.constraints,
        "scale_rate": [Interval(Real, 0, None)],
        "scale_decay": [Interval(Real, 0, None)],
    }

    def __init__(
        self,
        n_units: int,
        output_major: bool = False,
        has_intercept: bool = True,
        parametrization: str = "standard",
        adapts: bool = False,
        scale_rate: float = 6.0,
        scale_decay: float = 6.0,
        scale: Any = 1.0,
    ) -> None:
        super().__init__(n_units, output_major, has_intercept, parametrization, adapts)
        self.scale_rate = scale_rate
        self.scale_decay = scale_decay
        self.scale = scale

    def structure(self) -> Hashable:
        # How training begins is in the parameters.
        return Component.structure(self.changed(scale=1.0, adapts=False))

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        scale = free((n_in,), "front_.scale", rate=self.scale_rate, decay=self.scale_decay)
        return {**super().parameters(n_in), "scale": scale}

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        linear, n_weights = super().operations(n_in, n_entries), n_in * self.n_units
        return linear._replace(
            forward=Cost(linear.forward.per_row, SIMPLE * n_weights),
            backward=Cost(linear.backward.per_row, 3 * SIMPLE * n_weights),
            prediction=Cost(linear.prediction.per_row, SIMPLE * n_weights),
            n_accumulated=0,
        )

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        super().initialize(parameters, draw, rng)
        parameters["scale"][...] = self.scale

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        if self.adapts:
            scaled = (
                x * parameters["scale"]
                if isinstance(x, np.ndarray)
                else x.multiply(parameters["scale"])
            )
            super().calibrate(parameters, scaled, rng)

    def bind(self, site: Site) -> BoundLayer:
        coef, scale = site.parameters["coef"], site.parameters["scale"][..., np.newaxis]
        scaled, both = np.empty_like(coef), np.zeros_like(coef)
        within = site._replace(
            parameters={**site.parameters, "coef": scaled},
            gradients={**site.gradients, "coef": both},
        )
        bound = super().bind(within)
        # The gradient of sparse samples is added to what is there.
        begin: list[Call] = [partial(both.fill, 0)] if isinstance(site.x, SparseBatch) else []
        ones = np.ones((coef.shape[-1], 1), coef.dtype)
        out = site.gradients["scale"][..., np.newaxis]

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            calls, input_gradient = bound.backward(grad)
            return [
                *begin,
                *calls,
                partial(np.multiply, both, scale, site.gradients["coef"]),
                partial(np.multiply, both, coef, both),
                partial(product(both), both, ones, out),
            ], input_gradient

        forward: list[Call] = [partial(np.multiply, coef, scale, scaled), *bound.forward]
        return BoundLayer(bound.out, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        coef = parameters["coef"] * parameters["scale"][..., np.newaxis]
        return super().apply(x, {**parameters, "coef": coef})
