"""Initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array


class Initializer(Component):
    """Contract: draw the weights and intercepts of one layer.

    Attributes
    ----------
    adapts : bool
        Whether linear layers adapt what is drawn to training rows.
    """

    adapts = False

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        """Return coef of shape (n_in, n_out) and intercept of shape (n_out,).

        Parameters
        ----------
        rng : RandomState
        n_in, n_out : int
        factor : float
            The activation's factor, see :class:`GlorotUniform`.
        """
        raise NotImplementedError


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.register("auto")
class GlorotUniform(Initializer):
    r"""Weights and intercepts uniform on [-b, b], as in scikit-learn.

    .. math:: b = \sqrt{f / (n_{in} + n_{out})}

    with f = 6, or 2 for the logistic activation. The intercepts are drawn from the same interval.

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


@INITIALIZERS.register("glorot")
class Glorot(Initializer):
    r"""Weights uniform on [-b, b] with :math:`b = \sqrt{6 / (n_{in} + n_{out})}`, intercepts 0.

    References
    ----------
    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        bound = np.sqrt(6 / (n_in + n_out))
        return rng.uniform(-bound, bound, (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("he")
class He(Initializer):
    r"""Normal weights with the variance :math:`2 / n_{in}`, for ReLU and its kin; intercepts 0.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J., "Delving deep into rectifiers: Surpassing human-level
    performance on ImageNet classification", ICCV 2015.
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("lecun")
class LeCun(Initializer):
    r"""Normal weights with the variance :math:`1 / n_{in}`, for SELU and tanh; intercepts 0.

    References
    ----------
    LeCun, Y., Bottou, L., Orr, G. and Müller, K.-R., "Efficient BackProp", in: Neural Networks:
    Tricks of the Trade, Springer 1998.
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        return rng.normal(0, np.sqrt(1 / n_in), (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("orthogonal")
class Orthogonal(Initializer):
    """Weights whose rows or columns, whichever are fewer, are orthonormal; intercepts 0.

    References
    ----------
    Saxe, A., McClelland, J. and Ganguli, S., "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR 2014.
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        q, r = np.linalg.qr(rng.normal(size=(max(n_in, n_out), min(n_in, n_out))))
        q *= np.sign(np.diag(r))  # makes the distribution uniform
        return (q if n_in >= n_out else q.T), np.zeros(n_out)


@INITIALIZERS.register("data")
class DataDriven(Initializer):
    """Normal weights, adapted to training rows layer by layer.

    The sums of each unit have the standard deviation 1 over these rows, and its intercept is minus
    a random mean of its sums for five of them: so each unit bends somewhere among the data.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Steinwart, I., "A sober look at neural network initializations", arXiv:1903.11482 (2019).
    """

    adapts = True

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        return rng.normal(0, np.sqrt(1 / n_in), (n_in, n_out)), np.zeros(n_out)


def is_pair_of_lists(value: Any) -> bool:
    """Whether a value looks like ``(coefs, intercepts)``."""
    is_pair = isinstance(value, (tuple, list)) and len(value) == 2
    return is_pair and all(isinstance(part, (tuple, list)) for part in value)
