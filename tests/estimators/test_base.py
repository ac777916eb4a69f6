"""What the two estimators share: they go on from what is fitted, and show it."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale
from sklearn.utils.validation import NotFittedError

from sknn import MLPClassifier, MLPRegressor
from sknn.averaging import EMA
from sknn.losses import Quantile

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
