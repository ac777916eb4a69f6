"""Initial weights."""

from __future__ import annotations

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array


class Initializer(Component):
    """Contract: draw the weights and intercepts of one layer."""

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        """Return coef of shape (n_in, n_out) and intercept of shape (n_out,)."""
        raise NotImplementedError


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.register("glorot_uniform")
class GlorotUniform(Initializer):
    r"""Weights and intercepts uniform on [-b, b].

    .. math:: b = \sqrt{f / (n_{in} + n_{out})}

    with f = 6, or 2 for the logistic activation, as in scikit-learn, which draws the
    intercepts from the same interval.

    References
    ----------
    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        bound = np.sqrt(factor / (n_in + n_out))
        return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)
