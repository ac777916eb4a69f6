"""Penalties on the weights, added to the loss."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component, Registry
from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import MULTIPLY_ADD, SIMPLE


class Penalty(Component):
    """Contract of a penalty on the flat block of weights.

    All methods work on coef, grad and scratch of shape (n_weights,) or (n_models, n_weights);
    `factor` of shape () or (n_models, 1) is alpha divided by the weight of the batch, and
    `record` of the same shape receives what ``values`` needs.

    See Also
    --------
    sknn.penalties.L2 : The default of the estimators.
    sknn.penalties.ElasticNet : What `l1_ratio` chooses.
    """

    operations: ClassVar[int] = SIMPLE + MULTIPLY_ADD
    """What `write_gradient` costs for each weight. One that does not say so counts a multiplication
    and an inner product."""

    def constants(self) -> tuple[Any, ...]:
        """Return the numbers in the formula; the methods get them as arrays of coef's dtype.

        Returns
        -------
        tuple of float
            In the order in which the methods take them.
        """
        return ()

    @abstractmethod
    def write_gradient(
        self, coef: Array, grad: Array, factor: Array, record: Array, *constants: Array
    ) -> None:
        """Write the gradient of ``factor * penalty(coef)`` to `grad`.

        Parameters
        ----------
        coef : ndarray of shape (..., n_weights)
            The weights.
        grad : ndarray of shape (..., n_weights)
            Where the gradient will be.
        factor : ndarray of shape () or (n_models, 1)
            Alpha, divided by the weight of the batch.
        record : ndarray of shape () or (n_models, 1)
            Room for what `values` needs.
        *constants : ndarray
            What ``constants()`` returns.
        """

    def add_gradient(
        self,
        coef: Array,
        grad: Array,
        scratch: Array,
        factor: Array,
        record: Array,
        *constants: Array,
    ) -> None:
        """Add the gradient of ``factor * penalty(coef)`` to `grad`; `scratch` is consumed.

        Parameters
        ----------
        coef : ndarray of shape (..., n_weights)
            The weights.
        grad : ndarray of shape (..., n_weights)
            What the gradient is added to.
        scratch : ndarray of shape (..., n_weights)
            Room for it.
        factor : ndarray of shape () or (n_models, 1)
            Alpha, divided by the weight of the batch.
        record : ndarray of shape () or (n_models, 1)
            Room for what `values` needs.
        *constants : ndarray
            What ``constants()`` returns.
        """
        self.write_gradient(coef, scratch, factor, record, *constants)
        np.add(grad, scratch, grad)

    @abstractmethod
    def values(self, record: Array) -> Array:
        """Return ``factor * penalty(coef)`` from what was recorded.

        Parameters
        ----------
        record : ndarray
            What a gradient has left.

        Returns
        -------
        ndarray
            One number for each entry of `record`.
        """


PENALTIES: Registry[Penalty] = Registry("penalty")


@PENALTIES.register("l2")
class L2(Penalty):
    """Half the squared norm of the weights; its gradient is the weights.

    See Also
    --------
    sknn.penalties.ElasticNet : Mixed with absolute values.
    sknn.optimizers.AdamW : Weight decay beside the loss.
    sklearn.linear_model.Ridge : A linear model with this penalty.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> MLPClassifier(alpha=0.01)
    MLPClassifier(alpha=0.01)
    """

    operations = SIMPLE + MULTIPLY_ADD

    def write_gradient(
        self, coef: Array, grad: Array, factor: Array, record: Array, *constants: Array
    ) -> None:
        np.multiply(coef, factor, grad)
        write_inner_product(coef, grad, record)

    def add_gradient(
        self,
        coef: Array,
        grad: Array,
        scratch: Array,
        factor: Array,
        record: Array,
        *constants: Array,
    ) -> None:
        # The usual case, without calls within: they would be 3 % of a small network's step.
        np.multiply(coef, factor, scratch)
        if coef.ndim == 1:
            np.dot(coef, scratch, record)
        else:
            write_inner_product(coef, scratch, record)
        np.add(grad, scratch, grad)

    def values(self, record: Array) -> Array:
        return 0.5 * record


@PENALTIES.register("elastic_net")
class ElasticNet(Penalty):
    r"""A mixture of half the squared norm and the sum of absolute values.

    .. math:: \Omega(W) = \frac{1 - r}{2} \lVert W \rVert_2^2 + r \lVert W \rVert_1

    Parameters
    ----------
    l1_ratio : float, default=0.5
        The share r of the absolute values, in [0, 1].

    See Also
    --------
    sknn.penalties.L2 : Without absolute values, the default.
    sklearn.linear_model.ElasticNet : A linear model with this penalty.

    References
    ----------
    Zou, H. and Hastie, T., "Regularization and variable selection via the elastic net", Journal of
    the Royal Statistical Society B 67 (2005).

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> MLPClassifier(alpha=0.01, l1_ratio=0.5)
    MLPClassifier(alpha=0.01, l1_ratio=0.5)
    """

    operations = 2 * 5 * SIMPLE + MULTIPLY_ADD
    constraints: ClassVar = {"l1_ratio": [Interval(Real, 0, 1, "both")]}

    def __init__(self, l1_ratio: float = 0.5) -> None:
        self.l1_ratio = l1_ratio

    def constants(self) -> tuple[Any, ...]:
        return 0.5 * (1 - self.l1_ratio), 1 - self.l1_ratio, self.l1_ratio

    def write_gradient(
        self, coef: Array, grad: Array, factor: Array, record: Array, *constants: Array
    ) -> None:
        half, whole, share = constants
        # Without a buffer: the value is the inner product of coef and (half |coef| + share)
        # with the signs of coef.
        for multiple in (half, whole):
            np.absolute(coef, grad)
            np.multiply(grad, multiple, grad)
            np.add(grad, share, grad)
            np.copysign(grad, coef, grad)
            np.multiply(grad, factor, grad)
            if multiple is half:
                write_inner_product(coef, grad, record)

    def values(self, record: Array) -> Array:
        return record


def write_inner_product(a: Array, b: Array, out: Array) -> None:
    """Write the inner product of two vectors, or of each pair in two stacks, to `out`."""
    if a.ndim == 1:
        np.dot(a, b, out)
    else:
        np.matmul(a[:, np.newaxis], b[..., np.newaxis], out=out[..., np.newaxis])
