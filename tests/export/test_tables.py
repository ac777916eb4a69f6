from functools import cache

import numpy as np
import pandas as pd
import pytest

from sknn import TabularMLPClassifier, TabularMLPRegressor
from sknn.export import to_python
from sknn.export.formula import concatenate, numbers
from sknn.export.tables import CATEGORY_ENCODINGS, NUMBER_FORMULAS, TableFormula
from sknn.tabular import TableEncoder, encoding
from sknn.tabular.encoding import Encoding
from tests.export.running import as_list, evaluate, make_odd_rows, make_table, run_source
from tests.tabular.fits import SMALL

TABLE, ILLNESS = make_table()
ODD_ROWS = make_odd_rows(make_table(40, seed=1)[0])
TARGETS = {
    "words": np.array(["low", "middle", "high"])[np.digitize(ILLNESS, [100, 200])],
    "bools": ILLNESS > 140,
    "labels": np.column_stack([ILLNESS > 100, ILLNESS > 200]).astype(int),
    "several": np.column_stack([np.digitize(ILLNESS, [100, 200]), 5 + (ILLNESS > 140)]),
}
NUMBERS = {"one": ILLNESS, "two": np.column_stack([ILLNESS, -ILLNESS])}


@cache
def fitted(kind):
    if kind in NUMBERS:
        return TabularMLPRegressor("default", **SMALL).fit(TABLE, NUMBERS[kind])
    return TabularMLPClassifier("default", **SMALL).fit(TABLE, TARGETS[kind])


@pytest.mark.parametrize(
    "kind", [member for member in vars(encoding).values() if isinstance(member, type)]
)
def test_every_encoding_has_a_formula(kind):
    if issubclass(kind, Encoding) and kind is not Encoding:
        assert (kind in NUMBER_FORMULAS) != (kind in CATEGORY_ENCODINGS)


@pytest.mark.parametrize("kind", TARGETS)
def test_classes_are_those_of_the_ensemble(kind):
    model = fitted(kind)
    module = run_source(to_python(model))

    np.testing.assert_array_equal(module["predict"](ODD_ROWS), model.predict(ODD_ROWS))
    found, expected = module["predict_proba"](ODD_ROWS), model.predict_proba(ODD_ROWS)
    for part, whole in zip(as_list(found), as_list(expected), strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-5)


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_those_of_the_ensemble(kind):
    model = fitted(kind)
    found, expected = run_source(to_python(model))["predict"](ODD_ROWS), model.predict(ODD_ROWS)

    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.shape == expected.shape


def test_rows_come_as_frames_dicts_or_in_the_order_of_fit():
    predict = run_source(to_python(fitted("one")))["predict"]
    expected = predict(ODD_ROWS)
    shuffled = ODD_ROWS[ODD_ROWS.columns[::-1]]

    for X in (shuffled, shuffled.to_dict("list"), ODD_ROWS.to_numpy(object).tolist()):
        np.testing.assert_array_equal(predict(X), expected)


def test_a_matrix_of_numbers_is_a_table():
    X = np.random.default_rng(0).standard_normal((60, 3))
    model = TabularMLPRegressor("fast", **SMALL).fit(X, X[:, 0])
    found = run_source(to_python(model))["predict"](X)

    np.testing.assert_allclose(found, model.predict(X), rtol=1e-5, atol=1e-6)


def encode(encoder, X):
    table = TableFormula(encoder._columns)
    return evaluate(table.encode(encoder), X, table.names)


@pytest.mark.parametrize("numeric", ["robust", "piecewise_linear", "fourier"])
@pytest.mark.parametrize("least", [None, 3])
def test_columns_are_encoded_as_by_the_encoder(numeric, least):
    encoder = TableEncoder(numeric=numeric, min_target_categories=least, random_state=0)
    encoder.fit(TABLE, TARGETS["words"])

    for X in (TABLE, ODD_ROWS):
        found, expected = encode(encoder, X), encoder.transform(X)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
        assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("when", pd.date_range("2020", periods=90), "Column 'when' holds values of the kind date"),
        ("part", pd.Categorical(pd.cut(ILLNESS, 3)), "Column 'part' has the category Interval"),
    ],
)
def test_columns_that_cannot_be_written_down_are_refused(name, values, message):
    table = TABLE.assign(**{name: values})
    encoder = TableEncoder().fit(table)
    with pytest.raises(ValueError, match=message):
        TableFormula(encoder._columns)


def test_times_of_day_are_refused():
    times = pd.Series(pd.date_range("2020", periods=90, freq="7min")).dt.time
    model = TabularMLPRegressor("fast", **SMALL).fit(TABLE.assign(at=times), ILLNESS)
    with pytest.raises(ValueError, match="Column 'at' holds values of the kind time of day"):
        to_python(model)


def test_a_table_without_a_column_that_varies_has_no_code():
    encoder = TableEncoder().fit(pd.DataFrame({"a": [1.0, 1.0]}))
    with pytest.raises(ValueError, match="has no columns to export"):
        TableFormula(encoder._columns).encode(encoder)


def test_each_column_is_read_once():
    encoder = TableEncoder().fit(TABLE)
    table = TableFormula(encoder._columns)

    assert table.number(0) is table.number(0)
    assert table.code(0) is table.code(0)
    assert concatenate([numbers(0)]).operation == "numbers"


def test_names_and_categories_can_be_any_text():
    names = ["a \"quoted\" 'name'", 'three """\n', "Größe \u4e2d"]
    words = np.array(['"""', "\\", "\u4e2d", "\n"])[np.arange(60) % 4]
    X = pd.DataFrame(dict(zip(names, [np.arange(60.0), words, words[::-1]], strict=True)))
    model = TabularMLPClassifier("fast", **SMALL).fit(X, words)
    source = to_python(model)

    assert source.isascii()
    np.testing.assert_array_equal(run_source(source)["predict"](X), model.predict(X))
