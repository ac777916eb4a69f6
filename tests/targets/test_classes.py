"""Labels, probabilities, smoothing, and several targets of many classes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.losses import CLASSIFICATION_LOSSES, Focal, LabelWeighted
from sknn.targets import TargetSettings, learn_classes
from tests.targets.irises import BINARY, NAMES, NUMBERS, X, Y, assert_same_weights

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
LOG_LOSS = CLASSIFICATION_LOSSES.resolve("log_loss")


def learn(y, classes=None, target_type="auto", **settings):
    """Return targets that are ready for training, and what they are learnt from, encoded."""
    targets = learn_classes(y, classes, target_type, TargetSettings(loss=LOG_LOSS, **settings))
    encoded = targets.encode(y)
    return targets.weighted(encoded, None), encoded


# By hand.


def test_two_classes_are_one_output():
    targets, encoded = learn(np.array([7, -3, 7]))

    assert targets.n_outputs == 1
    np.testing.assert_array_equal(encoded, [[True], [False], [True]])
    np.testing.assert_array_equal(targets.decide(np.array([[0.51, 0.5, 0.49]])), [1, 0, 0])
    np.testing.assert_array_equal(targets.decode(np.array([1, 0, 0])), [7, -3, -3])
    np.testing.assert_array_equal(targets.is_right(np.array([1, 1, 1]), encoded), [1, 0, 1])


def test_more_classes_are_an_output_each():
    targets, encoded = learn(np.array(["b", "c", "a"]))

    np.testing.assert_array_equal(encoded, [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    probability = np.array([[0.2, 0.5, 0.3], [0.5, 0.3, 0.2]]).T
    np.testing.assert_array_equal(targets.decide(probability), [1, 0])
    np.testing.assert_array_equal(targets.decode(np.array([1, 0])), ["b", "a"])


def test_classes_that_are_known_need_not_occur():
    targets, encoded = learn(np.array([5, 5]), classes=[9, 1, 5])

    np.testing.assert_array_equal(targets.classes, [1, 5, 9])
    np.testing.assert_array_equal(encoded, [[0, 1, 0]] * 2)


def test_several_targets_have_their_outputs_side_by_side():
    targets, encoded = learn(np.array([[0, 7], [1, 8], [0, 9]]))

    assert targets.sizes == (2, 3)
    np.testing.assert_array_equal(encoded, [[1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]])
    decision = np.array([[0, 1, 1], [0, 2, 2]])
    np.testing.assert_array_equal(targets.decide(encoded.T * 1.0), [[0, 1, 0], [0, 1, 2]])
    np.testing.assert_array_equal(targets.decode(decision), [[0, 7], [1, 9], [1, 9]])
    np.testing.assert_array_equal(targets.is_right(decision, encoded), [1, 0, 0])


def test_labels_are_right_if_all_of_them_are():
    targets, encoded = learn(np.array([[1, 0], [0, 1]]))
    decision = targets.decide(np.array([[0.9, 0.1], [0.2, 0.4]]))

    np.testing.assert_array_equal(decision, [[True, False], [False, False]])
    np.testing.assert_array_equal(targets.is_right(decision, encoded), [True, False])
    assert targets.decode(decision).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("y", "smoothed"),
    [
        (np.array([0, 1]), [[0.15], [0.85]]),
        (np.array([0, 1, 2]), [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]),
        (np.array([[1, 0, 1], [0, 1, 1]]), [[0.85, 0.15, 0.85], [0.15, 0.85, 0.85]]),
        (
            np.array([[0, 7], [1, 8], [1, 9]]),
            [[0.85, 0.15, 0.8, 0.1, 0.1], [0.15, 0.85, 0.1, 0.8, 0.1], [0.15, 0.85, 0.1, 0.1, 0.8]],
        ),
        (np.array([[0.5, 0.5, 0.0]]), [[0.45, 0.45, 0.1]]),
    ],
    ids=["binary", "multiclass", "labels", "several", "probabilities"],
)
def test_smoothing_spreads_a_share_over_the_classes_of_each_target(y, smoothed):
    targets, encoded = learn(y, label_smoothing=0.3)

    np.testing.assert_allclose(targets.for_training(encoded), smoothed)


def test_samples_weigh_what_their_classes_do():
    weight = np.array([1.0, 2.0, 3.0])
    targets, encoded = learn(np.array(["a", "b", "a"]), class_weight={"a": 10.0})
    np.testing.assert_array_equal(targets.weigh(encoded, None), [10, 1, 10])
    np.testing.assert_array_equal(targets.weigh(encoded, weight), [10, 2, 30])

    several = np.array([[0, 7], [1, 8], [0, 9]])
    targets, encoded = learn(several, class_weight=[{1: 10.0}, {7: 3.0, 9: 5.0}])
    np.testing.assert_array_equal(targets.weigh(encoded, weight), [3, 20, 15])

    targets, encoded = learn(np.array([[1, 0], [1, 0], [1, 1]]), class_weight="balanced")
    assert targets.weigh(encoded, weight) is weight  # it is the loss that weighs labels
    assert isinstance(targets.loss, LabelWeighted)
    assert targets.loss.weights == (1.0, 2.0)


def test_classes_that_weigh_nothing_leave_an_error():
    targets, encoded = learn(np.array(["a", "b", "b"]), class_weight={"a": 0.0})

    np.testing.assert_array_equal(targets.weigh(encoded, None), [0, 1, 1])
    with pytest.raises(ValueError, match="class_weight leaves no sample with a weight"):
        targets.weigh(encoded[:1], None)


@pytest.mark.parametrize(
    ("codes", "n_held_out", "strata"),
    [
        ([0, 1, 0, 0], 1, ["False", "True", "False", "False"]),
        ([0, 1, 2, 0, 1, 2], 3, [0, 1, 2, 0, 1, 2]),
        ([0, 1, 2, 0, 1, 2], 2, None),  # fewer places than classes
        ([0, 1, 2, 0, 1, 2], 4, None),
        ([0, 1, 2, 0, 1, 1], 3, None),  # a class of one sample
    ],
)
def test_splits_are_stratified_where_each_part_may_have_all_classes(codes, n_held_out, strata):
    targets, encoded = learn(np.array(codes))
    found = targets.strata(encoded, n_held_out)

    assert found is None if strata is None else found.tolist() == strata


def test_only_single_classes_are_stratified():
    for y in (np.array([[1, 0], [0, 1]]), np.array([[0.5, 0.5]]), np.array([[0, 7], [1, 9]])):
        assert learn(np.repeat(y, 2, axis=0))[0].strata(learn(y)[1], 2) is None


@pytest.mark.parametrize(
    ("y", "weight", "best_score", "share"),
    [
        ([1] * 19 + [0], None, 0.95, "0.950"),
        ([0] * 19 + [1], None, 0.95, "0.950"),
        ([0] * 19 + [1], None, 0.96, None),  # better than a constant
        ([0] * 17 + [1] * 3, None, 0.5, None),  # not so rare
        ([0, 1], [19.0, 1.0], 0.9, "0.950"),
        ([0] * 20, None, 1.0, None),  # nothing to tell apart
        ([0] * 19 + [1, 2], None, 0.8, "0.905"),
    ],
)
def test_accuracy_is_doubted_where_a_constant_is_as_good(y, weight, best_score, share):
    targets, encoded = learn(np.array(y), classes=sorted({0, 1, *y}))
    weight = None if weight is None else np.array(weight)
    doubts = targets.doubts(best_score, encoded, weight)

    assert (f"which never exceeded {share}" in doubts) if share else doubts == ""


# Through the estimator.


def soft_targets():
    sharp = np.eye(3)[Y]
    return 0.9 * sharp + 0.1 * np.array([0.2, 0.3, 0.5])


def test_soft_labels_are_probabilities_of_the_classes():
    P = soft_targets()
    model = MLPClassifier((), solver="lbfgs", alpha=0, max_iter=5000, tol=1e-8).fit(X, P)
    mean = model.predict_proba(X).mean(axis=0)

    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    np.testing.assert_allclose(mean, P.mean(axis=0), atol=1e-4)  # the intercepts' condition
    assert model.score(X, P) == model.score(X, P.argmax(axis=1)) > 0.9


def test_soft_labels_go_through_early_stopping_searches_and_pickle():
    P = soft_targets()
    model = MLPClassifier((5,), early_stopping=True, scoring="loss", **NUMBERS)
    search = GridSearchCV(make_pipeline(StandardScaler(), model), {"mlpclassifier__alpha": [0, 1]})
    search.fit(X, P)
    copy = pickle.loads(pickle.dumps(search))

    assert search.best_score_ > 0.5
    np.testing.assert_array_equal(copy.predict_proba(X), search.predict_proba(X))


def test_two_soft_classes_work_like_more():
    P = soft_targets()[:, :2]
    P /= P.sum(axis=1, keepdims=True)
    model = MLPClassifier((5,), **NUMBERS).fit(X, P)

    assert model.predict_proba(X).shape == (150, 2)
    with pytest.raises(ValueError, match="probabilities of 2 classes"):
        model.set_params(warm_start=True).fit(X, Y)


def test_partial_fit_takes_soft_labels_without_classes():
    model = MLPClassifier((5,), random_state=0)
    model.partial_fit(X, soft_targets()).partial_fit(X[:10], soft_targets()[:10])

    assert model.t_ == 160


@pytest.mark.parametrize("y", [BINARY, Y], ids=["binary", "multiclass"])
def test_label_smoothing_is_training_on_smoothed_probabilities(y):
    n_classes = y.max() + 1
    P = 0.8 * np.eye(n_classes)[y] + 0.2 / n_classes
    smoothed = MLPClassifier((), label_smoothing=0.2, solver="lbfgs", alpha=0, tol=1e-8)
    soft = MLPClassifier((), solver="lbfgs", alpha=0, tol=1e-8)
    for model, target in ((smoothed, y), (soft, P)):
        model.set_params(max_iter=5000).fit(X, target)

    np.testing.assert_allclose(smoothed.predict_proba(X), soft.predict_proba(X), atol=2e-3)
    assert smoothed.loss_ == pytest.approx(soft.loss_, abs=1e-5)


def test_smoothing_leaves_the_validation_loss_alone():
    model = MLPClassifier((5,), label_smoothing=0.3, **NUMBERS).fit(X, Y, X_val=X, y_val=Y)
    expected = -np.log(model.predict_proba(X)[np.arange(150), Y]).mean()

    assert model.history_["val_loss"].iloc[-1] == pytest.approx(expected)


TWO = np.stack([NAMES, np.where(X[:, 0] > 0, "long", "short")], axis=1)


@pytest.mark.parametrize("loss", ["log_loss", "focal"])
def test_several_targets_look_as_random_forests_have_them(loss):
    model = MLPClassifier((10,), loss=loss, **NUMBERS | {"max_iter": 150}).fit(X, TWO)
    forest = RandomForestClassifier(n_estimators=3).fit(X, TWO)

    for ours, theirs in zip(model.classes_, forest.classes_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    probabilities = model.predict_proba(X)
    assert [p.shape for p in probabilities] == [p.shape for p in forest.predict_proba(X)]
    for p, log_p in zip(probabilities, model.predict_log_proba(X), strict=True):
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_allclose(np.exp(log_p), p)
    assert model.predict(X).shape == forest.predict(X).shape
    assert (model.predict(X) == TWO).mean() > 0.9
    assert model.score(X, TWO) == (model.predict(X) == TWO).all(axis=1).mean()
    assert model.out_activation_ == "softmax"


def test_several_targets_work_everywhere():
    y = np.stack([Y, Y % 2 + (X[:, 1] > 0)], axis=1)
    model = MLPClassifier((8,), early_stopping=True, class_weight="balanced", **NUMBERS)
    scores = cross_val_score(
        make_pipeline(StandardScaler(), model), X, y, cv=3, error_score="raise"
    )
    model.fit(X.astype(np.float32), y, sample_weight=np.ones(150))
    copy = pickle.loads(pickle.dumps(clone(model).fit(X, y)))

    assert len(scores) == 3
    assert model.coefs_[0].dtype == np.float32
    assert copy.predict(X).shape == y.shape
    model = MLPClassifier((8,), label_smoothing=0.1, random_state=0)
    for start in range(0, 150, 50):
        part = slice(start, start + 50)
        model.partial_fit(X[part], y[part], classes=[[0, 1, 2], [0, 1, 2]])
    assert model.t_ == 150
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, y, classes=[[0, 1], [0, 1, 2]])
    with pytest.raises(ValueError, match="2 columns"):
        model.partial_fit(X, Y)


def test_focal_loss_with_gamma_zero_is_the_log_loss():
    for y in (BINARY, Y):
        focal = MLPClassifier((5,), loss=Focal(0.0), intercept_init="zero", **NUMBERS).fit(X, y)
        plain = MLPClassifier((5,), intercept_init="zero", **NUMBERS).fit(X, y)
        assert_same_weights(focal, plain, rtol=1e-6)


# One class.


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
