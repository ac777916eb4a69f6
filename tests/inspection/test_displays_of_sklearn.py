"""scikit-learn's displays work on every estimator."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay

from sknn import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.standard_normal((80, 2)), columns=["a", "b"])
TARGET = X["a"] + X["b"] ** 2
ESTIMATORS = {
    "MLPClassifier": MLPClassifier((5,), max_iter=5, random_state=0),
    "MLPRegressor": MLPRegressor((5,), max_iter=5, random_state=0),
    "TabularMLPClassifier": TabularMLPClassifier("fast", cv=2, max_iter=2, random_state=0),
    "TabularMLPRegressor": TabularMLPRegressor("fast", cv=2, max_iter=2, random_state=0),
}


@pytest.fixture(params=ESTIMATORS)
def fitted(request):
    estimator = ESTIMATORS[request.param]
    y = TARGET > 0.5 if request.param.endswith("Classifier") else TARGET
    yield estimator.fit(X, y)
    plt.close("all")


def test_partial_dependence_is_drawn(fitted):
    display = PartialDependenceDisplay.from_estimator(
        fitted, X, ["a", ("a", "b")], grid_resolution=4
    )

    [line] = [line for line in display.lines_.ravel() if line is not None]
    assert np.ptp(line.get_ydata()) > 0


def test_decision_boundaries_are_drawn(fitted):
    response = "predict_proba" if hasattr(fitted, "classes_") else "predict"
    display = DecisionBoundaryDisplay.from_estimator(
        fitted, X, response_method=response, grid_resolution=20
    )

    assert display.response.shape == (20, 20)
    assert np.ptp(display.response) > 0
