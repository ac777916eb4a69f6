"""Steps put together by hand; tests of what scikit-learn's become are in test_transformers.py."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, OrdinalEncoder, PolynomialFeatures, StandardScaler

from sknn.inspection.steps import Beside, Encoded, Mixing, Plain, Powers, Scaling, Step, Then

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
SCALER, PCA_2 = StandardScaler().fit(X), PCA(2).fit(X)


def scaling(limits=None):
    return Scaling(SCALER, np.array([2.0, -1.0, 0.5]), np.array([0.0, 1.0, 2.0]), limits)


def mixing():
    return Mixing(PCA_2, PCA_2.mean_, PCA_2.components_)


def encoded():
    return Encoded(OrdinalEncoder().fit(X.round()), np.arange(3))


def check_way_back(step: Step, points):
    """Compare the way back with central differences of the way there."""
    weights = rng.standard_normal((len(points), step.n_outputs))
    assert step.apply(points).shape == weights.shape
    found = step.pull_back(points, weights.copy())
    for j in range(points.shape[1]):
        move = np.zeros_like(points)
        move[:, j] = 1e-6
        change = (step.apply(points + move) - step.apply(points - move)) / 2e-6
        np.testing.assert_allclose(found[:, j], (weights * change).sum(axis=1), atol=1e-7)


STEPS = {
    "scaling": scaling,
    "scaling within limits": lambda: scaling((-0.5, 2.0)),
    "mixing": mixing,
    "powers": lambda: Powers(PolynomialFeatures(3).fit(X)),
    "mixing after scaling": lambda: Then(scaling(), mixing(), SCALER.transform, "pca"),
    "beside each other": lambda: Beside(
        [
            (scaling(), np.arange(3), lambda rows: rows),
            (Plain(2), np.array([2, 0]), lambda rows: rows[:, [2, 0]]),
        ]
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_way_back_is_the_derivative_of_the_way_there(name):
    step = STEPS[name]()

    check_way_back(step, step.encode(X))


def test_columns_beside_each_other_keep_their_origins():
    step = STEPS["beside each other"]()

    assert step.origins.tolist() == [0, 1, 2, 2, 0]
    np.testing.assert_array_equal(step.encode(X), X[:, step.origins])


def test_a_smooth_step_after_another_one_leaves_the_points_where_they_were():
    step = STEPS["mixing after scaling"]()

    assert step.is_smooth
    assert step.output_origins is None
    np.testing.assert_array_equal(step.encode(X), X)


def test_an_encoding_after_scaling_takes_over_the_points():
    scale = MinMaxScaler((0, 2)).fit(X)
    first = Scaling(scale, scale.scale_, scale.min_)
    second = Encoded(OrdinalEncoder().fit(scale.transform(X).round()), np.arange(3))
    step = Then(first, second, lambda rows: scale.transform(rows).round(), "ordinal")

    assert not step.is_smooth
    assert step.encode(X).max() == 2
    assert np.isnan(step.slopes(X, step.encode(X))).all()


def test_an_encoding_after_mixed_columns_has_no_origins():
    with pytest.raises(ValueError, match="The step 'ordinal' encodes columns that the steps"):
        Then(mixing(), encoded(), PCA_2.transform, "ordinal")
