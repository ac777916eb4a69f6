"""What is inside a network, in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from sknn.layers import ActivationLayer, Layer, Residual
from sknn.network import Network
from sknn.parameters import STATISTIC, leaves


def summarize(network: Network) -> str:
    """Return a table of the layers, the shapes of their outputs and their parameters."""
    rows = [("layer", "output", "parameters"), ("input", str(network.n_features), "0")]
    total = 0
    for name, n_out, count in _walk(network.layers, network.n_features):
        rows.append((name, str(n_out), str(count)))
        total += count
    rows.append(("all", "", str(total)))
    width = max(len(name) for name, _, _ in rows) + 2
    return "\n".join(f"{a:<{width}}{b:>8}{c:>12}".rstrip() for a, b, c in rows)


def _walk(layers: Sequence[Layer], n_in: int, prefix: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield name, number of outputs and number of trained parameters of each layer."""
    for layer in layers:
        n_out = layer.n_out(n_in)
        if isinstance(layer, Residual):
            yield from _walk(layer.layers, n_in, "+ ")
        else:
            described = (p for leaf in leaves(layer.parameters(n_in)) for p in leaf.values())
            trained = (p.shape for p in described if p.kind != STATISTIC)
            yield prefix + _name(layer), n_out, sum(map(math.prod, trained))
        n_in = n_out


def _name(layer: Layer) -> str:
    if isinstance(layer, ActivationLayer):
        activation = layer.activation
        return type(getattr(activation, "function", activation)).__name__
    return type(layer).__name__
