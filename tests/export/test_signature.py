import datetime

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sknn.export.signature import Input, signature_of


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("f2", "float32"),
        ("f4", "float32"),
        ("f8", "float64"),
        ("i4", "int64"),
        ("u1", "int64"),
        ("?", "bool"),
        ("U3", "str"),
    ],
)
def test_an_array_is_one_input(dtype, kind):
    assert signature_of(np.zeros((2, 3), dtype)) == [Input("X", kind, 3)]


def test_lists_and_objects_that_are_words_are_arrays():
    assert signature_of([[1, 2.5]]) == [Input("X", "float64", 2)]
    assert signature_of(np.array([["a", "b"]], object)) == [Input("X", "str", 2)]


def test_a_frame_has_an_input_for_each_column():
    frame = pd.DataFrame(
        {
            "single": np.ones(3, np.float32),
            "double": [1.0, np.nan, 2.0],
            "int": [1, 2, 3],
            "bool": [True, False, True],
            "word": ["a", None, "b"],
            "object": np.array(["a", "b", None], object),
            "gappy int": pd.array([1, None, 3], "Int64"),
            "gappy bool": np.array([True, None, False], object),
            "nullable": pd.array([1, 2, 3], "Int32"),
            "category": pd.Categorical(["a", "b", None]),
            "codes": pd.Categorical([3, 4, 3]),
            "gappy codes": pd.Categorical([3, 4, None]),
            "empty": np.array([None, None, None], object),
            7: [1, 2, 3],
        }
    )
    kinds = {name: kind for name, kind, _ in signature_of(frame)}

    assert kinds == {
        "single": "float32",
        "double": "float64",
        "int": "int64",
        "bool": "bool",
        "word": "str",
        "object": "str",
        "gappy int": "float64",
        "gappy bool": "str",
        "nullable": "int64",
        "category": "str",
        "codes": "int64",
        "gappy codes": "float64",
        "empty": "float64",
        "7": "int64",
    }
    assert {n for _, _, n in signature_of(frame)} == {1}


def test_other_tables_and_mixed_rows_are_frames():
    pl = pytest.importorskip("polars", reason="polars is optional")
    frame = pl.DataFrame({"a": [1.0], "b": ["x"]})

    assert signature_of(frame) == [Input("a", "float64", 1), Input("b", "str", 1)]
    assert [kind for _, kind, _ in signature_of(np.array([[1.0, "x"]], object))] == [
        "float64",
        "str",
    ]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2020-01-01"]),
        np.array([datetime.time(3)], object),
        pd.to_timedelta(["3h"]),
        np.array([{1}], object),
    ],
    ids=["dates", "times", "durations", "sets"],
)
def test_what_no_tensor_can_hold_is_refused(values):
    with pytest.raises(ValueError, match="Column 'when' of X_sample holds values of dtype"):
        signature_of(pd.DataFrame({"when": values}))


def test_names_that_are_equal_as_words_are_refused():
    with pytest.raises(ValueError, match="X_sample has 2 columns called '1'"):
        signature_of(pd.DataFrame([[0.0, 1.0]], columns=[1, "1"]))


def test_sparse_samples_are_refused():
    with pytest.raises(ValueError, match="X_sample must be dense"):
        signature_of(sp.csr_matrix(np.eye(2)))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (3, 0), (1, 2, 3)])
def test_samples_need_rows_and_columns(shape):
    with pytest.raises(ValueError, match=r"X_sample must have the shape \(n_samples, n_features\)"):
        signature_of(np.zeros(shape))
