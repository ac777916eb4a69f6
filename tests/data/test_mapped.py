import mmap
import os
import tempfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sknn import MLPClassifier
from sknn.data import from_memmap

X = np.random.default_rng(0).standard_normal((900, 6))
Y = X[:, 0] > 0
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def on_disk(path, X, mode="r"):
    np.save(path, X)
    return np.load(path, mmap_mode=mode)


@pytest.fixture
def mapped(tmp_path):
    return on_disk(tmp_path / "X.npy", X)


def content(data):
    return np.concatenate([block for block, _ in data.blocks()])


def test_rows_of_a_memmap_are_rows_in_a_file(mapped):
    data = from_memmap(mapped, Y, np.arange(900), memory="1MB")

    assert repr(data) == "StoredRows(X.npy, 900 rows of 6 features)"
    assert data.feature_names is None
    np.testing.assert_array_equal(content(data), X)
    np.testing.assert_array_equal(data.y, Y)
    np.testing.assert_array_equal(data.sample_weight, np.arange(900))


PARTS = {
    "all": lambda X: X,
    "slice": lambda X: X[500:],
    "slice of a slice": lambda X: X[100:][700:],
    "a row": lambda X: X[7:8],
    "reshaped": lambda X: X.reshape(-1, 3)[1:],
    "view": lambda X: X.view(),
}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_parts_of_a_memmap_are_found_in_its_file(tmp_path, part, order):
    # A Fortran matrix is the transpose of one in C order.
    whole = on_disk(tmp_path / "X.npy", X if order == "C" else np.asfortranarray(X.T))
    chosen = part(whole if order == "C" else whole.T)

    np.testing.assert_array_equal(content(from_memmap(chosen)), chosen)


@pytest.mark.parametrize("offset", [0, 24, mmap.ALLOCATIONGRANULARITY, 24_576 + 8])
def test_a_memmap_may_begin_anywhere(tmp_path, offset):
    path = tmp_path / "raw"
    path.write_bytes(bytes(offset) + X.tobytes())
    raw = np.memmap(path, np.float64, "r", offset, X.shape)

    np.testing.assert_array_equal(content(from_memmap(raw[3:])), X[3:])


def test_what_is_written_to_a_memmap_is_read(tmp_path):
    written = on_disk(tmp_path / "X.npy", X, "r+")
    data = from_memmap(written)
    written[5] = 7
    written.flush()

    assert (content(data)[5] == 7).all()


def test_what_is_written_after_a_fit_is_another_file(tmp_path):
    written = on_disk(tmp_path / "X.npy", X, "r+")
    data = from_memmap(written, Y)
    MLPClassifier((3,), max_iter=1, tol=1e9).fit(data)
    written[:] = written[::-1].copy()
    written.flush()
    os.utime(tmp_path / "X.npy", (1, 1))

    with pytest.raises(ValueError, match=r"X.npy' has been written to since X.npy was opened"):
        MLPClassifier((3,)).fit(data)


@pytest.mark.parametrize(
    ("given", "trained"),
    [
        ("f2", "f4"),
        ("f4", "f4"),
        ("f8", "f8"),
        ("u1", "f4"),
        ("i2", "f4"),
        ("i8", "f8"),
        ("?", "f4"),
    ],
)
def test_rows_are_trained_on_as_floats_that_have_all_of_their_numbers(tmp_path, given, trained):
    numbers = (100 * X).astype(given)
    data = from_memmap(on_disk(tmp_path / "X.npy", numbers), Y)
    model = MLPClassifier((3,), max_iter=2, random_state=0).fit(data)
    expected = MLPClassifier((3,), max_iter=2, random_state=0).fit(numbers.astype(trained), Y)

    assert data.dtype == model.coefs_[0].dtype == trained
    assert content(data).dtype == given
    assert model.score(data) == pytest.approx(expected.score(numbers, Y), abs=0.1)
    np.testing.assert_array_equal(model.predict(data), model.predict(numbers.astype(trained)))


LABELS = {
    "list": Y.tolist(),
    "texts": np.where(Y, "yes", "no"),
    "Series": pd.Series(np.where(Y, "yes", "no")),
    "categories": pd.Series(np.where(Y, "yes", "no"), dtype="category"),
    "column": Y[:, np.newaxis],
    "indicators": np.column_stack([Y, ~Y]).astype(int),
    "sparse": sp.csr_matrix(np.column_stack([Y, ~Y]).astype(int)),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_targets_may_come_in_any_container(mapped, y):
    data = from_memmap(mapped, y)
    given = y.toarray() if sp.issparse(y) else np.asarray(y)
    model = MLPClassifier((3,), max_iter=2, random_state=0).fit(data)

    np.testing.assert_array_equal(data.y, given[:, 0] if given.shape[1:] == (1,) else given)
    assert set(np.unique(model.predict(data))) <= set(np.unique(given))


def test_targets_may_be_passed_to_fit_and_score(mapped):
    data, weight = from_memmap(mapped), 1 + np.abs(X[:, 1])
    model = MLPClassifier((3,), max_iter=2, random_state=0).fit(data, Y, weight)

    assert data.y is None
    assert data.sample_weight is None
    assert model.score(data, Y, weight) == pytest.approx(model.score(X, Y, weight))


NO_FILES = {
    "an array": lambda X: np.array(X),
    "a list": lambda X: [[1.0]],
    "every other row": lambda X: X[::2],
    "some columns": lambda X: X[:, 2:],
    "Fortran order": lambda X: X.T,
    "converted": lambda X: X.astype(np.float32),
    "computed": lambda X: X * 2,
    "one axis": lambda X: X.reshape(-1),
    "no rows": lambda X: X[:0],
    "big-endian": lambda X: X.view(">f8"),
    "dates": lambda X: X.view("M8[s]"),
    "complex": lambda X: X.view(complex),
}


@pytest.mark.parametrize("change", NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_matrix_of_numbers_in_a_file_is_refused(mapped, change):
    with pytest.raises(TypeError, match=r"from_memmap needs numbers in a file .* np.save\(path"):
        from_memmap(change(mapped), Y)


def test_a_file_without_a_name_is_refused():
    with tempfile.TemporaryFile() as file:
        nameless = np.memmap(file, np.float32, "w+", shape=(5, 2))
        with pytest.raises(TypeError, match="from_memmap needs numbers in a file"):
            from_memmap(nameless)


def test_changes_that_are_kept_in_memory_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"X has mmap_mode='c', .* Use mmap_mode='r'"):
        from_memmap(on_disk(tmp_path / "X.npy", X, "c"))


BAD = {
    "too short": ({"y": Y[:3]}, r"y has the shape \(3,\), but X has 900 rows"),
    "a number": ({"y": 1}, r"y has the shape \(\)"),
    "gaps": ({"y": np.where(Y, 1.0, np.nan)}, "y has gaps"),
    "dates": ({"y": np.full(900, "2024", "M8[D]")}, r"y is datetime64\[D\]; a target"),
    "weights in rows": ({"sample_weight": np.ones((900, 1))}, r"the shape \(900, 1\)"),
    "texts as weights": ({"sample_weight": ["a"] * 900}, "one number for each row"),
    "memory": ({"memory": 17}, "memory=17 must be a number of bytes"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD)
def test_bad_targets_weights_and_sizes_are_named(mapped, options, message):
    with pytest.raises(ValueError, match=message):
        from_memmap(mapped, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_found(tmp_path, value):
    matrix = X.copy()
    matrix[707, 3] = value
    data = from_memmap(on_disk(tmp_path / "X.npy", matrix), Y)

    with pytest.raises(ValueError, match=r"Input X contains NaN or infinity, in row 707 of X.npy"):
        MLPClassifier((3,), max_iter=2).fit(data)
    with pytest.raises(ValueError, match="in row 707"):
        MLPClassifier((3,), max_iter=2).fit(X, Y).predict(data)


def test_a_file_that_has_been_cut_is_named(mapped, tmp_path):
    data = from_memmap(mapped, Y)
    os.truncate(tmp_path / "X.npy", 5000)

    with pytest.raises(OSError, match=r"X.npy' ends before row 900: it has been cut"):
        MLPClassifier((3,)).fit(data)
