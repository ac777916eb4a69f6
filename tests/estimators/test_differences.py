"""Where sknn deliberately does something else than scikit-learn; the README has a row for each."""

import inspect
import pickle
import re
import warnings

import numpy as np
import pytest
import sklearn.neural_network as reference
from sklearn.datasets import load_iris, make_regression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from tests.gradcheck import check_gradient

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_IRIS = scale(X_IRIS)
X_REG, Y_REG = make_regression(120, 5, n_targets=3, noise=5, random_state=0)
Y_REG = scale(Y_REG)

quick = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def held_out_labels(y, **parameters):
    """Return the labels that early stopping holds out."""
    seen = []

    def spy(estimator, X, y):
        seen.append(y)
        return 0.0

    X = np.random.default_rng(0).standard_normal((len(y), 3))
    options = {"early_stopping": True, "random_state": 0, "max_iter": 1, "scoring": spy}
    MLPClassifier(**options, **parameters).fit(X, y)
    return seen[0]


@quick
def test_multiclass_early_stopping_splits_are_stratified():
    y = np.repeat([0, 1, 2], [80, 100, 20])
    counts = np.bincount(held_out_labels(y, validation_fraction=0.2))

    np.testing.assert_array_equal(counts, [16, 20, 4])


@quick
@pytest.mark.parametrize(
    ("y", "fraction"),
    [
        (np.r_[[2], np.repeat([0, 1], 50)], 0.2),  # a class of one row
        (np.repeat(range(20), 5), 0.1),  # 20 classes, but 10 rows held out
        (np.repeat(range(20), 5), 0.9),  # 20 classes, but 10 rows to train on
    ],
)
def test_where_classes_do_not_fit_both_parts_the_split_is_scikit_learns(y, fraction):
    held_out = held_out_labels(y, validation_fraction=fraction)
    # scikit-learn's own estimator draws the weights first: (3 x 100 + 100) + (100 x k + k).
    rng = np.random.RandomState(0)
    n_classes = len(np.unique(y))
    for n_in, n_out in ((3, 100), (100, n_classes)):
        rng.uniform(size=(n_in, n_out))
        rng.uniform(size=n_out)
    _, expected = train_test_split(y, test_size=fraction, random_state=rng)

    np.testing.assert_array_equal(held_out, expected)


@quick
def test_early_stopping_keeps_the_best_of_the_current_fit_under_warm_start():
    def refit(module):
        """Fit well, then ruin the weights with a huge learning rate; return the scores."""
        model = module.MLPClassifier(
            early_stopping=True, warm_start=True, random_state=0, max_iter=60
        ).fit(X_IRIS, Y_IRIS)
        model.set_params(learning_rate_init=50.0, max_iter=2, n_iter_no_change=np.inf)
        good = model.score(X_IRIS, Y_IRIS)
        return good, model.fit(X_IRIS, Y_IRIS).score(X_IRIS, Y_IRIS)

    import sknn

    good, kept = refit(sknn)
    assert kept >= good
    good, lost = refit(reference)
    assert lost < good - 0.1  # scikit-learn returns the last weights, good or bad


@quick
def test_incoming_weights_count_under_warm_start():
    parameters = {"early_stopping": True, "warm_start": True, "random_state": 0, "max_iter": 30}
    model = MLPClassifier(**parameters, learning_rate_init=0.01).fit(X_IRIS, Y_IRIS)
    before = [coef.copy() for coef in model.coefs_]
    model.set_params(learning_rate_init=1e-12, max_iter=3)
    model.fit(X_IRIS, Y_IRIS)

    for coef, expected in zip(model.coefs_, before, strict=True):
        np.testing.assert_array_equal(coef, expected)
    assert len(model.validation_scores_) == 33


@quick
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_mini_batch_whose_weights_are_all_zero_does_not_crash(solver):
    weight = np.ones(150)
    weight[:60] = 0
    model = MLPClassifier(solver=solver, batch_size=5, shuffle=False, random_state=0, max_iter=5)
    model.fit(X_IRIS, Y_IRIS, sample_weight=weight)

    assert np.isfinite(model.loss_curve_).all()
    if "sample_weight" not in inspect.signature(reference.MLPClassifier.fit).parameters:
        return  # before scikit-learn 1.7 there is nothing to compare with
    with pytest.raises(ZeroDivisionError):
        reference.MLPClassifier(**model_parameters(model)).fit(X_IRIS, Y_IRIS, weight)


def model_parameters(model):
    """Return the parameters that scikit-learn knows."""
    known = reference.MLPClassifier().get_params()
    return {name: value for name, value in model.get_params().items() if name in known}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_negative_and_all_zero_weights_are_refused(method):
    weight = np.ones(150)
    weight[3] = -0.5
    train = getattr(MLPRegressor(), method)

    with pytest.raises(ValueError, match=r"`sample_weight`: -0\.5 at row 3"):
        train(X_IRIS, Y_IRIS, sample_weight=weight)
    with pytest.raises(ValueError, match="all are 0"):
        train(X_IRIS, Y_IRIS, sample_weight=np.zeros(150))


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_partial_fit_does_not_exist_for_lbfgs(Estimator):
    assert not hasattr(Estimator(solver="lbfgs"), "partial_fit")
    assert hasattr(Estimator(solver="sgd"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        Estimator(solver="lbfgs").partial_fit  # noqa: B018


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lbfgs_returns_the_dtype_of_x_and_a_loss_curve(dtype):
    model = MLPRegressor((5,), solver="lbfgs", random_state=0, max_iter=2000, alpha=1)
    model.fit(X_REG.astype(dtype), Y_REG[:, 0])

    assert {array.dtype for array in model.coefs_ + model.intercepts_} == {np.dtype(dtype)}
    assert len(model.loss_curve_) == model.n_iter_
    assert model.loss_curve_[-1] == model.loss_ == model.best_loss_
    assert model.validation_scores_ is None


def test_lbfgs_honours_early_stopping():
    model = MLPClassifier(solver="lbfgs", early_stopping=True, random_state=0, n_iter_no_change=5)
    model.fit(X_IRIS, Y_IRIS)

    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.n_iter_ < 30


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_target_loss_ends_the_training(Estimator, solver):
    parameters = {"solver": solver, "random_state": 0, "max_iter": 500, "learning_rate_init": 0.01}
    target = 0.2
    model = Estimator(**parameters, target_loss=target).fit(X_IRIS, Y_IRIS)

    assert model.loss_ <= target
    assert all(loss > target for loss in model.loss_curve_[:-1])


def test_log_probabilities_are_never_infinite():
    model = MLPClassifier((5,), solver="lbfgs", random_state=0, alpha=1e-6).fit(X_IRIS, Y_IRIS)
    far = 1e4 * X_IRIS
    probability = model.predict_proba(far)

    log_p = model.predict_log_proba(far)
    assert probability.min() > 0  # the least number that there is
    assert log_p.min() < np.log(probability.min())
    assert np.isfinite(log_p).all()
    is_normal = probability > np.finfo(np.float64).tiny
    naive = np.log(probability[is_normal])
    np.testing.assert_allclose(log_p[is_normal], naive, rtol=1e-9, atol=1e-12)


def test_lbfgs_minimises_the_objective_that_the_gradient_belongs_to():
    model = MLPRegressor((4,), "tanh", solver="lbfgs", random_state=0, max_iter=2000, alpha=0.1)
    model.fit(X_REG, Y_REG)
    objective = _objective_of(model)
    theta = model._network.join(vars(model))

    value, grad = objective.value_and_grad(theta, X_REG, Y_REG)
    assert np.abs(grad).max() < 1e-3  # a minimum; scikit-learn's stops elsewhere
    check_gradient(
        lambda t: objective.value_and_grad(t, X_REG, Y_REG),
        theta + 0.1,
        np.random.default_rng(0),
    )
    theirs = reference.MLPRegressor(
        hidden_layer_sizes=(4,), activation="tanh", solver="lbfgs", random_state=0, alpha=0.1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.set_params(max_iter=2000).fit(X_REG, Y_REG)
    other, _ = objective.value_and_grad(model._network.join(vars(theirs)), X_REG, Y_REG)
    assert value < other


def _objective_of(model):
    from sknn.objective import Objective
    from sknn.penalties import L2

    return Objective(model._network, model._targets.loss, L2(), model.alpha)


@quick
@pytest.mark.parametrize("schedule", ["invscaling", "adaptive"])
def test_schedules_work_with_adam(schedule):
    parameters = {"random_state": 0, "max_iter": 60, "tol": 0.05, "n_iter_no_change": 2}
    constant = MLPClassifier(**parameters).fit(X_IRIS, Y_IRIS)
    scheduled = MLPClassifier(**parameters, learning_rate=schedule).fit(X_IRIS, Y_IRIS)
    rates = scheduled.history_["learning_rate"]

    assert rates.iloc[0] == 0.001
    assert rates.iloc[-1] < 0.0005
    assert not np.array_equal(constant.coefs_[0], scheduled.coefs_[0])


@quick
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pickle_is_little_more_than_what_resuming_needs(early_stopping):
    model = MLPClassifier((200, 200), max_iter=3, random_state=0, early_stopping=early_stopping)
    model.fit(X_IRIS, Y_IRIS)
    n_bytes = sum(array.nbytes for array in model.coefs_ + model.intercepts_)

    assert len(pickle.dumps(model)) <= 3.3 * n_bytes
    theirs = reference.MLPClassifier(**model_parameters(model)).fit(X_IRIS, Y_IRIS)
    assert len(pickle.dumps(theirs)) > (3 if early_stopping else 3.9) * n_bytes


def test_hidden_layer_sizes_come_first_in_the_regressor():
    assert MLPRegressor((5,), "tanh").hidden_layer_sizes == (5,)
    with pytest.raises(TypeError, match=re.escape("write MLPRegressor(loss='poisson')")):
        MLPRegressor("poisson")
    assert MLPRegressor(loss="poisson").hidden_layer_sizes == (100,)


def test_the_poisson_loss_refuses_negative_targets():
    y = np.ones(150)
    y[17] = -1.3
    with pytest.raises(ValueError, match=r"loss='poisson' needs y >= 0; found -1.3 at row 17"):
        MLPRegressor(loss="poisson").fit(X_IRIS, y)
