"""Neural networks for the scikit-learn ecosystem, on plain NumPy."""

from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.parallel import lockstep

__version__ = "0.1.0"

__all__ = ["MLPClassifier", "MLPRegressor", "__version__", "lockstep"]
