"""Muon."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import BOOLEAN, Interval
from sknn._math import Array, Call, number, swap
from sknn.operations import DIVISION, MULTIPLY_ADD, SIMPLE
from sknn.optimizers._base import OPTIMIZERS, Optimizer
from sknn.optimizers.adam import AdamW

Matrices = list[tuple[slice, tuple[int, ...]]]
"""Where matrices lie in a vector, and their shapes."""

QUINTIC = (3.4445, -4.7750, 2.0315)
"""The coefficients of the Newton-Schulz iteration."""

EPSILON = 1e-7
"""The least norm that a matrix is divided by."""


@OPTIMIZERS.register("muon")
class Muon(Optimizer):
    r"""Steps along the orthogonal matrix that is nearest to a momentum of the gradient.

    .. math::
        M_t = \mu M_{t-1} + (1 - \mu) G_t, \qquad
        O_t \approx U V^\top \text{ for } (1 - \mu) G_t + \mu M_t = U \Sigma V^\top

    .. math:: W_t = W_{t-1} - \eta \sqrt{\max(1, n_{out} / n_{in})} \, O_t

    :math:`O_t` comes from a few iterations of :math:`X \leftarrow a X + b (X X^\top) X + c (X
    X^\top)^2 X`. All weights take such steps, those of the output as well; what is no
    matrix, such as intercepts and scales, takes AdamW's.

    Parameters
    ----------
    momentum : float, default=0.95
        :math:`\mu` in [0, 1).
    nesterov : bool, default=True
        Whether the step looks ahead by the gradient; without it O comes from M.
    n_iterations : int, default=5
        Iterations, at least 1.

    See Also
    --------
    sknn.optimizers.AdamW : What parameters that are no matrices get.
    sknn.optimizers.Lion : Signs in place of orthogonal matrices.
    sknn.initializers.Orthogonal : Initial weights of this kind.

    References
    ----------
    Jordan, K. et al., "Muon: An optimizer for hidden layers in neural networks" (2024),
    https://kellerjordan.github.io/posts/muon/

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> MLPClassifier(solver="muon", learning_rate_init=0.01)
    MLPClassifier(learning_rate_init=0.01, solver='muon')
    """

    # Names of its own: with rmsprop's, training would go on from what means something else there.
    # For all parameters but the weights the first array holds AdamW's first moment.
    moments = ("gradient_mean", "second_moment")
    is_elementwise = False
    constraints: ClassVar = {
        "momentum": [Interval(Real, 0, 1)],
        "nesterov": [BOOLEAN],
        "n_iterations": [Interval(Integral, 1, None)],
    }

    def __init__(
        self, momentum: float = 0.95, nesterov: bool = True, n_iterations: int = 5
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.n_iterations = n_iterations

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        return np.asarray(rate), *AdamW().step_numbers(t, rate)

    def constants(self) -> tuple[Any, ...]:
        return self.momentum, 1 - self.momentum

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        n_others = n_parameters - sum(map(math.prod, shapes))
        return AdamW().operations(n_others) + sum(map(self._operations_of_matrix, shapes))

    def _operations_of_matrix(self, shape: tuple[int, ...]) -> int:
        """Return what the step of a matrix costs."""
        k, n = sorted(shape)
        products = MULTIPLY_ADD * (k * k * n + k * k * k + k * k * n)
        iteration = products + 3 * SIMPLE * k * k + 2 * SIMPLE * k * n
        # The direction, its division by its norm, two factors and the step itself.
        direction = (5 if self.nesterov else 3) * SIMPLE
        each = direction + 2 * SIMPLE + DIVISION + 3 * SIMPLE
        return self.n_iterations * iteration + each * k * n

    def bind(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        matrices: list[tuple[slice, tuple[int, ...]]],
    ) -> Callable[[tuple[Array, ...]], list[Call]]:
        arrays = theta, grad, scratch, moments[0], moments[1]
        pieces: list[Callable[[tuple[Array, ...]], list[Call]]] = []
        for where, of in _cover(matrices, theta.shape[-1]):
            part = tuple(array[..., where] for array in arrays)
            bind = self._bind_matrices if of else self._bind_others
            pieces.append(bind(part, constants, of))
        return lambda numbers: [call for piece in pieces for call in piece(numbers)]

    def _bind_matrices(
        self, arrays: tuple[Array, ...], constants: tuple[Array, ...], matrices: Matrices
    ) -> Callable[[tuple[Array, ...]], list[Call]]:
        """Return the steps of neighbouring matrices."""
        theta, grad, scratch, mean, _ = arrays
        direct = partial(self.step, theta, grad, scratch, (mean,), constants)
        orthogonalize: list[Call] = []
        for where, shape in matrices:
            update = scratch[..., where].reshape(*theta.shape[:-1], *shape)
            orthogonalize += self._orthogonalize(update)
            factor = number(np.sqrt(max(1.0, shape[1] / shape[0])), theta.dtype)
            orthogonalize.append(partial(np.multiply, update, factor, update))
        return lambda numbers: [
            direct,
            *orthogonalize,
            partial(np.multiply, scratch, numbers[0], scratch),
            partial(np.subtract, theta, scratch, theta),
        ]

    def _bind_others(
        self, arrays: tuple[Array, ...], constants: tuple[Array, ...], matrices: Matrices
    ) -> Callable[[tuple[Array, ...]], list[Call]]:
        """Return the steps of parameters that are no matrices: AdamW's."""
        theta, grad, scratch, *moments = arrays
        adamw = AdamW()
        betas = tuple(number(value, theta.dtype) for value in adamw.constants())
        step = partial(adamw.step, theta, grad, scratch, tuple(moments), betas)
        return lambda numbers: [partial(step, *numbers[1:])]

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        """Leave in `scratch` the direction that is then made orthogonal.

        Parameters
        ----------
        theta : ndarray of shape (..., n_parameters)
            The parameters, left as they are.
        grad : ndarray of shape (..., n_parameters)
            Their gradient, consumed.
        scratch : ndarray of shape (..., n_parameters)
            Where the direction will be.
        moments : tuple of ndarray
            The momentum.
        constants : tuple of ndarray
            Those of the momentum.
        *numbers : ndarray
            Not used here.
        """
        (mean,), (momentum, rest) = moments, constants
        np.multiply(mean, momentum, mean)
        np.multiply(grad, rest, grad)
        np.add(mean, grad, mean)
        if self.nesterov:
            np.multiply(mean, momentum, scratch)
            np.add(scratch, grad, scratch)
        else:
            np.copyto(scratch, mean)

    def _orthogonalize(self, matrix: Array) -> list[Call]:
        """Return the calls that replace a matrix by one with singular values near 1."""
        x = matrix if matrix.shape[-2] <= matrix.shape[-1] else swap(matrix)
        *lead, k, _ = x.shape
        gram, square, product = (np.empty((*lead, k, k), x.dtype) for _ in range(3))
        moved = np.empty(x.shape, x.dtype)
        a, b, c = (number(value, x.dtype) for value in QUINTIC)
        iteration: list[Call] = [
            partial(np.matmul, x, swap(x), gram),
            partial(np.matmul, gram, gram, square),
            partial(np.multiply, gram, b, product),
            partial(np.multiply, square, c, square),
            partial(np.add, product, square, product),
            partial(np.matmul, product, x, moved),
            partial(np.multiply, x, a, x),
            partial(np.add, x, moved, x),
        ]
        return [partial(_normalize, x, moved), *iteration * self.n_iterations]


def _cover(matrices: Matrices, size: int) -> list[tuple[slice, Matrices]]:
    """Return the stretches of neighbouring matrices, and those in between, of a vector.

    The matrices of a stretch are counted from its beginning; in between there are none.
    """
    stretches: list[tuple[slice, Matrices]] = []
    end = 0
    for where, shape in [*matrices, (slice(size, size), None)]:
        if where.start > end:
            stretches.append((slice(end, where.start), []))
        if shape is not None:
            if not stretches or not stretches[-1][1]:
                stretches.append((slice(where.start, where.start), []))
            start = stretches[-1][0].start
            inner = slice(where.start - start, where.stop - start)
            stretches[-1] = slice(start, where.stop), [*stretches[-1][1], (inner, shape)]
        end = where.stop
    return stretches


def _normalize(x: Array, scratch: Array) -> None:
    """Divide matrices by their Frobenius norms."""
    np.multiply(x, x, scratch)
    norm = np.sqrt(scratch.sum(axis=(-2, -1), keepdims=True))
    np.divide(x, np.maximum(norm, EPSILON), x)
