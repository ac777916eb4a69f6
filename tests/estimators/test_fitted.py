"""What a fitted estimator can do: be edited, copied, pickled, used by threads, go on."""

import copy
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone

from sknn import MLPClassifier, MLPRegressor

rng = np.random.default_rng(0)
X = rng.standard_normal((80, 4))
Y = (X @ rng.standard_normal((4, 3))).argmax(axis=1)
both = pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(Estimator=MLPClassifier, **parameters):
    numbers = {"hidden_layer_sizes": (6, 5), "max_iter": 10, "random_state": 0} | parameters
    return Estimator(**numbers).fit(X, Y)


@both
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_copy_predicts_the_same_and_goes_on_the_same(Estimator, copied):
    model = fit(Estimator)
    other = copied(model)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    model.partial_fit(X, Y)
    if copied is not copy.copy:
        other.partial_fit(X, Y)
        for array, expected in zip(other.coefs_, model.coefs_, strict=True):
            np.testing.assert_array_equal(array, expected)


@both
def test_training_changes_no_parameter_and_no_earlier_copy(Estimator):
    model = fit(Estimator)
    parameters, coefs = model.get_params(), model.coefs_
    before = [coef.copy() for coef in coefs]
    curve = list(model.loss_curve_)
    shallow = copy.copy(model)
    model.partial_fit(X, Y)

    assert model.get_params() == parameters
    assert clone(model).get_params() == parameters
    for coef, expected in zip(coefs, before, strict=True):
        np.testing.assert_array_equal(coef, expected)
    assert shallow.loss_curve_ == curve
    assert len(model.loss_curve_) == len(curve) + 1


@both
def test_predictions_follow_assigned_and_edited_weights(Estimator):
    model, other = fit(Estimator), fit(Estimator, random_state=1)
    expected = other.predict(X)

    edited = copy.deepcopy(model)
    for coef, intercept, c, i in zip(
        edited.coefs_, edited.intercepts_, other.coefs_, other.intercepts_, strict=True
    ):
        coef[...], intercept[:] = c, i
    np.testing.assert_array_equal(edited.predict(X), expected)

    assigned = copy.deepcopy(model)
    assigned.coefs_, assigned.intercepts_ = other.coefs_, other.intercepts_
    np.testing.assert_array_equal(assigned.predict(X), expected)

    replaced = copy.deepcopy(model)
    for layer in range(3):
        replaced.coefs_[layer] = other.coefs_[layer]
        replaced.intercepts_[layer] = other.intercepts_[layer]
    np.testing.assert_array_equal(replaced.predict(X), expected)


def test_training_goes_on_from_edited_weights():
    model = fit(MLPRegressor, warm_start=True)
    model.coefs_[0][:] = 0
    model.set_params(max_iter=1, learning_rate_init=1e-9).fit(X, Y)

    np.testing.assert_allclose(model.coefs_[0], 0, atol=1e-7)


def test_a_pruned_network_can_be_assigned():
    model = fit()
    keep = [0, 2, 3]
    pruned = copy.deepcopy(model)
    pruned.coefs_[0], pruned.intercepts_[0] = pruned.coefs_[0][:, keep], pruned.intercepts_[0][keep]
    pruned.coefs_[1] = pruned.coefs_[1][keep]
    model.coefs_[1][[1, 4, 5]] = 0

    np.testing.assert_allclose(pruned.predict_proba(X), model.predict_proba(X), rtol=1e-12)


@both
def test_threads_may_share_an_estimator(Estimator):
    model = fit(Estimator)
    parts = [rng.standard_normal((n, 4)) for n in (1, 3, 50, 1500) for _ in range(30)]
    expected = [model.predict(part) for part in parts]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(model.predict, parts))

    for array, want in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, want)


def test_memory_of_a_prediction_is_bounded():
    wide = rng.standard_normal((200_000, 20), np.float32)
    model = MLPClassifier((256, 256), max_iter=1, random_state=0).fit(wide[:300], wide[:300, 0] > 0)
    tracemalloc.start()
    model.predict_proba(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 40e6  # scikit-learn takes 410 MB, for two layers of 200,000 x 256


def test_memory_of_a_fit_is_bounded():
    wide = rng.standard_normal((200_000, 100), np.float32)
    y = wide[:, 0] > 0
    model = MLPClassifier((256, 256), max_iter=1, batch_size=5000, random_state=0)
    tracemalloc.start()
    model.fit(wide, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 40e6  # X alone has 80 MB


@both
def test_history_is_a_frame_of_the_epochs(Estimator):
    model = fit(Estimator, early_stopping=True, learning_rate="invscaling")
    history = model.history_

    assert list(history.columns) == [
        "loss",
        "val_loss",
        "val_score",
        "learning_rate",
        "batch_size",
        "grad_norm",
        "seconds",
    ]
    assert history.notna().all(axis=None)
    assert (history["batch_size"] == min(200, model.t_ // model.n_iter_)).all()
    assert history.index.name == "epoch"
    assert history.index[0] == 1
    np.testing.assert_array_equal(history["loss"], model.loss_curve_)
    np.testing.assert_array_equal(history["val_score"], model.validation_scores_)
    assert history["learning_rate"].is_monotonic_decreasing
    assert history.equals(pickle.loads(pickle.dumps(model)).history_)


def test_history_goes_on_with_partial_fit_and_has_no_scores_there():
    model = MLPRegressor(random_state=0)
    for _ in range(3):
        model.partial_fit(X, Y)

    assert len(model.history_) == 3
    assert model.history_["val_score"].isna().all()
    assert model.n_iter_ == 1
    assert model.t_ == 240


def test_history_of_lbfgs_has_no_learning_rate():
    history = fit(solver="lbfgs").history_

    assert len(history) == 10
    assert history["learning_rate"].isna().all()
    assert history["grad_norm"].notna().all()


def test_assigning_history_is_refused():
    with pytest.raises(AttributeError):
        fit().history_ = None


def test_subclasses_may_extend_the_estimators():
    class Doubled(MLPRegressor):
        """A regressor with a parameter more."""

        def __init__(self, factor=2.0, max_iter=10):
            super().__init__(max_iter=max_iter, random_state=0)
            self.factor = factor

        def predict(self, X):
            return self.factor * super().predict(X)

    model = Doubled(factor=3.0).fit(X, Y)
    plain = MLPRegressor(max_iter=10, random_state=0).fit(X, Y)

    np.testing.assert_allclose(model.predict(X), 3 * plain.predict(X))


def test_infinite_raw_scores_have_finite_log_probabilities():
    model = MLPClassifier((), max_iter=5, random_state=0).fit(X, Y)
    for coef in model.coefs_:
        coef *= 1e10
    far = np.full((2, 4), 1e305)
    with np.errstate(over="ignore"):
        assert np.isfinite(model.predict_log_proba(far)).all()


def test_one_assigned_float32_array_does_not_make_the_model_float32():
    model = fit(MLPRegressor, warm_start=True)
    model.coefs_[0] = model.coefs_[0].astype(np.float32)
    model.fit(X, Y)

    assert {array.dtype for array in model.coefs_} == {np.dtype(np.float64)}


@both
def test_ctrl_c_leaves_a_fitted_estimator(Estimator):
    def interrupt(estimator, X, y):
        scored.append(estimator.score(X, y))
        if len(scored) == 4:
            raise KeyboardInterrupt
        return scored[-1]

    scored = []
    model = Estimator((6,), early_stopping=True, scoring=interrupt, random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, Y)

    assert model.n_iter_ == 3
    assert model.validation_scores_ == scored[:3]
    assert model.predict(X).shape == Y.shape
