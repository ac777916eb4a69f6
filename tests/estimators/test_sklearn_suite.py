"""scikit-learn's own MLP tests, run against sknn's estimators."""

import importlib.util
import sys
from pathlib import Path

import pytest
import sklearn.neural_network

import sknn

# They reach into private attributes of scikit-learn's implementation.
PRIVATE = {
    "test_fit",
    "test_gradient",
    "test_learning_rate_warmstart",
    "test_adaptive_learning_rate",
    "test_n_iter_no_change",
    "test_n_iter_no_change_inf",
}


def load_suite():
    """Return scikit-learn's test module with sknn's estimators in place of its own."""
    path = Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py"
    spec = importlib.util.spec_from_file_location("sklearn_mlp_suite", path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLPClassifier", "MLPRegressor"):
            patch.setattr(sklearn.neural_network, name, getattr(sknn, name))
        spec.loader.exec_module(module)
    return module


SUITE = load_suite()
TESTS = {name: getattr(SUITE, name) for name in dir(SUITE) if name.startswith("test_")}
globals().update({name: test for name, test in TESTS.items() if name not in PRIVATE})

# As in scikit-learn's own runs, where no warning is an error.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def global_random_seed():
    """The seed that scikit-learn's fixture of this name gives by default."""
    return 42


def test_the_suite_tests_sknn():
    assert SUITE.MLPClassifier is sknn.MLPClassifier
    assert SUITE.MLPRegressor is sknn.MLPRegressor
    assert set(TESTS) >= PRIVATE
    assert "sklearn_mlp_suite" not in sys.modules
