import numpy as np
import pandas as pd
import pytest

from sknn.data import column
from sknn.data.column import Column


def make(*parts, dtype=np.float32):
    made = Column("y", sum(map(len, parts)), dtype)
    for part in parts:
        made.add(np.asarray(part))
    return made


def assert_given(column, expected, dtype=None):
    """Assert that a column gives back what it was given, all of it and in parts."""
    np.testing.assert_array_equal(column[:], expected)
    np.testing.assert_array_equal(column[np.array([2, 0])], np.asarray(expected)[[2, 0]])
    if dtype is not None:
        assert column[:].dtype == dtype


KEPT = {
    "bools": ([True, False, True], bool, 1),
    "small": (np.array([1, 2, -128]), np.int64, 1),
    "larger": (np.array([1, 2, 128]), np.int64, 2),
    "beyond float64": (np.array([1, 2, 2**53 + 1]), np.int64, 8),
    "beyond int64": (np.array([1, 2, 2**64 - 1], np.uint64), np.uint64, 8),
    "fractions": (np.array([0.1, 0.2, 3e9 + 0.5], np.float32), np.float32, 4),
    "half precision": (np.array([0.5, 1, 2], np.float16), np.float32, 4),
    "whole numbers that may be labels": ([20240101.0, 1.0, 2.0], np.float64, 8),
    "texts": (["yes", "no", "yes"], object, 1),
}


@pytest.mark.parametrize(("values", "dtype", "n_bytes"), KEPT.values(), ids=KEPT)
def test_values_are_given_back_and_take_little_room(values, dtype, n_bytes):
    made = make(values)

    assert_given(made, values, dtype)
    assert made.nbytes == n_bytes * 3
    assert len(made) == 3


def test_fractions_are_kept_as_what_the_network_computes_with():
    values = np.array([1 / 3, 2 / 3, 1.0])

    assert_given(make(values), values.astype(np.float32), np.float32)
    assert_given(make(values, dtype=np.float64), values, np.float64)


PARTS = {
    "larger ones": ([1, 2], [300, 4], np.int64),
    "fractions": ([1, 2], [0.5, 4], np.float32),
    "whole fractions": ([0.5, 2], [2**24 + 1.0, 4], np.float64),
    "after bools": ([True, False], [2, 0], np.int64),
    "none": ([1, 2, 3], [], np.int64),
    "texts": (["a", "b"], ["c", "a"], object),
}


@pytest.mark.parametrize(("first", "second", "dtype"), PARTS.values(), ids=PARTS)
def test_what_comes_later_may_need_more_room(first, second, dtype):
    made = make(first, np.array(second, dtype=None if second else np.int64))

    assert_given(made, np.concatenate([first, np.asarray(second, dtype)]), dtype)


@pytest.mark.parametrize("values", [list("abca"), [3, 1, 2, 3]])
def test_what_occurs_is_said_once(values, monkeypatch):
    monkeypatch.setattr(column, "PART", 3)
    made = make(values)

    assert sorted(made.unique(None)) == sorted(set(values))
    assert sorted(made.unique(np.array([0, 3, 3]))) == sorted({values[0], values[3]})
    assert made.unique(np.array([], int)).size == 0


def test_rows_come_part_by_part(monkeypatch):
    monkeypatch.setattr(column, "PART", 2)
    made, rows = make(list("abcde")), np.array([4, 0, 2])

    assert [list(part) for part in made.parts(None)] == [["a", "b"], ["c", "d"], ["e"]]
    assert [list(part) for part in made.parts(rows)] == [["e", "a"], ["c"]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1.0, np.nan]), "y has gaps, 1 or more"),
        (np.array(["a", None], object), "y has gaps, 1 or more"),
        (np.asarray(pd.array([True, None], "boolean")), "y has gaps, 1 or more"),
        (np.array(["2024-01-01"], "M8[D]"), r"y is datetime64\[D\]; .* must be numbers, bools or"),
        (np.array([b"a"]), r"y is \|S1; a target or a weight must be numbers"),
        (np.array([[1], None], object)[:1], "y holds list; a target or a weight must be numbers"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(values, message):
    with pytest.raises(ValueError, match=message):
        make(values)


@pytest.mark.parametrize("parts", [([1], ["a"]), (["a"], [1])])
def test_numbers_and_texts_do_not_mix(parts):
    with pytest.raises(ValueError, match="y has numbers in some rows and texts in others"):
        make(*parts)


def test_what_is_lent_cannot_be_changed():
    made = make([0.5, 1.5, 2.5])

    with pytest.raises(ValueError, match="read-only"):
        made[:][0] = 7


def test_nothing_has_been_added_yet():
    assert make().nbytes == 0
    assert make()[:].size == 0
