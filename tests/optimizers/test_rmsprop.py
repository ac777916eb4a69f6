"""Steps scaled by past gradients, worked out by hand."""

import pytest

from sknn.optimizers import Adagrad, RMSprop
from tests.optimizers.running import assert_refused, two_steps


def test_rmsprop():
    theta, state = two_steps(RMSprop(rho=0.75, epsilon=0.1, momentum=0.5), 2.0, 1.0)

    # v = 0.25 * 4 = 1, then 0.75 * 1 + 0.25 * 1 = 1
    first = 2 / (1 + 0.1)
    second = 0.5 * first + 1 / (1 + 0.1)
    assert theta == pytest.approx(1 - 0.1 * first - 0.1 * second, rel=1e-14)
    assert state["second_moment"] == pytest.approx(1, rel=1e-14)
    assert state["velocity"] == pytest.approx(second, rel=1e-14)


def test_adagrad():
    theta, state = two_steps(Adagrad(epsilon=0.1, rate_decay=0.5, initial_sum=5.0), 2.0, 4.0)

    # The sum is 5 + 4 = 9, then 9 + 16 = 25; the rate 0.1, then 0.1 / 1.5.
    assert theta == pytest.approx(1 - 0.1 * 2 / (3 + 0.1) - 0.1 / 1.5 * 4 / (5 + 0.1), rel=1e-14)
    assert state["sum_of_squares"] == pytest.approx(25, rel=1e-14)


@pytest.mark.parametrize(
    "optimizer",
    [
        RMSprop(rho=1.0),
        RMSprop(epsilon=0.0),
        RMSprop(momentum=1.0),
        Adagrad(epsilon=0.0),
        Adagrad(rate_decay=-0.1),
        Adagrad(initial_sum=-0.1),
    ],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)
