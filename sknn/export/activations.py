"""Activations as formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sknn.activations import (
    ELU,
    GELU,
    SELU,
    Activation,
    Identity,
    LeakyReLU,
    Logistic,
    Mish,
    ReLU,
    SiLU,
    Softplus,
    Tanh,
)
from sknn.export.formula import (
    Value,
    exp,
    logistic,
    maximum,
    minimum,
    normal_cdf,
    relu,
    softplus,
    tanh,
    where,
)
from sknn.export.refusal import of_package


def activate(z: Value, activation: Activation) -> Value:
    """Return the formula of an activation of z."""
    function = getattr(activation, "function", activation)  # a user's own within ours
    return of_package(function, ACTIVATION_FORMULAS, "activation")(z, activation)


def _mish(z: Value, activation: Mish) -> Value:
    e = exp(minimum(z, activation.LARGE)).called("e")
    n = (e * (e + 2.0)).called("n")
    return z * (n / (n + 2.0))


def _bend(z: Value, alpha: float) -> Value:
    """Return z where it is positive, alpha (exp(z) - 1) elsewhere."""
    return where(z > 0.0, z, alpha * (exp(minimum(z, 0.0)) - 1.0))


ACTIVATION_FORMULAS: dict[type, Callable[[Value, Any], Value]] = {
    ELU: lambda z, activation: _bend(z, activation.alpha),
    GELU: lambda z, _: z * normal_cdf(z),
    Identity: lambda z, _: z,
    LeakyReLU: lambda z, activation: maximum(z, z * activation.negative_slope),
    Logistic: lambda z, _: logistic(z),
    Mish: _mish,
    ReLU: lambda z, _: relu(z),
    SELU: lambda z, activation: _bend(z, activation.ALPHA) * activation.SCALE,
    SiLU: lambda z, _: z * logistic(z),
    Softplus: lambda z, _: softplus(z),
    Tanh: lambda z, _: tanh(z),
}
"""Each activation's formula."""
