"""Parameters that do not fit together are refused; those that do become a recipe."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sknn import MLPClassifier, MLPRegressor
from sknn.augmentation import GaussianNoise
from sknn.averaging import EMA
from sknn.estimators.settings import make_recipe, mixes_targets
from sknn.layers import Fourier
from sknn.losses import Focal, Huber, Quantile
from sknn.network import Network
from sknn.optimizers import SGD, Adam, AdamW, NAdam, RMSprop
from sknn.penalties import L2, ElasticNet
from sknn.schedules import Cosine, Joined, Polynomial, Schedule
from sknn.solvers import LBFGS

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_breast_cancer(return_X_y=True)
X = scale(X)
XR, YR = (scale(a) for a in load_diabetes(return_X_y=True))
NUMBERS = {"max_iter": 8, "learning_rate_init": 0.01, "random_state": 0, "batch_size": 32}


def data(Estimator, dtype=np.float64):
    X_, y = (X, Y) if Estimator is MLPClassifier else (XR, np.stack([YR, XR[:, 2]], axis=1))
    return X_.astype(dtype), y


ESTIMATORS = [MLPClassifier, MLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS)


@quiet
def test_numbers_of_instances_replace_the_estimators_and_are_searched():
    model = MLPClassifier((5,), solver=RMSprop(), beta_1=0.1, **NUMBERS)
    search = GridSearchCV(model, {"solver__rho": [0.5, 0.99]}, cv=2).fit(X, Y)
    other = clone(model).set_params(beta_1=0.9).fit(X, Y)

    assert len(set(search.cv_results_["mean_test_score"])) == 2
    np.testing.assert_array_equal(model.fit(X, Y).coefs_[0], other.coefs_[0])


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
    "front": ("front", "scal", "Did you mean 'scale'?"),
    "fronts": ("front", ["fourier", 3], "The 'front' parameter has 3; it must be one of 'scale'"),
    "layer": ("front", Fourier(0), "'n_frequencies' parameter of Fourier"),
    "parametrization": ("parametrization", "nkt", "Did you mean 'ntk'?"),
    "dropout_schedule": ("dropout_schedule", "flat_co", "Did you mean 'flat_cos'?"),
    "decay_schedule": ("weight_decay_schedule", 1.0, "must be None or one of 'constant'"),
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
    "parametrization": "ntk",
    "dropout_schedule": "flat_cos",
    "weight_decay_schedule": "flat_cos",
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


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (MLPClassifier(loss=Huber()), "'loss' parameter of MLPClassifier must be"),
        (MLPClassifier(loss=Quantile([0.1, 0.5])), "'loss' parameter of MLPClassifier must be"),
        (MLPRegressor(loss=Focal()), "'loss' parameter of MLPRegressor must be"),
        (MLPRegressor(solver="sgd", parametrization="ntk"), "'ntk' needs a solver whose steps"),
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
def test_arrays_may_hold_the_rates_of_dropout():
    model = MLPClassifier((5, 4), dropout=np.array([0.1, 0.2]), max_iter=2).fit(X, Y)

    assert model.summary().count("Dropout") == 2


# The recipe.


def recipe(Estimator=MLPClassifier, **parameters):
    return make_recipe(Estimator(**parameters))


def layer_names(layers):
    return [type(layer).__name__ for layer in layers]


def test_the_words_are_the_parameters_as_they_were_given():
    given = {"hidden_layer_sizes": 7, "learning_rate_init": "auto", "alpha": np.float32(0.5)}
    words = recipe(**given).words

    assert words == MLPClassifier(**given).get_params(deep=False)
    assert words["alpha"] is given["alpha"]


def test_layers_are_made_for_any_number_of_raw_scores():
    layers = recipe(
        hidden_layer_sizes=(6, 6, 5),
        activation=["relu", "identity", "tanh"],
        dropout=[0.1, 0.0, 0.0],
        normalization="layer",
        residual=True,
    ).layers

    first = ["Linear", "LayerNorm", "ActivationLayer", "Dropout"]
    last = ["Linear", "LayerNorm", "ActivationLayer", "Linear"]
    assert layer_names(layers(3)) == [*first, "Residual", *last]
    for n_raw in (1, 4):
        assert Network(layers(n_raw), 2).n_outputs == n_raw
    assert layer_names(recipe(hidden_layer_sizes=[]).layers(1)) == ["Linear"]
    assert Network(recipe(hidden_layer_sizes=8).layers(1), 2).hidden_sizes == [8]


def test_the_first_activation_decides_how_wide_scikit_learns_rule_draws():
    def width(**parameters):
        coef, _ = recipe(**parameters).draw(np.random.RandomState(0))(50, 50)
        return np.abs(coef).max()

    relu, logistic = (width(activation=name) for name in ("relu", "logistic"))
    assert logistic < relu
    assert width(activation=["logistic", "relu"], hidden_layer_sizes=(3, 3)) == logistic


def test_given_arrays_take_the_place_of_draws():
    coefs, intercepts = [[[1, 2]], [[3], [4]]], [[0, 0], [5]]
    arrays = recipe(hidden_layer_sizes=2, initializer=(coefs, intercepts)).initial_arrays

    for part, expected in zip(arrays, (coefs, intercepts), strict=True):
        for array, values in zip(part, expected, strict=True):
            np.testing.assert_array_equal(array, values)
            assert array.dtype == np.float64
    assert recipe(initializer="he").initial_arrays is None


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False}, SGD(0.5, nesterov=False)),
        ({"solver": "adam", "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}, Adam(0.5, 0.6, 0.1)),
        ({"solver": "nadam", "beta_1": 0.5}, NAdam(0.5)),
        ({"solver": "rmsprop", "beta_1": 0.5}, RMSprop()),
        ({"solver": RMSprop(rho=0.3), "momentum": 0.5}, RMSprop(rho=0.3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_rule_has_the_numbers_that_it_knows(parameters, rule):
    optimizer = recipe(**parameters).solver.optimizer

    assert type(optimizer) is type(rule)
    assert vars(optimizer) == vars(rule)


@pytest.mark.parametrize(
    ("batch_size", "first", "largest"), [("auto", 200, None), ("adaptive", 32, 4096), (7, 7, None)]
)
def test_batches_are_as_large_as_they_are_wanted(batch_size, first, largest):
    solver = recipe(batch_size=batch_size).solver

    assert (solver.batch_size, solver.max_batch_size) == (first, largest)


@pytest.mark.parametrize(
    ("solver", "weight_decay", "decay"),
    [("adam", None, 0), ("adamw", None, AdamW().default_weight_decay), ("adamw", 0.2, 0.2)],
)
def test_the_rule_decides_how_weights_decay_by_default(solver, weight_decay, decay):
    assert recipe(solver=solver, weight_decay=weight_decay).solver.weight_decay == decay


def test_schedules_come_by_name_as_instance_or_function():
    def multipliers(**parameters):
        schedule = recipe(max_iter=4, **parameters).solver.schedule
        return [schedule.multiplier(epoch, 4, 10 * epoch) for epoch in range(4)]

    assert multipliers(learning_rate="constant") == [1, 1, 1, 1]
    assert multipliers(learning_rate=lambda epoch: 1 / (1 + epoch)) == [1, 1 / 2, 1 / 3, 1 / 4]
    assert multipliers(learning_rate="invscaling", power_t=1.0) == [1, 1 / 11, 1 / 21, 1 / 31]
    assert multipliers(learning_rate=Polynomial(1.0)) == [1, 3 / 4, 1 / 2, 1 / 4]
    assert multipliers(warmup=1, learning_rate=Polynomial(1.0))[0] < 1


def test_lbfgs_has_its_own_limit_and_the_common_ones():
    solver = recipe(solver="lbfgs", max_fun=9, max_iter=8, tol=0.5, target_loss=0.1).solver

    assert isinstance(solver, LBFGS)
    assert (solver.max_fun, solver.max_iter, solver.tol, solver.target_loss) == (9, 8, 0.5, 0.1)


def test_the_penalty_has_a_corner_only_with_a_share_of_l1():
    assert isinstance(recipe().penalty, L2)
    penalty = recipe(l1_ratio=0.3).penalty
    assert (type(penalty), penalty.l1_ratio) == (ElasticNet, 0.3)


def test_a_rate_that_is_to_be_found_is_none_until_then():
    found = recipe(learning_rate_init="auto")

    assert found.finds_rate
    assert np.isnan(found.solver.learning_rate)
    assert not recipe(learning_rate_init=0.1).finds_rate
    assert recipe(learning_rate_init=0.1).solver.learning_rate == 0.1


@pytest.mark.parametrize(
    ("augmentation", "mixes"), [(None, False), ("gaussian_noise", False), ("mixup", True)]
)
def test_what_mixes_samples_mixes_their_targets(augmentation, mixes):
    assert mixes_targets(MLPClassifier(augmentation=augmentation)) is mixes
    assert (recipe(augmentation=augmentation).augmentation is None) is (augmentation is None)


@both
def test_fronts_that_need_dense_samples_say_so(Estimator):
    X_, y = data(Estimator)
    model = Estimator((5,), front=["fourier", "scale"])
    with pytest.raises(ValueError, match=r"front=\['fourier', 'scale'\] needs dense X"):
        model.fit(sp.csr_matrix(X_), y)


@quiet
@both
def test_scaled_inputs_may_be_sparse(Estimator):
    X_, y = data(Estimator)
    model = Estimator((5,), front="scale", **NUMBERS)
    dense, sparse = model.fit(X_, y).coefs_[0], clone(model).fit(sp.csr_matrix(X_), y).coefs_[0]

    np.testing.assert_allclose(sparse, dense)
