import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.model_selection.inside import find_inside

X = np.random.default_rng(0).standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
NETWORK = MLPClassifier((3,), max_iter=2, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    ("estimator", "n_networks"),
    [
        (NETWORK, 1),
        (make_pipeline(StandardScaler(), NETWORK), 1),
        (GridSearchCV(NETWORK, {"alpha": [0.0, 1.0]}, cv=2), 1),
        (BaggingClassifier(NETWORK, 4, random_state=0), 4),
        (VotingClassifier([("a", NETWORK), ("b", LogisticRegression())]), 1),
        (LogisticRegression(), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fitted_networks_are_found_once(estimator, n_networks):
    assert len(list(find_inside(estimator.fit(X, Y), "training_report_"))) == n_networks


def test_what_holds_itself_is_looked_at_once():
    loop = {"network": MLPClassifier()}
    loop["loop"] = [loop, loop]

    assert list(find_inside(loop, "loss_curve_")) == []
