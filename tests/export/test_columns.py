import numpy as np
import pandas as pd
import pytest

from sknn.export.columns import check_input, check_levels


def test_words_and_numbers_can_be_categories():
    check_levels("city", ["a", "b", "True"])
    check_levels("group", [1, 2.5, np.float64(3.0)])


@pytest.mark.parametrize("level", [b"bytes", pd.Interval(0, 1), float("inf"), ("a", 1)])
def test_other_categories_are_refused(level):
    with pytest.raises(ValueError, match=r"Column 'group' has the category .* cannot be exported"):
        check_levels("group", ["a", level])


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("float32", None),
        ("int64", None),
        ("bool", None),
        ("str", ["a", "b"]),
        ("bool", ["True", "False"]),
        ("str", ["True", "False"]),
        ("int64", ["True", "False"]),
        ("float64", [1, 2]),
        ("int64", [1, 2]),
    ],
)
def test_inputs_that_a_column_can_have(kind, levels):
    check_input(["x"], 0, kind, levels)


@pytest.mark.parametrize(
    ("kind", "levels", "message"),
    [
        ("str", None, "Column 'x' had numbers in fit; in X_sample it has words"),
        ("float32", ["a"], "Column 'x' had words in fit; in X_sample it has values of type float"),
        ("str", ["a", 1], "Column 'x' has words and numbers as categories"),
        ("str", [1, 2], "Column 'x' had numbers as categories in fit"),
        ("bool", [0, 1], "Column 'x' had numbers as categories in fit"),
    ],
)
def test_inputs_that_a_column_cannot_have(kind, levels, message):
    with pytest.raises(ValueError, match=message):
        check_input(["x"], 0, kind, levels)


def test_columns_without_names_have_numbers():
    with pytest.raises(ValueError, match="Column 3 had numbers"):
        check_input(None, 3, "str", None)
