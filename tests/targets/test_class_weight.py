"""Weights of classes: tables, balanced, and what must be a mistake."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.utils.class_weight import compute_sample_weight

from sknn import MLPClassifier
from sknn.targets.class_weight import check_partial_weights, class_factors, label_weights
from tests.targets.irises import BINARY, NAMES, NUMBERS, X, Y, assert_same_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
CLASSES = np.array(["a", "b", "c"])


# By hand.


@pytest.mark.parametrize(
    ("codes", "weight", "factors"),
    [
        ([0, 0, 0, 1], None, [2 / 3, 2, 1]),  # of class c there are no rows
        ([0, 0, 1, 2], None, [2 / 3, 4 / 3, 4 / 3]),
        ([0, 1, 2], [2.0, 1.0, 1.0], [2 / 3, 4 / 3, 4 / 3]),  # a weight of 2 is a row twice
        ([0, 1, 2], [2.0, 2.0, 0.0], [1, 1, 1]),
    ],
)
def test_balanced_gives_the_classes_that_occur_the_same_total(codes, weight, factors):
    weight = None if weight is None else np.array(weight)
    found = class_factors("balanced", CLASSES, np.array(codes), weight)

    np.testing.assert_allclose(found, factors)


def test_a_table_gives_each_class_its_entry_or_1():
    found = class_factors({"c": 3, "a": 0.5}, CLASSES, np.array([0]), None)

    np.testing.assert_array_equal(found, [0.5, 1, 3])


@pytest.mark.parametrize("weight", [None, np.array([1.0, 1.0, 1.0, 3.0])])
def test_balanced_labels_weigh_in_their_positive_samples_as_much_as_the_others(weight):
    y = np.array([[1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 1]], bool)
    first, second = (3.0, 3.0) if weight is None else (5.0, 1.0)

    assert label_weights("balanced", y, weight) == (first, second, 1.0)  # all alike are left alone
    assert label_weights({1: 2.5}, y, weight) == (1.0, 2.5, 1.0)


@pytest.mark.parametrize("class_weight", [None, {0: 2.0}, [{0: 2.0}]])
def test_weights_that_need_no_count_may_be_given_part_by_part(class_weight):
    check_partial_weights(class_weight)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all of the samples"):
        check_partial_weights("balanced")


# Through the estimator.


@pytest.mark.parametrize("y", [BINARY, Y, NAMES], ids=["binary", "multiclass", "names"])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_class_weights_are_weights_of_the_samples(y, is_weighted):
    weight = np.random.default_rng(0).integers(1, 4, len(y)) * 1.0 if is_weighted else None
    table = dict(zip(np.unique(y), [2.0, 0.5, 3.0], strict=False))
    for choice in ("balanced", table):
        factor = compute_sample_weight(choice, y)
        if choice == "balanced" and weight is not None:  # a weight of 2 is a row twice
            repeats = weight.astype(int)
            starts = np.cumsum(repeats) - repeats
            factor = compute_sample_weight(choice, np.repeat(y, repeats))[starts]
        model = MLPClassifier((5,), class_weight=choice, **NUMBERS).fit(X, y, weight)
        total = factor if weight is None else factor * weight
        assert_same_weights(model, MLPClassifier((5,), **NUMBERS).fit(X, y, total))


def test_balanced_classes_raise_the_recall_of_a_rare_one():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 5))
    y = X[:, 0] + rng.standard_normal(2000) > 2.2
    plain = MLPClassifier((10,), **NUMBERS).fit(X, y)
    balanced = MLPClassifier((10,), class_weight="balanced", **NUMBERS).fit(X, y)

    assert balanced.predict(X)[y].mean() > plain.predict(X)[y].mean() + 0.3


@pytest.mark.parametrize("choice", ["balanced", {0: 3.0, 2: 0.5}])
def test_in_multilabel_problems_the_positive_samples_of_labels_are_weighted(choice):
    labels = np.stack([Y == 0, Y > 0, X[:, 0] > 1.5], axis=1).astype(int)
    weights = [3.0, 1.0, 0.5]
    if choice == "balanced":
        weights = [(1 - column).sum() / column.sum() for column in labels.T]
    model = MLPClassifier((), class_weight=choice, solver="lbfgs", alpha=0, tol=1e-8, max_iter=5000)
    model.fit(X, labels)

    # Each label by itself is a logistic regression with those weights.
    for k, weight in enumerate(weights):
        alone = clone(model).set_params(class_weight=None)
        alone.fit(X, labels[:, k], np.where(labels[:, k] == 1, weight, 1.0))
        ours, theirs = model.predict_proba(X)[:, k], alone.predict_proba(X)[:, 1]
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize(
    ("choice", "y", "message"),
    [
        ([{0: 1}] * 3, np.stack([Y, Y], 1), "has 3 dicts, but y has 2 targets"),
        ([{0: 1}, [1]], np.stack([Y, Y], 1), r"a dict .* for each target; got \[1\]"),
        ({0: -1.0}, Y, r"at least 0; got -1\.0 for 0"),
        ("even", Y, "'class_weight' parameter .* must be"),
        ([{0: 1}], np.stack([Y == 0, Y > 0], axis=1), "must be 'balanced' or a dict"),
        ("balanced", np.full((150, 2), 0.5), "class_weight='balanced' needs labels"),
        ({0: np.inf}, Y, "finite weights of at least 0; got inf for 0"),
        ({0: "a"}, Y, "got 'a' for 0"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, Y, "leaves no sample with a weight"),
        ([{0: 1.0}], Y, "is a list, for several targets; y has one"),
        ([{0: -1.0}, {}], np.stack([Y, Y], 1), "at least 0; got -1"),
    ],
)
def test_wrong_class_weights_are_refused(choice, y, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier((5,), class_weight=choice, **NUMBERS).fit(X, y)


@pytest.mark.parametrize(
    ("choice", "y", "message"),
    [
        ({"1": 2.0}, Y, r"entry for '1', which is not among the classes \[0, 1, 2\] .* mean 1\?"),
        ({1: 2.0}, NAMES, r"entry for 1, which is not among"),
        ({"Setosa": 2.0}, NAMES, r"entry for 'Setosa', .* Did you mean 'setosa'\?"),
        ({np.str_("setosaa"): 2.0}, NAMES, r"entry for 'setosaa', .* Did you mean 'setosa'\?"),
        ([{}, {"1": 2.0}], np.stack([Y, Y], 1), r"entry for '1', .* mean 1\?"),
        ({5: 1.0}, np.stack([Y == 0, Y > 0], axis=1), r"entry for 5, .* classes \[0, 1\]"),
    ],
)
def test_an_entry_that_must_be_a_mistake_is_told(choice, y, message):
    with pytest.warns(UserWarning, match=message):
        MLPClassifier((5,), class_weight=choice, **NUMBERS).fit(X, y)


def test_a_class_without_rows_and_a_class_without_an_entry_are_no_errors():
    late = MLPClassifier((3,), class_weight={0: 1, 1: 10}, max_iter=2)
    assert late.fit([[0.0, 1.0], [1.0, 1.0]], [0, 0]).classes_.tolist() == [0]

    names = {"setosa": 2.0, "virginica": 3.0, "unseen": 5.0}
    model = MLPClassifier((5,), class_weight=names, **NUMBERS).fit(X, NAMES)
    full = {**names, "versicolor": 1.0}
    assert_same_weights(model, MLPClassifier((5,), class_weight=full, **NUMBERS).fit(X, NAMES))


def test_classes_may_come_late_in_a_search_over_time():
    y = np.where(np.arange(150) < 60, 0, Y)
    model = MLPClassifier((5,), class_weight={0: 1.0, 1: 2.0, 2: 4.0}, **NUMBERS)
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(3), error_score="raise")

    assert np.isfinite(scores).all()


def test_batches_and_validation_sets_may_lack_classes():
    model = MLPClassifier((5,), class_weight={0: 1.0, 2: 4.0, 7: 2.0}, random_state=0)
    model.partial_fit(X[:60], Y[:60], classes=[0, 1, 2], X_val=X[:20], y_val=Y[:20])
    model.partial_fit(X[100:], Y[100:], X_val=X[:20], y_val=Y[:20])

    assert len(model.validation_scores_) == 2


def test_class_weights_learnt_in_training_weigh_the_validation_loss():
    # The training data are even, so "balanced" weighs all alike, also in an uneven y_val.
    numbers = NUMBERS | {"scoring": "loss", "early_stopping": True}
    val = X[:70], Y[:70]
    balanced = MLPClassifier((5,), class_weight="balanced", **numbers)
    balanced.fit(X, Y, X_val=val[0], y_val=val[1])
    plain = MLPClassifier((5,), **numbers).fit(X, Y, X_val=val[0], y_val=val[1])

    np.testing.assert_allclose(balanced.validation_scores_, plain.validation_scores_)


def test_balanced_weights_need_all_samples():
    with pytest.raises(ValueError, match="for partial_fit give the weights as a dict"):
        MLPClassifier(class_weight="balanced").partial_fit(X, BINARY, classes=[0, 1])


def test_weights_of_classes_and_samples_must_not_overflow():
    model = MLPClassifier(class_weight={0: 1e200}, **NUMBERS)
    with pytest.raises(ValueError, match="class_weight times sample_weight may overflow"):
        model.fit(X, Y, sample_weight=np.full(len(Y), 1e200))


@pytest.mark.parametrize("y", [Y, np.eye(3, dtype=int)[Y]], ids=["classes", "labels"])
def test_classes_that_cannot_be_balanced_are_refused(y):
    weight = np.where(Y == 0, 5e-324, 1e10)
    model = MLPClassifier(class_weight="balanced", **NUMBERS)
    with pytest.raises(ValueError, match=r"may overflow|diverged"):
        model.fit(X, y, sample_weight=weight)


def test_nothing_can_be_scored_without_weight():
    model = MLPClassifier(**NUMBERS).fit(X, Y)
    with pytest.raises(ValueError, match="All of sample_weight is 0"):
        model.score(X, Y, sample_weight=np.zeros(len(Y)))
