"""Searches over everything beside scikit-learn's own parameters are the same in lockstep."""

import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold

from sknn.activations import ELU, LeakyReLU
from sknn.augmentation import GaussianNoise, Mixup, SwapNoise
from sknn.averaging import EMA, SWA
from sknn.initializers import INITIALIZERS, He
from sknn.losses import Focal, Huber, Quantile, Tweedie
from sknn.optimizers import OPTIMIZERS, SGD, Adam, RMSprop
from sknn.schedules import SCHEDULES, Cosine, Exponential, InverseScaling, Step
from tests.parallel.test_equality import FINE, assert_same_search, make_data, make_mlp
from tests.parallel.threads import HAS_THREADS

N_FOLDS = 3
TWO, EQUAL = {"hidden_layer_sizes": (6, 5)}, {"hidden_layer_sizes": (6, 6, 5)}
STOPPING = {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 12}
STOPPING |= {"n_iter_no_change": 2}


def fall(epoch):
    """Return a rate of a user's own."""
    return 0.8**epoch


# Parameters of the network, the grid, and how many of its candidates are trained together.
GRIDS = {
    "dropout": ({}, {"dropout": [0.1, 0.3, 0.6]}, 3),
    "dropout or none": ({}, {"dropout": [0.0, 0.5]}, 1),
    "dropout of each layer": (TWO, {"dropout": [0.2, (0.1, 0.4), [0.5, 0.1]]}, 3),
    "dropout of some layers": (TWO, {"dropout": [(0.0, 0.4), (0.4, 0.0), (0.0, 0.2)]}, 2),
    "normalization": ({}, {"normalization": [None, "batch", "layer"], "alpha": [0, 1]}, 2),
    "residual": (EQUAL, {"residual": [True, False], "alpha": [0, 1]}, 2),
    "residual, normalization, dropout": (
        EQUAL | {"residual": True, "dropout": 0.2},
        {"normalization": [None, "batch", "layer"], "dropout": [0.2, 0.4]},
        2,
    ),
    "initializer": ({}, {"initializer": [*INITIALIZERS, He()]}, len(INITIALIZERS) + 1),
    "weight_decay": ({}, {"weight_decay": [None, 0, 0.001, 0.1, 1.0]}, 3),
    "weight_decay of adamw": ({"solver": "adamw"}, {"weight_decay": [None, 0, 0.1, 1.0]}, 3),
    "l1_ratio": ({"alpha": 1.0}, {"l1_ratio": [0.0, 0.3, 0.9, 1.0]}, 3),
    "max_grad_norm": ({}, {"max_grad_norm": [None, 0.01, 0.1, 10.0]}, 3),
    "solver": ({}, {"solver": list(OPTIMIZERS), "alpha": [0.1, 1.0]}, 2),
    "solver as an instance": (
        {},
        {"solver": [Adam(0.5), Adam(0.9, 0.99), "adam", SGD(0.5), RMSprop(0.9), RMSprop(0.95)]},
        3,
    ),
    "a number of a solver": ({"solver": Adam()}, {"solver__beta_1": [0.5, 0.9, 0.95]}, 3),
    "weight_averaging": ({}, {"weight_averaging": [None, "ema", "swa", EMA(0.5), SWA(0.2)]}, 2),
    "decay of an average": (
        {"weight_averaging": EMA()},
        {"weight_averaging__decay": [0.3, 0.6, 0.9]},
        3,
    ),
    "learning_rate": ({}, {"learning_rate": list(SCHEDULES)}, len(SCHEDULES)),
    "learning_rate as an instance": (
        {},
        {"learning_rate": [Cosine(), Step(0.5), Exponential(0.1), InverseScaling(0.2), fall]},
        5,
    ),
    "a number of a schedule": (
        {"learning_rate": Step(0.5)},
        {"learning_rate__factor": [0.1, 0.5, 0.9]},
        3,
    ),
    "warmup": ({}, {"warmup": [0, 1, 4], "learning_rate": ["constant", "cosine"]}, 6),
    "scale of noise": ({}, {"augmentation": [None, GaussianNoise(0.1), GaussianNoise(1.0)]}, 2),
    "augmentation": (
        {},
        {"augmentation": [None, "gaussian_noise", "swap_noise", SwapNoise(0.3)]},
        3,
    ),
    "mixup": ({}, {"augmentation": ["mixup", Mixup(0.5), Mixup(2.0)]}, 3),
    "a number of an augmentation": (
        {"augmentation": SwapNoise()},
        {"augmentation__rate": [0.1, 0.5]},
        2,
    ),
    "activation": (
        {},
        {"activation": ["leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]},
        1,
    ),
    "activation of each layer": (
        TWO,
        {"activation": ["tanh", ("tanh", "tanh"), ["gelu", "silu"], ("identity", "sigmoid")]},
        2,
    ),
    "activation as an instance": (
        TWO,
        {"activation": [LeakyReLU(0.1), LeakyReLU(0.5), (LeakyReLU(0.2), LeakyReLU(0.3)), ELU()]},
        3,
    ),
    "a number of an activation": (
        {"activation": ELU()},
        {"activation__alpha": [0.5, 1.0, 3.0]},
        3,
    ),
    "refit_full": (STOPPING, {"refit_full": [True, False], "alpha": [0, 1]}, 4),
    "refit_full with random numbers": (
        STOPPING | {"refit_full": True, "augmentation": "gaussian_noise"},
        {"dropout": [0.1, 0.4], "random_state": [0, 1]},
        4,
    ),
    "scoring by the loss": (STOPPING, {"scoring": [None, "loss"], "alpha": [0, 1]}, 4),
    "averages that are validated": (
        STOPPING | {"normalization": "batch"},
        {"weight_averaging": [EMA(0.5), EMA(0.9)]},
        2,
    ),
}


def compare(target, parameters, grid, n_together, data=None, **options):
    """Compare a search inside the context with one outside; return both outcomes."""
    X, y = make_data(target) if data is None else data
    options = {"scoring": FINE.get(target), "cv": KFold(N_FOLDS)} | options
    found, expected = assert_same_search(
        lambda: GridSearchCV(make_mlp(target, **parameters), grid, **options), X, y
    )
    assert max(found.stack_sizes) == N_FOLDS * n_together or not HAS_THREADS
    return found, expected


@pytest.mark.parametrize("target", ["multiclass", "regression"])
@pytest.mark.parametrize("name", GRIDS)
def test_a_search_over_a_parameter_is_the_same(name, target):
    found, _ = compare(target, *GRIDS[name])

    scores = found.result.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores)) > 1


CLASSIFIERS = {
    "label_smoothing": ("multiclass", {}, {"label_smoothing": [0.0, 0.1, 0.3]}, 2),
    "label_smoothing of two classes": ("binary", {}, {"label_smoothing": [0.0, 0.1, 0.3]}, 2),
    "loss": ("multiclass", {}, {"loss": ["log_loss", "focal", Focal(0.5), Focal(4.0)]}, 3),
    "loss of two classes": ("binary", {}, {"loss": ["log_loss", "focal", Focal(4.0)]}, 2),
    "a number of a loss": ("binary", {"loss": Focal()}, {"loss__gamma": [0.0, 1.0, 5.0]}, 3),
    "class_weight": (
        "multiclass",
        {},
        {"class_weight": [None, "balanced", {0: 1, 1: 2, 2: 5}, {0: 0.5}]},
        3,
    ),
    "class_weight of two classes": (
        "binary",
        {},
        {"class_weight": [None, "balanced", {0: 1, 1: 9}]},
        2,
    ),
    "scoring": (
        "binary",
        STOPPING,
        {"scoring": [None, "loss", "roc_auc", "neg_log_loss"]},
        4,
    ),
    "dropout of multilabel targets": ("multilabel", {}, {"dropout": [0.1, 0.4]}, 2),
    "mixup of two classes": ("binary", {}, {"augmentation": [Mixup(0.2), Mixup(1.0)]}, 2),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_search_over_a_parameter_of_the_classifier_is_the_same(name):
    target, *rest = CLASSIFIERS[name]
    found, _ = compare(
        target, *rest, scoring="accuracy" if target == "multilabel" else FINE[target]
    )

    assert np.isfinite(found.result.cv_results_["mean_test_score"]).all()


def test_a_search_over_weights_of_labels_is_the_same():
    X, y = make_data("multilabel")
    weights = [None, "balanced", [{0: 1, 1: 3}, {0: 1, 1: 1}, {0: 2, 1: 1}]]
    found, _ = assert_same_search(
        lambda: GridSearchCV(
            make_mlp("multilabel"), {"class_weight": weights, "alpha": [0, 1]}, cv=KFold(N_FOLDS)
        ),
        X,
        y,
    )

    coefs = found.result.best_estimator_.coefs_
    assert all(np.isfinite(coef).all() for coef in coefs)


REGRESSORS = {
    "loss": (
        "regression",
        {"loss": ["squared_error", "absolute_error", "huber", "log_cosh", "quantile", "gaussian"]},
        1,
    ),
    "numbers of a loss": ("regression", {"loss": [Huber(0.2), Huber(2.0), "huber"]}, 3),
    "loss of counts": ("poisson", {"loss": ["poisson", Tweedie(1.2), Tweedie(1.8)]}, 2),
    "quantiles": ("regression", {"loss": [Quantile([0.1, 0.5, 0.9])], "alpha": [0, 1]}, 2),
    "levels of quantiles": (
        "regression",
        {"loss": [Quantile([0.1, 0.5, 0.9]), Quantile([0.2, 0.5, 0.8])]},
        2,
    ),
    "quantiles of several outputs": (
        "multioutput",
        {"loss": [Quantile([0.1, 0.5, 0.9])], "dropout": [0.1, 0.2]},
        2,
    ),
    "gaussian": ("regression", {"loss": ["gaussian"], "learning_rate_init": [0.01, 0.1]}, 2),
    "gaussian of several outputs": ("multioutput", {"loss": ["gaussian"], "alpha": [0, 1]}, 2),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_search_over_a_loss_of_the_regressor_is_the_same(name):
    target, grid, n_together = REGRESSORS[name]
    found, _ = compare(target, {}, grid, n_together, scoring=None)  # each loss has its own

    assert np.isfinite(found.result.cv_results_["mean_test_score"]).all()


def burst(epoch):
    """Return a rate at which the third epoch diverges for certain, and no other."""
    return 1e200 if epoch == 2 else 1.0


@pytest.mark.parametrize("on_divergence", ["raise", "recover"])
def test_candidates_that_diverge_or_recover_do_so_in_the_same_way(on_divergence):
    mlp = {"solver": "sgd", "on_divergence": on_divergence}
    grid = {"learning_rate": ["constant", burst], "learning_rate_init": [0.01, 0.02]}
    found, _ = compare("regression", mlp, grid, 4)

    recovers = on_divergence == "recover"
    texts = [text for _, text in found.warnings if "went back to the last good epoch" in text]
    assert (FitFailedWarning in {category for category, _ in found.warnings}) == (not recovers)
    assert bool(texts) == recovers
    assert all(text.startswith("Training diverged, 1 time(s)") for text in texts)
    is_nan = np.isnan(found.result.cv_results_["mean_test_score"])
    assert is_nan.tolist() == [False, False, not recovers, not recovers]


def test_raising_and_recovering_networks_share_a_stack():
    grid = {"on_divergence": ["raise", "recover"], "learning_rate": ["constant", burst]}
    found, _ = compare("regression", {"solver": "sgd", "dropout": 0.2}, grid, 4)

    is_nan = dict(
        zip(
            [(p["on_divergence"], p["learning_rate"]) for p in found.result.cv_results_["params"]],
            np.isnan(found.result.cv_results_["mean_test_score"]).tolist(),
            strict=True,
        )
    )
    assert [key for key, value in is_nan.items() if value] == [("raise", burst)]


class Cube:
    """A function of a user's own with its derivative."""

    def forward(self, z):
        return z**3

    def backward(self, z, grad):
        return 3 * z**2 * grad


def test_a_search_with_a_function_of_ones_own_is_the_same():
    X, y = make_data("regression")
    grid = {"activation": [Cube, "tanh"], "alpha": [0, 1]}
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp("regression"), grid, cv=KFold(N_FOLDS)), X, y
    )

    assert Counter(found.stack_sizes)[1] >= 2 * N_FOLDS  # the cubes, which nothing is known about


def test_noise_of_no_size_changes_nothing():
    grid = {"augmentation": [GaussianNoise(0.0)], "dropout": [0.1, 0.2]}
    found, _ = compare("regression", {}, grid, 2)
    plain, _ = compare("regression", {}, grid | {"augmentation": [None]}, 2)

    ours, theirs = (f.result.cv_results_["mean_test_score"] for f in (found, plain))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_float32_is_the_same_with_everything(target):
    X, y = make_data(target)
    mlp = EQUAL | STOPPING | {"residual": True, "normalization": "batch", "max_grad_norm": 1.0}
    mlp |= {"augmentation": "gaussian_noise", "weight_averaging": EMA(0.8), "refit_full": True}
    mlp |= {"activation": ["gelu", LeakyReLU(0.1), "tanh"], "solver": "adamw", "warmup": 2}
    grid = {"dropout": [0.1, 0.3], "weight_decay": [0.01, 0.1], "learning_rate": ["cosine"]}
    found, _ = compare(target, mlp, grid, 4, (X.astype(np.float32), y))

    assert found.result.best_estimator_.coefs_[0].dtype == np.float32
    assert len(found.result.best_estimator_.normalization_) == 3


def test_models_with_random_layers_are_those_that_fit_alone_would_give():
    X, y = make_data("regression")
    grid = {"dropout": [0.2, 0.5], "random_state": [0, 1]}
    found, _ = compare("regression", {}, grid, 4, refit=False, return_train_score=True)
    train, _ = next(iter(KFold(N_FOLDS).split(X)))
    candidates = found.result.cv_results_["params"]
    networks = [make_mlp("regression", **candidate) for candidate in candidates]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = [mlp.fit(X[train], y[train]).score(X[train], y[train]) for mlp in networks]

    np.testing.assert_array_equal(found.result.cv_results_["split0_train_score"], scores)
    assert len(set(scores)) == 4
