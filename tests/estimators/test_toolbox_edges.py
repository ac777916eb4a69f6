"""The toolbox where features, containers and calls meet."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.losses import Focal, Huber, Quantile
from sknn.schedules import Schedule

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
XI, YI = load_iris(return_X_y=True)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
STOPPING = {"early_stopping": True, "max_iter": 15, "random_state": 0}
P = 0.8 * np.eye(3)[YI] + 0.2 / 3


@quiet
@pytest.mark.parametrize("n", [1, 5, 33, 40, 63, 64, 100])
def test_adaptive_batches_take_any_number_of_samples(n):
    model = MLPRegressor((5,), batch_size="adaptive", max_iter=20, random_state=0)
    model.fit(XR[:n], YR[:n])

    assert model.history_["batch_size"].max() <= max(32, n / 2)


@quiet
@pytest.mark.parametrize("n", [50, 300])
def test_the_range_test_works_with_partial_fit(n):
    model = MLPRegressor((5,), learning_rate_init="auto", random_state=0)
    rate = model.partial_fit(XR[:n], YR[:n]).learning_rate_
    model.partial_fit(XR[:n], YR[:n])

    assert model.learning_rate_ == rate > 1e-5


@quiet
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_loss_that_is_changed_between_calls_counts(method):
    y = np.exp(YR)
    model = MLPRegressor((5,), warm_start=True, max_iter=5, random_state=0).fit(XR, y)
    getattr(model.set_params(loss="poisson"), method)(XR, y)
    assert model.out_activation_ == "exp"

    model = MLPClassifier((5,), warm_start=True, max_iter=5, random_state=0).fit(X, Y)
    getattr(model.set_params(label_smoothing=0.2), method)(X, Y)
    p = model.predict_proba(X)
    soft = 0.8 * np.eye(2)[Y] + 0.1
    assert model.loss_ == pytest.approx(-(soft * np.log(p)).sum(axis=1).mean(), rel=0.1)


@quiet
def test_normalization_cannot_change_between_calls():
    model = MLPRegressor((5,), warm_start=True, max_iter=2).fit(XR, YR)
    with pytest.raises(ValueError, match="normalization='batch' differs from the fitted network"):
        model.set_params(normalization="batch").fit(XR, YR)


@quiet
def test_what_is_fitted_does_not_follow_set_params():
    model = MLPRegressor((5,), loss=Quantile([0.1, 0.9]), max_iter=2, tol=9).fit(XR, YR)
    before = model.score(XR, YR)
    model.set_params(loss__level=[0.2, 0.3, 0.4])

    assert model.predict(XR).shape == (442, 2)
    assert model.score(XR, YR) == before


def test_scorers_work_with_frames_without_a_warning():
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        MLPClassifier((5,), scoring="roc_auc", **STOPPING).fit(frame, Y)


@quiet
@pytest.mark.parametrize("weight", [None, np.ones(len(Y))])
def test_scorers_without_weights_work_with_weights(weight):
    model = MLPClassifier((5,), class_weight="balanced", **STOPPING)
    model.set_params(scoring=lambda estimator, X, y: estimator.score(X, y)).fit(X, Y, weight)

    assert len(model.validation_scores_) == model.n_iter_


@quiet
def test_a_score_that_is_never_a_number_is_warned_about():
    model = MLPClassifier((5,), **STOPPING | {"max_iter": 3})
    with pytest.warns(ConvergenceWarning, match="gave no number in any epoch"):
        model.set_params(scoring=lambda estimator, X, y: np.nan).fit(X, Y)


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


@pytest.mark.parametrize("rate", [0.6, 1.0, 5.0, 20.0])
@pytest.mark.parametrize("scoring", [None, "neg_mean_squared_error"])
@quiet
def test_recovery_never_returns_garbage(rate, scoring):
    numbers = {"solver": "sgd", "learning_rate_init": rate, "max_iter": 30, "random_state": 0}
    stopping = {"early_stopping": scoring is not None, "scoring": scoring}
    model = MLPRegressor((20, 20), on_divergence="recover", **numbers, **stopping)
    try:
        model.fit(XR[:200], YR[:200])
    except ValueError:  # says that training has diverged
        return
    assert model.loss_ < 100
    assert model.score(XR[:200], YR[:200]) > -100


@quiet
def test_soft_labels_of_any_container_and_hardness():
    model = MLPClassifier((5,), max_iter=30, random_state=0).fit(XI, pd.DataFrame(P))
    hard = np.eye(3)[YI]

    assert model.score(XI, hard) == model.score(XI, P.tolist()) == model.score(XI, YI)
    model.fit(XI, P, X_val=XI, y_val=hard)
    model.partial_fit(XI, hard)
    MLPClassifier((5,)).partial_fit(XI, P.tolist()).partial_fit(XI, hard)
    MLPClassifier((5,), max_iter=2).fit(XI, P.round(4))
    with pytest.raises(ValueError, match="its rows sum to 1; row 0 sums to 2"):
        MLPClassifier((5,)).fit(XI, 2 * P)


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


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLPClassifier(loss=Huber()), "'loss' parameter of MLPClassifier must be"),
        (MLPClassifier(loss=Quantile([0.1, 0.5])), "'loss' parameter of MLPClassifier must be"),
        (MLPRegressor(loss=Focal()), "'loss' parameter of MLPRegressor must be"),
        (MLPRegressor(scoring="rr2"), "Did you mean 'r2'"),
        (MLPRegressor(learning_rate=Schedule), "'learning_rate' parameter .* must be"),
        (MLPRegressor(refit_full=True, early_stopping=True, warm_start=True), "excludes warm_st"),
        (MLPRegressor(initializer=([[["a"]]], [[0.0]])), "needs arrays of numbers"),
        (MLPRegressor((), initializer=([np.full((10, 1), np.nan)], [[0.0]])), "contains NaN"),
    ],
)
def test_what_does_not_fit_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(XR, YR > 0)


@quiet
def test_initial_arrays_may_be_nested_lists():
    coefs = [np.ones((10, 1)).tolist()]
    model = MLPRegressor((), initializer=(coefs, [[0.0]]), max_iter=1, tol=9, random_state=0)

    np.testing.assert_allclose(model.fit(XR, YR).coefs_[0], 1, atol=0.01)


def test_refit_full_excludes_given_samples():
    with pytest.raises(ValueError, match="refit_full=True trains again with the samples"):
        MLPRegressor(early_stopping=True, refit_full=True).fit(XR, YR, X_val=XR, y_val=YR)


@quiet
def test_the_refit_has_the_rates_of_the_first_run():
    numbers = {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.01}
    model = MLPClassifier((10,), **numbers, **STOPPING | {"max_iter": 60, "n_iter_no_change": 2})
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

    model = MLPClassifier((5,), scoring=interrupt, refit_full=True, **STOPPING)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(X, Y)
    assert len(calls) == 3
    assert model.n_iter_ == 2


@quiet
def test_partial_fit_after_fit_begins_to_look_for_the_best_anew():
    model = MLPClassifier((5,), scoring="loss", **STOPPING | {"n_iter_no_change": 2}).fit(X, Y)
    given = {"X_val": X[:100], "y_val": 1 - Y[:100]}  # gets worse and worse
    for _ in range(6):
        if not model.has_stopped_:
            model.partial_fit(X, Y, **given)

    assert model.has_stopped_
    scores = model.validation_scores_[15:]
    assert model.best_validation_score_ == max(scores)
    again = model.set_params(early_stopping=False).partial_fit(X, Y)
    assert not again.has_stopped_


class Odd(Schedule):
    """Gives no number in the third epoch."""

    def multiplier(self, epoch, n_epochs, n_samples_seen):
        return np.nan if epoch == 2 else 1.0


def test_a_schedule_that_gives_no_number_is_named():
    with pytest.raises(ValueError, match="for epoch 2 Odd gave nan"):
        MLPRegressor((5,), learning_rate=Odd()).fit(XR, YR)


@pytest.mark.parametrize("value", [-1, np.inf, np.nan])
def test_a_function_of_the_epoch_must_give_a_finite_number(value):
    with pytest.raises(ValueError, match="a finite number of at least 0; for epoch 0"):
        MLPRegressor((5,), learning_rate=lambda epoch: value).fit(XR, YR)


def test_an_error_of_a_function_of_the_epoch_is_raised():
    with pytest.raises(ZeroDivisionError):
        MLPRegressor((5,), learning_rate=lambda epoch: 1 / (2 - epoch)).fit(XR, YR)


@pytest.mark.parametrize(
    ("weights", "y", "message"),
    [
        ({0: np.inf}, YI, "finite weights of at least 0; got inf for 0"),
        ({0: "a"}, YI, "got 'a' for 0"),
        ({0: 0.0, 1: 0.0, 2: 0.0}, YI, "leaves no sample with a weight"),
        ([{0: 1.0}], YI, "is a list, for several targets; y has one"),
        ([{0: -1.0}, {}], np.stack([YI, YI], 1), "at least 0; got -1"),
    ],
)
def test_wrong_class_weights_are_refused(weights, y, message):
    with pytest.raises(ValueError, match=message):
        MLPClassifier((5,), class_weight=weights).fit(XI, y)


def test_balanced_weights_need_all_samples():
    with pytest.raises(ValueError, match="for partial_fit give the weights as a dict"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1])


@pytest.mark.parametrize("warmup", [0, 2])
def test_a_schedule_that_has_run_to_its_end_needs_no_warning(warmup):
    model = MLPRegressor((5,), learning_rate="cosine", warmup=warmup, max_iter=5, random_state=0)

    assert model.fit(XR, YR).n_iter_ == 5  # warnings are errors here


def test_warnings_point_at_the_users_line():
    model = MLPClassifier((5,), max_iter=2)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, Y)

    assert caught[0].filename == __file__


@quiet
def test_arrays_may_hold_the_rates_of_dropout():
    model = MLPClassifier((5, 4), dropout=np.array([0.1, 0.2]), max_iter=2).fit(X, Y)

    assert model.summary().count("Dropout") == 2
