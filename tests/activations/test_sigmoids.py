import numpy as np
import pytest
from scipy.special import expit

from sknn.activations import ACTIVATIONS, Logistic, Tanh
from tests.activations.formulas import check_formula, dtypes
from tests.cases import name_of

FORMULAS = [
    (Logistic(), expit, lambda z: expit(z) * expit(-z)),
    (Tanh(), np.tanh, lambda z: 1 / np.cosh(z) ** 2),
]


@pytest.mark.parametrize(("activation", "function", "derivative"), FORMULAS, ids=name_of)
@dtypes
def test_values_and_slopes_follow_the_formula(activation, function, derivative, dtype):
    check_formula(activation, function, derivative, dtype)


def test_logistic_is_scipys():
    z = np.linspace(-30, 30, 101)
    expected = expit(z)
    Logistic().apply(z)

    np.testing.assert_allclose(z, expected, rtol=1e-12, atol=1e-15)


def test_sigmoid_is_another_name_of_logistic():
    assert ACTIVATIONS["sigmoid"] is ACTIVATIONS["logistic"]


def test_as_in_scikit_learn_only_logistic_begins_with_smaller_weights():
    factors = {name: ACTIVATIONS[name].glorot_factor for name in ("logistic", "tanh", "relu")}

    assert factors == {"logistic": 2, "tanh": 6, "relu": 6}
