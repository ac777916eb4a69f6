"""X as a matrix in a file that may be larger than the memory."""

import subprocess
import sys

import numpy as np
import pytest

from sknn import MLPClassifier, MLPRegressor

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
DATA = rng.standard_normal((3000, 6))
TARGET = DATA[:, 0] + DATA[:, 1] > 0


def on_disk(tmp_path, X, order="C"):
    """Return X as a memmap."""
    path = tmp_path / "X.bin"
    written = np.memmap(path, X.dtype, "w+", shape=X.shape, order=order)
    written[...] = X
    written.flush()
    return np.memmap(path, X.dtype, "r", shape=X.shape, order=order)


@quiet
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_same_model_as_from_memory(tmp_path, dtype, order, early_stopping):
    X = (100 * DATA).astype(dtype) if dtype is np.int16 else DATA.astype(dtype)
    numbers = {"max_iter": 3, "random_state": 0, "validation_fraction": 0.5}
    model = MLPClassifier((5,), early_stopping=early_stopping, **numbers)
    expected = MLPClassifier((5,), early_stopping=early_stopping, **numbers)
    X_file = on_disk(tmp_path, X, order)
    model.fit(X_file, TARGET)
    expected.fit(X, TARGET)

    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X_file), expected.predict(X))
    if early_stopping:
        assert model.validation_scores_ == expected.validation_scores_


@quiet
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_samples_to_validate_on_may_be_on_disk(tmp_path, method):
    X = on_disk(tmp_path, DATA)
    model = MLPRegressor((5,), max_iter=2, random_state=0)
    getattr(model, method)(X, DATA[:, 0], X_val=X, y_val=DATA[:, 0])

    assert model.validation_scores_[-1] == pytest.approx(model.score(DATA, DATA[:, 0]))


def test_what_is_not_a_number_is_found(tmp_path):
    X = DATA.copy()
    X[2100, 3] = np.nan
    with pytest.raises(ValueError, match=f"NaN or infinity, between rows 2048 and {len(X)}"):
        MLPRegressor().fit(on_disk(tmp_path, X), X[:, 0])


@quiet
def test_number_of_features_is_checked(tmp_path):
    model = MLPRegressor((5,), max_iter=2).fit(DATA, DATA[:, 0])
    with pytest.raises(ValueError, match="4 features"):
        model.predict(on_disk(tmp_path, DATA[:, :4]))


BOUNDED = """
import resource, sys
import numpy as np
from sknn import MLPClassifier

path, n, d = sys.argv[1], 400_000, 100
used = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
limit = used + 120 * 2**20
X = np.memmap(path, np.float32, "r", shape=(n, d))
assert X.nbytes > 150 * 2**20
y = np.arange(n) % 2
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.array(X)
except MemoryError:
    print("too large to copy")
model = MLPClassifier((8,), max_iter=1, early_stopping=True, random_state=0)
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    model.fit(X, y)
print(model.n_iter_, len(model.predict(X)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA bounds memory on Linux only")
def test_a_file_larger_than_the_memory_is_trained_on(tmp_path):
    path = tmp_path / "large.bin"
    with open(path, "wb") as file:
        file.truncate(400_000 * 100 * 4)
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path)], capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == ["too large to copy", "1 400000"], done.stderr
