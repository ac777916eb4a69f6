import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax, xlogy

from sknn.losses import BinaryLogLoss, LogLoss, PoissonLoss, SquaredError
from tests.cases import LOSS_CASES, make_targets, name_of

grid = pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def evaluate(loss, raw, target, dtype=np.float64):
    """Return each sample's value and the gradient for unit weights."""
    raw, target = raw.astype(dtype), target.astype(dtype)
    record, weight = np.empty_like(raw), np.ones((), dtype)
    loss.gradient(raw, target, weight, record)
    return loss.values(record, target, np.empty_like(raw)).copy(), raw


def make_case(loss, n_samples=8, n_outputs=3, seed=0):
    """Return raw scores and targets, output by output."""
    rng = np.random.default_rng(seed)
    y = make_targets(loss, n_samples, n_outputs, rng)
    return rng.standard_normal((n_outputs, n_samples)), y.T


@grid
def test_gradient_is_the_numeric_derivative(loss):
    raw, target = make_case(loss)
    _, gradient = evaluate(loss, raw, target)
    for k, i in np.ndindex(raw.shape):
        ahead, behind = raw.copy(), raw.copy()
        ahead[k, i] += 1e-6
        behind[k, i] -= 1e-6
        numeric = (evaluate(loss, ahead, target)[0] - evaluate(loss, behind, target)[0])[i] / 2e-6
        assert gradient[k, i] == pytest.approx(numeric, rel=1e-6, abs=1e-9)


@grid
@dtypes
def test_a_leading_axis_means_models(loss, dtype):
    cases = [make_case(loss, seed=seed) for seed in range(3)]
    raws, targets = (np.stack(arrays) for arrays in zip(*cases, strict=True))

    values, gradients = evaluate(loss, raws, targets, dtype)

    for m, (raw, target) in enumerate(cases):
        value, gradient = evaluate(loss, raw, target, dtype)
        np.testing.assert_array_equal(values[m], value)
        np.testing.assert_array_equal(gradients[m], gradient)
        assert value.dtype == gradient.dtype == dtype


@pytest.mark.parametrize(
    "loss", [BinaryLogLoss(), LogLoss(), PoissonLoss(), SquaredError()], ids=name_of
)
def test_the_best_constant_is_the_link_of_the_mean(loss):
    n_outputs = 3 if loss.out_activation == "softmax" else 1
    rng = np.random.default_rng(1)
    y = make_targets(loss, 40, n_outputs, rng)
    target = y.T

    def total(constant):
        values, gradient = evaluate(loss, np.repeat(constant[:, np.newaxis], 40, 1), target)
        return values.mean(), gradient.mean(axis=1)

    best = minimize(total, np.zeros(n_outputs), jac=True, tol=1e-12).x[:, np.newaxis]
    loss.inverse_link(best)

    np.testing.assert_allclose(best[:, 0], y.mean(axis=0), rtol=1e-5)


@grid
@dtypes
def test_inverse_link_has_the_range_of_the_targets(loss, dtype):
    raw = np.linspace(-60, 60, 30, dtype=dtype).reshape(3, 10)
    loss.inverse_link(raw)

    assert raw.dtype == dtype
    assert np.isfinite(raw).all()
    if loss.out_activation in ("logistic", "softmax"):
        assert raw.min() >= 0
        assert raw.max() <= 1
    if loss.out_activation == "softmax":
        np.testing.assert_allclose(raw.sum(axis=0), 1, rtol=1e-6)
    if loss.out_activation == "exp":
        assert raw.min() > 0


def test_binary_log_loss_is_the_formula():
    raw, target = make_case(BinaryLogLoss())
    p, y = expit(raw), target == 1
    values, gradient = evaluate(BinaryLogLoss(), raw, target)

    expected = -(xlogy(y, p) + xlogy(~y, 1 - p)).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, p - y, rtol=1e-12)


def test_log_loss_is_the_formula():
    raw, target = make_case(LogLoss())
    p = softmax(raw, axis=0)
    values, gradient = evaluate(LogLoss(), raw, target)

    np.testing.assert_allclose(values, -np.log(p[target.argmax(axis=0), range(8)]), rtol=1e-12)
    np.testing.assert_allclose(gradient, p - target, rtol=1e-12, atol=1e-15)


def test_poisson_loss_is_half_the_deviance():
    raw, target = make_case(PoissonLoss())
    values, gradient = evaluate(PoissonLoss(), raw, target)
    mu = np.exp(raw)

    expected = (xlogy(target, target / mu) - target + mu).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(gradient, mu - target, rtol=1e-12)


def test_squared_error_is_half_the_square_and_reported_as_a_mean():
    raw, target = make_case(SquaredError())
    values, gradient = evaluate(SquaredError(), raw, target)

    np.testing.assert_allclose(values, ((raw - target) ** 2).sum(axis=0) / 2, rtol=1e-14)
    np.testing.assert_allclose(gradient, raw - target)
    assert SquaredError().reported(3) == 3


@pytest.mark.parametrize("loss", [BinaryLogLoss(), LogLoss()], ids=name_of)
@dtypes
def test_reported_log_losses_clip_probabilities_as_scikit_learn_does(loss, dtype):
    raw = np.array([[-900.0, 900.0], [900.0, -900.0]])
    y = np.array([[True, False], [True, False]])
    values, _ = evaluate(loss, raw, y.T, dtype)
    eps = np.finfo(dtype).eps

    n_outputs = 2 if isinstance(loss, BinaryLogLoss) else 1
    np.testing.assert_allclose(values, [-np.log(eps) * n_outputs, 0], rtol=1e-3, atol=3 * eps)


@pytest.mark.parametrize("loss", [BinaryLogLoss(), LogLoss()], ids=name_of)
def test_log_probabilities_stay_finite_where_probabilities_underflow(loss):
    raw = np.array([[-1e4, 3.0], [1e4, 2.0]])
    log_p = raw.copy()
    loss.log_inverse_link(log_p)
    loss.inverse_link(raw)

    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p), raw, rtol=1e-14)
