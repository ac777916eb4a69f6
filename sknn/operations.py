r"""What computing costs, counted in floating-point operations.

A multiplication and an addition are two operations, so a product of matrices of shapes (m, k) and
(k, n) takes 2 m k n. Work element by element is weighed by the table below, the normalised
operations that McMahon counts loops in. The rules, once for all components:

- What is counted is the arithmetic that the code makes, in training and in prediction: a function
  that is computed from others is the sum of these.
- A sum or a maximum of n numbers counts n, also where it is made as a product with equal numbers,
  and a mean one multiplication more. So a product that is added to what is there costs no more than
  another.
- Whatever handles bits and places counts nothing: random numbers, gathering rows, copies, casts,
  integers, logic.
- Nor do single numbers, of which a step has as many however large the network is: learning rates,
  bias corrections, the root of a norm.

References
----------
McMahon, F., "The Livermore Fortran kernels: A computer test of the numerical performance range",
Lawrence Livermore National Laboratory, UCRL-53745 (1986).

Hennessy, J. and Patterson, D., "Computer architecture: A quantitative approach", Morgan Kaufmann
(1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

Count: TypeAlias = int | Fraction
"""A number of operations, or of entries in a row; the mean over rows need not be a whole one."""

SIMPLE = 1
"""An addition, subtraction, multiplication or comparison; so are maximum, choice and sign."""

MULTIPLY_ADD = 2 * SIMPLE
"""A multiplication whose result is added to a sum."""

DIVISION = 4
"""A division."""

ROOT = 4
"""A square root."""

FUNCTION = 8
"""An elementary function: exponential, logarithm, tangent, sine, error function and the like."""

LOGISTIC = FUNCTION + DIVISION + 2 * SIMPLE
"""The logistic function: 1 / (1 + exp(-z))."""

SOFTPLUS = 2 * FUNCTION + 3 * SIMPLE
"""The logarithm of 1 + exp(z): max(z, 0) + log1p(exp(-|z|))."""

NORMAL = FUNCTION + 3 * SIMPLE
"""The normal distribution: (1 + erf(z / sqrt(2))) / 2."""


class Cost(NamedTuple):
    """What something costs that is done to some rows at a time.

    Attributes
    ----------
    per_row : int or Fraction
        Operations for each row.
    per_call : int or Fraction
        Operations that are made once, however many rows there are.
    """

    per_row: Count = 0
    per_call: Count = 0

    def of(self, n_rows: int, n_calls: int = 1) -> Count:
        """Return the operations for so many rows, in so many calls together."""
        return self.per_row * n_rows + self.per_call * n_calls


def add_up(costs: Iterable[Cost]) -> Cost:
    """Return the cost of several things together."""
    per_row: Count = 0
    per_call: Count = 0
    for cost in costs:
        per_row += cost.per_row
        per_call += cost.per_call
    return Cost(per_row, per_call)


class ActivationOperations(NamedTuple):
    """What an activation costs for each unit and row.

    Attributes
    ----------
    forward : int
        The value and its derivative, in training.
    apply : int
        The value alone, in prediction.
    """

    forward: int
    apply: int


class LayerOperations(NamedTuple):
    """What a layer costs.

    Attributes
    ----------
    forward : Cost
        The forward pass of training.
    backward : Cost
        What the backward pass makes in any case: the gradient with respect to the parameters, and
        whatever else is not spared.
    input_gradient : Cost
        What is spared in either pass if nobody wants the gradient with respect to the input, as in
        a network's first layer.
    prediction : Cost
        The output at prediction time; a call predicts a chunk of rows.
    n_accumulated : int
        So many leading parameters get their gradient added, not written.
    """

    forward: Cost = Cost()
    backward: Cost = Cost()
    input_gradient: Cost = Cost()
    prediction: Cost = Cost()
    n_accumulated: int = 0


def in_a_row(layers: Sequence[LayerOperations]) -> LayerOperations:
    """Return what layers cost, one after the other: only the first may spare its input gradient."""
    return LayerOperations(
        forward=add_up(layer.forward for layer in layers),
        backward=add_up(
            [*(layer.backward for layer in layers), *(layer.input_gradient for layer in layers[1:])]
        ),
        input_gradient=add_up(layer.input_gradient for layer in layers[:1]),
        prediction=add_up(layer.prediction for layer in layers),
        n_accumulated=sum(layer.n_accumulated for layer in layers),
    )
