"""Scores against scikit-learn's, in float64 whatever the dtype of y and the weights."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.preprocessing import scale

from sknn.losses.scores import accuracy, d2_pinball, r2, r2_of_any_size

X, Y = load_diabetes(return_X_y=True)
X = scale(X)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int16, np.uint8])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_scores_are_those_of_float64(dtype, is_weighted):
    y = (Y / 2).astype(dtype).reshape(1, -1)
    predicted = (Y / 2 + 20 * X[:, 0]).astype(np.float32).reshape(1, -1)
    weight = np.random.default_rng(0).random(len(Y)).astype(np.float32) if is_weighted else None
    exact = np.float64(y), np.float64(predicted), None if weight is None else np.float64(weight)

    assert r2(y, predicted, weight) == pytest.approx(r2(*exact), rel=1e-12)
    assert r2(*exact) == pytest.approx(r2_score(exact[0][0], exact[1][0], sample_weight=exact[2]))
    assert d2_pinball(y, predicted, 0.3, weight) == pytest.approx(
        d2_pinball(*exact[:2], 0.3, exact[2]), rel=1e-12
    )


@pytest.mark.parametrize("unit", [1e20, 1e-20])
def test_scores_have_no_unit(unit):
    y, predicted = (np.float32(a * unit).reshape(1, -1) for a in (Y, Y + 20 * X[:, 0]))

    assert r2(y, predicted, None) == pytest.approx(r2_score(Y, Y + 20 * X[:, 0]), rel=1e-5)


def test_many_small_weights_add_up():
    weight = np.full(100_000, 0.1, np.float32)
    is_right = np.arange(100_000) % 2 == 0

    assert accuracy(is_right, weight) == 0.5


def test_accuracy_worked_out_by_hand():
    is_right = np.array([True, False, True, True])

    assert accuracy(is_right, None) == 0.75
    assert accuracy(is_right, np.array([1.0, 6.0, 2.0, 3.0])) == 0.5


def test_r2_is_the_mean_over_outputs():
    y = np.array([[0.0, 2.0, 4.0], [1.0, 2.0, 3.0]])
    predicted = np.array([[0.0, 2.0, 2.0], [2.0, 2.0, 2.0]])

    # Residuals of 4 of 8, and those of the mean.
    assert r2(y, predicted, None) == pytest.approx((0.5 + 0) / 2, rel=1e-15)
    weight = np.array([1.0, 2.0, 3.0])
    assert r2(y, predicted, weight) == pytest.approx(
        r2_score(y.T, predicted.T, sample_weight=weight), rel=1e-14
    )


@pytest.mark.parametrize(("predicted", "expected"), [([3.0, 3.0], 1.0), ([3.0, 2.0], 0.0)])
def test_an_output_that_does_not_vary_is_met_or_not(predicted, expected):
    y = np.array([[3.0, 3.0]])

    assert r2(y, np.array([predicted]), None) == expected
    assert r2_score(y[0], predicted) == expected


def test_d2_pinball_worked_out_by_hand():
    y = np.array([[0.0, 2.0, 4.0]])

    # The best constant at 0.5 is 2, with a loss of (2 + 0 + 2) / 2; at 0.25 the loss is a quarter
    # of what y is above the prediction, and three quarters of what it is below.
    assert d2_pinball(y, y, 0.5, None) == 1
    assert d2_pinball(y, np.array([[2.0, 2.0, 2.0]]), 0.5, None) == 0
    assert d2_pinball(y, np.array([[0.0, 2.0, 3.0]]), 0.5, None) == pytest.approx(0.75)
    assert d2_pinball(y, y - 1, 0.25, None) > d2_pinball(y, y + 1, 0.25, None)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_not_finite_have_no_score(bad):
    y, predicted = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, bad, 3.0]])

    assert np.isnan(r2(y, predicted, None))
    assert np.isnan(d2_pinball(y, predicted, 0.5, None))


@pytest.mark.parametrize("unit", [1e300, 1e-300])
def test_r2_of_any_size_has_no_unit(unit):
    predicted = Y + 20 * X[:, 0]

    assert r2_of_any_size(unit * Y, unit * predicted, None) == pytest.approx(r2_score(Y, predicted))
    assert r2_of_any_size(Y, predicted, None) == r2_score(Y, predicted)
    assert r2_of_any_size(Y, 1e300 * predicted, None) == -np.inf
    assert r2_of_any_size(1e-300 * Y, 1e30 * predicted, None) == -np.inf


def test_r2_of_any_size_needs_a_weight():
    with pytest.raises(ValueError, match="All of sample_weight is 0"):
        r2_of_any_size(Y, Y, np.zeros(len(Y)))
