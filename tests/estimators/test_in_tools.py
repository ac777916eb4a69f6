"""Weights, and what scikit-learn's tools ask of an estimator."""

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4))
SCORE = X @ rng.standard_normal((4, 3))
Y_BINARY = np.where(SCORE[:, 0] > 0, "yes", "no")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def assert_same_weights(one, other, rtol=1e-11):
    for array, expected in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(array, expected, rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("weight", [2.5, [1.0] * 60, np.ones(60, np.float32)])
def test_equal_weights_change_nothing_but_the_penalty(weight):
    one = MLPRegressor((5,), alpha=0, max_iter=15, random_state=0)
    other = sklearn.clone(one).fit(X, SCORE, sample_weight=weight)

    assert_same_weights(other, one.fit(X, SCORE), rtol=1e-6)


def test_weights_weigh():
    weight = np.where(Y_BINARY == "yes", 100.0, 1.0)
    model = MLPClassifier((), solver="lbfgs", alpha=100, random_state=0)
    plain = sklearn.clone(model).fit(X, Y_BINARY)
    weighted = model.fit(X, Y_BINARY, sample_weight=weight)

    assert (weighted.predict(X) == "yes").sum() > (plain.predict(X) == "yes").sum()
    assert weighted.score(X, Y_BINARY, sample_weight=weight) > weighted.score(X, Y_BINARY)


def test_weights_are_routed():
    weight = np.where(Y_BINARY == "yes", 100.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        network = MLPClassifier(max_iter=5, random_state=0)
        network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(network, {"alpha": [0.1, 1]}, cv=2)
        search.fit(X, Y_BINARY, sample_weight=weight)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, network).fit(X, Y_BINARY, sample_weight=weight)
    scaled = StandardScaler().fit_transform(X)
    weighted = sklearn.clone(network).fit(scaled, Y_BINARY, sample_weight=weight)

    assert_same_weights(pipeline[-1], weighted)
    expected = sklearn.clone(network).set_params(**search.best_params_)
    assert_same_weights(search.best_estimator_, expected.fit(X, Y_BINARY, sample_weight=weight))


def test_partial_fit_requests_exist():
    assert hasattr(MLPClassifier(), "set_partial_fit_request")
    assert hasattr(MLPRegressor(), "set_fit_request")


def test_works_in_pipelines_searches_and_meta_estimators():
    network = MLPRegressor((5,), max_iter=5, random_state=0)
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )
    scores = cross_val_score(model, X, SCORE[:, 0], cv=3)
    search = GridSearchCV(network, {"learning_rate_init": [1e-3, 1e-2]}, cv=2).fit(X, SCORE)

    assert np.isfinite(scores).all()
    assert search.best_params_ == {"learning_rate_init": 1e-2}


def test_html_representation_shows_the_parameters():
    assert "MLPClassifier" in MLPClassifier(alpha=3)._repr_html_()
    assert repr(MLPClassifier(alpha=3)) == "MLPClassifier(alpha=3)"
