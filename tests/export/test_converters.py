import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.model_selection
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

import sknn.export
import sknn.model_selection
import sknn.tabular
from sknn import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor
from sknn.export import converters
from sknn.losses import Quantile
from sknn.tabular import TableEncoder
from tests.cases import pairs
from tests.export.running import (
    IRIS,
    NUMBERS,
    ODD,
    PATIENTS,
    PROGRESSION,
    SPECIES,
    TARGETS,
    Cubed,
    as_list,
    classifier,
    fit,
    fitted,
    make_odd_rows,
    make_table,
    regressor,
)
from tests.export.running_onnx import check_classes, check_numbers, run_onnx
from tests.tabular.fits import SMALL

skl2onnx = pytest.importorskip(
    "skl2onnx", reason="make test-clients runs them where skl2onnx is installed"
)
pytest.importorskip("onnxruntime", reason="what runs ONNX models")

TABLE, ILLNESS = make_table()
ODD_ROWS = make_odd_rows(make_table(40, seed=1)[0])
SCALED = make_pipeline(StandardScaler(), classifier())
GRID = {"alpha": [1e-4, 1e-2]}


def test_every_estimator_has_a_converter():
    found = [getattr(sknn, name) for name in sknn.__all__]
    found += [getattr(sknn.tabular, name) for name in sknn.tabular.__all__]
    estimators = {each for each in found if isinstance(each, type)}
    searches = (getattr(sknn.model_selection, name) for name in sknn.model_selection.__all__)
    own = {each for each in searches if each.__module__.startswith("sknn")}

    assert estimators == {*converters.ESTIMATORS, TableEncoder}
    assert {each for each in own if str(each.__name__).endswith("SearchCV")} == {
        *converters.SEARCHES
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", TARGETS)
def test_classifiers_answer_the_same(kind, dtype):
    labels, probabilities = check_classes(fitted(kind), IRIS.astype(dtype))

    assert {part.dtype for part in as_list(probabilities)} == {np.dtype(dtype)}
    kinds = {"U": "O", "O": "O", "i": "i", "b": "b", "f": "f"}
    assert labels.dtype.kind == kinds[fitted(kind).predict(IRIS).dtype.kind]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_targets", NUMBERS)
@pytest.mark.parametrize(
    "loss",
    ["squared_error", "poisson", "gamma", "gaussian", Quantile([0.5]), Quantile([0.1, 0.5, 0.9])],
    ids=str,
)
def test_regressors_answer_the_same(loss, n_targets, dtype):
    network = fit(regressor(loss=loss), PATIENTS, NUMBERS[n_targets])
    found = check_numbers(network, PATIENTS.astype(dtype))

    expected = network.predict(PATIENTS)
    assert found.dtype == dtype
    assert found.shape == (expected.shape if expected.ndim > 1 else (len(PATIENTS), 1))


@pytest.mark.parametrize(
    ("activation", "normalization", "front", "residual", "dtype"),
    pairs(
        ["relu", "gelu", "mish", ["elu", "softplus"], "selu", "leaky_relu", "silu"],
        [None, "batch", "layer"],
        [None, "scale", "fourier", "piecewise_linear"],
        [False, True],
        [np.float32, np.float64],
    ),
)
def test_pipelines_with_each_layer_answer_the_same(
    activation, normalization, front, residual, dtype
):
    network = classifier(
        (6, 6),
        activation=activation,
        normalization=normalization,
        front=front,
        residual=residual,
        dropout=0.2,
    )
    X = IRIS.astype(dtype)
    check_classes(fit(make_pipeline(StandardScaler(), network), X, ODD[SPECIES]), X)


@pytest.mark.parametrize("sample", [np.float32, np.float64])
@pytest.mark.parametrize("learnt", [np.float32, np.float64])
def test_samples_say_what_goes_in(learnt, sample):
    network = fit(classifier(), IRIS.astype(learnt), SPECIES)

    check_classes(network, IRIS.astype(sample))


def test_integers_are_numbers():
    X = np.round(IRIS * 10).astype(np.int64)
    network = fit(classifier(), X, SPECIES)
    _, probabilities = check_classes(network, X)

    assert probabilities.dtype == np.float32


@pytest.mark.parametrize("kind", ["words", "bools", "labels", "several"])
def test_ensembles_for_tables_classify_the_same(kind):
    targets = {
        "words": ODD[np.digitize(ILLNESS, [100, 200])],
        "bools": ILLNESS > 140,
        "labels": np.column_stack([ILLNESS > 100, ILLNESS > 200]).astype(int),
        "several": np.column_stack([np.digitize(ILLNESS, [100, 200]), 5 + (ILLNESS > 140)]),
    }
    model = TabularMLPClassifier("default", **SMALL).fit(TABLE, targets[kind])

    check_classes(model, ODD_ROWS, TABLE)


@pytest.mark.parametrize("target", [ILLNESS, np.column_stack([ILLNESS, -ILLNESS])])
def test_ensembles_for_tables_predict_the_same(target):
    model = TabularMLPRegressor("default", **SMALL).fit(TABLE, target)

    check_numbers(model, ODD_ROWS, TABLE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_table_of_numbers_is_a_matrix(dtype):
    X = np.where(np.random.default_rng(0).random(IRIS.shape) < 0.1, np.nan, IRIS).astype(dtype)
    model = TabularMLPClassifier("fast", categorical_features=[3], **SMALL).fit(X, SPECIES)

    check_classes(model, X)


@pytest.mark.parametrize("numeric", ["robust", "piecewise_linear", "fourier"])
@pytest.mark.parametrize("least", [None, 3])
def test_encoders_make_the_same(numeric, least):
    encoder = TableEncoder(numeric=numeric, min_target_categories=least, random_state=0)
    encoder.fit(TABLE, ILLNESS > 140)
    [found] = run_onnx(encoder, ODD_ROWS, TABLE)

    np.testing.assert_allclose(found, encoder.transform(ODD_ROWS), rtol=1e-6, atol=1e-6)
    assert found.dtype == np.float32


def test_encoders_stand_in_pipelines():
    pipeline = make_pipeline(TableEncoder(), classifier())

    check_classes(fit(pipeline, TABLE, ILLNESS > 140), ODD_ROWS, TABLE)


def test_columns_may_come_in_another_order():
    model = TabularMLPClassifier("fast", **SMALL).fit(TABLE, ILLNESS > 140)

    check_classes(model, ODD_ROWS[ODD_ROWS.columns[::-1]], TABLE[TABLE.columns[::-1]])


def test_bools_with_gaps_are_words():
    table = TABLE.assign(smokes=TABLE["smokes"].astype(object))
    table.loc[table.index[:9], "smokes"] = None
    model = TabularMLPClassifier("fast", **SMALL).fit(table, ILLNESS > 140)

    check_classes(model, table)


def test_networks_take_the_columns_of_a_frame():
    X = TABLE[["age", "body mass", "visits", "smokes"]]
    network = fit(classifier(), X, ILLNESS > 140)

    check_classes(network, X)


@pytest.mark.parametrize("columns", [["visits", "body mass"], ["age", "visits"], ["visits"]])
@pytest.mark.parametrize(
    "scaler", [StandardScaler(), MinMaxScaler(), PCA(1), FeatureUnion([("one", StandardScaler())])]
)
def test_no_number_is_cut_off_before_it_reaches_a_step(scaler, columns):
    X = TABLE[columns].assign(smokes=TABLE["smokes"])
    pipeline = fit(make_pipeline(scaler, regressor(activation="tanh")), X, ILLNESS / 100)

    found = check_numbers(pipeline, X)
    np.testing.assert_allclose(found[:, 0], pipeline.predict(X), rtol=1e-12)


def test_columns_are_put_side_by_side_without_rounding():
    numbers = ["visits", "body mass"]
    union = FeatureUnion(
        [
            ("columns", make_column_transformer((StandardScaler(), numbers[:1]))),
            ("all", StandardScaler()),
        ]
    )
    pipeline = fit(make_pipeline(union, regressor()), TABLE[numbers], ILLNESS / 100)

    [found] = run_onnx(pipeline, TABLE[numbers])
    np.testing.assert_allclose(found[:, 0], pipeline.predict(TABLE[numbers]), rtol=1e-12)


def test_integers_and_doubles_lie_beside_codes():
    numbers, words = ["visits", "body mass"], ["sex", "group"]
    for scaler in (StandardScaler(), "passthrough"):
        columns = make_column_transformer((scaler, numbers), (OneHotEncoder(), words))
        pipeline = make_pipeline(columns, classifier())
        X = TABLE[[*words, *numbers]]

        check_classes(fit(pipeline, X, ILLNESS > 140), X)
        # Columns are found by their names.
        check_classes(pipeline, X[X.columns[::-1]].assign(more=1.0))


@pytest.mark.parametrize(
    "encoder",
    [OneHotEncoder(), OrdinalEncoder(), TargetEncoder()],
    ids=lambda encoder: type(encoder).__name__,
)
def test_encoders_tell_integers_apart(encoder):
    X = TABLE[["visits"]] % 4 + 2**24  # which differ in double precision only

    check_classes(fit(make_pipeline(encoder, classifier()), X, ILLNESS > 140), X)
    both = X.assign(mass=TABLE["body mass"])
    columns = make_column_transformer((encoder, ["visits"]), (StandardScaler(), ["mass"]))
    check_classes(fit(make_pipeline(columns, classifier()), both, ILLNESS > 140), both)


@pytest.mark.parametrize("encode", ["onehot-dense", "ordinal"])
def test_a_network_takes_single_precision_that_calls_itself_double(encode):
    bins = KBinsDiscretizer(encode=encode, strategy="uniform")

    check_classes(fit(make_pipeline(bins, classifier()), IRIS, SPECIES), IRIS)


def test_names_of_other_columns_are_refused():
    X = TABLE[["body mass", "visits"]]
    pipeline = fit(make_pipeline(StandardScaler(), classifier()), X, ILLNESS > 140)
    for other in (X[["visits", "body mass"]], X.rename(columns={"visits": "calls"})):
        with pytest.raises(ValueError, match="feature names should match"):
            sknn.export.to_onnx(pipeline, other)
    sknn.export.to_onnx(pipeline, X.to_numpy(np.float32))


def test_the_empty_word_is_no_category_where_it_means_a_missing_one():
    table = TABLE.assign(sex=TABLE["sex"].replace("male", ""))
    model = TabularMLPClassifier("fast", **SMALL).fit(table, ILLNESS > 140)
    with pytest.raises(ValueError, match="Column 'sex' has the empty word among its categories"):
        sknn.export.to_onnx(model, table)


def test_names_of_inputs_have_letters_and_digits_and_differ():
    names = ["label", "1x", "a b", "a_b", ""]
    X = pd.DataFrame(np.ones((4, 5)) * np.arange(4)[:, np.newaxis], columns=names)
    model = sknn.export.to_onnx(fit(classifier(), X, [0, 1, 0, 1]), X)

    assert [each.name for each in model.graph.input] == ["label1", "_1x", "a_b", "a_b1", "x"]


def test_column_transformers_go_before():
    numbers, words = ["age", "body mass", "visits"], ["sex"]
    columns = make_column_transformer((StandardScaler(), numbers), (OneHotEncoder(), words))
    pipeline = make_pipeline(columns, classifier())
    X = TABLE[[*numbers, *words]]

    check_classes(fit(pipeline, X, ILLNESS > 140), X)


@pytest.mark.parametrize("home", [sklearn.model_selection, sknn.model_selection])
@pytest.mark.parametrize("name", ["GridSearchCV", "RandomizedSearchCV"])
def test_searches_export_what_they_have_found(home, name):
    options = {"n_iter": 2} if name == "RandomizedSearchCV" else {}
    search = getattr(home, name)(classifier(), GRID, cv=2, **options)

    check_classes(fit(search, IRIS, ODD[SPECIES]), IRIS)


@pytest.mark.parametrize(
    "search",
    [
        sklearn.model_selection.GridSearchCV(classifier(), GRID, cv=2),
        sknn.model_selection.GridSearchCV(classifier(), GRID, cv=2),
        sknn.model_selection.HalvingGridSearchCV(classifier(), GRID, cv=2),
        sknn.model_selection.LearningRateSearchCV(classifier(), cv=2, rate_range=(1e-3, 1e-2)),
        sknn.model_selection.GridSearchCV(
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"logisticregression__C": [0.1, 1.0]},
            cv=2,
        ),
    ],
    ids=lambda search: type(search).__name__,
)
def test_searches_stand_in_pipelines(search):
    pipeline = make_pipeline(StandardScaler(), search)

    check_classes(fit(pipeline, IRIS, ODD[SPECIES]), IRIS)


ENSEMBLES = {
    "calibrated": CalibratedClassifierCV(classifier(), cv=2),
    "calibrated steps": CalibratedClassifierCV(SCALED, cv=2),
    "calibrated once": CalibratedClassifierCV(SCALED, cv=2, ensemble=False),
    "bagging": BaggingClassifier(classifier(), 2),
    "bagging of columns": BaggingClassifier(classifier(), 2, max_features=0.5, random_state=0),
    "bagging of steps": BaggingClassifier(SCALED, 2, max_features=0.5, random_state=0),
    "voting": VotingClassifier([("a", SCALED)], voting="soft", flatten_transform=False),
    "stacking": StackingClassifier([("a", SCALED)], classifier(), cv=2),
    "one against rest": OneVsRestClassifier(SCALED),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, "frame"])
@pytest.mark.parametrize("labels", ["words", "ints"])
@pytest.mark.parametrize("kind", ENSEMBLES)
def test_ensembles_of_scikit_learn_hold_networks(kind, labels, dtype):
    X = pd.DataFrame(IRIS, columns=[*"abcd"]) if dtype == "frame" else IRIS.astype(dtype)
    y = np.array(["a", "b", "c"])[SPECIES] if labels == "words" else SPECIES

    check_classes(fit(ENSEMBLES[kind], X, y), X)


@pytest.mark.parametrize(
    "around",
    [
        BaggingRegressor(regressor(), 2, max_features=0.5, random_state=0),
        StackingRegressor([("a", regressor()), ("b", LinearRegression())], regressor(), cv=2),
        VotingRegressor([("a", regressor()), ("b", LinearRegression())]),
    ],
    ids=lambda around: type(around).__name__,
)
def test_ensembles_of_scikit_learn_hold_regressors(around):
    for X in (PATIENTS, PATIENTS.astype(np.float32), pd.DataFrame(PATIENTS).rename(columns=str)):
        check_numbers(fit(around, X, PROGRESSION / 100), X)


def test_integers_are_doubles_for_steps():
    X = np.round(IRIS * 10).astype(np.int64)
    around = CalibratedClassifierCV(SCALED, cv=2)
    _, probabilities = check_classes(fit(around, X, SPECIES), X)

    assert probabilities.dtype == np.float64


class Derived(MLPClassifier):
    """A network with a name of its own."""


def test_classes_derived_from_ours_are_registered_when_they_are_met():
    network = Derived((6,), max_iter=8, random_state=0)

    check_classes(fit(network, IRIS, SPECIES), IRIS)
    check_classes(fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES), IRIS)
    check_classes(fit(BaggingClassifier(network, 2), IRIS, SPECIES), IRIS)


@pytest.mark.parametrize("home", [sklearn.model_selection, sknn.model_selection])
def test_thresholds_are_refused_as_skl2onnx_would_leave_them_out(home):
    search = home.TunedThresholdClassifierCV(classifier(max_iter=100), cv=2)
    fit(search, IRIS, SPECIES > 0)
    with pytest.raises(ValueError, match="compare the probabilities with best_threshold_"):
        sknn.export.to_onnx(search, IRIS[:1])


def test_callers_of_skl2onnx_register_first():
    sknn.export.register_onnx()
    sknn.export.register_onnx()
    pipeline = fit(make_pipeline(StandardScaler(), classifier()), IRIS, SPECIES)
    model = skl2onnx.to_onnx(pipeline, IRIS[:1])

    assert [value.name for value in model.graph.output] == ["label", "probabilities"]


@pytest.mark.parametrize("target_opset", [9, 13, 15, {"": 18}, None])
def test_operators_have_a_version(target_opset):
    network = classifier(activation="gelu", normalization="layer")
    pipeline = fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES)
    labels, _ = run_onnx(pipeline, IRIS, target_opset=target_opset)

    np.testing.assert_array_equal(labels, pipeline.predict(IRIS))


@pytest.mark.parametrize("target_opset", [1, 8, 99, "13", True, {"": 7}])
def test_operators_that_are_too_old_or_unknown_are_refused(target_opset):
    with pytest.raises(ValueError, match="target_opset must be None, an int from 9 to"):
        sknn.export.to_onnx(fitted("words"), IRIS, target_opset=target_opset)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, TabularMLPRegressor, TableEncoder])
def test_what_is_not_fitted_is_refused(kind):
    with pytest.raises(sklearn.exceptions.NotFittedError):
        sknn.export.to_onnx(kind(), IRIS[:1])


def test_an_activation_of_ones_own_is_refused():
    network = classifier(activation=Cubed())
    pipeline = fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"activation has a Cubed of .* cannot be exported"):
        sknn.export.to_onnx(pipeline, IRIS[:1])


def test_steps_that_give_other_columns_are_to_blame():
    sknn.export.register_onnx()
    network = fit(classifier(), IRIS, SPECIES)
    network.n_features_in_ = 5
    pipeline = Pipeline([("scaler", StandardScaler().fit(IRIS)), ("network", network)])
    message = "What skl2onnx makes of the steps before has 4 columns, but MLPClassifier was fitted"
    with pytest.raises(ValueError, match=message):
        sknn.export.to_onnx(pipeline, IRIS)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (SplineTransformer(), r"The step 'step' \(SplineTransformer\) cannot be converted by"),
        (PolynomialFeatures(), r"Pipeline cannot be run: .*cast X_sample with astype\(np.float32"),
    ],
)
def test_what_skl2onnx_cannot_do_is_said(step, message):
    pipeline = fit(Pipeline([("step", step), ("network", classifier())]), IRIS, SPECIES)
    with pytest.raises(ValueError, match=message):
        sknn.export.to_onnx(pipeline, IRIS)


@pytest.mark.parametrize("sample", [IRIS[:, :3], make_table(5)[0][["age", "visits"]]])
def test_samples_of_other_widths_are_refused(sample):
    message = r"X_sample has \d columns, but MLPClassifier was fitted on 4"
    with pytest.raises(ValueError, match=message):
        sknn.export.to_onnx(fitted("words"), sample)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": "old"}, "Column 'age' had numbers in fit; in X_sample it has words"),
        ({"city": 1.0}, "Column 'city' had words in fit; in X_sample it has values of type float"),
        ({"group": "x"}, "Column 'group' had numbers as categories in fit"),
        ({"age": np.datetime64("2020-01-01")}, "Column 'age' of X_sample holds values of dtype"),
    ],
)
def test_columns_of_other_kinds_are_refused(change, message):
    model = TabularMLPClassifier("fast", **SMALL).fit(TABLE, ILLNESS > 140)
    with pytest.raises(ValueError, match=message):
        sknn.export.to_onnx(model, TABLE[:1].assign(**change))


def test_nothing_warns():
    pipeline = fit(make_pipeline(StandardScaler(), classifier()), IRIS, SPECIES)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        sknn.export.to_onnx(pipeline, IRIS[:1])
