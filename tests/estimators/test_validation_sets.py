"""Early stopping: on which samples, by which score, for how long."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor

X, Y = load_breast_cancer(return_X_y=True)
X_TRAIN, X_VAL, Y_TRAIN, Y_VAL = train_test_split(scale(X), Y, random_state=0)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
STOPPING = {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@quiet
def test_given_samples_replace_the_split():
    model = MLPClassifier((10,), **STOPPING).fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL)

    assert model.t_ == model.n_iter_ * len(X_TRAIN)
    assert model.best_validation_score_ == model.score(X_VAL, Y_VAL)
    assert max(model.validation_scores_) == model.best_validation_score_


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


@quiet
def test_weights_of_given_samples_count():
    weight = np.where(Y_VAL == 1, 5.0, 1.0)
    model = MLPClassifier((10,), **STOPPING)
    model.fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL, sample_weight_val=weight)

    expected = model.score(X_VAL, Y_VAL, sample_weight=weight)
    assert model.best_validation_score_ == pytest.approx(expected)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X_val": X_VAL}, "belong together"),
        ({"y_val": Y_VAL}, "belong together"),
        ({"sample_weight_val": np.ones(3)}, "sample_weight_val needs X_val and y_val"),
        ({"X_val": X_VAL[:, :3], "y_val": Y_VAL}, "3 features"),
        ({"X_val": X_VAL, "y_val": Y_VAL[:-1]}, "inconsistent"),
        ({"X_val": X_VAL, "y_val": Y_VAL + 5}, "not in `self.classes_`"),
    ],
)
def test_samples_to_validate_on_are_checked(given, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier(**STOPPING).fit(X_TRAIN, Y_TRAIN, **given)


@quiet
def test_names_of_features_are_checked_there_too():
    names = [f"f{i}" for i in range(X.shape[1])]
    train, held_out = pd.DataFrame(X_TRAIN, columns=names), pd.DataFrame(X_VAL, columns=names)
    MLPClassifier(max_iter=2).fit(train, Y_TRAIN, X_val=held_out, y_val=Y_VAL)

    with pytest.raises(ValueError, match="feature names"):
        MLPClassifier().fit(train, Y_TRAIN, X_val=held_out[names[::-1]], y_val=Y_VAL)


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


def test_max_time_ends_the_training_with_the_epoch():
    model = MLPClassifier((200, 200), max_iter=100_000, max_time=0.2, n_iter_no_change=np.inf)
    begin = time.perf_counter()
    model.fit(X_TRAIN, Y_TRAIN)

    assert time.perf_counter() - begin >= 0.2  # the checks before the first epoch count, too
    assert model.history_["seconds"].iloc[:-1].sum() < 0.2


@quiet
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_refit_full_trains_on_all_rows_for_the_best_number_of_epochs(solver):
    found = MLPClassifier((10,), solver=solver, **STOPPING).fit(X_TRAIN, Y_TRAIN)
    best = int(np.argmax(found.validation_scores_)) + 1
    model = MLPClassifier((10,), solver=solver, refit_full=True, **STOPPING).fit(X_TRAIN, Y_TRAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        numbers = STOPPING | {"early_stopping": False, "max_iter": best}
        expected = MLPClassifier((10,), solver=solver, **numbers).fit(X_TRAIN, Y_TRAIN)

    assert model.n_iter_ == best
    assert model.validation_scores_ == found.validation_scores_
    for array, other in zip(model.coefs_, expected.coefs_, strict=True):
        np.testing.assert_array_equal(array, other)


def test_refit_full_needs_early_stopping():
    with pytest.raises(ValueError, match="refit_full=True needs early_stopping=True"):
        MLPClassifier(refit_full=True).fit(X_TRAIN, Y_TRAIN)


@quiet
def test_schedules_keep_their_span_in_the_refit():
    model = MLPClassifier((10,), refit_full=True, learning_rate="cosine", **STOPPING)
    model.fit(X_TRAIN, Y_TRAIN)
    expected = 0.005 * (1 + np.cos(np.pi * np.arange(model.n_iter_) / 60))

    np.testing.assert_allclose(model.history_["learning_rate"], expected)


@quiet
def test_in_a_search_and_a_pipeline_with_metadata_routing():
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier((5,), scoring="loss", **STOPPING | {"max_iter": 5})
        model.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), model)
        search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.0, 1.0]}, cv=2)
        search.fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL)

    best = search.best_estimator_[-1]
    assert len(best.validation_scores_) == 5
    assert best.t_ == 5 * len(X_TRAIN)


@quiet
def test_partial_fit_stops_early_on_given_samples():
    numbers = STOPPING | {"n_iter_no_change": 3, "tol": 1e-3}
    model = MLPClassifier((10,), scoring="loss", **numbers)
    given = {"X_val": X_VAL, "y_val": Y_VAL}
    for _ in range(500):
        model.partial_fit(X_TRAIN, Y_TRAIN, classes=[0, 1], **given)
        if model.has_stopped_:
            break

    scores = model.validation_scores_
    assert len(scores) < 500
    assert model.best_validation_score_ == max(scores)
    assert SCORINGS["loss"](model) == pytest.approx(max(scores), rel=1e-6)
    before = [coef.copy() for coef in model.coefs_]
    with pytest.warns(UserWarning, match="Early stopping has ended the training"):
        model.partial_fit(X_TRAIN, Y_TRAIN, **given)
    for array, expected in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_partial_fit_without_given_samples_cannot_stop_early():
    with pytest.raises(ValueError, match="pass X_val and y_val"):
        MLPClassifier(**STOPPING).partial_fit(X_TRAIN, Y_TRAIN, classes=[0, 1])
