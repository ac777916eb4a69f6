"""The checker is tested, too: it must notice a derivative that is wrong by 0.1 %."""

import numpy as np
import pytest

from tests.gradcheck import check_gradient


def _quartic(theta):
    return np.sum(theta**4), 4 * theta**3


def test_a_right_gradient_passes():
    rng = np.random.default_rng(0)
    check_gradient(_quartic, rng.standard_normal(7), rng)


def test_a_gradient_that_is_wrong_by_a_thousandth_fails():
    rng = np.random.default_rng(0)

    def wrong(theta):
        value, grad = _quartic(theta)
        return value, 1.001 * grad

    with pytest.raises(AssertionError):
        check_gradient(wrong, rng.standard_normal(7), rng)
