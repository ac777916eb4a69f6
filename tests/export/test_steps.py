import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    StandardScaler,
)

from sknn.export import to_onnx
from tests.export.running import NUMBERS, PATIENTS, classifier, fit, make_table, regressor
from tests.export.running_onnx import check_classes, check_numbers, run_onnx

pytest.importorskip("skl2onnx", reason="make test-clients runs them where skl2onnx is installed")
pytest.importorskip("onnxruntime", reason="what runs ONNX models")
GAPS = np.where(np.random.default_rng(0).random((60, 4)) < 0.2, np.nan, PATIENTS[:60, :4] * 20)
GAPS[:, 3] = np.nan
MANY = GAPS.copy()
MANY[:9] = np.nan


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(),
        SimpleImputer(strategy="median", add_indicator=True),
        SimpleImputer(keep_empty_features=True),
        SimpleImputer(strategy="constant", fill_value=-1.5, add_indicator=True),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.filterwarnings("ignore:Currently, when `keep_empty_feature")  # until 1.8
def test_gaps_are_filled_in_the_precision_of_the_samples(imputer, dtype):
    X = GAPS.astype(dtype)
    expected = imputer.fit(X).transform(MANY.astype(dtype))
    [found] = run_onnx(make_pipeline(imputer), MANY.astype(dtype), X)

    np.testing.assert_array_equal(found, expected)
    assert found.dtype == dtype


def test_gaps_are_filled_beside_words():
    table, illness = make_table()
    numbers, words = ["pressure", "body mass", "visits"], ["sex", "group"]
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(), words),
    )
    X = table[[*words, *numbers]]

    check_classes(fit(make_pipeline(columns, classifier()), X, illness > 140), X)


@pytest.mark.parametrize(("gap", "word"), [(np.nan, "nan"), (None, "None")])
@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(), OrdinalEncoder(encoded_missing_value=-1)], ids=repr
)
def test_missing_words_of_encoders_are_what_python_calls_them(encoder, gap, word):
    words = np.array([["a"], [gap], ["b"], [gap]], object)
    pipeline = fit(make_pipeline(encoder, classifier()), words, [0, 1, 0, 1])
    passed = np.where(words == words[1, 0] if gap is None else words != words, word, words)
    _, found = run_onnx(pipeline, passed.astype(object))

    np.testing.assert_allclose(found, pipeline.predict_proba(words), atol=1e-6)


def test_other_gaps_are_for_skl2onnx():
    X = np.array([["a", "b"], ["?", "b"], ["a", "c"]], object)
    words = SimpleImputer(missing_values="?", strategy="most_frequent")
    pipeline = make_pipeline(words, OneHotEncoder(), classifier())

    check_classes(fit(pipeline, X, [0, 1, 0]), X)
    X = np.arange(6).reshape(3, 2)
    zeros = fit(make_pipeline(SimpleImputer(missing_values=0), classifier()), X, [0, 1, 0])
    with pytest.raises(ValueError, match=r"The step 'simpleimputer' \(SimpleImputer\) cannot be"):
        to_onnx(zeros, X)


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler((1, 3)),
        None,
    ],
    ids=repr,
)
@pytest.mark.parametrize("n_targets", NUMBERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_are_transformed_back(transformer, n_targets, dtype):
    inner = make_pipeline(StandardScaler(), regressor(activation="tanh"))
    around = TransformedTargetRegressor(inner, transformer=transformer)

    found = check_numbers(fit(around, PATIENTS, NUMBERS[n_targets]), PATIENTS.astype(dtype))
    assert found.dtype == dtype


def test_transformed_targets_stand_anywhere():
    around = TransformedTargetRegressor(regressor(), transformer=StandardScaler())
    search = GridSearchCV(around, {"regressor__alpha": [0.1, 1.0]}, cv=2)
    within = TransformedTargetRegressor(
        GridSearchCV(regressor(), {"alpha": [0.1, 1.0]}, cv=2), transformer=MinMaxScaler()
    )
    X = pd.DataFrame(PATIENTS).rename(columns=str)

    for estimator in (search, make_pipeline(StandardScaler(), search), within):
        check_numbers(fit(estimator, X, NUMBERS["one"]), X)


@pytest.mark.parametrize(
    "options",
    [
        {"func": np.log1p, "inverse_func": np.expm1},
        {"transformer": PowerTransformer()},
        {"transformer": FunctionTransformer(np.log1p, np.expm1)},
    ],
    ids=str,
)
def test_targets_that_are_bent_are_refused(options):
    around = TransformedTargetRegressor(regressor(), **options)
    with pytest.raises(ValueError, match="as its transformer, whose inverse cannot be exported"):
        to_onnx(fit(around, PATIENTS, NUMBERS["one"]), PATIENTS)
