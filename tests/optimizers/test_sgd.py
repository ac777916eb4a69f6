"""Gradient descent with momentum, worked out by hand."""

import numpy as np
import pytest

from sknn.optimizers import SGD
from tests.optimizers.fitting import fit, linear_gradients, make_data
from tests.optimizers.running import assert_refused, two_steps


def test_sgd():
    # Velocities -0.1 * 2 = -0.2 and 0.5 * -0.2 - 0.1 * 1 = -0.2.
    classical, state = two_steps(SGD(momentum=0.5, nesterov=False), 2.0, 1.0)
    assert classical == pytest.approx(1 - 0.2 - 0.2, rel=1e-14)
    assert state["velocity"] == pytest.approx(-0.2, rel=1e-14)

    nesterov, _ = two_steps(SGD(momentum=0.5, nesterov=True), 2.0, 1.0)
    assert nesterov == pytest.approx(1 + (0.5 * -0.2 - 0.2) + (0.5 * -0.2 - 0.1), rel=1e-14)


N_EPOCHS = 4


def test_decay_of_sgd_does_not_pass_through_its_momentum():
    _, _, (coef,), (intercept,) = make_data()
    velocity = np.zeros_like(coef), np.zeros_like(intercept)
    for gradient in linear_gradients(N_EPOCHS):
        g = gradient(coef, intercept)
        velocity = 0.9 * velocity[0] - 0.05 * g[0], 0.9 * velocity[1] - 0.05 * g[1]
        coef = (1 - 0.05 * 0.3) * coef + velocity[0]
        intercept = intercept + velocity[1]
    estimator = fit(
        (),
        N_EPOCHS,
        solver="sgd",
        nesterovs_momentum=False,
        learning_rate_init=0.05,
        weight_decay=0.3,
    )

    np.testing.assert_allclose(estimator.coefs_[0], coef, rtol=1e-12)
    np.testing.assert_allclose(estimator.intercepts_[0], intercept, rtol=1e-12)


def test_without_momentum_each_step_is_the_gradient():
    for nesterov in (False, True):
        theta, _ = two_steps(SGD(momentum=0.0, nesterov=nesterov), 2.0, 1.0)
        assert theta == pytest.approx(1 - 0.1 * 2 - 0.1 * 1, rel=1e-14)


@pytest.mark.parametrize(
    "optimizer", [SGD(momentum=-0.1), SGD(momentum=1.1), SGD(nesterov=2)], ids=repr
)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)


def test_operations_worked_out_by_hand():
    # The rate, mu v, v; mu v once more, minus the gradient, theta.
    assert SGD().operations(10) == (1 + 1 + 1 + 1 + 1 + 1) * 10
    assert SGD(nesterov=False).operations(10) == (1 + 1 + 1 + 1) * 10
