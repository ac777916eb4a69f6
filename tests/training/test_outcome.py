"""What a fit says of its result: whether it can be used, and whether it is of use."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
X = scale(X)
Y_SCALED = scale(Y)


# Finite predictions.


def fits_finitely_or_says_so(model, X, y):
    try:
        return np.isfinite(model.fit(X, y).predict(X)).all()
    except ValueError as error:
        return "diverged" in str(error)


@quiet
@pytest.mark.parametrize("loss", ["gamma", "poisson", "tweedie", "gaussian", "squared_error"])
@pytest.mark.parametrize("unit", [1.0, 1e12])
@pytest.mark.parametrize("rate", [0.1, 10.0, 1e3])
def test_predictions_are_finite_or_the_fit_says_that_it_has_diverged(loss, unit, rate):
    numbers = {"learning_rate_init": rate, "normalization": "batch", "max_iter": 2}
    model = MLPRegressor((10,), loss=loss, random_state=0, **numbers)
    assert fits_finitely_or_says_so(model, X, Y * unit)


@quiet
def test_one_epoch_with_a_huge_decay_says_that_it_has_diverged():
    model = MLPRegressor((10, 10), solver="sgd", weight_decay=100.0, max_iter=1, random_state=0)
    assert fits_finitely_or_says_so(model, 1e8 * X, Y)


@quiet
def test_predictions_that_overflow_are_named():
    far = [np.zeros((10, 1))], [np.full(1, 1000.0)]  # exp(1000) is infinite
    model = MLPRegressor((), loss="gamma", initializer=far, max_iter=1, solver="sgd")
    with pytest.raises(ValueError, match="non-finite predictions"):
        model.fit(X, Y)


# A network that has learnt nothing.


def test_a_dead_network_that_has_converged_is_told():
    model = MLPRegressor((20, 20), learning_rate_init=1.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="no better than a constant") as caught:
        model.fit(X, Y)

    assert abs(model.score(X, Y)) < 0.01
    assert any("dead" in str(warning.message) for warning in caught)


def test_a_network_whose_gradient_vanishes_is_told():
    model = MLPClassifier([10] * 12, "logistic", learning_rate_init=0.01, random_state=0)
    with pytest.warns(ConvergenceWarning, match="no better than a constant"):
        model.fit(*load_iris(return_X_y=True))


def test_a_network_that_has_hardly_begun_is_told_nothing():
    # As in scikit-learn's own tests, whose networks end after a few epochs.
    MLPRegressor((5,), tol=1e9, random_state=0).fit(X, Y)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_network_that_has_learnt_is_told_nothing(early_stopping):
    numbers = {"early_stopping": early_stopping, "learning_rate_init": 0.01, "max_iter": 2000}
    MLPRegressor((10,), random_state=0, **numbers).fit(X, Y_SCALED)  # warnings are errors here


def test_of_a_constant_there_is_nothing_to_learn():
    MLPRegressor((), solver="lbfgs", alpha=0.0).fit(X, np.full(len(X), 3.0))
