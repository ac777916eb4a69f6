"""Compare an activation with its formula."""

import numpy as np
import pytest

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def check_formula(activation, function, derivative, dtype):
    """Assert that values and slopes are those of two functions, almost to the last digit."""
    z = np.concatenate([np.linspace(-25, 25, 1001), np.linspace(-0.1, 0.1, 101)]).astype(dtype)
    exact = z.astype(np.float64)
    value, slope = activation.value_and_slope(z)
    eps = np.finfo(dtype).eps

    np.testing.assert_allclose(value, function(exact), rtol=8 * eps, atol=8 * eps)
    np.testing.assert_allclose(slope, derivative(exact), rtol=8 * eps, atol=32 * eps)
