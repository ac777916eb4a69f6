import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn.model_selection import LearningRateSearchCV
from tests.model_selection.searching import X, Y, make_pipe


@pytest.fixture(scope="session")
def search():
    """A search over learning rates that has been fitted; tests leave it as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LearningRateSearchCV(make_pipe(), n_rates=6, cv=3).fit(X, Y)
