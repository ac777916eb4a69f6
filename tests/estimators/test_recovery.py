"""Training that diverges goes back to the last good epoch, and on at a lower rate."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sknn import MLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
NUMBERS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0, "batch_size": 32}


@quiet
def test_divergence_goes_back_and_on_at_half_the_rate():
    numbers = NUMBERS | {
        "solver": "sgd",
        "learning_rate_init": 2.0,
        "max_iter": 20,
        "momentum": 0.0,
    }
    with pytest.raises(ValueError, match="Training diverged in epoch"):
        MLPRegressor((20,), **numbers).fit(XR, YR)
    with pytest.warns(ConvergenceWarning, match=r"diverged, \d time\(s\); it went back"):
        model = MLPRegressor((20,), on_divergence="recover", **numbers).fit(XR, YR)

    assert all(np.isfinite(coef).all() for coef in model.coefs_)
    rates = model.history_["learning_rate"]
    assert rates.iloc[-1] < 1
    assert np.log2(rates.iloc[-1]).is_integer()


@quiet
def test_recovery_does_not_go_back_to_what_has_nearly_diverged():
    # The first epoch of most of these ends with weights that are finite, but lost.
    X_, y = scale(XR[:100]), scale(YR[:100])
    numbers = {"solver": "sgd", "learning_rate_init": 1.0, "batch_size": 20, "max_iter": 60}
    models = [
        MLPRegressor((6,), on_divergence="recover", random_state=seed, **numbers).fit(X_, y)
        for seed in range(8)
    ]
    scores = np.array([model.score(X_, y) for model in models])

    assert scores.min() > -0.2  # a constant has 0
    assert np.count_nonzero(scores > 0.25) >= 5


@quiet
@pytest.mark.parametrize("rate", [2.0, 1e3, 1e30])
@pytest.mark.parametrize("scale_of_y", [1.0, 1e4])
def test_recovery_goes_on_until_the_rate_works(rate, scale_of_y):
    numbers = {"solver": "sgd", "momentum": 0.9, "random_state": 0, "max_iter": 100}
    model = MLPRegressor((20,), learning_rate_init=rate, on_divergence="recover", **numbers)
    model.fit(XR, scale_of_y * YR)

    assert model.score(XR, scale_of_y * YR) > 0.3


@quiet
@pytest.mark.parametrize("max_iter", [1, 3])
def test_recovery_always_ends_with_a_finite_model(max_iter):
    numbers = {"solver": "sgd", "random_state": 0, "max_iter": max_iter}
    model = MLPRegressor((20,), learning_rate_init=1e30, on_divergence="recover", **numbers)
    with pytest.warns(ConvergenceWarning, match="it went back to the last good epoch"):
        model.fit(XR, YR)

    assert np.isfinite(model.predict(XR)).all()
    assert np.isfinite(model.loss_)


@pytest.mark.parametrize("rate", [0.6, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error"])
@quiet
def test_recovery_never_returns_garbage(rate, scoring):
    numbers = {"solver": "sgd", "learning_rate_init": rate, "max_iter": 30, "random_state": 0}
    stopping = {"early_stopping": scoring is not None, "scoring": scoring}
    model = MLPRegressor((20, 20), on_divergence="recover", **numbers, **stopping)
    model.fit(XR[:200], YR[:200])

    assert model.loss_ < 1  # a constant has about 0.5
    assert model.score(XR[:200], YR[:200]) > -0.1


@quiet
def test_a_refit_does_not_go_back_again():
    numbers = {"solver": "sgd", "learning_rate_init": 30.0, "random_state": 0}
    stopping = {"early_stopping": True, "on_divergence": "recover"}
    first = MLPRegressor((20,), **numbers, **stopping).fit(XR, YR)
    again = MLPRegressor((20,), refit_full=True, **numbers, **stopping).fit(XR, YR)
    rates = again.history_["learning_rate"]

    assert rates.max() <= first.history_["learning_rate"].iloc[first.n_iter_ - 5]
    assert again.score(XR, YR) > first.score(XR, YR) - 0.1


@quiet
def test_recovery_goes_on_from_call_to_call_of_partial_fit():
    numbers = {"solver": "sgd", "learning_rate_init": 50.0, "random_state": 0}
    model = MLPRegressor((8,), on_divergence="recover", **numbers)
    for _ in range(40):
        model.partial_fit(XR, YR)

    assert model.score(XR, YR) > 0.3
