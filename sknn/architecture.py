"""From the user's words to a list of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sknn.activations import Activation
from sknn.layers import (
    ActivationLayer,
    BatchNorm,
    Dropout,
    Fourier,
    Layer,
    LayerNorm,
    Linear,
    PiecewiseLinear,
    Residual,
    ScaledLinear,
)

NORMALIZATIONS: dict[str, type[Layer]] = {"batch": BatchNorm, "layer": LayerNorm}

FRONTS: dict[str, type[Layer]] = {"fourier": Fourier, "piecewise_linear": PiecewiseLinear}
"""Layers that may stand in front of the network, by name."""

SCALE = "scale"
"""The word for factors of the inputs of the first linear layer, which stand there, too."""

PARAMETRIZATIONS = ("standard", "ntk")
"""How weights are trained, see :class:`sknn.layers.Linear`."""


def build_layers(
    hidden_layer_sizes: Sequence[int],
    activations: Sequence[Activation],
    n_outputs: int,
    dropout: Sequence[float] = (),
    normalization: str | None = None,
    residual: bool = False,
    front: Sequence[Layer] = (),
    scale: Any = None,
    parametrization: str = "standard",
    adapts: bool = False,
) -> list[Layer]:
    """Return the layers of a multilayer perceptron that ends in raw scores.

    A hidden layer is a linear layer, a normalisation, an activation and dropout, in this order.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Units of each hidden layer; empty for a linear model.
    activations : sequence of Activation
        The function of each hidden layer.
    n_outputs : int
        Number of raw scores.
    dropout : sequence of float, default=()
        The rate of each hidden layer; empty for none.
    normalization : {"batch", "layer"} or None, default=None
        What is normalised between a hidden layer's sums and its activation.
    residual : bool, default=False
        Whether a hidden layer adds its input, if that is the output of a hidden layer of the same
        size.
    front : sequence of Layer, default=()
        What stands in front of the first hidden layer.
    scale : float or ndarray of shape (n_in,), default=None
        What the factors of the first linear layer's inputs begin with; None for no factors.
    parametrization, adapts
        See :class:`sknn.layers.Linear`.
    """
    training: dict[str, Any] = {"parametrization": parametrization, "adapts": adapts}
    layers: list[Layer] = []
    rates = dropout or [0.0] * len(hidden_layer_sizes)
    n_in = 0
    for n_units, activation, rate in zip(hidden_layer_sizes, activations, rates, strict=True):
        has_intercept = normalization != "batch"
        block: list[Layer] = [Linear(n_units, has_intercept=has_intercept, **training)]
        if normalization is not None:
            block.append(NORMALIZATIONS[normalization]())
        if not activation.is_identity:
            block.append(ActivationLayer(activation))
        if rate:
            block.append(Dropout(rate))
        layers += [Residual(tuple(block))] if residual and n_units == n_in else block
        n_in = n_units
    layers.append(Linear(n_outputs, output_major=True, **training))
    if scale is not None:
        [first] = [layer for layer in layers[:1] if isinstance(layer, Linear)]
        layers[0] = ScaledLinear(**vars(first), scale=scale)
    return [*front, *layers]
