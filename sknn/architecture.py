"""From the user's words to a list of layers."""

from __future__ import annotations

from collections.abc import Sequence

from sknn.activations import Activation
from sknn.layers import ActivationLayer, BatchNorm, Dropout, Layer, LayerNorm, Linear, Residual

NORMALIZATIONS: dict[str, type[Layer]] = {"batch": BatchNorm, "layer": LayerNorm}


def build_layers(
    hidden_layer_sizes: Sequence[int],
    activations: Sequence[Activation],
    n_outputs: int,
    dropout: Sequence[float] = (),
    normalization: str | None = None,
    residual: bool = False,
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
    """
    layers: list[Layer] = []
    rates = dropout or [0.0] * len(hidden_layer_sizes)
    n_in = 0
    for n_units, activation, rate in zip(hidden_layer_sizes, activations, rates, strict=True):
        block: list[Layer] = [Linear(n_units, has_intercept=normalization != "batch")]
        if normalization is not None:
            block.append(NORMALIZATIONS[normalization]())
        if not activation.is_identity:
            block.append(ActivationLayer(activation))
        if rate:
            block.append(Dropout(rate))
        layers += [Residual(tuple(block))] if residual and n_units == n_in else block
        n_in = n_units
    layers.append(Linear(n_outputs, output_major=True))
    return layers
