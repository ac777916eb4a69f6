"""Steps of one size, worked out by hand."""

import numpy as np
import pytest

from sknn.optimizers import Lion
from tests.optimizers.running import assert_refused, run, two_steps


def test_lion():
    theta, state = two_steps(Lion(beta_1=0.5, beta_2=0.75), [2.0, 2.0, -2.0], [-1.0, -0.25, 0.0])

    # The directions are 0.5 g = 1, 1, -1; m = 0.25 g = 0.5, 0.5, -0.5. Then
    # 0.5 m + 0.5 g = -0.25, 0.125, -0.25 and m = 0.75 m + 0.25 g = 0.125, 0.3125, -0.375.
    np.testing.assert_allclose(theta, [1 - 0.1 + 0.1, 1 - 0.1 - 0.1, 1 + 0.1 + 0.1], rtol=1e-14)
    np.testing.assert_allclose(state["first_moment"], [0.125, 0.3125, -0.375], rtol=1e-14)


def test_each_step_has_the_size_of_the_rate():
    rng, positions = np.random.default_rng(0), []

    def gradient(theta):
        positions.append(theta.copy())
        return rng.standard_normal(5) * np.logspace(-6, 6, 5)

    run(Lion(), gradient, np.zeros(5), 0.1, 20)

    np.testing.assert_allclose(np.abs(np.diff(positions, axis=0)), 0.1, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [Lion(beta_1=1.0), Lion(beta_2=-0.1)], ids=repr)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)
