"""The losses of MLPRegressor and its answers."""

import pickle
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.metrics import d2_pinball_score, make_scorer, mean_pinball_loss, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPRegressor, lockstep
from sknn._constraints import InvalidParameterError
from sknn.losses import LOSSES, Huber, Loss, Quantile

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X), scale(Y)
NUMBERS = {"max_iter": 20, "learning_rate_init": 0.01, "random_state": 0}
LEVELS = [0.1, 0.5, 0.9]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_each_loss_works_everywhere(loss, dtype, n_outputs):
    y = np.exp(Y) if n_outputs == 1 else np.exp(np.stack([Y, X[:, 2]], axis=1))
    model = MLPRegressor((8,), loss=loss, early_stopping=True, **NUMBERS)
    pipeline = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(pipeline, {"mlpregressor__alpha": [0.0, 1.0]}, cv=2, error_score="raise")
    search.fit(X.astype(dtype), y.astype(dtype), mlpregressor__sample_weight=np.ones(len(y)))
    copy = pickle.loads(pickle.dumps(search))

    assert search.best_estimator_[-1].coefs_[0].dtype == dtype
    assert search.predict(X).shape == y.shape
    np.testing.assert_array_equal(copy.predict(X), search.predict(X))
    assert clone(model).loss == loss


def test_loss_changes_the_model():
    predictions = [
        MLPRegressor((8,), loss=loss, **NUMBERS).fit(X, np.exp(Y)).predict(X[:3]) for loss in LOSSES
    ]

    assert len({tuple(p) for p in predictions}) == len(LOSSES)


def test_a_quantile_is_exceeded_by_its_share():
    for level in (0.2, 0.8):
        model = MLPRegressor(
            (), loss=Quantile(level), max_iter=2000, **{"learning_rate_init": 0.01}
        )
        model.set_params(random_state=0, alpha=0, tol=1e-6).fit(X, Y)
        assert np.mean(model.predict(X) >= Y) == pytest.approx(level, abs=0.02)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_several_quantiles_do_not_cross(n_outputs):
    y = Y if n_outputs == 1 else np.stack([Y, -2 * Y], axis=1)
    model = MLPRegressor((20,), loss=Quantile(LEVELS), max_iter=300, learning_rate_init=0.01)
    model.set_params(random_state=0).fit(X, y)
    predicted = model.predict(X)

    assert predicted.shape == (*y.shape, 3)
    assert (np.diff(predicted, axis=-1) > 0).all()
    assert model.n_outputs_ == n_outputs
    share = (predicted >= y[..., np.newaxis]).mean(axis=0)
    np.testing.assert_allclose(share, np.broadcast_to(LEVELS, share.shape), atol=0.12)


def test_several_quantiles_are_scored_by_the_pinball_loss():
    numbers = NUMBERS | {"max_iter": 60}
    model = MLPRegressor((8,), loss=Quantile(LEVELS), early_stopping=True, **numbers).fit(X, Y)
    predicted = model.predict(X)
    expected = [d2_pinball_score(Y, predicted[:, k], alpha=q) for k, q in enumerate(LEVELS)]

    assert model.score(X, Y) == pytest.approx(np.mean(expected))
    watched = MLPRegressor((8,), loss=Quantile(LEVELS), **numbers).fit(X, Y, X_val=X, y_val=Y)
    assert watched.validation_scores_[-1] == pytest.approx(watched.score(X, Y))
    loss = sum(
        mean_pinball_loss(Y, watched.predict(X)[:, k], alpha=q) for k, q in enumerate(LEVELS)
    )
    assert watched.history_["val_loss"].iloc[-1] == pytest.approx(loss)


def test_gaussian_returns_standard_deviations():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (4000, 1))
    y = x[:, 0] + (0.1 + 0.4 * (x[:, 0] > 0)) * rng.standard_normal(4000)
    model = MLPRegressor((20,), loss="gaussian", max_iter=200, learning_rate_init=0.01)
    model.set_params(random_state=0).fit(x, y)
    mean, std = model.predict(np.array([[-0.5], [0.5]]), return_std=True)

    np.testing.assert_allclose(mean, [-0.5, 0.5], atol=0.06)
    np.testing.assert_allclose(std, [0.1, 0.5], rtol=0.15)
    np.testing.assert_array_equal(model.predict(x), model.predict(x, return_std=True)[0])


def test_standard_deviations_of_several_outputs():
    y = np.stack([Y, X[:, 2]], axis=1)
    mean, std = MLPRegressor((8,), loss="gaussian", **NUMBERS).fit(X, y).predict(X, return_std=True)

    assert mean.shape == std.shape == y.shape
    assert (std > 0).all()
    with pytest.raises(ValueError, match="needs a network fitted with loss='gaussian'"):
        MLPRegressor((8,), **NUMBERS).fit(X, Y).predict(X, return_std=True)


class Asymmetric(Loss):
    """Squared error, three times as large where the prediction is too low."""

    def gradient(self, raw, target, weight, record, scratch, *constants):
        np.subtract(raw, target, record)
        np.multiply(record, np.where(record < 0, 3, 1) * weight, raw)

    def values(self, record, target, scratch, *constants):
        return (np.where(record < 0, 3, 1) * record**2 / 2).sum(axis=-2)

    def inverse_link(self, raw):
        pass


def test_a_loss_of_ones_own_is_a_subclass():
    own = MLPRegressor((8,), loss=Asymmetric(), **NUMBERS | {"max_iter": 200}).fit(X, Y)
    plain = MLPRegressor((8,), **NUMBERS | {"max_iter": 200}).fit(X, Y)

    assert own.predict(X).mean() > plain.predict(X).mean() + 0.2


def test_numbers_of_a_loss_are_searched():
    network = MLPRegressor((8,), loss=Huber(), **NUMBERS)
    model = TransformedTargetRegressor(network, transformer=StandardScaler())
    search = GridSearchCV(model, {"regressor__loss__delta": [0.1, 1.0]}, cv=2).fit(X, Y)

    assert len(set(search.cv_results_["mean_test_score"])) == 2


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (Huber(0), r"'delta' parameter of Huber must be a float in the range \(0, inf\). Got 0"),
        (Quantile([0.9, 0.1]), "'level' parameter of Quantile must be .* rising order"),
        (Quantile(1.0), "'level' parameter of Quantile"),
        ("hubber", "Did you mean 'huber'?"),
    ],
)
def test_wrong_losses_are_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        MLPRegressor(loss=loss).fit(X, Y)


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


@pytest.mark.parametrize("weight", [None, np.arange(442.0)])
@pytest.mark.parametrize("loss", ["squared_error", "gaussian", "quantile"])
def test_the_score_of_single_predictions_is_r2(loss, weight):
    y = np.stack([Y, X[:, 2]], axis=1)
    model = MLPRegressor((5,), loss=loss, **NUMBERS).fit(X, y)
    expected = pytest.approx(r2_score(y, model.predict(X), sample_weight=weight))

    assert model.score(X, y, weight) == expected
    assert model.score(X, y.tolist(), weight) == expected


def test_means_and_deviations_are_a_pair_that_no_tool_takes_for_an_array():
    pair = MLPRegressor((5,), loss="gaussian", **NUMBERS).fit(X, Y).predict(X, return_std=True)

    assert isinstance(pair, tuple)
    assert len(pair) == 2
    with pytest.raises(AttributeError, match="ask the network itself"):
        _ = pair.ndim


def test_the_score_has_no_unit():
    model = MLPRegressor((), solver="lbfgs", max_iter=5).fit(X, Y)
    score = model.score(X, Y)
    for array in model.coefs_ + model.intercepts_:
        array *= 1e200

    assert model.score(X, 1e200 * Y) == pytest.approx(score)


def test_a_loss_that_is_none_is_named():
    with pytest.raises(ValueError, match="The 'loss' parameter"):
        MLPRegressor(loss=np.array([])).fit(X, Y)
    with pytest.raises(NotFittedError):
        MLPRegressor(loss=np.array([])).predict(X)


def test_quantile_is_the_flat_level_of_the_loss():
    numbers = {"max_iter": 20, "random_state": 0}
    flat = MLPRegressor((5,), loss="quantile", quantile=0.9, **numbers).fit(X, Y)
    nested = MLPRegressor((5,), loss=Quantile(0.9), **numbers).fit(X, Y)
    median = MLPRegressor((5,), loss="quantile", quantile=0.5, **numbers).fit(X, Y)
    default = MLPRegressor((5,), loss="quantile", **numbers).fit(X, Y)

    assert_array_equal(flat.predict(X), nested.predict(X))
    assert flat.loss_curve_ == nested.loss_curve_
    assert median.loss_curve_ == default.loss_curve_
    assert flat.predict(X).shape == Y.shape


def test_a_search_over_quantile_trains_in_lockstep():
    model = MLPRegressor((5,), loss="quantile", max_iter=5, random_state=0)
    scorers = {f"{q}": make_scorer(mean_pinball_loss, alpha=q) for q in (0.1, 0.5)}
    found = []
    for context in (nullcontext(), lockstep()):
        with context:
            search = GridSearchCV(
                model, {"quantile": [0.1, 0.5, 0.9]}, scoring=scorers, refit=False
            )
            found.append(search.fit(X, Y).cv_results_["mean_test_0.1"])

    assert_array_equal(*found)
    assert len(set(found[0])) == 3


@pytest.mark.parametrize("loss", ["squared_error", Quantile(0.9)])
def test_quantile_belongs_to_the_loss_of_that_name(loss):
    with pytest.raises(
        InvalidParameterError, match=r"quantile=0\.5 needs loss='quantile'; .*loss="
    ):
        MLPRegressor(loss=loss, quantile=0.5).fit(X, Y)


@pytest.mark.parametrize("level", [0, 1, 1.5, "0.5", [0.1, 0.9], True])
def test_quantile_is_one_level(level):
    with pytest.raises(InvalidParameterError, match="'quantile' parameter of MLPRegressor must be"):
        MLPRegressor(loss="quantile", quantile=level).fit(X, Y)


@pytest.mark.parametrize("level", [[0.9], (0.9,), np.array([0.9])])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_list_of_one_level_is_that_level(level, n_outputs):
    y = Y if n_outputs == 1 else np.stack([Y, -Y], axis=1)
    one = MLPRegressor((5,), loss=Quantile(level), **NUMBERS).fit(X, y)
    other = MLPRegressor((5,), loss=Quantile(0.9), **NUMBERS).fit(X, y)

    assert_array_equal(one.predict(X), other.predict(X))
    assert one.score(X, y) == other.score(X, y) == r2_score(y, other.predict(X))


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_for_another_level_is_not_judged_by_the_loss_of_the_one_before(solver):
    numbers = {"max_iter": 500, "learning_rate_init": 0.01, "random_state": 0, "solver": solver}
    net = MLPRegressor((20,), loss="quantile", quantile=0.9, warm_start=True, **numbers)
    net.fit(X, Y)
    best = net.best_loss_
    net.set_params(quantile=0.5).fit(X, Y)

    assert net.n_iter_ > 20
    assert abs(np.mean(net.predict(X) > Y) - 0.5) < 0.1
    assert net.best_loss_ > best
    again = net.set_params(quantile=0.5).fit(X, Y)  # the same: the count goes on, as ever
    assert again.n_iter_ < 100


def test_calls_of_partial_fit_for_another_level_begin_to_count_anew():
    net = MLPRegressor((20,), loss="quantile", quantile=0.9, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for level in [0.9] * 60 + [0.1] * 60:
            net.set_params(quantile=level).partial_fit(X, Y)
