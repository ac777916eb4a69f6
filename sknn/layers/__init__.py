"""Layers of a network."""

from sknn.layers._base import BoundLayer, Layer
from sknn.layers.activation import ActivationLayer
from sknn.layers.linear import Linear
from sknn.layers.sparse import SparseBatch

__all__ = ["ActivationLayer", "BoundLayer", "Layer", "Linear", "SparseBatch"]
