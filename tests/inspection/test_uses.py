"""Models as their users build them: what was found by using them, each with the right answer."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    StandardScaler,
)

from sknn.inspection import (
    AttributionDisplay,
    explain_row,
    importance,
    input_gradients,
    integrated_gradients,
)
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    TABLE,
    TARGETS,
    X,
    check_gradients,
    fit,
    make,
    numeric,
)
from tests.inspection.test_gradients import Unlinked

mpl.use("Agg")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
Y = TARGETS["number"]
ROW = np.array([0.5, -1.0, 2.0, 0.1])
TAB = {"cv": 2, "max_iter": 3, "hidden_layer_sizes": (8,), "random_state": 0}


def before(*steps):
    return make_pipeline(*steps, make("number"))


def test_the_zero_of_a_table_behind_a_scaler_is_refused():
    m = make_pipeline(StandardScaler(), TabularMLPRegressor(**TAB)).fit(X + 3, Y)
    with pytest.raises(ValueError, match="baseline='zero'"):
        integrated_gradients(m, NEW, "zero")


def test_a_table_may_lie_behind_two_pipelines():
    m = make_pipeline(
        MinMaxScaler(), make_pipeline(StandardScaler(), TabularMLPRegressor(**TAB))
    ).fit(X + 3, Y)
    found = integrated_gradients(m, NEW, ROW, output="prediction")
    np.testing.assert_allclose(found.predictions, m.predict(NEW), rtol=1e-5)


def test_votes_of_tables_may_lie_behind_a_scaler():
    m = make_pipeline(
        MinMaxScaler(),
        VotingRegressor([("t", make_pipeline(StandardScaler(), TabularMLPRegressor(**TAB)))]),
    ).fit(X + 3, Y)
    np.testing.assert_allclose(
        integrated_gradients(m, NEW, ROW).predictions, m.predict(NEW), rtol=1e-5
    )


@pytest.mark.parametrize("pairs", [[(0, 2), (1, 2)], [(0, 1), (0, 1)]])
def test_members_that_know_two_of_three_classes_are_refused(pairs):
    pipe = make_pipeline(StandardScaler(), make("three"))
    m = BaggingClassifier(pipe, 2, random_state=0).fit(X, TARGETS["three"])
    codes = np.searchsorted(m.classes_, TARGETS["three"])
    for k, pair in enumerate(pairs):
        rows = np.isin(codes, pair)
        m.estimators_[k] = make_pipeline(StandardScaler(), make("three")).fit(X[rows], codes[rows])
    assert m.predict_proba(NEW).shape == (7, 3)
    with pytest.raises(ValueError, match="know different classes"):
        input_gradients(m, NEW)


def test_columns_are_taken_by_name():
    m = before(
        ColumnTransformer([("s", "passthrough", ["age", "size"]), ("m", MinMaxScaler(), ["mass"])])
    ).fit(TABLE, Y)
    turned = NEW_TABLE[NAMES[::-1]]
    np.testing.assert_allclose(m.predict(turned), m.predict(NEW_TABLE))
    found = integrated_gradients(m, turned, output="prediction", background=TABLE)
    np.testing.assert_allclose(found.predictions, m.predict(turned))


def test_a_column_transformer_with_weights_is_refused():
    parts = [("s", StandardScaler(), [0, 1]), ("p", "passthrough", [2, 3])]
    m = before(ColumnTransformer(parts, transformer_weights={"s": 10.0})).fit(X, Y)
    with pytest.raises(ValueError, match="transformer_weights cannot be gone through"):
        input_gradients(m, NEW)


@pytest.mark.parametrize(
    "bad", [np.ones((3, 5)), np.ones((3, 3)), np.ones(4)], ids=["wide", "narrow", "1-d"]
)
@pytest.mark.parametrize("kind", ["columns", "bagging"])
def test_rows_of_another_width_are_refused_where_columns_are_taken(kind, bad):
    m = (
        before(ColumnTransformer([("s", StandardScaler(), [0, 1]), ("p", "passthrough", [2, 3])]))
        if kind == "columns"
        else BaggingRegressor(make("number"), 2, max_features=2, random_state=0)
    )
    m.fit(X, Y)
    with pytest.raises(ValueError, match=r"features|2D"):
        m.predict(bad)
    with pytest.raises(ValueError, match=r"features|2D"):
        input_gradients(m, bad)


@pytest.mark.parametrize(
    "m",
    [
        before(TableEncoder()),
        before(ColumnTransformer([("p", "passthrough", [0, 1])])),
        TabularMLPRegressor(**TAB),
    ],
    ids=["encoder", "columns", "table"],
)
@pytest.mark.parametrize("explain", [input_gradients, integrated_gradients])
def test_no_rows_are_refused(m, explain):
    m.fit(X, Y)
    with pytest.raises(ValueError, match="0 sample"):
        explain(m, NEW[:0])


def test_importances_of_a_table_do_not_depend_on_the_order_of_columns():
    m = TabularMLPRegressor(**TAB).fit(TABLE, Y)
    turned = NEW_TABLE[NAMES[::-1]]
    one, other = (
        importance(m, rows, kind="gradient")
        for rows in (
            NEW_TABLE.assign(age=NEW_TABLE["age"] * 9),
            turned.assign(age=turned["age"] * 9),
        )
    )
    pd.testing.assert_series_equal(one, other[one.index])


def test_permutations_of_a_table_do_not_depend_on_the_order_of_columns():
    m = TabularMLPRegressor(**TAB).fit(TABLE, Y)
    kw = {"kind": "permutation", "random_state": 0, "n_repeats": 20}
    one, other = importance(m, TABLE, Y, **kw), importance(m, TABLE[NAMES[::-1]], Y, **kw)
    assert (one - other[one.index]).abs().max() < 0.3 * one.abs().max()


def test_the_data_of_attributions_have_the_order_of_their_names():
    m = TabularMLPRegressor(**TAB).fit(TABLE, Y)
    found = integrated_gradients(m, NEW_TABLE[NAMES[::-1]])
    assert list(found.data.columns) == found.feature_names


def test_words_may_have_gaps_that_are_filled():
    t = TABLE.assign(word=np.array(["u", "v"] * 30, dtype=object))
    t.loc[:3, "word"] = np.nan
    chain = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder())
    m = before(ColumnTransformer([("n", StandardScaler(), NAMES), ("w", chain, ["word"])])).fit(
        t, Y
    )
    assert np.isnan(input_gradients(m, t)[:, 4]).all()


@pytest.mark.parametrize("missing", [np.nan, pd.NA], ids=str)
def test_nullable_numbers_may_have_gaps_that_are_filled(missing):
    t = TABLE.astype("Float64")
    t.loc[:3, "age"] = pd.NA
    m = before(SimpleImputer(missing_values=missing)).fit(t, Y)
    assert np.isnan(input_gradients(m, t)).sum() == 4


def test_a_baseline_in_a_list_keeps_the_types_of_its_values():
    t = TABLE[["age"]].assign(word=["u", "v"] * 30, flag=TABLE["size"] > 0)
    m = TabularMLPRegressor(**TAB).fit(t, Y + t["flag"] + (t["word"] == "u"))
    at = pd.DataFrame({"age": [0.5], "word": ["u"], "flag": [False]})
    np.testing.assert_allclose(
        integrated_gradients(m, t, [0.5, "u", False]).base_values, m.predict(at)[0], rtol=1e-4
    )


def test_a_baseline_in_a_list_keeps_its_fractions():
    t = TABLE.assign(age=np.arange(60))
    m = before(StandardScaler()).fit(t, Y)
    at = t.mean().to_frame().T
    np.testing.assert_allclose(
        integrated_gradients(m, t, t.mean().tolist(), output="prediction").base_values,
        m.predict(at)[0],
    )


def test_a_series_is_a_baseline_for_arrays():
    found = integrated_gradients(fit("number"), NEW, NEW_TABLE.iloc[0])
    np.testing.assert_allclose(found.values[0], 0)


def test_arrays_are_baselines_for_a_table():
    m = make("number").fit(TABLE, Y)
    found = integrated_gradients(m, NEW_TABLE, NEW)
    np.testing.assert_allclose(found.base_values, m.predict(NEW_TABLE).mean())


@pytest.mark.parametrize("n", [1.0, 0.5])
def test_bagging_of_a_table_has_its_names(n):
    m = BaggingRegressor(make("number"), 2, max_features=n, random_state=0).fit(TABLE, Y)
    assert integrated_gradients(m, NEW_TABLE).feature_names == NAMES


def test_a_part_of_a_column_transformer_may_be_empty():
    check_gradients(
        before(
            ColumnTransformer([("s", StandardScaler(), [0, 1]), ("o", OneHotEncoder(), [])])
        ).fit(X, Y),
        NEW,
    )


def test_columns_may_be_a_slice_to_a_name():
    check_gradients(
        before(ColumnTransformer([("s", StandardScaler(), slice(None, "mass"))])).fit(TABLE, Y),
        NEW_TABLE,
    )


def test_a_nested_pipeline_may_begin_with_a_passthrough():
    check_gradients(
        before(Pipeline([("p", "passthrough"), ("s", StandardScaler())])).fit(X, Y), NEW
    )


def test_a_nested_pipeline_may_have_a_passthrough():
    check_gradients(
        before(
            Pipeline(
                [
                    ("k", SelectKBest(f_regression, k=2)),
                    ("p", "passthrough"),
                    ("s", StandardScaler(with_mean=False)),
                ]
            )
        ).fit(X, Y),
        NEW,
    )


@pytest.mark.parametrize("step", [PolynomialFeatures(2), SelectKBest(f_regression, k=2)])
def test_whole_numbers_in_a_sparse_matrix_have_gradients(step):
    rows = sp.csr_array(np.random.default_rng(0).integers(0, 3, (60, 4)))
    m = before(step).fit(rows, Y)
    np.testing.assert_allclose(
        input_gradients(m, rows),
        numeric(m.predict, rows.toarray().astype(float)),
        rtol=1e-4,
        atol=1e-7,
    )


def test_whitening_may_meet_columns_that_depend_on_others():
    rows = np.column_stack([X, X[:, 0] + X[:, 1]])
    m = before(PCA(whiten=True)).fit(rows, Y)
    found = integrated_gradients(m, rows, n_steps=4, output="prediction")
    # The last component is rounding, blown up: no two ways to compute a row agree on it.
    assert found.values.shape == rows.shape
    assert np.isfinite(found.values).all()


def test_importances_by_gradients_are_nan_for_categories():
    t = TABLE.assign(word=["u", "v"] * 30)
    found = importance(TabularMLPRegressor(**TAB).fit(t, Y), t, kind="gradient")
    assert np.isnan(found["word"])
    assert found[NAMES].notna().all()


def test_importances_by_gradients_know_columns_with_gaps():
    rows = X.copy()
    rows[:5, 0] = np.nan
    m = before(SimpleImputer()).fit(rows, Y)
    assert importance(m, rows, kind="gradient").notna().all()


def test_importances_by_gradients_know_numbers_among_objects():
    t = TABLE.assign(word=["u", "v"] * 30).to_numpy(object)
    assert np.isfinite(
        importance(TabularMLPRegressor(**TAB).fit(t, Y), t, kind="gradient")[:4]
    ).all()


def test_importances_by_gradients_know_bools():
    t = TABLE.assign(age=TABLE["age"] > 0)
    assert importance(make("number").fit(t, Y), t, kind="gradient").notna().all()


@pytest.mark.parametrize("kind", ["integrated_gradients", "gradient", "permutation"])
def test_importances_of_what_is_calibrated_in_a_pipeline(kind):
    m = make_pipeline(StandardScaler(), CalibratedClassifierCV(make("two"), cv=2)).fit(
        X, TARGETS["two"]
    )
    assert importance(m, X, TARGETS["two"], kind).notna().all()


def test_permutations_need_no_gradient():
    m = before(QuantileTransformer(n_quantiles=10)).fit(X, Y)
    assert importance(m, X, Y, "permutation").max() > 0


def test_permutations_of_sparse_columns():
    assert importance(fit("number"), sp.csr_array(X), Y, "permutation").max() > 0


def test_gradients_of_certain_answers_are_finite():
    m = TabularMLPClassifier(**TAB | {"max_iter": 30}).fit(X, X[:, 0] > 0)
    for members in m._ensemble.kinds:
        for member in members.members:
            for k in member.thetas:
                member.thetas[k] *= 4
    assert m.predict_proba(X).max() == 1
    assert np.isfinite(input_gradients(m, X, output="probability")).all()


def test_a_single_class_is_certain():
    m = make("two").fit(X, ["a"] * 60)
    np.testing.assert_allclose(
        integrated_gradients(m, NEW, output="probability").predictions, m.predict_proba(NEW)[:, 0]
    )


def test_frozen_estimators_may_be_calibrated():
    net = make("two").fit(X, TARGETS["two"])
    m = CalibratedClassifierCV(FrozenEstimator(net)).fit(X, TARGETS["two"])
    found = integrated_gradients(m, NEW, X[0], output="probability")
    np.testing.assert_allclose(found.predictions, m.predict_proba(NEW)[:, 1])


def test_a_loss_without_a_way_back_has_no_importances():
    m = make("number", loss=Unlinked()).fit(X, Y)
    assert not hasattr(m, "feature_importances_")


def test_a_table_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        input_gradients(TabularMLPRegressor(), NEW)


def test_whole_numbers_name_classes_that_are_floats():
    m = make("three").fit(X, np.searchsorted(list("abc"), TARGETS["three"]).astype(float))
    np.testing.assert_array_equal(input_gradients(m, NEW, 1), input_gradients(m, NEW, 1.0))


def test_the_first_of_two_classes_is_the_opposite_of_the_second():
    second, first = (input_gradients(fit("two"), NEW, c, "probability") for c in ("yes", "no"))
    np.testing.assert_allclose(first, -second)

    found = integrated_gradients(fit("two"), NEW, X[0], target="no", output="probability")
    np.testing.assert_allclose(found.predictions, fit("two").predict_proba(NEW)[:, 0])
    assert found.target_names == ["no"]


def test_lists_of_rows_keep_the_types_of_their_values():
    t = TABLE[["age"]].assign(word=["u", "v"] * 30)
    m = TabularMLPRegressor(**TAB).fit(t.to_numpy(object), Y)
    np.testing.assert_allclose(
        integrated_gradients(m, t.to_numpy(object).tolist()).predictions,
        m.predict(t.to_numpy(object).tolist()),
        rtol=1e-4,
    )


def test_frames_of_other_libraries_are_explained_and_drawn():
    pl = pytest.importorskip("polars", reason="polars is optional")
    pa = pytest.importorskip("pyarrow", reason="pyarrow is optional")
    m = make("number").fit(TABLE, Y)
    expected = integrated_gradients(m, TABLE)
    for table in (pl.from_pandas(TABLE), pa.Table.from_pandas(TABLE)):
        found = integrated_gradients(m, table)
        np.testing.assert_allclose(found.values, expected.values)
        display = AttributionDisplay.from_attributions(found)
        assert len(display.points_) == 4
        assert explain_row(m, table, 3).answer == pytest.approx(expected.predictions[3])
    plt.close("all")


def test_a_table_of_one_row_needs_a_background():
    m = TabularMLPRegressor(**TAB).fit(TABLE, Y)
    with pytest.raises(ValueError, match="Pass background="):
        explain_row(m, NEW_TABLE.iloc[[3]])


def test_a_pipeline_that_begins_with_text_names_the_step():
    words = ["a b", "b c", "c d", "aa bb"] * 15
    m = make_pipeline(CountVectorizer(token_pattern=r"\w+"), make("number")).fit(words, Y)
    with pytest.raises(ValueError, match="The step 'countvectorizer'"):
        input_gradients(m, words)


def test_attributions_of_some_rows_are_those_rows():
    found = integrated_gradients(make("three").fit(TABLE, TARGETS["three"]), TABLE)
    for rows in (slice(2, 5), [2, 3, 4], np.isin(np.arange(60), [2, 3, 4])):
        some = found[rows]
        np.testing.assert_array_equal(some.values, found.values[2:5])
        np.testing.assert_array_equal(some.of("b").base_values, found.base_values[2:5, 1])
        pd.testing.assert_frame_equal(some.data, TABLE.iloc[2:5])
    assert len(found[7]) == 1


def test_of_many_rows_some_are_drawn_as_points():
    m = make("number").fit(X, Y)
    rows = np.tile(X, (50, 1))
    display = AttributionDisplay.from_estimator(m, rows, n_steps=2)
    assert {len(points.get_offsets()) for points in display.points_} == {2000}
    plt.close("all")
