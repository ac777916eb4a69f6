"""Weights of classes, soft labels, smoothing, and several targets of many classes."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.class_weight import compute_sample_weight

from sknn import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = scale(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
BINARY = (Y == 2).astype(int)
NUMBERS = {"max_iter": 15, "learning_rate_init": 0.01, "random_state": 0}


def assert_same_weights(model, expected, rtol=1e-10):
    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=rtol, atol=1e-14)


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
    from sknn.losses import Focal

    for y in (BINARY, Y):
        focal = MLPClassifier((5,), loss=Focal(0.0), intercept_init="zero", **NUMBERS).fit(X, y)
        plain = MLPClassifier((5,), intercept_init="zero", **NUMBERS).fit(X, y)
        assert_same_weights(focal, plain, rtol=1e-6)
