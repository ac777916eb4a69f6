"""Explanations of ensembles for tables: they are those of what the ensemble predicts."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingRegressor, VotingClassifier, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sknn import MLPClassifier
from sknn.inspection import input_gradients, integrated_gradients
from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.explained import OfEnsemble
from sknn.tabular.presets import PRESETS
from tests.gradcheck import check_gradient
from tests.inspection.explaining import check_attributions, numeric, own
from tests.tabular.fits import KIND, NEW, TARGETS, X, fit, make

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Networks see numbers of single precision, so that steps have to be large.
STEP, NEAR = 1e-2, {"rtol": 3e-3, "atol": 3e-4}
SINGLE = {"rtol": 1e-5, "atol": 1e-5}
ROW = np.array([0.2, -0.3, 0.1])
# Near enough to the middle that no number is beyond those that were seen.
NEW = NEW[:12] / 3


@pytest.fixture(autouse=True)
def smooth_networks(monkeypatch):
    """Two kinds of networks without bins, of which a numeric derivative can be taken."""
    kinds = (KIND, replace(KIND, numeric=("robust", "fourier"), hidden_layer_sizes=(6, 5)))
    preset = replace(PRESETS["fast"], for_numbers=kinds, for_classes=kinds, min_steps=30)
    monkeypatch.setitem(PRESETS, "fast", preset)


def small(what, **parameters):
    return make(what, preset="fast", hidden_layer_sizes=None, **parameters)


@cache
def fit_smooth(what):
    """Return an ensemble of smooth networks that has been fitted to X; nobody changes it."""
    return small(what).fit(X, TARGETS[what])


def check_numbers(model, rows, columns=None, **options):
    """Assert that gradients by numbers are numeric derivatives of public predictions."""
    output, function = own(model)
    found = input_gradients(model, rows, output=output, **options)
    places = range(rows.shape[1]) if columns is None else columns
    expected = numeric(function, rows, STEP, places)
    assert np.abs(expected).max() > 0.01
    np.testing.assert_allclose(found[:, places], expected, **NEAR)
    return found


EVERY = ["number", "numbers", "binary", "multiclass", "labels", "several"]


@pytest.mark.parametrize("what", EVERY)
def test_gradients_are_numeric_derivatives_of_predictions(what):
    found = check_numbers(fit_smooth(what), NEW)

    n_outputs = {"number": 1, "numbers": 3, "binary": 1, "multiclass": 3, "labels": 3, "several": 5}
    assert found.shape == ((12, 3) if n_outputs[what] == 1 else (12, 3, n_outputs[what]))


@pytest.mark.parametrize("what", ["multiclass", "several"])
def test_raw_scores_are_logarithms_of_probabilities(what):
    model, start = fit_smooth(what), [0] * 3 + [3] * 2
    found = input_gradients(model, NEW)

    def logarithms(rows):
        p = model.predict_proba(rows)
        parts = p if isinstance(p, list) else [p]
        return np.concatenate([np.log(part) - np.log(part[:, :1]) for part in parts], axis=1)

    expected = numeric(logarithms, NEW, STEP)
    np.testing.assert_allclose(found - found[:, :, start[: found.shape[2]]], expected, **NEAR)


def test_raw_scores_of_two_classes_are_log_odds():
    model = fit_smooth("binary")

    def odds(rows):
        p = model.predict_proba(rows)
        return np.log(p[:, 1] / p[:, 0])

    np.testing.assert_allclose(input_gradients(model, NEW), numeric(odds, NEW, STEP), **NEAR)


def test_raw_scores_of_numbers_are_predictions():
    for what in ("number", "numbers"):
        raw, answer = (
            input_gradients(fit_smooth(what), NEW, output=o) for o in ("raw", "prediction")
        )
        np.testing.assert_array_equal(raw, answer)


def test_predictions_beyond_the_targets_that_were_seen_do_not_change():
    model = pickle.loads(pickle.dumps(fit_smooth("number")))
    low, high = np.quantile(model.predict(NEW), [[0.45], [0.55]])
    for members in model._ensemble.kinds:
        for member in members.members:
            member.unit = member.unit._replace(lowest=low, highest=high)
    found, expected = input_gradients(model, NEW), numeric(model.predict, NEW, STEP)

    is_flat, is_near = (found == 0).all(axis=1), np.isclose(found, expected, **NEAR).all(axis=1)
    assert 2 < is_flat.sum() < 10
    assert is_near.sum() >= 9  # within a step one of the networks may leave the range
    np.testing.assert_allclose(expected[is_flat & is_near], 0, atol=1e-12)


@pytest.mark.parametrize("what", EVERY)
@pytest.mark.parametrize("kinds", ["smooth", "preset"])
def test_attributions_add_up(what, kinds):
    model = fit_smooth(what) if kinds == "smooth" else fit(what)
    options = {"tolerance": 0.02} if kinds == "preset" else {}
    found = check_attributions(model, NEW, ROW, at=ROW[np.newaxis], **SINGLE, **options)
    assert found.feature_names == ["x0", "x1", "x2"]
    check_attributions(model, NEW, background=X, **SINGLE, **options)


def test_classes_are_chosen_by_their_label():
    model = fit_smooth("multiclass")
    every = input_gradients(model, NEW, output="probability")

    found = input_gradients(model, NEW, "b", "probability")
    np.testing.assert_allclose(found, every[:, :, 1], rtol=1e-12)
    several = integrated_gradients(fit_smooth("several"), NEW[:3], ROW, target=(1, 4))
    assert several.target_names == [(1, 4)]
    np.testing.assert_array_equal(
        input_gradients(fit_smooth("binary"), NEW, True), input_gradients(fit_smooth("binary"), NEW)
    )


# Columns of all kinds.


def table(n, seed):
    """Return a table of all kinds of columns, with gaps, and numbers to learn."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.standard_normal(n),
            "color": rng.choice(["red", "green", "blue"], n),
            "count": rng.integers(0, 50, n),
            "city": rng.choice([f"city {k}" for k in range(12)], n),
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "is_new": rng.random(n) < 0.5,
            "same": 1.0,
        }
    )
    y = frame["size"] + (frame["color"] == "red") + frame["count"] / 25 + frame["is_new"]
    y += frame["city"].isin([f"city {k}" for k in range(6)])
    frame.loc[1:4, "size"] = np.nan
    return frame, y.to_numpy()


T, Y = table(120, seed=0)
NEW_T = table(20, seed=1)[0]
IS_GAP = NEW_T["size"].isna()


@cache
def fit_table(what="number"):
    model = small(what, max_iter=8)
    return model.fit(T, Y if what == "number" else np.where(Y - np.median(Y) > 0, "yes", "no"))


@pytest.mark.parametrize("what", ["number", "binary"])
def test_numbers_have_gradients_and_other_columns_have_none(what):
    model = fit_table(what)
    rows = NEW_T.astype({"count": float})
    found = check_numbers(model, rows[~IS_GAP], columns=[0, 2])

    assert found.shape == (len(rows[~IS_GAP]), 7)
    assert np.isnan(found[:, [1, 3, 4, 5]]).all()
    np.testing.assert_array_equal(found[:, 6], 0)  # a single value is left out
    with_gaps = input_gradients(model, rows)
    np.testing.assert_array_equal(np.isnan(with_gaps[:, 0]), IS_GAP)
    assert np.isfinite(with_gaps[:, 2]).all()


@pytest.mark.parametrize("what", ["number", "binary"])
def test_all_columns_move_the_answer(what):
    model = fit_table(what)
    options = SINGLE | {"tolerance": 0.01}
    found = check_attributions(model, NEW_T, T.iloc[10], at=T.iloc[[10]], **options)

    assert found.feature_names == T.columns.tolist()
    assert found.to_frame().shape == (20, 7)
    assert (np.abs(found.values[:, :6]).max(axis=0) > 1e-4).all()
    np.testing.assert_array_equal(found.values[:, 6], 0)
    is_same = NEW_T.eq(T.iloc[10]).to_numpy()
    np.testing.assert_allclose(found.values[is_same], 0, atol=1e-12)
    check_attributions(model, NEW_T, background=T, **options)


def test_networks_have_mean_targets_of_their_own():
    model = fit_table()
    [first, *_] = model.members_
    answer = OfEnsemble(model._ensemble)
    points = answer.encode(NEW_T)

    assert all(len(member.means) == 1 for member in first.members)
    width = first.encoder.n_features_out_
    shapes = [part.shape[1] for part in points]
    assert shapes[:4] == [width, 1, 1, 1]  # as many networks as folds
    assert [origins.tolist() for origins in answer.origins[1:4]] == [[3]] * 3
    assert len({tuple(part[:, 0]) for part in points[1:4]}) == 3
    np.testing.assert_allclose(answer.values(points)[0], model.predict(NEW_T), rtol=1e-6)


def test_a_network_is_asked_what_it_has_become_of_a_category():
    """Only what the city has become, common or a network's own, lies between these rows."""
    model = fit_table()
    rows = NEW_T.iloc[[8, 8]].assign(city=["city 1", "city 8"])
    found = integrated_gradients(model, rows.iloc[:1], rows.iloc[1:])

    moved = model.predict(rows)[0] - model.predict(rows)[1]
    assert abs(moved) > 0.01
    np.testing.assert_allclose(found.values, [[0, 0, 0, moved, 0, 0, 0]], rtol=1e-2, atol=1e-9)


@pytest.mark.parametrize("what", ["number", "multiclass", "labels"])
def test_gradients_of_an_ensemble_are_derivatives_of_what_it_says(what):
    answer = OfEnsemble(fit_smooth(what)._ensemble)
    points = [part.astype(np.float64) for part in answer.encode(NEW[:5])]
    shapes = [part.shape for part in points]
    ends = np.cumsum([part.size for part in points])[:-1]
    rng = np.random.default_rng(0)
    factors = rng.standard_normal(answer.values(points).shape)

    def value_and_grad(flat):
        parts = [p.reshape(s) for p, s in zip(np.split(flat, ends), shapes, strict=True)]

        def differentiate(values):
            values[...] = factors * np.cos(values)

        found = answer.gradients(parts, differentiate)
        total = (factors * np.sin(answer.values(parts))).sum()
        return total, np.concatenate([gradient.ravel() for gradient in found])

    flat = np.concatenate([part.ravel() for part in points])
    check_gradient(value_and_grad, flat, rng, step=1e-4, rtol=1e-4)


def test_networks_that_do_not_count_are_not_asked():
    model = pickle.loads(pickle.dumps(fit_smooth("number")))
    blend = model._ensemble.blend
    weights = np.zeros_like(blend.weights)
    weights[-1] = 1.0
    model._ensemble.blend = replace(blend, weights=weights)
    answer = OfEnsemble(model._ensemble)

    assert len(answer.encode(NEW)) == 1 + len(model.members_[-1].members)
    check_numbers(model, NEW)
    check_attributions(model, NEW, ROW, at=ROW[np.newaxis], **SINGLE)


# Rows in other forms.


def test_columns_may_come_in_another_order():
    model = fit_table()
    turned = NEW_T[NEW_T.columns[::-1]]

    np.testing.assert_array_equal(input_gradients(model, turned), input_gradients(model, NEW_T))
    one, other = (integrated_gradients(model, rows, T.iloc[10]) for rows in (NEW_T, turned))
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())


def test_arrays_and_sparse_rows_are_tables():
    model = fit_smooth("number")
    expected = input_gradients(model, NEW)

    for rows in (sp.csr_array(NEW), NEW.tolist(), np.asfortranarray(NEW), NEW.astype(object)):
        np.testing.assert_allclose(input_gradients(model, rows), expected, rtol=1e-6)
        found = integrated_gradients(model, rows, ROW)
        np.testing.assert_allclose(found.predictions, model.predict(NEW), **SINGLE)


# What is around ensembles.

AROUND = {
    "scaled": ("number", make_pipeline(StandardScaler(), small("number"))),
    "scaled twice": (
        "binary",
        make_pipeline(StandardScaler(), MinMaxScaler((0, 9)), small("binary")),
    ),
    "identity": ("number", make_pipeline(FunctionTransformer(), small("number"))),
    "transformed": (
        "number",
        TransformedTargetRegressor(small("number"), transformer=MinMaxScaler((-3, 3))),
    ),
    "search": ("number", GridSearchCV(small("number"), {"max_iter": [4]}, cv=2)),
    "bagging": ("number", BaggingRegressor(small("number"), 2, max_features=2, random_state=0)),
    "votes": (
        "multiclass",
        VotingClassifier(
            [
                ("table", small("multiclass")),
                ("network", MLPClassifier((5,), "tanh", max_iter=5, random_state=0)),
            ],
            voting="soft",
            weights=[3, 1],
        ),
    ),
}


@pytest.mark.parametrize(("what", "estimator"), AROUND.values(), ids=AROUND)
def test_what_is_around_an_ensemble_is_looked_through(what, estimator):
    model = clone(estimator).fit(X, TARGETS[what])
    check_numbers(model, NEW)
    check_attributions(model, NEW, ROW, at=ROW[np.newaxis], **SINGLE)


def test_votes_of_tables_have_gradients_of_numbers():
    model = VotingRegressor([("a", small("number")), ("b", small("number", random_state=1))])
    model.fit(T, Y)
    rows = NEW_T.astype({"count": float})
    found = check_numbers(model, rows[~IS_GAP], columns=[0, 2])

    assert np.isnan(found[:, [1, 3, 4, 5]]).all()
    assert integrated_gradients(model, NEW_T).feature_names == T.columns.tolist()


def test_steps_that_mix_columns_before_a_table_are_refused():
    model = make_pipeline(PCA(2), small("number")).fit(X, TARGETS["number"])
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match="mix columns before an estimator that encodes them"):
            explain(model, NEW)


# What is refused.


@pytest.mark.parametrize(
    ("what", "options", "message"),
    [
        ("number", {"output": "probability"}, "TabularMLPRegressor predicts numbers"),
        ("multiclass", {"output": "prediction"}, "of TabularMLPClassifier: classes have no deriv"),
        ("multiclass", {"target": "d"}, r"target='d' is no class.*\['a', 'b', 'c'\]"),
        ("number", {"target": 1}, r"target=1 is no output.* in \[0, 0\]"),
    ],
)
def test_what_an_ensemble_does_not_have_is_refused(what, options, message):
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(fit_smooth(what), NEW, **options)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((3, 4)), "X has 4 features, but TabularMLPRegressor is expecting 3"),
        (np.ones((3, 2)), "X has 2 features, but TabularMLPRegressor is expecting 3"),
        (np.ones(3), "Expected 2D array"),
        (np.array([["a", "b", "c"]], object), "numbers in fit"),
    ],
    ids=["wide", "narrow", "1-d", "words"],
)
def test_rows_of_another_shape_are_refused(bad, message):
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(fit_smooth("number"), bad)


def test_a_table_without_a_column_is_refused():
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=r"X lacks 1 of the columns .*'city'"):
            explain(fit_table(), NEW_T.drop(columns="city"))


def test_tables_have_no_zero_and_baselines_are_of_their_width():
    with pytest.raises(
        ValueError, match="baseline='zero' is not known here: categories and gaps have no 0"
    ):
        integrated_gradients(fit_table(), NEW_T, "zero")
    with pytest.raises(ValueError, match=r"baseline has the shape \(3,\); it must be \(7,\)"):
        integrated_gradients(fit_table(), NEW_T, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("Estimator", [TabularMLPClassifier, TabularMLPRegressor])
def test_an_ensemble_that_is_not_fitted_is_named(Estimator):
    with pytest.raises((NotFittedError, TypeError), match=rf"{Estimator.__name__}.*fitted"):
        input_gradients(Estimator(), NEW)


# What is left alone.


@pytest.mark.parametrize("what", ["number", "binary"])
def test_explaining_changes_neither_the_ensemble_nor_the_table(what):
    model, rows = fit_table(what), NEW_T.copy()
    before = pickle.dumps(model)
    input_gradients(model, rows)
    integrated_gradients(model, rows, T.iloc[:2])
    _ = model.feature_importances_

    assert pickle.dumps(model) == before
    pd.testing.assert_frame_equal(rows, NEW_T)


def test_threads_do_not_disturb_each_other():
    model, parts = fit_smooth("multiclass"), [NEW[k : k + 5] for k in range(8)]
    expected = [input_gradients(model, part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: input_gradients(model, part), parts))

    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


# Importances from the weights.


@pytest.mark.parametrize("what", EVERY)
def test_importances_are_shares(what):
    found = fit_smooth(what).feature_importances_

    assert found.shape == (3,)
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1)
    np.testing.assert_array_equal(fit_smooth(what).feature_importances_, found)


def test_importances_find_the_columns_that_say_something():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.standard_normal((300, 4)), columns=list("abcd"))
    frame["word"], frame["noise"] = (rng.choice(list("xyz"), 300) for _ in range(2))
    y = 2 * frame["a"] - frame["c"] + 2.0 * (frame["word"] == "x")
    model = small("number", max_iter=30).fit(frame, y)
    found = pd.Series(model.feature_importances_, frame.columns)

    assert set(found.nlargest(3).index) == {"a", "c", "word"}
    assert found["a"] > found["c"] > 2 * found[["b", "d", "noise"]].max()
    selected = SelectFromModel(model, prefit=True, threshold=0.1).get_support()
    assert frame.columns[selected].tolist() == ["a", "c", "word"]


def test_importances_need_a_fit():
    with pytest.raises(NotFittedError, match="TabularMLPRegressor"):
        _ = TabularMLPRegressor().feature_importances_
    assert not hasattr(TabularMLPClassifier(), "feature_importances_")
    assert "feature_importances_" not in vars(fit_smooth("number"))


def test_a_column_that_is_left_out_has_no_importance():
    assert fit_table().feature_importances_[6] == 0


def test_gradients_of_huge_numbers_are_finite():
    model, large = (make("number").fit(X, unit * TARGETS["number"]) for unit in (1, 2.0**900))

    np.testing.assert_allclose(
        input_gradients(large, NEW), 2.0**900 * input_gradients(model, NEW), rtol=1e-5
    )
    np.testing.assert_allclose(large.feature_importances_, model.feature_importances_, rtol=1e-5)
