"""What explanations come as: they say what they are, and become tables and shap's."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sknn.inspection import Attributions, integrated_gradients
from tests.inspection.explaining import NAMES, NEW, NEW_TABLE, TABLE, TARGETS, fit, make, settle

NET = settle(make("three"), TABLE, TARGETS["three"])
ONE = integrated_gradients(NET, NEW_TABLE, target="b")
SEVERAL = integrated_gradients(NET, NEW_TABLE)


@pytest.mark.parametrize(("found", "outputs"), [(ONE, "1 output"), (SEVERAL, "3 outputs")])
def test_it_says_in_a_line_what_it_holds_and_how_exact_it_is(found, outputs):
    worst = np.abs(found.errors).max()

    assert repr(found) == (
        f"<Attributions of 7 rows to 4 columns, {outputs}, {found.n_steps} steps, "
        f"errors up to {worst:.2g}>"
    )
    assert len(found) == 7


def test_a_single_output_can_be_taken_out():
    for k, name in enumerate(["a", "b", "c"]):
        one = SEVERAL.of(name)
        assert isinstance(one, Attributions)
        assert one.target_names == [name]
        assert (one.feature_names, one.n_steps) == (NAMES, SEVERAL.n_steps)
        assert one.data is SEVERAL.data
        np.testing.assert_array_equal(one.values, SEVERAL.values[:, :, k])
        for part in ("base_values", "predictions", "errors"):
            np.testing.assert_array_equal(getattr(one, part), getattr(SEVERAL, part)[:, k])
    np.testing.assert_allclose(SEVERAL.of("b").values, ONE.values, atol=1e-2)


def test_the_only_output_can_be_taken_out_too():
    assert ONE.of("b") is ONE
    for found in (ONE, SEVERAL):
        with pytest.raises(ValueError, match=r"target='d' is none of \['"):
            found.of("d")


def test_a_table_has_the_rows_and_the_names_of_the_columns():
    frame = ONE.to_frame()

    assert frame.columns.tolist() == NAMES
    assert frame.index.equals(NEW_TABLE.index)
    np.testing.assert_array_equal(frame, ONE.values)


def test_a_table_of_several_outputs_has_them_as_a_second_level():
    frame = SEVERAL.to_frame()

    assert frame.shape == (7, 12)
    assert frame.index.equals(NEW_TABLE.index)
    for j, column in enumerate(NAMES):
        for k, target in enumerate(["a", "b", "c"]):
            np.testing.assert_array_equal(frame[column, target], SEVERAL.values[:, j, k])


def test_a_table_of_arrays_has_numbers_as_index():
    frame = integrated_gradients(fit("number"), NEW).to_frame()

    assert frame.index.tolist() == list(range(7))
    assert frame.columns.tolist() == ["x0", "x1", "x2", "x3"]


@pytest.fixture
def shap(monkeypatch):
    """A stand-in for the package shap, that keeps what an Explanation is given."""

    class Explanation(SimpleNamespace):
        def __init__(self, values, base_values=None, data=None, **rest):
            super().__init__(values=values, base_values=base_values, data=data, **rest)

    monkeypatch.setitem(sys.modules, "shap", SimpleNamespace(Explanation=Explanation))


@pytest.mark.parametrize(("found", "names"), [(ONE, None), (SEVERAL, ["a", "b", "c"])])
def test_shap_gets_values_bases_rows_and_names(shap, found, names):
    explanation = found.to_shap()

    assert explanation.values is found.values
    assert explanation.base_values is found.base_values
    assert isinstance(explanation.data, np.ndarray)
    np.testing.assert_array_equal(explanation.data, NEW)
    assert explanation.feature_names == NAMES
    assert explanation.output_names == names


def test_shap_gets_the_numbers_of_outputs_as_words(shap):
    explanation = integrated_gradients(fit("numbers"), sp.csr_array(NEW)).to_shap()

    assert explanation.output_names == ["0", "1"]
    np.testing.assert_array_equal(explanation.data, NEW)


def test_without_shap_the_import_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "shap", None)
    with pytest.raises(ImportError, match="shap"):
        ONE.to_shap()


def test_it_cannot_be_changed_and_is_pickled():
    with pytest.raises(AttributeError):
        ONE.values = None
    again = pickle.loads(pickle.dumps(SEVERAL))
    np.testing.assert_array_equal(again.values, SEVERAL.values)
    assert again.data.equals(NEW_TABLE)
    assert again.target_names == ["a", "b", "c"]


def test_rows_of_a_table_keep_their_dtypes():
    table = NEW_TABLE.astype({"age": np.float32})

    pd.testing.assert_frame_equal(integrated_gradients(NET, table).data, table)
