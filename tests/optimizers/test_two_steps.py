"""Each rule's first two steps, worked out by hand from the published formulas.

theta is 1 and the rate 0.1 throughout, the gradients are mostly 2 and 1.
"""

import numpy as np
import pytest

from sknn.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    Muon,
    NAdam,
    RMSprop,
    ScheduleFree,
)
from tests.optimizers.running import make_layout, published, run


def two_steps(optimizer, first, second, start=1.0, layout=None):
    """Return parameters and state, in published units, after steps with two gradients."""
    gradients = iter([np.atleast_1d(first), np.atleast_1d(second)])
    start = np.full(np.shape(np.atleast_1d(first)), start, np.float64)
    theta, state = run(optimizer, lambda _: next(gradients), start, 0.1, 2, layout=layout)
    return theta, published(optimizer, state)


def test_sgd():
    # Velocities -0.1 * 2 = -0.2 and 0.5 * -0.2 - 0.1 * 1 = -0.2.
    classical, state = two_steps(SGD(momentum=0.5, nesterov=False), 2.0, 1.0)
    assert classical == pytest.approx(1 - 0.2 - 0.2, rel=1e-14)
    assert state["velocity"] == pytest.approx(-0.2, rel=1e-14)

    nesterov, _ = two_steps(SGD(momentum=0.5, nesterov=True), 2.0, 1.0)
    assert nesterov == pytest.approx(1 + (0.5 * -0.2 - 0.2) + (0.5 * -0.2 - 0.1), rel=1e-14)


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


def test_lion():
    theta, state = two_steps(Lion(beta_1=0.5, beta_2=0.75), [2.0, 2.0, -2.0], [-1.0, -0.25, 0.0])

    # The directions are 0.5 g = 1, 1, -1; m = 0.25 g = 0.5, 0.5, -0.5. Then
    # 0.5 m + 0.5 g = -0.25, 0.125, -0.25 and m = 0.75 m + 0.25 g = 0.125, 0.3125, -0.375.
    np.testing.assert_allclose(theta, [1 - 0.1 + 0.1, 1 - 0.1 - 0.1, 1 + 0.1 + 0.1], rtol=1e-14)
    np.testing.assert_allclose(state["first_moment"], [0.125, 0.3125, -0.375], rtol=1e-14)


def quintic(value):
    """Return what one Newton-Schulz iteration makes of a singular value."""
    return 3.4445 * value - 4.7750 * value**3 + 2.0315 * value**5


@pytest.mark.parametrize("nesterov", [True, False])
def test_muon(nesterov):
    # A diagonal matrix stays one, and its diagonal holds the singular values.
    optimizer = Muon(momentum=0.5, nesterov=nesterov, n_iterations=1)
    layout = make_layout(2, 2, n_intercepts=1)
    second_weights = [15.5, 0, 0, 6] if nesterov else [10.5, 0, 0, 3]
    theta, state = two_steps(optimizer, [3.0, 0, 0, 4, 2], [*second_weights, 1.0], 1.0, layout)

    # M = 0.5 G = (1.5, 2), and 0.5 G + 0.5 M = (2.25, 3) is in the ratio 3 : 4, too, of norm 5.
    # M = 0.5 (1.5, 2) + 0.5 G = (8.5, 4), and 0.5 G + 0.5 M = (12, 5), of norm 13; or without
    # Nesterov M = (6, 2.5), in the same ratio.
    expected = 1 - 0.1 * np.array(
        [quintic(3 / 5) + quintic(12 / 13), 0, 0, quintic(4 / 5) + quintic(5 / 13)]
    )
    np.testing.assert_allclose(theta[:4], expected, rtol=1e-13)
    mean = [8.5, 0, 0, 4] if nesterov else [6, 0, 0, 2.5]
    np.testing.assert_allclose(state["gradient_mean"][:4], mean, rtol=1e-14)
    # The intercept takes AdamW's steps: corrected m 2 and v 4, then m = 0.9 * 0.2 + 0.1 = 0.28
    # over 1 - 0.81, and v = 0.999 * 0.004 + 0.001 = 0.004996 over 1 - 0.998001.
    second = 0.1 * (0.28 / 0.19) / (np.sqrt(0.004996 / 0.001999) + 1e-8)
    assert theta[4] == pytest.approx(1 - 0.1 * 2 / (2 + 1e-8) - second, rel=1e-12)


@pytest.mark.parametrize(("shape", "factor"), [((1, 4), 2), ((4, 1), 1), ((2, 2), 1)])
def test_muons_steps_are_longer_where_outputs_are_more_than_inputs(shape, factor):
    grad = np.outer(np.ones(shape[0]), np.ones(shape[1]))  # its only singular value is its norm
    optimizer = Muon(n_iterations=1)
    theta, _ = run(
        optimizer, lambda _: grad.ravel(), np.zeros(4), 0.1, 1, layout=make_layout(*shape)
    )

    np.testing.assert_allclose(theta, -0.1 * factor * quintic(1) * 0.5, rtol=1e-13)


def test_schedule_free():
    optimizer = ScheduleFree(beta_1=0.5, beta_2=0.75, epsilon=0.1)
    theta, state = two_steps(optimizer, 2.0, 1.0)

    # Corrected v is 4, then 16 / 7; of equal rates x is the mean of all z.
    z_1 = 1 - 0.1 * 2 / (2 + 0.1)
    z_2 = z_1 - 0.1 * 1 / (4 / np.sqrt(7) + 0.1)
    x = (z_1 + z_2) / 2
    assert state["average"] == pytest.approx(x, rel=1e-14)
    assert theta == pytest.approx((z_2 + x) / 2, rel=1e-14)
    assert state["weight"] == pytest.approx(0.01 + 0.01, rel=1e-14)
    assert state["second_moment"] == pytest.approx(0.75 * 1 + 0.25 * 1, rel=1e-14)
