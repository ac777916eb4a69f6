"""Random changes of the training samples, new in each step."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import ClassVar

import numpy as np

from sknn._component import Component, Registry
from sknn._constraints import Interval
from sknn._math import Array


class Augmentation(Component):
    """Contract: change a batch in place.

    All rows of a batch look alike to it, also those whose weight is 0.

    Attributes
    ----------
    changes_targets : bool
        Whether targets are changed, too; classes then become probabilities.

    See Also
    --------
    sknn.augmentation.GaussianNoise : The simplest one.
    sknn.MLPClassifier : Takes a name or an instance as `augmentation`.
    """

    changes_targets = False

    @abstractmethod
    def augment(self, X: Array, y: Array, rng: np.random.Generator) -> None:
        """Change the samples of a batch in place.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The samples.
        y : ndarray of shape (n_samples, n_targets)
            Numbers; a classifier's are indicators of the classes or labels.
        rng : Generator
            Where to draw from, so that results can be repeated.
        """


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")


@AUGMENTATIONS.register("gaussian_noise")
class GaussianNoise(Augmentation):
    r"""Adds normal noise: :math:`x' = x + \sigma \epsilon`.

    Parameters
    ----------
    scale : float, default=0.1
        The standard deviation :math:`\sigma`, at least 0, in the unit of X (which should be
        scaled).

    See Also
    --------
    sknn.augmentation.SwapNoise : Noise for columns of any kind.
    sknn.augmentation.Mixup : Changes targets, too.

    References
    ----------
    Bishop, C., "Training with noise is equivalent to Tikhonov regularization", Neural Computation
    7 (1995).

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.augmentation import GaussianNoise
    >>> MLPClassifier(augmentation=GaussianNoise(scale=0.2))
    MLPClassifier(augmentation=GaussianNoise(scale=0.2))
    """

    constraints: ClassVar = {"scale": [Interval(Real, 0, None)]}

    def __init__(self, scale: float = 0.1) -> None:
        self.scale = scale

    def augment(self, X: Array, y: Array, rng: np.random.Generator) -> None:
        X += self.scale * rng.standard_normal(X.shape, X.dtype)


@AUGMENTATIONS.register("mixup")
class Mixup(Augmentation):
    r"""Mixes each sample, and its target, with another one of the batch.

    .. math:: x' = \lambda x_i + (1 - \lambda) x_j, \qquad y' = \lambda y_i + (1 - \lambda) y_j,
        \qquad \lambda \sim \text{Beta}(a, a)

    One :math:`\lambda` serves the whole batch.

    Parameters
    ----------
    alpha : float, default=0.2
        The parameter a of the distribution, positive; the larger, the more is mixed.

    See Also
    --------
    sknn.augmentation.GaussianNoise : Leaves targets as they are.
    sknn.augmentation.SwapNoise : Mixes single values.

    References
    ----------
    Zhang, H., Cisse, M., Dauphin, Y. and Lopez-Paz, D., "mixup: Beyond empirical risk
    minimization", ICLR 2018.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.augmentation import Mixup
    >>> MLPClassifier(augmentation=Mixup(alpha=0.4))
    MLPClassifier(augmentation=Mixup(alpha=0.4))
    """

    changes_targets = True
    constraints: ClassVar = {"alpha": [Interval(Real, 0, None, "neither")]}

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = alpha

    def augment(self, X: Array, y: Array, rng: np.random.Generator) -> None:
        share, order = rng.beta(self.alpha, self.alpha), rng.permutation(len(X))
        for array in (X, y):
            other = array[order]
            array *= share
            other *= 1 - share
            array += other


@AUGMENTATIONS.register("swap_noise")
class SwapNoise(Augmentation):
    """Replaces values by those that other samples of the batch have in the same column.

    Made for tables: a replaced value is always one that occurs, also in columns of codes.

    Parameters
    ----------
    rate : float, default=0.1
        The probability that a value is replaced, in [0, 1).

    See Also
    --------
    sknn.augmentation.GaussianNoise : Noise for numbers.
    sknn.augmentation.Mixup : Mixes whole samples.

    References
    ----------
    Jahrer, M., "1st place with representation learning", Porto Seguro's Safe Driver Prediction,
    Kaggle (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augmentation import SwapNoise
    >>> X = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> SwapNoise(0.5).augment(X, np.zeros((3, 1)), np.random.default_rng(0))
    >>> sorted(set(X[:, 0])) <= [1.0, 2.0, 3.0]
    True
    """

    constraints: ClassVar = {"rate": [Interval(Real, 0, 1)]}

    def __init__(self, rate: float = 0.1) -> None:
        self.rate = rate

    def augment(self, X: Array, y: Array, rng: np.random.Generator) -> None:
        rows, columns = np.nonzero(rng.random(X.shape, np.float32) < self.rate)
        X[rows, columns] = X[rng.integers(0, len(X), rows.size), columns]
