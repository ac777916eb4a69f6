"""Iris in several forms, for the tests of targets."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

X, Y = load_iris(return_X_y=True)
X = scale(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
BINARY = (Y == 2).astype(int)
NUMBERS = {"max_iter": 15, "learning_rate_init": 0.01, "random_state": 0}


def assert_same_weights(model, expected, rtol=1e-10):
    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=rtol, atol=1e-14)
