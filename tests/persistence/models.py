"""Small fitted models of every kind, and whether two of them are the same to the bit."""

import copy
import functools
import warnings

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import PredefinedSplit, RepeatedKFold

from sknn import MLPClassifier, MLPRegressor
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES, Quantile
from sknn.optimizers import OPTIMIZERS
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor

X, CODES = load_iris(return_X_y=True)
X = (X / X.max(axis=0))[::2]
CODES = CODES[::2]
NUMBERS = {"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0}
SMALL = NUMBERS | {"cv": 2}

TABLE = pd.DataFrame(
    {
        "length": X[:, 0],
        "width": np.where(X[:, 1] > 0.9, np.nan, X[:, 1]),
        "color": np.array(["red", "blue", "ä"])[CODES],
        "kind": pd.Categorical(CODES + 5),
        "day": pd.date_range("2020-01-30", periods=len(X), freq="31h"),
        "is_large": X[:, 0] > 0.8,
    }
)

LABELS = {
    "int": CODES,
    "str": np.array(["ä ", "", "nan"])[CODES],
    "object": np.array(["x", "y", "z"], dtype=object)[CODES],
    "bool": CODES > 0,
    "float": CODES - 1.0,
    "int8": (CODES - 1).astype(np.int8),
    "uint64": CODES.astype(np.uint64) + 2**63,
    "one class": np.zeros_like(CODES),
    "labels": np.column_stack([CODES > 0, CODES > 1]).astype(int),
    "sparse matrix": sp.csr_matrix(np.column_stack([CODES > 0, CODES > 1]).astype(int)),
    "sparse array": sp.csc_array(np.column_stack([CODES > 0, CODES > 1]).astype(int)),
    "probabilities": 0.7 * np.eye(3)[CODES] + 0.1,
    "several": np.column_stack([CODES, CODES > 0]),
    "several words": np.array([["a", "p"], ["b", "q"], ["c", "q"]], dtype=object)[CODES],
}


def half_drawn():
    """Return a random state that keeps one of two normal numbers for the next draw."""
    state = np.random.RandomState(5)
    state.standard_normal(3)
    return state


def classifiers():
    """Return classifiers by name, and what they are fitted to."""
    made = {f"labels: {name}": (MLPClassifier(**NUMBERS), X, y) for name, y in LABELS.items()}
    for name in CLASSIFICATION_LOSSES:
        for kind in ("int", "bool", "labels"):
            network = MLPClassifier(loss=name, **NUMBERS)
            made[f"loss: {name}, {kind}"] = network, X, LABELS[kind]
    weights = {0: 1.0, 1: 2.0, 2: 0.5}
    made["class_weight"] = MLPClassifier(class_weight=weights, **NUMBERS), X, CODES
    several = MLPClassifier(class_weight=[weights, {0: 1, 1: 2}], **NUMBERS)
    made["class_weights"] = several, X, LABELS["several"]
    made["names"] = MLPClassifier(**NUMBERS), TABLE[["length", "is_large"]], CODES
    made["sparse X"] = MLPClassifier(**NUMBERS), sp.csr_matrix(X), CODES
    return made


def regressors():
    """Return regressors by name, and what they are fitted to."""
    y, several = X[:, 0] + 0.5, X[:, :2] + 0.5
    made = {f"loss: {name}": (MLPRegressor(loss=name, **NUMBERS), X, y) for name in LOSSES}
    for name in (*OPTIMIZERS, "lbfgs"):
        for dtype in (np.float32, np.float64):
            network = MLPRegressor(solver=name, **NUMBERS)
            made[f"solver: {name}, {np.dtype(dtype)}"] = network, X.astype(dtype), several
    made["quantiles"] = MLPRegressor(loss=Quantile([0.1, 0.5, 0.9]), **NUMBERS), X, y
    made["no hidden layer"] = MLPRegressor(**NUMBERS | {"hidden_layer_sizes": ()}), X, y
    made["random state"] = MLPRegressor(**NUMBERS | {"random_state": half_drawn()}), X, y
    folds = PredefinedSplit(np.arange(len(X)) % 5)
    early = {"early_stopping": True, "validation_fraction": folds}
    made["splitter"] = MLPRegressor(**NUMBERS | early), X, y
    made["range test"] = MLPRegressor(learning_rate_init="auto", **NUMBERS), X, y
    return made


def tables():
    """Return tabular estimators by name, and what they are fitted to."""
    number = X[:, 2]
    return {
        "classifier": (TabularMLPClassifier(**SMALL), TABLE, LABELS["str"]),
        "binary": (TabularMLPClassifier(**SMALL), TABLE, LABELS["bool"]),
        "labels": (TabularMLPClassifier(**SMALL), TABLE, LABELS["labels"]),
        "several": (TabularMLPClassifier(**SMALL), TABLE, LABELS["several"]),
        "regressor": (TabularMLPRegressor(**SMALL), TABLE, number),
        "numbers": (TabularMLPRegressor(**SMALL), TABLE, X[:, 2:]),
        "without names": (TabularMLPRegressor(**SMALL), X, number),
        "names that are numbers": (
            TabularMLPRegressor(**SMALL),
            TABLE.set_axis([3, 1, "a", ("b", 2), "c", 0], axis=1),
            number,
        ),
        "repeated folds": (
            TabularMLPRegressor(**SMALL | {"cv": RepeatedKFold(n_splits=2, n_repeats=2)}),
            TABLE,
            number,
        ),
    }


def encoders():
    """Return encoders by name, and what they are fitted to."""
    plain = TableEncoder(random_state=0)
    waves = TableEncoder(numeric=("robust", "fourier"), min_target_categories=2, random_state=0)
    return {"encoder": (plain, TABLE, None), "waves and means": (waves, TABLE, CODES)}


NETWORKS = {**classifiers(), **regressors()}
MODELS = {**NETWORKS, **tables(), **encoders()}


def train(model, X, y):
    """Fit, without a word on how few epochs there are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


@functools.cache
def fitted(name):
    """Return a model that has been fitted; nobody changes it."""
    model, X, y = MODELS[name]
    return train(copy.deepcopy(model), X, y)


def answer(name, model):
    """Return what a model says of its training rows."""
    _, X, _ = MODELS[name]
    if hasattr(model, "transform"):
        return [model.transform(X)]
    methods = ["predict", "predict_proba", "predict_interval"]
    if name in ("classifier", "binary"):
        methods.append("predict_set")  # of a single target
    return [getattr(model, method)(X) for method in methods if hasattr(model, method)]


def same(one, other):
    """Whether two values are equal to the last bit, and of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if sp.issparse(one):
        return one.shape == other.shape and same(one.toarray(), other.toarray())
    if isinstance(one, np.ndarray) and one.dtype != object:
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, np.random.RandomState):
        return repr(one.get_state()) == repr(other.get_state())
    if isinstance(one, (np.ndarray, pd.Index)):
        return one.shape == other.shape and same(one.tolist(), other.tolist())
    if hasattr(one, "__dict__") and not isinstance(one, type) and not callable(one):
        return same(vars(one), vars(other))
    return one is other or repr(one) == repr(other)
