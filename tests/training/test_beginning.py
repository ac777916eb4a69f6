"""Where a training begins: its first weights, and the intercepts of the output."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.losses import CLASSIFICATION_LOSSES

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
X = scale(X)
XC, YC = load_breast_cancer(return_X_y=True)
XC = scale(XC)


@quiet
@pytest.mark.parametrize("loss", ["gamma", "poisson", "tweedie"])
def test_intercepts_begin_at_the_link_of_the_weighted_mean(loss):
    weight = np.random.default_rng(0).random(len(Y))
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}
    model = MLPRegressor((3,), loss=loss, intercept_init="target", **numbers).fit(X, Y, weight)

    expected = np.log(np.average(Y, weights=weight))
    np.testing.assert_allclose(model.intercepts_[-1], expected, rtol=1e-6)
    np.testing.assert_allclose(
        model.set_params(intercept_init="zero").fit(X, Y).intercepts_[-1], 0, atol=1e-6
    )


@quiet
def test_by_default_only_losses_that_scikit_learn_lacks_begin_at_the_target():
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}

    def begin(loss, cls=MLPRegressor, y=Y, **others):
        return cls((3,), loss=loss, **numbers, **others).fit(X, y).intercepts_[-1]

    for loss in ("squared_error", "poisson"):
        assert abs(begin(loss)[0]) < 1
    np.testing.assert_allclose(begin("huber"), Y.mean(), rtol=1e-6)
    np.testing.assert_allclose(begin("gaussian"), [Y.mean(), np.log(Y.var())], rtol=1e-6)
    share = (Y > 250).mean()
    logit = np.log(share / (1 - share))
    np.testing.assert_allclose(begin("focal", MLPClassifier, Y > 250), logit, rtol=1e-6)
    assert abs(begin("log_loss", MLPClassifier, Y > 250)[0] - logit) > 0.1
    from_target = begin("log_loss", MLPClassifier, Y > 250, intercept_init="target")
    np.testing.assert_allclose(from_target, logit, rtol=1e-6)


@quiet
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "several"])
def test_classes_begin_at_their_shares(loss, kind):
    labels = np.digitize(Y, [100, 150])
    y = {
        "multiclass": labels,
        "multilabel": np.stack([labels == 0, Y > 200], 1).astype(int),
        "several": np.stack([labels, labels[::-1]], axis=1),
    }[kind]
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}
    model = MLPClassifier((), loss=loss, intercept_init="target", **numbers).fit(X, y)
    model.coefs_ = [np.zeros_like(coef) for coef in model.coefs_]
    answer = model.predict_proba(X[:1])
    shares = np.bincount(labels) / len(labels)

    if kind == "multilabel":
        np.testing.assert_allclose(answer[0], y.mean(axis=0), rtol=1e-6)
    else:
        for part in answer if kind == "several" else [answer]:
            np.testing.assert_allclose(part[0], shares, rtol=1e-6)


@quiet
def test_large_counts_are_learnt_from_the_target():
    y = np.exp(12 + 0.5 * X[:, 2] + 0.2 * X[:, 8])  # near 2e5
    numbers = {"loss": "poisson", "random_state": 0, "max_iter": 500, "learning_rate_init": 0.01}
    model = MLPRegressor((10,), intercept_init="target", **numbers).fit(X, y)

    assert model.score(X, y) > 0.9


@quiet
def test_given_arrays_are_left_alone():
    arrays = [np.zeros((10, 1))], [np.full(1, 7.0)]
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "solver": "sgd"}
    model = MLPRegressor((), loss="huber", initializer=arrays, **numbers).fit(X, Y)

    np.testing.assert_allclose(model.intercepts_[-1], 7.0)


NUMBERS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0, "batch_size": 32}


@quiet
def test_transferred_weights_are_where_training_begins():
    source = MLPClassifier((12, 12), **NUMBERS).fit(XC, YC)
    numbers = NUMBERS | {"learning_rate_init": 1e-12, "max_iter": 1}
    for normalization in (None, "batch", "layer"):
        model = MLPClassifier((12, 12), normalization=normalization, **numbers)
        model.set_params(initializer=(source.coefs_, source.intercepts_)).fit(XC, YC)
        for array, other in zip(model.coefs_, source.coefs_, strict=True):
            np.testing.assert_allclose(array, other, atol=1e-9)
        for array, other in zip(model.intercepts_, source.intercepts_, strict=True):
            np.testing.assert_allclose(array, other, atol=1e-9)


@quiet
def test_initial_arrays_may_be_nested_lists():
    coefs = [np.ones((10, 1)).tolist()]
    model = MLPRegressor((), initializer=(coefs, [[0.0]]), max_iter=1, tol=9, random_state=0)

    np.testing.assert_allclose(model.fit(X, scale(Y)).coefs_[0], 1, atol=0.01)
