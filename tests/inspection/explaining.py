"""Small fits that several files explain, and derivatives by central differences."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection import input_gradients, integrated_gradients

SMALL = {"hidden_layer_sizes": (6, 6), "activation": "tanh", "max_iter": 3, "random_state": 0}

rng = np.random.default_rng(0)
X = rng.standard_normal((60, 4))
SCORES = np.tanh(X @ rng.standard_normal((4, 3))) + 0.1 * rng.standard_normal((60, 3))
NEW = rng.standard_normal((7, 4))
NAMES = ["age", "size", "mass", "rate"]
TABLE = pd.DataFrame(X, columns=NAMES)
NEW_TABLE = pd.DataFrame(NEW, columns=NAMES, index=np.arange(7) * 2 + 5)
TARGETS = {
    "number": SCORES[:, 0],
    "numbers": SCORES[:, :2],
    "two": np.where(SCORES[:, 0] > 0, "yes", "no"),
    "three": np.array(["a", "b", "c"])[SCORES.argmax(axis=1)],
    "labels": (SCORES > 0).astype(int),
    "several": np.column_stack([SCORES.argmax(axis=1), 3 + (SCORES[:, 0] > 0)]),
    "soft": np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True),
}


def make(what, **parameters):
    """Return a network for some targets."""
    kind = MLPRegressor if what.startswith("number") else MLPClassifier
    return kind(**(SMALL | parameters))


@cache
def fit(what, **parameters):
    """Return a network that has been fitted to X; nobody changes it."""
    return settle(make(what, **parameters), X, TARGETS[what])


def settle(estimator, *data):
    """Fit an estimator, of which nobody wants to hear that its training was short."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(*data)


def numeric(function, rows, step=1e-5, columns=None):
    """Return the derivatives (n_samples, n_columns, ...) of a function of rows by their columns."""
    slopes = []
    for j in range(rows.shape[1]) if columns is None else columns:
        ahead, behind = rows.copy(), rows.copy()
        if hasattr(rows, "iloc"):
            ahead.isetitem(j, rows.iloc[:, j] + step)
            behind.isetitem(j, rows.iloc[:, j] - step)
        else:
            ahead[:, j] += step
            behind[:, j] -= step
        slopes.append((function(ahead) - function(behind)) / (2 * step))
    return np.stack(slopes, axis=1)


def own(estimator):
    """Return an output that has a public method, and that method of one array.

    Of two classes it is the probability of the second.
    """
    if not hasattr(estimator, "predict_proba"):
        return "prediction", estimator.predict

    def probabilities(rows):
        found = estimator.predict_proba(rows)
        if isinstance(found, list):
            return np.concatenate(found, axis=1)
        is_pair = found.shape[1] == 2 and np.allclose(found.sum(axis=1), 1)
        return found[:, 1] if is_pair else found

    return "probability", probabilities


def check_gradients(estimator, rows, rtol=1e-5, atol=1e-8, step=1e-5):
    """Assert that gradients are the numeric derivatives of predictions or probabilities."""
    output, function = own(estimator)
    found = input_gradients(estimator, rows, output=output)
    expected = numeric(function, rows, step)
    assert np.abs(expected).max() > 1e-4  # else there would be nothing to compare
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
    return found


def check_attributions(estimator, rows, baseline="mean", at=None, rtol=1e-9, atol=1e-12, **options):
    """Assert that attributions add up to the difference of two public predictions.

    `at` is the row that the baseline stands for; None is not looked at.
    """
    output, function = own(estimator)
    options = {"tolerance": 1e-3, "output": output} | options
    found = integrated_gradients(estimator, rows, baseline, **options)
    np.testing.assert_allclose(found.predictions, function(rows), rtol=rtol, atol=atol)
    if at is not None:
        base = np.broadcast_to(function(at)[0], found.base_values.shape)
        np.testing.assert_allclose(found.base_values, base, rtol=rtol, atol=atol)
    difference = found.predictions - found.base_values
    total = found.values.sum(axis=1)
    np.testing.assert_allclose(total + found.errors, difference, rtol=0, atol=1e-12)
    scale = np.abs(difference).mean(axis=0)
    assert (scale > 1e-5).all()
    assert (np.abs(found.errors).max(axis=0) <= options["tolerance"] * scale).all()
    return found
