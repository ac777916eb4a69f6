"""Layers of a network."""

from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.layers.activation import ActivationLayer
from sknn.layers.affine import Affine
from sknn.layers.dropout import Dropout
from sknn.layers.linear import Linear
from sknn.layers.normalization import BatchNorm, LayerNorm
from sknn.layers.residual import Residual
from sknn.layers.share import Share, Team, meet, split_at_meetings
from sknn.layers.sparse import SparseBatch

__all__ = [
    "LAYERS",
    "ActivationLayer",
    "Affine",
    "BatchNorm",
    "BoundLayer",
    "Draw",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Linear",
    "Residual",
    "Share",
    "Site",
    "SparseBatch",
    "Team",
    "meet",
    "split_at_meetings",
]
