"""Tools of the field at work with sknn, each in a few lines on real data.

``make test-clients`` runs all of them; elsewhere those whose tool is missing are skipped.
"""

import importlib
import logging
import warnings

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.persistence import TRUSTED_TYPES
from tests.parallel.threads import needs_threads

NUMBERS = {"learning_rate_init": 0.01, "tol": 1e-3, "max_iter": 500, "random_state": 0}
RATE = "mlpclassifier__learning_rate_init"
GRID = {RATE: [0.003, 0.03], "mlpclassifier__alpha": [0.1, 1.0]}


def need(name):
    tool = name.partition(".")[0]
    return pytest.importorskip(name, reason=f"make test-clients runs it, with {tool}")


def network(**parameters):
    return make_pipeline(StandardScaler(), MLPClassifier((10,), **NUMBERS | parameters))


def regression(**parameters):
    """Return a regressor that scales X and y."""
    inner = MLPRegressor(**{"hidden_layer_sizes": (10,), **NUMBERS, **parameters})
    inner = make_pipeline(StandardScaler(), inner)
    return TransformedTargetRegressor(inner, transformer=StandardScaler())


@pytest.fixture(scope="module")
def wine():
    return load_wine(return_X_y=True)


@pytest.fixture(scope="module")
def patients():
    """The diabetes data in three parts: to train on, to calibrate with, and new."""
    X, y = load_diabetes(return_X_y=True)
    X_train, X, y_train, y = train_test_split(X, y, test_size=0.5, random_state=0)
    X_known, X_new, y_known, y_new = train_test_split(X, y, test_size=0.5, random_state=0)
    return (X_train, y_train), (X_known, y_known), (X_new, y_new)


# Optuna


@pytest.fixture
def optuna():
    module = need("optuna")
    level = module.logging.get_verbosity()
    module.logging.set_verbosity(module.logging.WARNING)
    yield module
    module.logging.set_verbosity(level)


@needs_threads
def test_trials_and_folds_of_optuna_share_a_stack(optuna, wine, stack_sizes):
    X, y = wine
    # Folds of 120 rows, so that all networks have batches of the same number.
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    model = network(batch_size=32)
    rates = optuna.distributions.FloatDistribution(1e-3, 0.1, log=True)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))

    def score(params, train, test):
        return clone(model).set_params(**params).fit(X[train], y[train]).score(X[test], y[test])

    trials = [study.ask({RATE: rates}) for _ in range(6)]
    with sknn.lockstep():
        scores = Parallel()(
            delayed(score)(trial.params, *fold) for trial in trials for fold in folds.split(X, y)
        )
    for trial, of_folds in zip(trials, np.reshape(scores, (6, 3)), strict=True):
        study.tell(trial, of_folds.mean())

    assert stack_sizes == [18]
    for trial in study.trials:
        expected = cross_val_score(clone(model).set_params(**trial.params), X, y, cv=folds)
        assert trial.value == expected.mean()


class Report:
    """Tells a trial the score of each epoch, and prunes."""

    def __init__(self, trial, error, X, y):
        self.trial, self.error, self.X, self.y = trial, error, X, y

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.trial.report(fitted_estimator.score(self.X, self.y), context.task_id)
            if self.trial.should_prune():
                raise self.error


def train_reporting(trial, error, X, X_val, y, y_val):
    """Train at the trial's rate; return the score, or None where it was pruned."""
    net = MLPClassifier((20,), max_iter=9, tol=0, n_iter_no_change=10, random_state=0)
    net.set_params(**trial.params).set_callbacks(Report(trial, error, X_val, y_val))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of 9 epochs only
            return net.fit(X, y).score(X_val, y_val)
    except error:
        return None


@needs_threads
def test_callbacks_prune_trials_of_optuna_in_a_stack_as_outside(optuna, stack_sizes):
    need("sklearn.callback")
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, stratify=y, random_state=0)
    space = {"learning_rate_init": optuna.distributions.FloatDistribution(1e-4, 1.0, log=True)}

    def ask():
        pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        sampler = optuna.samplers.RandomSampler(seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        return study, [study.ask(space) for _ in range(9)]

    def tell(study, trials, scores):
        for trial, score in zip(trials, scores, strict=True):
            state = "COMPLETE" if score is not None else "PRUNED"
            study.tell(trial, score, state=optuna.trial.TrialState[state])
        return [(trial.state, trial.intermediate_values) for trial in study.trials]

    study, trials = ask()
    one_by_one = [train_reporting(trial, optuna.TrialPruned, *parts) for trial in trials]
    expected = tell(study, trials, one_by_one)
    stack_sizes.clear()
    study, trials = ask()
    with sknn.lockstep():
        scores = Parallel()(
            delayed(train_reporting)(trial, optuna.TrialPruned, *parts) for trial in trials
        )

    assert stack_sizes == [9]
    assert tell(study, trials, scores) == expected
    epochs = [len(reported) for _, reported in expected]
    assert max(epochs) == 9
    assert min(epochs) == 2
    assert scores.count(None) >= 3


def test_partial_fit_prunes_trials_of_optuna(optuna):
    X, y = load_digits(return_X_y=True)
    X, X_val, y, y_val = train_test_split(X / 16, y, stratify=y, random_state=0)

    def objective(trial):
        rate = trial.suggest_float("learning_rate_init", 1e-4, 1.0, log=True)
        net = MLPClassifier((20,), learning_rate_init=rate, random_state=0)
        for epoch in range(9):
            net.partial_fit(X, y, classes=range(10))
            trial.report(net.score(X_val, y_val), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return net.score(X_val, y_val)

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=1),
    )
    study.optimize(objective, n_trials=8)

    states = [trial.state.name for trial in study.trials]
    assert states[:3] == ["COMPLETE"] * 3
    assert states.count("PRUNED") >= 3
    assert study.best_value > 0.8


# Storing and tracking


def test_skops_stores_a_pipeline_with_our_list_of_types_and_no_other(wine):
    skops = need("skops.io")
    X, y = wine
    model = network().fit(X, y)
    content = skops.dumps(model)

    assert {*skops.get_untrusted_types(data=content)} <= {*TRUSTED_TYPES}
    again = skops.loads(content, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    with pytest.raises(TypeError, match="MLPClassifier"):
        skops.loads(content)


of_sqlalchemy = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
"""SQLAlchemy 2.1 warns of how MLflow uses it."""


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    module = need("mlflow")
    need("mlflow.pyfunc")
    need("mlflow.sklearn")
    folder = tmp_path_factory.mktemp("mlflow")
    module.set_tracking_uri(f"sqlite:///{folder}/runs.db")
    module.create_experiment("models", artifact_location=(folder / "files").as_uri())
    module.set_experiment("models")
    yield module
    module.sklearn.autolog(disable=True, silent=True)
    module.set_tracking_uri(None)


@of_sqlalchemy
def test_mlflow_logs_a_model_with_our_list_of_types(mlflow, wine):
    X, y = wine
    model = network().fit(X, y)
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            model, name="model", skops_trusted_types=TRUSTED_TYPES, pip_requirements=["sknn"]
        )
    again = mlflow.sklearn.load_model(logged.model_uri)

    assert logged.flavors["sklearn"]["serialization_format"] == "skops"
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@of_sqlalchemy
# of scikit-learn about how MLflow calls it
@pytest.mark.filterwarnings("ignore:.y_pred. was renamed:FutureWarning")
def test_autolog_of_mlflow_sees_pipelines_and_searches_but_no_bare_fit(mlflow, wine):
    # One candidate's run: MLflow logs them in threads, which may clash in SQLite.
    options = {"log_models": False, "log_datasets": False, "max_tuning_runs": 1}
    mlflow.sklearn.autolog(silent=True, **options)

    def logged(model):
        with mlflow.start_run() as run:
            model.fit(*wine)
        return mlflow.get_run(run.info.run_id).data

    bare = logged(network()[-1].set_params(max_iter=1500))
    pipeline = logged(network())
    with sknn.lockstep():
        search = logged(GridSearchCV(network(), GRID, cv=3))

    assert (bare.params, bare.metrics) == ({}, {})
    assert pipeline.params[RATE] == "0.01"
    assert pipeline.metrics["training_accuracy_score"] > 0.95
    assert float(search.params[f"best_{RATE}"]) in GRID[RATE]
    assert search.metrics["best_cv_score"] > 0.9


def test_reports_of_skore_have_the_scores_of_scikit_learn(wine):
    skore = need("skore")
    X, y = wine
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    expected = cross_validate(network(), X, y, cv=folds)["test_score"]
    with sknn.lockstep():
        report = skore.CrossValidationReport(network(), X, y, splitter=folds)
    scores = report.metrics.accuracy(aggregate=None).to_numpy().ravel()

    np.testing.assert_array_equal(scores, expected)


# Intervals


def check_split_conformal(model, known, new, intervals):
    """The half width is the residual of the right rank, and new rows are covered."""
    (X, y), (X_new, y_new) = known, new
    residuals = np.sort(np.abs(y - model.predict(X)))
    width = residuals[int(np.ceil((len(y) + 1) * 0.8)) - 1]
    predicted = model.predict(X_new)
    np.testing.assert_allclose(intervals[:, 0], predicted - width)
    np.testing.assert_allclose(intervals[:, 1], predicted + width)
    assert 0.7 < np.mean((intervals[:, 0] <= y_new) & (y_new <= intervals[:, 1])) < 0.9


def test_split_intervals_of_mapie_are_residuals_of_the_network(patients):
    mapie = need("mapie.regression")
    train, known, new = patients
    model = regression(alpha=10.0).fit(*train)
    conformal = mapie.SplitConformalRegressor(model, confidence_level=0.8, prefit=True)
    _, intervals = conformal.conformalize(*known).predict_interval(new[0])

    check_split_conformal(model, known, new, intervals[..., 0])


def test_mapie_conformalises_networks_of_quantiles(patients):
    mapie = need("mapie.regression")
    train, (X, y), (X_new, y_new) = patients
    levels = {"lower": 0.1, "upper": 0.9, "median": 0.5}
    models = [
        regression(loss="quantile", quantile=level, alpha=1.0).fit(*train)
        for level in levels.values()
    ]
    conformal = mapie.ConformalizedQuantileRegressor(models, confidence_level=0.8, prefit=True)
    conformal.conformalize(X, y)
    _, intervals = conformal.predict_interval(X_new, symmetric_correction=True)
    lower, upper = intervals[..., 0].T

    # Romano et al. 2019: by how much the rows known are outside, at the right rank
    outside = np.maximum(models[0].predict(X) - y, y - models[1].predict(X))
    shift = np.sort(outside)[int(np.ceil((len(y) + 1) * 0.8)) - 1]
    np.testing.assert_allclose(lower, models[0].predict(X_new) - shift)
    np.testing.assert_allclose(upper, models[1].predict(X_new) + shift)
    assert 0.7 < np.mean((lower <= y_new) & (y_new <= upper)) < 0.9
    assert np.ptp(upper - lower) > 10


def test_intervals_of_crepes_are_residuals_of_the_network(patients):
    crepes = need("crepes")
    train, known, new = patients
    model = regression(alpha=10.0).fit(*train)
    wrapped = crepes.WrapRegressor(model)
    wrapped.calibrate(*known)

    intervals = wrapped.predict_int(new[0], confidence=0.8)
    check_split_conformal(model, known, new, intervals)


# Rare classes


@needs_threads
def test_samplers_of_imbalanced_learn_work_in_pipelines_and_stacks(stack_sizes):
    pipeline = need("imblearn.pipeline")
    sampling = need("imblearn.over_sampling")
    X, y = load_breast_cancer(return_X_y=True)
    net = MLPClassifier((10,), batch_size=64, **NUMBERS)
    sampler = sampling.SMOTE(random_state=0)
    model = pipeline.make_pipeline(StandardScaler(), sampler, net)

    X_more, y_more = sampler.fit_resample(StandardScaler().fit_transform(X), y)
    by_hand = clone(net).fit(X_more, y_more)
    np.testing.assert_array_equal(model.fit(X, y)[-1].coefs_[0], by_hand.coefs_[0])

    expected = cross_val_score(model, X, y, cv=3)
    stack_sizes.clear()
    with sknn.lockstep():
        scores = cross_val_score(model, X, y, cv=3)
    np.testing.assert_array_equal(scores, expected)
    assert stack_sizes == [3]


@needs_threads
def test_balanced_bagging_of_imbalanced_learn_trains_a_stack(stack_sizes):
    ensemble = need("imblearn.ensemble")
    X, y = load_breast_cancer(return_X_y=True)
    bagging = ensemble.BalancedBaggingClassifier(network(), n_estimators=8, random_state=0)
    expected = bagging.fit(X, y).predict_proba(X)
    stack_sizes.clear()
    with sknn.lockstep():
        bagging.fit(X, y)

    np.testing.assert_allclose(bagging.predict_proba(X), expected, rtol=1e-9)
    assert stack_sizes == [8]


# Explanations


def test_shap_explains_a_linear_network_by_its_coefficients(patients):
    shap = need("shap")
    (X, y), _, (X_new, _) = patients
    model = regression(hidden_layer_sizes=(), solver="lbfgs").fit(X, y)
    background = X[:50]
    explainer = shap.Explainer(model.predict, shap.maskers.Independent(background, 50))
    explained = explainer(X_new[:5])

    slopes = model.predict(np.eye(10)) - model.predict(np.zeros((10, 10)))
    expected = slopes * (X_new[:5] - background.mean(axis=0))
    np.testing.assert_allclose(explained.values, expected, atol=1e-8)
    np.testing.assert_allclose(
        explained.values.sum(axis=1) + explained.base_values, model.predict(X_new[:5])
    )


# Clusters


def check_search(search, expected):
    scores = [each.cv_results_["mean_test_score"] for each in (search, expected)]
    np.testing.assert_array_equal(*scores)
    assert search.best_params_ == expected.best_params_


@pytest.mark.filterwarnings("ignore:.apply_async. is deprecated")  # by joblib 1.5's own backend
def test_a_dask_cluster_searches_in_lockstep_and_passes_networks_on(wine):
    distributed = need("distributed")
    X, y = wine
    search = GridSearchCV(network(), GRID, cv=3)
    expected = clone(search).fit(X, y)
    there = here = MLPClassifier((10,), random_state=0)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        with sknn.lockstep(n_jobs=-1, backend="dask"):
            search.fit(X, y)
        for start in range(3):
            rows = X[start::3], y[start::3]
            there = client.submit(MLPClassifier.partial_fit, there, *rows, classes=range(3))
            here = here.partial_fit(*rows, classes=range(3))
        there = there.result()

    check_search(search, expected)
    np.testing.assert_array_equal(there.coefs_[0], here.coefs_[0])


@pytest.fixture
def ray():
    module = need("ray")
    importlib.import_module("ray.util.joblib").register_ray()
    options = {"include_dashboard": False, "log_to_driver": False}
    module.init(num_cpus=2, logging_level=logging.ERROR, **options)
    yield module
    module.shutdown()


def test_ray_searches_in_lockstep_and_passes_networks_on(ray, wine):
    X, y = wine
    search = GridSearchCV(network(), GRID, cv=3)
    expected = clone(search).fit(X, y)
    with sknn.lockstep(n_jobs=-1, backend="ray"):
        search.fit(X, y)
    check_search(search, expected)

    # Arrays in Ray's store cannot be written to: a network that comes from there copies them.
    net = MLPClassifier((10,), random_state=0).partial_fit(X, y, classes=range(3))
    again = ray.get(ray.put(net)).partial_fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], net.partial_fit(X, y).coefs_[0])
