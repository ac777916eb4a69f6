"""Layers as formulas, as they are at prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.export.activations import activate
from sknn.export.formula import (
    Value,
    concatenate,
    constant,
    cos,
    maximum,
    minimum,
    sqrt,
    take,
)
from sknn.export.refusal import of_package
from sknn.layers import (
    ActivationLayer,
    Affine,
    BatchNorm,
    Dropout,
    Fourier,
    LayerNorm,
    Linear,
    PiecewiseLinear,
    Residual,
    ScaledLinear,
)
from sknn.layers.normalization import EPSILON
from sknn.network import Network
from sknn.parameters import tree_map


def run(network: Network, parameters: list[Any], x: Value) -> Value:
    """Return the raw scores (n_samples, n_outputs) of a network.

    Parameters
    ----------
    network : Network
    parameters : list of dict
        The parameters of each layer.
    x : Value
        Its inputs.
    """
    network.publication.check_shapes(parameters)
    arrays = [tree_map(np.asarray, tree) for tree in parameters]
    return _run(network.layers, arrays, x).called("raw")


def _run(layers: Any, parameters: list[Any], x: Value) -> Value:
    for layer, own in zip(layers, parameters, strict=True):
        # A user's own layer can stand in front only.
        x = of_package(layer, LAYER_FORMULAS, "front")(x, layer, own)
        if not x.name:
            x.called("h", type(getattr(layer, "activation", layer)).__name__)
    return x


def _linear(x: Value, layer: Linear, own: dict[str, Array]) -> Value:
    z = x @ constant(own["coef"], "coef")
    return z + constant(own["intercept"], "intercept") if layer.has_intercept else z


def _scaled_linear(x: Value, layer: ScaledLinear, own: dict[str, Array]) -> Value:
    return _linear(x, layer, {**own, "coef": own["coef"] * own["scale"][:, np.newaxis]})


def _affine(x: Value, layer: Affine, own: dict[str, Array]) -> Value:
    return x * constant(own["scale"], "scale") + constant(own["shift"], "shift")


def _batch_norm(x: Value, layer: BatchNorm, own: dict[str, Array]) -> Value:
    then, fixed = layer.at_prediction(own)
    assert isinstance(then, Affine)
    return _affine(x, then, fixed)


def _layer_norm(x: Value, layer: LayerNorm, own: dict[str, Array]) -> Value:
    n = len(own["scale"])
    # A product with a column is a mean in any version of ONNX.
    column = constant(np.full((n, 1), 1 / n, own["scale"].dtype), "mean")
    centered = (x - x @ column).called("centered")
    normal = centered / sqrt((centered * centered) @ column + EPSILON)
    return _affine(normal, Affine(), own)


def _residual(x: Value, layer: Residual, own: list[Any]) -> Value:
    return _run(layer.layers, own, x) + x


def _fourier(x: Value, layer: Fourier, own: dict[str, Array]) -> Value:
    n_in, k = own["phase"].shape
    by_wave = take(x, np.repeat(np.arange(n_in), k))
    phases = by_wave * constant(own["frequency"].ravel(), "frequency")
    waves = cos(phases + constant(own["phase"].ravel(), "phase"))
    # Those of an input lie together: itself, then its waves.
    own_places = np.arange(n_in)[:, np.newaxis]
    wave_places = n_in + np.arange(n_in * k).reshape(n_in, k)
    return take(concatenate([x, waves]), np.hstack([own_places, wave_places]).ravel())


def _piecewise_linear(x: Value, layer: PiecewiseLinear, own: dict[str, Array]) -> Value:
    n_in, k = own["edge"].shape
    by_bin = take(x, np.repeat(np.arange(n_in), k))
    edge, steepness, mean = (constant(own[name].ravel(), name) for name in own)
    passed = minimum(maximum((by_bin - edge) * steepness, 0.0), 1.0)
    return (passed - mean) * 2.0


LAYER_FORMULAS: dict[type, Callable[[Value, Any, Any], Value]] = {
    ActivationLayer: lambda x, layer, _: activate(x, layer.activation),
    Affine: _affine,
    BatchNorm: _batch_norm,
    Dropout: lambda x, layer, _: x,
    Fourier: _fourier,
    LayerNorm: _layer_norm,
    Linear: _linear,
    PiecewiseLinear: _piecewise_linear,
    Residual: _residual,
    ScaledLinear: _scaled_linear,
}
"""Each layer's formula, of its input, itself and its parameters."""
