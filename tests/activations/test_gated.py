import numpy as np
import pytest
from scipy.special import expit, ndtr

from sknn.activations import GELU, Mish, SiLU
from tests.activations.formulas import check_formula, dtypes
from tests.cases import name_of

FORMULAS = [
    (
        GELU(),
        lambda z: z * ndtr(z),
        lambda z: ndtr(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
    ),
    (SiLU(), lambda z: z * expit(z), lambda z: expit(z) * (1 + z * expit(-z))),
    (
        Mish(),
        lambda z: z * np.tanh(np.log1p(np.exp(z))),
        lambda z: np.tanh(np.log1p(np.exp(z))) + z * expit(z) / np.cosh(np.log1p(np.exp(z))) ** 2,
    ),
]


@pytest.mark.parametrize(("activation", "function", "derivative"), FORMULAS, ids=name_of)
@dtypes
def test_values_and_slopes_follow_the_formula(activation, function, derivative, dtype):
    check_formula(activation, function, derivative, dtype)


@pytest.mark.parametrize("activation", [GELU(), SiLU(), Mish()], ids=name_of)
@dtypes
def test_gates_are_open_far_above_zero_and_shut_far_below(activation, dtype):
    z = np.array([-200, 30, 1000], dtype)
    value, slope = activation.value_and_slope(z)

    np.testing.assert_allclose(value, [0, 30, 1000], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, [0, 1, 1], rtol=1e-6, atol=1e-6)
