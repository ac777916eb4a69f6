"""Batch and layer normalisation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call, product
from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.layers.affine import Affine
from sknn.layers.linear import sum_samples
from sknn.layers.share import Share
from sknn.operations import DIVISION, ROOT, SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, free, statistic

EPSILON = 1e-5
"""Added to variances."""

MOMENTUM = 0.1
"""What the latest batch counts in the statistics that prediction uses."""

INVERSE_ROOT = SIMPLE + ROOT + DIVISION
"""What each number of `_invert_roots` costs."""


@LAYERS.register("batch_norm")
class BatchNorm(Layer):
    r"""Gives each unit mean 0 and variance 1 over the batch, then a scale and an intercept.

    .. math:: \hat z = \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad h = a \hat z + b

    Prediction uses running means of the batches' means and (unbiased) variances,
    :math:`\mu \leftarrow 0.9 \mu + 0.1 \mu_\text{batch}`. Going back, with the gradient g,

    .. math::
        \frac{\partial L}{\partial z} = \frac{a}{\sqrt{\sigma^2 + \epsilon}}
        \Big( g - \bar g - \hat z \, \overline{g \hat z} \Big)

    where bars are means over the batch. The samples of a batch count alike, whatever their weights.

    References
    ----------
    Ioffe, S. and Szegedy, C., "Batch normalization: Accelerating deep network training by reducing
    internal covariate shift", ICML 2015.
    """

    overwrites_input = True
    mixes_rows = True

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        shape = (n_in,)
        return {
            "scale": free(shape, "normalization_.scale"),
            # The layer before has none.
            "intercept": free(shape, "intercepts_"),
            "mean": statistic(shape, "normalization_.mean"),
            "variance": statistic(shape, "normalization_.variance"),
        }

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        # Once: two means each way, roots and their inverses, factors, running means of the two.
        once = (9 * SIMPLE + INVERSE_ROOT) * n_in, 7 * SIMPLE * n_in
        fixed = (3 * SIMPLE + ROOT + DIVISION) * n_in
        return LayerOperations(
            forward=Cost(6 * SIMPLE * n_in, once[0]),
            backward=Cost(7 * SIMPLE * n_in, once[1]),
            prediction=Cost(2 * SIMPLE * n_in, fixed),
        )

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        parameters["scale"].fill(1)
        parameters["variance"].fill(1)

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        # So that layers behind see rows as training will: normalised.
        parameters["mean"][...] = x.mean(axis=0)
        parameters["variance"][...] = x.var(axis=0)

    def bind(self, site: Site) -> BoundLayer:
        x, parameters, gradients, share = site[:4]
        n = share.n_rows
        arrays = [*(parameters[name] for name in self.parameters(1)), gradients["scale"]]
        scale, intercept, mean, variance, grad_scale = (a[..., np.newaxis, :] for a in arrays)
        row = np.full((1, x.shape[-2]), 1 / n, x.dtype)
        centered, squares = np.empty_like(x), np.empty_like(x)
        part, spread, inverse, factor, rest = np.empty((5, *scale.shape), x.dtype)
        batch_mean, add_means = share.total(part)
        batch_variance, add_variances = share.total(spread)
        forward: list[Call] = [
            partial(product(x), row, x, part),
            *add_means,
            partial(np.subtract, x, batch_mean, centered),
            partial(np.multiply, centered, centered, squares),
            partial(product(x), row, squares, spread),
            *add_variances,
            *_invert_roots(batch_variance, inverse),
            partial(np.multiply, inverse, scale, factor),
            partial(np.multiply, centered, factor, x),
            partial(np.add, x, intercept, x),
        ]
        if share.is_first:
            forward += _follow(mean, batch_mean, 1, rest)
            # The variance of a single row says nothing.
            forward += _follow(variance, batch_variance, n / (n - 1), rest) if n > 1 else []

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            buffers = centered, squares, inverse, factor
            grads = grad, grad_scale, gradients["intercept"][..., np.newaxis, :]
            return _batch_norm_backward(*grads, row, *buffers, share), grad

        return BoundLayer(x, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        fixed = _fixed(parameters)
        x *= fixed["scale"]
        x += fixed["shift"]
        return np.asarray(x)

    def at_prediction(self, parameters: Any) -> tuple[Layer | None, Any]:
        return Affine(), _fixed(parameters)


@LAYERS.register("layer_norm")
class LayerNorm(Layer):
    r"""Gives each sample mean 0 and variance 1 over the units, then a scale and a shift a unit.

    .. math::
        \hat z = \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad h = a \hat z + b, \qquad
        \frac{\partial L}{\partial z} = \frac{1}{\sqrt{\sigma^2 + \epsilon}}
        \Big( a g - \overline{a g} - \hat z \, \overline{a g \hat z} \Big)

    Bars are means over the units of a sample.

    References
    ----------
    Ba, J., Kiros, J. and Hinton, G., "Layer normalization", arXiv:1607.06450 (2016).
    """

    overwrites_input = True

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        names = "scale", "shift"
        return {name: free((n_in,), f"normalization_.{name}") for name in names}

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        # Beside what is done to each unit: two means, by NumPy in prediction, and a root.
        return LayerOperations(
            forward=Cost(7 * SIMPLE * n_in + 2 * SIMPLE + INVERSE_ROOT),
            backward=Cost(11 * SIMPLE * n_in + 2 * SIMPLE),
            prediction=Cost((6 * SIMPLE + DIVISION) * n_in + 2 * DIVISION + SIMPLE + ROOT),
        )

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        parameters["scale"].fill(1)

    def bind(self, site: Site) -> BoundLayer:
        x, parameters, gradients = site.x, site.parameters, site.gradients
        scale, shift = (parameters[name][..., np.newaxis, :] for name in ("scale", "shift"))
        column = np.full((x.shape[-1], 1), 1 / x.shape[-1], x.dtype)
        normal, scratch = np.empty_like(x), np.empty_like(x)
        inverse, mean = np.empty((2, *x.shape[:-1], 1), x.dtype)
        average = product(x)
        forward: list[Call] = [
            partial(average, x, column, mean),
            partial(np.subtract, x, mean, normal),
            partial(np.multiply, normal, normal, scratch),
            partial(average, scratch, column, inverse),
            *_invert_roots(inverse, inverse),
            partial(np.multiply, normal, inverse, normal),
            partial(np.multiply, normal, scale, x),
            partial(np.add, x, shift, x),
        ]

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            return [
                sum_samples(grad, gradients["shift"]),
                partial(np.multiply, grad, normal, scratch),
                sum_samples(scratch, gradients["scale"]),
                partial(np.multiply, grad, scale, grad),
                partial(average, grad, column, mean),
                partial(np.multiply, scratch, scale, scratch),
                partial(np.subtract, grad, mean, grad),
                partial(average, scratch, column, mean),
                partial(np.multiply, normal, mean, normal),
                partial(np.subtract, grad, normal, grad),
                partial(np.multiply, grad, inverse, grad),
            ], grad

        return BoundLayer(x, forward, backward)

    def apply(self, x: Any, parameters: Any) -> Array:
        with np.errstate(over="ignore"):  # as while training
            x -= x.mean(axis=-1, keepdims=True)
            x /= np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + x.dtype.type(EPSILON))
        x *= parameters["scale"]
        x += parameters["shift"]
        return np.asarray(x)


def _fixed(parameters: dict[str, Array]) -> dict[str, Array]:
    """Return the scale and the shift that batch normalisation is at prediction."""
    variance = parameters["variance"]
    scale = parameters["scale"] / np.sqrt(variance + variance.dtype.type(EPSILON))
    return {"scale": scale, "shift": parameters["intercept"] - parameters["mean"] * scale}


def _invert_roots(variance: Array, out: Array) -> list[Call]:
    """Return the calls that write one by the standard deviations."""
    return [
        partial(np.add, variance, EPSILON, out),
        partial(np.sqrt, out, out),
        partial(np.divide, 1, out, out),
    ]


def _batch_norm_backward(
    grad: Array,
    grad_scale: Array,
    grad_intercept: Array,
    row: Array,
    centered: Array,
    scratch: Array,
    inverse: Array,
    factor: Array,
    share: Share,
) -> list[Call]:
    """Return the calls that replace `grad` by the gradient with respect to the input."""
    n, average = share.n_rows, product(grad)
    means, slope = np.empty((2, *factor.shape), grad.dtype), np.empty_like(factor)
    batch_means, add_means = share.total(means)
    return [
        partial(np.multiply, grad, centered, scratch),
        partial(average, row, scratch, means[0]),
        partial(average, row, grad, means[1]),
        partial(np.multiply, means[0], inverse, grad_scale),
        partial(np.multiply, grad_scale, n, grad_scale),
        partial(np.multiply, means[1], n, grad_intercept),
        *add_means,
        partial(np.multiply, batch_means[0], inverse, slope),
        partial(np.multiply, slope, inverse, slope),
        partial(np.multiply, centered, slope, centered),
        partial(np.subtract, grad, centered, scratch),
        partial(np.subtract, scratch, batch_means[1], scratch),
        partial(np.multiply, scratch, factor, grad),
    ]


def _follow(running: Array, latest: Array, factor: float, scratch: Array) -> list[Call]:
    """Return the calls that move a running mean towards the latest value times a factor."""
    return [
        partial(np.multiply, latest, MOMENTUM * factor, scratch),
        partial(np.multiply, running, 1 - MOMENTUM, running),
        partial(np.add, running, scratch, running),
    ]
