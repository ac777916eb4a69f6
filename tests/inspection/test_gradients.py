"""Exact gradients: those of what the estimator itself predicts, by each of its inputs."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import logit
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.inspection import input_gradients
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES, Quantile, SquaredError
from sknn.network import CHUNK
from tests.cases import make_targets, name_of, pairs
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    SCORES,
    SMALL,
    TABLE,
    TARGETS,
    X,
    check_gradients,
    fit,
    make,
    numeric,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DESIGNS = {
    "plain": {},
    "linear": {"hidden_layer_sizes": ()},
    "batch": {"normalization": "batch"},
    "layer": {"normalization": "layer"},
    "dropout": {"dropout": 0.3},
    "residual": {"residual": True, "normalization": "batch", "dropout": 0.2},
    "scale": {"front": "scale"},
    "fourier": {"front": "fourier"},
    "bins": {"front": "piecewise_linear"},
    "fronts": {"front": ("scale", "fourier"), "normalization": "layer"},
    "ntk": {"parametrization": "ntk"},
}
FORMS = {
    "dense": np.asarray,
    "csr": sp.csr_matrix,
    "csc": sp.csc_array,
    "coo": sp.coo_array,
    "columns": np.asfortranarray,
    "list": lambda rows: rows.tolist(),
    "frame": pd.DataFrame,
    "single": np.float32,
}
DTYPES = (np.float64, np.float32)
# Those of the registries have one level.
NUMBER_LOSSES = [*LOSSES, Quantile([0.1, 0.5, 0.9])]


def tolerance(dtype, form="dense"):
    """Return how near a gradient is to what a float64 prediction says."""
    is_double = dtype == np.float64 and form != "single"
    return {"rtol": 1e-5, "atol": 1e-8} if is_double else {"rtol": 1e-3, "atol": 2e-5}


def predict_all(model):
    """Return what a regressor predicts, with a last axis for all outputs."""
    return lambda rows: model.predict(rows).reshape(len(rows), -1)


def flat(gradients):
    """Return gradients with an axis for the outputs."""
    return gradients.reshape(*gradients.shape[:2], -1)


@pytest.mark.parametrize(
    ("activation", "loss", "design", "dtype", "form", "n_outputs"),
    pairs(list(ACTIVATIONS), NUMBER_LOSSES, list(DESIGNS), DTYPES, list(FORMS), (1, 2)),
    ids=name_of,
)
def test_gradients_of_predicted_numbers_are_numeric_derivatives(
    activation, loss, design, dtype, form, n_outputs
):
    y = make_targets(LOSSES.resolve(loss), len(X), n_outputs, np.random.default_rng(1))
    settings = SMALL | {"activation": activation, "loss": loss} | DESIGNS[design]
    model = MLPRegressor(**settings).fit(X.astype(dtype), y[:, 0] if n_outputs == 1 else y)

    found = input_gradients(model, FORMS[form](NEW), output="prediction")
    expected = numeric(predict_all(model), NEW)
    if getattr(loss, "score_levels", ()) and n_outputs > 1:  # all targets of a level together
        expected = expected.reshape(*NEW.shape, n_outputs, -1).swapaxes(2, 3)
    assert found.dtype == dtype
    assert found.shape == (NEW.shape if expected[0, 0].size == 1 else (*NEW.shape, found.shape[2]))
    np.testing.assert_allclose(flat(found), flat(expected), **tolerance(dtype, form))


@pytest.mark.parametrize(
    ("what", "loss", "activation", "design", "dtype", "form"),
    pairs(
        ["two", "three", "labels", "several", "soft"],
        list(CLASSIFICATION_LOSSES),
        ["tanh", "gelu", "softplus"],
        list(DESIGNS),
        DTYPES,
        list(FORMS),
    ),
)
def test_gradients_of_probabilities_are_numeric_derivatives(
    what, loss, activation, design, dtype, form
):
    model = make(what, loss=loss, activation=activation, **DESIGNS[design])
    model.fit(X.astype(dtype), TARGETS[what])
    found = input_gradients(model, FORMS[form](NEW), output="probability")

    def probabilities(rows):
        p = model.predict_proba(rows)
        p = np.concatenate(p, axis=1) if isinstance(p, list) else p
        return p[:, 1:] if what == "two" else p

    expected = numeric(probabilities, NEW)
    assert found.shape == (NEW.shape if what == "two" else expected.shape)
    np.testing.assert_allclose(flat(found), expected, **tolerance(dtype, form))


WEIGHED = {
    "two": {"class_weight": {"no": 1.0, "yes": 5.0}},
    "three": {"class_weight": "balanced", "label_smoothing": 0.1},
    "labels": {"class_weight": {0: 2.0, 1: 3.0, 2: 0.5}},
    "several": {"class_weight": [{0: 2.0}, {3: 3.0}], "loss": "focal"},
}


@pytest.mark.parametrize("what", WEIGHED)
def test_weights_of_classes_are_of_training_only(what):
    check_gradients(make(what, **WEIGHED[what]).fit(X, TARGETS[what]), NEW)


# Raw scores.


def raw_from_probabilities(model, rows):
    """Return raw scores but for what is added to all of a sample's."""
    p = model.predict_proba(rows)
    parts = p if isinstance(p, list) else [p]
    return np.concatenate([np.log(part) - np.log(part[:, :1]) for part in parts], axis=1)


@pytest.mark.parametrize(("what", "starts"), [("three", [0] * 3), ("several", [0, 0, 0, 3, 3])])
def test_raw_scores_of_classes_are_logarithms_of_probabilities(what, starts):
    model = fit(what)
    found = input_gradients(model, NEW)

    expected = numeric(lambda rows: raw_from_probabilities(model, rows), NEW)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found - found[:, :, starts], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("what", ["two", "labels"])
def test_raw_scores_of_two_classes_and_of_labels_are_log_odds(what):
    model = fit(what)
    found = input_gradients(model, NEW)

    def odds(rows):
        p = model.predict_proba(rows)
        return logit(p[:, 1] if what == "two" else p)

    np.testing.assert_allclose(found, numeric(odds, NEW), rtol=1e-5, atol=1e-8)


def deviations(model, rows):
    mean, deviation = model.predict(rows, return_std=True)
    return np.column_stack([mean, 2 * np.log(deviation)])


def distances(model, rows):
    quantiles = model.predict(rows)
    return np.column_stack([quantiles[:, 0], np.log(np.expm1(np.diff(quantiles, axis=1)))])


@pytest.mark.parametrize(
    ("loss", "raw"),
    [
        ("squared_error", lambda model, rows: model.predict(rows)[:, np.newaxis]),
        ("poisson", lambda model, rows: np.log(model.predict(rows))[:, np.newaxis]),
        ("gaussian", deviations),
        (Quantile([0.1, 0.5, 0.9]), distances),
    ],
    ids=name_of,
)
def test_raw_scores_of_numbers_are_what_the_link_makes_of_predictions(loss, raw):
    y = make_targets(LOSSES.resolve(loss), len(X), 1, np.random.default_rng(1))[:, 0]
    model = make("number", loss=loss).fit(X, y)

    expected = numeric(lambda rows: raw(model, rows), NEW)
    np.testing.assert_allclose(flat(input_gradients(model, NEW)), expected, rtol=1e-5, atol=1e-7)


def test_a_linear_model_has_its_weights_as_gradient_everywhere():
    model = fit("numbers", hidden_layer_sizes=())
    found = input_gradients(model, NEW)

    np.testing.assert_allclose(found, np.broadcast_to(model.coefs_[0], (7, 4, 2)), rtol=1e-12)


def test_a_network_of_rectifiers_has_the_weights_of_the_units_that_are_on():
    model = fit("number", hidden_layer_sizes=(6,), activation="relu")
    is_on = NEW @ model.coefs_[0] + model.intercepts_[0] > 0

    expected = (is_on * model.coefs_[1][:, 0]) @ model.coefs_[0].T
    np.testing.assert_allclose(input_gradients(model, NEW), expected, rtol=1e-12)


def test_gradients_follow_weights_that_are_edited():
    model = make("number", hidden_layer_sizes=()).fit(X, TARGETS["number"])
    model.coefs_[0][:, 0] = [1, 2, 3, 4]

    np.testing.assert_allclose(input_gradients(model, NEW[:1]), [[1, 2, 3, 4]])


def test_activations_of_users_have_gradients():
    class Square:
        def forward(self, z):
            return z**2

        def backward(self, z, grad):
            return 2 * z * grad

    check_gradients(make("number", activation=Square()).fit(X, TARGETS["number"]), NEW)


class Unlinked(SquaredError):
    """A loss of a user that does not say how raw scores follow from predictions."""

    def pull_back(self, predicted, slope):
        return super(SquaredError.__mro__[1], self).pull_back(predicted, slope)


def test_a_loss_without_pull_back_has_raw_scores_and_says_what_is_missing():
    model = make("number", loss=Unlinked()).fit(X, TARGETS["number"])

    assert input_gradients(model, NEW).shape == NEW.shape
    with pytest.raises(NotImplementedError, match=r"Unlinked.*pull_back.*output='raw'"):
        input_gradients(model, NEW, output="prediction")


# Which output.


def label_targets(labels):
    return np.array(labels)[SCORES.argmax(axis=1)]


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        (["a", "b", "c"], "b"),
        (["a", "b", "c"], np.str_("b")),
        ([3, 5, 9], 5),
        ([3, 5, 9], np.int64(5)),
        ([3, 5, 9], np.uint8(5)),
        ([0.0, 1.0, 2.0], 1.0),
        ([0.0, 1.0, 2.0], np.float64(1)),
    ],
    ids=repr,
)
def test_a_class_is_chosen_by_its_label(labels, target):
    model = make("three").fit(X, label_targets(labels))

    every = input_gradients(model, NEW)
    assert every.shape == (7, 4, 3)
    found = input_gradients(model, NEW, target=target)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, every[:, :, 1])


@pytest.mark.parametrize(
    ("labels", "target"),
    [
        (["no", "yes"], "yes"),
        ([3, 7], 7),
        ([0, 1], 1),
        ([False, True], True),
        ([False, True], np.True_),
    ],
    ids=repr,
)
def test_of_two_classes_the_second_has_the_only_output(labels, target):
    model = make("two").fit(X, np.array(labels)[(SCORES[:, 0] > 0).astype(int)])
    found = input_gradients(model, NEW, target=target, output="probability")

    assert found.shape == NEW.shape
    np.testing.assert_array_equal(found, input_gradients(model, NEW, output="probability"))
    expected = numeric(lambda rows: model.predict_proba(rows)[:, 1], NEW)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_labels_are_chosen_by_their_number_and_several_targets_by_target_and_class():
    labels, several = fit("labels"), fit("several")

    every = input_gradients(labels, NEW)
    np.testing.assert_array_equal(input_gradients(labels, NEW, target=2), every[:, :, 2])
    every = input_gradients(several, NEW)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]
    for k, target in enumerate(pairs):
        np.testing.assert_array_equal(input_gradients(several, NEW, target), every[:, :, k])
    with pytest.raises(ValueError, match=r"\(1, 0\) is no class"):
        input_gradients(several, NEW, target=(1, 0))


@pytest.mark.parametrize(("target", "k"), [(1, 1), (np.int32(1), 1), (-1, 1), (-2, 0), (0, 0)])
def test_an_output_of_a_regressor_is_chosen_by_its_number(target, k):
    model = fit("numbers")
    every = input_gradients(model, NEW)

    assert every.shape == (7, 4, 2)
    np.testing.assert_array_equal(input_gradients(model, NEW, target=target), every[:, :, k])


def test_a_quantile_is_chosen_by_its_number():
    model = fit("number", loss=Quantile([0.1, 0.9]))
    found = input_gradients(model, NEW, target=1, output="prediction")

    expected = numeric(lambda rows: model.predict(rows)[:, 1], NEW)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("what", "target", "message"),
    [
        ("three", "d", r"target='d' is no class: these are \['a', 'b', 'c'\]"),
        ("three", 1, "target=1 is no class"),
        ("three", ["a"], "is no class"),
        ("three", np.array(["a"]), "is no class"),
        ("two", "maybe", "target='maybe' is no class"),
        ("labels", 3, "target=3 is no class"),
        ("labels", True, "target=True is no class"),
        ("several", 0, "target=0 is no class"),
        ("number", 1, r"target=1 is no output: it must be None or an int in \[0, 0\]"),
        ("numbers", 2, r"target=2 is no output.* in \[0, 1\]"),
        ("numbers", -3, "target=-3 is no output"),
        ("numbers", 0.0, "is no output"),
        ("numbers", "a", "is no output"),
    ],
)
def test_a_target_that_there_is_not_is_refused(what, target, message):
    with pytest.raises(ValueError, match=message):
        input_gradients(fit(what), NEW, target=target)


@pytest.mark.parametrize(
    ("what", "output", "message"),
    [
        ("three", "prediction", "output='prediction' of MLPClassifier: classes have no derivative"),
        ("two", "prediction", "Use output='raw' or output='probability'"),
        ("number", "probability", "MLPRegressor predicts numbers"),
        ("number", "probabilities", "output must be one of"),
        ("number", None, "output must be one of"),
        ("number", ["raw"], "output must be one of"),
    ],
)
def test_an_output_that_there_is_not_is_refused(what, output, message):
    with pytest.raises(ValueError, match=message):
        input_gradients(fit(what), NEW, output=output)


# Which rows.


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((3, 5)), "X has 5 features, but MLPRegressor is expecting 4"),
        (np.ones((3, 3)), "X has 3 features, but MLPRegressor is expecting 4"),
        (np.ones(4), "Expected 2D array, got 1D array"),
        (np.ones((0, 4)), "0 sample"),
        (np.ones((2, 2, 4)), "got 3D array"),
        (np.full((2, 4), np.nan), "Input X contains NaN"),
        (np.full((2, 4), np.inf), "Input X contains infinity"),
        (sp.csr_array(np.full((2, 4), np.nan)), "Input X contains NaN"),
        ([["a", "b", "c", "d"]], "could not convert"),
        (None, "Expected 2D array"),
    ],
    ids=["wide", "narrow", "1-d", "empty", "3-d", "gaps", "infinite", "sparse", "words", "None"],
)
def test_rows_that_cannot_be_predicted_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        input_gradients(fit("number"), bad)


def test_names_in_another_order_are_refused():
    model = make("number").fit(TABLE, TARGETS["number"])

    np.testing.assert_array_equal(
        input_gradients(model, NEW_TABLE), input_gradients(fit("number"), NEW)
    )
    with pytest.raises(ValueError, match="feature names should match"):
        input_gradients(model, NEW_TABLE[NAMES[::-1]])


def test_rows_have_the_gradients_that_each_has_alone():
    model = fit("three", normalization="batch", dropout=0.5)
    together = input_gradients(model, NEW)

    np.testing.assert_array_equal(input_gradients(model, NEW), together)
    for i in range(len(NEW)):
        alone = input_gradients(model, NEW[i : i + 1])
        np.testing.assert_allclose(alone, together[i : i + 1], rtol=1e-12)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_many_rows_have_the_gradients_of_few(form):
    many = np.tile(NEW, (2 * CHUNK // 7 + 2, 1))
    model = fit("number")
    found = input_gradients(model, form(many))

    assert found.shape == many.shape
    expected = np.tile(input_gradients(model, NEW), (len(many) // 7, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# Which estimators.


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (MLPRegressor(), NotFittedError, "MLPRegressor instance is not fitted"),
        (MLPClassifier(), NotFittedError, "MLPClassifier instance is not fitted"),
        (make_pipeline(StandardScaler(), MLPRegressor()), NotFittedError, "Pipeline"),
        (GridSearchCV(MLPRegressor(), {}), NotFittedError, "GridSearchCV"),
        (RandomForestRegressor(), TypeError, "RandomForestRegressor cannot be explained"),
        (RandomForestRegressor(), TypeError, "pass a fitted estimator of sknn, or a Pipeline"),
        (MLPRegressor, TypeError, "cannot be explained"),
        (None, TypeError, "NoneType cannot be explained"),
    ],
    ids=lambda case: type(case).__name__ if hasattr(case, "fit") else None,
)
def test_what_cannot_be_explained_is_named(estimator, error, message):
    with pytest.raises(error, match=message):
        input_gradients(estimator, NEW)


def test_a_pipeline_that_ends_in_another_estimator_is_refused():
    model = make_pipeline(StandardScaler(), RandomForestRegressor(2)).fit(X, TARGETS["number"])
    with pytest.raises(TypeError, match="RandomForestRegressor cannot be explained"):
        input_gradients(model, NEW)


# What it leaves alone.


@pytest.mark.parametrize("what", ["number", "three"])
def test_explaining_changes_neither_the_estimator_nor_the_rows(what):
    model = make(what, normalization="batch", dropout=0.2, front="scale").fit(X, TARGETS[what])
    before, rows = (pickle.dumps(model), joblib.hash(model)), NEW.copy()
    rows.setflags(write=False)
    input_gradients(model, rows)
    input_gradients(model, rows, output="prediction" if what == "number" else "probability")

    assert (pickle.dumps(model), joblib.hash(model)) == before
    np.testing.assert_array_equal(rows, NEW)


def test_the_result_belongs_to_the_caller():
    model = fit("number")
    found = input_gradients(model, NEW)
    expected = found.copy()
    found[:] = 0

    np.testing.assert_array_equal(input_gradients(model, NEW), expected)


def test_threads_do_not_disturb_each_other():
    model, parts = fit("three"), np.random.default_rng(2).standard_normal((24, 30, 4))
    expected = [input_gradients(model, part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: input_gradients(model, part), parts))

    np.testing.assert_array_equal(found, expected)
