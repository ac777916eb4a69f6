"""Lion."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import SIMPLE
from sknn.optimizers._base import OPTIMIZERS, Optimizer


@OPTIMIZERS.register("lion")
class Lion(Optimizer):
    r"""Steps of one size in each direction: only the sign of a momentum counts.

    .. math::
        \theta_t = \theta_{t-1} - \eta \operatorname{sign}(\beta_1 m_{t-1} + (1 - \beta_1) g_t),
        \qquad m_t = \beta_2 m_{t-1} + (1 - \beta_2) g_t

    It wants a rate 3 to 10 times smaller than Adam's.

    Parameters
    ----------
    beta_1 : float, default=0.9
        What the momentum counts in the step, in [0, 1).
    beta_2 : float, default=0.99
        Decay of the momentum, in [0, 1).

    See Also
    --------
    sknn.optimizers.AdamW : Steps in proportion to the gradient.
    sknn.optimizers.Muon : Steps of one size for whole matrices.

    References
    ----------
    Chen, X. et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> MLPClassifier(solver="lion", learning_rate_init=0.0003)
    MLPClassifier(learning_rate_init=0.0003, solver='lion')
    """

    # In `step` the moment is m / (1 - beta_2), and only the sign of what it is added to counts.
    moments = ("first_moment",)
    constraints: ClassVar = {"beta_1": [Interval(Real, 0, 1)], "beta_2": [Interval(Real, 0, 1)]}

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.99) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def moment_units(self) -> dict[str, Any]:
        return {"first_moment": 1 - self.beta_2}

    def constants(self) -> tuple[Any, ...]:
        return self.beta_1 * (1 - self.beta_2) / (1 - self.beta_1), self.beta_2

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return 7 * SIMPLE * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        share, beta_2 = constants
        (rate,), (m,) = numbers, moments
        np.multiply(m, share, scratch)
        np.add(scratch, grad, scratch)
        np.sign(scratch, scratch)
        np.multiply(scratch, rate, scratch)
        np.subtract(theta, scratch, theta)
        np.multiply(m, beta_2, m)
        np.add(m, grad, m)
