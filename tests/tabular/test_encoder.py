import datetime
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn.tabular import TableEncoder
from sknn.tabular.encoder import as_targets
from sknn.tabular.encoding import Missing, OneHot, Robust, TargetMeans, Waves, choose_edges

NAN = np.nan


def make_table(n=60, seed=0):
    """Return a table that has everything, with gaps, and its targets."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=n),
            "count": pd.array(rng.integers(0, 9, n), dtype="Int64"),
            "color": pd.Categorical(rng.choice(["red", "green", "blue"], n)),
            "city": rng.choice([f"city {k}" for k in range(12)], n).astype(object),
            "is_new": rng.random(n) < 0.5,
            "date": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "at": [datetime.time(int(h), 30) for h in rng.integers(0, 24, n)],
            "same": 1.0,
            "nothing": NAN,
        }
    )
    for k, name in enumerate(["size", "count", "color", "city", "date", "at"]):
        table.loc[k : k + 2, name] = None
    return table, rng.normal(size=n)


def names_of(encoder):
    return encoder.get_feature_names_out().tolist()


# As a transformer of scikit-learn's.

FAILING = {
    "check_sample_weight_equivalence_on_dense_data": "quantiles do not know weights",
    "check_sample_weight_equivalence_on_sparse_data": "quantiles do not know weights",
}


@parametrize_with_checks([TableEncoder()], expected_failed_checks=lambda encoder: FAILING)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_encoder_is_cloned_and_pickled():
    X, y = make_table()
    encoder = TableEncoder(n_bins=5, numeric=("robust", "fourier"), random_state=3).fit(X, y)
    expected = encoder.transform(X)

    np.testing.assert_array_equal(clone(encoder).fit(X, y).transform(X), expected)
    again = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(again.transform(X), expected)
    assert names_of(again) == names_of(encoder)


def test_pipelines_and_searches_take_tables():
    X, _ = make_table(120)
    y = np.where(X["size"].fillna(0) + (X["color"] == "red") > 0.3, "yes", "no")
    pipe = make_pipeline(TableEncoder(random_state=0), LogisticRegression(C=0.1, max_iter=1000))
    search = GridSearchCV(pipe, {"tableencoder__n_bins": [4, 8]}, cv=3, error_score="raise")
    search.fit(X, y)

    assert search.best_score_ > 0.8
    assert search.predict(X.iloc[:0:-1]).shape == (119,)


def test_output_can_be_a_frame_with_the_index_of_the_table():
    X, y = make_table()
    X = X.set_axis(np.arange(60) * 2 + 5)
    plain = TableEncoder(random_state=0).fit(X, y)
    encoder = TableEncoder(random_state=0).set_output(transform="pandas")
    for out in (encoder.fit_transform(X, y), encoder.transform(X)):
        assert out.index.equals(X.index)
        assert out.columns.tolist() == names_of(plain)
        assert (out.dtypes == np.float32).all()
    np.testing.assert_array_equal(encoder.transform(X), plain.transform(X))


def test_output_can_be_a_frame_of_polars():
    pl = pytest.importorskip("polars", reason="polars is optional")
    X, y = make_table()
    encoder = TableEncoder(random_state=0).set_output(transform="polars").fit(X, y)
    out = encoder.transform(X)

    assert isinstance(out, pl.DataFrame)
    assert out.columns == names_of(encoder)
    columns = {name: pl.Series(X[name].astype(object).where(X[name].notna(), None)) for name in X}
    np.testing.assert_array_equal(encoder.transform(pl.DataFrame(columns)), out)


def test_names_of_fit_are_kept_where_they_are_words():
    X, _ = make_table()
    encoder = TableEncoder().fit(X)
    assert encoder.feature_names_in_.tolist() == X.columns.tolist()
    assert encoder.n_features_in_ == 9

    encoder.fit(np.arange(6.0).reshape(3, 2))
    assert not hasattr(encoder, "feature_names_in_")
    assert encoder.n_features_in_ == 2
    assert names_of(TableEncoder().fit(pd.DataFrame({5: [1.0, 2.0]}))) == ["5"]


def test_names_that_are_not_those_of_fit_are_refused():
    encoder = TableEncoder().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0]}))

    assert encoder.get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="input_features"):
        encoder.get_feature_names_out(["b", "a"])
    with pytest.raises(ValueError, match="input_features"):
        encoder.get_feature_names_out(["a"])


def test_a_fit_that_fails_leaves_the_encoder_as_it_was():
    X, y = make_table()
    encoder = TableEncoder(random_state=0).fit(X, y)
    before = encoder.transform(X)
    for bad, message in [
        ((X.iloc[:0],), "0 sample"),
        ((X[[]],), "0 feature"),
        ((X, y[:-1]), "must agree"),
        ((X, np.full(60, NAN)), "NaN"),
        ((X, y, -np.ones(60)), "Negative"),
        ((np.array([[1j]]),), "Complex"),
    ]:
        with pytest.raises(ValueError, match=message):
            encoder.fit(*bad)

    np.testing.assert_array_equal(encoder.transform(X), before)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_bins": 1},
        {"n_bins": 8.0},
        {"n_frequencies": 0},
        {"max_categories": 0},
        {"min_target_categories": 0},
        {"max_width": 0},
        {"numeric": "quantile"},
        {"numeric": []},
        {"numeric": ("robust", "robust")},
        {"numeric": [["robust"]]},
        {"numeric": None},
        {"categorical_features": "colour"},
        {"random_state": "seed"},
    ],
    ids=str,
)
def test_bad_parameters_are_refused(parameters):
    X, y = make_table()
    [name] = parameters

    with pytest.raises(ValueError, match=name if name != "random_state" else "seed"):
        TableEncoder(**parameters).fit(X, y)


# What there is in the result.


@pytest.mark.parametrize("numeric", ["robust", "piecewise_linear", "fourier"])
def test_columns_have_a_name_and_an_origin_each(numeric):
    X, y = make_table()
    encoder = TableEncoder(numeric=numeric, random_state=0)
    out = encoder.fit_transform(X, y)
    names = names_of(encoder)

    assert out.shape == (60, encoder.n_features_out_)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()
    assert len(names) == len(set(names)) == encoder.n_features_out_ == len(encoder.origins_)
    for name, origin in zip(names, encoder.origins_, strict=True):
        assert name.startswith(X.columns[origin])
    known = [X.columns[k] for k in np.unique(encoder.origins_)]
    assert known == ["size", "count", "color", "city", "is_new", "date", "at"]


def test_encodings_lie_one_after_the_other():
    X = pd.DataFrame({"a": [1.0, 2, 3, 4, NAN], "b": [5.0, 1, 2, 2, 9], "c": list("xyxzy")})
    encoder = TableEncoder(numeric=("robust", "piecewise_linear", "fourier"), n_frequencies=2)
    out = encoder.fit_transform(X)

    expected = ["a", "b", "a_missing"]
    expected += [f"{name}_bin{t}" for name in "ab" for t in range(3)]
    expected += [f"{name}_wave{k}" for name in "ab" for k in range(2)]
    expected += ["c_x", "c_y", "c_z"]
    assert names_of(encoder) == expected
    assert encoder.origins_.tolist() == [0, 1, 0] + [0] * 3 + [1] * 3 + [0] * 2 + [1] * 2 + [2] * 3
    kinds = [type(encoding) for encoding in encoder.encodings()]
    assert kinds[:2] == [Robust, Missing]
    assert kinds[-2:] == [Waves, OneHot]

    numbers = X[["a", "b"]].to_numpy()
    robust, robust_out = Robust(numbers, ["a", "b"], [0, 1]), np.empty((5, 2))
    robust.encode(numbers, robust_out)
    np.testing.assert_allclose(out[:, :2], robust_out, 1e-6)
    np.testing.assert_array_equal(out[:, 2], [-1, -1, -1, -1, 1])


def test_numbers_become_what_is_asked_for():
    X = pd.DataFrame({"a": np.arange(40.0)})

    def kinds(numeric):
        names = names_of(TableEncoder(numeric=numeric, n_bins=4, n_frequencies=3).fit(X))
        return [name[1:-1] for name in names]

    assert kinds("robust") == [""]
    assert kinds("piecewise_linear") == ["_bin"] * 4
    assert kinds(["robust", "piecewise_linear"]) == ["", *["_bin"] * 4]
    assert kinds(("robust", "fourier")) == ["", *["_wave"] * 3]
    assert kinds("fourier") == ["_wave"] * 3


def test_numbers_for_which_bins_do_not_help_stay_numbers():
    X = pd.DataFrame({"yes": np.arange(20.0), "no": [0.0, 1.0] * 10})
    encoder = TableEncoder(numeric="piecewise_linear", n_bins=4).fit(X)

    assert names_of(encoder) == ["no", *(f"yes_bin{t}" for t in range(4))]


@pytest.mark.parametrize("n_bins", [2, 3, 5])
def test_bins_are_as_many_as_wanted(n_bins):
    X = pd.DataFrame({"a": np.random.default_rng(0).normal(size=100)})
    encoder = TableEncoder(numeric="piecewise_linear", n_bins=n_bins).fit(X)

    assert encoder.n_features_out_ == len(choose_edges(X["a"].to_numpy(), n_bins)) - 1 == n_bins


def test_constants_and_columns_of_nothing_are_left_out():
    X = pd.DataFrame(
        {
            "number": [1.0, 1.0, 1.0],
            "nothing": [None, None, None],
            "empty": [NAN, NAN, NAN],
            "word": ["x", "x", "x"],
            "no word": pd.Categorical([None, None, None]),
            "far": [np.inf, np.inf, -np.inf],
            "kept": [1, 2, 3],
        }
    )
    encoder = TableEncoder(numeric="robust").fit(X)

    assert names_of(encoder) == ["kept"]
    assert encoder.origins_.tolist() == [6]


def test_a_table_of_constants_has_no_columns_left():
    X = pd.DataFrame({"a": [1.0, 1.0], "b": ["x", "x"]})
    encoder = TableEncoder()

    assert encoder.fit_transform(X, [0, 1]).shape == (2, 0)
    assert encoder.transform(X.iloc[:1]).shape == (1, 0)
    assert names_of(encoder) == []


def test_a_constant_with_gaps_says_where_they_are():
    X = pd.DataFrame({"a": [1.0, NAN, 1.0], "b": ["x", None, "x"]})
    encoder = TableEncoder()
    out = encoder.fit_transform(X)

    assert names_of(encoder) == ["a_missing", "b_x"]
    np.testing.assert_array_equal(out[:, 0], [-1, 1, -1])
    assert out[0, 1] == out[2, 1] != out[1, 1]


def test_gaps_of_a_date_are_marked_once():
    dates = pd.to_datetime(pd.Series(["2024-01-31T05:00", None, "2025-03-01T06:30"]))
    names = names_of(TableEncoder(numeric="robust").fit(pd.DataFrame({"d": dates})))

    assert {"d", "d_year", "d_hour"} < set(names)
    assert [name for name in names if name.endswith("_missing")] == ["d_missing"]


def test_names_differ_whatever_the_columns_are_called():
    X = pd.DataFrame(
        {
            "a": [1.0, NAN, 3.0, 4.0],
            "a_missing": [0, 1, 0, 2],
            "a_bin0": [1.0, 2.0, 3.0, 4.0],
            "c": pd.Series([1, "1", 2, "2"], dtype=object),
        }
    )
    names = names_of(TableEncoder().fit(X))
    assert len(set(names)) == len(names)

    names = names_of(TableEncoder().fit(pd.DataFrame([[1, 2], [3, 4]], columns=[1, "1"])))
    assert len(set(names)) == 2


def test_infinite_numbers_are_as_far_as_the_farthest():
    X = pd.DataFrame({"a": [1.0, 2.0, np.inf, 5.0, -np.inf, 3.0]})
    finite = pd.DataFrame({"a": [1.0, 2.0, 5.0, 5.0, 1.0, 3.0]})
    encoder, known = TableEncoder(n_bins=3), TableEncoder(n_bins=3)

    np.testing.assert_array_equal(encoder.fit_transform(X), known.fit_transform(finite))
    np.testing.assert_array_equal(known.transform(X), known.transform(finite))


@pytest.mark.parametrize("numeric", ["robust", "piecewise_linear", "fourier"])
def test_numbers_however_large_are_encoded(numeric):
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 1e300, -1e300]
    X = pd.DataFrame({"a": values, "b": np.array(values) / 1e300})
    far = pd.DataFrame({"a": [1.7e308, -1.7e308], "b": [1e300, -1e300]})

    encoder = TableEncoder(numeric=numeric)
    for out in (encoder.fit_transform(X), encoder.transform(far)):
        assert np.isfinite(out).all()
        assert abs(out).max() <= 3


def test_wide_tables_of_many_rows_are_encoded_in_pieces():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((9000, 2)) < 0.1, NAN, rng.normal(size=(9000, 2)))
    encoder = TableEncoder(n_bins=4).fit(X)
    out = encoder.transform(X)

    for rows in (slice(4090, 4100), slice(8190, 8200), slice(8995, 9000)):
        np.testing.assert_array_equal(out[rows], encoder.transform(X[rows]))


def test_order_of_columns_and_rows_does_not_matter():
    X, y = make_table()
    encoder = TableEncoder(random_state=0).fit(X, y)
    expected = encoder.transform(X)

    np.testing.assert_array_equal(encoder.transform(X[X.columns[::-1]]), expected)
    np.testing.assert_array_equal(encoder.transform(X.iloc[::-1]), expected[::-1])
    np.testing.assert_array_equal(encoder.transform(X.iloc[[7]]), expected[[7]])
    assert encoder.transform(X.iloc[:0]).shape == (0, expected.shape[1])


def test_one_row_is_enough():
    X, y = make_table()
    encoder = TableEncoder()
    out = encoder.fit_transform(X.iloc[[9]], y[[9]])

    assert np.isfinite(out).all()
    assert np.isfinite(encoder.transform(X)).all()


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.csc_array])
def test_sparse_tables_are_encoded_as_dense_ones(make):
    X = np.random.default_rng(0).poisson(0.5, (40, 3)).astype(float)

    np.testing.assert_array_equal(
        TableEncoder().fit_transform(make(X)), TableEncoder().fit_transform(X)
    )


def test_seeds_make_the_same_waves():
    X = np.random.default_rng(0).normal(size=(30, 2))

    def waves(seed):
        return TableEncoder(numeric="fourier", random_state=seed).fit_transform(X)

    np.testing.assert_array_equal(waves(1), waves(1))
    np.testing.assert_array_equal(waves(1), waves(np.random.RandomState(1)))
    assert (waves(1) != waves(2)).any()


# Widths.


@pytest.mark.parametrize("max_width", [40, 100, 300, 2048])
def test_the_result_is_no_wider_than_wanted(max_width):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(200, 12))).add_prefix("number ")
    X["number 0"] = X["number 0"].where(rng.random(200) < 0.9)
    for k in range(4):
        X[f"word {k}"] = rng.integers(0, 40, 200).astype(str)
    numeric = ("robust", "piecewise_linear", "fourier")
    encoder = TableEncoder(numeric=numeric, max_width=max_width).fit(X, rng.normal(size=200))

    assert encoder.n_features_out_ <= max_width
    names = set(names_of(encoder))
    assert {f"number {k}" for k in range(12)} | {"number 0_missing"} <= names
    assert {f"word {k}_target0" for k in range(4)} <= names
    assert len(np.unique(encoder.origins_)) == 16


def test_more_numbers_than_that_are_all_kept():
    X = np.random.default_rng(0).normal(size=(50, 30))
    for numeric in ("robust", "piecewise_linear", "fourier"):
        encoder = TableEncoder(numeric=numeric, max_width=20).fit(X)
        assert encoder.n_features_out_ == 30
        assert encoder.origins_.tolist() == list(range(30))


def test_hundreds_of_columns_are_encoded():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((50, 400)) < 0.1, NAN, rng.normal(size=(50, 400)))
    out = TableEncoder(max_width=1000).fit_transform(X)

    assert 790 <= out.shape[1] <= 1000
    assert np.isfinite(out).all()


# Categories.


def test_the_commonest_categories_have_columns():
    X = pd.DataFrame({"c": list("aaaabbbccd")})
    encoder = TableEncoder(max_categories=2).fit(X)

    assert names_of(encoder) == ["c_a", "c_b"]
    rare = encoder.transform(pd.DataFrame({"c": ["c", "d", "new", None]}))
    np.testing.assert_array_equal(rare, 0)


def test_two_categories_are_one_column():
    X = pd.DataFrame({"b": [True, False, True, True]})
    encoder = TableEncoder()

    np.testing.assert_array_equal(encoder.fit_transform(X), [[1], [-1], [1], [1]])
    assert names_of(encoder) == ["b_True"]
    assert encoder.transform(pd.DataFrame({"b": [None]})).tolist() == [[0]]


def test_numbers_can_be_categories():
    X = pd.DataFrame({"id": [7, 8, 9, 7], "x": [1.0, 2.0, 3.0, 4.0]})
    for choice in (["id"], [0], [True, False]):
        encoder = TableEncoder(choice, numeric="robust").fit(X)
        assert names_of(encoder) == ["x", "id_7", "id_8", "id_9"]
    as_floats = encoder.transform(X.astype(float))
    np.testing.assert_array_equal(as_floats, encoder.transform(X))


def test_targets_are_asked_only_of_many_categories():
    n = 90
    X = pd.DataFrame({"few": np.arange(n) % 8, "many": np.arange(n) % 9}).astype(str)
    y = np.random.default_rng(0).normal(size=n)

    def with_targets(**options):
        names = names_of(TableEncoder(**options).fit(X, y))
        return [name for name in names if "_target" in name]

    assert with_targets() == ["many_target0"]
    assert with_targets(min_target_categories=8) == ["few_target0", "many_target0"]
    assert with_targets(min_target_categories=10) == []
    assert with_targets(min_target_categories=None) == []
    assert names_of(TableEncoder().fit(X)) == names_of(
        TableEncoder(min_target_categories=None).fit(X, y)
    )


def test_target_means_are_scikit_learns_standardised():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 9, (80, 1)).astype(str).astype(object), rng.normal(size=80)
    encoder = TableEncoder(max_categories=1).fit(X, y)
    theirs = TargetEncoder(smooth=10.0).fit(X, y)

    new = [["new"]]
    ours, known = encoder.transform(X)[:, 1], theirs.transform(X)[:, 0]
    slope, start = np.polyfit(known, ours, 1)
    np.testing.assert_allclose(ours, start + slope * known, atol=1e-5)
    assert slope > 0
    assert encoder.transform(new)[0, 1] == pytest.approx(start + slope * y.mean(), abs=1e-5)


def test_training_rows_do_not_see_their_own_targets():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"c": rng.integers(0, 40, 400).astype(str)})
    y = rng.normal(size=400)  # has nothing to do with X
    encoder = TableEncoder(random_state=0)
    fitted = encoder.fit_transform(X, y)[:, -1]
    later = encoder.transform(X)[:, -1]

    assert names_of(encoder)[-1] == "c_target0"
    assert abs(np.corrcoef(fitted, y)[0, 1]) < 0.15
    assert np.corrcoef(later, y)[0, 1] > 0.2  # the means have seen them
    assert fitted.mean() == pytest.approx(0, abs=1e-6)
    assert fitted.std() == pytest.approx(1, abs=1e-6)


def test_seeds_draw_the_folds_of_training_rows():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"c": rng.integers(0, 9, 60).astype(str)}), rng.normal(size=60)

    def fitted(seed):
        return TableEncoder(random_state=seed).fit_transform(X, y)[:, -1]

    np.testing.assert_array_equal(fitted(0), fitted(0))
    assert (fitted(0) != fitted(1)).any()
    folds = [rows for _, rows in KFold(5, shuffle=True, random_state=0).split(X)]
    codes = pd.Categorical(X["c"], categories=X["c"].value_counts().index).codes.astype(int)
    means, out = TargetMeans(codes, 9, y[:, np.newaxis], None, folds, "c", 0), np.empty((60, 1))
    means.encode_training_rows(out)
    np.testing.assert_allclose(fitted(0), out[:, 0], rtol=1e-5, atol=1e-6)


def test_weights_of_samples_are_those_of_means():
    rng = np.random.default_rng(0)
    X, y = pd.DataFrame({"c": rng.integers(0, 9, 60).astype(str)}), rng.normal(size=60)
    weight = np.where(X["c"] == "3", 1e6, 1.0)

    def rank(sample_weight):
        encoder = TableEncoder(max_categories=1, random_state=0).fit(X, y, sample_weight)
        return encoder.transform(X)[:, -1]

    plain, weighted = rank(None), rank(weight)
    np.testing.assert_array_equal(rank(np.full(60, 3.0)), rank(3.0))
    assert abs(plain - weighted).max() > 0.1
    # Category 3 makes up the mean of all, to which the others are drawn.
    encoder = TableEncoder(max_categories=1).fit(X, y, weight)
    at = encoder.transform(pd.DataFrame({"c": ["3", "new"]}))[:, -1]
    assert at[0] == pytest.approx(at[1], abs=1e-3)


# Targets.


def test_numbers_as_targets_are_a_column():
    y = np.random.default_rng(0).normal(size=150)
    for given in (y, y.tolist(), y[:, np.newaxis], pd.Series(y), y.astype(object)):
        np.testing.assert_array_equal(as_targets(given), y[:, np.newaxis])
    nullable = pd.Series(y, dtype="Float64")
    np.testing.assert_array_equal(as_targets(nullable), y[:, np.newaxis])


def test_many_whole_numbers_as_targets_are_numbers():
    y = np.arange(300) % 150
    for given in (y, y.astype(float), y.astype(object), pd.Series(y, dtype="Int64")):
        np.testing.assert_array_equal(as_targets(given), y[:, np.newaxis])


CLASSES = {
    "words": ["a", "b", "c", "a"],
    "objects": np.array(["a", "b", "c", "a"], dtype=object),
    "categories": pd.Series(["a", "b", "c", "a"], dtype="category"),
    "ints": [1, 2, 5, 1],
    "nullable ints": pd.Series([1, 2, 5, 1], dtype="Int64"),
    "whole floats": [1.0, 2.0, 5.0, 1.0],
    "a column of words": np.array([["a"], ["b"], ["c"], ["a"]]),
}


@pytest.mark.parametrize("y", CLASSES.values(), ids=CLASSES)
def test_classes_are_a_column_each_but_for_the_first(y):
    np.testing.assert_array_equal(as_targets(y), [[0, 0], [1, 0], [0, 1], [0, 0]])


def test_two_classes_or_one_are_a_column():
    for y in (["a", "b", "a"], [0, 1, 0], [True, False, True], [-1, 1, -1]):
        assert as_targets(y).shape == (3, 1)
    np.testing.assert_array_equal(as_targets(["x", "y", "x"]), [[0], [1], [0]])
    np.testing.assert_array_equal(as_targets(["x", "x"]), [[0], [0]])


def test_targets_of_several_columns_are_columns():
    y = np.random.default_rng(0).normal(size=(20, 2))
    np.testing.assert_array_equal(as_targets(y), y)
    np.testing.assert_array_equal(as_targets(pd.DataFrame(y)), y)
    labels = np.array([[0, 1, 1], [1, 0, 1]])
    np.testing.assert_array_equal(as_targets(labels), labels)


def test_several_targets_of_words_are_classes_each():
    y = np.array([["a", "x"], ["b", "y"], ["c", "x"]])

    np.testing.assert_array_equal(as_targets(y), [[0, 0, 0], [1, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize("bad", [NAN, np.inf])
def test_targets_that_are_not_finite_are_refused(bad):
    for y in ([1.5, 2.5, bad], [[1.5, 2], [2.5, bad]], [1.0, 2.0, bad]):
        with pytest.raises(ValueError, match=r"y .*(NaN|infinity)"):
            as_targets(np.array(y))


def test_targets_of_another_length_are_refused():
    X, y = make_table()
    with pytest.raises(ValueError, match="60 rows and y has 59"):
        TableEncoder().fit(X, y[1:])


def test_encodings_forget_the_training_rows():
    X, y = make_table(600)
    encoder = TableEncoder(n_bins=4).fit(X, y)

    assert any(isinstance(encoding, TargetMeans) for encoding in encoder.encodings())
    longer = TableEncoder(n_bins=4).fit(pd.concat([X] * 10), np.tile(y, 10))
    assert len(pickle.dumps(longer)) < 1.05 * len(pickle.dumps(encoder))


# Slopes.

SLOPED = ["size", "count"]


def sloped(encoder):
    """Return which columns of the result come from numbers."""
    return np.isin(np.array(list(encoder.feature_names_in_))[encoder.origins_], SLOPED)


NUMERIC = ["robust", "piecewise_linear", "fourier", ("robust", "piecewise_linear", "fourier")]


@pytest.mark.parametrize("numeric", NUMERIC, ids=str)
def test_slopes_are_numeric_derivatives_of_numbers_and_nan_elsewhere(numeric):
    X, y = make_table(200)
    encoder = TableEncoder(numeric=numeric, n_bins=6, n_frequencies=3, random_state=0).fit(X, y)
    rows, _ = make_table(40, seed=1)
    rows["count"] = rows["count"].astype("Float64") + 0.5
    found = encoder.slopes(rows)
    assert found.shape == encoder.transform(rows).shape
    is_sloped = sloped(encoder)
    assert 0 < is_sloped.sum() < len(is_sloped)
    assert np.isnan(found[:, ~is_sloped]).all()  # categories, bools, dates, times and what is empty

    names = np.array(list(encoder.feature_names_in_))[encoder.origins_]
    for name, step in (("size", 1e-3), ("count", 1e-2)):
        ahead, behind = rows.copy(), rows.copy()
        ahead[name] += step
        behind[name] -= step
        change = encoder.transform(ahead).astype(float) - encoder.transform(behind)
        of_name = (names == name) & ~np.char.endswith(names_of(encoder), "_missing")
        is_gap = rows[name].isna().to_numpy()
        assert np.isnan(found[is_gap][:, of_name]).all()
        slopes, expected = found[~is_gap][:, of_name], change[~is_gap][:, of_name] / (2 * step)
        # A step may lead over an edge of a bin.
        is_near = np.isclose(slopes, expected, rtol=0.01, atol=2e-3)
        assert is_near.mean() > 0.98
        assert np.abs(slopes).max() > 0.1


def test_marks_of_gaps_have_a_slope_of_zero():
    X, y = make_table()
    encoder = TableEncoder(numeric="robust").fit(X, y)
    mark = names_of(encoder).index("size_missing")
    found = encoder.slopes(X)[:, mark]

    np.testing.assert_array_equal(np.isnan(found), X["size"].isna())
    np.testing.assert_array_equal(found[X["size"].notna()], 0)


def test_slopes_take_what_transform_takes():
    X = np.random.default_rng(0).normal(size=(30, 3))
    encoder = TableEncoder(n_bins=4).fit(X)
    expected = encoder.slopes(X)

    for rows in (X.tolist(), sp.csr_array(X), X.astype(object)):
        np.testing.assert_array_equal(encoder.slopes(rows), expected)
    named = TableEncoder(n_bins=4).fit(pd.DataFrame(X, columns=list("abc")))
    turned = pd.DataFrame(X, columns=list("abc"))[list("cab")]
    np.testing.assert_array_equal(named.slopes(turned), expected)


def test_slopes_of_many_rows_are_those_of_few():
    X = np.random.default_rng(0).normal(size=(5000, 2))
    encoder = TableEncoder(n_bins=4).fit(X[:50])

    np.testing.assert_array_equal(encoder.slopes(X)[4990:], encoder.slopes(X[4990:]))


def test_slopes_leave_table_and_encoder_as_they_are_and_need_a_fit():
    X, y = make_table()
    encoder, before = TableEncoder(random_state=0).fit(X, y), X.copy()
    state = pickle.dumps(encoder)
    encoder.slopes(X)

    assert pickle.dumps(encoder) == state
    pd.testing.assert_frame_equal(X, before)
    with pytest.raises(NotFittedError, match="TableEncoder"):
        TableEncoder().slopes(X)
    with pytest.raises(ValueError, match="lacks 1 of the columns"):
        encoder.slopes(X.drop(columns="size"))


def test_where_no_column_varies_there_are_no_slopes():
    table = np.ones((4, 2))

    assert TableEncoder().fit(table).slopes(table).shape == (4, 0)


def test_far_out_the_slopes_are_0():
    table = np.linspace(0, 1e-200, 40)[:, np.newaxis]
    encoder = TableEncoder(numeric=["robust", "piecewise_linear"]).fit(table)

    np.testing.assert_allclose(encoder.slopes(np.array([[1e300]])), 0, atol=1e-90)


def test_targets_may_be_sparse():
    y = np.array([[0, 1], [1, 1], [0, 0]])

    np.testing.assert_array_equal(as_targets(sp.csr_matrix(y)), as_targets(y))


def test_a_bad_seed_is_named():
    with pytest.raises(ValueError, match=r"'random_state' parameter of TableEncoder.*-1"):
        TableEncoder(random_state=-1).fit(np.eye(3))


def test_a_single_target_is_refused():
    with pytest.raises(ValueError, match="one or more targets for each row"):
        as_targets(object())


def test_targets_may_be_huge():
    targets = as_targets(np.array([-1e300, 1e300, 0.5e300]))

    assert np.isfinite(targets).all()
