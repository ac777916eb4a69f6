"""Checks of parameters and weights, with messages that name value and remedy."""

import re

import numpy as np
import pytest
from sklearn.model_selection import KFold, PredefinedSplit

from sknn import MLPClassifier, MLPRegressor
from sknn.estimators.validation import (
    RANDOM_STATE,
    SEQUENCE,
    SPLITTER,
    ScorerName,
    check_hidden_layer_sizes,
    check_initial_arrays,
    check_n_outputs,
    check_sample_weight,
)

rng = np.random.default_rng(0)
X = rng.standard_normal((40, 3))
Y = (X[:, 0] > 0).astype(int)
ESTIMATORS = [MLPClassifier, MLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(39), r"\(39,\), expected \(40,\)"),
        (np.ones((40, 2)), "1D array"),
        (np.full(40, np.nan), "NaN"),
        (["a"] * 40, "sample_weight|could not convert"),
        (np.zeros(40), "all are 0"),
        (np.full(40, 1e307), "may overflow float64"),
        (0.0, "all are 0"),
        (-np.ones(40), "Negative values"),
    ],
)
@both
def test_bad_weights_are_refused(Estimator, weight, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Estimator().fit(X, Y, sample_weight=weight)


@pytest.mark.parametrize(
    ("weight", "expected", "dtype"),
    [
        (2, [2.0] * 40, np.float64),
        (list(range(40)), list(range(40)), np.float64),
        (np.arange(40, dtype=np.float32), list(range(40)), np.float32),
        (np.arange(80.0)[::2], list(range(0, 80, 2)), np.float64),
    ],
)
def test_weights_are_one_number_for_each_sample(weight, expected, dtype):
    found = check_sample_weight(weight, X)

    np.testing.assert_array_equal(found, expected)
    assert found.dtype == dtype
    assert found.flags.c_contiguous


def test_without_weights_there_are_none():
    assert check_sample_weight(None, X) is None


def test_a_negative_weight_is_named_with_its_row():
    weight = np.ones(40)
    weight[[7, 9]] = -0.5
    with pytest.raises(ValueError, match=r"-0\.5 at row 7"):
        check_sample_weight(weight, X)


def test_the_sum_of_weights_has_to_fit_their_dtype():
    weight = np.full(40, 1e37)  # 40 of them are more than 3.4e38
    np.testing.assert_array_equal(check_sample_weight(weight, X), weight)
    with pytest.raises(ValueError, match=r"may overflow float32: the largest is (9\.9|1e\+37)"):
        check_sample_weight(weight.astype(np.float32), X)


@pytest.mark.parametrize(
    ("value", "sizes"),
    [
        (5, [5]),
        (np.int64(5), [5]),
        ((), []),
        ([3, 4], [3, 4]),
        (np.array([3, 4], np.int16), [3, 4]),
        (range(1, 4), [1, 2, 3]),
    ],
)
def test_sizes_of_layers_are_a_list_of_ints(value, sizes):
    found = check_hidden_layer_sizes(value)

    assert found == sizes
    assert all(type(size) is int for size in found)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("55", "must be an int or a sequence of ints. Got '55'"),
        (b"5", "must be an int or a sequence of ints. Got b'5'"),
        ([3, "4"], "must hold ints >= 1, got '4' in [3, '4']"),
        ([3, 4.0], "must hold ints >= 1, got 4.0 in [3, 4.0]"),
        ([3, True], "must hold ints >= 1, got True in [3, True]"),
        ([3, 0], "must be > 0, got [3, 0]"),
    ],
)
def test_wrong_sizes_of_layers_are_named(value, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_hidden_layer_sizes(value)


def test_other_numbers_of_outputs_are_named():
    check_n_outputs(np.zeros((5, 2)), 2)
    with pytest.raises(ValueError, match=r"y_val has 2 outputs, but .* fitted with 3"):
        check_n_outputs(np.zeros((5, 2)), 3, "y_val")


@pytest.mark.parametrize(
    "initializer",
    [([[[1.0]]],), ([["a"]], [[0.0]]), ([[[np.inf]]], [[0.0]]), ([[[1], [1, 2]]], [])],
)
def test_initial_arrays_are_numbers(initializer):
    with pytest.raises(ValueError, match=r"initializer=\(coefs, intercepts\) needs arrays"):
        check_initial_arrays(initializer)
    coefs, intercepts = check_initial_arrays(([[[1, 2]]], [np.zeros(2, np.float32)]))

    assert (coefs[0].dtype, intercepts[0].dtype) == (np.float64, np.float32)


@pytest.mark.parametrize(
    ("constraint", "fine", "wrong"),
    [
        (
            RANDOM_STATE,
            [None, 0, 2**32 - 1, np.random, np.random.RandomState(0)],
            [-1, 2**32, 1.0, True, np.random.default_rng(0)],
        ),
        (SPLITTER, [KFold(2), PredefinedSplit([0, 1])], ["0.1", b"0.1", KFold, 0.1, None]),
        (ScorerName(), ["r2", "roc_auc"], ["r3", None, len]),
    ],
    ids=["random_state", "splitter", "scorer"],
)
def test_values_are_accepted_or_not(constraint, fine, wrong):
    assert [constraint.accepts(value) for value in fine] == [True] * len(fine)
    assert [constraint.accepts(value) for value in wrong] == [False] * len(wrong)


def test_a_mistyped_scorer_gets_a_guess():
    assert "'roc_auc'" in ScorerName().hint("rock_auc")
    assert ScorerName().hint(3) == ""


def test_an_array_of_no_axis_is_no_sequence():
    assert SEQUENCE.accepts(np.array(["relu"]))
    assert not SEQUENCE.accepts(np.array("relu"))
    with pytest.raises(ValueError, match="The 'activation' parameter"):
        MLPClassifier(activation=np.array(1)).fit(np.eye(3), [0, 1, 1])
