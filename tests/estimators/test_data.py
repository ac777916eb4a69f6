"""What goes in: containers, dtypes, and the fast way for plain arrays."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.exceptions import DataConversionWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.estimators.data import check_samples, is_known

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4))
SCORE = X @ rng.standard_normal((4, 3))
Y_BINARY = np.where(SCORE[:, 0] > 0, "yes", "no")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
Y = SCORE.argmax(axis=1)


def fit(Estimator, X, y, **parameters):
    return Estimator((5,), max_iter=15, random_state=0, **parameters).fit(X, y)


def assert_same_weights(one, other, rtol=1e-11):
    for array, expected in zip(one.coefs_, other.coefs_, strict=True):
        np.testing.assert_allclose(array, expected, rtol=rtol, atol=1e-13)


CONTAINERS = {
    "list": lambda X: X.tolist(),
    "fortran": np.asfortranarray,
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "csc_array": sp.csc_array,
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_container_gives_the_same_model_and_predictions(name, solver):
    data = CONTAINERS[name](X)
    parameters = {"solver": solver} | ({"alpha": 0.1} if solver == "lbfgs" else {})
    model, expected = (fit(MLPClassifier, D, Y_BINARY, **parameters) for D in (data, X))

    assert_same_weights(model, expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(data), expected.predict_proba(X), rtol=1e-6)


def test_integers_become_float64():
    counts = rng.integers(0, 9, (60, 4))
    model = fit(MLPClassifier, counts, Y_BINARY)

    assert_same_weights(model, fit(MLPClassifier, counts.astype(float), Y_BINARY))
    assert model.predict_proba(counts).dtype == np.float64


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix])
def test_float32_stays_float32(solver, early_stopping, container):
    data = container(X.astype(np.float32))
    model = fit(MLPRegressor, data, SCORE[:, 0], solver=solver, early_stopping=early_stopping)

    assert {a.dtype for a in model.coefs_ + model.intercepts_} == {np.dtype(np.float32)}
    assert model.predict(data).dtype == np.float32


def test_feature_names_are_kept_and_compared():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = fit(MLPRegressor, frame, SCORE)

    assert list(model.feature_names_in_) == list("abcd")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))
    assert not hasattr(model.fit(X, SCORE), "feature_names_in_")


def test_a_column_vector_is_raveled_with_a_warning():
    for Estimator, y in ((MLPClassifier, Y_BINARY), (MLPRegressor, SCORE[:, 0])):
        with pytest.warns(DataConversionWarning, match="column-vector y"):
            model = fit(Estimator, X, y[:, np.newaxis])
        assert_same_weights(model, fit(Estimator, X, y))
        assert model.predict(X).shape == (60,)


# The fast way to predict.


def fitted(Estimator=MLPClassifier, **parameters):
    numbers = {"hidden_layer_sizes": (6, 5), "max_iter": 10, "random_state": 0} | parameters
    return Estimator(**numbers).fit(X, Y)


class Rows(np.ndarray):
    """Arrays of somebody else's."""


ROWS = {
    "float64": X[:3],
    "float32": X[:3].astype(np.float32),
    "one row": X[:1],
    "fortran": np.asfortranarray(X[:3]),
    "strided": np.repeat(X[:3], 2, axis=1)[:, ::2],
    "ints": np.arange(12).reshape(3, 4),
    "list": X[:3].tolist(),
    "subclass": X[:3].view(Rows),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fast_way_to_predict_gives_what_the_long_way_gives(name, dtype, monkeypatch):
    model = MLPRegressor((6, 5), max_iter=10, random_state=0).fit(X.astype(dtype), Y)
    rows = ROWS[name]
    fast = model.predict(rows)
    monkeypatch.setattr("sknn.estimators.base.is_known", lambda estimator, X: False)
    slow = model.predict(rows)

    np.testing.assert_array_equal(fast, slow)
    assert fast.dtype == slow.dtype


def test_the_fast_way_is_taken_for_plain_arrays_only():
    model = fitted()

    assert is_known(model, X)
    assert is_known(model, X.astype(np.float32))
    for other in (
        X[:, :3],
        X[:0],
        X[0],
        X.tolist(),
        np.full((1, 4), np.nan),
        np.full((1, 4), 1e200),  # the sum of squares overflows: the long way tells
        X.astype(int),
        X.astype(np.float16),
        np.asfortranarray(X),
        pd.DataFrame(X),
    ):
        assert not is_known(model, other)
    assert not is_known(MLPClassifier(), X)


def test_huge_but_finite_values_are_predicted_without_a_warning():
    model = fitted(MLPRegressor, activation="tanh")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.predict(np.full((1, 4), 1e200))).all()


def test_assume_finite_is_honoured():
    model = fitted(MLPRegressor)
    rows = np.full((1, 4), np.nan)
    with sklearn.config_context(assume_finite=True):
        assert np.isnan(model.predict(rows)).all()
    with pytest.raises(ValueError, match="NaN"):
        model.predict(rows)


def test_other_float_types_are_predicted_the_long_way():
    model = fitted(MLPRegressor)

    for dtype in (np.longdouble, np.float16):
        predicted = model.predict(X.astype(dtype))
        np.testing.assert_allclose(predicted, model.predict(X), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("front", [None, "fourier", "piecewise_linear"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float16, np.longdouble, bool])
def test_rows_of_any_dtype_are_predicted_as_they_are_trained_on(dtype, front):
    rows = np.abs(10 * X).astype(dtype)
    model = fit(MLPClassifier, rows, Y, front=front)
    probability = model.predict_proba(rows)

    assert probability.dtype == np.float64
    np.testing.assert_array_equal(probability, model.predict_proba(rows.astype(float)))


def test_rows_near_the_largest_numbers_are_looked_at_without_a_warning():
    large = np.float32(3e38) * np.sign(X).astype(np.float32)

    with pytest.raises(ValueError, match="diverged"):
        fit(MLPRegressor, large, Y)
    assert check_samples(fit(MLPClassifier, X.astype(np.float32), Y), large) is large
