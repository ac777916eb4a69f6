import numpy as np
import pytest
from scipy.special import expit

from sknn.activations import ACTIVATIONS, Logistic, ReLU
from tests.cases import ACTIVATION_CASES, name_of

grid = pytest.mark.parametrize("activation", ACTIVATION_CASES, ids=name_of)
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@grid
def test_slope_is_the_numeric_derivative(activation):
    z = np.linspace(-3, 3, 41) + 0.0123  # away from the kink of relu
    ahead, behind = z + 1e-6, z - 1e-6
    activation.apply(ahead)
    activation.apply(behind)
    _, slope = activation.value_and_slope(z)

    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-9)


@grid
@dtypes
def test_forward_and_apply_agree_and_keep_the_dtype(activation, dtype):
    z = np.linspace(-4, 4, 30, dtype=dtype).reshape(5, 6)
    applied = z.copy()
    activation.apply(applied)
    forwarded, slope = activation.value_and_slope(z)

    np.testing.assert_allclose(applied, forwarded, rtol=1e-6)
    assert applied.dtype == forwarded.dtype == slope.dtype == dtype


@grid
@dtypes
def test_values_stay_finite_far_out(activation, dtype):
    z = np.array([-1e3, -50, 0, 50, 1e3], dtype)
    a, slope = activation.value_and_slope(z)

    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


def test_logistic_is_scipys():
    z = np.linspace(-30, 30, 101)
    expected = expit(z)
    Logistic().apply(z)

    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-15)


def test_relu_has_no_slope_at_zero():
    _, slope = ReLU().value_and_slope(np.zeros(3))

    np.testing.assert_array_equal(slope, 0)


def test_scikit_learns_names_are_there():
    assert set(ACTIVATIONS) >= {"identity", "logistic", "tanh", "relu"}


def test_relu_is_applied_to_arrays_of_any_size():
    z = np.random.default_rng(0).standard_normal((3, 40_000))
    expected = np.maximum(z, 0)
    ReLU().apply(z)

    np.testing.assert_array_equal(z, expected)
