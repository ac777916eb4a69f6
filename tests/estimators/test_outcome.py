"""What a fit says of its result: whether it can be used, and whether it is of use."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES, Quantile
from tests.cases import make_targets, name_of

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
X = scale(X)
Y_SCALED = scale(Y)


# Finite predictions


def fits_finitely_or_says_so(model, X, y):
    try:
        return np.isfinite(model.fit(X, y).predict(X)).all()
    except ValueError as error:
        return "diverged" in str(error)


@quiet
@pytest.mark.parametrize("loss", ["gamma", "poisson", "tweedie", "gaussian", "squared_error"])
@pytest.mark.parametrize("unit", [1.0, 1e12])
@pytest.mark.parametrize("rate", [0.1, 10.0, 1e3])
def test_predictions_are_finite_or_the_fit_says_that_it_has_diverged(loss, unit, rate):
    numbers = {"learning_rate_init": rate, "normalization": "batch", "max_iter": 2}
    model = MLPRegressor((10,), loss=loss, random_state=0, **numbers)
    assert fits_finitely_or_says_so(model, X, Y * unit)


@quiet
def test_one_epoch_with_a_huge_decay_says_that_it_has_diverged():
    model = MLPRegressor((10, 10), solver="sgd", weight_decay=100.0, max_iter=1, random_state=0)
    assert fits_finitely_or_says_so(model, 1e8 * X, Y)


@quiet
def test_predictions_that_overflow_are_named():
    far = [np.zeros((10, 1))], [np.full(1, 1000.0)]  # exp(1000) is infinite
    model = MLPRegressor((), loss="gamma", initializer=far, max_iter=1, solver="sgd")
    with pytest.raises(ValueError, match="non-finite predictions"):
        model.fit(X, Y)


# A network that has learnt nothing


def test_a_dead_network_that_has_converged_is_told():
    model = MLPRegressor((20, 20), learning_rate_init=1.0, random_state=0)
    with pytest.warns(ConvergenceWarning, match="no better than a constant") as caught:
        model.fit(X, Y)

    assert abs(model.score(X, Y)) < 0.01
    assert any("dead" in str(warning.message) for warning in caught)


def test_a_network_whose_gradient_vanishes_is_told():
    model = MLPClassifier([10] * 12, "logistic", learning_rate_init=0.01, random_state=0)
    with pytest.warns(ConvergenceWarning, match="no better than a constant"):
        model.fit(*load_iris(return_X_y=True))


def test_a_network_that_has_hardly_begun_is_told_nothing():
    # As in scikit-learn's own tests, whose networks end after a few epochs.
    MLPRegressor((5,), tol=1e9, random_state=0).fit(X, Y)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_network_that_has_learnt_is_told_nothing(early_stopping):
    numbers = {"early_stopping": early_stopping, "learning_rate_init": 0.01, "max_iter": 2000}
    MLPRegressor((10,), random_state=0, **numbers).fit(X, Y_SCALED)  # warnings are errors here


def test_of_a_constant_there_is_nothing_to_learn():
    MLPRegressor((), solver="lbfgs", alpha=0.0).fit(X, np.full(len(X), 3.0))


# Where the intercepts of the output begin

LOSS_CASES = [*(LOSSES[name]() for name in LOSSES), Quantile([0.1, 0.5, 0.9])]


@pytest.mark.parametrize("loss", LOSS_CASES, ids=name_of)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_best_constant_is_the_best(loss, n_outputs):
    rng = np.random.default_rng(0)
    y = make_targets(loss, 301, n_outputs, rng).astype(float)
    weight = rng.random(301)
    constant = loss.best_constant(y, weight)

    def mean_loss(raw):
        scores = np.repeat(raw[:, np.newaxis], 301, axis=1)
        return np.average(loss.sample_values(scores, y.T), weights=weight)

    best = mean_loss(constant)
    is_exact = name_of(loss) not in ("Huber", "LogCosh")  # whose best is near the mean
    for k in range(len(constant)):
        for step in (-0.1, 0.1):
            moved = constant.copy()
            moved[k] += step
            if is_exact:
                assert mean_loss(moved) >= best - 1e-9


@quiet
@pytest.mark.parametrize("loss", ["gamma", "poisson", "tweedie"])
def test_intercepts_begin_at_the_link_of_the_weighted_mean(loss):
    weight = np.random.default_rng(0).random(len(Y))
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}
    model = MLPRegressor((3,), loss=loss, intercept_init="target", **numbers).fit(X, Y, weight)

    expected = np.log(np.average(Y, weights=weight))
    np.testing.assert_allclose(model.intercepts_[-1], expected, rtol=1e-6)
    np.testing.assert_allclose(
        model.set_params(intercept_init="zero").fit(X, Y).intercepts_[-1], 0, atol=1e-6
    )


@quiet
def test_by_default_only_losses_that_scikit_learn_lacks_begin_at_the_target():
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}

    def begin(loss, cls=MLPRegressor, y=Y, **others):
        return cls((3,), loss=loss, **numbers, **others).fit(X, y).intercepts_[-1]

    for loss in ("squared_error", "poisson"):
        assert abs(begin(loss)[0]) < 1
    np.testing.assert_allclose(begin("huber"), Y.mean(), rtol=1e-6)
    np.testing.assert_allclose(begin("gaussian"), [Y.mean(), np.log(Y.var())], rtol=1e-6)
    share = (Y > 250).mean()
    logit = np.log(share / (1 - share))
    np.testing.assert_allclose(begin("focal", MLPClassifier, Y > 250), logit, rtol=1e-6)
    assert abs(begin("log_loss", MLPClassifier, Y > 250)[0] - logit) > 0.1
    from_target = begin("log_loss", MLPClassifier, Y > 250, intercept_init="target")
    np.testing.assert_allclose(from_target, logit, rtol=1e-6)


@quiet
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
@pytest.mark.parametrize("kind", ["multiclass", "multilabel", "several"])
def test_classes_begin_at_their_shares(loss, kind):
    labels = np.digitize(Y, [100, 150])
    y = {
        "multiclass": labels,
        "multilabel": np.stack([labels == 0, Y > 200], 1).astype(int),
        "several": np.stack([labels, labels[::-1]], axis=1),
    }[kind]
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0, "solver": "sgd"}
    model = MLPClassifier((), loss=loss, intercept_init="target", **numbers).fit(X, y)
    model.coefs_ = [np.zeros_like(coef) for coef in model.coefs_]
    answer = model.predict_proba(X[:1])
    shares = np.bincount(labels) / len(labels)

    if kind == "multilabel":
        np.testing.assert_allclose(answer[0], y.mean(axis=0), rtol=1e-6)
    else:
        for part in answer if kind == "several" else [answer]:
            np.testing.assert_allclose(part[0], shares, rtol=1e-6)


@quiet
def test_large_counts_are_learnt_from_the_target():
    y = np.exp(12 + 0.5 * X[:, 2] + 0.2 * X[:, 8])  # near 2e5
    numbers = {"loss": "poisson", "random_state": 0, "max_iter": 500, "learning_rate_init": 0.01}
    model = MLPRegressor((10,), intercept_init="target", **numbers).fit(X, y)

    assert model.score(X, y) > 0.9


@quiet
def test_given_arrays_are_left_alone():
    arrays = [np.zeros((10, 1))], [np.full(1, 7.0)]
    numbers = {"max_iter": 1, "learning_rate_init": 1e-12, "solver": "sgd"}
    model = MLPRegressor((), loss="huber", initializer=arrays, **numbers).fit(X, Y)

    np.testing.assert_allclose(model.intercepts_[-1], 7.0)


@quiet
def test_a_refit_does_not_go_back_again():
    numbers = {"solver": "sgd", "learning_rate_init": 30.0, "random_state": 0}
    stopping = {"early_stopping": True, "on_divergence": "recover"}
    first = MLPRegressor((20,), **numbers, **stopping).fit(X, Y_SCALED)
    again = MLPRegressor((20,), refit_full=True, **numbers, **stopping).fit(X, Y_SCALED)
    rates = again.history_["learning_rate"]

    assert rates.max() <= first.history_["learning_rate"].iloc[first.n_iter_ - 5]
    assert again.score(X, Y_SCALED) > first.score(X, Y_SCALED) - 0.1


@quiet
def test_recovery_goes_on_from_call_to_call_of_partial_fit():
    numbers = {"solver": "sgd", "learning_rate_init": 50.0, "random_state": 0}
    model = MLPRegressor((8,), on_divergence="recover", **numbers)
    for _ in range(40):
        model.partial_fit(X, Y_SCALED)

    assert model.score(X, Y_SCALED) > 0.3


# Batches of one row


@quiet
def test_batch_normalization_of_single_rows_is_refused():
    model = MLPRegressor((5,), normalization="batch", batch_size=1)
    with pytest.raises(ValueError, match="normalization='batch' needs batches of at least two"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match="pass more rows to partial_fit"):
        MLPRegressor((5,), normalization="batch").partial_fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="needs batches of at least two"):
        MLPRegressor((5,), normalization="batch").fit(X[:1], Y[:1])
    MLPRegressor((5,), normalization="batch", batch_size=10, max_iter=1).fit(X[:31], Y[:31])


# Scorers that do not serve


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
        MLPRegressor((5,), early_stopping=True, scoring=scoring, max_iter=2).fit(X, Y)


@pytest.mark.parametrize(
    ("Estimator", "scoring", "y"),
    [
        (MLPRegressor, "neg_log_loss", Y),
        (MLPRegressor, "roc_auc", Y),
        (MLPClassifier, "accuracy", np.stack([Y / 400, 1 - Y / 400], axis=1)),
        (MLPClassifier, "f1", np.digitize(Y, [100, 150])),
    ],
)
def test_a_scorer_that_does_not_serve_is_refused_before_training(Estimator, scoring, y):
    seen = []

    def schedule(epoch):
        seen.append(epoch)
        return 1.0

    model = Estimator((5,), scoring=scoring, early_stopping=True, learning_rate=schedule)
    with pytest.raises(ValueError, match=f"scoring='{scoring}' cannot score this estimator"):
        model.fit(X, y)
    assert not seen


# The diagnosis


@quiet
def test_the_diagnosis_of_the_largest_numbers_is_finite():
    with pytest.raises(ValueError, match="X is not scaled") as caught:
        MLPRegressor((5,), max_iter=3, solver="sgd").fit(1e300 * X, Y)

    assert "inf" not in str(caught.value).replace("infinity", "").split("X is not scaled")[1]


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_the_scale_of_counts_is_named(loss):
    with pytest.warns(
        ConvergenceWarning, match="not scaled for a logarithmic link: its mean is"
    ) as c:
        MLPRegressor((5,), loss=loss, max_iter=2, random_state=0).fit(X, 1e6 * Y)

    says_intercept = "intercept_init='target'" in str(c[0].message)
    assert says_intercept is (loss == "poisson")  # gamma begins there


def test_targets_of_very_different_spread_are_named():
    y = np.stack([Y_SCALED, 1e-3 * Y_SCALED], axis=1)
    with pytest.warns(ConvergenceWarning, match=r"different spread: .* from 0\.001 to 1"):
        MLPRegressor((5,), max_iter=2, random_state=0).fit(X, y)
