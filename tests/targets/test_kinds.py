"""What counts as labels, and what their containers and values may be."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from sknn import MLPClassifier
from sknn.targets.kinds import KINDS, as_classes, as_probabilities, describe, is_soft

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = scale(X)
ONE_HOT = np.eye(3)[Y]
SOFT = 0.9 * ONE_HOT + 0.1 / 3
NUMBERS = {"max_iter": 5, "random_state": 0}


# By hand.


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (Y, "labels"),
        (Y.astype(float), "labels"),
        (Y == 1, "labels"),
        (np.array(["a", "b", "c"], object)[Y], "labels"),
        (ONE_HOT, "multilabel"),
        (sp.csr_matrix(ONE_HOT), "multilabel"),
        (SOFT, "soft"),
        (np.stack([Y, Y], 1), "several"),
        (Y + 0.5, "other"),
        (2 * SOFT, "other"),
    ],
)
def test_what_targets_are_in_words(y, kind):
    assert describe(y) == kind
    assert set(KINDS) == {"labels", "multilabel", "soft", "several", "other"}


@pytest.mark.parametrize(
    ("row", "is_distribution"),
    [
        ([0.5, 0.5, 0.0], True),
        ([0.5, 0.5, 0.0009], True),  # rounded
        ([0.5, 0.5, 0.0011], False),
        ([1.1, -0.1, 0.0], False),
        ([1.0, 0.0, 0.0], True),
    ],
)
def test_probabilities_sum_to_one_up_to_rounding(row, is_distribution):
    y = np.array([[0.2, 0.3, 0.5], row])

    assert (as_probabilities(y) is not None) is is_distribution
    assert is_soft(y) is is_distribution


def test_half_precision_keeps_the_sum_of_many_classes():
    y = np.asfortranarray(np.full((3, 700), 1 / 700, np.float16))  # summed one by one

    assert np.abs(y.sum(axis=1) - 1).max() > 0.01
    assert is_soft(y)


@pytest.mark.parametrize(
    "y", [None, 3, "abc", [0.5, 0.5], [[1.0], [1.0]], [["a", "b"]], sp.csr_matrix([[0.5, 0.5]])]
)
def test_what_is_no_dense_matrix_of_several_numbers_is_no_distribution(y):
    assert as_probabilities(y) is None


def test_classes_in_any_container_are_arrays_or_lists():
    assert as_classes(None) is None
    assert as_classes("ab") == "ab"
    assert as_classes({3}) == [3]
    assert as_classes(("ab", "cd")) == ["ab", "cd"]
    np.testing.assert_array_equal(as_classes(pd.Series([2, 1])), [2, 1])
    several = as_classes([{3}, ("ab", "cd")])
    assert [part.tolist() for part in several] == [[3], ["ab", "cd"]]


# Through the estimator.


@pytest.mark.parametrize(
    ("values", "container"),
    [
        *itertools.product([(-1, 1), (1, 2), (0, 2)], [np.asarray, pd.DataFrame]),
        ((0, 2), sp.csr_matrix),  # which has zeros in any case
    ],
)
def test_indicators_that_are_not_zeros_and_ones_are_refused(values, container):
    y = np.where(ONE_HOT == 1, *reversed(values))
    message = f"values .*{values[1]}"
    with pytest.raises(ValueError, match=message):
        MLPClassifier((3,), **NUMBERS).fit(X, container(y))
    fitted = MLPClassifier((3,), **NUMBERS).fit(X, ONE_HOT.astype(int))
    with pytest.raises(ValueError, match=message):
        fitted.partial_fit(X, container(y))
    with pytest.raises(ValueError, match=f"`y_val` has the {message}"):
        clone(fitted).fit(X, ONE_HOT.astype(int), X_val=X, y_val=container(y))


def test_a_float_matrix_is_soft_where_it_has_soft_rows_or_where_the_user_says_so():
    def encoded(y, **numbers):
        model = MLPClassifier((3,), **NUMBERS, **numbers).fit(X, y)
        return model.out_activation_, model.predict(X).ndim

    assert encoded(ONE_HOT) == ("logistic", 2)
    assert encoded(SOFT) == ("softmax", 1)
    assert encoded(np.concatenate([SOFT[:1], ONE_HOT[1:]])) == ("softmax", 1)
    assert encoded(ONE_HOT, target_type="soft") == ("softmax", 1)
    assert encoded(ONE_HOT.astype(int), target_type="soft") == ("softmax", 1)
    assert encoded(ONE_HOT, target_type="multilabel") == ("logistic", 2)


@pytest.mark.parametrize(
    ("target_type", "y", "message"),
    [
        ("multilabel", SOFT, "zeros and ones.*; got probabilities of classes"),
        ("multilabel", Y, "zeros and ones.*; got labels"),
        ("soft", Y, "needs y as a matrix of probabilities"),
        ("soft", 2 * SOFT, "needs y as a matrix of probabilities"),
        ("labels", Y, "'target_type' parameter .* must be"),
    ],
)
def test_targets_of_another_type_than_said_are_refused(target_type, y, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(target_type=target_type).fit(X, y)


def test_a_negative_probability_is_named():
    y = SOFT.copy()
    y[7] = [1.2, -0.2, 0.0]
    with pytest.raises(ValueError, match=r"entries are at least 0; row 7 has -0\.2"):
        MLPClassifier().fit(X, y)


def test_partial_fit_tells_the_truth_about_one_hot_batches():
    with pytest.raises(ValueError, match=r"one-hot: .* set target_type='soft'"):
        MLPClassifier().partial_fit(X, ONE_HOT)
    labels = MLPClassifier((3,)).partial_fit(X, ONE_HOT, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"probabilities of classes, but .* an indicator matrix"):
        labels.partial_fit(X, SOFT)
    soft = MLPClassifier((3,), target_type="soft").partial_fit(X, ONE_HOT)
    soft.partial_fit(X, SOFT).partial_fit(X, ONE_HOT)

    assert soft.out_activation_ == "softmax"


@pytest.mark.parametrize(
    "classes",
    [
        [2, 1, 0],
        {0, 1, 2},
        dict.fromkeys([2, 0, 1]).keys(),
        pd.Series([0, 1, 2], index=[5, 6, 7]),
        pd.Index([0, 1, 2]),
        (c for c in (0, 1, 2)),
        range(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_classes_come_in_any_container(classes):
    model = MLPClassifier((3,)).partial_fit(X[:50], Y[:50], classes=classes)

    assert model.classes_.tolist() == [0, 1, 2]


def test_classes_of_several_targets_come_in_any_containers():
    y = np.stack([Y, Y + 5], axis=1)
    classes = [{0, 1, 2}, pd.Series([5, 6, 7], index=[3, 4, 5])]
    model = MLPClassifier((3,)).partial_fit(X[:50], y[:50], classes=classes)
    model.partial_fit(X, y, classes=classes)

    assert [part.tolist() for part in model.classes_] == [[0, 1, 2], [5, 6, 7]]


def test_names_of_classes_come_in_a_set():
    names = np.array(["a", "b", "c"])[Y]
    model = MLPClassifier((3,)).partial_fit(X[:10], names[:10], classes={"a", "b", "c"})

    assert model.classes_.tolist() == ["a", "b", "c"]


def test_warm_start_demands_no_class_in_a_batch():
    model = MLPClassifier((3,), warm_start=True).partial_fit(X, Y, classes=[0, 1, 2])
    model.partial_fit(X[:50], Y[:50])

    assert model.t_ == 200


def test_a_label_that_occurs_only_in_y_val_is_reported_as_its_own():
    with pytest.raises(ValueError, match="`y_val` has classes not in"):
        MLPClassifier((3,)).fit(X[:100], Y[:100], X_val=X[100:], y_val=Y[100:])


P = 0.8 * np.eye(3)[Y] + 0.2 / 3


def test_soft_labels_of_any_container_and_hardness():
    model = MLPClassifier((5,), max_iter=30, random_state=0).fit(X, pd.DataFrame(P))
    hard = np.eye(3)[Y]

    assert model.score(X, hard) == model.score(X, P.tolist()) == model.score(X, Y)
    model.fit(X, P, X_val=X, y_val=hard)
    model.partial_fit(X, hard)
    MLPClassifier((5,)).partial_fit(X, P.tolist()).partial_fit(X, hard)
    MLPClassifier((5,), max_iter=2).fit(X, P.round(4))
    with pytest.raises(ValueError, match="its rows sum to 1; row 0 sums to 2"):
        MLPClassifier((5,)).fit(X, 2 * P)


def test_huge_numbers_are_no_labels():
    numbers = np.where(Y > 0, 1e300, -1e300)

    assert describe(numbers) == "other"
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        MLPClassifier(**NUMBERS).fit(X, numbers)
