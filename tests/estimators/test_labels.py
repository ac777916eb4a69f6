"""What counts as labels, and what their containers and values may be."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = scale(X)
ONE_HOT = np.eye(3)[Y]
SOFT = 0.9 * ONE_HOT + 0.1 / 3
NUMBERS = {"max_iter": 5, "random_state": 0}


@pytest.mark.parametrize("label", [7, "only", True])
def test_of_one_class_there_is_one_column_of_ones(label):
    model = MLPClassifier((3,), **NUMBERS).fit(X, np.full(len(X), label))

    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X), np.zeros((len(X), 1)))
    assert model.predict(X).tolist() == [label] * len(X)


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_folds_of_one_class_can_be_predicted_across():
    y = (np.arange(len(X)) >= 75).astype(int)
    model = MLPClassifier((3,), **NUMBERS)
    answer = cross_val_predict(model, X, y, cv=KFold(2), method="predict_proba")

    assert answer.shape == (len(X), 2)


@pytest.mark.parametrize("values", [(-1, 1), (1, 2), (0, 2)])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_matrix, pd.DataFrame])
def test_indicators_that_are_not_zeros_and_ones_are_refused(values, container):
    y = np.where(ONE_HOT == 1, *reversed(values))
    if container is sp.csr_matrix and 0 not in values:
        y[0] = 0  # as otherwise nothing would be sparse
        if len(np.unique(y)) > 2:
            pytest.skip("three values are several targets, not indicators")
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


def test_standard_deviations_behind_a_transformed_target_say_what_to_do():
    data, y = load_diabetes(return_X_y=True)
    network = MLPRegressor((5,), loss="gaussian", **NUMBERS)
    model = TransformedTargetRegressor(network, transformer=StandardScaler()).fit(data, y)
    with pytest.raises(AttributeError, match=r"regressor_\.predict\(X, return_std=True\)"):
        model.predict(data, return_std=True)
    mean, std = model.regressor_.predict(data, return_std=True)
    unscaled = model.transformer_.inverse_transform(mean.reshape(-1, 1))[:, 0]

    np.testing.assert_allclose(unscaled, model.predict(data))
    assert (std * model.transformer_.scale_ > 1).all()
