"""Adam and its kin, worked out by hand: theta is 1, the gradients are mostly 2 and 1."""

import numpy as np
import pytest

from sknn.optimizers import Adam, AdamW, AMSGrad, NAdam
from tests.optimizers.running import assert_refused, two_steps


def test_adam():
    theta, state = two_steps(Adam(beta_1=0.5, beta_2=0.75, epsilon=0.1), 2.0, 1.0)

    # m = 0.5 * 2 = 1, v = 0.25 * 4 = 1; epsilon beside the root of the uncorrected v
    first = 0.1 * np.sqrt(1 - 0.75) / (1 - 0.5) * 1 / (1 + 0.1)
    # m = 0.5 * 1 + 0.5 * 1 = 1, v = 0.75 * 1 + 0.25 * 1 = 1
    second = 0.1 * np.sqrt(1 - 0.5625) / (1 - 0.25) * 1 / (1 + 0.1)
    assert theta == pytest.approx(1 - first - second, rel=1e-14)
    assert state["first_moment"] == pytest.approx(1, rel=1e-14)
    assert state["second_moment"] == pytest.approx(1, rel=1e-14)


def test_adamw():
    theta, state = two_steps(AdamW(beta_1=0.5, beta_2=0.75, epsilon=0.1), 2.0, 1.0)

    # m and v are 1 after both steps, as Adam's; corrected m: 1 / 0.5 = 2, v: 1 / 0.25 = 4
    first = 0.1 * 2 / (2 + 0.1)
    # corrected m: 1 / (1 - 0.25) = 4 / 3, v: 1 / (1 - 0.5625) = 16 / 7
    second = 0.1 * (4 / 3) / (4 / np.sqrt(7) + 0.1)
    assert theta == pytest.approx(1 - first - second, rel=1e-14)
    assert state["first_moment"] == pytest.approx(1, rel=1e-14)
    assert state["second_moment"] == pytest.approx(1, rel=1e-14)


def test_amsgrad():
    theta, state = two_steps(AMSGrad(beta_1=0.5, beta_2=0.75, epsilon=0.1), 4.0, 0.0)

    # m = 2, v = 0.25 * 16 = 4; corrected 4 and 16
    first = 0.1 * 4 / (4 + 0.1)
    # m = 0.5 * 2 = 1, v = 0.75 * 4 = 3, the largest is still 4; corrected 4 / 3 and 64 / 7
    second = 0.1 * (4 / 3) / (8 / np.sqrt(7) + 0.1)
    assert theta == pytest.approx(1 - first - second, rel=1e-14)
    assert state["second_moment"] == pytest.approx(3, rel=1e-14)
    assert state["largest_moment"] == pytest.approx(4, rel=1e-14)


def test_nadam():
    optimizer = NAdam(beta_1=0.5, beta_2=0.75, epsilon=0.1, momentum_decay=1.0)
    theta, state = two_steps(optimizer, 2.0, 1.0)

    # mu_1 = 0.5 * (1 - 0.48) = 0.26, mu_2 = 0.5 * (1 - 0.4608) = 0.2696,
    # mu_3 = 0.5 * (1 - 0.442368) = 0.278816; their products up to 2: 0.070096
    up_to_3 = 0.070096 * 0.278816
    # g = 2, m = 1, corrected v = 4
    first = (1 - 0.26) * 2 / (1 - 0.26) + 0.2696 * 1 / (1 - 0.070096)
    # g = 1, m = 1, corrected v = 16 / 7
    second = (1 - 0.2696) * 1 / (1 - 0.070096) + 0.278816 * 1 / (1 - up_to_3)
    steps = 0.1 * first / (2 + 0.1) + 0.1 * second / (4 / np.sqrt(7) + 0.1)
    assert theta == pytest.approx(1 - steps, rel=1e-14)
    assert state["first_moment"] == pytest.approx(1, rel=1e-14)
    assert state["second_moment"] == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("n_done", [0, 31, 1000])
def test_nadam_knows_the_products_of_its_momenta_at_any_step(n_done):
    t = np.arange(n_done + 1, n_done + 6)
    mu = 0.8 * (1 - 0.5 * 0.96 ** (0.01 * np.arange(1, n_done + 7)))
    of_moment, of_gradient, _ = NAdam(0.8, 0.0, 1e-8, 0.01).step_numbers(t, 0.1)
    product = np.cumprod(mu)

    np.testing.assert_allclose(of_gradient, 0.1 * (1 - mu[t - 1]) / (1 - product[t - 1]))
    np.testing.assert_allclose(of_moment, 0.1 * mu[t] / (1 - product[t]) * 0.2)


def test_nadam_has_the_momenta_of_models_at_different_steps():
    t = np.array([3, 40])[:, np.newaxis] + np.arange(4)[:, np.newaxis, np.newaxis]
    beta_1 = np.array([[0.5], [0.9]])
    together = NAdam(beta_1).step_numbers(t, np.array([[0.1], [0.2]]))

    for m, rate in enumerate([0.1, 0.2]):
        alone = NAdam(float(beta_1[m, 0])).step_numbers(t[:, m, 0], rate)
        for numbers, single in zip(together[:2], alone[:2], strict=True):
            np.testing.assert_array_equal(numbers[:, m, 0], single)


@pytest.mark.parametrize(
    "optimizer",
    [Adam(beta_1=1.0), AdamW(beta_2=-0.1), AMSGrad(epsilon=0.0), NAdam(momentum_decay=-1.0)],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)


def test_operations_worked_out_by_hand():
    # m in 2, v in 3; the root, epsilon, the division, the rate, theta.
    adam = 2 + 3 + 4 + 1 + 4 + 1 + 1

    assert Adam().operations(10) == AdamW().operations(10) == adam * 10
    assert AMSGrad().operations(10) == (adam + 1) * 10  # the larger of two moments
    assert NAdam().operations(10) == (adam + 2) * 10  # the gradient's own share
