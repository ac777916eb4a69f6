"""Learning-rate schedules: by what factor the initial rate is multiplied in an epoch."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

from sknn._component import Component, Registry
from sknn._constraints import BOOLEAN, Check, Interval

SHARE = Interval(Real, 0, 1, "both")


class Schedule(Component):
    """Contract: a pure multiplier, and what to do when training has reached a plateau.

    Attributes
    ----------
    farewell : str
        What is printed where a plateau ends the training.
    is_finite : bool
        Whether training is meant to end with its last epoch, which then needs no warning.
    by_step : bool
        Whether the factor changes from step to step, by `step_multiplier`.

    See Also
    --------
    sknn.schedules.Constant : The default of the estimators.
    sknn.schedules.FromFunction : Any function of the epoch.
    sknn.MLPClassifier : Takes a name or an instance as `learning_rate`.
    """

    farewell = "Stopping."
    is_finite = False
    by_step = False

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        """Return the factor for the epoch that begins.

        Parameters
        ----------
        epoch : int
            Epochs that the optimizer has run so far, 0 in the first.
        n_epochs : int
            Epochs that it runs at most (`max_iter`); a schedule spans them.
        n_samples_seen : int
            Training samples that the estimator has seen so far (its ``t_``).

        Returns
        -------
        float
            What the learning rate is multiplied by.
        """
        return 1.0

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        """Return the factor for the step that begins.

        Parameters
        ----------
        epoch : float
            Epochs that the optimizer has run so far, with the part of the current one.
        n_epochs : int
            See `multiplier`.
        n_samples_seen : int
            See `multiplier`.

        Returns
        -------
        float
            What the learning rate is multiplied by.
        """
        return self.multiplier(epoch, n_epochs, n_samples_seen)  # type: ignore[arg-type]

    def after_plateau(self, rate: float, epoch: int) -> float | None:
        """Return the factor by which to go on with `rate`, or None to stop training.

        Parameters
        ----------
        rate : float
            The learning rate of the epoch that has ended.
        epoch : int
            Its number, counted from 0 as in `multiplier`.
        """
        return None


SCHEDULES: Registry[Schedule] = Registry("learning_rate schedule")


@SCHEDULES.register("constant")
class Constant(Schedule):
    """The initial rate throughout.

    See Also
    --------
    sknn.schedules.Adaptive : Falls where training has come to rest.
    sknn.schedules.Cosine : Falls to 0 by the end.

    Examples
    --------
    >>> from sknn.schedules import Constant
    >>> [Constant().multiplier(epoch, 5, 0) for epoch in range(5)]
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """


@SCHEDULES.register("invscaling")
class InverseScaling(Schedule):
    r"""The rate falls with the number t of samples seen: :math:`(t + 1)^{-p}`.

    The first epoch runs at the initial rate, as in scikit-learn.

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent p, at least 0.

    See Also
    --------
    sknn.schedules.Exponential : Falls by the same factor in each epoch.
    sknn.schedules.Polynomial : Falls to 0 by the end.

    Examples
    --------
    >>> from sknn.schedules import InverseScaling
    >>> schedule = InverseScaling(power_t=0.5)
    >>> [round(schedule.multiplier(k, 3, 100 * k), 2) for k in range(3)]
    [1.0, 0.1, 0.07]
    """

    constraints: ClassVar = {"power_t": [Interval(Real, 0, None)]}

    def __init__(self, power_t: float = 0.5) -> None:
        self.power_t = power_t

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
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

    See Also
    --------
    sknn.schedules.Step : Falls at epochs that are known before.
    sknn.schedules.Constant : Does not fall, and ends at the first plateau.

    Examples
    --------
    >>> from sknn import MLPClassifier
    >>> from sknn.schedules import Adaptive
    >>> MLPClassifier(solver="sgd", learning_rate=Adaptive(factor=0.5))
    MLPClassifier(learning_rate=Adaptive(factor=0.5), solver='sgd')
    """

    farewell = "Learning rate too small. Stopping."
    constraints: ClassVar = {
        "factor": [Interval(Real, 0, 1, "neither")],
        "min_rate": [Interval(Real, 0, None)],
    }

    def __init__(self, factor: float = 0.2, min_rate: float = 1e-6) -> None:
        self.factor = factor
        self.min_rate = min_rate

    def after_plateau(self, rate: float, epoch: int) -> float | None:
        return None if rate <= self.min_rate else self.factor


class Decay(Schedule):
    """Schedules that are a function of the share of the training that is over.

    See Also
    --------
    sknn.schedules.Cosine : One of them.
    sknn.schedules.FromFunction : A function of the epoch, not of the share.
    sknn.schedules.EveryStep : Follows one from step to step.
    """

    is_finite = True

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        return self.at(min(1.0, epoch / n_epochs))

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        return self.at(min(1.0, epoch / n_epochs))

    def at(self, share: float) -> float:
        """Return the factor where a share in [0, 1] of the epochs has been run.

        Parameters
        ----------
        share : float
            The share of the epochs that has been run, in [0, 1].

        Returns
        -------
        float
            The factor.
        """
        raise NotImplementedError


@SCHEDULES.register("cosine")
class Cosine(Decay):
    r"""Half a wave from 1 to 0: :math:`\tfrac{1}{2} (1 + \cos \pi s)`, s the share that is over.

    See Also
    --------
    sknn.schedules.FlatCosine : Stays at the initial rate for the first half.
    sknn.schedules.OneCycle : Rises first.
    sknn.schedules.Warmup : Puts a rise in front.

    References
    ----------
    Loshchilov, I. and Hutter, F., "SGDR: Stochastic gradient descent with warm restarts",
    ICLR 2017.

    Examples
    --------
    >>> from sknn.schedules import Cosine
    >>> [round(Cosine().multiplier(k, 4, 0), 2) for k in range(4)]
    [1.0, 0.85, 0.5, 0.15]
    """

    def at(self, share: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * share))


@SCHEDULES.register("one_cycle")
class OneCycle(Decay):
    """From a small rate up to the initial one, then down to almost 0, both along a cosine.

    Parameters
    ----------
    rise : float, default=0.3
        The share of the training in which the rate rises, in [0, 1].
    begin : float, default=0.04
        The factor at the beginning, in [0, 1].
    end : float, default=4e-6
        The factor at the end, in [0, 1].

    See Also
    --------
    sknn.schedules.Cosine : Falls from the beginning.
    sknn.schedules.Warmup : A straight rise in front of any schedule.
    sknn.optimizers.SGD : The rule that it was proposed for.

    References
    ----------
    Smith, L. and Topin, N., "Super-convergence: Very fast training of neural networks using large
    learning rates", arXiv:1708.07120 (2018).

    Examples
    --------
    >>> from sknn.schedules import OneCycle
    >>> schedule = OneCycle(rise=0.25)
    >>> [round(schedule.multiplier(k, 8, 0), 2) for k in range(8)]
    [0.04, 0.52, 1.0, 0.93, 0.75, 0.5, 0.25, 0.07]
    """

    constraints: ClassVar = {"rise": [SHARE], "begin": [SHARE], "end": [SHARE]}

    def __init__(self, rise: float = 0.3, begin: float = 0.04, end: float = 4e-6) -> None:
        self.rise = rise
        self.begin = begin
        self.end = end

    def at(self, share: float) -> float:
        if share < self.rise:
            return self._between(self.begin, share / self.rise)
        return self._between(self.end, (1 - share) / (1 - self.rise) if self.rise < 1 else 1.0)

    @staticmethod
    def _between(low: float, share: float) -> float:
        return low + (1 - low) * 0.5 * (1 - math.cos(math.pi * share))


@SCHEDULES.register("exponential")
class Exponential(Decay):
    r"""The rate falls by the same factor in each epoch: :math:`q^s`, s the share that is over.

    Parameters
    ----------
    end : float, default=0.01
        The factor q at the end, in (0, 1].

    See Also
    --------
    sknn.schedules.Polynomial : Falls to 0, as a power.
    sknn.schedules.Step : Falls at a few epochs.

    Examples
    --------
    >>> from sknn.schedules import Exponential
    >>> schedule = Exponential(end=0.01)
    >>> [round(schedule.multiplier(k, 4, 0), 2) for k in range(4)]
    [1.0, 0.32, 0.1, 0.03]
    """

    constraints: ClassVar = {
        "end": [
            Check(
                lambda value: SHARE.accepts(value) and value > 0,
                "a float in the range (0, 1]",
            )
        ]
    }

    def __init__(self, end: float = 0.01) -> None:
        self.end = end

    def at(self, share: float) -> float:
        return self.end**share


@SCHEDULES.register("step")
class Step(Decay):
    """The rate is multiplied by a factor at milestones.

    Parameters
    ----------
    factor : float, default=0.1
        What the rate is multiplied by at each, in [0, 1].
    milestones : sequence of float, default=(0.5, 0.75)
        The shares of the training at which that happens.

    See Also
    --------
    sknn.schedules.Adaptive : Falls where training has come to rest.
    sknn.schedules.Exponential : Falls in each epoch.

    References
    ----------
    He, K., Zhang, X., Ren, S. and Sun, J., "Deep residual learning for image recognition", CVPR
    2016 (section 4.2 for the defaults).

    Examples
    --------
    >>> from sknn.schedules import Step
    >>> schedule = Step(factor=0.1, milestones=(0.5, 0.75))
    >>> [round(schedule.multiplier(k, 4, 0), 2) for k in range(4)]
    [1.0, 1.0, 0.1, 0.01]
    """

    constraints: ClassVar = {
        "factor": [SHARE],
        "milestones": [
            Check(
                lambda value: isinstance(value, (tuple, list)) and all(map(SHARE.accepts, value)),
                "a sequence of floats in the range [0, 1]",
            )
        ],
    }

    def __init__(self, factor: float = 0.1, milestones: Sequence[float] = (0.5, 0.75)) -> None:
        self.factor = factor
        self.milestones = milestones

    def at(self, share: float) -> float:
        return self.factor ** sum(share >= milestone for milestone in self.milestones)


@SCHEDULES.register("polynomial")
class Polynomial(Decay):
    r"""The rate falls to 0 as :math:`(1 - s)^p`, s the share that is over.

    Parameters
    ----------
    power : float, default=1.0
        The exponent p, positive; 1 is a straight line.

    See Also
    --------
    sknn.schedules.Exponential : Falls by the same factor in each epoch.
    sknn.schedules.Cosine : Half a wave in place of a line.

    Examples
    --------
    >>> from sknn.schedules import Polynomial
    >>> [Polynomial(power=1.0).multiplier(k, 4, 0) for k in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """

    constraints: ClassVar = {"power": [Interval(Real, 0, None, "neither")]}

    def __init__(self, power: float = 1.0) -> None:
        self.power = power

    def at(self, share: float) -> float:
        return float((1 - share) ** self.power)


@SCHEDULES.register("flat_cos")
class FlatCosine(Decay):
    r"""The initial value for the first half, then half a wave down to 0.

    .. math:: \tfrac{1}{2} (1 + \cos(\pi \max(2 s - 1, 0)))

    with s the share of the training that is over.

    See Also
    --------
    sknn.schedules.Cosine : Falls from the beginning.
    sknn.schedules.CosLog : Several waves.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> from sknn.schedules import FlatCosine
    >>> [round(FlatCosine().multiplier(k, 8, 0), 2) for k in range(8)]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.85, 0.5, 0.15]
    """

    def at(self, share: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * max(2 * share - 1, 0.0)))


@SCHEDULES.register("coslog")
class CosLog(Decay):
    r"""Cosine waves from 0 to 1 and back that grow longer.

    .. math:: \tfrac{1}{2} (1 - \cos(2 \pi \log_q(1 + (q^k - 1) s)))

    with s the share of the training that is over. Where a wave ends the rate is 0 and the
    parameters have settled: those are good moments to keep them.

    Parameters
    ----------
    n_cycles : int, default=4
        The number k of waves, at least 1.
    growth : float, default=2.0
        How many times as long as the wave before it a wave is, the q of the formula; more than 1.
    ends_with_epochs : bool, default=False
        Whether each wave is stretched a little so that it ends with an epoch, see `ends`.

    See Also
    --------
    sknn.schedules.Cosine : Half a wave.
    sknn.averaging.SWA : Averages parameters of several epochs.
    sknn.TabularMLPClassifier : Keeps a network at the end of each wave.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Examples
    --------
    >>> from sknn.schedules import CosLog
    >>> CosLog(n_cycles=4).ends(30)
    [2, 6, 14, 30]
    """

    constraints: ClassVar = {
        "n_cycles": [Interval(Integral, 1, None)],
        "growth": [Interval(Real, 1, None, "neither")],
        "ends_with_epochs": [BOOLEAN],
    }

    def __init__(
        self, n_cycles: int = 4, growth: float = 2.0, ends_with_epochs: bool = False
    ) -> None:
        self.n_cycles = n_cycles
        self.growth = growth
        self.ends_with_epochs = ends_with_epochs

    def ends(self, n_epochs: int) -> list[int]:
        """Return after which epochs a wave ends; waves of less than an epoch are left out.

        Parameters
        ----------
        n_epochs : int
            The length of the training.

        Returns
        -------
        list of int
            The epochs, counted from 1.
        """
        return sorted({round(n_epochs * share) for share in self.end_shares()} - {0})

    def end_shares(self) -> list[float]:
        """Return at which shares of the training a wave ends.

        Returns
        -------
        list of float
            One for each wave; the last is 1.
        """
        whole = self.growth**self.n_cycles - 1
        return [(self.growth**k - 1) / whole for k in range(1, self.n_cycles + 1)]

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        # In the middle of the epoch: at its beginning the first would be 0.
        return self.step_multiplier(epoch + 0.5, n_epochs, n_samples_seen)

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        if not self.ends_with_epochs:
            return self.at(min(1.0, epoch / n_epochs))
        ends = [0, *self.ends(n_epochs)]
        wave = min(bisect.bisect_right(ends, epoch), len(ends) - 1)
        begin, end = ends[wave - 1], ends[wave]
        return self._within(1, min(1.0, (epoch - begin) / (end - begin)))

    def at(self, share: float) -> float:
        return self._within(self.n_cycles, share)

    def _within(self, n_cycles: int, share: float) -> float:
        """Return the factor where a share of so many waves is over."""
        place = math.log(1 + (self.growth**n_cycles - 1) * share, self.growth)
        return 0.5 * (1 - math.cos(2 * math.pi * place))


class Around(Schedule):
    """Schedules that go by another one, their `schedule`.

    See Also
    --------
    sknn.schedules.Warmup : Puts a rise in front of its schedule.
    sknn.schedules.EveryStep : Follows its schedule from step to step.
    """

    schedule: Schedule

    @property
    def farewell(self) -> str:  # type: ignore[override]
        """That of the schedule."""
        return self.schedule.farewell

    @property
    def is_finite(self) -> bool:  # type: ignore[override]
        """Whether the schedule is."""
        return self.schedule.is_finite


class EveryStep(Around):
    """Another schedule, followed from step to step instead of epoch by epoch.

    Parameters
    ----------
    schedule : Schedule
        It is asked for the factor at fractions of an epoch.

    See Also
    --------
    sknn.schedules.Warmup : Puts a rise in front of its schedule.
    sknn.schedules.Joined : Several schedules, one after the other.

    Examples
    --------
    >>> from sknn.schedules import Cosine, EveryStep
    >>> schedule = EveryStep(Cosine())
    >>> epochs = [0, 0.5, 1, 1.5, 2]
    >>> [round(schedule.step_multiplier(epoch, 2, 0), 2) for epoch in epochs]
    [1.0, 0.85, 0.5, 0.15, 0.0]
    """

    by_step = True

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        return self.schedule.step_multiplier(epoch, n_epochs, n_samples_seen)

    def after_plateau(self, rate: float, epoch: int) -> float | None:
        return self.schedule.after_plateau(rate, epoch)


class Warmup(Around):
    """The rate rises in a straight line for some epochs; another schedule spans the others.

    Parameters
    ----------
    schedule : Schedule
        What comes after the rise.
    n_warmup : int
        Epochs of the rise; the first runs at ``1 / (n_warmup + 1)`` of the rate.

    See Also
    --------
    sknn.schedules.OneCycle : Rises and falls along a cosine.
    sknn.schedules.Joined : Several schedules, one after the other.

    References
    ----------
    Goyal, P. et al., "Accurate, large minibatch SGD: Training ImageNet in 1 hour",
    arXiv:1706.02677 (2017).

    Examples
    --------
    >>> from sknn.schedules import Cosine, Warmup
    >>> schedule = Warmup(Cosine(), n_warmup=3)
    >>> [round(schedule.multiplier(k, 7, 0), 2) for k in range(7)]
    [0.25, 0.5, 0.75, 1.0, 0.85, 0.5, 0.15]
    """

    constraints: ClassVar = {"n_warmup": [Interval(Integral, 0, None)]}

    def __init__(self, schedule: Schedule, n_warmup: int) -> None:
        self.schedule = schedule
        self.n_warmup = n_warmup

    @property
    def by_step(self) -> bool:  # type: ignore[override]
        """Whether the schedule is followed from step to step; then the rise is, too."""
        return self.schedule.by_step

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        return self._follow(self.schedule.multiplier, epoch, n_epochs, n_samples_seen)

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        return self._follow(self.schedule.step_multiplier, epoch, n_epochs, n_samples_seen)

    def _follow(
        self, multiplier: Callable[..., float], epoch: Any, n_epochs: int, n_samples_seen: int
    ) -> float:
        if epoch < self.n_warmup:
            return (epoch + 1) / (self.n_warmup + 1)
        rest, share = max(1, n_epochs - self.n_warmup), (epoch - self.n_warmup) / max(epoch, 1)
        # The schedule begins anew, with the samples that it has seen itself.
        return multiplier(epoch - self.n_warmup, rest, round(share * n_samples_seen))

    def after_plateau(self, rate: float, epoch: int) -> float | None:
        return self.schedule.after_plateau(rate, epoch - self.n_warmup)


class Joined(Schedule):
    """One schedule after the other, each over its part of the epochs.

    Parameters
    ----------
    schedules : sequence of Schedule
        They follow each other.
    boundaries : sequence of int
        The epochs, counted from 0, in which the second, the third ... begins.

    See Also
    --------
    sknn.schedules.Warmup : Puts a straight rise in front of a schedule.
    sknn.schedules.FromFunction : Any function of the epoch.

    Examples
    --------
    >>> from sknn.schedules import Constant, Joined, Polynomial
    >>> schedule = Joined([Constant(), Polynomial()], [2])
    >>> [schedule.multiplier(k, 6, 0) for k in range(6)]
    [1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    """

    def __init__(self, schedules: Sequence[Schedule], boundaries: Sequence[int]) -> None:
        self.schedules = schedules
        self.boundaries = boundaries

    @property
    def farewell(self) -> str:  # type: ignore[override]
        """That of the last schedule."""
        return self.schedules[-1].farewell

    @property
    def is_finite(self) -> bool:  # type: ignore[override]
        """Whether the last schedule is."""
        return self.schedules[-1].is_finite

    def check(self) -> None:
        """Raise ValueError unless there is a boundary between each two schedules."""
        for schedule in self.schedules:
            if not isinstance(schedule, Schedule):
                raise ValueError(
                    f"The schedules of Joined must be instances such as Cosine(); got {schedule!r}."
                )
        rising = all(a < b for a, b in zip((0, *self.boundaries), self.boundaries, strict=False))
        if len(self.boundaries) != len(self.schedules) - 1 or not rising:
            raise ValueError(
                f"Joined needs {len(self.schedules) - 1} boundaries for {len(self.schedules)} "
                f"schedules, positive and in rising order; got {self.boundaries!r}."
            )
        super().check()

    @property
    def by_step(self) -> bool:  # type: ignore[override]
        """Whether one of the schedules is followed from step to step; then all are."""
        return any(schedule.by_step for schedule in self.schedules)

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        schedule, begin, length = self._part(epoch, n_epochs)
        return schedule.multiplier(epoch - begin, length, n_samples_seen)

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        schedule, begin, length = self._part(epoch, n_epochs)
        return schedule.step_multiplier(epoch - begin, length, n_samples_seen)

    def _part(self, epoch: float, n_epochs: int) -> tuple[Schedule, int, int]:
        """Return the schedule of an epoch, where it begins, and for how many epochs it is."""
        place = bisect.bisect_right(self.boundaries, epoch)
        ends = (0, *self.boundaries, max(n_epochs, *self.boundaries, 0))
        length = max(1, ends[place + 1] - ends[place])
        return self.schedules[place], ends[place], length

    def after_plateau(self, rate: float, epoch: int) -> float | None:
        place = bisect.bisect_right(self.boundaries, epoch)
        begin = (0, *self.boundaries)[place]
        return self.schedules[place].after_plateau(rate, epoch - begin)


class FromFunction(Schedule):
    """A schedule that is any function of the epoch.

    Parameters
    ----------
    function : callable
        ``function(epoch)`` returns the factor, with epochs counted from 0.

    See Also
    --------
    sknn.schedules.Joined : Several schedules, one after the other.
    sknn.schedules.Exponential : A fall by the same factor in each epoch.

    Examples
    --------
    >>> from sknn.schedules import FromFunction
    >>> schedule = FromFunction(lambda epoch: 1 / (1 + epoch))
    >>> [round(schedule.multiplier(k, 4, 0), 2) for k in range(4)]
    [1.0, 0.5, 0.33, 0.25]
    """

    def __init__(self, function: Callable[[int], float]) -> None:
        self.function = function

    def multiplier(self, epoch: int, n_epochs: int, n_samples_seen: int) -> float:
        factor = self.function(epoch)
        try:
            return float(factor)
        except (TypeError, ValueError):
            raise ValueError(
                "A function in learning_rate must return a number, the factor of the rate; for "
                f"epoch {epoch} it returned {factor!r}."
            ) from None
