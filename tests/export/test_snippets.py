import base64
import inspect

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import expit, ndtr

from sknn.export import snippets

Z = np.concatenate([np.linspace(-37, 37, 101), [-700.0, 700.0]])


def test_a_snippet_needs_numpy_and_the_standard_library_only():
    source = inspect.getsource(snippets)
    imported = [line for line in source.splitlines() if line.startswith(("import", "from"))]

    assert imported == [
        "from __future__ import annotations",
        "import base64",
        "import math",
        "from typing import Any",
        "import numpy as np",
    ]


def test_an_array_comes_back_bit_by_bit():
    array = np.array([[np.nan, -0.0], [np.inf, 1 / 3]])
    text = base64.b64encode(array.tobytes()).decode()

    found = snippets._array("<f8", (2, 2), text[:20] + "\n" + text[20:])
    assert found.tobytes() == array.tobytes()


@pytest.mark.parametrize(("function", "oracle"), [("_logistic", expit), ("_normal_cdf", ndtr)])
def test_functions_keep_the_digits_of_what_is_small(function, oracle):
    found = getattr(snippets, function)(Z)

    np.testing.assert_allclose(found, oracle(Z), rtol=1e-12)
    single = getattr(snippets, function)(Z.astype(np.float32))
    assert single.dtype == np.float32


def test_softmax_and_softplus_do_not_overflow():
    p = snippets._softmax(np.array([[1e4, 0.0], [-1e4, -1e4]]))

    np.testing.assert_array_equal(p, [[1, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(snippets._softplus(np.array([1e4, -1e4])), [1e4, 0])
    np.testing.assert_array_equal(snippets._relu(np.array([2.0, -2.0])), [2, 0])
    assert snippets._never_zero(np.zeros(1))[0] == 5e-324


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        ([[1, 2]], np.float64),
        (np.ones((1, 2), np.float32), np.float32),
        (np.ones((1, 2), np.float16), np.float32),
        (np.ones((1, 2), bool), np.float64),
        (pd.DataFrame({"a": [1.0], "b": [2]}), np.float64),
    ],
)
def test_samples_are_floats(X, dtype):
    found = snippets._matrix(X, 2)

    assert found.shape == (1, 2)
    assert found.dtype == dtype


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1.0, 2.0], r"X must have the shape \(n_samples, 2\); got \(2,\)"),
        ([[1.0]], r"X must have the shape \(n_samples, 2\); got \(1, 1\)"),
        ([[1.0, np.nan]], "contains NaN or infinity"),
        ([[1.0, 2j]], "Complex data not supported"),
        (sp.csr_matrix([[1.0, 2.0]]), r"X must be dense; .* Pass X.toarray\(\)"),
    ],
)
def test_samples_of_other_kinds_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        snippets._matrix(X, 2)


def test_frames_have_the_columns_of_fit():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})

    for X in (frame, frame.to_numpy(), frame.set_axis([0, 1], axis=1), [[1.0, 2.0]]):
        snippets._check_names(X, ["a", "b"])
    for other in (frame[["b", "a"]], frame.rename(columns={"b": "c"}), frame[["a"]]):
        with pytest.raises(ValueError, match=r"X must have the columns \['a', 'b'\] in this order"):
            snippets._check_names(other, ["a", "b"])


def test_columns_come_from_dicts_frames_and_rows():
    frame = pd.DataFrame({"b": ["x", "y"], "a": [1, 2], "c": [0, 0]})
    rows = [[1, "x"], [2, "y"]]
    for X in (frame, frame.to_dict("list"), rows, np.array(rows, object)):
        a, b = snippets._columns(X, ["a", "b"])
        assert (a.tolist(), b.tolist()) == ([1, 2], ["x", "y"])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ({"a": [1]}, "X lacks the column 'b'"),
        ([[1]], r"have the shape \(n_samples, 2\)"),
        ({"a": [1], "b": "x"}, r"a value for each row, .* column 'b' has the shape \(\)"),
        ({"a": 1, "b": "x"}, r"a value for each row, .* column 'a' has the shape \(\)"),
        (pd.Series({"a": 1, "b": "x"}), r"a value for each row, .* column 'a' has the shape"),
        ({"a": [1, 2], "b": ["x"]}, r"columns of one length, .* column 'b' has the shape \(1,\)"),
        (sp.dok_matrix((1, 2)), "X must be dense"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        snippets._columns(X, ["a", "b"])


def test_numbers_have_gaps():
    column = np.array([1, None, np.nan, pd.NA, np.float32(0.5), True], object)
    found = snippets._numbers(column, "a")

    np.testing.assert_array_equal(found[:, 0], [1, np.nan, np.nan, np.nan, 0.5, 1])
    for value in ("x", b"x", 1j):
        with pytest.raises(ValueError, match=f"Column 'a' must hold numbers; got {value!r}"):
            snippets._numbers(np.array([1, value], object), "a")


@pytest.mark.parametrize(
    ("levels", "values", "codes"),
    [
        (["b", "a"], ["a", "b", None, "c", np.nan, pd.NA, np.str_("a")], [1, 0, -1, -1, -1, -1, 1]),
        (["True", "False"], [True, False, np.True_, 1, 0.0, None], [0, 1, 0, 0, 1, -1]),
        (["True", "False"], ["True", "no"], [0, -1]),
        ([3, 5], [5, 3.0, np.float32(5), 4, None, True], [1, 0, 1, -1, -1, -1]),
    ],
)
def test_categories_have_codes(levels, values, codes):
    assert snippets._codes(np.array(values, object), "a", levels).tolist() == codes


def test_numbers_are_no_words():
    with pytest.raises(ValueError, match="Column 'a' must hold words; got 2"):
        snippets._codes(np.array([2], object), "a", ["x"])
