"""Layers of a network."""

from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.layers.activation import ActivationLayer
from sknn.layers.affine import Affine
from sknn.layers.dropout import Dropout
from sknn.layers.features import Features, Fourier, PiecewiseLinear, find_edges
from sknn.layers.linear import Linear
from sknn.layers.normalization import BatchNorm, LayerNorm
from sknn.layers.residual import Residual
from sknn.layers.scaled import ScaledLinear
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
    "Features",
    "Fourier",
    "Layer",
    "LayerNorm",
    "Linear",
    "PiecewiseLinear",
    "Residual",
    "ScaledLinear",
    "Share",
    "Site",
    "SparseBatch",
    "Team",
    "find_edges",
    "meet",
    "split_at_meetings",
]
