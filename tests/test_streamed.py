import os
import threading
import tracemalloc

import numpy as np
import pytest

from sknn import streamed
from sknn.samples import FEW, Dense
from sknn.streamed import RowFile, Streamed
from tests.parallel.threads import needs_threads, refuse_threads

X = np.random.default_rng(0).standard_normal((3000, 5)).astype(np.float32)
SMALL = 30_000
"""Memory for a few windows of X, which has 60,000 bytes and numbers of its rows."""

LARGE = 10**6


def write(path, X):
    X.tofile(path)
    return RowFile(path, X.shape, X.dtype)


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "rows", X)


def visit(stream, seed, n_rows=None, batch_size=64):
    """Return numbers and rows of an epoch, batch by batch."""
    n_rows = stream.n_rows if n_rows is None else n_rows
    stream.begin_epoch(seed)
    numbers, rows = [], []
    for start in range(0, n_rows, batch_size):
        out = np.empty((min(batch_size, n_rows - start), stream.file.shape[1]), stream.dtype)
        numbers.append(stream.read(out))
        rows.append(out)
    return np.concatenate(numbers), np.concatenate(rows)


# Files.


def test_rows_are_had_by_where_they_are_and_by_their_numbers(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b"header" + X.tobytes())
    file = RowFile(path, X.shape, X.dtype, offset=6)
    numbers = np.array([2999, 7, 8, 7, 0, 1500])

    np.testing.assert_array_equal(file.read(5, 9), X[5:9])
    np.testing.assert_array_equal(file.rows(numbers), X[numbers])
    assert file.rows(numbers[:0]).shape == (0, 5)


def test_rows_that_are_far_apart_are_not_read_with_what_lies_between(file, monkeypatch):
    sizes, read = [], RowFile.read
    monkeypatch.setattr(streamed, "BLOCK_BYTES", 2000)  # 100 rows

    def count(self, start, stop, out=None):
        sizes.append(stop - start)
        return read(self, start, stop, out)

    monkeypatch.setattr(RowFile, "read", count)
    file.rows(np.array([0, 20, 1000]))
    assert sizes == [21, 1]
    sizes.clear()
    np.testing.assert_array_equal(file.rows(np.arange(0, 3000, 10)), X[::10])
    assert sizes == [91] * 30  # a block at a time


def test_a_file_that_has_been_cut_is_named(file):
    os.truncate(file.path, 20 * 100)

    np.testing.assert_array_equal(file.read(99, 100), X[99:100])
    with pytest.raises(OSError, match=r"rows' ends before row 101: it has been cut"):
        file.read(99, 101)


def test_a_file_that_is_written_anew_is_another(file):
    before = file.digest()
    (X + 1).tofile(file.path)

    assert file.digest() != before
    X.tofile(file.path)
    assert file.digest() == before


# Samples.


def test_rows_in_a_file_are_samples(file):
    samples = Streamed(file, SMALL)
    out = np.empty((2, 5))
    samples.gather(np.array([5, 1]), out)()

    assert samples.shape == (3000, 5)
    assert samples.is_dense
    assert not samples.is_in_memory
    assert samples.nbytes == SMALL
    np.testing.assert_array_equal(out, X[[5, 1]])
    np.testing.assert_array_equal(samples[10:20], X[10:20])
    np.testing.assert_array_equal(samples.to_dense(np.array([3])), X[[3]].astype(float))


def test_some_rows_are_samples_of_another_dtype(file):
    numbers = np.random.default_rng(0).permutation(3000)[: FEW + 1]
    many = Streamed(file, SMALL).take(numbers, np.float64)
    few = many.take(np.array([8, 0]), np.float32)

    assert isinstance(many, Streamed)
    assert many.dtype == np.float64
    np.testing.assert_array_equal(many[100:300], X[numbers[100:300]])
    assert isinstance(few, Dense)
    np.testing.assert_array_equal(few[:], X[numbers[[8, 0]]])


def test_samples_of_other_rows_of_a_file_are_others(file):
    half, rest = (Streamed(file, SMALL, rows) for rows in np.split(np.arange(3000), 2))

    assert half.equals(half)
    assert not half.equals(rest)
    assert not np.array_equal(half.described()["of them"], rest.described()["of them"])


def test_what_is_too_large_for_the_networks_dtype_is_named(tmp_path):
    large = np.where(np.arange(3000)[:, np.newaxis] == 2900, 1e300, X.astype(np.float64))
    samples = Streamed(write(tmp_path / "large", large), SMALL, dtype=np.float32)

    with pytest.raises(ValueError, match=r"values up to 1e\+300, too large for float32"):
        samples[2800:]
    with pytest.raises(ValueError, match=r"values up to 1e\+300, too large for float32"):
        visit(samples.stream(None), 0)


# Epochs.

ROWS = {
    "all": None,
    "some": np.flatnonzero(np.arange(3000) % 7 < 3),
    "in any order, some twice": np.random.default_rng(1).integers(3000, size=1500),
    "of the end": np.arange(2900, 3000),
}


@pytest.mark.parametrize("memory", [SMALL, LARGE, 3000])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_an_epoch_visits_each_row_once_in_an_order_of_its_own(file, rows, memory):
    stream = Streamed(file, memory).stream(rows)
    orders = []
    for seed in (3, 4):
        numbers, visited = visit(stream, seed)
        np.testing.assert_array_equal(visited, X[numbers])
        np.testing.assert_array_equal(
            np.sort(numbers), np.arange(3000) if rows is None else np.sort(rows)
        )
        orders.append(numbers)

    assert not np.array_equal(*orders)
    np.testing.assert_array_equal(visit(stream, 3)[0], orders[0])


def test_rows_of_samples_of_some_rows_have_the_numbers_of_these(file):
    some, fold = np.arange(100, 2900)[::-1], np.arange(0, 2800, 2)
    numbers, visited = visit(Streamed(file, SMALL, some).stream(fold), 0)

    assert set(numbers) == set(fold)
    np.testing.assert_array_equal(visited, X[some[numbers]])


@pytest.mark.parametrize("memory", [SMALL, LARGE])
def test_without_a_seed_the_order_is_that_of_the_file(file, memory):
    stream = Streamed(file, memory).stream(None)
    for _ in range(2):
        numbers, _ = visit(stream, None)
        np.testing.assert_array_equal(numbers, np.arange(3000))


def test_each_window_has_blocks_from_all_over_the_file(file):
    stream = Streamed(file, SMALL).stream(None)
    numbers, _ = visit(stream, 0)
    n = stream.n_window_rows
    windows = [numbers[start : start + n] for start in range(0, 3000 - n, n)]
    by_tenth = np.array([np.bincount(window // 300, minlength=10) for window in windows])

    assert len(windows) > 5
    assert by_tenth.min() > 0.5 * n / 10
    assert by_tenth.max() < 2 * n / 10
    assert any(np.abs(np.diff(windows[0])) > 300)  # which are mixed in it


def test_an_epoch_that_is_left_before_its_end_leaves_nothing_behind(file):
    stream, expected = (Streamed(file, SMALL).stream(None) for _ in range(2))
    for n_rows in (10, 700, 2999):
        visit(stream, 0, n_rows)

    np.testing.assert_array_equal(visit(stream, 5)[0], visit(expected, 5)[0])


def test_threads_change_nothing(file, monkeypatch):
    stream = Streamed(file, SMALL).stream(None)
    numbers, visited = visit(stream, 7)
    refuse_threads(monkeypatch)
    alone = Streamed(file, SMALL).stream(None)

    np.testing.assert_array_equal(visit(alone, 7)[0], numbers)
    np.testing.assert_array_equal(visit(alone, 7)[1], visited)


# Reading.


@pytest.fixture
def reads(monkeypatch):
    """A list of the threads that have read rows."""
    threads, read = [], RowFile.read

    def note(self, *arguments):
        threads.append(threading.current_thread().name)
        return read(self, *arguments)

    monkeypatch.setattr(RowFile, "read", note)
    return threads


def test_rows_that_fit_into_the_memory_are_read_once(file, reads):
    stream = Streamed(file, LARGE).stream(None)
    visit(stream, 0)
    n_reads = len(reads)
    visit(stream, 1)

    assert len(reads) == n_reads


@needs_threads
def test_all_but_the_first_window_is_read_ahead(file, reads):
    stream = Streamed(file, SMALL).stream(None)
    visit(stream, 0)
    first = reads.index("sknn")

    assert 0 < first <= stream.n_window_rows // stream.n_block_rows
    assert set(reads[:first]) == {threading.current_thread().name}
    assert set(reads[first:]) == {"sknn"}


def test_what_cannot_be_read_ahead_is_said_where_it_is_wanted(file):
    stream = Streamed(file, SMALL).stream(None)
    stream.begin_epoch(None)
    os.truncate(file.path, 0)
    stream.read(np.empty((10, 5), np.float32))

    with pytest.raises(OSError, match="has been cut"):
        stream.read(np.empty((2990, 5), np.float32))


@pytest.mark.parametrize("n_features", [3, 60])
def test_no_more_is_held_than_the_memory(tmp_path, n_features):
    memory = 1_000_000
    file = write(tmp_path / "rows", np.zeros((1_800_000 // n_features, n_features), np.float32))
    out = np.empty((100, n_features), np.float32)
    tracemalloc.start()
    try:
        stream = Streamed(file, memory).stream(None)
        stream.begin_epoch(0)
        for _ in range(stream.n_rows // len(out) // 2):
            stream.read(out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0.9 * memory < peak < 1.1 * memory


def test_rows_that_are_larger_than_the_memory_are_read_one_by_one(file):
    stream = Streamed(file, 10).stream(np.arange(100))

    assert stream.n_window_rows == 1
    assert sorted(visit(stream, 0)[0]) == list(range(100))
