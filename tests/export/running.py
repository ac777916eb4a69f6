"""Exported source and models, run; fitted estimators to export; activations of one's own."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier, MLPRegressor
from sknn.export.answers import Answers, Model
from sknn.export.source import SourceWriter

IRIS, SPECIES = load_iris(return_X_y=True)
PATIENTS, PROGRESSION = load_diabetes(return_X_y=True)
ODD = np.array(["a \"quoted\" 'name'", 'three """ and \\', "Größe\n\u4e2d"])
"""Labels that source has to be careful with."""

SOFT = np.eye(3)[SPECIES] * 0.9 + 0.1 / 3
TARGETS = {
    "words": ODD[SPECIES],
    "objects": ODD.astype(object)[SPECIES],
    "pair": ODD[:2][(SPECIES > 0).astype(int)],
    "ints": SPECIES.astype(np.int16) * 3 - 1,
    "bools": SPECIES == 1,
    "floats": SPECIES.astype(np.float64),
    "single": np.full(len(SPECIES), "only"),
    "labels": np.column_stack([SPECIES == 1, SPECIES > 0]).astype(int),
    "soft": SOFT,
    "soft pair": np.column_stack([SOFT[:, 0], SOFT[:, 1:].sum(axis=1)]),
    "several": np.column_stack([SPECIES, 5 + (SPECIES > 0)]),
    "several words": np.column_stack([ODD[SPECIES], ODD[(SPECIES > 0).astype(int)]]),
}
"""Targets of each kind for classifiers."""

NUMBERS = {"one": PROGRESSION, "two": np.column_stack([PROGRESSION, PROGRESSION[::-1] / 10])}


class Cubed:
    """A user's own activation."""

    def forward(self, z):
        return z**3

    def backward(self, z, grad):
        return 3 * z**2 * grad


def fit(estimator, X, y):
    """Return an estimator that has been fitted, however short the training is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.fit(X, y)


def classifier(hidden=(6,), **options):
    return MLPClassifier(hidden, **{"max_iter": 8, "random_state": 0, **options})


def regressor(hidden=(6,), **options):
    return MLPRegressor(hidden, **{"max_iter": 8, "random_state": 0, **options})


@cache
def fitted(kind):
    """Return a classifier that has learnt targets of a kind."""
    return fit(classifier(), IRIS, TARGETS[kind])


def run_source(source):
    """Return what a module defines."""
    namespace = {"__name__": "exported"}
    exec(compile(source, "exported.py", "exec"), namespace)
    return namespace


def evaluate(value, X, columns=None):
    """Return the value of a formula of numbers, as source computes it."""
    width = (2,)  # any but a single number
    model = Model(value, Answers(value, width), columns)
    return run_source(SourceWriter().module(model, "Test"))["predict"](X)


def make_table(n_rows=90, seed=0):
    """Return a frame of numbers, words, bools and categories with gaps, and how ill patients are.

    Categories of integers are in `group`.
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(PATIENTS), n_rows, replace=False)
    table = pd.DataFrame(PATIENTS[rows][:, [0, 2, 3]], columns=["age", "body mass", "pressure"])
    table["age"] = table["age"].astype(np.float32)
    table.loc[rng.random(n_rows) < 0.1, "pressure"] = np.nan
    table["visits"] = rng.integers(0, 20, n_rows)
    words = np.array([*"abcdefghij", 'the "eleventh"'], object)[rng.integers(0, 11, n_rows)]
    table["city"] = words
    table.loc[rng.random(n_rows) < 0.1, "city"] = None
    table["sex"] = np.where(PATIENTS[rows, 1] > 0, "male", "female")
    table["smokes"] = rng.random(n_rows) < 0.4
    table["group"] = pd.Categorical(rng.integers(3, 7, n_rows))
    return table, PROGRESSION[rows]


def make_odd_rows(table):
    """Return rows like those of a table, with gaps and values that it has not."""
    odd = table.copy()
    odd.loc[odd.index[0], "city"] = "elsewhere"
    odd.loc[odd.index[1], "sex"] = None
    odd.loc[odd.index[2], "body mass"] = np.nan
    odd.loc[odd.index[3], "pressure"] = np.inf
    odd.loc[odd.index[4], "pressure"] = -1e300
    return odd


def as_list(probabilities):
    """Return the probabilities of each target."""
    return probabilities if isinstance(probabilities, list) else [probabilities]
