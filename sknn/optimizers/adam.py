"""Adam and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import DIVISION, ROOT, SIMPLE
from sknn.optimizers._base import OPTIMIZERS, Optimizer

BETA = Interval(Real, 0, 1)
POSITIVE = Interval(Real, 0, None, "neither")


class AdamFamily(Optimizer):
    r"""What Adam and its kin share: two moments of the gradient, and their bias corrections.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.
    """

    # In `step` the moments are m / (1 - beta_1) and v / (1 - beta_2), which saves a multiplication
    # each; `step_numbers` and `constants` hold the factors that make up for it.
    moments: ClassVar[tuple[str, ...]] = ("first_moment", "second_moment")
    constraints: ClassVar = {"beta_1": [BETA], "beta_2": [BETA], "epsilon": [POSITIVE]}

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def moment_units(self) -> dict[str, Any]:
        units = {"first_moment": 1 - self.beta_1}
        return units | dict.fromkeys(self.moments[1:], 1 - self.beta_2)

    def constants(self) -> tuple[Any, ...]:
        return self.beta_1, self.beta_2

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        first, second = self._corrections(t)
        # (rate first m) / (second sqrt(v) + epsilon), divided by `second`
        return self.epsilon / second, rate * first / second

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + DIVISION + 8 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        # Epsilon is a constant where it stands beside the uncorrected moment, else a number.
        beta_1, beta_2, epsilon, number = (*constants, *numbers)
        m, v = moments
        np.multiply(m, beta_1, m)
        np.add(m, grad, m)
        np.multiply(v, beta_2, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, number, scratch)
        np.subtract(theta, scratch, theta)

    def _corrections(self, t: Array) -> tuple[Array, Array]:
        """Return what brings m and the square root of v, in `step`'s units, to those of g."""
        first = (1 - self.beta_1) / (1 - self.beta_1**t)
        return first, np.sqrt(1 - self.beta_2) / np.sqrt(1 - self.beta_2**t)


@OPTIMIZERS.register("adam")
class Adam(AdamFamily):
    r"""Adam: gradient descent scaled by running moments of the gradient.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \qquad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2

    .. math::
        \theta_t = \theta_{t-1} - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t}
        \frac{m_t}{\sqrt{v_t} + \epsilon}

    :math:`\epsilon` stands where scikit-learn and section 2 of the paper's first version
    have it, beside the uncorrected second moment.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.

    See Also
    --------
    sknn.optimizers.AdamW : Made to go with weight decay.
    sknn.optimizers.NAdam : With Nesterov's momentum.
    sknn.optimizers.SGD : The same step for all parameters.

    References
    ----------
    Kingma, D. and Ba, J., "Adam: A method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import Adam
    >>> net = MLPClassifier(solver=Adam(beta_1=0.8))
    >>> net.set_params(solver__beta_2=0.99).solver
    Adam(beta_1=0.8, beta_2=0.99)
    """

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        corrected = rate * np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return (corrected * (1 - self.beta_1) / np.sqrt(1 - self.beta_2),)

    def constants(self) -> tuple[Any, ...]:
        return self.beta_1, self.beta_2, self.epsilon / np.sqrt(1 - self.beta_2)


@OPTIMIZERS.register("adamw")
class AdamW(AdamFamily):
    r"""Adam with its epsilon beside the corrected moment, made to go with weight decay.

    .. math::
        \theta_t = \theta_{t-1} - \eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}, \qquad
        \hat m_t = \frac{m_t}{1 - \beta_1^t}, \quad \hat v_t = \frac{v_t}{1 - \beta_2^t}

    after the weights (not the intercepts) have been multiplied by :math:`1 - \eta \lambda`, with
    the estimator's `weight_decay` as :math:`\lambda`, by default 0.01.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.

    See Also
    --------
    sknn.optimizers.Adam : With its epsilon as scikit-learn has it.
    sknn.optimizers.ScheduleFree : The same without a schedule.
    sknn.penalties.L2 : A penalty in the loss instead.

    References
    ----------
    Loshchilov, I. and Hutter, F., "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> MLPClassifier(solver="adamw", weight_decay=0.05)
    MLPClassifier(solver='adamw', weight_decay=0.05)
    """

    default_weight_decay = 0.01


@OPTIMIZERS.register("amsgrad")
class AMSGrad(AdamFamily):
    r"""Adam whose second moment never falls, so that the steps never grow.

    .. math::
        u_t = \max(u_{t-1}, v_t), \qquad
        \theta_t = \theta_{t-1} - \eta \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{u_t / (1 - \beta_2^t)} + \epsilon}

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.

    See Also
    --------
    sknn.optimizers.Adam : Forgets large gradients.
    sknn.optimizers.Adagrad : Forgets none at all.

    References
    ----------
    Reddi, S., Kale, S. and Kumar, S., "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import AMSGrad
    >>> MLPClassifier(solver=AMSGrad(beta_2=0.99))
    MLPClassifier(solver=AMSGrad(beta_2=0.99))
    """

    moments = ("first_moment", "second_moment", "largest_moment")

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + DIVISION + 9 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        beta_1, beta_2 = constants
        epsilon, number = numbers
        m, v, largest = moments
        np.multiply(m, beta_1, m)
        np.add(m, grad, m)
        np.multiply(v, beta_2, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.maximum(largest, v, out=largest)
        np.sqrt(largest, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, number, scratch)
        np.subtract(theta, scratch, theta)


@OPTIMIZERS.register("nadam")
class NAdam(AdamFamily):
    r"""Adam with Nesterov's momentum.

    .. math::
        \theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}
        \Big( \frac{(1 - \mu_t) g_t}{1 - \prod_{i \le t} \mu_i}
        + \frac{\mu_{t+1} m_t}{1 - \prod_{i \le t + 1} \mu_i} \Big)

    with :math:`\mu_t = \beta_1 (1 - \tfrac{1}{2} 0.96^{\psi t})`.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, positive.
    momentum_decay : float, default=0.004
        The rate :math:`\psi` at which the momentum approaches beta_1, at least 0.

    See Also
    --------
    sknn.optimizers.Adam : With the usual momentum.
    sknn.optimizers.SGD : Has Nesterov's momentum, too.

    References
    ----------
    Dozat, T., "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.optimizers import NAdam
    >>> MLPClassifier(solver=NAdam(momentum_decay=0.01))
    MLPClassifier(solver=NAdam(momentum_decay=0.01))
    """

    constraints: ClassVar = {**AdamFamily.constraints, "momentum_decay": [Interval(Real, 0, None)]}

    def __init__(
        self,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
    ) -> None:
        super().__init__(beta_1, beta_2, epsilon)
        self.momentum_decay = momentum_decay

    def step_numbers(self, t: Array, rate: Any) -> tuple[Array, ...]:
        _, second = self._corrections(t)
        mu, mu_next, product, product_next = self._momenta(t)
        of_gradient = rate * (1 - mu) / (1 - product) / second
        of_moment = rate * mu_next / (1 - product_next) * (1 - self.beta_1) / second
        return of_moment, of_gradient, self.epsilon / second

    def _momenta(self, t: Array) -> Array:
        """Return mu_t, mu_t+1 and the products of all mu up to each of them."""
        columns = np.broadcast_arrays(self.beta_1, self.momentum_decay)
        size = 1 << int(t.max() + 1).bit_length()
        tables = [
            _momentum_table(beta_1, decay, size)
            for beta_1, decay in zip(*(column.ravel().tolist() for column in columns), strict=True)
        ]
        if len(tables) == 1:
            return _look_up(*tables[0], t)
        rows = np.broadcast_to(t, (len(t), len(tables), 1))
        return np.stack([_look_up(*table, rows[:, m]) for m, table in enumerate(tables)], axis=2)

    def operations(self, n_parameters: int, shapes: Sequence[tuple[int, ...]] = ()) -> int:
        return (ROOT + DIVISION + 10 * SIMPLE) * n_parameters

    def step(
        self,
        theta: Array,
        grad: Array,
        scratch: Array,
        moments: tuple[Array, ...],
        constants: tuple[Array, ...],
        *numbers: Array,
    ) -> None:
        beta_1, beta_2 = constants
        of_moment, of_gradient, epsilon = numbers
        m, v = moments
        np.multiply(m, beta_1, m)
        np.add(m, grad, m)
        np.multiply(v, beta_2, v)
        np.multiply(grad, grad, scratch)
        np.add(v, scratch, v)
        np.multiply(grad, of_gradient, grad)
        np.multiply(m, of_moment, scratch)
        np.add(grad, scratch, grad)
        np.sqrt(v, scratch)
        np.add(scratch, epsilon, scratch)
        np.divide(grad, scratch, scratch)
        np.subtract(theta, scratch, theta)


@lru_cache(maxsize=128)
def _momentum_table(beta_1: float, decay: float, size: int) -> tuple[Array, Array]:
    """Return mu_i and the product of mu_1 to mu_i, for i below `size`."""
    mu = beta_1 * (1 - 0.5 * 0.96 ** (np.arange(size) * decay))
    return mu, np.concatenate([[1.0], mu[1:]]).cumprod()


def _look_up(mu: Array, products: Array, t: Array) -> Array:
    return np.stack([mu[t], mu[t + 1], products[t], products[t + 1]])
