"""Schedules by the clock: a training that is to end in time, and settled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sknn.schedules import Decay, Schedule

ROUNDING = 1e-9
"""By how much the share of a training may miss 1 and be all of it."""


class Clock:
    """Says which share of a training is over, so that all of it fits into some seconds.

    Before each epoch it is found how long it will be: as planned if there is time for all epochs,
    else such that those for which there is time make up the rest. An epoch ends where a wave of
    the learning rate does, if that is near.

    Parameters
    ----------
    seconds : float
        How long the training may take, from its first epoch on.
    n_epochs : int
        How many epochs it has if there is time for all.
    ends : sequence of float
        The shares at which waves end; the last is 1.
    now : callable, default=time.perf_counter
        Returns the time in seconds.
    """

    def __init__(
        self,
        seconds: float,
        n_epochs: int,
        ends: Sequence[float],
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._seconds, self._step, self._ends, self._now = seconds, 1 / n_epochs, list(ends), now
        self._begin = 0.0
        self.marks = [0.0]

    def share(self, epoch: float) -> float:
        """Return the share that is over; the first question in an epoch begins it."""
        number = int(epoch)
        while len(self.marks) < number + 2:
            self._begin_epoch(len(self.marks) - 1)
        begin, end = self.marks[number], self.marks[number + 1]
        return begin + (epoch - number) * (end - begin)

    def has_ended(self, n_epochs: int) -> bool:
        """Whether the training is over after so many epochs."""
        return self.marks[n_epochs] >= 1 - ROUNDING

    def wave_that_ends(self, n_epochs: int) -> int | None:
        """Return the number of the wave that has ended with so many epochs, or None."""
        mark = self.marks[n_epochs]
        found = (k for k, end in enumerate(self._ends) if abs(end - mark) < ROUNDING)
        return next(found, None)

    def _begin_epoch(self, number: int) -> None:
        now = self._now()
        if number == 0:
            self._begin = now
        done = self.marks[-1]
        step = self._step
        if number:
            elapsed = now - self._begin
            n_left = max(1, int((self._seconds - elapsed) / (elapsed / number)))
            step = max(step, (1 - done) / n_left)
        reach = done + 1.5 * step
        near = [end for end in self._ends if done + ROUNDING < end <= reach]
        self.marks.append(near[-1] if near else min(1.0, done + step))


class ByTheClock(Schedule):
    """A schedule that is followed as the clock says.

    Parameters
    ----------
    schedule : Decay
    clock : Clock
    """

    by_step = True
    is_finite = True

    def __init__(self, schedule: Decay, clock: Clock) -> None:
        self.schedule = schedule
        self.clock = clock

    def step_multiplier(self, epoch: float, n_epochs: int, n_samples_seen: int) -> float:
        return self.schedule.at(self.clock.share(epoch))
