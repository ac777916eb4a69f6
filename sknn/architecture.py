"""From the user's words to a list of layers."""

from __future__ import annotations

from collections.abc import Sequence

from sknn.activations import Activation
from sknn.layers import ActivationLayer, Layer, Linear


def build_layers(
    hidden_layer_sizes: Sequence[int], activation: Activation, n_outputs: int
) -> list[Layer]:
    """Return the layers of a multilayer perceptron that ends in raw scores.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Units of each hidden layer; empty for a linear model.
    activation : Activation
        The function between the layers.
    n_outputs : int
        Number of raw scores.
    """
    layers: list[Layer] = []
    for n_units in hidden_layer_sizes:
        layers.append(Linear(n_units))
        if not activation.is_identity:
            layers.append(ActivationLayer(activation))
    layers.append(Linear(n_outputs, output_major=True))
    return layers
