"""Tables without tuning: their encoding, and estimators with defaults chosen for accuracy."""

from sknn.tabular.classifier import TabularMLPClassifier
from sknn.tabular.encoder import TableEncoder
from sknn.tabular.regressor import TabularMLPRegressor

__all__ = ["TableEncoder", "TabularMLPClassifier", "TabularMLPRegressor"]
