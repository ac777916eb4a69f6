"""Losses of regressors that watch one number: formulas, scikit-learn's metrics and scipy."""

import numpy as np
import pytest
from scipy.special import huber, xlogy
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_tweedie_deviance,
)

from sknn.losses import AbsoluteError, GammaLoss, Huber, LogCosh, PoissonLoss, SquaredError, Tweedie
from tests.losses.evaluating import Case, dtypes, evaluate


def test_squared_error_is_half_the_square_and_reported_as_a_mean():
    raw, target = Case(SquaredError()).make()
    values, gradient = evaluate(SquaredError(), raw, target)

    np.testing.assert_allclose(values, ((raw - target) ** 2).sum(axis=0) / 2, rtol=1e-14)
    np.testing.assert_allclose(gradient, raw - target)
    assert SquaredError().reported_divisor(3) == 3


def test_absolute_error_is_the_metric_and_has_no_slope_at_the_target():
    raw, target = Case(AbsoluteError()).make()
    raw[0, 0] = target[0, 0]
    values, gradient = evaluate(AbsoluteError(), raw, target)

    expected = 3 * mean_absolute_error(target.T, raw.T)
    assert values.mean() == pytest.approx(expected, rel=1e-14)
    np.testing.assert_array_equal(gradient, np.sign(raw - target))
    assert gradient[0, 0] == 0


def test_huber_loss_worked_out_by_hand():
    raw = np.array([[2.5, -3.0, 2.0, 1.0]])
    values, gradient = evaluate(Huber(2.0), raw, np.array([[2.0, 2.0, 0.0, 1.0]]))

    # Residuals 0.5, -5, 2 and 0: half the square, or 2 (|r| - 1) from 2 on.
    np.testing.assert_allclose(values, [0.125, 8.0, 2.0, 0.0], rtol=1e-15)
    np.testing.assert_array_equal(gradient, [[0.5, -2.0, 2.0, 0.0]])


def test_huber_loss_is_that_of_scipy():
    raw, target = Case(Huber()).make()
    values, _ = evaluate(Huber(0.7), raw, target)

    np.testing.assert_allclose(values, huber(0.7, raw - target).sum(axis=0), rtol=1e-14)


def test_log_cosh_is_the_formula():
    raw, target = Case(LogCosh()).make()
    values, gradient = evaluate(LogCosh(), raw, target)

    np.testing.assert_allclose(values, np.log(np.cosh(raw - target)).sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(gradient, np.tanh(raw - target), rtol=1e-14)


@dtypes
def test_log_cosh_keeps_its_digits_near_and_far(dtype):
    raw = np.array([[1e-3, 60.0]])
    values, _ = evaluate(LogCosh(), raw, np.zeros((1, 2)), dtype)

    # Near 0 it is r^2 / 2 - r^4 / 12 + ..., far away |r| - log 2.
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(values[0], 1e-6 / 2 - 1e-12 / 12, rtol=8 * eps / 1e-3)
    np.testing.assert_allclose(values[1], 60 - np.log(2), rtol=2 * eps)


def test_poisson_loss_is_half_the_deviance():
    raw, target = Case(PoissonLoss()).make()
    values, gradient = evaluate(PoissonLoss(), raw, target)
    mu = np.exp(raw)

    expected = (xlogy(target, target / mu) - target + mu).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient, mu - target, rtol=1e-12)


DEVIANCES = [
    (PoissonLoss(), mean_poisson_deviance),
    (GammaLoss(), mean_gamma_deviance),
    (Tweedie(), lambda y, mu: mean_tweedie_deviance(y, mu, power=1.5)),
    (Tweedie(1.1), lambda y, mu: mean_tweedie_deviance(y, mu, power=1.1)),
    (Tweedie(1.9), lambda y, mu: mean_tweedie_deviance(y, mu, power=1.9)),
]


@pytest.mark.parametrize(("loss", "deviance"), DEVIANCES, ids=lambda part: repr(part)[:20])
def test_deviances_are_twice_the_loss(loss, deviance):
    raw, target = Case(loss).make(40, 1)
    assert (target == 0).any() != loss.is_open
    values, _ = evaluate(loss, raw, target)

    assert 2 * values.mean() == pytest.approx(deviance(target[0], np.exp(raw[0])), rel=1e-12)


@dtypes
def test_gamma_loss_keeps_its_digits_near_its_minimum(dtype):
    # y / mu = 1 + 1e-3, where the loss is about half the square of that excess.
    values, gradient = evaluate(GammaLoss(), np.zeros((1, 1)), np.array([[1 + 1e-3]]), dtype)
    excess = 1e-3

    expected = excess - np.log1p(excess)
    np.testing.assert_allclose(values, expected, rtol=4 * np.finfo(dtype).eps / excess)
    np.testing.assert_allclose(gradient, -excess, rtol=4 * np.finfo(dtype).eps / excess)


def test_the_best_constant_of_the_absolute_error_is_the_median():
    y = np.array([[1.0], [2.0], [9.0]])

    np.testing.assert_array_equal(AbsoluteError().best_constant(y, None), [2])
    np.testing.assert_array_equal(AbsoluteError().best_constant(y, np.array([1.0, 1, 3])), [9])


@pytest.mark.parametrize(
    "loss",
    [Huber(0.0), Huber(-1.0), Huber("1"), Tweedie(1.0), Tweedie(2.0), Tweedie(None)],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(loss):
    with pytest.raises(ValueError, match=next(iter(loss.get_params()))):
        loss.check()


def test_operations_worked_out_by_hand():
    # z - y and its weight; the square, its half, the sum.
    assert SquaredError().operations(2) == (2 + 3) * 2
    # exp(z), minus y, the weight; y log(y / mu) - y + mu, the sum.
    assert PoissonLoss().operations(2) == (8 + 1 + 1 + (4 + 8 + 1 + 1 + 1) + 1) * 2
    assert SquaredError().link_operations(2) == 0
    assert PoissonLoss().link_operations(2) == 8 * 2
