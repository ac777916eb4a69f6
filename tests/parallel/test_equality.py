"""The promise of lockstep, for searches: the same results inside the context as outside."""

import traceback
import warnings
from collections import Counter
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler, scale

import sknn
from sknn.solvers import Stochastic
from tests.parallel.threads import HAS_THREADS, needs_threads

# The two estimators, and what is compared.

TARGETS = ["binary", "strings", "multiclass", "multilabel", "regression", "multioutput", "poisson"]


@cache
def make_data(target):
    """Return X and y of 100 rows: in three folds their sizes differ by one."""
    rng = np.random.default_rng(0)
    if target in ("binary", "strings"):
        X, y = load_breast_cancer(return_X_y=True)
        X = X[:, :8]
    elif target in ("multiclass", "multilabel"):
        X, y = load_iris(return_X_y=True)
    else:
        X, y = load_diabetes(return_X_y=True)
    rows = rng.permutation(len(y))[:100]
    if target in ("multiclass", "multilabel"):
        rows = rng.permutation([*range(34), *range(50, 83), *range(100, 133)])  # all classes alike
    X, y = scale(X[rows]), y[rows]
    noise = rng.normal(scale=0.5, size=(100, 2))
    if target == "strings":
        y = np.array(["benign", "malignant"])[y]
    if target == "multilabel":
        y = (X[:, :3] + y[:, np.newaxis] > 1).astype(int)
    if target == "regression":
        y = scale(y)
    if target == "multioutput":
        y = np.column_stack([scale(y), X[:, :2] + noise])
    if target == "poisson":
        y = rng.poisson(np.exp(scale(y) / 2)).astype(float)
    return X, y


def make_mlp(target="multiclass", **parameters):
    """Return the estimator for a target: small, with a few epochs."""
    numbers = {"hidden_layer_sizes": (6,), "max_iter": 6, "batch_size": 20, "random_state": 3}
    numbers |= {"learning_rate_init": 0.02} | parameters
    if target in TARGETS[:4]:
        return sknn.MLPClassifier(**numbers)
    return sknn.MLPRegressor(**{"loss": "poisson"} | numbers if target == "poisson" else numbers)


class Outcome(NamedTuple):
    """What came of a call: a result or an error, warnings, and how many models a stack had."""

    result: Any
    error: BaseException | None
    warnings: Counter
    stack_sizes: list[int]


def run(call, action="always"):
    """Call, and note all that a user would see of it."""
    sizes, minimize = [], Stochastic.minimize

    def spy(solver, problems):
        sizes.append(len(problems))
        return minimize(solver, problems)

    result = error = None
    with (
        warnings.catch_warnings(record=True) as caught,
        mock.patch.object(Stochastic, "minimize", spy),
    ):
        warnings.simplefilter("always")
        warnings.simplefilter(action, ConvergenceWarning)
        try:
            result = call()
        except Exception as raised:
            error = raised
    return Outcome(
        result, error, Counter((item.category, str(item.message)) for item in caught), sizes
    )


def assert_same(call, outside=None, has_stacks=True, action="always"):
    """Call inside the context and outside, compare, and return both outcomes.

    `has_stacks` says whether networks have to be trained together inside: without that nothing
    would have been tested. Where the arguments have to differ, `outside` is what to call there.
    """
    expected = run(outside or call, action)
    with sknn.lockstep():
        found = run(call, action)

    assert set(expected.stack_sizes) <= {1}
    assert (max(found.stack_sizes, default=0) > 1) == (has_stacks and HAS_THREADS)
    if expected.error is None:
        assert sum(found.stack_sizes) == sum(expected.stack_sizes)
    assert found.warnings == expected.warnings
    if expected.error is not None and found.error is None:
        raise AssertionError("no error inside") from expected.error
    if found.error is not None and expected.error is None:
        raise found.error
    assert type(found.error) is type(expected.error)
    assert str(found.error) == str(expected.error), "".join(traceback.format_exception(found.error))
    assert_equal(found.result, expected.result)
    return found, expected


def assert_same_search(make, *data, has_stacks=True, action="always", **fit_parameters):
    """Compare a search that `make` makes, fitted inside the context, with one fitted outside."""
    return assert_same(
        lambda: make().fit(*data, **fit_parameters), has_stacks=has_stacks, action=action
    )


def assert_equal(found, expected, path="result", close=None):
    """Compare what tools return, estimators included: exactly, but the weights of networks."""
    assert type(found) is type(expected), path
    if isinstance(expected, BaseEstimator):
        assert repr(found) == repr(expected), path
        if hasattr(expected, "coefs_"):
            is_double = expected.coefs_[0].dtype == np.float64
            close = {"rtol": 1e-12, "atol": 1e-14} if is_double else {"rtol": 1e-5, "atol": 1e-6}
        fitted = [name for name in vars(expected) if name[-1] == "_" != name[0]]
        assert fitted == [name for name in vars(found) if name[-1] == "_" != name[0]], path
        found = {name: getattr(found, name) for name in fitted}
        expected = {name: getattr(expected, name) for name in fitted}
    if isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            if not (isinstance(key, str) and key.strip("_").endswith("_time")):
                assert_equal(found[key], expected[key], f"{path}[{key!r}]", close)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), path
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_equal(one, other, f"{path}[{i}]", close)
    elif isinstance(expected, np.ma.MaskedArray):
        np.testing.assert_array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(expected))
        assert_equal(found.tolist(), expected.tolist(), path)
    elif isinstance(expected, np.ndarray) and expected.dtype == object:
        assert_equal(found.tolist(), expected.tolist(), path, close)
    elif isinstance(expected, (np.ndarray, float)):
        assert np.asarray(found).dtype == np.asarray(expected).dtype, path
        if close is None or np.asarray(expected).dtype.kind != "f":
            np.testing.assert_array_equal(found, expected, path)
        else:
            np.testing.assert_allclose(found, expected, **close, err_msg=path)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif expected is None or isinstance(expected, (int, str, np.generic)):
        assert found == expected, path
    elif not callable(expected) and hasattr(expected, "__dict__"):
        assert_equal(vars(found), vars(expected), path, close)


# One parameter after the other. The grids are small, but many enough for stacks to differ.

FINE = {"binary": "neg_log_loss", "multiclass": "neg_log_loss", "regression": "r2"}
"""Scorers that notice any difference between two networks."""

GRIDS = {
    "learning_rate_init": ({}, {"learning_rate_init": [0.001, 0.01, 0.1]}),
    "alpha": ({}, {"alpha": [0, 0.1, 10.0]}),
    "momentum": ({"solver": "sgd"}, {"momentum": [0, 0.5, 0.9]}),
    "nesterovs_momentum": ({"solver": "sgd"}, {"nesterovs_momentum": [True, False]}),
    "beta_1, beta_2, epsilon": ({}, {"beta_1": [0, 0.9], "beta_2": [0.9, 0.999], "epsilon": [0.1]}),
    "epsilon": ({}, {"epsilon": [1e-8, 0.1]}),
    "hidden_layer_sizes": ({}, {"hidden_layer_sizes": [(), 5, (5,), (8,), (6, 4)]}),
    "activation": ({}, {"activation": ["identity", "logistic", "tanh", "relu"]}),
    "solver": ({}, {"solver": ["adam", "sgd", "lbfgs"]}),
    "max_iter": ({}, {"max_iter": [1, 4, 9]}),
    "schedule of sgd": (
        {"solver": "sgd", "tol": 0.05, "n_iter_no_change": 1, "max_iter": 12},
        {"learning_rate": ["constant", "invscaling", "adaptive"]},
    ),
    "schedule of adam": (
        {"tol": 0.05, "n_iter_no_change": 1, "max_iter": 12},
        {"learning_rate": ["constant", "invscaling", "adaptive"]},
    ),
    "power_t": ({"solver": "sgd", "learning_rate": "invscaling"}, {"power_t": [0, 0.3, 0.5]}),
    "batch_size": ({}, {"batch_size": [1, 7, 33, "auto"], "max_iter": [2, 3]}),
    "batch_size above the number of samples": ({}, {"batch_size": [50, 1000]}),
    "shuffle": ({}, {"shuffle": [True, False]}),
    "warm_start": ({}, {"warm_start": [True, False]}),
    "random_state": ({}, {"random_state": [0, 1, 2]}),
    "early_stopping": ({"tol": 0.01}, {"early_stopping": [True, False], "alpha": [0, 1]}),
    "early_stopping, n_iter_no_change": (
        {"early_stopping": True, "max_iter": 15},
        {"n_iter_no_change": [1, 2, 5], "validation_fraction": [0.2, 0.3]},
    ),
    "early_stopping of lbfgs": (
        {"early_stopping": True, "n_iter_no_change": 2},
        {"solver": ["lbfgs", "adam"]},
    ),
    "tol": (
        {"max_iter": 15},
        {"tol": [0, 0.01, 0.1], "n_iter_no_change": [1, np.inf]},
    ),
    "target_loss": ({"max_iter": 15}, {"target_loss": [None, 0.3, 0.6]}),
    "several solvers, each with its own parameters": (
        {},
        [
            {"solver": ["adam"], "beta_1": [0.5, 0.9]},
            {"solver": ["sgd"], "momentum": [0.5, 0.9], "learning_rate_init": [0.01]},
            {"solver": ["lbfgs"], "max_fun": [5, 15000]},
        ],
    ),
}


@pytest.mark.parametrize("target", ["multiclass", "regression"])
@pytest.mark.parametrize("name", GRIDS)
def test_a_search_over_a_parameter_is_the_same(name, target):
    parameters, grid = GRIDS[name]

    assert_same_search(
        lambda: GridSearchCV(make_mlp(target, **parameters), grid, scoring=FINE[target], cv=3),
        *make_data(target),
    )


@pytest.mark.parametrize("target", ["multiclass", "regression"])
@pytest.mark.parametrize("name", ["learning_rate_init", "momentum", "max_iter", "early_stopping"])
def test_a_search_over_a_parameter_is_the_same_in_single_precision(name, target):
    parameters, grid = GRIDS[name]
    X, y = make_data(target)

    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(target, **parameters), grid, scoring=FINE[target], cv=3),
        X.astype(np.float32),
        y,
    )

    assert found.result.best_estimator_.coefs_[0].dtype == np.float32


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("early_stopping", [False, True], ids=["all epochs", "early stopping"])
def test_a_search_is_the_same_for_every_target(target, is_weighted, early_stopping):
    X, y = make_data(target)
    weight = {"sample_weight": np.random.default_rng(1).uniform(0.2, 2, len(y))}
    grid = {"alpha": [0.01, 1], "learning_rate_init": [0.01, 0.1]}

    found, _ = assert_same_search(
        lambda: GridSearchCV(
            make_mlp(target, early_stopping=early_stopping), grid, cv=KFold(2), error_score="raise"
        ),
        X,
        y,
        **weight if is_weighted else {},
    )

    assert np.ptp(found.result.cv_results_["mean_test_score"]) > 0


def test_a_search_over_losses_is_the_same():
    grid = {"loss": ["squared_error", "poisson"], "learning_rate_init": [0.01, 0.1]}

    assert_same_search(lambda: GridSearchCV(make_mlp("poisson"), grid, cv=3), *make_data("poisson"))


# Other searches, splitters and scorers.

RATES = {"learning_rate_init": [0.003, 0.01, 0.03, 0.1]}


@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_a_randomized_search_is_the_same(target):
    space = {"alpha": [0, 0.1, 1, 10], "hidden_layer_sizes": [5, 8], **RATES}

    assert_same_search(
        lambda: RandomizedSearchCV(make_mlp(target), space, n_iter=6, cv=3, random_state=0),
        *make_data(target),
    )


@pytest.mark.parametrize(
    "resource",
    [{"min_resources": 20}, {"resource": "max_iter", "min_resources": 2, "max_resources": 10}],
    ids=["samples", "epochs"],
)
def test_a_halving_search_is_the_same(resource):
    grid = {"alpha": [0, 1], **RATES}

    found, _ = assert_same_search(
        lambda: HalvingGridSearchCV(
            make_mlp(),
            grid,
            factor=2,
            cv=3,
            random_state=0,
            aggressive_elimination=False,
            **resource,
        ),
        *make_data("multiclass"),
    )

    assert found.result.n_iterations_ > 1


SPLITTERS = {
    "seven parts of two sizes": KFold(7),
    "groups": GroupKFold(4),
    "stratified groups": StratifiedGroupKFold(3),
    "time series": TimeSeriesSplit(4),
    "repeated": RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    "random": ShuffleSplit(5, test_size=0.3, random_state=0),
    "a list of indices": [(np.arange(0, 60), np.arange(60, 99)), (np.arange(40, 100), [1, 2, 3])],
}


def score_confidence(estimator, X, y):
    """Return the mean probability of the true classes, which may be less than all there are."""
    return float(estimator.predict_proba(X)[np.arange(len(y)), y].mean())


@pytest.mark.parametrize("name", SPLITTERS)
def test_a_search_is_the_same_for_every_splitter(name):
    X, y = make_data("multiclass")
    has_groups = "groups" in name
    groups = {"groups": np.random.default_rng(0).integers(0, 12, len(y))} if has_groups else {}

    assert_same_search(
        lambda: GridSearchCV(make_mlp(), RATES, scoring=score_confidence, cv=SPLITTERS[name]),
        X,
        y,
        **groups,
    )


def score_accuracy_and_size(estimator, X, y):
    """Score with a function of one's own, which looks into the estimator."""
    return {
        "accuracy": accuracy_score(y, estimator.predict(X)),
        "size": float(np.abs(estimator.coefs_[0]).sum()),
    }


SCORINGS = {
    "a name": {"scoring": "neg_log_loss"},
    "a list": {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
    "a dict": {"scoring": {"loss": "neg_log_loss", "auc": "roc_auc_ovr"}, "refit": "loss"},
    "a function": {"scoring": score_accuracy_and_size, "refit": "accuracy"},
    "no refit": {"scoring": ["accuracy", "neg_log_loss"], "refit": False},
    "a function that chooses": {
        "scoring": "neg_log_loss",
        "refit": lambda results: int(results["mean_test_score"].argmin()),
    },
}


@pytest.mark.parametrize("name", SCORINGS)
def test_a_search_is_the_same_for_every_scoring(name):
    assert_same_search(
        lambda: GridSearchCV(make_mlp(), RATES, cv=3, return_train_score=True, **SCORINGS[name]),
        *make_data("multiclass"),
    )


@pytest.mark.parametrize(("n_jobs", "pre_dispatch"), [(1, "all"), (2, 3), (-1, "2*n_jobs")])
def test_a_search_is_the_same_whatever_number_of_jobs_is_asked_for(n_jobs, pre_dispatch):
    X, y = make_data("multiclass")

    def search(**jobs):
        fitted = GridSearchCV(make_mlp(), RATES, cv=3, **jobs).fit(X, y)
        return fitted.cv_results_, fitted.best_estimator_

    assert_same(lambda: search(n_jobs=n_jobs, pre_dispatch=pre_dispatch), search)


# What comes in.


def as_frame(X):
    return pd.DataFrame(X, columns=[f"feature {i}" for i in range(X.shape[1])])


CONTAINERS = {
    "float32": lambda X: X.astype(np.float32),
    "DataFrame": as_frame,
    "DataFrame of float32": lambda X: as_frame(X.astype(np.float32)),
    "Fortran order": np.asfortranarray,
    "every other row of a larger array": lambda X: np.repeat(X, 2, axis=0)[::2],
    "integers": lambda X: (10 * X).astype(int),
    "lists": lambda X: X.tolist(),
    "CSR": sp.csr_matrix,
    "CSC": sp.csc_matrix,
}


@pytest.mark.parametrize("target", ["binary", "regression"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_a_search_is_the_same_for_every_kind_of_data(name, target):
    X, y = make_data(target)

    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(target), {"alpha": [0, 1]}, scoring=FINE[target], cv=3),
        CONTAINERS[name](X),
        y,
        has_stacks=name not in ("CSR", "CSC"),
    )

    dtype = np.float32 if "float32" in name else np.float64
    assert found.result.best_estimator_.coefs_[0].dtype == dtype


@pytest.mark.parametrize("kind", [list, pd.Series, pd.Categorical], ids=lambda kind: kind.__name__)
def test_a_search_is_the_same_for_every_kind_of_targets(kind):
    X, y = make_data("strings")

    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp("binary"), RATES, cv=3), as_frame(X), kind(y)
    )

    assert set(found.result.predict(as_frame(X))) <= {"benign", "malignant"}


def test_a_search_with_routed_weights_is_the_same():
    X, y = make_data("multiclass")
    weight = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)

    def search(**weights):
        mlp = make_mlp().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        return GridSearchCV(mlp, RATES, cv=3).fit(X, y, **weights)

    with sklearn.config_context(enable_metadata_routing=True):
        found, _ = assert_same(lambda: search(sample_weight=weight))
        plain, _ = assert_same(search)

    assert np.any(found.result.best_estimator_.coefs_[0] != plain.result.best_estimator_.coefs_[0])


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_search_with_weights_of_zero_is_the_same(early_stopping):
    X, y = make_data("regression")
    weight = np.where(np.arange(100) < 66, 0.0, 1.0)

    assert_same_search(
        lambda: GridSearchCV(make_mlp("regression", early_stopping=early_stopping), RATES, cv=3),
        X,
        y,
        sample_weight=weight,
    )


PIPELINES = {
    "scaler": {"scale__with_std": [True, False], "mlp__learning_rate_init": [0.01, 0.1]},
    "components": {"reduce__n_components": [2, 3], "mlp__learning_rate_init": [0.01, 0.1]},
    "steps left out": {"scale": ["passthrough", StandardScaler()], "reduce": [None, PCA(2)]},
    "kinds of last steps": {
        "mlp": [make_mlp(alpha=1), make_mlp(alpha=0.01), LogisticRegression(max_iter=500)]
    },
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_search_over_a_pipeline_is_the_same(name):
    steps = [("scale", StandardScaler()), ("reduce", PCA(3)), ("mlp", make_mlp())]

    assert_same_search(
        lambda: GridSearchCV(Pipeline(steps), PIPELINES[name], scoring="neg_log_loss", cv=3),
        *make_data("multiclass"),
    )


def test_a_search_over_a_pipeline_that_caches_its_steps_is_the_same(tmp_path):
    pipeline = Pipeline([("reduce", PCA(2)), ("mlp", make_mlp())], memory=str(tmp_path))

    assert_same_search(
        lambda: GridSearchCV(pipeline, {"mlp__alpha": [0.1, 1]}, scoring="neg_log_loss", cv=3),
        *make_data("multiclass"),
    )


# What goes wrong.


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": [0.1, -1, 1]},
        {"hidden_layer_sizes": [(5,), (0,), (5, -1)]},
        {"activation": ["relu", "rleu"]},
        {"batch_size": [20, 0]},
        {"validation_fraction": [0.2, 0.0], "early_stopping": [True]},
        {"solver": ["adam", "adamx"]},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_candidates_that_are_not_valid_fail_alone_and_in_the_same_way(parameters):
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(), parameters, cv=3), *make_data("multiclass")
    )

    assert FitFailedWarning in {category for category, _ in found.warnings}
    scores = found.result.cv_results_["mean_test_score"]
    assert np.isfinite(scores).any()
    assert np.isnan(scores).any()


def test_a_score_for_candidates_that_fail_is_the_same():
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(), {"alpha": [0.1, -1]}, cv=3, error_score=-7),
        *make_data("multiclass"),
    )

    assert found.result.cv_results_["mean_test_score"][1] == -7


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
def test_a_search_without_a_valid_candidate_raises_the_same_error(error_score):
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(), {"alpha": [-1, -2]}, cv=3, error_score=error_score),
        *make_data("multiclass"),
        has_stacks=False,
    )

    assert isinstance(found.error, ValueError)


GRIDS_WITH_ERRORS = {
    "an early one": {"alpha": [-1, 0.1, 1]},
    "one in the middle": {"alpha": [0.1, -1, 1]},
    "a late one": {"alpha": [0.1, 1, -1]},
    "a slow one before a quick one": [
        {"alpha": [0.1], "learning_rate_init": [0.01, 1e10]},
        {"alpha": [-1]},
    ],
}


@pytest.mark.parametrize("name", GRIDS_WITH_ERRORS)
def test_a_search_stops_at_the_same_error_and_the_next_one_is_as_ever(name):
    X, y = make_data("regression")

    def search(grid, **parameters):
        return GridSearchCV(make_mlp("regression", solver="sgd"), grid, cv=3, **parameters).fit(
            X, y
        )

    def search_that_fails():
        return search(GRIDS_WITH_ERRORS[name], error_score="raise")

    expected, expected_next = run(search_that_fails), run(lambda: search(RATES))
    with sknn.lockstep():
        found, found_next = run(search_that_fails), run(lambda: search(RATES))

    assert isinstance(expected.error, ValueError)
    assert type(found.error) is type(expected.error)
    assert str(found.error) == str(expected.error)
    assert found.warnings == expected.warnings
    if name != "a slow one before a quick one":  # what comes after an error is not even begun
        assert sum(found.stack_sizes) == sum(expected.stack_sizes)
    assert found_next.warnings == expected_next.warnings
    assert max(found_next.stack_sizes) > 1 or not HAS_THREADS
    assert_equal(found_next.result, expected_next.result)


@pytest.mark.parametrize("early_stopping", [False, True], ids=["all epochs", "early stopping"])
@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize("rates", [[0.01, 1e10, 0.02], [1e10, 1e12]], ids=["one of three", "all"])
def test_candidates_that_diverge_fail_alone_and_in_the_same_way(rates, error_score, early_stopping):
    mlp = {"solver": "sgd", "early_stopping": early_stopping}

    found, _ = assert_same_search(
        lambda: GridSearchCV(
            make_mlp("regression", **mlp),
            {"learning_rate_init": rates},
            cv=KFold(4),
            error_score=error_score,
        ),
        *make_data("regression"),
    )

    assert found.error is not None or found.warnings


def test_a_scorer_that_fails_fails_in_the_same_way():
    def score(estimator, X, y):
        if estimator.alpha == 1:
            raise RuntimeError("no score for this one")
        return estimator.score(X, y)

    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(), {"alpha": [0.1, 1]}, cv=3, scoring=score),
        *make_data("multiclass"),
    )

    assert np.isnan(found.result.cv_results_["mean_test_score"]).tolist() == [False, True]


def test_rows_that_cannot_be_fitted_fail_in_the_same_way():
    X, y = make_data("regression")
    X = X.copy()
    X[5, 0] = np.nan

    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp("regression"), RATES, cv=KFold(4)), X, y
    )

    assert isinstance(found.error, ValueError)  # of the refit: all rows are in there


# Warnings.


@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_every_fit_that_has_not_converged_warns_once(target):
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(target), {"max_iter": [2, 3]}, cv=4), *make_data(target)
    )

    assert sum(found.warnings.values()) == 2 * 4 + 1
    assert {category for category, _ in found.warnings} == {ConvergenceWarning}
    assert any("(2)" in text for _, text in found.warnings)
    assert any("(3)" in text for _, text in found.warnings)


@pytest.mark.parametrize("action", ["default", "once", "module", "ignore"])
def test_warning_filters_have_the_same_effect(action):
    assert_same_search(
        lambda: GridSearchCV(make_mlp(), RATES, cv=3), *make_data("multiclass"), action=action
    )


def test_warnings_that_are_errors_are_the_same_errors():
    found, _ = assert_same_search(
        lambda: GridSearchCV(make_mlp(tol=0.3, n_iter_no_change=1), {"max_iter": [2, 50]}, cv=3),
        *make_data("multiclass"),
        action="error",
    )

    assert np.isnan(found.result.cv_results_["mean_test_score"]).tolist() == [True, False]


def test_verbose_networks_print_the_same_lines(capsys):
    X, y = make_data("multiclass")
    printed = []

    def search():
        GridSearchCV(make_mlp(verbose=True), RATES, cv=3).fit(X, y)
        printed.append(Counter(capsys.readouterr().out.splitlines()))

    assert_same(search)

    assert printed[0] == printed[1]
    assert printed[0].total() == 13 * 6


# That the test tests something.


@needs_threads
def test_networks_are_trained_together_inside_the_context_only():
    X, y = make_data("multiclass")
    with sknn.lockstep():
        inside = run(lambda: GridSearchCV(make_mlp(), RATES, cv=KFold(4)).fit(X, y))
        alone = run(lambda: make_mlp().fit(X, y))
    outside = run(lambda: GridSearchCV(make_mlp(), RATES, cv=KFold(4)).fit(X, y))

    assert max(inside.stack_sizes) == 4 * 4
    assert inside.stack_sizes.count(1) == 1
    assert alone.stack_sizes == [1]
    assert outside.stack_sizes == [1] * 17


def test_the_comparison_notices_small_differences():
    X, y = make_data("multiclass")
    one = run(lambda: GridSearchCV(make_mlp(), RATES, cv=3).fit(X, y)).result
    other = run(lambda: GridSearchCV(make_mlp(), RATES, cv=3).fit(X, y)).result
    assert_equal(one, other)

    other.best_estimator_.coefs_[1][2, 1] *= 1 + 1e-10
    with pytest.raises(AssertionError, match="coefs_"):
        assert_equal(one, other)
    other.best_estimator_.coefs_[1][2, 1] = one.best_estimator_.coefs_[1][2, 1]
    other.cv_results_["split1_test_score"][2] += 1e-15
    with pytest.raises(AssertionError, match="split1_test_score"):
        assert_equal(one, other)
