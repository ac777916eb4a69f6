"""What the two estimators offer beyond scikit-learn's, through the estimators."""

import functools
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor
from sknn.activations import LeakyReLU
from sknn.augmentation import Augmentation, GaussianNoise
from sknn.averaging import EMA
from sknn.initializers import He
from sknn.optimizers import OPTIMIZERS, RMSprop
from sknn.schedules import Cosine, Joined, Polynomial, Schedule
from tests.cases import pairs

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
NUMBERS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0, "batch_size": 32}


class Softsign:
    """z / (1 + |z|), by its value and its derivative."""

    def forward(self, z):
        return z / (1 + np.abs(z))

    def backward(self, z, grad):
        return grad / (1 + np.abs(z)) ** 2


FEATURES = {
    "activations": {"activation": ["gelu", "silu"]},
    "instance": {"activation": LeakyReLU(0.2)},
    "own activation": {"activation": Softsign()},
    "dropout": {"dropout": 0.3},
    "dropouts": {"dropout": [0.0, 0.5]},
    "batch norm": {"normalization": "batch"},
    "layer norm": {"normalization": "layer"},
    "residual": {"residual": True},
    "initializer": {"initializer": "orthogonal"},
    "initializer instance": {"initializer": He()},
    "scaled": {"front": "scale", "weight_decay": 0.1, "weight_decay_schedule": "flat_cos"},
    "fourier": {"front": ["fourier", "scale"], "dropout": 0.2, "dropout_schedule": "flat_cos"},
    "bins": {"front": "piecewise_linear", "initializer": "data"},
    "ntk": {"parametrization": "ntk", "initializer": "data"},
    "adamw": {"solver": "adamw", "weight_decay": 0.1},
    "nadam": {"solver": "nadam"},
    "amsgrad": {"solver": "amsgrad"},
    "rmsprop": {"solver": RMSprop(rho=0.9)},
    "adagrad": {"solver": "adagrad"},
    "lion": {"solver": "lion", "learning_rate_init": 0.001},
    "muon": {"solver": "muon"},
    "schedule-free": {"solver": "schedule_free"},
    "elastic net": {"l1_ratio": 0.5, "alpha": 0.1},
    "clipping": {"max_grad_norm": 0.1},
    "ema": {"weight_averaging": "ema"},
    "ema instance": {"weight_averaging": EMA(0.9)},
    "swa": {"weight_averaging": "swa"},
    "cosine": {"learning_rate": "cosine", "warmup": 2},
    "one cycle": {"learning_rate": "one_cycle"},
    "exponential": {"learning_rate": "exponential"},
    "step": {"learning_rate": "step"},
    "polynomial": {"learning_rate": Polynomial(2.0)},
    "coslog": {"learning_rate": "coslog"},
    "joined": {"learning_rate": Joined([Cosine(), Polynomial()], [4])},
    "function": {"learning_rate": lambda epoch: 1 / (1 + epoch)},
    "auto rate": {"learning_rate_init": "auto"},
    "adaptive batch": {"batch_size": "adaptive"},
    "noise": {"augmentation": "gaussian_noise"},
    "mixup": {"augmentation": "mixup"},
    "swap noise": {"augmentation": "swap_noise"},
    "max_time": {"max_time": 1e6},
    "recover": {"on_divergence": "recover"},
    "early stopping": {"early_stopping": True, "scoring": "loss", "dropout": 0.1},
    "refit": {"early_stopping": True, "refit_full": True, "normalization": "batch"},
}

features = pytest.mark.parametrize("name", FEATURES)
LIMITS = ("max_time", "recover")  # which are not reached


def make(Estimator, name, **numbers):
    return Estimator((12, 12), **NUMBERS | FEATURES[name] | numbers)


def data(Estimator, dtype=np.float64):
    X_, y = (X, Y) if Estimator is MLPClassifier else (XR, np.stack([YR, XR[:, 2]], axis=1))
    return X_.astype(dtype), y


ESTIMATORS = [MLPClassifier, MLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS)


@functools.cache
def fitted(Estimator, name):
    """Return a model trained with a feature, for all tests that leave it as it is."""
    return make(Estimator, name).fit(*data(Estimator))


@quiet
@pytest.mark.parametrize(
    ("name", "Estimator", "dtype"), pairs(list(FEATURES), ESTIMATORS, [np.float32, np.float64])
)
def test_each_feature_learns_in_its_dtype_with_weights(Estimator, name, dtype):
    X_, y = data(Estimator, dtype)
    model = make(Estimator, name).fit(X_, y, sample_weight=np.full(len(y), 2.0))

    assert all(array.dtype == dtype for array in model.coefs_ + model.intercepts_)
    assert model.score(X_, y) > (0.8 if Estimator is MLPClassifier else 0.2)


@quiet
@features
@both
def test_each_feature_can_be_repeated_cloned_and_pickled(Estimator, name):
    X_, y = data(Estimator)
    model = fitted(Estimator, name)
    again = clone(model).fit(X_, y)

    for array, other in zip(model.coefs_, again.coefs_, strict=True):
        np.testing.assert_array_equal(array, other)
    if name != "function":  # a lambda cannot be pickled
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict(X_), model.predict(X_))


@quiet
@pytest.mark.parametrize("name", [name for name in FEATURES if name not in LIMITS])
def test_each_feature_changes_the_model(name):
    plain = MLPClassifier((12, 12), **NUMBERS)
    if "early_stopping" in FEATURES[name]:
        plain.set_params(early_stopping=True)
    plain.fit(X, Y)

    assert not np.array_equal(fitted(MLPClassifier, name).coefs_[0], plain.coefs_[0])


@quiet
@features
def test_each_feature_works_in_a_pipeline_in_a_search(name):
    pipeline = make_pipeline(StandardScaler(), make(MLPClassifier, name, max_iter=3))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.0, 0.1]}, cv=2, error_score="raise")
    search.fit(X, Y)

    assert search.best_score_ > 0.6


@quiet
@pytest.mark.parametrize(
    "name", [name for name in FEATURES if "early_stopping" not in FEATURES[name]]
)
def test_each_feature_goes_on_with_partial_fit_and_warm_start(name):
    for method in ("partial_fit", "fit"):
        model = make(MLPClassifier, name, warm_start=True, max_iter=2).fit(X, Y)
        before = [coef.copy() for coef in model.coefs_]
        getattr(model.set_params(max_iter=9), method)(X, Y)  # schedules end with max_iter
        assert not np.array_equal(model.coefs_[0], before[0])
        assert model.score(X, Y) > 0.6


# One by one.

AVERAGING = [name for name, rule in OPTIMIZERS.items() if "average" in rule.moments]


@quiet
def test_weight_decay_shrinks_weights_but_no_intercepts():
    # With a rate so small that the gradient does nothing, each step multiplies by 1 - rate * decay.
    numbers = {"learning_rate_init": 1e-9, "solver": "sgd", "alpha": 0, "random_state": 0}
    plain = MLPRegressor((5,), max_iter=1, **numbers).fit(XR, YR)
    model = MLPRegressor((5,), max_iter=1, weight_decay=1e8, **numbers).fit(XR, YR)

    n_steps = int(np.ceil(len(XR) / 200))
    np.testing.assert_allclose(model.coefs_[0], plain.coefs_[0] * 0.9**n_steps, rtol=1e-5)
    np.testing.assert_allclose(model.intercepts_[0], plain.intercepts_[0], rtol=1e-5)


@quiet
def test_adaptive_batches_grow_with_the_noise():
    digits, target = load_digits(return_X_y=True)
    numbers = {"batch_size": "adaptive", "max_iter": 60, "random_state": 0}
    model = MLPClassifier((30,), learning_rate_init=0.01, tol=0, **numbers)
    model.fit(scale(digits), target)
    sizes = model.history_["batch_size"]

    assert sizes.iloc[0] == 32
    assert sizes.is_monotonic_increasing
    assert sizes.iloc[-1] > 100
    assert model.score(scale(digits), target) > 0.99


@quiet
@pytest.mark.parametrize(
    ("name", "averaging"),
    [
        (name, averaging)
        for name in OPTIMIZERS
        for averaging in (None, "ema", "swa")
        if averaging is None or name not in AVERAGING
    ],
)
def test_statistics_of_batch_norm_belong_to_the_layer(name, averaging):
    # At last the weights stand still, and the means of features are not where a running one begins.
    numbers = {"max_iter": 20, "learning_rate_init": 0.003, "learning_rate": "cosine"}
    numbers |= {"batch_size": 50, "random_state": 0}
    model = MLPRegressor((30,), solver=name, normalization="batch", **numbers)
    model.set_params(weight_averaging=averaging).fit(XR + 1, YR)
    [layer] = model.normalization_
    sums = (XR + 1) @ model.coefs_[0]
    mean, std = sums.mean(axis=0), sums.std(axis=0)

    # The running ones follow those of the sums, whatever the rule does with its moments.
    np.testing.assert_allclose(layer["mean"] / std, mean / std, atol=0.06)
    np.testing.assert_allclose(layer["variance"], std**2, rtol=0.06)
    assert np.median(np.abs(mean / std)) > 0.5
    assert np.median(np.abs(1 / std**2 - 1)) > 0.3
    assert np.isfinite(model.predict(XR + 1)).all()


@quiet
@pytest.mark.parametrize("n", [1, 5, 33, 40, 63, 64, 100])
def test_adaptive_batches_take_any_number_of_samples(n):
    model = MLPRegressor((5,), batch_size="adaptive", max_iter=20, random_state=0)
    model.fit(XR[:n], YR[:n])

    assert model.history_["batch_size"].max() <= max(32, n / 2)


@quiet
def test_batch_normalization_of_single_rows_is_refused():
    model = MLPRegressor((5,), normalization="batch", batch_size=1)
    with pytest.raises(ValueError, match="normalization='batch' needs batches of at least two"):
        model.fit(XR, YR)
    with pytest.raises(ValueError, match="pass more rows to partial_fit"):
        MLPRegressor((5,), normalization="batch").partial_fit(XR[:1], YR[:1])
    with pytest.raises(ValueError, match="needs batches of at least two"):
        MLPRegressor((5,), normalization="batch").fit(XR[:1], YR[:1])
    MLPRegressor((5,), normalization="batch", batch_size=10, max_iter=1).fit(XR[:31], YR[:31])


class Zeros(Augmentation):
    """Replaces the samples by zeros."""

    def augment(self, X, y, rng):
        X[...] = 0


@quiet
def test_an_augmentation_of_ones_own():
    numbers = NUMBERS | {"alpha": 0, "augmentation": Zeros()}
    models = [MLPRegressor((5,), **numbers | {"max_iter": n}).fit(XR, YR) for n in (1, 8)]

    # Zeros have nothing to tell the first weights, but they teach the intercepts.
    np.testing.assert_array_equal(models[0].coefs_[0], models[1].coefs_[0])
    assert not np.array_equal(models[0].intercepts_[1], models[1].intercepts_[1])


def test_augmentation_needs_dense_data():
    with pytest.raises(ValueError, match=r"augmentation=.* needs dense X"):
        MLPRegressor(augmentation=GaussianNoise()).fit(sp.csr_matrix(XR), YR)


class Wrong(Softsign):
    def backward(self, z, grad):
        return 1.01 * super().backward(z, grad)


def test_an_activation_with_a_wrong_derivative_is_refused_by_name():
    with pytest.raises(ValueError, match="The activation Wrong has a wrong derivative"):
        MLPClassifier(activation=Wrong()).fit(X, Y)


# Schedules.


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


@pytest.mark.parametrize("warmup", [0, 2])
def test_a_schedule_that_has_run_to_its_end_needs_no_warning(warmup):
    model = MLPRegressor((5,), learning_rate="cosine", warmup=warmup, max_iter=5, random_state=0)

    assert model.fit(XR, YR).n_iter_ == 5  # warnings are errors here
