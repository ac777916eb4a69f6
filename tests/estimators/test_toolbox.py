"""What the two estimators offer beyond scikit-learn's, through the estimators."""

import functools
import pickle
import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.validation import NotFittedError

from sknn import MLPClassifier, MLPRegressor
from sknn.activations import LeakyReLU
from sknn.augmentation import Augmentation, GaussianNoise
from sknn.averaging import EMA
from sknn.initializers import He
from sknn.optimizers import OPTIMIZERS, RMSprop
from sknn.schedules import Cosine, Joined, Polynomial
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
@features
def test_each_feature_changes_the_model(name):
    if name in ("max_time", "recover"):
        return  # limits that are not reached
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
@features
def test_each_feature_goes_on_with_partial_fit_and_warm_start(name):
    if "early_stopping" in FEATURES[name]:
        return  # see test_validation_sets
    for method in ("partial_fit", "fit"):
        model = make(MLPClassifier, name, warm_start=True, max_iter=2).fit(X, Y)
        before = [coef.copy() for coef in model.coefs_]
        getattr(model.set_params(max_iter=9), method)(X, Y)  # schedules end with max_iter
        assert not np.array_equal(model.coefs_[0], before[0])
        assert model.score(X, Y) > 0.6


@quiet
def test_partial_fit_goes_on_from_the_iterate_not_from_its_average():
    numbers = NUMBERS | {"shuffle": False, "weight_averaging": EMA(0.9), "solver": "sgd"}
    whole = MLPRegressor((6,), **numbers | {"max_iter": 3}).fit(XR, YR)
    stepwise = MLPRegressor((6,), **numbers)
    for _ in range(3):
        stepwise.partial_fit(XR, YR)

    for array, other in zip(stepwise.coefs_, whole.coefs_, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-12)


@quiet
def test_transferred_weights_are_where_training_begins():
    source = MLPClassifier((12, 12), **NUMBERS).fit(X, Y)
    numbers = NUMBERS | {"learning_rate_init": 1e-12, "max_iter": 1}
    for normalization in (None, "batch", "layer"):
        model = MLPClassifier((12, 12), normalization=normalization, **numbers)
        model.set_params(initializer=(source.coefs_, source.intercepts_)).fit(X, Y)
        for array, other in zip(model.coefs_, source.coefs_, strict=True):
            np.testing.assert_allclose(array, other, atol=1e-9)
        for array, other in zip(model.intercepts_, source.intercepts_, strict=True):
            np.testing.assert_allclose(array, other, atol=1e-9)


@quiet
def test_published_normalization_can_be_edited():
    model = MLPRegressor((5,), normalization="batch", **NUMBERS).fit(XR, YR)
    assert [sorted(layer) for layer in model.normalization_] == [["mean", "scale", "variance"]]
    model.normalization_[0]["scale"][:] = 0
    expected = np.maximum(model.intercepts_[0], 0) @ model.coefs_[1] + model.intercepts_[1]

    np.testing.assert_allclose(model.predict(XR), np.broadcast_to(expected, len(XR)))


@quiet
def test_numbers_of_instances_replace_the_estimators_and_are_searched():
    model = MLPClassifier((5,), solver=RMSprop(), beta_1=0.1, **NUMBERS)
    search = GridSearchCV(model, {"solver__rho": [0.5, 0.99]}, cv=2).fit(X, Y)
    other = clone(model).set_params(beta_1=0.9).fit(X, Y)

    assert search.best_params_["solver__rho"] in (0.5, 0.99)
    np.testing.assert_array_equal(model.fit(X, Y).coefs_[0], other.coefs_[0])


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
def test_the_range_test_finds_a_rate_and_keeps_its_curve():
    model = MLPClassifier((20,), learning_rate_init="auto", max_iter=40, random_state=0).fit(X, Y)

    assert 1e-4 < model.learning_rate_ < 1
    assert list(model.lr_find_.columns) == ["learning_rate", "loss"]
    assert model.lr_find_["loss"].iloc[0] > 2 * model.lr_find_["loss"].min()
    assert model.score(X, Y) > 0.97
    assert (model.history_["learning_rate"] == model.learning_rate_).all()
    assert not hasattr(model.set_params(learning_rate_init=0.1).fit(X, Y), "lr_find_")


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
def test_divergence_goes_back_and_on_at_half_the_rate():
    numbers = NUMBERS | {
        "solver": "sgd",
        "learning_rate_init": 2.0,
        "max_iter": 20,
        "momentum": 0.0,
    }
    with pytest.raises(ValueError, match="Training diverged in epoch"):
        MLPRegressor((20,), **numbers).fit(XR, YR)
    with pytest.warns(ConvergenceWarning, match=r"diverged, \d time\(s\); it went back"):
        model = MLPRegressor((20,), on_divergence="recover", **numbers).fit(XR, YR)

    assert all(np.isfinite(coef).all() for coef in model.coefs_)
    rates = model.history_["learning_rate"]
    assert rates.iloc[-1] < 1
    assert np.log2(rates.iloc[-1]).is_integer()


@quiet
def test_recovery_does_not_go_back_to_what_has_nearly_diverged():
    # The first epoch of most of these ends with weights that are finite, but lost.
    X_, y = scale(XR[:100]), scale(YR[:100])
    numbers = {"solver": "sgd", "learning_rate_init": 1.0, "batch_size": 20, "max_iter": 60}
    n_recovered = 0
    for seed in range(8):
        model = MLPRegressor((6,), on_divergence="recover", random_state=seed, **numbers)
        try:
            n_recovered += model.fit(X_, y).score(X_, y) > 0.25
        except ValueError:  # three times were not enough
            continue
    assert n_recovered >= 5


@quiet
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("averaging", [None, "ema", "swa"])
def test_statistics_of_batch_norm_belong_to_the_layer(name, averaging):
    if name == "schedule_free" and averaging is not None:
        return  # which exclude each other
    numbers = {"max_iter": 20, "learning_rate_init": 0.003, "batch_size": 50, "random_state": 0}
    model = MLPRegressor((30,), solver=name, normalization="batch", **numbers)
    model.set_params(weight_averaging=averaging).fit(XR, YR)
    [layer] = model.normalization_

    assert layer["variance"].min() > 0
    # The running mean follows that of the sums, whatever the rule does with its moments.
    sums = XR @ model.coefs_[0]
    np.testing.assert_allclose(layer["mean"], sums.mean(axis=0), atol=0.6 * sums.std(axis=0).max())
    assert np.isfinite(model.predict(XR)).all()


@quiet
@pytest.mark.parametrize("rate", [2.0, 1e3, 1e30])
@pytest.mark.parametrize("scale_of_y", [1.0, 1e4])
def test_recovery_goes_on_until_the_rate_works(rate, scale_of_y):
    numbers = {"solver": "sgd", "momentum": 0.9, "random_state": 0, "max_iter": 100}
    model = MLPRegressor((20,), learning_rate_init=rate, on_divergence="recover", **numbers)
    model.fit(XR, scale_of_y * YR)

    assert model.score(XR, scale_of_y * YR) > 0.3


@quiet
@pytest.mark.parametrize("max_iter", [1, 3])
def test_recovery_always_ends_with_a_finite_model(max_iter):
    numbers = {"solver": "sgd", "random_state": 0, "max_iter": max_iter}
    model = MLPRegressor((20,), learning_rate_init=1e30, on_divergence="recover", **numbers)
    with pytest.warns(ConvergenceWarning, match="it went back to the last good epoch"):
        model.fit(XR, YR)

    assert np.isfinite(model.predict(XR)).all()
    assert np.isfinite(model.loss_)


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


@quiet
def test_summary_and_html_show_the_network():
    model = MLPClassifier((12, 12), dropout=0.1, normalization="batch", residual=True, **NUMBERS)
    assert "BatchNorm" not in model._repr_html_()
    with pytest.raises(NotFittedError):
        model.summary()
    model.fit(X, Y)
    n_parameters = sum(a.size for a in model.coefs_ + model.intercepts_) + 24

    assert model.summary().splitlines()[-1].split() == ["all", str(n_parameters)]
    assert model.summary() in model._repr_html_()
    assert model.summary() in model._repr_mimebundle_()["text/html"]


@quiet
def test_outputs_of_hidden_layers():
    numbers = {"normalization": "layer", "residual": True, "dropout": 0.5}
    model = MLPRegressor((7, 7, 4), **numbers, **NUMBERS).fit(XR, YR)
    last = model.hidden_layer_outputs(XR)

    np.testing.assert_allclose(
        last @ model.coefs_[-1][:, 0] + model.intercepts_[-1], model.predict(XR)
    )
    assert [model.hidden_layer_outputs(XR, layer=i).shape[1] for i in (0, 1, 2, -1)] == [7, 7, 4, 4]
    plain = MLPRegressor((6,), "tanh", **NUMBERS).fit(XR, YR)
    expected = np.tanh(XR @ plain.coefs_[0] + plain.intercepts_[0])
    np.testing.assert_allclose(plain.hidden_layer_outputs(XR, 0), expected)
    with pytest.raises(ValueError, match=r"layer must be an int in the range \[-1, 0\]; got 1"):
        plain.hidden_layer_outputs(XR, 1)


BAD = {
    "dropout": (0.1, 1.0, "float in the range [0, 1)"),
    "dropouts": ("dropout", [0.1], "has 1 values, but there are 2 hidden layers"),
    "a dropout": ("dropout", [0.1, -0.2], "has -0.2 for hidden layer 2"),
    "activations": ("activation", ["relu"] * 3, "has 3 values, but there are 2 hidden layers"),
    "an activation": ("activation", ["relu", "rellu"], "has 'rellu' for hidden layer 2"),
    "normalization": ("normalization", "bach", "Did you mean 'batch'?"),
    "residual": ("residual", "yes", "must be a bool"),
    "residual sizes": ("residual", True, "two neighbouring hidden layers of the same size"),
    "initializer": ("initializer", "xavier", "one of 'auto', 'glorot'"),
    "shapes": ("initializer", ([np.ones((2, 2))], [np.ones(2)]), "does not fit the network"),
    "weight_decay": ("weight_decay", -1.0, "None or a float in the range [0, inf)"),
    "l1_ratio": ("l1_ratio", 1.5, "float in the range [0, 1]"),
    "max_grad_norm": ("max_grad_norm", 0, "None or a float in the range (0, inf)"),
    "weight_averaging": ("weight_averaging", "emma", "Did you mean 'ema'?"),
    "ema": ("weight_averaging", EMA(1.0), "'decay' parameter of EMA"),
    "learning_rate": ("learning_rate", "cosin", "Did you mean 'cosine'?"),
    "schedule": ("learning_rate", Polynomial(-1.0), "'power' parameter of Polynomial"),
    "joined": ("learning_rate", Joined([Cosine()], [3]), "Joined needs 0 boundaries"),
    "nested": ("learning_rate", Joined([Polynomial(-1.0)], []), "'power' parameter of Polynomial"),
    "warmup": ("warmup", -1, "an int in the range [0, inf)"),
    "learning_rate_init": ("learning_rate_init", "best", "'auto' or a float"),
    "max_time": ("max_time", 0.0, "None or a float in the range (0, inf)"),
    "augmentation": ("augmentation", "mixin", "Did you mean 'mixup'?"),
    "noise": ("augmentation", GaussianNoise(-1.0), "'scale' parameter of GaussianNoise"),
    "on_divergence": ("on_divergence", "recove", "Did you mean 'recover'?"),
    "solver": ("solver", "adamv", "Did you mean 'adam"),
    "optimizer": ("solver", RMSprop(rho=2.0), "'rho' parameter of RMSprop"),
}


@pytest.mark.parametrize("name", BAD)
@both
def test_bad_values_are_named_with_what_is_allowed(Estimator, name):
    parameter, value, message = BAD[name]
    parameter = parameter if isinstance(parameter, str) else name
    sizes = (5, 4) if name in ("residual sizes", "shapes") else (5, 5)
    with pytest.raises(ValueError, match=re.escape(message)):
        Estimator(sizes, **{parameter: value}).fit(*data(Estimator))


EXCLUDED = {
    "dropout": 0.1,
    "augmentation": "mixup",
    "weight_averaging": "ema",
    "max_grad_norm": 1.0,
    "warmup": 2,
    "weight_decay": 0.1,
    "learning_rate_init": "auto",
    "normalization": "batch",
}


@pytest.mark.parametrize("name", EXCLUDED)
@both
def test_lbfgs_refuses_what_it_cannot_heed(Estimator, name):
    value = EXCLUDED[name]
    with pytest.raises(ValueError, match=f"{name}={value!r} needs a stochastic solver"):
        Estimator(solver="lbfgs", **{name: value}).fit(*data(Estimator))


def test_a_solver_with_an_average_of_its_own_excludes_another():
    model = MLPClassifier(solver="schedule_free", weight_averaging="ema")
    with pytest.raises(ValueError, match="'ema' excludes solver='schedule_free'"):
        model.fit(X, Y)


class Wrong(Softsign):
    def backward(self, z, grad):
        return 1.01 * super().backward(z, grad)


def test_an_activation_with_a_wrong_derivative_is_refused_by_name():
    with pytest.raises(ValueError, match="The activation Wrong has a wrong derivative"):
        MLPClassifier(activation=Wrong()).fit(X, Y)
