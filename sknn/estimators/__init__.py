"""The estimators."""

from sknn.estimators.classifier import MLPClassifier
from sknn.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
