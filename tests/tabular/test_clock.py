import itertools

import numpy as np
import pytest

from sknn.schedules import Cosine, CosLog, FlatCosine
from sknn.tabular.clock import ByTheClock, Clock

ENDS = CosLog(4).end_shares()  # 1/15, 3/15, 7/15 and 1


class Time:
    """A clock on the wall, which goes on by what epochs take."""

    def __init__(self):
        self.seconds = 100.0
        self.n_looks = 0

    def now(self):
        self.n_looks += 1
        return self.seconds


def run(seconds, n_epochs, costs, ends=ENDS):
    """Run a training by the clock; return the clock and how long it took.

    Each cost is the time of an epoch, the last is that of all that follow.
    """
    wall = Time()
    clock, begin = Clock(seconds, n_epochs, ends, wall.now), wall.seconds
    for n in itertools.count():
        clock.share(n)
        clock.share(n + 0.5)
        wall.seconds += costs[min(n, len(costs) - 1)]
        if clock.has_ended(n + 1):
            return clock, wall.seconds - begin


def waves_of(clock):
    """Return the numbers of the waves that ended, in order."""
    waves = [clock.wave_that_ends(n) for n in range(1, len(clock.marks))]
    return [wave for wave in waves if wave is not None]


def test_with_time_for_all_epochs_they_are_of_equal_length():
    clock, _ = run(1e9, 30, [1.0])

    assert clock.marks == pytest.approx(np.arange(31) / 30)
    assert waves_of(clock) == [0, 1, 2, 3]


@pytest.mark.parametrize("n_epochs", [1, 2, 3, 5, 8, 16, 17, 32, 100])
@pytest.mark.parametrize("ends", [ENDS, CosLog(2, 4.0).end_shares(), [1.0]], ids=len)
def test_a_training_with_time_has_about_the_epochs_that_are_planned(n_epochs, ends):
    clock, _ = run(1e9, n_epochs, [1.0], ends)
    n_run = len(clock.marks) - 1

    assert abs(n_run - n_epochs) <= len(ends)
    assert clock.marks[-1] == 1
    assert waves_of(clock)[-1] == len(ends) - 1


@pytest.mark.parametrize("seconds", [1, 2, 3, 7.5, 10, 20, 31, 100])
@pytest.mark.parametrize("cost", [0.1, 0.9, 1.0, 3.0])
def test_a_training_ends_in_time_and_whole(seconds, cost):
    """Of at least two epochs: the first is how long they are is found by."""
    clock, elapsed = run(seconds, 64, [cost])

    assert elapsed <= max(seconds, 2 * cost) + 1e-9
    assert clock.marks[-1] == 1
    assert waves_of(clock)[-1] == 3


@pytest.mark.parametrize("seconds", [5, 10, 20, 40])
def test_the_time_is_used(seconds):
    _, elapsed = run(seconds, 1000, [1.0])

    assert seconds - len(ENDS) - 1 <= elapsed <= seconds


def test_epochs_that_become_slower_are_fewer_from_then_on():
    steady, _ = run(40, 60, [1.0])
    clock, elapsed = run(40, 60, [1.0] * 10 + [2.0])

    assert clock.marks[:10] == steady.marks[:10]
    assert len(clock.marks) < len(steady.marks)
    assert elapsed <= 40 + 2
    assert clock.marks[-1] == 1


@pytest.mark.parametrize("costs", [[1.0], [0.2, 5.0], [5.0, 0.2], [1.0, 9.0, 0.1]])
@pytest.mark.parametrize("seconds", [4, 15, 60, 1e6])
def test_shares_rise_to_the_whole(costs, seconds):
    clock, _ = run(seconds, 20, costs)
    n_run = len(clock.marks) - 1
    shares = [clock.share(epoch) for epoch in np.arange(0, n_run, 0.25)]

    assert clock.marks[0] == 0
    assert all(one < other for one, other in itertools.pairwise(clock.marks))
    assert all(one < other for one, other in itertools.pairwise(shares))
    assert clock.marks[-1] == 1
    assert not any(clock.has_ended(n) for n in range(n_run))


def test_within_an_epoch_the_share_rises_in_a_line():
    clock, _ = run(12, 30, [1.0])

    for n, (begin, end) in enumerate(itertools.pairwise(clock.marks)):
        for part in (0, 0.25, 0.9):
            assert clock.share(n + part) == pytest.approx(begin + part * (end - begin))


def test_an_epoch_that_comes_near_the_end_of_a_wave_ends_with_it():
    clock, _ = run(1e9, 32, [1.0])

    for end in ENDS:
        assert end in clock.marks
    lengths = np.diff(clock.marks)
    assert lengths.max() <= 1.5 / 32 + 1e-12


def test_the_time_is_looked_at_once_an_epoch():
    wall = Time()
    clock = Clock(10, 20, ENDS, wall.now)
    for epoch in (0, 0.3, 0.9):
        clock.share(epoch)
    assert wall.n_looks == 1

    first = clock.share(0.3)
    wall.seconds += 5
    clock.share(1)
    assert (wall.n_looks, clock.share(0.3)) == (2, first)


def test_time_counts_from_the_first_epoch_on():
    wall = Time()
    clock = Clock(10, 10, [1.0], wall.now)
    wall.seconds += 1000  # before the training begins
    for n in range(10):
        clock.share(n)
        wall.seconds += 1

    assert clock.marks == pytest.approx(np.arange(11) / 10)


def test_an_end_is_that_of_its_wave_only():
    clock, _ = run(1e9, 15, [1.0])

    assert [clock.wave_that_ends(n) for n in range(1, 16)] == [
        {1: 0, 3: 1, 7: 2, 15: 3}.get(n) for n in range(1, 16)
    ]


@pytest.mark.parametrize("schedule", [FlatCosine(), CosLog(4), Cosine()], ids=repr)
def test_a_schedule_by_the_clock_is_one_of_the_share(schedule):
    clock, _ = run(8, 30, [1.0])
    followed = ByTheClock(schedule, clock)

    assert followed.by_step
    assert followed.is_finite
    for epoch in np.arange(0, len(clock.marks) - 1, 0.3):
        expected = schedule.at(clock.share(epoch))
        assert followed.step_multiplier(epoch, 5, 99) == expected
