"""The answers of MLPClassifier."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.multiclass import unique_labels

from sknn import MLPClassifier

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4))
SCORE = X @ rng.standard_normal((4, 3))
Y_BINARY = np.where(SCORE[:, 0] > 0, "yes", "no")
Y_MULTI = np.array(["a", "b", "c"], dtype=object)[SCORE.argmax(axis=1)]
Y_LABELS = (SCORE > 0).astype(int)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(Estimator, X, y, **parameters):
    return Estimator((5,), max_iter=15, random_state=0, **parameters).fit(X, y)


def assert_same_weights(one, other, rtol=1e-11):
    for array, expected in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(array, expected, rtol=rtol, atol=1e-13)


def test_labels_come_back_as_they_were():
    for y in (Y_BINARY, Y_MULTI, Y_BINARY == "yes", np.where(Y_BINARY == "yes", 7, -3)):
        model = fit(MLPClassifier, X, y, solver="lbfgs", alpha=0.1)
        np.testing.assert_array_equal(model.classes_, np.unique(y))
        assert model.classes_.dtype == unique_labels(y).dtype  # as scikit-learn has them
        assert model.predict(X).dtype == model.classes_.dtype
        assert model.score(X, y) > 0.9


def test_multilabel_targets_may_be_sparse():
    dense = fit(MLPClassifier, X, Y_LABELS)
    for container in (sp.csr_matrix, sp.csc_array):
        model = fit(MLPClassifier, X, container(Y_LABELS))
        assert_same_weights(model, dense)
        predicted = model.predict(X)
        assert sp.issparse(predicted)
        np.testing.assert_array_equal(predicted.toarray(), dense.predict(X))


def test_multilabel_probabilities_do_not_sum_to_one():
    probability = fit(MLPClassifier, X, Y_LABELS).predict_proba(X)

    assert probability.shape == (60, 3)
    assert not np.allclose(probability.sum(axis=1), 1)


@pytest.mark.parametrize("y", [Y_BINARY, Y_MULTI], ids=["binary", "multiclass"])
def test_probabilities_sum_to_one_and_agree_with_their_logarithms(y):
    model = fit(MLPClassifier, X, y)
    probability = model.predict_proba(X)

    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(np.log(probability), model.predict_log_proba(X), rtol=1e-9)
    np.testing.assert_array_equal(model.classes_[probability.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("y", [np.zeros(60), np.full(60, "only")])
def test_a_single_class_is_predicted_everywhere(y):
    model = fit(MLPClassifier, X, y, early_stopping=True)

    np.testing.assert_array_equal(model.predict(X), y)
    assert model.best_validation_score_ == 1


def test_no_hidden_layer_is_logistic_regression():
    model = MLPClassifier((), solver="lbfgs", alpha=1.0, tol=1e-8).fit(X, Y_BINARY)
    linear = LogisticRegression(C=1.0, tol=1e-8).fit(X, Y_BINARY)

    assert model.n_layers_ == 2
    assert [coef.shape for coef in model.coefs_] == [(4, 1)]
    np.testing.assert_allclose(model.coefs_[0].T, linear.coef_, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("weight", [None, np.arange(60.0)])
def test_the_score_is_the_weighted_share_of_rows_that_are_right(weight):
    P = np.exp(SCORE) / np.exp(SCORE).sum(axis=1, keepdims=True)
    several = np.column_stack([Y_BINARY, Y_MULTI])
    for y in (Y_BINARY, Y_MULTI, Y_LABELS, P, several):
        model = fit(MLPClassifier, X, y)
        expected = P.argmax(axis=1) if y is P else y
        is_right = (model.predict(X) == expected).reshape(60, -1).all(axis=1)

        assert 0 < is_right.mean() < 1
        assert model.score(X, y, weight) == pytest.approx(np.average(is_right, weights=weight))
