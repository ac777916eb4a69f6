"""Scores and losses are computed in float64, and probabilities from raw scores."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import check_classifiers_train

from sknn import MLPClassifier, MLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
X = scale(X)


@quiet
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_early_stopping_and_score_see_half_precision_and_integers_alike(dtype):
    y = Y.astype(dtype)
    numbers = {"early_stopping": True, "random_state": 0, "max_iter": 10, "learning_rate_init": 0.1}
    model = MLPRegressor((5,), **numbers).fit(X, y)
    exact = MLPRegressor((5,), **numbers).fit(X, y.astype(np.float64))

    np.testing.assert_allclose(model.validation_scores_, exact.validation_scores_, rtol=1e-12)
    assert model.score(X, y) == pytest.approx(exact.score(X, y.astype(np.float64)), rel=1e-12)


@quiet
def test_validation_losses_of_single_precision_do_not_overflow():
    y = np.float32(1e20) * scale(Y).astype(np.float32)
    model = MLPRegressor((5,), max_iter=2, random_state=0, intercept_init="target")
    model.fit(X.astype(np.float32), y, X_val=X.astype(np.float32), y_val=y)

    assert np.isfinite(model.history_["val_loss"]).all()
    assert np.isfinite(model.validation_scores_).all()


@quiet
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_probability_of_either_class_comes_from_the_raw_score(dtype):
    model = MLPClassifier((), solver="lbfgs", max_iter=5).fit([[0.0], [1.0]], [0, 1])
    model.coefs_, model.intercepts_ = [np.ones((1, 1), dtype)], [np.zeros(1, dtype)]
    scores = np.array([-2000, -500, -80, -40, -1, 0, 1, 40, 80, 500, 2000], dtype)[:, np.newaxis]
    probability, log_p = model.predict_proba(scores), model.predict_log_proba(scores)

    assert probability.min() > 0
    np.testing.assert_array_equal(probability[:, 0], probability[::-1, 1])
    is_normal = probability >= np.finfo(dtype).tiny
    np.testing.assert_allclose(np.log(probability[is_normal]), log_p[is_normal], rtol=1e-6)


@quiet
def test_the_common_check_of_classifiers_holds_where_probabilities_underflow():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_classifiers_train("MLPClassifier", MLPClassifier(solver="lbfgs", max_iter=60))
