"""Small networks trained through an estimator, on batches that come in the same order."""

import itertools
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPRegressor

N_SAMPLES = 20
BATCH_SIZE = 8  # the last batch has 4


def make_data(hidden=()):
    """Return X, y, and the weights and intercepts that training begins with."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((N_SAMPLES, 3)), rng.standard_normal((N_SAMPLES, 2))
    sizes = [3, *hidden, 2]
    coefs = [rng.standard_normal(shape) for shape in itertools.pairwise(sizes)]
    return X, y, coefs, [rng.standard_normal(n_out) for n_out in sizes[1:]]


def make_estimator(coefs, intercepts, n_epochs, **parameters):
    """Return an estimator that begins with given parameters and runs all epochs."""
    defaults = {
        "hidden_layer_sizes": tuple(len(intercept) for intercept in intercepts[:-1]),
        "activation": "tanh",
        "alpha": 0.0,
        "shuffle": False,
        "batch_size": BATCH_SIZE,
        "learning_rate_init": 0.01,
        "max_iter": n_epochs,
        "n_iter_no_change": np.inf,
        "initializer": (coefs, intercepts),
    }
    return MLPRegressor(**(defaults | parameters))


def fit(hidden, n_epochs, **parameters):
    """Train a network on all epochs; return the estimator."""
    X, y, coefs, intercepts = make_data(hidden)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_estimator(coefs, intercepts, n_epochs, **parameters).fit(X, y)


def linear_gradients(n_epochs):
    """Yield a function to the gradient of a linear model, for each batch of each epoch."""
    X, y, _, _ = make_data()
    for _ in range(n_epochs):
        for start in range(0, N_SAMPLES, BATCH_SIZE):
            x, target = X[start : start + BATCH_SIZE], y[start : start + BATCH_SIZE]

            def gradient(coef, intercept, x=x, target=target):
                error = (x @ coef + intercept - target) / len(x)
                return x.T @ error, error.sum(axis=0)

            yield gradient
