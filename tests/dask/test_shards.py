"""From partitions to shards."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

import sknn
from sknn.dask import shards
from sknn.dask.shards import (
    Plan,
    as_matrix,
    as_targets,
    as_vector,
    deal,
    dtype_of,
    make_piece,
    make_shard,
    summarize,
    survey,
)
from sknn.losses import LOSSES
from sknn.targets import Numbers, TargetSettings, learn_classes

X = np.arange(24.0).reshape(8, 3)
Y = np.arange(8.0)


def plan(**changes):
    settings = TargetSettings(loss=LOSSES.resolve("squared_error"))
    targets = Numbers.learn(np.empty((0, 1)), settings)
    numbers = {
        "targets": targets,
        "dtype": np.dtype(float),
        "held_out": 0.0,
        "seed": 0,
        "has_fingerprint": False,
    }
    return Plan(**(numbers | changes))


def shard(X=X, y=Y, weight=None, number=0, **changes):
    of = plan(**changes)
    return make_shard([make_piece(X, y, weight, len(y), slice(None), of.dtype)], number, of)


# Cutting.


def hands_of(n_rows, n_shards):
    """Return the numbers of the rows of each shard."""
    begins = np.cumsum([0, *n_rows])
    return [
        np.concatenate([begins[p] + np.arange(n_rows[p])[rows] for p, rows in hand])
        for hand in deal(n_rows, n_shards)
    ]


@pytest.mark.parametrize("n_rows", [[10], [3, 4, 3], [0, 7, 0, 0, 3, 0], [1] * 10])
@pytest.mark.parametrize("n_shards", [1, 2, 3, 5])
def test_rows_are_dealt_to_shards_like_cards_whatever_the_partitions_are(n_rows, n_shards):
    for number, rows in enumerate(hands_of(n_rows, n_shards)):
        assert_array_equal(rows, np.arange(number, 10, n_shards))


def test_many_partitions_are_dealt_to_some_shards_each(monkeypatch):
    monkeypatch.setattr(shards, "MAX_PIECES", 40)
    n_rows = [30] * 20  # two pieces each, of eight that there could be

    hands = deal(n_rows, 8)

    assert sum(map(len, hands)) == 40
    rows = hands_of(n_rows, 8)
    assert_array_equal(np.sort(np.concatenate(rows)), np.arange(600))
    assert {len(of_shard) for of_shard in rows} == {75}
    spans = [of_shard[-1] - of_shard[0] for of_shard in rows]
    assert min(spans) > 400  # from all over the partitions


@pytest.mark.parametrize("n_rows", [[1] * 1000, [3, 1] * 400, [1000, 10] * 100])
def test_partitions_of_few_rows_leave_no_shard_without(monkeypatch, n_rows):
    monkeypatch.setattr(shards, "MAX_PIECES", 4 * len(n_rows))

    rows = hands_of(n_rows, 64)

    assert_array_equal(np.sort(np.concatenate(rows)), np.arange(sum(n_rows)))
    sizes = [len(of_shard) for of_shard in rows]
    assert max(sizes) - min(sizes) <= -(-max(n_rows) // 4)


def test_a_shard_is_made_of_pieces_of_several_partitions():
    pieces = [
        make_piece(X[:5], Y[:5], Y[:5], 5, slice(2, None, 2), np.dtype(float)),
        make_piece(X[5:], Y[5:], Y[5:], 3, slice(0, 2), np.dtype(float)),
    ]

    made = make_shard(pieces, 3, plan())

    rows = [2, 4, 5, 6]
    assert_array_equal(made.X, X[rows])
    assert_array_equal(made.y, Y[rows, np.newaxis])
    assert_array_equal(made.given, Y[rows])
    assert (made.number, made.n_train, made.weight_of(np.arange(4))) == (3, 4, Y[rows].sum())


# Holding out.


def test_a_share_is_held_out_by_seed_and_number():
    splits = {}
    for seed in (0, 1):
        for number in (0, 1):
            made = shard(number=number, seed=seed, held_out=0.25)
            assert len(made.held_out) == 2
            assert sorted([*made.train, *made.held_out]) == list(range(8))
            again = shard(number=number, seed=seed, held_out=0.25)
            assert_array_equal(made.train, again.train)
            splits[seed, number] = tuple(made.held_out)
    assert len(set(splits.values())) > 2


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_of_two_rows_one_is_trained_on_and_one_held_out(share):
    made = shard(X[:2], Y[:2], held_out=share)

    assert (made.n_train, len(made.held_out)) == (1, 1)


def test_nothing_is_held_out_unless_somebody_asks():
    made = shard()

    assert made.train is None
    assert made.n_train == 8
    assert not len(made.held_out)


# Summaries.


def test_a_summary_has_rows_that_are_trained_on():
    made = shard(weight=Y, held_out=0.5)

    summary = summarize(made, 3)

    assert (summary.n_train, summary.n_held_out) == (4, 4)
    assert summary.w_train + summary.w_held_out == Y.sum()
    assert len(summary.X) == 3
    rows = [int(row) for row in summary.y[:, 0]]
    assert set(rows) <= set(made.train)
    assert_array_equal(summary.X, X[rows])
    assert_array_equal(summary.given, Y[rows])


def test_fingerprints_tell_rows_targets_and_weights_apart():
    changed = X.copy()
    changed[3, 1] += 1e-9
    made = [
        shard(has_fingerprint=True),
        shard(changed, has_fingerprint=True),
        shard(y=Y[::-1].copy(), has_fingerprint=True),
        shard(weight=np.ones(8), has_fingerprint=True),
    ]

    assert len({one.fingerprint for one in made}) == 4
    assert made[0].fingerprint == shard(has_fingerprint=True).fingerprint
    assert shard().fingerprint == ""


# Weights.


def test_a_shard_may_have_no_weight():
    made = shard(weight=np.zeros(8))

    assert_array_equal(made.weight, np.zeros(8))


@pytest.mark.parametrize("given", [None, np.r_[np.zeros(4), 1, 2, 3, 4]])
def test_weights_are_multiplied_with_those_of_classes(given):
    codes = np.array([0, 0, 0, 0, 1, 2, 1, 2])
    settings = sknn.MLPClassifier(class_weight={0: 0.0, 1: 3.0})._target_settings()
    targets = learn_classes(codes, None, "auto", settings).weighted(np.empty((0, 3)), None)

    made = shard(y=codes, weight=given, targets=targets)

    expected = np.array([0, 0, 0, 0, 3, 1, 3, 1.0])
    assert_array_equal(made.weight, expected if given is None else expected * given)
    # Others have some.
    none = shard(X[:4], codes[:4], targets=targets)
    assert_array_equal(none.weight, np.zeros(4))


# What cannot be a shard.


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"X": np.where(X == 13, np.nan, X)}, ValueError, "row 4 of shard 0, column 1.*fillna"),
        ({"X": X[:7]}, ValueError, "X has 7 rows, and that of y 8.*rechunk"),
        ({"X": sp.csr_matrix(X)}, TypeError, "csr_matrix.*toarray"),
        ({"X": X.tolist()}, TypeError, "are of list"),
        ({"y": np.where(Y == 2, np.inf, Y)}, ValueError, "y contains NaN or infinity, in shard 0"),
        ({"weight": -np.ones(8)}, ValueError, "Negative values.*sample_weight"),
        ({"X": X * 1j}, ValueError, r"complex numbers; use X\.real"),
        ({"weight": np.ones((8, 2))}, ValueError, r"partitions of shape \(8, 2\).*one axis"),
        ({"y": np.ones((8, 1, 1))}, ValueError, "y must have one or two axes, not 3"),
        ({"weight": np.full(8, np.nan)}, ValueError, "sample_weight contains NaN"),
        ({"X": pd.DataFrame(X).assign(t="x")}, ValueError, "Column 't' of X is .*encode it"),
    ],
)
def test_what_cannot_be_trained_on_is_named(change, error, match):
    with pytest.raises(error, match=match):
        shard(**change)


def test_numbers_that_single_precision_cannot_hold_are_named():
    with pytest.raises(ValueError, match="too large for float32"):
        shard(X * 1e39, dtype=np.dtype(np.float32))


# Arrays of numbers.


@pytest.mark.parametrize(
    ("frame", "dtype"),
    [
        (pd.DataFrame({"a": [1, 2]}), np.float64),
        (pd.DataFrame({"a": np.float32([1, 2])}), np.float32),
        (pd.DataFrame({"a": np.float32([1, 2]), "b": [1.0, 2.0]}), np.float64),
        (pd.DataFrame({"a": pd.array([1, None], "Int64")}), np.float64),
        (pd.DataFrame({"a": pd.array([1, None], "Float32")}), np.float32),
        (pd.DataFrame({"a": [True, False]}), np.float64),
        (pd.DataFrame({"a": pd.array([True, None], "boolean")}), np.float64),
    ],
)
def test_a_frame_becomes_numbers_and_its_gaps_nan(frame, dtype):
    found = as_matrix(frame, dtype_of(frame))

    assert found.dtype == dtype
    assert_array_equal(np.isnan(found), frame.isna())
    assert found[0, 0] == 1


def test_half_precision_and_small_ints_have_a_precision_to_train_in():
    assert dtype_of(np.ones(2, np.float16)) == np.float32
    assert dtype_of(np.ones(2, np.int8)) == np.float64


# Targets.


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (pd.Series(["x", "yy"]), ["x", "yy"]),
        (pd.Series(["x", "yy"], dtype="string[pyarrow]"), ["x", "yy"]),
        (pd.Series(["x", "yy"], dtype="category"), ["x", "yy"]),
        (np.array(["x", "yy"]), ["x", "yy"]),
        (pd.Series([1, 2], dtype="Int64"), [1, 2]),
        (pd.Series([True, False], dtype="boolean"), [True, False]),
        (pd.Series([1, 2], dtype="category"), [1, 2]),
        (pd.DataFrame({"a": [1.5, 2]}), [1.5, 2]),
        (np.array([[1.5, 2], [3, 4]]), [[1.5, 2], [3, 4]]),
        (pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"]}), [["x", "u"], ["y", "v"]]),
    ],
)
def test_targets_come_in_any_container(y, expected):
    found = as_targets(y)

    assert_array_equal(found, np.array(expected, found.dtype))
    assert found.dtype.kind in "biufO"


def test_numbers_beside_texts_stay_numbers():
    found = as_targets(pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}))

    assert found.tolist() == [[1, "u"], [2, "v"]]


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(["x", None]),
        pd.Series([None, "x"], dtype="string[pyarrow]"),
        pd.Series([np.nan, "x"], dtype=object),
        pd.Series(["x", np.nan], dtype="category"),
        pd.Series([True, None], dtype="boolean"),
    ],
)
def test_a_missing_label_is_no_label(y):
    with pytest.raises(ValueError, match=r"y contains NaN, or None.*dropna"):
        survey(y, None, are_numbers=False)


def test_weights_may_be_a_column():
    assert_array_equal(as_vector(pd.DataFrame({"w": [1, 2]})), [1, 2])


def test_a_survey_counts_the_weight_of_each_label():
    found = survey(np.array(["b", "a", "b"]), np.array([1.0, 2, 4]), are_numbers=False)

    assert found.n_rows == 3
    assert_array_equal(found.labels, ["a", "b"])
    assert_array_equal(found.weights, [2, 5])
    assert found.total == 7


def test_a_survey_of_numbers_adds_them_up():
    found = survey(np.array([[1.0, 2], [3, 4]]), np.array([1, 3]), are_numbers=True)

    assert found.total == 4
    assert_allclose(found.sums, [10, 14])


@pytest.mark.parametrize("are_numbers", [True, False])
@pytest.mark.parametrize("shape", [(0,), (0, 1), (0, 2)])
def test_nothing_can_be_said_of_no_rows(shape, are_numbers):
    found = survey(np.empty(shape), None, are_numbers)

    assert (found.n_rows, found.total) == (0, 0)


def test_a_survey_shows_a_row_of_each_label_of_several_targets():
    y = np.zeros((5000, 2), int)
    y[4321, 1] = 7

    found = survey(y, None, are_numbers=False)

    assert 7 in found.labels[:, 1]
    assert len(found.labels) < 200


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.array([0.5, 1.5]), "continuous.*use a regressor"),
        (np.array([1.0, np.nan]), "NaN"),
        (np.array([1, "x"], object), "Unknown label type|[Mm]ix"),
    ],
)
def test_what_is_no_label_is_refused(y, match):
    with pytest.raises(ValueError, match=match):
        survey(y, None, are_numbers=False)


def test_partitions_of_weights_have_the_rows_of_those_of_targets():
    with pytest.raises(ValueError, match="sample_weight has 2 rows, and that of y 8"):
        survey(Y, np.ones(2), are_numbers=True)
