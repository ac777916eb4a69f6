"""Averages of the parameters along the training: what validation sees and training returns."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np

from sknn._component import Component, Registry
from sknn._constraints import Interval
from sknn._math import Array
from sknn.operations import SIMPLE


class Averaging(Component):
    r"""Contract of an average a: :math:`a \leftarrow a + w (\theta - a)`, with a weight w.

    An average moves after steps, after epochs, or after both.

    See Also
    --------
    sknn.averaging.EMA : Follows the steps.
    sknn.averaging.SWA : Follows the last epochs.
    sknn.MLPClassifier : Takes a name or an instance as `weight_averaging`.
    """

    def step_weights(self, t: Array) -> Array | None:
        """Return the weights after the steps numbered t (from 1), or None to leave them out.

        Parameters
        ----------
        t : ndarray of int
            The numbers of steps, from 1.

        Returns
        -------
        ndarray or None
            A weight for each step; None for averages that do not move after steps.
        """
        return None

    def epoch_weight(self, epoch: int, n_epochs: int) -> float | None:
        """Return the weight after epoch number `epoch` (from 0) of `n_epochs`, or None.

        Parameters
        ----------
        epoch : int
            The epoch that has ended, from 0.
        n_epochs : int
            Epochs at most.

        Returns
        -------
        float or None
            The weight; None leaves the average as it is.
        """
        return None


AVERAGINGS: Registry[Averaging] = Registry("weight_averaging")


@AVERAGINGS.register("ema")
class EMA(Averaging):
    r"""An exponential moving average over steps.

    .. math:: a_t = d_t a_{t-1} + (1 - d_t) \theta_t, \qquad
        d_t = \min\Big(d, \frac{1 + t}{10 + t}\Big)

    The first steps count less, so that the beginning is soon forgotten.

    Parameters
    ----------
    decay : float, default=0.999
        The limit d of what the average keeps in a step, in [0, 1).

    See Also
    --------
    sknn.averaging.SWA : The mean of the last epochs.
    sknn.optimizers.ScheduleFree : A rule with an average of its own.

    References
    ----------
    Polyak, B. and Juditsky, A., "Acceleration of stochastic approximation by averaging", SIAM
    Journal on Control and Optimization 30 (1992).

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.averaging import EMA
    >>> MLPClassifier(weight_averaging=EMA(decay=0.99))
    MLPClassifier(weight_averaging=EMA(decay=0.99))
    """

    constraints: ClassVar = {"decay": [Interval(Real, 0, 1)]}

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = decay

    def step_weights(self, t: Array) -> Array:
        return np.asarray(1 - np.minimum(self.decay, (1 + t) / (10 + t)))


@AVERAGINGS.register("swa")
class SWA(Averaging):
    r"""Stochastic weight averaging: the mean of the parameters at the ends of the last epochs.

    Parameters
    ----------
    start : float, default=0.75
        The share of `max_iter` after which averaging begins, in [0, 1); until then the average
        is the latest.

    See Also
    --------
    sknn.averaging.EMA : A moving average over steps.
    sknn.schedules.CosLog : A schedule with several good moments.

    Notes
    -----
    The statistics of batch normalisation are those of the latest parameters; they are not computed
    anew for the average.

    References
    ----------
    Izmailov, P. et al., "Averaging weights leads to wider optima and better generalization",
    UAI 2018.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.averaging import SWA
    >>> MLPClassifier(weight_averaging=SWA(start=0.5))
    MLPClassifier(weight_averaging=SWA(start=0.5))
    """

    constraints: ClassVar = {"start": [Interval(Real, 0, 1)]}

    def __init__(self, start: float = 0.75) -> None:
        self.start = start

    def epoch_weight(self, epoch: int, n_epochs: int) -> float:
        n_before = int(self.start * n_epochs + 1e-9)  # 0.29 * 100 is less than 29
        return 1 / max(1.0, epoch - n_before + 1)


FOLLOWING = 3 * SIMPLE
"""What each parameter of `follow` costs."""


def follow(average: Array, theta: Array, weight: Any, scratch: Array) -> None:
    """Move an average towards theta, in place."""
    np.subtract(theta, average, scratch)
    np.multiply(scratch, weight, scratch)
    np.add(average, scratch, average)
