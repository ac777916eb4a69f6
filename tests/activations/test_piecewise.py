import numpy as np
import pytest

from sknn.activations import Identity, LeakyReLU, ReLU, resolve_activation
from tests.activations.formulas import check_formula, dtypes
from tests.cases import name_of

FORMULAS = [
    (LeakyReLU(0.3), lambda z: np.where(z > 0, z, 0.3 * z), lambda z: np.where(z > 0, 1, 0.3)),
]


@pytest.mark.parametrize(("activation", "function", "derivative"), FORMULAS, ids=name_of)
@dtypes
def test_values_and_slopes_follow_the_formula(activation, function, derivative, dtype):
    check_formula(activation, function, derivative, dtype)


def test_identity_changes_nothing_and_is_left_out_of_networks():
    z = np.array([-2.0, 0.0, 3.0])
    value, slope = Identity().value_and_slope(z)
    applied = z.copy()
    Identity().apply(applied)

    np.testing.assert_array_equal(value, z)
    np.testing.assert_array_equal(applied, z)
    np.testing.assert_array_equal(slope, 1)
    assert Identity.is_identity
    assert not ReLU.is_identity


def test_relu_has_no_slope_at_zero():
    _, slope = ReLU().value_and_slope(np.zeros(3))

    np.testing.assert_array_equal(slope, 0)


@dtypes
def test_leaky_relu_leaves_positive_values_as_they_are(dtype):
    z = np.random.default_rng(0).random(1000).astype(dtype)
    for negative_slope in (0.01, 0.1, 1 / 3, 0.7):
        value, slope = LeakyReLU(negative_slope).value_and_slope(z)

        np.testing.assert_array_equal(value, z)
        np.testing.assert_array_equal(slope, 1)


def test_relu_is_applied_to_arrays_of_any_size():
    z = np.random.default_rng(0).standard_normal((3, 40_000))
    expected = np.maximum(z, 0)
    ReLU().apply(z)

    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize("view", [np.s_[:, ::2], np.s_[::2], np.s_[:, 3:]], ids=str)
def test_relu_is_applied_to_views(view):
    z = np.random.default_rng(0).standard_normal((30, 40))
    expected = z.copy()
    expected[view] = np.maximum(z[view], 0)
    ReLU().apply(z[view])

    np.testing.assert_array_equal(z, expected)


@pytest.mark.parametrize(
    "activation", [LeakyReLU(-0.1), LeakyReLU(1.0)], ids=["leaky -0.1", "leaky 1"]
)
def test_numbers_that_make_no_sense_are_refused(activation):
    with pytest.raises(ValueError, match="negative_slope"):
        activation.check()
    with pytest.raises(ValueError, match="negative_slope"):
        resolve_activation(activation)
