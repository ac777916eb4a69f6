"""Scores on samples that are not trained on: which, of what, and when they do not serve."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor

X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
X_TRAIN, X_VAL, Y_TRAIN, Y_VAL = train_test_split(X, Y, random_state=0)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
STOPPING = {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SHORT = {"early_stopping": True, "max_iter": 15, "random_state": 0}


@quiet
def test_given_samples_are_only_recorded_without_early_stopping():
    numbers = {"max_iter": 7, "random_state": 0}
    plain = MLPClassifier((10,), **numbers).fit(X_TRAIN, Y_TRAIN)
    watched = MLPClassifier((10,), **numbers).fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL)

    for array, expected in zip(watched.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(array, expected)
    assert watched.best_loss_ == plain.best_loss_
    assert watched.best_validation_score_ is None
    assert watched.validation_scores_[-1] == watched.score(X_VAL, Y_VAL)
    history = watched.history_
    expected = log_loss(Y_VAL, watched.predict_proba(X_VAL))
    assert history["val_loss"].iloc[-1] == pytest.approx(expected, rel=1e-6)
    assert plain.history_["val_loss"].isna().all()


SCORINGS = {
    "loss": lambda m: -log_loss(Y_VAL, m.predict_proba(X_VAL)),
    "roc_auc": lambda m: roc_auc_score(Y_VAL, m.predict_proba(X_VAL)[:, 1]),
    "scorer": lambda m: f1_score(Y_VAL, m.predict(X_VAL)),
    "callable": lambda m: float(m.predict_proba(X_VAL)[:, 1].mean()),
}


@quiet
@pytest.mark.parametrize("name", SCORINGS)
def test_any_score_decides_the_best_epoch(name):
    scoring = {
        "scorer": make_scorer(f1_score),
        "callable": lambda estimator, X, y: float(estimator.predict_proba(X)[:, 1].mean()),
    }.get(name, name)
    model = MLPClassifier((10,), scoring=scoring, **STOPPING)
    model.fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL)

    assert model.best_validation_score_ == pytest.approx(SCORINGS[name](model), rel=1e-6)
    assert max(model.validation_scores_) == model.best_validation_score_


@quiet
def test_scorers_see_the_labels_and_weights_of_the_split():
    seen = []

    def spy(estimator, X, y, sample_weight):
        seen.append((len(X), set(y), sample_weight.sum()))
        return 0.5

    labels = np.where(Y_TRAIN == 1, "benign", "malignant")
    model = MLPClassifier((5,), scoring=spy, **STOPPING | {"max_iter": 2})
    model.fit(X_TRAIN, labels, sample_weight=np.full(len(labels), 2.0))

    n = int(np.ceil(0.1 * len(labels)))
    assert seen == [(n, {"benign", "malignant"}, 2.0 * n)] * 2


@quiet
def test_a_regressor_watches_any_score():
    model = MLPRegressor((10,), scoring="neg_mean_absolute_error", **STOPPING)
    model.fit(XR[100:], YR[100:], X_val=XR[:100], y_val=YR[:100])

    scorer = get_scorer("neg_mean_absolute_error")
    assert model.best_validation_score_ == pytest.approx(scorer(model, XR[:100], YR[:100]))


@quiet
def test_lbfgs_watches_scores_as_well():
    model = MLPClassifier((10,), solver="lbfgs", scoring="loss", **STOPPING).fit(
        X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL
    )

    assert model.best_validation_score_ == pytest.approx(SCORINGS["loss"](model), rel=1e-6)


def test_unknown_scores_are_refused():
    with pytest.raises(ValueError, match="rock_auc"):
        MLPClassifier(scoring="rock_auc", **STOPPING).fit(X_TRAIN, Y_TRAIN)


def make_imbalanced(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((4000, 20))
    z = X @ rng.standard_normal(20) * 2 / np.sqrt(20) + 0.25 * rng.logistic(size=4000)
    return X, z > np.quantile(z, 0.975)


@pytest.mark.parametrize("seed", range(5))
def test_on_imbalanced_data_the_loss_finds_what_accuracy_does_not_see(seed):
    X, y = make_imbalanced(seed)
    train, test = slice(0, 3000), slice(3000, 4000)

    def auc(scoring):
        model = MLPClassifier(early_stopping=True, scoring=scoring, random_state=seed)
        model.fit(X[train], y[train])
        return roc_auc_score(y[test], model.predict_proba(X[test])[:, 1])

    with pytest.warns(UserWarning, match=r"accuracy, which never exceeded 0\.97.*scoring='loss'"):
        blind = auc(None)
    assert blind < 0.7
    assert auc("loss") > 0.95


@quiet
def test_balanced_classes_are_not_warned_about():
    MLPClassifier((10,), **STOPPING).fit(X_TRAIN, Y_TRAIN)
    MLPClassifier((10,), **STOPPING).fit(X_TRAIN, np.ones(len(X_TRAIN)))


def test_scorers_work_with_frames_without_a_warning():
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier((5,), scoring="roc_auc", **SHORT).fit(frame, Y)


@quiet
@pytest.mark.parametrize("weight", [None, np.ones(len(Y))])
def test_scorers_without_weights_work_with_weights(weight):
    model = MLPClassifier((5,), class_weight="balanced", **SHORT)
    model.set_params(scoring=lambda estimator, X, y: estimator.score(X, y)).fit(X, Y, weight)

    assert len(model.validation_scores_) == model.n_iter_


@quiet
def test_a_score_that_is_never_a_number_is_warned_about():
    model = MLPClassifier((5,), **SHORT | {"max_iter": 3})
    with pytest.warns(ConvergenceWarning, match="gave no number in any epoch"):
        model.set_params(scoring=lambda estimator, X, y: np.nan).fit(X, Y)


# Scorers that do not serve.


DISEASE = load_diabetes(return_X_y=True)[1]


@quiet
@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (lambda y, predicted: 1.0, r"must be a function scoring\(estimator, X, y\)"),
        (lambda estimator, X, y: {"a": 1}, "must return a number; it returned {'a': 1}"),
        (lambda estimator, X, y: "x", "must return a number; it returned 'x'"),
    ],
)
def test_functions_that_are_no_scorers_are_named(scoring, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor((5,), early_stopping=True, scoring=scoring, max_iter=2).fit(XR, DISEASE)


@pytest.mark.parametrize(
    ("Estimator", "scoring", "y"),
    [
        (MLPRegressor, "neg_log_loss", DISEASE),
        (MLPRegressor, "roc_auc", DISEASE),
        (MLPClassifier, "accuracy", np.stack([DISEASE / 400, 1 - DISEASE / 400], axis=1)),
        (MLPClassifier, "f1", np.digitize(DISEASE, [100, 150])),
    ],
)
def test_a_scorer_that_does_not_serve_is_refused_before_training(Estimator, scoring, y):
    seen = []

    def schedule(epoch):
        seen.append(epoch)
        return 1.0

    model = Estimator((5,), scoring=scoring, early_stopping=True, learning_rate=schedule)
    with pytest.raises(ValueError, match=f"scoring='{scoring}' cannot score this estimator"):
        model.fit(XR, y)
    assert not seen


@quiet
def test_samples_at_which_outputs_overflow_have_no_score():
    model = MLPRegressor((), solver="sgd", max_iter=2, learning_rate_init=1e-9, random_state=0)
    model.fit(X, X[:, 0], X_val=np.full_like(X, 1.7e308), y_val=X[:, 0])

    assert not np.isfinite(model.validation_scores_).any()
