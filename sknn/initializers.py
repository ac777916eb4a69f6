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

    See Also
    --------
    sknn.initializers.GlorotUniform : The default of the estimators.
    sknn.MLPClassifier : Takes a name or an instance as `initializer`.
    """

    adapts = False

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        """Return coef of shape (n_in, n_out) and intercept of shape (n_out,).

        Parameters
        ----------
        rng : RandomState
            Where to draw from.
        n_in : int
            Number of inputs.
        n_out : int
            Number of outputs.
        factor : float
            The activation's factor, see :class:`GlorotUniform`.

        Returns
        -------
        coef : ndarray of shape (n_in, n_out)
            The weights.
        intercept : ndarray of shape (n_out,)
            The intercepts.
        """
        raise NotImplementedError


INITIALIZERS: Registry[Initializer] = Registry("initializer")


@INITIALIZERS.register("auto")
class GlorotUniform(Initializer):
    r"""Weights and intercepts uniform on [-b, b], as in scikit-learn.

    .. math:: b = \sqrt{f / (n_{in} + n_{out})}

    with f = 6, or 2 for the logistic activation. The intercepts are drawn from the same interval.

    See Also
    --------
    sknn.initializers.Glorot : The usual form, with intercepts 0.
    sknn.initializers.He : Larger weights, for ReLU.
    sklearn.neural_network.MLPClassifier : Draws the same numbers.

    References
    ----------
    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.initializers import GlorotUniform
    >>> rng = np.random.RandomState(0)
    >>> coef, intercept = GlorotUniform().draw(rng, 25, 25, factor=6.0)
    >>> print(f"{np.abs(coef).max():.2f} {np.abs(intercept).max():.2f}")
    0.35 0.33
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        bound = np.sqrt(factor / (n_in + n_out))
        return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)


@INITIALIZERS.register("glorot")
class Glorot(Initializer):
    r"""Weights uniform on [-b, b] with :math:`b = \sqrt{6 / (n_{in} + n_{out})}`, intercepts 0.

    See Also
    --------
    sknn.initializers.GlorotUniform : As scikit-learn has it, the default.
    sknn.initializers.LeCun : Normal weights of a similar size.

    References
    ----------
    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.initializers import Glorot
    >>> rng = np.random.RandomState(0)
    >>> coef, intercept = Glorot().draw(rng, 25, 25, factor=6.0)
    >>> print(f"{np.abs(coef).max():.2f} {np.abs(intercept).max():.2f}")
    0.35 0.00
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        bound = np.sqrt(6 / (n_in + n_out))
        return rng.uniform(-bound, bound, (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("he")
class He(Initializer):
    r"""Normal weights with the variance :math:`2 / n_{in}`, for ReLU and its kin; intercepts 0.

    See Also
    --------
    sknn.initializers.LeCun : Half the variance, for SELU and tanh.
    sknn.initializers.GlorotUniform : The default.
    sknn.activations.ReLU : The activation that it is made for.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J., "Delving deep into rectifiers: Surpassing human-level
    performance on ImageNet classification", ICCV 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.initializers import He
    >>> rng = np.random.RandomState(0)
    >>> coef, intercept = He().draw(rng, 50, 1000, factor=6.0)
    >>> print(f"{coef.std():.1f}")
    0.2
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        return rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("lecun")
class LeCun(Initializer):
    r"""Normal weights with the variance :math:`1 / n_{in}`, for SELU and tanh; intercepts 0.

    See Also
    --------
    sknn.initializers.He : Twice the variance, for ReLU.
    sknn.activations.SELU : The activation that needs it.

    References
    ----------
    LeCun, Y., Bottou, L., Orr, G. and Müller, K.-R., "Efficient BackProp", in: Neural Networks:
    Tricks of the Trade, Springer 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.initializers import LeCun
    >>> rng = np.random.RandomState(0)
    >>> coef, intercept = LeCun().draw(rng, 25, 1000, factor=6.0)
    >>> print(f"{coef.std():.1f}")
    0.2
    """

    def draw(
        self, rng: np.random.RandomState, n_in: int, n_out: int, factor: float
    ) -> tuple[Array, Array]:
        return rng.normal(0, np.sqrt(1 / n_in), (n_in, n_out)), np.zeros(n_out)


@INITIALIZERS.register("orthogonal")
class Orthogonal(Initializer):
    """Weights whose rows or columns, whichever are fewer, are orthonormal; intercepts 0.

    See Also
    --------
    sknn.initializers.He : Independent weights.
    sknn.optimizers.Muon : Steps along orthogonal matrices.
    scipy.stats.ortho_group : Random orthogonal matrices.

    References
    ----------
    Saxe, A., McClelland, J. and Ganguli, S., "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", ICLR 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.initializers import Orthogonal
    >>> rng = np.random.RandomState(0)
    >>> coef, intercept = Orthogonal().draw(rng, 5, 3, factor=6.0)
    >>> bool(np.allclose(coef.T @ coef, np.eye(3)))
    True
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

    See Also
    --------
    sknn.initializers.GlorotUniform : The default, which does not look at data.
    sknn.TabularMLPClassifier : Begins its networks so.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Steinwart, I., "A sober look at neural network initializations", arXiv:1903.11482 (2019).

    Examples
    --------
    >>> from sknn import MLPRegressor
    >>> MLPRegressor(initializer="data")
    MLPRegressor(initializer='data')
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
