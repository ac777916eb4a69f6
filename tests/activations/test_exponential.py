import numpy as np
import pytest
from scipy.special import expit

from sknn.activations import ELU, SELU, Softplus, resolve_activation
from tests.activations.formulas import check_formula, dtypes
from tests.cases import name_of

FORMULAS = [
    (
        ELU(0.5),
        lambda z: np.where(z > 0, z, 0.5 * np.expm1(z)),
        lambda z: np.where(z > 0, 1, 0.5 * np.exp(z)),
    ),
    (
        SELU(),
        lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
        lambda z: 1.0507009873554805 * np.where(z > 0, 1, 1.6732632423543772 * np.exp(z)),
    ),
    (Softplus(), lambda z: np.log1p(np.exp(z)), expit),
]


@pytest.mark.parametrize(("activation", "function", "derivative"), FORMULAS, ids=name_of)
@dtypes
def test_values_and_slopes_follow_the_formula(activation, function, derivative, dtype):
    check_formula(activation, function, derivative, dtype)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_elu_ends_at_minus_alpha(alpha):
    value, slope = ELU(alpha).value_and_slope(np.array([-800.0]))

    np.testing.assert_allclose(value, -alpha, rtol=1e-15)
    np.testing.assert_allclose(slope, 0, atol=1e-300)


def test_selu_keeps_mean_and_variance_of_normal_numbers():
    # By quadrature over the normal density: the numbers of the paper are made for that.
    z, weight = np.polynomial.hermite_e.hermegauss(200)
    value, _ = SELU().value_and_slope(z)
    weight /= weight.sum()

    np.testing.assert_allclose(weight @ value, 0, atol=1e-3)
    np.testing.assert_allclose(weight @ value**2, 1, atol=1e-3)


@pytest.mark.parametrize("activation", [ELU(0.0), ELU(-1.0)], ids=["elu 0", "elu -1"])
def test_numbers_that_make_no_sense_are_refused(activation):
    with pytest.raises(ValueError, match="alpha"):
        activation.check()
    with pytest.raises(ValueError, match="alpha"):
        resolve_activation(activation)
