"""A search over learning rates, for the tests of it and of its display."""

from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[:200], Y[:200]
PREFIX = "mlpclassifier__"


def make_pipe(**parameters):
    settings = {"max_iter": 9, "random_state": 0, "early_stopping": True}
    return make_pipeline(StandardScaler(), MLPClassifier(5, **(settings | parameters)))
