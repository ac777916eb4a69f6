"""Steps before a network: answers come back in the units and names of the original columns."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, FastICA, TruncatedSVD
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from sknn.inspection import input_gradients, integrated_gradients
from sknn.inspection.transformers import step_of
from sknn.tabular import TableEncoder
from tests.gradcheck import check_gradient
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    TABLE,
    TARGETS,
    X,
    check_attributions,
    check_gradients,
    make,
    numeric,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    # Empty columns are left out, as they should be.
    "ignore:Skipping features without any observed values",
)
NAN, Y = np.nan, TARGETS["number"]
ROW = np.array([0.5, -1.0, 2.0, 0.1])


def before(*steps):
    """Return a Pipeline of steps and a network."""
    return make_pipeline(*steps, make("number"))


def before_linear(*steps):
    return make_pipeline(*steps, make("number", hidden_layer_sizes=()))


def after(encoder, network, y):
    """Return a Pipeline of an encoder of categories and a network that sees what it makes of them.

    While they are fitted together, TargetEncoder would draw folds.
    """
    rows = encoder.fit(C, y).transform(C)
    return make_pipeline(encoder, network.fit(rows, y))


def weights_of(model):
    """Return the weights and the intercept of a linear network at the end of a Pipeline."""
    return model[-1].coefs_[0][:, 0], model[-1].intercepts_[0][0]


# Smooth steps.

SMOOTH = {
    "standard": StandardScaler(),
    "standard without mean": StandardScaler(with_mean=False),
    "standard without deviation": StandardScaler(with_std=False),
    "standard without both": StandardScaler(with_mean=False, with_std=False),
    "min and max": MinMaxScaler((-2, 5)),
    "maximum": MaxAbsScaler(),
    "robust": RobustScaler(),
    "robust with unit variance": RobustScaler(quantile_range=(10, 80), unit_variance=True),
    "robust without centre": RobustScaler(with_centering=False),
    "robust without scale": RobustScaler(with_scaling=False),
    "principal components": PCA(3),
    "whitened": PCA(2, whiten=True),
    "most of the variance": PCA(0.9),
    "singular values": TruncatedSVD(2, random_state=0),
    "products": PolynomialFeatures(2),
    "cubes": PolynomialFeatures(3, include_bias=False),
    "interactions": PolynomialFeatures((2, 3), interaction_only=True),
    "k best": SelectKBest(f_regression, k=2),
    "variance": VarianceThreshold(0.95),
    "selected by a model": SelectFromModel(LinearRegression()),
    "eliminated": RFE(LinearRegression(), n_features_to_select=3),
    "identity": FunctionTransformer(),
    "nothing": "passthrough",
    "None": None,
    "chain": make_pipeline(StandardScaler(), PolynomialFeatures(2), PCA(3, whiten=True)),
    "chain with gaps": Pipeline([("a", MinMaxScaler()), ("b", None), ("c", "passthrough")]),
    "scaled and selected": make_pipeline(RobustScaler(), SelectKBest(f_regression, k=3)),
}


@pytest.mark.parametrize("step", SMOOTH.values(), ids=SMOOTH)
def test_smooth_steps_are_differentiated(step):
    model = before(step if isinstance(step, str) or step is None else clone(step)).fit(X, Y)
    check_gradients(model, NEW)
    for baseline, at in ((ROW, ROW), ("zero", np.zeros(4)), ("mean", NEW.mean(axis=0))):
        found = check_attributions(model, NEW, baseline, at=at[np.newaxis])
        assert found.feature_names == ["x0", "x1", "x2", "x3"]


@pytest.mark.parametrize(
    "name", ["standard without mean", "maximum", "singular values", "products"]
)
@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_array])
def test_smooth_steps_take_sparse_rows(name, form):
    model = before(clone(SMOOTH[name])).fit(form(X), Y)
    found = input_gradients(model, form(NEW))

    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, numeric(model.predict, NEW), rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(
        integrated_gradients(model, form(NEW), "zero").values,
        integrated_gradients(model, NEW, "zero").values,
        rtol=1e-9,
        atol=1e-14,
    )


def test_of_a_scaled_linear_model_the_unit_is_that_of_the_column():
    units = np.array([1e-3, 1.0, 1e3, 7.0])
    model = before_linear(StandardScaler()).fit(X * units, Y)
    w = weights_of(model)[0] / model[0].scale_
    found = integrated_gradients(model, NEW * units, ROW * units)

    np.testing.assert_allclose(input_gradients(model, NEW * units), np.tile(w, (7, 1)), rtol=1e-10)
    np.testing.assert_allclose(found.values, w * (NEW - ROW) * units, rtol=1e-9, atol=1e-13)


def test_beyond_the_range_a_clipped_column_has_no_slope():
    model = before_linear(MinMaxScaler((-1, 2), clip=True)).fit(X, Y)
    rows = np.array([[9.0, 0, 0, 0], [0, -9.0, 0, 0], [0, 0, 0, 0]])

    expected = np.tile(weights_of(model)[0] * model[0].scale_, (3, 1))
    expected[0, 0] = expected[1, 1] = 0
    np.testing.assert_allclose(input_gradients(model, rows), expected, rtol=1e-10)
    np.testing.assert_allclose(expected, numeric(model.predict, rows), rtol=1e-5, atol=1e-8)


def test_a_clipped_column_moves_the_answer_up_to_the_end_of_the_range():
    model = before_linear(MinMaxScaler(clip=True)).fit(X, Y)
    rows = np.array([[9.0, 0, 0, 0]])
    found = integrated_gradients(model, rows, "zero", n_steps=200)

    end = X[:, 0].max()
    moved = weights_of(model)[0][0] * model[0].scale_[0] * end
    assert found.values[0, 0] == pytest.approx(moved, rel=0.02)
    np.testing.assert_array_equal(found.values[0, 1:], 0)


def test_columns_that_were_not_selected_have_a_gradient_of_zero():
    model = before(SelectKBest(f_regression, k=2)).fit(X, Y)
    left_out = ~model[0].get_support()

    np.testing.assert_array_equal(input_gradients(model, NEW)[:, left_out], 0)
    np.testing.assert_array_equal(integrated_gradients(model, NEW).values[:, left_out], 0)


def test_smooth_steps_take_single_precision():
    for step in (StandardScaler(), PCA(2), PolynomialFeatures(2), SelectKBest(f_regression, k=2)):
        model = before(clone(step)).fit(X.astype(np.float32), Y.astype(np.float32))
        found = input_gradients(model, NEW.astype(np.float32))
        expected = numeric(model.predict, NEW)
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-5)


def test_whole_numbers_are_numbers():
    whole = np.arange(28).reshape(7, 4) % 5
    for step in (StandardScaler(), PolynomialFeatures(2), SelectKBest(f_regression, k=2)):
        model = before(clone(step)).fit(X, Y)
        expected = input_gradients(model, whole.astype(float))
        np.testing.assert_array_equal(input_gradients(model, whole), expected)


SETTINGS = [StandardScaler(), PCA(2), PolynomialFeatures(2), RobustScaler(), SelectKBest(k=2)]


@pytest.mark.parametrize("step", SETTINGS, ids=lambda step: type(step).__name__)
def test_a_step_has_the_gradient_of_its_transformer(step):
    transformer = clone(step).fit(X, Y > 0)
    gone = step_of(transformer, "step", 4)
    rng = np.random.default_rng(0)
    factors = rng.standard_normal(transformer.transform(NEW).shape)

    points = gone.encode(NEW)
    np.testing.assert_array_equal(points, NEW)
    np.testing.assert_allclose(gone.apply(points), transformer.transform(NEW), rtol=1e-10)

    def value_and_grad(flat):
        points = flat.reshape(NEW.shape)
        value = (factors * gone.apply(points)).sum()
        return value, gone.pull_back(points, factors).ravel()

    check_gradient(value_and_grad, NEW.ravel(), rng)


# Steps that are not smooth: each column by itself.

WORDS = np.array(["u", "v", "w", "rare"], dtype=object)


def words(n, seed=0):
    """Return two columns of categories, the second of two levels, the first with a rare one."""
    rng = np.random.default_rng(seed)
    first = rng.choice(WORDS[:3], n)
    first[:2] = "rare"
    second = np.where(rng.random(n) < 0.6, "yes", "no").astype(object)
    return np.column_stack([first, second])


C, NEW_C = words(60), words(9, seed=1)
ENCODERS = {
    "one-hot": OneHotEncoder(),
    "dense": OneHotEncoder(sparse_output=False),
    "without the first": OneHotEncoder(drop="first"),
    "without one of two": OneHotEncoder(drop="if_binary"),
    "without these": OneHotEncoder(drop=["v", "no"]),
    "few": OneHotEncoder(max_categories=2),
    "frequent": OneHotEncoder(min_frequency=5),
    "frequent without the first": OneHotEncoder(min_frequency=5, drop="first"),
    "few without one of two": OneHotEncoder(max_categories=3, drop="if_binary"),
    "unknown as rare": OneHotEncoder(min_frequency=5, handle_unknown="infrequent_if_exist"),
    "known": OneHotEncoder(handle_unknown="ignore"),
    "ordinal": OrdinalEncoder(),
    "ordinal with few": OrdinalEncoder(max_categories=3),
    "targets": TargetEncoder(),
}


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_a_category_has_what_all_it_has_become_has(encoder):
    model = after(clone(encoder), make("number", hidden_layer_sizes=()), Y)
    w, intercept = weights_of(model)

    def encode(rows):
        encoded = model[0].transform(rows)
        return encoded.toarray() if sp.issparse(encoded) else np.asarray(encoded)

    moved = (encode(NEW_C) - encode(C[7:8])) * w
    names = model[0].get_feature_names_out()
    is_first = np.array([name.startswith("x0") for name in names])
    expected = np.column_stack([moved[:, is_first].sum(axis=1), moved[:, ~is_first].sum(axis=1)])
    found = integrated_gradients(model, NEW_C, C[7])
    np.testing.assert_allclose(found.values, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.base_values, model.predict(C[7:8])[0], rtol=1e-9)
    mean = encode(C).mean(axis=0)
    from_mean = integrated_gradients(model, NEW_C, background=C)
    np.testing.assert_allclose(from_mean.base_values, mean @ w + intercept, rtol=1e-9)
    assert np.isnan(input_gradients(model, NEW_C)).all()


@pytest.mark.parametrize("name", ["one-hot", "frequent", "ordinal", "targets"])
def test_attributions_to_categories_add_up_in_a_network(name):
    model = after(clone(ENCODERS[name]), make("number"), Y)

    check_attributions(model, NEW_C, C[7], at=C[7:8])
    check_attributions(model, NEW_C, background=C)
    np.testing.assert_allclose(
        integrated_gradients(model, NEW_C, C[:3], n_steps=8).values,
        np.mean(
            [integrated_gradients(model, NEW_C, row, n_steps=8).values for row in C[:3]], axis=0
        ),
        rtol=1e-9,
        atol=1e-12,
    )


def test_unknown_categories_are_what_the_encoder_makes_of_them():
    model = before(OneHotEncoder(handle_unknown="ignore")).fit(C, Y)

    check_attributions(model, np.array([["new", "yes"], ["u", "new"]], object), C[7], at=C[7:8])
    strict = before(OneHotEncoder()).fit(C, Y)
    with pytest.raises(ValueError, match="Found unknown categories"):
        integrated_gradients(strict, np.array([["new", "yes"]], object), C[7])


def test_mean_targets_of_several_classes_come_from_their_column():
    model = after(TargetEncoder(), make("three"), TARGETS["three"])
    assert model[0].transform(C).shape == (60, 6)
    found = integrated_gradients(model, NEW_C, C[7])

    same = NEW_C[:, 1] == C[7, 1]
    np.testing.assert_array_equal(found.values[same, 1], 0)
    assert (found.values[~same, 1] != 0).all()
    check_attributions(model, NEW_C, C[7], at=C[7:8])


# Gaps.

WITH_GAPS = X.copy()
WITH_GAPS[:6, 0], WITH_GAPS[3:9, 2], WITH_GAPS[:, 3] = NAN, NAN, NAN
NEW_WITH_GAPS = NEW.copy()
NEW_WITH_GAPS[:2, 0], NEW_WITH_GAPS[1:4, 2], NEW_WITH_GAPS[:, 3] = NAN, NAN, NAN


IMPUTERS = [
    (strategy, keeps, marks)
    for strategy in ("mean", "median", "most_frequent", "constant")
    for keeps, marks in itertools.product((False, True), repeat=2)
    if keeps or strategy != "constant"  # what comes of it depends on the version
]


@pytest.mark.parametrize(("strategy", "keep_empty_features", "add_indicator"), IMPUTERS)
def test_where_a_gap_was_filled_there_is_no_gradient(strategy, keep_empty_features, add_indicator):
    imputer = SimpleImputer(
        strategy=strategy, keep_empty_features=keep_empty_features, add_indicator=add_indicator
    )
    model = before(imputer).fit(WITH_GAPS, Y)
    found = input_gradients(model, NEW_WITH_GAPS)
    expected = numeric(model.predict, NEW_WITH_GAPS)

    is_gap = np.isnan(NEW_WITH_GAPS)
    np.testing.assert_array_equal(np.isnan(found[:, :3]), is_gap[:, :3])
    np.testing.assert_allclose(found[~is_gap], expected[~is_gap], rtol=1e-5, atol=1e-8)
    assert np.isnan(found[:, 3]).all() if keep_empty_features else (found[:, 3] == 0).all()
    check_attributions(model, NEW_WITH_GAPS, WITH_GAPS[0], at=WITH_GAPS[:1])
    check_attributions(model, NEW_WITH_GAPS, background=WITH_GAPS)


def test_a_gap_and_its_mark_move_the_answer_together():
    model = before_linear(SimpleImputer(add_indicator=True)).fit(WITH_GAPS[:, :3], Y)
    (w, _), means = weights_of(model), model[0].statistics_
    rows, row = NEW_WITH_GAPS[:, :3], WITH_GAPS[20, :3]
    found = integrated_gradients(model, rows, row)

    filled = np.where(np.isnan(rows), means, rows)
    expected = w[:3] * (filled - row)
    expected[:, 0] += w[3] * np.isnan(rows[:, 0])
    expected[:, 2] += w[4] * np.isnan(rows[:, 2])
    np.testing.assert_allclose(found.values, expected, rtol=1e-9, atol=1e-13)


def test_gaps_may_be_numbers():
    rows = np.where(np.isnan(NEW_WITH_GAPS), -1, NEW_WITH_GAPS)
    model = before(SimpleImputer(missing_values=-1, keep_empty_features=True))
    model.fit(np.where(np.isnan(WITH_GAPS), -1, WITH_GAPS), Y)

    np.testing.assert_array_equal(np.isnan(input_gradients(model, rows)), rows == -1)


@pytest.mark.parametrize("order", ["after", "before"])
def test_gaps_may_be_filled_before_and_after_scaling(order):
    steps = [SimpleImputer(add_indicator=True), StandardScaler()]
    model = before(*(steps if order == "before" else steps[::-1])).fit(WITH_GAPS[:, :3], Y)
    rows = NEW_WITH_GAPS[:, :3]
    found, is_gap = input_gradients(model, rows), np.isnan(rows)

    np.testing.assert_array_equal(np.isnan(found), is_gap)
    expected = numeric(model.predict, rows)
    np.testing.assert_allclose(found[~is_gap], expected[~is_gap], rtol=1e-5, atol=1e-8)
    check_attributions(model, rows, WITH_GAPS[0, :3], at=WITH_GAPS[:1, :3])


def test_gaps_that_nobody_fills_are_refused():
    for steps in ([], [StandardScaler()], [MinMaxScaler(), PCA(2)]):
        model = before(*map(clone, steps)).fit(X, Y)
        for explain in (input_gradients, integrated_gradients):
            with pytest.raises(ValueError, match="contains NaN"):
                explain(model, NEW_WITH_GAPS)


# Tables with columns of all kinds.


def table(n, seed=0):
    """Return numbers, with gaps, and categories; a column that nobody needs among them."""
    rng = np.random.default_rng(seed)
    gaps = rng.standard_normal(n)
    gaps[:3] = NAN
    return pd.DataFrame(
        {
            "age": rng.standard_normal(n) * 10 + 40,
            "kind": words(n, seed)[:, 0],
            "size": gaps,
            "mood": words(n, seed)[:, 1],
            "mass": rng.standard_normal(n) / 100,
            "note": rng.standard_normal(n),
        }
    )


T, NEW_T = table(60), table(9, seed=1)
FILLED = make_pipeline(SimpleImputer(), StandardScaler())
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
REST = [("gaps", FILLED, ["size"]), ("words", ONE_HOT, ["kind", "mood"])]
NUMBERS = ["age", "mass", "note"]
CHOICES = {
    "names": (["age", "mass"], "drop"),
    "positions": ([0, 4], "drop"),
    "positions from the end": ([-2, 0], "drop"),
    "array": (np.array([4, 0]), "drop"),
    "mask": ([True, False, False, False, True, False], "drop"),
    "array mask": (np.array([True, False, False, False, True, True]), "drop"),
    "slice": (slice(4, None), "drop"),
    "slice with steps": (slice(0, 5, 4), "drop"),
    "slice of names": (slice("mass", "note"), "drop"),
    "slice from a name": (slice("mass", None), "drop"),
    "selector": (make_column_selector(pattern="age|mass"), "drop"),
    "rest passed through": (["age"], "passthrough"),
    "rest scaled": (["age"], MinMaxScaler()),
    "rest in a chain": (["age"], make_pipeline(StandardScaler(), PCA(2))),
}


def check_table(model, rows=NEW_T, numbers=NUMBERS, baseline=T.iloc[10]):
    """Assert that numbers have numeric gradients, others none, and that attributions add up."""
    found = input_gradients(model, rows)
    places = [rows.columns.get_loc(name) for name in numbers]
    expected = numeric(model.predict, rows, step=1e-6, columns=places)
    np.testing.assert_allclose(found[:, places], expected, rtol=1e-5, atol=1e-7)
    added = check_attributions(model, rows, baseline, at=baseline.to_frame().T.infer_objects())
    assert added.feature_names == rows.columns.tolist()
    check_attributions(model, rows, background=T)
    return found


@pytest.mark.parametrize(("columns", "remainder"), CHOICES.values(), ids=CHOICES)
def test_columns_may_be_chosen_in_any_way(columns, remainder):
    transformer = ColumnTransformer(
        [("some", StandardScaler(), columns), *REST], remainder=remainder
    )
    model = before(transformer).fit(T, Y)
    found = check_table(model)

    assert np.isnan(found[:, [1, 3]]).all()
    np.testing.assert_array_equal(np.isnan(found[:, 2]), NEW_T["size"].isna())
    dropped = sorted(set(range(6)) - set(np.flatnonzero(np.abs(found).sum(axis=0))))
    if remainder == "drop":
        np.testing.assert_array_equal(found[:, dropped], 0)
        assert np.abs(found[:, [0, 4, 5]]).sum() > 0
    else:
        assert dropped == []


def test_arrays_may_be_chosen_from_too():
    for columns in ([0, 3], [True, False, False, True], slice(0, 4, 3), [-4, -1], slice(-2, None)):
        transformer = ColumnTransformer(
            [("a", StandardScaler(), columns), ("b", MinMaxScaler(), [1])], remainder="passthrough"
        )
        check_gradients(before(transformer).fit(X, Y), NEW)


def test_a_column_that_is_used_twice_has_the_sum():
    transformer = make_column_transformer(
        (StandardScaler(), ["age", "mass"]),
        (PolynomialFeatures(2), ["mass", "note"]),
        ("passthrough", ["age"]),
        (FILLED, ["size"]),
        (make_pipeline(SimpleImputer(strategy="constant", fill_value=9.0)), ["size"]),
        ("drop", ["kind"]),
    )
    found = check_table(before(transformer).fit(T, Y))

    np.testing.assert_array_equal(found[:, [1, 3]], 0)


def test_columns_may_be_nested():
    inner = ColumnTransformer([("s", StandardScaler(), ["age"]), ("p", PCA(2), ["mass", "note"])])
    union = make_union(inner, make_pipeline(ColumnTransformer([("m", MinMaxScaler(), ["note"])])))
    outer = ColumnTransformer([("union", union, NUMBERS), *REST])

    check_table(before(outer).fit(T, Y))
    check_table(before(outer, StandardScaler(), PCA(4)).fit(T, Y))


def test_steps_after_the_columns_are_gone_through():
    columns = ColumnTransformer([("some", "passthrough", NUMBERS), *REST], sparse_threshold=0)
    model = before(columns, VarianceThreshold(), StandardScaler(), PolynomialFeatures(2)).fit(T, Y)
    check_table(model)


@pytest.mark.parametrize("where", ["pipeline", "config"])
def test_steps_may_hand_on_frames(where):
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("some", StandardScaler(), NUMBERS), ("gaps", FILLED, ["size"]), ("w", one_hot, ["kind"])]
    )
    model = before(columns, StandardScaler(), SelectKBest(f_regression, k=4))
    expected = input_gradients(clone(model).fit(T, Y), NEW_T)
    if where == "pipeline":
        model.set_output(transform="pandas").fit(T, Y)
        found = check_table(model)
    else:
        with sklearn.config_context(transform_output="pandas"):
            found = check_table(model.fit(T, Y))

    assert model[-1].feature_names_in_.size == 4
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_categories_may_be_filled_before_they_are_encoded():
    T2, new = T.copy(), NEW_T.copy()
    T2.loc[5:9, "kind"] = new.loc[4:5, "kind"] = NAN
    chain = make_pipeline(SimpleImputer(strategy="most_frequent"), ONE_HOT)
    columns = ColumnTransformer([("n", StandardScaler(), NUMBERS), ("words", chain, ["kind"])])
    model = before(columns).fit(T2, Y)

    found = check_attributions(model, new, T2.iloc[0], at=T2.iloc[:1])
    assert (found.values[:, [2, 3]] == 0).all()
    assert np.abs(found.values[:, 1]).max() > 0


def test_a_table_encoder_has_slopes_for_numbers():
    encoder = TableEncoder(numeric="robust")
    model = before(encoder).fit(T, Y)
    rows = NEW_T.astype({"mass": float})
    found = input_gradients(model, rows)

    expected = numeric(model.predict, rows, step=1e-2, columns=[0, 5])
    np.testing.assert_allclose(found[:, [0, 5]], expected, rtol=2e-3, atol=2e-4)
    assert np.isnan(found[:, [1, 3]]).all()
    np.testing.assert_array_equal(np.isnan(found[:, 2]), NEW_T["size"].isna())
    check_attributions(model, NEW_T, T.iloc[10], at=T.iloc[[10]], rtol=1e-5)
    named = before(encoder).set_output(transform="pandas").fit(T, Y)
    np.testing.assert_allclose(input_gradients(named, rows), found, rtol=1e-6)


# Unions.


def test_parts_of_a_union_add_up():
    union = FeatureUnion(
        [("s", StandardScaler()), ("p", PCA(2)), ("d", "drop"), ("t", "passthrough")]
    )
    model = before(union).fit(X, Y)
    check_gradients(model, NEW)
    check_attributions(model, NEW, ROW, at=ROW[np.newaxis])
    named = before(clone(union)).set_output(transform="pandas").fit(TABLE, Y)
    check_gradients(named, NEW_TABLE)
    assert integrated_gradients(named, NEW_TABLE).feature_names == NAMES


def test_a_union_with_weights_is_refused():
    union = FeatureUnion([("s", StandardScaler()), ("p", PCA(2))], transformer_weights={"p": 2.0})
    with pytest.raises(ValueError, match="FeatureUnion with transformer_weights"):
        input_gradients(before(union).fit(X, Y), NEW)


# What is refused.

UNKNOWN = [
    KBinsDiscretizer(3, strategy="uniform"),
    QuantileTransformer(n_quantiles=10),
    PowerTransformer(),
    Normalizer(),
    SplineTransformer(),
    KNNImputer(),
    FastICA(2, random_state=0),
    FunctionTransformer(np.tanh),
]


@pytest.mark.parametrize("step", UNKNOWN, ids=lambda step: type(step).__name__)
def test_a_step_that_is_not_known_is_named_with_what_to_do(step):
    message = (
        rf"step 'odd' \({type(step).__name__}\) cannot be gone through: .*Explain the steps after "
        r"it on what it returns, or replace it by one of .*PCA.*StandardScaler"
    )
    inside = ColumnTransformer([("odd", clone(step), [0, 1])], remainder="passthrough")
    union = FeatureUnion([("odd", clone(step)), ("s", StandardScaler())])
    chain = make_pipeline(Pipeline([("s", StandardScaler()), ("odd", clone(step))]))
    direct = Pipeline([("odd", clone(step)), ("net", make("number"))])
    for model in (direct, before(inside), before(union), before(chain)):
        model.fit(X, Y)
        for explain in (input_gradients, integrated_gradients):
            with pytest.raises(ValueError, match=message):
                explain(model, NEW)


def test_an_encoder_after_mixed_columns_is_refused():
    steps = [("mix", PCA(3)), ("fill", SimpleImputer()), ("net", make("number"))]
    model = Pipeline(steps).fit(X, Y)
    with pytest.raises(ValueError, match="step 'fill' encodes columns that the steps before it"):
        input_gradients(model, NEW)


def test_a_step_that_is_not_fitted_is_named():
    for step in (StandardScaler(), OneHotEncoder(), Pipeline([("s", StandardScaler())])):
        with pytest.raises(NotFittedError, match=type(step).__name__):
            step_of(step, "step", 4)


@pytest.mark.parametrize(
    "step",
    [StandardScaler(), PCA(2), OneHotEncoder(handle_unknown="ignore"), SelectKBest(k=2)],
    ids=lambda step: type(step).__name__,
)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((3, 5)), "5 features"),
        (np.ones((3, 3)), "3 features"),
        (np.ones(4), "Expected 2D array"),
        (np.ones((0, 4)), "0 sample"),
    ],
    ids=["wide", "narrow", "1-d", "empty"],
)
def test_rows_of_another_shape_are_refused(step, bad, message):
    model = make_pipeline(clone(step), make("two")).fit(X, TARGETS["two"])
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(model, bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((3, 5)), "5 features"),
        (np.ones((3, 3)), "3 features"),
        (np.ones(4), "Expected 2D array"),
    ],
    ids=["wide", "narrow", "1-d"],
)
def test_a_table_encoder_refuses_rows_of_another_shape(bad, message):
    model = before(TableEncoder()).fit(X, Y)
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(model, bad)


def test_models_that_are_selected_by_trees_are_gone_through():
    selector = SelectFromModel(ExtraTreesRegressor(5, random_state=0), threshold="median")

    check_gradients(before(selector).fit(X, Y), NEW)
