"""Neural networks for the scikit-learn ecosystem, on plain NumPy."""

from sknn._version import __version__
from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.parallel import lockstep

__all__ = ["MLPClassifier", "MLPRegressor", "__version__", "lockstep"]
