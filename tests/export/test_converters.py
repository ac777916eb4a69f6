import warnings

import numpy as np
import pytest
import sklearn.model_selection
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

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
from tests.tabular.fits import SMALL

skl2onnx = pytest.importorskip(
    "skl2onnx", reason="make test-clients runs them where skl2onnx is installed"
)
onnx = pytest.importorskip("onnx", reason="skl2onnx needs it")
onnxruntime = pytest.importorskip("onnxruntime", reason="what runs ONNX models")
TABLE, ILLNESS = make_table()
ODD_ROWS = make_odd_rows(make_table(40, seed=1)[0])
GRID = {"alpha": [1e-4, 1e-2]}


def feed_of(session, X):
    """Return rows as a model takes them: an array, or each column."""
    inputs = session.get_inputs()
    if not hasattr(X, "columns"):
        return {inputs[0].name: X}
    kinds = {"tensor(string)": object, "tensor(int64)": np.int64, "tensor(bool)": bool}
    floats = {"tensor(float)": np.float32, "tensor(double)": np.float64}
    feed = {}
    for item, name in zip(inputs, X.columns, strict=True):
        column = X[name]
        if item.type == "tensor(string)":
            column = column.astype(object).where(column.notna(), "")
        feed[item.name] = np.asarray(column, (kinds | floats)[item.type])[:, np.newaxis]
    return feed


def run_onnx(estimator, X, sample=None, **options):
    """Return what an exported estimator says of rows."""
    model = sknn.export.to_onnx(estimator, X[:1] if sample is None else sample[:1], **options)
    onnx.checker.check_model(model, full_check=True)
    assert "ZipMap" not in {node.op_type for node in model.graph.node}
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.HasField("tensor_type"):
            assert not value.type.tensor_type.shape.dim[0].dim_value
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, feed_of(session, X))


def check_classes(estimator, X, sample=None):
    labels, found = run_onnx(estimator, X, sample)
    expected, predicted = estimator.predict_proba(X), estimator.predict(X)

    differ = np.zeros(len(X), bool)
    for part, whole in zip(as_list(found), as_list(expected), strict=True):
        np.testing.assert_allclose(part, whole, atol=1e-5)
        highest = np.sort(whole, axis=1)[:, -2:]
        differ |= (highest[:, -1] - highest[:, 0] < 1e-5) & (whole.shape[1] > 1)
    is_same = np.asarray(labels == predicted).reshape(len(X), -1).all(axis=1)
    assert (is_same | differ).all()
    assert labels.shape == predicted.shape
    return labels, found


def check_numbers(estimator, X, sample=None):
    [found] = run_onnx(estimator, X, sample)
    expected = estimator.predict(X)

    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-5)
    return found


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


@pytest.mark.parametrize(
    "around", [CalibratedClassifierCV(classifier(), cv=2), BaggingClassifier(classifier(), 2)]
)
def test_ensembles_of_scikit_learn_hold_networks(around):
    check_classes(fit(around, IRIS, SPECIES), IRIS.astype(np.float32))


class Derived(MLPClassifier):
    """A network with a name of its own."""


def test_classes_derived_from_ours_are_registered_when_they_are_met():
    network = Derived((6,), max_iter=8, random_state=0)

    check_classes(fit(network, IRIS, SPECIES), IRIS)
    check_classes(fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES), IRIS)


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


@pytest.mark.parametrize("target_opset", [13, 15, 18, None])
def test_operators_have_a_version(target_opset):
    network = classifier(activation="gelu", normalization="layer")
    pipeline = fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES)
    labels, _ = run_onnx(pipeline, IRIS, target_opset=target_opset)

    np.testing.assert_array_equal(labels, pipeline.predict(IRIS))


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor, TabularMLPRegressor, TableEncoder])
def test_what_is_not_fitted_is_refused(kind):
    with pytest.raises(sklearn.exceptions.NotFittedError):
        sknn.export.to_onnx(kind(), IRIS[:1])


def test_an_activation_of_ones_own_is_refused():
    network = classifier(activation=Cubed())
    pipeline = fit(make_pipeline(StandardScaler(), network), IRIS, SPECIES)
    with pytest.raises(ValueError, match=r"activation has a Cubed of .* cannot be exported"):
        sknn.export.to_onnx(pipeline, IRIS[:1])


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
