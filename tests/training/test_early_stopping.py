"""Early stopping: on which samples, for how long, and what follows."""

import time
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor

X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
X_TRAIN, X_VAL, Y_TRAIN, Y_VAL = train_test_split(X, Y, random_state=0)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
STOPPING = {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SHORT = {"early_stopping": True, "max_iter": 15, "random_state": 0}
XI, YI = load_iris(return_X_y=True)


@quiet
def test_given_samples_replace_the_split():
    model = MLPClassifier((10,), **STOPPING).fit(X_TRAIN, Y_TRAIN, X_val=X_VAL, y_val=Y_VAL)

    assert model.t_ == model.n_iter_ * len(X_TRAIN)
    assert model.best_validation_score_ == model.score(X_VAL, Y_VAL)
    assert max(model.validation_scores_) == model.best_validation_score_


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


@pytest.mark.parametrize(
    ("Estimator", "y", "y_val"),
    [
        (MLPRegressor, np.stack([YI, YI], 1), YI),
        (MLPRegressor, YI, np.stack([YI, YI], 1)),
        (MLPClassifier, np.eye(3, dtype=int)[YI], np.eye(3, dtype=int)[YI][:, :2]),
    ],
)
def test_targets_to_validate_on_must_have_the_same_outputs(Estimator, y, y_val):
    with pytest.raises(ValueError, match=r"y_val has \d outputs, but the estimator was"):
        Estimator((5,), max_iter=2).fit(XI, y, X_val=XI, y_val=y_val)


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


# Time.


def test_max_time_ends_the_training_with_the_epoch():
    model = MLPClassifier((200, 200), max_iter=100_000, max_time=0.2, n_iter_no_change=np.inf)
    begin = time.perf_counter()
    model.fit(X_TRAIN, Y_TRAIN)

    assert time.perf_counter() - begin >= 0.2  # the checks before the first epoch count, too
    assert model.history_["seconds"].iloc[:-1].sum() < 0.2


@quiet
def test_max_time_counts_validation_and_bounds_the_refit(monkeypatch):
    seconds = [0.0]  # a clock that only the scorer moves
    clock = SimpleNamespace(perf_counter=lambda: seconds[0])
    monkeypatch.setattr("sknn.solvers.stopping.time", clock)
    monkeypatch.setattr("sknn.training.training.time", clock)

    def slow(estimator, X, y):
        seconds[0] += 0.125
        return -estimator.loss_

    numbers = {"max_time": 0.5, "random_state": 0, "max_iter": 10**6, "n_iter_no_change": np.inf}
    model = MLPClassifier((5,), early_stopping=True, scoring=slow, **numbers).fit(X, Y)
    assert model.history_["seconds"].tolist() == [0.125] * 4
    with pytest.warns(ConvergenceWarning, match=r"max_time=0\.5 seconds were over after 1 of the"):
        model.set_params(refit_full=True).fit(X, Y)


# The refit.


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


def test_refit_full_excludes_given_samples():
    with pytest.raises(ValueError, match="refit_full=True trains again with the samples"):
        MLPRegressor(early_stopping=True, refit_full=True).fit(XR, YR, X_val=XR, y_val=YR)


@quiet
def test_the_refit_has_the_rates_of_the_first_run():
    numbers = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.01}
    model = MLPClassifier((10,), **numbers, **SHORT | {"max_iter": 60, "n_iter_no_change": 2})
    rates = model.fit(X, Y).history_["learning_rate"]
    again = model.set_params(refit_full=True).fit(X, Y).history_["learning_rate"]

    np.testing.assert_allclose(again, rates[: model.n_iter_])


@quiet
def test_interrupted_training_is_not_refitted():
    calls = []

    def interrupt(estimator, X, y):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return len(calls)

    model = MLPClassifier((5,), scoring=interrupt, refit_full=True, **SHORT)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, Y)
    assert len(calls) == 3
    assert model.n_iter_ == 2


# From call to call.


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
    loss = log_loss(Y_VAL, model.predict_proba(X_VAL))
    assert -loss == pytest.approx(max(scores), rel=1e-6)
    before = [coef.copy() for coef in model.coefs_]
    with pytest.warns(UserWarning, match="Early stopping has ended the training"):
        model.partial_fit(X_TRAIN, Y_TRAIN, **given)
    for array, expected in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_partial_fit_without_given_samples_cannot_stop_early():
    with pytest.raises(ValueError, match="pass X_val and y_val"):
        MLPClassifier(**STOPPING).partial_fit(X_TRAIN, Y_TRAIN, classes=[0, 1])


@quiet
def test_partial_fit_after_fit_begins_to_look_for_the_best_anew():
    model = MLPClassifier((5,), scoring="loss", **SHORT | {"n_iter_no_change": 2}).fit(X, Y)
    given = {"X_val": X[:100], "y_val": 1 - Y[:100]}  # gets worse and worse
    for _ in range(6):
        if not model.has_stopped_:
            model.partial_fit(X, Y, **given)

    assert model.has_stopped_
    scores = model.validation_scores_[15:]
    assert model.best_validation_score_ == max(scores)
    again = model.set_params(early_stopping=False).partial_fit(X, Y)
    assert not again.has_stopped_
