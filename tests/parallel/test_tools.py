"""The promise of lockstep, for all other tools: the same results inside the context as outside."""

from contextvars import ContextVar
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.neural_network
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils.fixes import parse_version

import sknn
from tests.parallel.test_equality import (
    RATES,
    TARGETS,
    as_frame,
    assert_equal,
    assert_same,
    make_data,
    make_mlp,
    run,
)
from tests.parallel.threads import HAS_THREADS

WEIGHTS = np.random.default_rng(1).uniform(0.2, 2, 100)


# Functions.


@pytest.mark.parametrize("target", TARGETS)
def test_cross_validate_is_the_same(target):
    found, _ = assert_same(
        lambda: cross_validate(
            make_mlp(target),
            *make_data(target),
            cv=KFold(7),
            return_estimator=True,
            return_indices=True,
            return_train_score=True,
        )
    )

    assert len(found.result["estimator"]) == 7
    assert set(found.result) >= {"test_score", "train_score", "indices", "fit_time", "score_time"}


def test_cross_validate_with_weights_groups_and_several_scores_is_the_same():
    X, y = make_data("multiclass")

    assert_same(
        lambda: cross_validate(
            make_mlp(),
            X,
            y,
            cv=GroupKFold(4),
            groups=np.arange(100) % 9,
            scoring=["accuracy", "neg_log_loss"],
            params={"sample_weight": WEIGHTS},
        )
    )


@pytest.mark.parametrize("target", ["binary", "regression"])
def test_cross_validate_of_a_fit_that_fails_is_the_same(target):
    def validate(error_score):
        X, y = make_data(target)
        X = X.copy()
        X[5, 0] = np.nan  # only where row 5 is held out can a network be fitted
        return cross_validate(make_mlp(target), X, y, cv=KFold(4), error_score=error_score)

    for error_score in (np.nan, "raise"):
        found, _ = assert_same(lambda score=error_score: validate(score), has_stacks=False)
        assert found.error is not None or found.warnings


@pytest.mark.parametrize("target", TARGETS)
def test_cross_val_score_is_the_same(target):
    assert_same(lambda: cross_val_score(make_mlp(target), *make_data(target), cv=5))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
@pytest.mark.parametrize("target", ["binary", "strings", "multiclass", "multilabel"])
def test_cross_val_predict_of_a_classifier_is_the_same(target, method):
    X, y = make_data(target)

    found, _ = assert_same(lambda: cross_val_predict(make_mlp(target), X, y, cv=5, method=method))

    assert len(found.result) == 100


@pytest.mark.parametrize("target", ["regression", "multioutput", "poisson"])
def test_cross_val_predict_of_a_regressor_is_the_same(target):
    found, _ = assert_same(lambda: cross_val_predict(make_mlp(target), *make_data(target), cv=5))

    assert found.result.shape == make_data(target)[1].shape


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("alpha", [0, 0.1, 10]),
        ("hidden_layer_sizes", [3, 8]),
        ("max_iter", [2, 5, 9]),
        ("solver", ["adam", "sgd", "lbfgs"]),
        ("early_stopping", [False, True]),
    ],
)
@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_a_validation_curve_is_the_same(target, name, values):
    assert_same(
        lambda: validation_curve(
            make_mlp(target), *make_data(target), param_name=name, param_range=values, cv=3
        )
    )


@pytest.mark.parametrize("target", ["multiclass", "regression"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_learning_curve_is_the_same(target, shuffle):
    sizes = [0.3, 0.6, 1.0]

    assert_same(
        lambda: learning_curve(
            make_mlp(target),
            *make_data(target),
            train_sizes=sizes,
            cv=KFold(4),
            shuffle=shuffle,
            random_state=0,
            error_score="raise",
        )
    )


def test_a_learning_curve_of_partial_fits_is_the_same():
    found, _ = assert_same(
        lambda: learning_curve(
            make_mlp(),
            *make_data("multiclass"),
            train_sizes=[20, 40, 60],
            cv=KFold(4, shuffle=True, random_state=0),
            exploit_incremental_learning=True,
        ),
        has_stacks=False,
    )

    assert np.isfinite(found.result[2]).all()


def test_a_permutation_test_is_the_same():
    found, _ = assert_same(
        lambda: permutation_test_score(
            make_mlp(), *make_data("multiclass"), cv=3, n_permutations=8, random_state=0
        )
    )

    assert max(found.stack_sizes) == 8 or not HAS_THREADS


def test_a_permutation_importance_is_the_same():
    X, y = make_data("multiclass")
    model = run(lambda: make_mlp().fit(X, y)).result

    found, _ = assert_same(
        lambda: dict(permutation_importance(model, X, y, n_repeats=3, random_state=0)),
        has_stacks=False,
    )

    assert found.result["importances"].any()


# Meta-estimators. With each: its target, how to make it, and whether its own networks meet
# (those that are fitted one after the other do not).


def select_by_weights(mlp):
    """Return importances for RFECV, which asks for coef_ otherwise."""
    return np.abs(mlp.coefs_[0]).sum(axis=1)


class OnesOwnEnsemble(ClassifierMixin, BaseEstimator):
    """A meta-estimator as users write them: a Parallel call, and an average.

    Each of its tasks fits twice, so that it is suspended twice.
    """

    kinds: ClassVar = {
        "list": {},
        "threads": {"prefer": "threads"},
        "shared memory": {"require": "sharedmem"},
        "processes": {"prefer": "processes"},
        "generator": {"return_as": "generator"},
        "two at a time": {"n_jobs": 1, "pre_dispatch": 2},
        "batches": {"batch_size": 2},
    }

    def __init__(self, estimator, n_estimators=5, kind="list"):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.kind = kind

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        fits = joblib.Parallel(**self.kinds[self.kind])(
            joblib.delayed(self._fit_one)(X, y, seed) for seed in range(self.n_estimators)
        )
        self.estimators_ = list(fits)
        return self

    def _fit_one(self, X, y, seed):
        model = clone(self.estimator).set_params(random_state=seed, max_iter=3).fit(X, y)
        hard = np.argsort(model.predict_proba(X).max(axis=1))[: len(y) // 2]
        y = np.concatenate([y, y[hard]])
        return clone(model).set_params(max_iter=4).fit(np.concatenate([X, X[hard]]), y)

    def predict(self, X):
        votes = sum(model.predict_proba(X) for model in self.estimators_)
        return self.classes_[votes.argmax(axis=1)]


def two_networks(target, *others):
    """Return named networks that may be one stack, and other estimators."""
    pair = [("slow", make_mlp(target, learning_rate_init=0.003)), ("fast", make_mlp(target))]
    return [*pair, *others]


def forest():
    return RandomForestClassifier(n_estimators=3, random_state=0)


def by_columns():
    """Return a pipeline of transformers that have Parallel calls of their own."""
    columns = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2, 3])])
    both = FeatureUnion([("same", FunctionTransformer()), ("scaled", StandardScaler())])
    return make_pipeline(columns, both, make_mlp())


META_ESTIMATORS = {
    "bagging": (
        "multiclass",
        lambda: BaggingClassifier(make_mlp(), n_estimators=5, random_state=0),
        True,
    ),
    "bagging of parts": (
        "multiclass",
        lambda: BaggingClassifier(
            make_mlp(), 6, max_samples=0.6, max_features=3, oob_score=True, random_state=0
        ),
        True,
    ),
    "bagging of rows without replacement": (
        "regression",
        lambda: BaggingRegressor(
            make_mlp("regression"), 5, max_samples=0.7, bootstrap=False, random_state=0
        ),
        True,
    ),
    "bagging of regressors": (
        "regression",
        lambda: BaggingRegressor(make_mlp("regression"), 5, random_state=0),
        True,
    ),
    "bagging of several outputs": (
        "multioutput",
        lambda: BaggingRegressor(make_mlp("multioutput"), 5, random_state=0),
        True,
    ),
    "stacking": (
        "multiclass",
        lambda: StackingClassifier(
            two_networks("multiclass", ("forest", forest())), LogisticRegression(), cv=3
        ),
        True,
    ),
    "stacking with a network on top": (
        "regression",
        lambda: StackingRegressor(
            two_networks("regression", ("ridge", Ridge())), make_mlp("regression"), cv=3
        ),
        True,
    ),
    "voting": (
        "strings",
        lambda: VotingClassifier(
            two_networks("binary", ("logistic", LogisticRegression())), voting="soft"
        ),
        True,
    ),
    "voting of regressors": (
        "regression",
        lambda: VotingRegressor(two_networks("regression", ("ridge", Ridge()))),
        True,
    ),
    "one against the rest": ("multiclass", lambda: OneVsRestClassifier(make_mlp()), True),
    "one against the rest, multilabel": (
        "multilabel",
        lambda: OneVsRestClassifier(make_mlp()),
        True,
    ),
    "one against one": ("multiclass", lambda: OneVsOneClassifier(make_mlp()), True),
    "output codes": (
        "multiclass",
        lambda: OutputCodeClassifier(make_mlp(), code_size=2, random_state=0),
        True,
    ),
    "one classifier an output": ("multilabel", lambda: MultiOutputClassifier(make_mlp()), True),
    "one regressor an output": (
        "multioutput",
        lambda: MultiOutputRegressor(make_mlp("regression")),
        True,
    ),
    "a chain": ("multilabel", lambda: ClassifierChain(make_mlp(), cv=3), True),
    "a chain of regressors": ("multioutput", lambda: RegressorChain(make_mlp("regression")), False),
    "calibration": ("binary", lambda: CalibratedClassifierCV(make_mlp(), cv=4), True),
    "calibration of the whole": (
        "multiclass",
        lambda: CalibratedClassifierCV(make_mlp(), cv=4, ensemble=False, method="isotonic"),
        True,
    ),
    "columns": ("multiclass", by_columns, False),
    "transformed targets": (
        "regression",
        lambda: TransformedTargetRegressor(make_mlp("regression"), transformer=StandardScaler()),
        False,
    ),
    "elimination of features": (
        "multiclass",
        lambda: RFECV(make_mlp(), cv=3, importance_getter=select_by_weights),
        True,
    ),
    "selection of features": (
        "multiclass",
        lambda: SequentialFeatureSelector(make_mlp(), n_features_to_select=2, cv=3),
        True,
    ),
    "boosting": (
        "multiclass",
        lambda: AdaBoostClassifier(make_mlp(), n_estimators=3, random_state=0),
        False,
    ),
    **{
        f"one's own, {kind}": (
            "multiclass",
            lambda kind=kind: OnesOwnEnsemble(make_mlp(), kind=kind),
            True,
        )
        for kind in OnesOwnEnsemble.kinds
    },
    "bagging in one's own": (
        "multiclass",
        lambda: BaggingClassifier(OnesOwnEnsemble(make_mlp(), 3), 3, random_state=0),
        True,
    ),
    "one against the rest of bagging": (
        "multiclass",
        lambda: OneVsRestClassifier(BaggingClassifier(make_mlp(), 3, random_state=0)),
        True,
    ),
}


def fit_and_predict(make, target):
    """Fit; return the estimator and everything that it says of the data."""
    X, y = make_data(target)
    model = make().fit(X, y)
    names = ("predict", "predict_proba", "decision_function", "transform")
    outputs = {name: getattr(model, name)(X) for name in names if hasattr(model, name)}
    assert outputs
    return model, outputs


@pytest.mark.parametrize("name", META_ESTIMATORS)
def test_a_meta_estimator_is_the_same(name):
    target, make, has_stacks = META_ESTIMATORS[name]

    assert_same(lambda: fit_and_predict(make, target), has_stacks=has_stacks)


@pytest.mark.parametrize(
    "name", [name for name, case in META_ESTIMATORS.items() if not name.startswith("one's own, ")]
)
def test_a_meta_estimator_is_the_same_in_cross_validation(name):
    target, make, _ = META_ESTIMATORS[name]
    X, y = make_data(target)

    def validate():
        model = make()
        if not hasattr(model, "predict"):  # a selector
            model = make_pipeline(model, make_mlp(target))
        return cross_validate(model, X, y, cv=2, error_score="raise", return_estimator=True)

    assert_same(validate)


def test_a_meta_estimator_with_weights_is_the_same():
    X, y = make_data("multiclass")

    assert_same(
        lambda: BaggingClassifier(make_mlp(), 5, random_state=0).fit(X, y, sample_weight=WEIGHTS)
    )


def test_an_ensemble_that_grows_is_the_same():
    X, y = make_data("regression")

    def grow():
        bagging = BaggingRegressor(make_mlp("regression"), 3, warm_start=True, random_state=0)
        first = bagging.fit(X, y).predict(X)
        return first, bagging.set_params(n_estimators=7).fit(X, y)

    assert_same(grow)


@pytest.mark.parametrize("parameters", [{"warm_start": True}, {"early_stopping": True}], ids=str)
def test_networks_that_are_fitted_on_are_the_same(parameters):
    X, y = make_data("multiclass")

    def fit_on():
        models = [make_mlp(random_state=seed, **parameters) for seed in range(4)]
        for n_rows in (100, 60):
            models = joblib.Parallel(n_jobs=2, prefer="threads")(
                joblib.delayed(model.fit)(X[:n_rows], y[:n_rows]) for model in models
            )
        for model in models:
            model.fit(X, y)
        return models

    def fit_on_alone():
        models = [make_mlp(random_state=seed, **parameters) for seed in range(4)]
        return [model.fit(X, y).fit(X[:60], y[:60]).fit(X, y) for model in models]

    assert_same(fit_on, fit_on_alone)


def test_a_generator_that_is_left_early_gives_the_same_first_results():
    X, y = make_data("multiclass")

    def take_three():
        fits = (joblib.delayed(make_mlp(random_state=seed).fit)(X, y) for seed in range(8))
        models = joblib.Parallel(n_jobs=1, return_as="generator")(fits)
        first = [next(models) for _ in range(3)]
        models.close()
        return first

    expected = run(lambda: [make_mlp(random_state=seed).fit(X, y) for seed in range(3)])
    with sknn.lockstep():
        found = run(take_three)

    assert found.error is None
    assert max(found.stack_sizes) > 1 or not HAS_THREADS
    assert_equal(found.result, expected.result)


@pytest.mark.skipif(
    parse_version(joblib.__version__) < parse_version("1.4"), reason="joblib has it since 1.4"
)
def test_results_in_the_order_of_completion_are_the_same_results():
    X, y = make_data("multiclass")

    def fit_all(return_as):
        fits = (
            joblib.delayed(make_mlp(random_state=seed, max_iter=9 - seed).fit)(X, y)
            for seed in range(6)
        )
        models = joblib.Parallel(n_jobs=1, return_as=return_as)(fits)
        return sorted(models, key=lambda model: model.random_state)

    assert_same(lambda: fit_all("generator_unordered"), lambda: fit_all("list"))


def surroundings():
    """Return what a task sees of the place where it was asked for."""
    return sklearn.get_config(), np.geterr(), VARIABLE.get()


VARIABLE = ContextVar("variable", default="default")


def test_tasks_see_the_configuration_the_error_handling_and_the_context_of_their_caller():
    def look():
        X, y = make_data("multiclass")
        token = VARIABLE.set("set")
        try:
            with sklearn.config_context(assume_finite=True), np.errstate(divide="raise"):
                calls = [joblib.delayed(surroundings)() for _ in range(2)]
                fits = [joblib.delayed(make_mlp(random_state=s).fit)(X, y) for s in range(2)]
                return joblib.Parallel(n_jobs=1)([*calls[:1], *fits, *calls[1:]])
        finally:
            VARIABLE.reset(token)

    found, _ = assert_same(look)

    for config, errors, variable in (found.result[0], found.result[-1]):
        assert config["assume_finite"]
        assert errors["divide"] == "raise"
        assert variable == "set"


# Tools within tools.


@pytest.mark.parametrize("target", ["multiclass", "regression"])
def test_nested_cross_validation_is_the_same(target):
    found, _ = assert_same(
        lambda: cross_validate(
            GridSearchCV(make_mlp(target), RATES, cv=3),
            *make_data(target),
            cv=3,
            return_estimator=True,
        )
    )

    assert sum(found.stack_sizes) == 3 * (4 * 3 + 1)


def test_a_search_over_ensembles_is_the_same():
    grid = {"estimator__alpha": [0.1, 1], "n_estimators": [2, 3]}

    assert_same(
        lambda: GridSearchCV(BaggingClassifier(make_mlp(), random_state=0), grid, cv=3).fit(
            *make_data("multiclass")
        )
    )


def test_an_ensemble_of_searches_is_the_same():
    assert_same(
        lambda: StackingClassifier(
            [
                ("grid", GridSearchCV(make_mlp(), RATES, cv=3)),
                ("random", RandomizedSearchCV(make_mlp(), RATES, n_iter=2, random_state=0, cv=3)),
            ],
            LogisticRegression(),
            cv=3,
        ).fit(*make_data("multiclass"))
    )


def test_a_search_with_columns_of_several_kinds_is_the_same():
    X, y = make_data("multiclass")
    frame = as_frame(X).assign(kind=pd.Categorical(np.where(X[:, 0] > 0, "long", "short")))

    def search():
        columns = ColumnTransformer(
            [
                ("numbers", StandardScaler(), list(frame.columns[:4])),
                ("kind", OneHotEncoder(sparse_output=False), ["kind"]),
            ]
        )
        pipeline = make_pipeline(columns, make_mlp())
        grid = {
            "columntransformer__numbers__with_mean": [True, False],
            "mlpclassifier__alpha": [0.1, 1],
        }
        return GridSearchCV(pipeline, grid, cv=3).fit(frame, y)

    found, _ = assert_same(search)

    assert list(found.result.feature_names_in_) == list(frame.columns)


def test_frames_that_transformers_hand_on_are_the_same():
    X, y = make_data("multiclass")

    def validate():
        with sklearn.config_context(transform_output="pandas"):
            pipeline = make_pipeline(StandardScaler(), make_mlp())
            return cross_validate(pipeline, as_frame(X), y, cv=3, return_estimator=True)

    found, _ = assert_same(validate)

    names = found.result["estimator"][0][-1].feature_names_in_
    assert list(names) == list(as_frame(X).columns)


def test_a_selection_of_features_in_a_search_is_the_same():
    def search():
        selector = RFECV(make_mlp(), cv=3, importance_getter=select_by_weights)
        pipeline = make_pipeline(selector, make_mlp())
        return GridSearchCV(pipeline, {"rfecv__step": [1, 2]}, cv=2).fit(*make_data("multiclass"))

    assert_same(search)


# Tools that have no networks.

FOREIGN = {
    "search": lambda X, y: GridSearchCV(
        LogisticRegression(), {"C": [0.1, 1], "max_iter": [2, 100]}, cv=3
    ).fit(X, y),
    "search over forests": lambda X, y: GridSearchCV(forest(), {"max_depth": [1, 3]}, cv=3).fit(
        X, y
    ),
    "forest": lambda X, y: (
        RandomForestClassifier(20, oob_score=True, random_state=0).fit(X, y).predict_proba(X)
    ),
    "validation": lambda X, y: cross_validate(forest(), X, y, cv=4)["test_score"],
    "bagging": lambda X, y: BaggingClassifier(random_state=0).fit(X, y).predict_proba(X),
    "invalid": lambda X, y: GridSearchCV(LogisticRegression(), {"C": [1, -1]}, cv=3).fit(X, y),
    "scikit-learn's networks": lambda X, y: cross_val_score(
        sklearn.neural_network.MLPClassifier((5,), max_iter=3, random_state=0), X, y, cv=3
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_tools_over_other_estimators_are_the_same(name):
    X, y = make_data("multiclass")

    found, _ = assert_same(lambda: FOREIGN[name](X, y), has_stacks=False)

    assert found.stack_sizes == []
    assert found.error is None
