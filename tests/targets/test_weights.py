"""Weights mean rows: a weight of 0 is a row left out, a weight of 2 a row twice."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES, Quantile
from tests.cases import name_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, LABELS = load_iris(return_X_y=True)
IRIS = scale(IRIS) + np.random.default_rng(0).standard_normal(IRIS.shape)  # classes overlap
DIABETES, DISEASE = load_diabetes(return_X_y=True)
DIABETES, DISEASE = scale(DIABETES[:120, :4]), DISEASE[:120] / 100
CONVEX = {
    "hidden_layer_sizes": (),
    "solver": "lbfgs",
    "alpha": 1.0,
    "tol": 1e-9,
    "max_iter": 3000,
    "max_fun": 10**5,
    "random_state": 0,
}
TARGETS = {
    "binary": (LABELS > 0).astype(int),
    "multiclass": LABELS,
    "multilabel": np.stack([LABELS == 0, LABELS > 1, IRIS[:, 0] > 0], axis=1).astype(int),
    "several": np.stack([LABELS, np.where(IRIS[:, 1] > 0, 5, 7)], axis=1),
}
TABLES = {"several": [{0: 3.0}, {7: 0.5}]}
CASES = [
    (kind, weight, smoothing, loss)
    for kind, weight, smoothing in itertools.product(
        TARGETS, [None, "balanced", "dict"], [0.0, 0.2]
    )
    for loss in (CLASSIFICATION_LOSSES if weight != "dict" else ["log_loss"])
]


def assert_weights_are_rows(make, X, y, rtol=1e-6):
    """Compare a fit with weights 0, 1 and 2 to one with rows left out and repeated."""
    weight = np.tile([1, 2, 0, 1, 2, 1], len(X))[: len(X)]
    n = len(X) - 30
    train, held_out = slice(0, n), slice(n, None)
    rows, val_rows = (np.repeat(np.arange(len(X))[s], weight[s]) for s in (train, held_out))
    val = {"X_val": X[held_out], "y_val": y[held_out], "sample_weight_val": weight[held_out]}
    weighted = make().fit(X[train], y[train], weight[train], **val)
    repeated = make().fit(X[rows], y[rows], X_val=X[val_rows], y_val=y[val_rows])

    for a, b in zip(weighted.coefs_, repeated.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    for a, b in zip(weighted.intercepts_, repeated.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    for name in ("loss_curve_", "validation_scores_"):
        first, other = (np.array(getattr(model, name))[:3] for model in (weighted, repeated))
        np.testing.assert_allclose(first, other, rtol=rtol, atol=rtol)
    last = [model.history_["val_loss"].iloc[-1] for model in (weighted, repeated)]
    np.testing.assert_allclose(*last, rtol=1e-5)


@pytest.mark.parametrize(("kind", "class_weight", "smoothing", "loss"), CASES)
def test_weights_are_rows_for_classifiers(kind, class_weight, smoothing, loss):
    y = TARGETS[kind]
    order = np.random.default_rng(1).permutation(len(y))
    choice = TABLES.get(kind, {0: 3.0, 1: 0.5}) if class_weight == "dict" else class_weight

    def make():
        return MLPClassifier(class_weight=choice, label_smoothing=smoothing, loss=loss, **CONVEX)

    assert_weights_are_rows(make, IRIS[order], y[order], rtol=1e-6 if loss == "log_loss" else 1e-4)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("loss", [*LOSSES, Quantile([0.2, 0.8])], ids=name_of)
def test_weights_are_rows_for_regressors(loss, n_outputs):
    y = DISEASE if n_outputs == 1 else np.stack([DISEASE, DISEASE[::-1]], axis=1)
    # Where the loss has corners, lbfgs does not end in the minimum: the paths are compared.
    is_smooth = loss not in ("absolute_error", "quantile") and not isinstance(loss, Quantile)
    numbers = CONVEX if is_smooth else CONVEX | {"max_iter": 10}

    def make():
        return MLPRegressor(loss=loss, **numbers)

    assert_weights_are_rows(make, DIABETES, y)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("scoring", [None, "loss", "accuracy"])
def test_weights_are_rows_for_early_stopping(class_weight, scoring):
    order = np.random.default_rng(1).permutation(len(LABELS))

    def make():
        numbers = CONVEX | {"max_iter": 25, "early_stopping": True, "tol": 0.0}
        return MLPClassifier(class_weight=class_weight, scoring=scoring, **numbers)

    assert_weights_are_rows(make, IRIS[order], LABELS[order])
