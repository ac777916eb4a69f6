import pytest
from sklearn.base import clone

from sknn.schedules import Adaptive, Constant, InverseScaling
from tests.cases import SCHEDULE_CASES, name_of

grid = pytest.mark.parametrize("schedule", SCHEDULE_CASES, ids=name_of)


@grid
def test_begins_at_the_initial_rate(schedule):
    assert schedule.multiplier(0, 1000) == 1


@grid
def test_is_pure(schedule):
    first = [schedule.multiplier(epoch, 50 * epoch) for epoch in range(5)]
    again = [schedule.multiplier(epoch, 50 * epoch) for epoch in range(5)]

    assert first == again
    assert clone(schedule).get_params() == schedule.get_params()


def test_tables():
    assert [Constant().multiplier(epoch, 9 * epoch) for epoch in range(3)] == [1, 1, 1]
    inverse = [InverseScaling(0.5).multiplier(epoch, 24 * epoch) for epoch in range(2)]
    assert inverse == pytest.approx([1, 1 / 5])
    assert InverseScaling(1).multiplier(3, 9) == pytest.approx(0.1)


def test_adaptive_divides_by_five_until_the_rate_is_small():
    assert Adaptive().after_plateau(1e-3) == pytest.approx(0.2)
    assert Adaptive().after_plateau(1e-6) is None
    assert Constant().after_plateau(1e-3) is None
