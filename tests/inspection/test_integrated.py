"""Integrated gradients: what they add up to, from where, and what is known by hand."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from sknn import MLPRegressor
from sknn.activations import ACTIVATIONS
from sknn.inspection import Attributions, input_gradients, integrated_gradients
from sknn.inspection.integrated import FIRST_STEPS, MOST_STEPS
from sknn.losses import LOSSES
from sknn.network import CHUNK
from tests.cases import make_targets, name_of, pairs
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    SMALL,
    TABLE,
    TARGETS,
    X,
    check_attributions,
    fit,
    make,
    settle,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROW = np.array([0.5, -1.0, 2.0, 0.1])
LINEAR = fit("number", hidden_layer_sizes=())
W = LINEAR.coefs_[0][:, 0]


def linear(*weights):
    """Return a linear model with these weights."""
    model = MLPRegressor((), max_iter=1).fit(X[:, : len(weights)], TARGETS["number"])
    model.coefs_[0][:, 0], model.intercepts_[0][:] = weights, 0
    return model


# What they add up to.

DESIGNS = {
    "plain": {},
    "batch": {"normalization": "batch", "dropout": 0.2},
    "layer": {"normalization": "layer", "front": "scale"},
    "residual": {"residual": True, "front": "fourier"},
}
BASELINES = {
    "mean": ("mean", lambda rows: rows.mean(axis=0)),
    "zero": ("zero", lambda rows: np.zeros(4)),
    "row": (ROW, lambda rows: ROW),
    "list": (ROW.tolist(), lambda rows: ROW),
    "rows": (ROW[np.newaxis], lambda rows: ROW),
    "series": (pd.Series(ROW), lambda rows: ROW),
    "sparse": (sp.csr_array(ROW[np.newaxis]), lambda rows: ROW),
}
SMOOTH = [name for name in ACTIVATIONS if name not in ("relu", "leaky_relu", "selu")]


@pytest.mark.parametrize(
    ("activation", "loss", "design", "baseline", "dtype", "form"),
    pairs(
        SMOOTH,
        [name for name in LOSSES if name != "gaussian"],
        list(DESIGNS),
        list(BASELINES),
        (np.float64, np.float32),
        (np.asarray, sp.csr_matrix, list),
    ),
    ids=name_of,
)
def test_they_add_up_to_the_difference_of_two_predictions(
    activation, loss, design, baseline, dtype, form
):
    y = make_targets(LOSSES.resolve(loss), len(X), 1, np.random.default_rng(1))[:, 0]
    settings = SMALL | {"activation": activation, "loss": loss} | DESIGNS[design]
    model = MLPRegressor(**settings).fit(X.astype(dtype), y)
    given, at = BASELINES[baseline]

    found = integrated_gradients(model, form(NEW), given, output="prediction", tolerance=1e-3)
    precise = {"rtol": 1e-9, "atol": 1e-12} if dtype == np.float64 else {"rtol": 1e-5}
    np.testing.assert_allclose(found.predictions, model.predict(NEW), **precise)
    base = model.predict(at(NEW)[np.newaxis])
    np.testing.assert_allclose(found.base_values, np.repeat(base, 7), **precise)
    difference = found.predictions - found.base_values
    total = found.values.sum(axis=1)
    np.testing.assert_allclose(difference - total, found.errors, rtol=0, atol=1e-12)
    assert np.abs(found.errors).max() <= 0.001 * np.abs(difference).mean() + 1e-12


@pytest.mark.parametrize("what", ["two", "three", "labels", "several", "soft", "numbers"])
def test_each_output_has_its_own(what):
    model = fit(what)
    found = check_attributions(model, NEW, ROW, at=ROW[np.newaxis])

    n = 1 if what == "two" else found.values.shape[2]
    assert found.values.shape == ((7, 4) if what == "two" else (7, 4, n))
    assert found.base_values.shape == found.predictions.shape == found.errors.shape
    names = {
        "two": ["yes"],
        "three": ["a", "b", "c"],
        "labels": [0, 1, 2],
        "several": [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)],
        "soft": [0, 1, 2],
        "numbers": [0, 1],
    }
    assert found.target_names == names[what]
    output = "prediction" if what == "numbers" else "probability"
    for k, target in enumerate(found.target_names):
        one = integrated_gradients(model, NEW, ROW, target=target, output=output)
        assert (one.values.shape, one.target_names) == ((7, 4), [target])
        expected = found.values if what == "two" else found.values[:, :, k]
        np.testing.assert_allclose(one.values, expected, rtol=0, atol=1e-3)


def test_probabilities_of_all_classes_are_moved_by_nothing_together():
    found = integrated_gradients(fit("three"), NEW, output="probability")

    np.testing.assert_allclose(found.values.sum(axis=2), 0, atol=1e-12)


# What is known by hand.


@pytest.mark.parametrize("n_steps", ["auto", 1, 3])
def test_of_a_linear_model_each_column_moves_it_by_weight_times_way(n_steps):
    found = integrated_gradients(LINEAR, NEW, ROW, n_steps=n_steps)

    np.testing.assert_allclose(found.values, W * (NEW - ROW), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.base_values, LINEAR.predict([ROW] * 7), rtol=1e-12)
    np.testing.assert_allclose(found.errors, 0, atol=1e-12)


def test_of_a_product_both_factors_get_what_they_have_moved():
    model = make_pipeline(
        PolynomialFeatures(2, interaction_only=True, include_bias=False), linear(2, -3, 5)
    )
    model[0].fit(X[:, :2])
    a, b = NEW[:, 0], NEW[:, 1]
    found = integrated_gradients(model, NEW[:, :2], [0.5, -1.0])

    # The integral of the other factor along the walk is its mean.
    expected = np.column_stack(
        [(a - 0.5) * (2 + 5 * (b - 1) / 2), (b + 1) * (-3 + 5 * (a + 0.5) / 2)]
    )
    np.testing.assert_allclose(found.values, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.predictions, 2 * a - 3 * b + 5 * a * b, rtol=1e-12)
    np.testing.assert_allclose(found.base_values, 1 + 3 - 2.5, rtol=1e-12)


def test_they_are_means_of_gradients_along_the_walk():
    model = fit("three")
    found = integrated_gradients(model, NEW, ROW, output="probability", tolerance=1e-7)

    middles = (np.arange(200) + 0.5) / 200
    walk = [ROW + t * (NEW - ROW) for t in middles]
    slopes = [input_gradients(model, rows, output="probability") for rows in walk]
    expected = np.mean(slopes, axis=0) * (NEW - ROW)[:, :, np.newaxis]
    np.testing.assert_allclose(found.values, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("n_steps", [1, 2, 5])
def test_steps_are_the_nodes_of_gauss_and_legendre(n_steps):
    model = fit("number")
    found = integrated_gradients(model, NEW, ROW, n_steps=n_steps)

    nodes, weights = np.polynomial.legendre.leggauss(n_steps)
    parts = zip((nodes + 1) / 2, weights / 2, strict=True)
    means = sum(w * input_gradients(model, ROW + t * (NEW - ROW)) for t, w in parts)
    assert found.n_steps == n_steps
    np.testing.assert_allclose(found.values, means * (NEW - ROW), rtol=1e-10, atol=1e-14)


def test_a_column_that_the_model_does_not_look_at_has_nothing():
    model = make("number").fit(X, TARGETS["number"])
    model.coefs_[0][2] = 0
    found = integrated_gradients(model, NEW, ROW)

    np.testing.assert_array_equal(found.values[:, 2], 0)
    assert np.abs(found.values[:, [0, 1, 3]]).min() > 0


def test_a_row_that_is_the_baseline_has_nothing():
    found = integrated_gradients(fit("number"), NEW, NEW[2])

    np.testing.assert_array_equal(found.values[2], 0)
    assert found.errors[2] == 0
    assert found.predictions[2] == pytest.approx(found.base_values[2], rel=1e-12)


# Where the walk begins.


def test_expected_gradients_are_the_mean_of_those_from_each_row():
    model = fit("three")
    together = integrated_gradients(model, NEW, X[:5], n_steps=16)
    singles = [integrated_gradients(model, NEW, row, n_steps=16) for row in X[:5]]

    for name in ("values", "base_values", "errors"):
        expected = np.mean([getattr(one, name) for one in singles], axis=0)
        np.testing.assert_allclose(getattr(together, name), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(together.predictions, singles[0].predictions)


def test_of_a_linear_model_expected_gradients_are_those_from_the_mean():
    np.testing.assert_allclose(
        integrated_gradients(LINEAR, NEW, X).values,
        integrated_gradients(LINEAR, NEW, "mean", background=X).values,
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array, pd.DataFrame, list])
def test_the_mean_is_that_of_the_background_or_of_the_rows(form):
    own, other = (integrated_gradients(LINEAR, form(NEW), background=b) for b in (None, form(X)))

    np.testing.assert_allclose(own.values, W * (NEW - NEW.mean(axis=0)), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(other.values, W * (NEW - X.mean(axis=0)), rtol=1e-10, atol=1e-12)


def test_the_mean_of_a_background_of_many_rows_is_that_of_all():
    many = (
        np.random.default_rng(0).standard_normal((CHUNK + 50, 4)) + np.arange(CHUNK + 50)[:, None]
    )
    found = integrated_gradients(LINEAR, NEW, background=many)

    np.testing.assert_allclose(found.values, W * (NEW - many.mean(axis=0)), rtol=1e-9)


def test_the_mean_of_single_precision_is_taken_in_double():
    many = (1e4 + NEW.repeat(300, axis=0)).astype(np.float32)
    model = make_pipeline(StandardScaler(), linear(1, 0, 0, 0)).fit(many, np.zeros(len(many)))
    model[-1].coefs_[0][:, 0], model[-1].intercepts_[0][:] = [1, 0, 0, 0], 0
    base = integrated_gradients(model, many[:2], background=many).base_values

    np.testing.assert_allclose(base, 0, atol=1e-3)


def test_a_single_row_needs_a_background():
    with pytest.raises(ValueError, match=r"of a single row is that row\. Pass background="):
        integrated_gradients(LINEAR, NEW[:1])
    found = integrated_gradients(LINEAR, NEW[:1], background=NEW)
    np.testing.assert_allclose(found.values, W * (NEW[:1] - NEW.mean(axis=0)), rtol=1e-9)
    found = integrated_gradients(LINEAR, NEW[:1], background=[ROW])
    np.testing.assert_allclose(found.values, W * (NEW[:1] - ROW), rtol=1e-9)


FRAMED = settle(make("number"), TABLE, TARGETS["number"])


@pytest.mark.parametrize(
    "baseline",
    [
        NEW[0],
        NEW[0].tolist(),
        tuple(NEW[0]),
        NEW_TABLE.iloc[0],
        NEW_TABLE.iloc[[0]],
        NEW_TABLE.iloc[0].astype(object),
    ],
    ids=["array", "list", "tuple", "series", "frame", "objects"],
)
def test_a_row_of_a_table_may_come_in_any_form(baseline):
    found = integrated_gradients(FRAMED, NEW_TABLE, baseline)

    expected = integrated_gradients(fit("number"), NEW, NEW[0])
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.base_values, expected.base_values)
    assert found.feature_names == NAMES
    assert found.data.equals(NEW_TABLE)


@pytest.mark.parametrize(
    ("baseline", "shape"),
    [
        (np.ones(3), r"\(3,\)"),
        (np.ones(5), r"\(5,\)"),
        (np.ones((2, 5)), r"\(2, 5\)"),
        (np.ones((0, 4)), r"\(0, 4\)"),
        (np.ones((2, 2, 4)), r"\(2, 2, 4\)"),
        (0, r"\(\)"),
        (None, r"\(\)"),
        ([], r"\(0,\)"),
    ],
    ids=["short", "long", "wide", "empty", "3-d", "number", "None", "nothing"],
)
def test_a_baseline_of_another_shape_is_refused(baseline, shape):
    with pytest.raises(ValueError, match=rf"baseline has the shape {shape}; .*X has 4 columns"):
        integrated_gradients(LINEAR, NEW, baseline)


def test_a_baseline_without_a_meaning_is_refused():
    with pytest.raises(ValueError, match="baseline='median' must be 'mean', 'zero', a row"):
        integrated_gradients(LINEAR, NEW, "median")
    with pytest.raises(ValueError, match="contains NaN"):
        integrated_gradients(LINEAR, NEW, np.full(4, np.nan))
    with pytest.raises(ValueError, match="X has 5 features"):
        integrated_gradients(LINEAR, NEW, background=np.ones((3, 5)))
    with pytest.raises(ValueError, match="0 sample"):
        integrated_gradients(LINEAR, NEW, background=np.ones((0, 4)))


def test_categories_have_no_zero():
    words = np.array([["u"], ["v"], ["w"]] * 20)
    model = make_pipeline(OneHotEncoder(), make("number")).fit(words, TARGETS["number"])
    with pytest.raises(
        ValueError, match="baseline='zero' is not known here: categories and gaps have no 0"
    ):
        integrated_gradients(model, words, "zero")


# How exactly.


def test_steps_are_doubled_until_they_are_enough():
    model = make("number", hidden_layer_sizes=(6,)).fit(X, TARGETS["number"])
    model.coefs_[0][:] *= 10
    loose, tight = (integrated_gradients(model, NEW, tolerance=t) for t in (0.05, 1e-6))

    assert loose.n_steps < tight.n_steps
    for found, tolerance in ((loose, 0.05), (tight, 1e-6)):
        scale = np.abs(found.predictions - found.base_values).mean()
        assert np.abs(found.errors).max() <= tolerance * scale
    before = integrated_gradients(model, NEW, n_steps=tight.n_steps // 2)
    scale = np.abs(before.predictions - before.base_values).mean()
    assert np.abs(before.errors).max() > 1e-6 * scale


def test_steps_that_are_never_enough_are_reported():
    model = make("number", hidden_layer_sizes=(6,), activation="relu").fit(X, TARGETS["number"])
    with pytest.warns(
        UserWarning, match=f"With {MOST_STEPS} steps attributions still miss .* by up to"
    ):
        found = integrated_gradients(model, NEW, tolerance=1e-12)

    assert found.n_steps == MOST_STEPS
    assert 0 < np.abs(found.errors).max() < 1e-3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few = integrated_gradients(model, NEW, n_steps=2, tolerance=1e-12)
    assert few.n_steps == 2
    assert np.abs(few.errors).max() > np.abs(found.errors).max()


def test_a_constant_answer_is_exact_at_once():
    model = make("number").fit(X, TARGETS["number"])
    model.coefs_[-1][:] = 0
    found = integrated_gradients(model, NEW)

    assert found.n_steps == FIRST_STEPS
    np.testing.assert_array_equal(found.values, 0)
    np.testing.assert_array_equal(found.errors, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps must be 'auto' or an int of at least 1; got 0"),
        ({"n_steps": 2.0}, "n_steps"),
        ({"n_steps": True}, "n_steps"),
        ({"n_steps": "many"}, "n_steps"),
        ({"n_steps": None}, "n_steps"),
        ({"tolerance": 0}, "tolerance must be a positive number; got 0"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"tolerance": float("nan")}, "tolerance"),
        ({"tolerance": "small"}, "tolerance"),
        ({"output": "probability"}, "MLPRegressor predicts numbers"),
        ({"target": 1}, "target=1 is no output"),
    ],
    ids=repr,
)
def test_parameters_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        integrated_gradients(LINEAR, NEW, **options)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((3, 5)), "X has 5 features"),
        (np.ones(4), "Expected 2D array"),
        (np.ones((0, 4)), "0 sample"),
        (np.full((2, 4), np.nan), "contains NaN"),
    ],
    ids=["wide", "1-d", "empty", "gaps"],
)
@pytest.mark.parametrize("baseline", ["mean", "zero"])
def test_rows_that_cannot_be_predicted_are_refused(baseline, bad, message):
    with pytest.raises(ValueError, match=message):
        integrated_gradients(LINEAR, bad, baseline)


def test_what_cannot_be_explained_is_named():
    with pytest.raises(NotFittedError, match="MLPRegressor"):
        integrated_gradients(MLPRegressor(), NEW)
    with pytest.raises(TypeError, match="RandomForestRegressor cannot be explained"):
        integrated_gradients(RandomForestRegressor(), NEW)


# What comes with them.


def test_rows_and_names_come_along():
    found = integrated_gradients(LINEAR, NEW)
    assert isinstance(found, Attributions)
    assert found.feature_names == ["x0", "x1", "x2", "x3"]
    np.testing.assert_array_equal(found.data, NEW)

    sparse = integrated_gradients(LINEAR, sp.csc_array(NEW))
    np.testing.assert_array_equal(sparse.data, NEW)
    np.testing.assert_allclose(sparse.values, found.values, rtol=1e-10)
    listed = integrated_gradients(LINEAR, NEW.tolist())
    np.testing.assert_array_equal(listed.data, NEW)


def test_many_rows_have_what_few_have():
    many = np.tile(NEW, (2 * CHUNK // 7 + 2, 1))
    found = integrated_gradients(fit("two"), many, ROW)
    few = integrated_gradients(fit("two"), NEW, ROW)

    n = len(many) // 7
    np.testing.assert_allclose(found.values, np.tile(few.values, (n, 1)), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.predictions, np.tile(few.predictions, n), rtol=1e-12)


def test_explaining_changes_neither_the_estimator_nor_the_rows():
    model = make("three", normalization="batch", dropout=0.2).fit(X, TARGETS["three"])
    before = pickle.dumps(model), joblib.hash(model)
    rows, background = NEW.copy(), X.copy()
    rows.setflags(write=False)
    background.setflags(write=False)
    integrated_gradients(model, rows, background=background)
    integrated_gradients(model, rows, background[:3], output="probability")

    assert (pickle.dumps(model), joblib.hash(model)) == before


def test_threads_do_not_disturb_each_other():
    model, parts = fit("three"), np.random.default_rng(2).standard_normal((12, 20, 4))
    expected = [integrated_gradients(model, part).values for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: integrated_gradients(model, part).values, parts))

    np.testing.assert_array_equal(found, expected)
