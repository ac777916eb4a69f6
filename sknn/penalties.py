"""Penalties on the weights, added to the loss."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array


class Penalty(Component):
    """Contract of a penalty on the flat block of weights.

    All methods work on coef, grad and scratch of shape (n_weights,) or (n_models, n_weights);
    `factor` of shape () or (n_models, 1) is alpha divided by the weight of the batch, and
    `record` of the same shape receives what ``values`` needs.
    """

    @abstractmethod
    def write_gradient(self, coef: Array, grad: Array, factor: Array, record: Array) -> None:
        """Write the gradient of ``factor * penalty(coef)`` to `grad`."""

    def add_gradient(
        self, coef: Array, grad: Array, scratch: Array, factor: Array, record: Array
    ) -> None:
        """Add the gradient of ``factor * penalty(coef)`` to `grad`; `scratch` is consumed."""
        self.write_gradient(coef, scratch, factor, record)
        np.add(grad, scratch, grad)

    @abstractmethod
    def values(self, record: Array) -> Array:
        """Return ``factor * penalty(coef)`` from what was recorded."""


PENALTIES: Registry[Penalty] = Registry("penalty")


@PENALTIES.register("l2")
class L2(Penalty):
    """Half the squared norm of the weights; its gradient is the weights."""

    def write_gradient(self, coef: Array, grad: Array, factor: Array, record: Array) -> None:
        np.multiply(coef, factor, grad)
        if coef.ndim == 1:
            np.dot(coef, grad, record)
        else:
            np.matmul(coef[:, np.newaxis], grad[..., np.newaxis], out=record[..., np.newaxis])

    def values(self, record: Array) -> Array:
        return 0.5 * record
