import pickle
import threading

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.data import StoredRows, from_memmap
from sknn.data.mapped import Mapped
from sknn.data.stored import as_bytes

X = np.random.default_rng(0).standard_normal((500, 3))
Y = np.arange(500) * 10
WEIGHT = np.arange(500) / 2
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def blocks(monkeypatch):
    """Let blocks have 50 rows; a list of those that have been read."""
    read, frames = [], Mapped.frames

    def note(self):
        for block in frames(self):
            read.append(len(block))
            yield block

    monkeypatch.setattr("sknn.streamed.BLOCK_BYTES", 50 * 24)
    monkeypatch.setattr(Mapped, "frames", note)
    return read


@pytest.fixture
def data(tmp_path, blocks):
    np.save(tmp_path / "X.npy", X)
    return from_memmap(np.load(tmp_path / "X.npy", mmap_mode="r"), Y, WEIGHT)


def test_they_have_the_shape_of_a_matrix(data):
    assert data.shape == (500, 3)
    assert (len(data), data.ndim, data.dtype, data.n_targets) == (500, 2, np.float64, 1)
    assert repr(data[:7]) == "StoredRows(X.npy, 7 rows of 3 features)"


ROWS = {
    "slice": slice(100, 300, 7),
    "backwards": slice(None, None, -1),
    "mask": X[:, 0] > 0,
    "numbers": np.flatnonzero(X[:, 0] > 0),
    "in any order, some twice": np.random.default_rng(1).integers(-500, 500, 300),
    "list": [470, 3, 3, 260],
    "one": -2,
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_some_rows_have_the_targets_weights_and_answers_of_these(data, rows):
    expected = np.atleast_1d(np.arange(500)[rows])
    model = MLPRegressor((3,), max_iter=1, random_state=0).fit(X, Y)
    some = data[rows]

    assert isinstance(some, StoredRows)
    assert len(some) == len(expected)
    np.testing.assert_array_equal(some.y, Y[expected])
    np.testing.assert_array_equal(some.sample_weight, WEIGHT[expected])
    np.testing.assert_allclose(model.predict(some), model.predict(X[expected]), rtol=1e-10)
    again = some[len(some) // 2 :]
    np.testing.assert_array_equal(again.y, Y[expected][len(some) // 2 :])


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_blocks_have_their_targets_and_say_which_rows_they_are(data, rows):
    expected = np.atleast_1d(np.arange(500)[rows])
    some, seen = data[rows], []
    for block, y in some.blocks():
        np.testing.assert_array_equal(block, X[y // 10])
        seen += y.tolist()
    assert seen == np.sort(Y[expected]).tolist()  # as they are in the file
    for places, block in some.arrays():
        np.testing.assert_array_equal(block, X[expected[places]])
        np.testing.assert_array_equal(some.targets_at(places), Y[expected[places]])


def test_labels_and_parts_are_those_of_the_rows(data):
    some = data[[400, 2, 2, 100]]

    np.testing.assert_array_equal(np.sort(some.labels()), [20, 1000, 4000])
    np.testing.assert_array_equal(np.concatenate(list(some.target_parts())), [4000, 20, 20, 1000])


def test_reading_ends_with_the_last_row_that_is_wanted(data, blocks):
    assert sum(len(X) for X, _ in data[20:120].blocks()) == 100
    assert blocks == [50, 50, 50]


@pytest.mark.parametrize("columns", [[0], slice(None), "a"])
def test_columns_cannot_be_chosen(data, columns):
    with pytest.raises(TypeError, match=r"columns cannot: name them in from_parquet\(features="):
        data[:, columns]


def test_what_is_no_row_is_an_index_error(data):
    for rows in (500, [0, 999], 1.5, np.ones(3, bool)):
        with pytest.raises(IndexError):
            data[rows]


def test_splits_with_targets_of_ones_own_stay_together(tmp_path, data):
    bare = from_memmap(np.load(tmp_path / "X.npy", mmap_mode="r"))
    model = MLPRegressor((3,), max_iter=1, random_state=0).fit(X, Y)
    _, few, _, y_few = train_test_split(bare, Y, test_size=100, random_state=0)
    _, own = train_test_split(data, test_size=100, random_state=0)

    np.testing.assert_array_equal(own.y, y_few)
    assert model.score(few, y_few) == pytest.approx(model.score(X[y_few // 10], y_few))


def test_they_do_not_become_an_array(data):
    with pytest.raises(TypeError, match=r"is no array. .* read it block by block with blocks\(\)"):
        np.asarray(data)
    with pytest.raises(TypeError, match=r"belongs into transform=... of from_parquet"):
        make_pipeline(StandardScaler(), MLPRegressor()).fit(data)


def test_pickles_have_the_same_rows(data):
    copy = pickle.loads(pickle.dumps(data[::-3]))

    np.testing.assert_array_equal(copy.y, Y[::-3])
    assert sum(len(block) for block, _ in copy.blocks()) == len(copy)


def test_the_file_is_made_once_whoever_wants_it(data, monkeypatch):
    made, make_file = [], Mapped._make_file

    def note(self):
        made.append(self)
        return make_file(self)

    monkeypatch.setattr(Mapped, "_make_file", note)
    threads = [threading.Thread(target=lambda: data[1:].samples()) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


@pytest.mark.parametrize(
    ("memory", "n_bytes"),
    [
        (10_000, 10_000),
        (np.int64(12_345), 12_345),
        (2e6, 2_000_000),
        ("256MB", 256_000_000),
        ("1GiB", 2**30),
        (" 20 kB ", 20_000),
        ("1.5gb", 1_500_000_000),
        (".5MiB", 2**19),
        ("20000", 20_000),
        ("1T", 10**12),
    ],
)
def test_memory_is_a_number_of_bytes(memory, n_bytes):
    assert as_bytes(memory) == n_bytes


@pytest.mark.parametrize(
    "memory",
    [0, -1, 9999, "9 kB", True, None, np.nan, np.inf, "", "MB", "lots", "1.2.3MB", "1e9", 1j],
)
def test_what_is_no_memory_is_refused(memory):
    with pytest.raises(ValueError, match=r"^memory=.* must be a number of bytes of at least 10000"):
        as_bytes(memory)
