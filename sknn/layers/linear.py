"""The linear layer, and its form at the network's end."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component
from sknn._constraints import OneOf
from sknn._math import Array, Call, product, swap
from sknn.layers._base import LAYERS, BoundLayer, Draw, Layer, Site
from sknn.layers.sparse import SparseBatch, add_sparse_gradient, sparse_product
from sknn.operations import MULTIPLY_ADD, SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, free, weight

N_MIXED = 5
"""Of so many rows is the point mixed at which a unit that adapts has the sum 0."""

NTK_INTERCEPT_RATE = 0.1
"""The factor of the learning rate of intercepts beside weights in NTK parametrisation."""

ROWS_TOGETHER = 64
"""So many rows of a prediction get their intercepts as one long row."""


@LAYERS.register("linear")
class Linear(Layer):
    r"""Weighted sums of the inputs: :math:`z = x W + b`.

    Going back, :math:`\partial L/\partial W = x^\top g`, :math:`\partial L/\partial b = \sum_i
    g_i` and :math:`\partial L/\partial x = g W^\top`, with g the gradient with respect to z.

    Parameters
    ----------
    n_units : int
        Number of sums.
    output_major : bool, default=False
        Whether the output has the axes (n_units, n_samples), as losses expect it.
    has_intercept : bool, default=True
        Whether there is a b; before batch normalisation it would have no effect.
    parametrization : {"standard", "ntk"}, default="standard"
        How the weights are trained. With "ntk" as if they were :math:`W = V / \sqrt{n_{in}}` and V
        were trained: under a rule whose steps do not depend on the scale of the gradient, such as
        Adam, the learning rate of W is divided by :math:`\sqrt{n_{in}}`, but not its decay, and
        one rate suits layers of all widths. The intercepts have a tenth of the rate.
    adapts : bool, default=False
        Whether the initial parameters are adapted to training rows: each unit's weights are divided
        by the standard deviation of its sums, and its intercept is minus a random mean of its sums
        for `N_MIXED` rows, so that units bend where there are data.

    See Also
    --------
    sknn.layers.Layer : The contract.
    sknn.parameters.weight : How its weights are trained.
    sknn.initializers.Initializer : Draws them.

    References
    ----------
    Jacot, A., Gabriel, F. and Hongler, C., "Neural tangent kernel: Convergence and generalization
    in neural networks", NeurIPS 2018.

    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024 (for the initial parameters and the rate of the
    intercepts).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.layers import Linear
    >>> X, y = load_iris(return_X_y=True)
    >>> net = MLPClassifier(10, front=[Linear(2)], tol=0.01, random_state=0)
    >>> [coef.shape for coef in net.fit(X, y).coefs_]
    [(4, 2), (2, 10), (10, 3)]
    """

    takes_sparse = True
    begins_hidden_layer = True

    constraints: ClassVar = {"parametrization": [OneOf(["standard", "ntk"])]}

    def __init__(
        self,
        n_units: int,
        output_major: bool = False,
        has_intercept: bool = True,
        parametrization: str = "standard",
        adapts: bool = False,
    ) -> None:
        self.n_units = n_units
        self.output_major = output_major
        self.has_intercept = has_intercept
        self.parametrization = parametrization
        self.adapts = adapts

    @property
    def calibrates(self) -> bool:  # type: ignore[override]
        """Whether it adapts to training rows."""
        return self.adapts

    def structure(self) -> Hashable:
        # How training begins is in the parameters.
        return Component.structure(self.changed(adapts=False))

    def n_out(self, n_in: int) -> int:
        return self.n_units

    def parameters(self, n_in: int) -> dict[str, Parameter]:
        is_ntk = self.parametrization == "ntk"
        root = math.sqrt(n_in) if is_ntk else 1.0
        parameters = {"coef": weight((n_in, self.n_units), rate=1 / root, decay=root)}
        if self.has_intercept:
            rate = NTK_INTERCEPT_RATE if is_ntk else 1.0
            parameters["intercept"] = free((self.n_units,), "intercepts_", rate=rate)
        return parameters

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        n_read = n_in if n_entries is None else n_entries
        # The intercepts are added on the way there, and their gradients up on the way back.
        intercept = SIMPLE * self.n_units if self.has_intercept else 0
        each = Cost(MULTIPLY_ADD * n_read * self.n_units + intercept)
        return LayerOperations(
            forward=each,
            backward=each,
            input_gradient=Cost(MULTIPLY_ADD * n_in * self.n_units),
            prediction=each,
            n_accumulated=0 if n_entries is None else n_in * self.n_units,
        )

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        coef, intercept = draw(*parameters["coef"].shape)
        parameters["coef"][...] = coef
        if self.has_intercept:
            parameters["intercept"][...] = intercept

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        if not self.adapts:
            return
        coef = parameters["coef"]
        sums = np.asarray(x @ coef, np.float64)
        deviation = sums.std(axis=0)
        factor = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 1)
        coef *= factor
        if self.has_intercept:
            chosen = rng.randint(len(sums), size=(N_MIXED, self.n_units))
            shares = rng.exponential(size=chosen.shape)
            mixed = np.take_along_axis(sums * factor, chosen, 0) * shares
            parameters["intercept"][...] = -mixed.sum(axis=0) / shares.sum(axis=0)

    def bind(self, site: Site) -> BoundLayer:
        x, parameters, gradients = site.x, site.parameters, site.gradients
        coef, is_sparse = parameters["coef"], isinstance(x, SparseBatch)
        *lead, n, _ = x.shape
        shape = (self.n_units, n) if self.output_major else (n, self.n_units)
        z = np.empty((*lead, *shape), coef.dtype)
        if is_sparse:
            forward: list[Call] = [partial(sparse_product, x, coef, self._rows(z))]
        elif self.output_major:
            # z' = W' x': BLAS reads transposed views as they are.
            forward = [partial(product(z), swap(coef), swap(x), z)]
        else:
            forward = [partial(product(z), x, coef, z)]
        if self.has_intercept:
            forward.append(self._add_intercept(z, parameters["intercept"]))

        def backward(grad: Array) -> tuple[list[Call], Array | None]:
            rows = self._rows(grad)
            calls: list[Call] = []
            if site.wants_gradients and is_sparse:
                calls.append(partial(add_sparse_gradient, x, rows, gradients["coef"]))
            elif site.wants_gradients:
                calls.append(partial(product(grad), swap(x), rows, gradients["coef"]))
            if site.wants_gradients and self.has_intercept:
                calls.append(sum_samples(rows, gradients["intercept"]))
            if not site.wants_input_gradient:
                return calls, None
            calls += _times_transposed(rows, coef, x)
            return calls, x

        n_accumulated = coef.shape[-2] * coef.shape[-1] if is_sparse else 0
        return BoundLayer(z, forward, backward, n_accumulated)

    def apply(self, x: Any, parameters: Any) -> Array:
        coef, intercept = parameters["coef"], parameters.get("intercept")
        if intercept is None:
            return np.asarray(x @ coef)
        if self.output_major:
            z = np.dot(coef.T, x.T) if isinstance(x, np.ndarray) else (x @ coef).T
            z += intercept[:, np.newaxis]
        else:
            z = _weighted_sums(x, coef, intercept)
        return z

    def _add_intercept(self, z: Array, intercept: Array) -> Call:
        """Return the call that adds the intercepts to the sums."""
        if intercept.size == 1:
            # For a single sum a vector and a 0-d array, which costs a third of broadcasting.
            return partial(np.add, z.reshape(-1), intercept.reshape(()), z.reshape(-1))
        bias = intercept[..., np.newaxis] if self.output_major else intercept[..., np.newaxis, :]
        return partial(np.add, z, bias, z)

    def _rows(self, z: Array) -> Array:
        """Return the view of an output-shaped array with the axes (n_samples, n_units)."""
        return swap(z) if self.output_major else z


def _weighted_sums(x: Any, coef: Array, intercept: Array) -> Array:
    """Return ``x @ coef + intercept``."""
    z = np.dot(x, coef) if isinstance(x, np.ndarray) else x @ coef
    if len(z) % ROWS_TOGETHER or not z.flags.c_contiguous:
        z += intercept
    else:
        # Broadcasting short rows costs 1.6 times an addition of long ones.
        long = z.reshape(-1, ROWS_TOGETHER * intercept.size)
        long += np.broadcast_to(intercept, (ROWS_TOGETHER, intercept.size)).reshape(-1)
    return z


def sum_samples(grad: Array, out: Array) -> Call:
    """Return the call that sums `grad` over samples: a product with a row of ones."""
    return partial(product(grad), np.ones(grad.shape[-2], grad.dtype), grad, out)


def _times_transposed(grad: Array, coef: Array, out: Array) -> list[Call]:
    """Return the calls for ``grad @ coef.T``."""
    if grad.ndim == 2 or coef.shape[-1] > 1:
        return [partial(product(grad), grad, swap(coef), out)]
    # matmul leaves BLAS aside for an inner size of one; with a second column of zeros it is
    # three times as fast as a broadcast multiplication.
    padded_grad = np.zeros((*grad.shape[:-2], 2, grad.shape[-2]), grad.dtype)
    padded_coef = np.zeros((*coef.shape[:-2], 2, coef.shape[-2]), coef.dtype)
    return [
        partial(np.copyto, padded_grad[..., :1, :], swap(grad)),
        partial(np.copyto, padded_coef[..., :1, :], swap(coef)),
        partial(np.matmul, swap(padded_grad), padded_coef, out),
    ]
