import inspect
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.neural_network
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import TabularMLPRegressor
from sknn.export import to_sklearn
from sknn.layers import Linear
from sknn.losses import Quantile, SquaredError
from sknn.optimizers import Lion
from tests.cases import pairs
from tests.export.running import (
    IRIS,
    NUMBERS,
    PATIENTS,
    PROGRESSION,
    SPECIES,
    TARGETS,
    Cubed,
    classifier,
    fit,
    fitted,
    regressor,
)

HAS_POISSON = "loss" in inspect.signature(sklearn.neural_network.MLPRegressor).parameters
OPTIONS = pairs(
    ["identity", "logistic", "tanh", "relu"],
    [None, "batch"],
    [None, "scale"],
    [0.0, 0.3],
    [(), (5,), (5, 4)],
    ["pair", "words", "labels"],
)


def check_classifier(twin, network, X):
    np.testing.assert_array_equal(twin.predict(X), network.predict(X))
    found, expected = twin.predict_proba(X), network.predict_proba(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert type(twin) is sklearn.neural_network.MLPClassifier


@pytest.mark.parametrize(
    ("activation", "normalization", "front", "dropout", "hidden", "kind"), OPTIONS
)
def test_classifiers_have_a_twin(activation, normalization, front, dropout, hidden, kind):
    options = {"activation": activation, "normalization": normalization, "front": front}
    network = fit(classifier(hidden, dropout=dropout, **options), IRIS, TARGETS[kind])
    twin = to_sklearn(network)

    check_classifier(twin, network, IRIS)
    assert twin.hidden_layer_sizes == hidden
    assert twin.activation == activation


@pytest.mark.parametrize("kind", ["objects", "ints", "bools", "floats", "soft", "soft pair"])
def test_targets_of_each_kind_have_a_twin(kind):
    check_classifier(to_sklearn(fitted(kind)), fitted(kind), IRIS)


@pytest.mark.parametrize("options", [{"loss": "focal"}, {"class_weight": "balanced"}])
@pytest.mark.parametrize("kind", ["pair", "words", "labels"])
def test_losses_with_its_links_have_a_twin(options, kind):
    network = fit(classifier(**options), IRIS, TARGETS[kind])

    check_classifier(to_sklearn(network), network, IRIS)


def test_sparse_labels_stay_sparse():
    network = fit(classifier(), IRIS, sp.csr_matrix(TARGETS["labels"]))
    found = to_sklearn(network).predict(IRIS)

    assert sp.issparse(found)
    np.testing.assert_array_equal(found.toarray(), network.predict(IRIS).toarray())


@pytest.mark.parametrize("n_targets", NUMBERS)
@pytest.mark.parametrize(
    "loss", ["squared_error", "huber", "gaussian", Quantile(0.9), Quantile([0.5])], ids=str
)
def test_regressors_have_a_twin(loss, n_targets):
    network = fit(regressor(loss=loss, activation="tanh"), PATIENTS, NUMBERS[n_targets])
    twin = to_sklearn(network)

    np.testing.assert_allclose(twin.predict(PATIENTS), network.predict(PATIENTS), rtol=1e-12)
    assert type(twin) is sklearn.neural_network.MLPRegressor


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_a_logarithmic_link_needs_poisson(loss):
    network = fit(regressor(loss=loss), PATIENTS, PROGRESSION)
    if not HAS_POISSON:
        with pytest.raises(ValueError, match=r"MLPRegressor before version 1\.7"):
            to_sklearn(network)
        return
    twin = to_sklearn(network)

    np.testing.assert_allclose(twin.predict(PATIENTS), network.predict(PATIENTS), rtol=1e-12)
    assert twin.loss == "poisson"


def test_parameters_of_the_same_names_have_the_same_values():
    options = {"alpha": 0.3, "solver": "sgd", "momentum": 0.8, "early_stopping": True, "tol": 0.1}
    twin = to_sklearn(fit(classifier(**options), IRIS, SPECIES))

    assert options.items() <= twin.get_params().items()
    assert (twin.random_state, twin.max_iter) == (0, 8)


def test_values_that_scikit_learn_does_not_know_are_its_defaults():
    options = {"solver": Lion(), "batch_size": "adaptive", "learning_rate": "cosine"}
    twin = to_sklearn(fit(classifier(**options), IRIS, SPECIES))

    assert (twin.solver, twin.batch_size, twin.learning_rate) == ("adam", "auto", "constant")


def test_a_twin_scores_clones_and_pickles():
    network = fit(classifier(), IRIS, SPECIES)
    twin = pickle.loads(pickle.dumps(to_sklearn(network)))

    assert twin.score(IRIS, SPECIES) == network.score(IRIS, SPECIES)
    assert not hasattr(clone(twin), "coefs_")
    assert twin.n_layers_ == network.n_layers_
    assert twin.loss_curve_ == network.loss_curve_


def test_a_twin_does_not_share_its_weights():
    network = fit(regressor(()), IRIS, SPECIES.astype(float))
    twin = to_sklearn(network)
    twin.coefs_[0] += 1
    twin.loss_curve_.append(0.0)

    assert not np.array_equal(twin.coefs_[0], network.coefs_[0])
    assert len(network.loss_curve_) == 8


def test_names_of_features_are_checked():
    X, y = load_iris(return_X_y=True, as_frame=True)
    twin = to_sklearn(fit(classifier(), X, y))

    assert twin.feature_names_in_.tolist() == X.columns.tolist()
    with pytest.raises(ValueError, match="feature names should match"):
        twin.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing"):
        twin.predict(X[X.columns[:2]])


def go_on(twin, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        twin.set_params(warm_start=True, max_iter=3).fit(X, y)
        if twin.solver != "lbfgs" and not twin.early_stopping:
            twin.partial_fit(X, y)


@pytest.mark.parametrize("kind", ["ints", "bools", "labels"])
@pytest.mark.parametrize(
    "options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"solver": "sgd"}], ids=str
)
def test_a_twin_goes_on_learning(kind, options):
    network = fit(classifier(**options), IRIS, TARGETS[kind])
    twin = to_sklearn(network)
    before, t = twin.coefs_[0].copy(), twin.t_
    go_on(twin, IRIS, TARGETS[kind])

    if twin.solver == "lbfgs":
        assert not np.array_equal(twin.coefs_[0], before)
    else:
        assert twin.t_ > t
        assert len(twin.loss_curve_) > len(network.loss_curve_)


class Own(SquaredError):
    pass


@pytest.mark.parametrize(
    ("estimator", "kind", "message"),
    [
        (classifier(activation="gelu"), "words", "activation=GELU cannot .* identity, logistic"),
        (classifier((3, 3), activation=["relu", "tanh"]), "words", "several activations cannot"),
        (classifier((3, 3), activation=["relu", "identity"]), "words", "several activations"),
        (classifier(normalization="layer"), "words", "normalization='layer' .*cannot be expressed"),
        (classifier((3, 3), residual=True), "words", r"residual=True \(the layer Residual\)"),
        (classifier(front="fourier"), "words", "front=Fourier"),
        (classifier(front="piecewise_linear"), "words", "front=PiecewiseLinear"),
        (classifier(), "several", "several targets of classes cannot be expressed by scikit-learn"),
        (classifier(), "single", "single class 'only' cannot be expressed"),
    ],
)
def test_it_says_what_stands_in_the_way(estimator, kind, message):
    network = fit(clone(estimator), IRIS, TARGETS[kind])
    with pytest.raises(ValueError, match=message):
        to_sklearn(network)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": Quantile([0.1, 0.9])}, "loss=Quantile.* for each of several levels"),
        ({"loss": Own()}, r"loss has a Own of .*cannot be exported"),
        ({"activation": Cubed()}, "activation=Cubed"),
    ],
)
def test_what_regressors_cannot_be_expressed_is_said(options, message):
    network = fit(regressor(**options), IRIS / 10, SPECIES.astype(float))
    with pytest.raises(ValueError, match=message):
        to_sklearn(network)


class Front(Linear):
    pass


def test_a_layer_of_ones_own_is_refused():
    network = fit(classifier(front=Front(3)), IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"front has a Front of .*cannot be exported"):
        to_sklearn(network)


def test_others_are_refused_but_searches():
    search = fit(GridSearchCV(classifier(), {"alpha": [0.1]}, cv=2), IRIS, SPECIES)
    pipeline = fit(make_pipeline(StandardScaler(), classifier()), IRIS, SPECIES)

    check_classifier(to_sklearn(search), search, IRIS)
    with pytest.raises(ValueError, match="to_sklearn cannot express the steps of a Pipeline"):
        to_sklearn(pipeline)
    with pytest.raises(ValueError, match="TabularMLPRegressor cannot be expressed by scikit-learn"):
        to_sklearn(TabularMLPRegressor())
