"""Activation functions, element by element."""

from sknn.activations._base import ACTIVATIONS, Activation, Room
from sknn.activations.custom import Custom, is_activation, resolve_activation
from sknn.activations.exponential import ELU, SELU, Softplus
from sknn.activations.gated import GELU, Mish, SiLU
from sknn.activations.piecewise import Identity, LeakyReLU, ReLU
from sknn.activations.sigmoids import Logistic, Tanh

__all__ = [
    "ACTIVATIONS",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "Custom",
    "Identity",
    "LeakyReLU",
    "Logistic",
    "Mish",
    "ReLU",
    "Room",
    "SiLU",
    "Softplus",
    "Tanh",
    "is_activation",
    "resolve_activation",
]
