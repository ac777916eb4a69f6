"""What goes in: containers, dtypes, targets, weights."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import unique_labels

from sknn import MLPClassifier, MLPRegressor

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


CONTAINERS = {
    "list": lambda X: X.tolist(),
    "fortran": np.asfortranarray,
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_container_gives_the_same_model_and_predictions(name, solver):
    data = CONTAINERS[name](X)
    parameters = {"solver": solver} | ({"alpha": 0.1} if solver == "lbfgs" else {})
    model, expected = (fit(MLPClassifier, D, Y_BINARY, **parameters) for D in (data, X))

    assert_same_weights(model, expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(data), expected.predict_proba(X), rtol=1e-6)


def test_integers_become_float64():
    counts = rng.integers(0, 9, (60, 4))
    model = fit(MLPClassifier, counts, Y_BINARY)

    assert_same_weights(model, fit(MLPClassifier, counts.astype(float), Y_BINARY))
    assert model.predict_proba(counts).dtype == np.float64


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_float32_stays_float32(solver, early_stopping, container):
    data = container(X.astype(np.float32))
    model = fit(MLPRegressor, data, SCORE[:, 0], solver=solver, early_stopping=early_stopping)

    assert {a.dtype for a in model.coefs_ + model.intercepts_} == {np.dtype(np.float32)}
    assert model.predict(data).dtype == np.float32


def test_feature_names_are_kept_and_compared():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = fit(MLPRegressor, frame, SCORE)

    assert list(model.feature_names_in_) == list("abcd")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))
    assert not hasattr(model.fit(X, SCORE), "feature_names_in_")


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


def test_a_column_vector_is_raveled_with_a_warning():
    for Estimator, y in ((MLPClassifier, Y_BINARY), (MLPRegressor, SCORE[:, 0])):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            model = fit(Estimator, X, y[:, np.newaxis])
        assert_same_weights(model, fit(Estimator, X, y))
        assert model.predict(X).shape == (60,)


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
