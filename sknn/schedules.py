"""Learning-rate schedules: by what factor the initial rate is multiplied in an epoch."""

from __future__ import annotations

from sknn._component import Component, Registry


class Schedule(Component):
    """Contract: a pure multiplier, and what to do when training has reached a plateau.

    Attributes
    ----------
    farewell : str
        What is printed where a plateau ends the training.
    """

    farewell = "Stopping."

    def multiplier(self, epoch: int, n_samples_seen: int) -> float:
        """Return the factor for the epoch that begins.

        Parameters
        ----------
        epoch : int
            Epochs that the optimizer has run so far, 0 in the first.
        n_samples_seen : int
            Training samples that the estimator has seen so far (its ``t_``).
        """
        return 1.0

    def after_plateau(self, rate: float) -> float | None:
        """Return the factor by which to go on with `rate`, or None to stop training."""
        return None


SCHEDULES: Registry[Schedule] = Registry("learning_rate schedule")


@SCHEDULES.register("constant")
class Constant(Schedule):
    """The initial rate throughout."""


@SCHEDULES.register("invscaling")
class InverseScaling(Schedule):
    r"""The rate falls with the number t of samples seen: :math:`(t + 1)^{-p}`.

    The first epoch runs at the initial rate, as in scikit-learn.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent p, at least 0.
    """

    def __init__(self, power_t: float = 0.5) -> None:
        self.power_t = power_t

    def multiplier(self, epoch: int, n_samples_seen: int) -> float:
        return (n_samples_seen + 1) ** -self.power_t if epoch else 1.0


@SCHEDULES.register("adaptive")
class Adaptive(Schedule):
    """The rate is divided by 5 at each plateau, and training stops at the end of the range.

    Parameters
    ----------
    factor : float, default=0.2
        What the rate is multiplied by, in (0, 1).
    min_rate : float, default=1e-6
        At or below this rate a plateau ends the training.
    """

    farewell = "Learning rate too small. Stopping."

    def __init__(self, factor: float = 0.2, min_rate: float = 1e-6) -> None:
        self.factor = factor
        self.min_rate = min_rate

    def after_plateau(self, rate: float) -> float | None:
        return None if rate <= self.min_rate else self.factor
