"""Schedule-free AdamW against its paper's algorithm, with z, x and y as variables of their own."""

import numpy as np
import pytest

from sknn.optimizers import ScheduleFree
from tests.optimizers.fitting import fit, linear_gradients, make_data
from tests.optimizers.running import assert_refused, two_steps

N_EPOCHS = 15


def textbook(rates, beta_1=0.9, beta_2=0.999, epsilon=1e-8, decay=0.0):
    """Return x and y of a linear model, as pairs of weights and intercepts.

    Defazio, A. et al., "The road less scheduled", NeurIPS 2024, algorithm 1.
    """
    _, _, (coef,), (intercept,) = make_data()
    z = [coef.copy(), intercept.copy()]
    x = [coef.copy(), intercept.copy()]
    v = [np.zeros_like(coef), np.zeros_like(intercept)]
    sum_of_squares = 0.0
    for t, (gradient, rate) in enumerate(zip(linear_gradients(N_EPOCHS), rates, strict=True), 1):
        y = [(1 - beta_1) * z_k + beta_1 * x_k for z_k, x_k in zip(z, x, strict=True)]
        g = gradient(*y)
        sum_of_squares += rate**2
        c = rate**2 / sum_of_squares if sum_of_squares > 0 else 0.0
        for k, lambda_ in enumerate([decay, 0.0]):  # intercepts do not decay
            v[k] = beta_2 * v[k] + (1 - beta_2) * g[k] ** 2
            v_hat = v[k] / (1 - beta_2**t)
            z[k] = z[k] - rate * g[k] / (np.sqrt(v_hat) + epsilon) - rate * lambda_ * y[k]
            x[k] = (1 - c) * x[k] + c * z[k]
    return x, [(1 - beta_1) * z_k + beta_1 * x_k for z_k, x_k in zip(z, x, strict=True)]


def assert_equals(estimator, expected):
    np.testing.assert_allclose(estimator.coefs_[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(estimator.intercepts_[0], expected[1], rtol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.7])
@pytest.mark.parametrize("numbers", [(0.9, 0.999, 1e-8), (0.6, 0.9, 1e-3)], ids=["default", "own"])
def test_training_returns_the_average_of_the_paper(decay, numbers):
    solver = ScheduleFree(*numbers)
    estimator = fit((), N_EPOCHS, solver=solver, learning_rate_init=0.05, weight_decay=decay)
    average, _ = textbook(np.full(3 * N_EPOCHS, 0.05), *numbers, decay)

    assert_equals(estimator, average)


@pytest.mark.parametrize(
    "schedule",
    [lambda epoch: min(1, (epoch + 1) / 5), lambda epoch: min(1, epoch / 5)],
    ids=["from a small rate", "from zero"],
)
def test_the_average_weighs_iterates_by_squared_rates(schedule):
    estimator = fit(
        (),
        N_EPOCHS,
        solver="schedule_free",
        learning_rate=schedule,
        learning_rate_init=0.05,
        weight_decay=0.3,
    )
    rates = 0.05 * np.array([schedule(epoch) for epoch in range(N_EPOCHS)])
    average, _ = textbook(np.repeat(rates, 3), decay=0.3)

    assert_equals(estimator, average)


def test_gradients_are_taken_between_iterate_and_average():
    estimator = fit((), N_EPOCHS, solver="schedule_free", learning_rate_init=0.05)
    _, (coef, intercept) = textbook(np.full(3 * N_EPOCHS, 0.05))

    iterate = estimator._state.moments["iterate"]
    np.testing.assert_allclose(iterate, [*coef.ravel(), *intercept], rtol=1e-12)
    assert np.abs(iterate[: coef.size] - estimator.coefs_[0].ravel()).max() > 1e-3


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


@pytest.mark.parametrize(
    "optimizer",
    [ScheduleFree(beta_1=0.0), ScheduleFree(beta_2=1.0), ScheduleFree(epsilon=-1.0)],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)
