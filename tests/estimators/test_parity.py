"""The same models as scikit-learn's, to rounding error: scikit-learn is the oracle."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
import sklearn.neural_network as reference
from sklearn.utils.fixes import parse_version

import sknn
from tests.cases import pairs

VERSION = parse_version(sklearn.__version__)
TARGETS = ["binary", "multiclass", "multilabel", "regression", "multioutput", "poisson"]
SCHEDULES = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd-constant": {"solver": "sgd", "learning_rate_init": 0.01},
    "sgd-invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.02},
    "sgd-adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.02,
        "n_iter_no_change": 2,
        "tol": 0.01,
        "nesterovs_momentum": False,
        "momentum": 0.5,
    },
    # Without such a penalty scikit-learn's own lbfgs moves by more than the tolerance if X does
    # by one ulp: the classes can be separated, and the weights run away.
    "lbfgs": {"solver": "lbfgs", "alpha": 0.1},
}


def make_data(target, n_samples=61, n_features=6, seed=0):
    """Return X and y; the multiclass target has a class of one sample.

    That class keeps sknn from stratifying the early-stopping split, which scikit-learn never
    does with more than two classes (a deliberate difference, tested elsewhere).
    """
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((n_samples, n_features)) < 0.6, rng.normal(size=(n_samples, 1)), 0)
    X += rng.normal(size=X.shape) * (X != 0)
    X /= 2
    score = X @ rng.normal(size=(n_features, 3)) + rng.normal(size=(n_samples, 3))
    if target == "binary":
        return X, np.where(score[:, 0] > 0, 7, 3)
    if target == "multiclass":
        y = score.argmax(axis=1)
        y[0] = 7
        return X, y
    if target == "multilabel":
        return X, (score > 0).astype(int)
    if target == "poisson":
        return X, rng.poisson(np.exp(score[:, 0] / 3)).astype(float)
    return X, score[:, 0] if target == "regression" else score


def make_pair(target, **parameters):
    """Return sknn's estimator and scikit-learn's with the same parameters."""
    numbers = {"max_iter": 30, "random_state": 5, "hidden_layer_sizes": (7, 4), "batch_size": 16}
    numbers |= parameters
    name = "MLPClassifier" if target in TARGETS[:3] else "MLPRegressor"
    if target == "poisson":
        numbers["loss"] = "poisson"
    return getattr(sknn, name)(**numbers), getattr(reference, name)(**numbers)


def assert_same(ours, theirs, X):
    """Compare all that training leaves behind, and what is predicted."""
    close = {"rtol": 1e-6, "atol": 1e-9}
    for array, expected in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(array, expected, **close)
    for name in (
        "n_iter_",
        "t_",
        "n_layers_",
        "n_outputs_",
        "out_activation_",
        "n_features_in_",
    ):
        assert getattr(ours, name) == getattr(theirs, name), name
    np.testing.assert_allclose(ours.loss_, theirs.loss_, **close)
    for name in ("loss_curve_", "validation_scores_", "best_loss_", "best_validation_score_"):
        expected = getattr(theirs, name, "absent")  # scikit-learn's lbfgs has no curves
        if expected is None:
            assert getattr(ours, name) is None
        elif not isinstance(expected, str):
            np.testing.assert_allclose(getattr(ours, name), expected, **close)
    predicted, expected = ours.predict(X), theirs.predict(X)
    assert predicted.shape == expected.shape
    if hasattr(theirs, "classes_"):
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
        np.testing.assert_array_equal(predicted, expected)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), **close)
    else:
        np.testing.assert_allclose(predicted, expected, **close)


def skip_what_is_too_new(target, is_weighted=False):
    if parse_version("1.7") > VERSION and (is_weighted or target == "poisson"):
        pytest.skip("scikit-learn has sample_weight and the Poisson loss since 1.7")


def is_deliberately_different(schedule, target, early_stopping):
    """Say whether sknn does something else on purpose; test_differences.py has the tests."""
    return schedule == "lbfgs" and (early_stopping or target == "multioutput")


EITHER = [False, True]


def combine(schedules, early_stopping):
    """Return cases in which any two of these meet: training, weighted targets, activation, X.

    The ways to train are all combinations of a schedule and early stopping, the weighted targets
    all combinations of a kind of target and of weights or none.
    """
    trainings = list(itertools.product(schedules, early_stopping))
    targets = [
        target
        for target in itertools.product(TARGETS, EITHER)
        if not any(is_deliberately_different(how, target[0], stops) for how, stops in trainings)
    ]
    activations = ["identity", "logistic", "tanh", "relu"]
    return [
        (activation, *training, *target, is_sparse)
        for training, target, activation, is_sparse in pairs(
            trainings, targets, activations, EITHER
        )
    ]


STOCHASTIC = [schedule for schedule in SCHEDULES if schedule != "lbfgs"]
GRID = combine(STOCHASTIC, EITHER) + combine(["lbfgs"], [False])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("activation", "schedule", "early_stopping", "target", "is_weighted", "is_sparse"), GRID
)
def test_same_model(activation, schedule, early_stopping, target, is_weighted, is_sparse):
    skip_what_is_too_new(target, is_weighted)
    X, y = make_data(target)
    X = sp.csr_matrix(X) if is_sparse else X
    weight = (
        {"sample_weight": np.random.default_rng(1).uniform(0.2, 2, len(y))} if is_weighted else {}
    )
    ours, theirs = make_pair(
        target,
        activation=activation,
        early_stopping=early_stopping,
        validation_fraction=0.3,
        **SCHEDULES[schedule],
    )

    assert_same(ours.fit(X, y, **weight), theirs.fit(X, y, **weight), X)


OTHER_PARAMETERS = [
    {"hidden_layer_sizes": 3},
    {"shuffle": False},
    {"batch_size": "auto"},
    {"batch_size": 61},
    {"batch_size": 1, "max_iter": 2},
    {"alpha": 0},
    {"alpha": 5.0},
    {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
    {"solver": "lbfgs", "max_fun": 5},
    {"tol": 0.5, "n_iter_no_change": 3},
    {"n_iter_no_change": np.inf, "tol": 10},
    {"random_state": np.random.RandomState(3)},
]
OTHERS = [
    (target, parameters)
    for target, parameters in itertools.product(TARGETS, OTHER_PARAMETERS)
    if not is_deliberately_different(parameters.get("solver"), target, early_stopping=False)
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("target", "parameters"), OTHERS, ids=lambda value: str(value).partition(" at 0x")[0]
)
def test_same_model_for_other_parameters(target, parameters):
    skip_what_is_too_new(target)
    X, y = make_data(target)
    if isinstance(parameters.get("random_state"), np.random.RandomState):
        ours, theirs = make_pair(target)
        ours.random_state, theirs.random_state = (np.random.RandomState(3) for _ in range(2))
    else:
        ours, theirs = make_pair(target, **parameters)

    assert_same(ours.fit(X, y), theirs.fit(X, y), X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("target", ["binary", "multiclass", "regression"])
def test_same_model_after_a_warm_start(schedule, target):
    X, y = make_data(target)
    ours, theirs = make_pair(target, warm_start=True, **SCHEDULES[schedule] | {"max_iter": 7})
    for estimator in (ours, theirs):
        estimator.fit(X, y)
        estimator.set_params(alpha=0.1, max_iter=9)
        estimator.fit(X[::-1], y[::-1])

    assert_same(ours, theirs, X)


@pytest.mark.parametrize("schedule", STOCHASTIC)
@pytest.mark.parametrize("target", TARGETS)
def test_same_model_after_partial_fits(schedule, target):
    skip_what_is_too_new(target)
    X, y = make_data(target)
    classes = {"classes": np.unique(y)} if target in TARGETS[:2] else {}
    classes = {"classes": [0, 1, 2]} if target == "multilabel" else classes
    ours, theirs = make_pair(target, **SCHEDULES[schedule])
    for _ in range(6):
        for part in (slice(0, 25), slice(25, None)):
            ours.partial_fit(X[part], y[part], **classes)
            theirs.partial_fit(X[part], y[part], **classes)

    assert_same(ours, theirs, X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_same_model_when_partial_fit_follows_fit():
    X, y = make_data("binary")
    ours, theirs = make_pair("binary", max_iter=3)
    for estimator in (ours, theirs):
        estimator.fit(X, y)
        estimator.partial_fit(X, y)

    assert_same(ours, theirs, X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("n_classes", "is_multilabel", "dtype"),
    pairs(range(2, 11), EITHER, [np.float32, np.float64]),
)
def test_same_loss_with_batches_of_one(n_classes, dtype, is_multilabel):
    X = np.random.default_rng(0).standard_normal((60, 4)).astype(dtype)
    y = np.arange(60) % n_classes
    y = np.eye(n_classes, dtype=int)[y] if is_multilabel else y
    ours, theirs = make_pair("multiclass", batch_size=1, max_iter=2)

    expected = theirs.fit(X, y).loss_curve_
    np.testing.assert_allclose(ours.fit(X, y).loss_curve_, expected, rtol=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_same_model_when_the_activation_changes_between_calls(method):
    X, y = make_data("regression")
    ours, theirs = make_pair("regression", warm_start=True, max_iter=3)
    for estimator in (ours, theirs):
        getattr(estimator, method)(X, y)
        estimator.set_params(activation="tanh")
        getattr(estimator, method)(X, y)

    assert_same(ours, theirs, X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("target", ["binary", "regression"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_float32_models_agree_to_single_precision(target, solver):
    X, y = make_data(target)
    X = X.astype(np.float32)
    ours, theirs = make_pair(target, solver=solver, activation="tanh")
    ours.fit(X, y)
    theirs.fit(X, y)

    assert {array.dtype for array in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    for array, expected in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-3, atol=2e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_unscaled_data_start_at_the_clipped_loss_of_scikit_learn():
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    parameters = {"random_state": 0, "max_iter": 2}
    ours = sknn.MLPClassifier(**parameters).fit(X, y)
    theirs = reference.MLPClassifier(**parameters).fit(X, y)

    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_verbose_prints_what_scikit_learn_prints(capsys, solver, early_stopping):
    X, y = make_data("binary")
    printed = []
    for estimator in make_pair(
        "binary",
        solver=solver,
        learning_rate="constant" if solver == "adam" else "adaptive",
        early_stopping=early_stopping,
        verbose=True,
        tol=1.0,
        n_iter_no_change=2,
    ):
        estimator.fit(X, y)
        printed.append(capsys.readouterr().out)

    assert printed[0] == printed[1]
    assert printed[0].count("Iteration") >= 3
