"""Targets on a continuous scale."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.preprocessing import scale

from sknn import MLPRegressor
from sknn.losses import LOSSES, Quantile, SquaredError
from sknn.targets import Numbers, TargetSettings

X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X), scale(Y)
NUMBERS = {"max_iter": 20, "learning_rate_init": 0.01, "random_state": 0}


def learn(y, loss, name=""):
    return Numbers.learn(y, TargetSettings(loss=loss, loss_name=name))


@pytest.mark.parametrize(("shape", "n_columns"), [((6,), 1), ((6, 1), 1), ((6, 3), 3)])
def test_each_number_of_a_sample_is_an_output(shape, n_columns):
    y = np.arange(6 * n_columns, dtype=float).reshape(shape)
    targets = learn(y, SquaredError())

    assert targets.n_outputs == n_columns
    assert targets.published() == {"n_outputs_": n_columns}
    np.testing.assert_array_equal(targets.encode(y), y.reshape(6, n_columns))


@pytest.mark.parametrize(
    ("loss", "value", "is_fine"),
    [
        ("poisson", 0.0, True),
        ("poisson", -0.1, False),
        ("gamma", 0.1, True),
        ("gamma", 0.0, False),
        ("squared_error", -1e9, True),
    ],
)
def test_the_loss_bounds_the_numbers(loss, value, is_fine):
    y = np.array([[1.0, 2.0], [3.0, value]])
    targets = learn(np.ones((2, 2)), LOSSES.resolve(loss), loss)
    if is_fine:
        np.testing.assert_array_equal(targets.encode(y), y)
    else:
        with pytest.raises(ValueError, match=f"loss='{loss}' needs y .* found {value} at row 1"):
            targets.encode(y)


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 7)])
def test_the_score_is_r2_of_the_predictions(weight):
    y = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    predicted = y + np.array([0.5, -0.5, 1.0, 0.0, -2.0, 1.0])
    expected = pytest.approx(r2_score(y, predicted, sample_weight=weight))
    identity, logarithmic = learn(y, SquaredError()), learn(y, LOSSES.resolve("poisson"))

    assert identity.score(predicted[np.newaxis].copy(), y[:, np.newaxis], weight) == expected
    raw = np.log(predicted)[np.newaxis]
    assert logarithmic.score(raw, y[:, np.newaxis], weight) == expected


def test_the_score_of_quantiles_is_the_mean_of_theirs():
    y, levels = np.array([1.0, 2.0, 4.0, 8.0]), [0.2, 0.8]
    low, high = np.array([[0.5, 1.0, 3.0, 9.0], [1.5, 4.0, 4.0, 10.0]])
    raw = np.stack([low, np.log(np.expm1(high - low))])  # their distance is a softplus
    expected = [d2_pinball_score(y, q, alpha=a) for q, a in zip((low, high), levels, strict=True)]

    score = learn(y, Quantile(levels)).score(raw, y[:, np.newaxis], None)
    assert score == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("n_columns", [1, 2])
def test_answers_are_samples_by_outputs_or_flat(n_columns):
    y = np.arange(1.0, 1 + 3 * n_columns).reshape(3, n_columns)
    targets = learn(y, LOSSES.resolve("poisson"))
    predicted = targets.predict(np.log(y.T))

    np.testing.assert_allclose(predicted, y[:, 0] if n_columns == 1 else y)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_deviations_have_the_shape_of_the_means(n_columns):
    y = np.arange(3.0 * n_columns).reshape(3, n_columns)
    targets = learn(y, LOSSES.resolve("gaussian"))
    raw = np.concatenate([y.T, np.log(y.T + 1)])  # means, and logarithms of the variances
    mean, deviation = targets.predict_with_deviations(raw)

    np.testing.assert_allclose(mean, y[:, 0] if n_columns == 1 else y)
    np.testing.assert_allclose(deviation, np.sqrt(mean + 1))


# Through the estimator.


@pytest.mark.parametrize(
    ("loss", "value", "message"),
    [
        ("poisson", -1.3, r"loss='poisson' needs y >= 0; found -1\.3 at row 17"),
        ("tweedie", -1.3, r"loss='tweedie' needs y >= 0; found -1\.3 at row 17"),
        ("gamma", 0.0, r"loss='gamma' needs y > 0; found 0\.0 at row 17"),
    ],
)
def test_targets_outside_the_domain_are_named(loss, value, message):
    y = np.ones(len(X))
    y[17] = value
    with pytest.raises(ValueError, match=message):
        MLPRegressor(loss=loss).fit(X, y)
    with pytest.raises(ValueError, match=message):
        MLPRegressor(loss=loss, **NUMBERS).fit(X, np.ones(len(X)), X_val=X, y_val=y)


@pytest.mark.parametrize("loss", [SquaredError(), Quantile(0.9)])
def test_bools_are_zeros_and_ones(loss):
    encoded = learn(Y > 0, loss).encode(Y > 0)

    np.testing.assert_array_equal(encoded[:, 0], (Y > 0).astype(float))
    assert encoded.dtype == np.float64
    model = MLPRegressor((3,), loss=loss, **NUMBERS | {"max_iter": 2, "tol": 0})
    with pytest.warns(ConvergenceWarning):
        model.fit(X, Y > 0)
