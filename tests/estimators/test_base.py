"""What the two estimators share: they go on from what is fitted, and show it."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.preprocessing import scale
from sklearn.utils.validation import NotFittedError

from sknn import MLPClassifier, MLPRegressor
from sknn.averaging import EMA
from sknn.losses import LOSSES, Quantile
from tests.cases import pairs

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
NUMBERS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0, "batch_size": 32}


@quiet
def test_partial_fit_goes_on_from_the_iterate_not_from_its_average():
    numbers = NUMBERS | {"shuffle": False, "weight_averaging": EMA(0.9), "solver": "sgd"}
    whole = MLPRegressor((6,), **numbers | {"max_iter": 3}).fit(XR, YR)
    stepwise = MLPRegressor((6,), **numbers)
    for _ in range(3):
        stepwise.partial_fit(XR, YR)

    for array, other in zip(stepwise.coefs_, whole.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12)


@quiet
def test_published_normalization_can_be_edited():
    model = MLPRegressor((5,), normalization="batch", **NUMBERS).fit(XR, YR)
    assert [sorted(layer) for layer in model.normalization_] == [["mean", "scale", "variance"]]
    model.normalization_[0]["scale"][:] = 0
    expected = np.maximum(model.intercepts_[0], 0) @ model.coefs_[1] + model.intercepts_[1]

    np.testing.assert_allclose(model.predict(XR), np.broadcast_to(expected, len(XR)))


@quiet
def test_summary_and_html_show_the_network():
    model = MLPClassifier((12, 12), dropout=0.1, normalization="batch", residual=True, **NUMBERS)
    assert "BatchNorm" not in model._repr_html_()
    with pytest.raises(NotFittedError):
        model.summary()
    model.fit(X, Y)
    n_parameters = sum(a.size for a in model.coefs_ + model.intercepts_) + 24

    assert model.summary().splitlines()[-1].split() == ["all", str(n_parameters)]
    assert model.summary() in model._repr_html_()
    assert model.summary() in model._repr_mimebundle_()["text/html"]


@quiet
def test_outputs_of_hidden_layers():
    numbers = {"normalization": "layer", "residual": True, "dropout": 0.5}
    model = MLPRegressor((7, 7, 4), **numbers, **NUMBERS).fit(XR, YR)
    last = model.hidden_layer_outputs(XR)

    np.testing.assert_allclose(
        last @ model.coefs_[-1][:, 0] + model.intercepts_[-1], model.predict(XR)
    )
    assert [model.hidden_layer_outputs(XR, layer=i).shape[1] for i in (0, 1, 2, -1)] == [7, 7, 4, 4]
    plain = MLPRegressor((6,), "tanh", **NUMBERS).fit(XR, YR)
    expected = np.tanh(XR @ plain.coefs_[0] + plain.intercepts_[0])
    np.testing.assert_allclose(plain.hidden_layer_outputs(XR, 0), expected)
    with pytest.raises(ValueError, match=r"layer must be an int in the range \[-1, 0\]; got 1"):
        plain.hidden_layer_outputs(XR, 1)


@quiet
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_loss_that_is_changed_between_calls_counts(method):
    y = np.exp(YR)
    model = MLPRegressor((5,), warm_start=True, max_iter=5, random_state=0).fit(XR, y)
    getattr(model.set_params(loss="poisson"), method)(XR, y)
    assert model.out_activation_ == "exp"

    model = MLPClassifier((5,), warm_start=True, max_iter=5, random_state=0).fit(X, Y)
    getattr(model.set_params(label_smoothing=0.2), method)(X, Y)
    p = model.predict_proba(X)
    soft = 0.8 * np.eye(2)[Y] + 0.1
    assert model.loss_ == pytest.approx(-(soft * np.log(p)).sum(axis=1).mean(), rel=0.1)


@quiet
def test_normalization_cannot_change_between_calls():
    model = MLPRegressor((5,), warm_start=True, max_iter=2).fit(XR, YR)
    with pytest.raises(ValueError, match="normalization='batch' differs from the fitted network"):
        model.set_params(normalization="batch").fit(XR, YR)


@quiet
def test_what_is_fitted_does_not_follow_set_params():
    model = MLPRegressor((5,), loss=Quantile([0.1, 0.9]), max_iter=2, tol=9).fit(XR, YR)
    before = model.score(XR, YR)
    model.set_params(loss__level=[0.2, 0.3, 0.4])

    assert model.predict(XR).shape == (442, 2)
    assert model.score(XR, YR) == before


def test_warnings_point_at_the_users_line():
    model = MLPClassifier((5,), max_iter=2)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, Y)

    assert caught[0].filename == __file__


# Importances from the weights.

KINDS = {
    "numbers": (MLPRegressor, YR),
    "two numbers": (MLPRegressor, np.column_stack([YR, -YR])),
    "classes": (MLPClassifier, np.digitize(YR, [-0.5, 0.5])),
    "two classes": (MLPClassifier, YR > 0),
    "labels": (MLPClassifier, np.column_stack([YR > 0, YR < 1, YR > 1]).astype(int)),
    "several targets": (MLPClassifier, np.column_stack([np.digitize(YR, [-0.5, 0.5]), YR > 0])),
}
DESIGNS = {
    "plain": {},
    "linear": {"hidden_layer_sizes": ()},
    "norm": {"normalization": "batch", "dropout": 0.3, "residual": True},
    "scale": {"front": "scale", "activation": "tanh", "normalization": "layer"},
    "fourier": {"front": "fourier"},
    "bins": {"front": "piecewise_linear"},
}


@quiet
@pytest.mark.parametrize(
    ("kind", "design", "dtype"), pairs(list(KINDS), list(DESIGNS), [np.float64, np.float32])
)
def test_importances_are_shares_of_all_features(kind, design, dtype):
    Estimator, y = KINDS[kind]
    numbers = NUMBERS | {"hidden_layer_sizes": (6, 6), "max_iter": 2} | DESIGNS[design]
    model = Estimator(**numbers).fit(XR.astype(dtype), y)
    found = model.feature_importances_

    assert found.shape == (10,)
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1, rel=1e-6)
    np.testing.assert_array_equal(model.feature_importances_, found)


@quiet
@pytest.mark.parametrize("loss", LOSSES)
def test_importances_of_a_linear_model_are_proportional_to_its_weights(loss):
    y = np.abs(YR) + 0.5
    model = MLPRegressor((), loss=loss, **NUMBERS).fit(XR, y)
    w = np.abs(model.coefs_[0])
    if loss == "gaussian":  # the second output is the logarithm of the variance
        w = w * [1, 1 / 2]

    np.testing.assert_allclose(model.feature_importances_, w.sum(axis=1) / w.sum(), rtol=1e-9)


@quiet
def test_importances_follow_weights_that_are_edited():
    model = MLPRegressor((5,), **NUMBERS).fit(XR, YR)
    model.coefs_[0][[2, 4]] = 0
    found = model.feature_importances_
    assert found[2] == found[4] == 0
    assert found.sum() == pytest.approx(1)

    model.coefs_[0][:] = 0
    np.testing.assert_allclose(model.feature_importances_, 1 / 10)


@quiet
@pytest.mark.parametrize("Estimator", [MLPRegressor, MLPClassifier])
def test_importances_are_computed_and_not_kept(Estimator):
    model = Estimator((5,), **NUMBERS)
    assert not hasattr(model, "feature_importances_")
    with pytest.raises(NotFittedError, match=Estimator.__name__):
        _ = model.feature_importances_
    model.fit(XR, YR > 0)
    before = pickle.dumps(model)
    _ = model.feature_importances_

    assert pickle.dumps(model) == before
    assert not any("importance" in name for name in vars(model))


FRIEDMAN, YF = make_friedman1(300, 9, random_state=0)
FRIEDMAN, YF = scale(FRIEDMAN), scale(YF)
LEARNS = {"solver": "lbfgs", "alpha": 1.0, "max_iter": 200, "random_state": 0}
USEFUL = [True] * 5 + [False] * 4


@quiet
@pytest.mark.parametrize("Estimator", [MLPRegressor, MLPClassifier])
def test_importances_find_the_features_that_are_noise(Estimator):
    y = YF if Estimator is MLPRegressor else np.digitize(YF, [-0.5, 0.5])
    found = Estimator((12,), "tanh", **LEARNS).fit(FRIEDMAN, y).feature_importances_

    assert found[:5].min() > 1.5 * found[5:].max()


@quiet
@pytest.mark.parametrize(
    "selector",
    [
        SelectFromModel(MLPRegressor((12,), "tanh", **LEARNS), threshold=0.07),
        SelectFromModel(MLPRegressor((12,), "tanh", **LEARNS), max_features=5, threshold=-np.inf),
        RFE(MLPRegressor((12,), "tanh", **LEARNS), n_features_to_select=5),
        RFECV(MLPRegressor((5,), "tanh", **LEARNS), step=2, min_features_to_select=5, cv=2),
    ],
    ids=["threshold", "number", "RFE", "RFECV"],
)
def test_selectors_of_features_read_importances(selector):
    selector.fit(FRIEDMAN, YF)

    np.testing.assert_array_equal(selector.get_support(), USEFUL)
    assert selector.transform(FRIEDMAN).shape == (300, 5)
