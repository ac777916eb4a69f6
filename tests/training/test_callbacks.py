import importlib.util
import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.optimizers import SGD
from sknn.schedules import EveryStep, Step

HAS_CALLBACKS = importlib.util.find_spec("sklearn.callback") is not None
needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn 1.9 has callbacks")
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = scale(X)


class Recorder:
    """Notes its calls; ends the training after some epochs."""

    def __init__(self, n_epochs=None):
        self.n_epochs = n_epochs
        self.calls = []
        self.scores = []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.calls.append(f"end {context.task_name} {context.task_id}")
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
        return context.task_name == "epoch" and context.task_id + 1 == self.n_epochs


def expected_calls(n_epochs):
    epochs = [f"{what} epoch {i}" for i in range(n_epochs) for what in ("begin", "end")]
    return ["setup", "begin fit 0", *epochs, "end fit 0", "teardown"]


@needs_callbacks
@quiet
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_each_epoch_is_a_task_whose_estimator_can_predict(solver):
    recorder = Recorder()
    numbers = {"max_iter": 6, "learning_rate_init": 0.05, "random_state": 0}
    model = MLPClassifier((5,), solver=solver, **numbers).set_callbacks(recorder)
    model.fit(X, Y)

    assert recorder.calls == expected_calls(6)
    assert len(recorder.scores) == 7
    assert recorder.scores[-1] == recorder.scores[-2] == model.score(X, Y)
    assert len(set(recorder.scores)) > 1


@needs_callbacks
@quiet
@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_callback_ends_the_training(solver):
    recorder = Recorder(n_epochs=3)
    model = MLPClassifier((5,), solver=solver, max_iter=50, random_state=0)
    model.set_callbacks(recorder).fit(X, Y)

    assert recorder.calls == expected_calls(3)
    assert model.n_iter_ == 3


@needs_callbacks
@quiet
def test_callbacks_change_nothing_else():
    plain = MLPClassifier((5,), max_iter=6, random_state=0).fit(X, Y)
    watched = MLPClassifier((5,), max_iter=6, random_state=0).set_callbacks(Recorder()).fit(X, Y)

    for array, expected in zip(watched.coefs_, plain.coefs_, strict=True):
        np.testing.assert_array_equal(array, expected)


@needs_callbacks
def test_an_error_of_a_callback_is_raised_and_everything_is_torn_down():
    class Failing(Recorder):
        def on_fit_task_begin(self, estimator, context):
            super().on_fit_task_begin(estimator, context)
            if context.task_name == "epoch" and context.task_id == 2:
                raise KeyError("no luck")

    recorder = Failing()
    model = MLPClassifier((5,), max_iter=6, random_state=0).set_callbacks(recorder)
    with pytest.raises(KeyError, match="no luck"):
        model.fit(X, Y)

    assert recorder.calls[-1] == "teardown"
    assert not hasattr(model, "coefs_")


@needs_callbacks
@quiet
def test_weights_reach_the_callbacks_as_metadata():
    seen = []

    class Spy(Recorder):
        def on_fit_task_end(self, estimator, context, *, metadata):
            seen.append(metadata)

    weight = np.ones(len(X))
    MLPClassifier((5,), max_iter=2).set_callbacks(Spy()).fit(X, Y, sample_weight=weight)

    assert all(metadata["sample_weight"] is weight for metadata in seen)
    assert len(seen) == 3


def monitored(estimator, scoring="accuracy"):
    """Fit an estimator with a ScoringMonitor; return what it has logged."""
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring=scoring)
    estimator.set_callbacks(monitor).fit(X, Y)
    return monitor.get_logs()


@needs_callbacks
@quiet
def test_scoring_monitor_logs_each_epoch():
    model = MLPClassifier((5,), max_iter=6, random_state=0)
    log = monitored(model).data_as_pandas

    assert len(log) == 7  # the epochs and the fit
    assert log["accuracy"].iloc[-1] == pytest.approx(model.score(X, Y))


@needs_callbacks
@quiet
@pytest.mark.parametrize("kind", ["pipeline", "search", "halving"])
@pytest.mark.parametrize("in_lockstep", [False, True])
def test_scoring_monitor_logs_the_epochs_of_a_network_within(kind, in_lockstep):
    from sklearn.callback import ScoringMonitor

    outer, n_fits = network_in(kind)
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = outer if kind == "pipeline" else outer.estimator
    pipeline[-1].set_callbacks(monitor)
    with sknn.lockstep() if in_lockstep else nullcontext():
        outer.fit(X, Y)
    logs = [log.data_as_pandas for log in monitor.get_logs(select="all")]

    assert logs
    assert all(len(log) and log["accuracy"].between(0, 1).all() for log in logs)
    if n_fits is not None:
        assert sum(len(log) for log in logs) == n_fits * (4 + 1)  # the epochs and the fit


def network_in(kind):
    network = MLPClassifier((5,), max_iter=4, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    grid = {"mlpclassifier__alpha": [0.0, 0.1, 1.0]}
    if kind == "pipeline":
        return pipeline, 1
    if kind == "search":
        return GridSearchCV(pipeline, grid, cv=2), 3 * 2 + 1
    halving = HalvingGridSearchCV(
        pipeline,
        grid,
        cv=2,
        factor=3,
        resource="mlpclassifier__max_iter",
        min_resources=2,
        max_resources=6,
        random_state=0,
    )
    return halving, None


@needs_callbacks
@quiet
@pytest.mark.parametrize("kind", ["pipeline", "search", "halving"])
@pytest.mark.parametrize("in_lockstep", [False, True])
def test_progress_goes_through_meta_estimators_to_the_epochs(kind, in_lockstep, capsys):
    from sklearn.callback import ProgressBar

    pytest.importorskip("rich")
    outer, _ = network_in(kind)
    outer.set_callbacks(ProgressBar(max_propagation_depth=None))
    with sknn.lockstep() if in_lockstep else nullcontext():
        outer.fit(X, Y)

    assert "MLPClassifier" in capsys.readouterr().out


@needs_callbacks
@quiet
@pytest.mark.parametrize("in_lockstep", [False, True])
def test_each_fit_of_a_search_has_its_own_tasks(in_lockstep):
    recorders = []

    class Own(Recorder):
        def setup(self, estimator, context):
            super().setup(estimator, context)
            recorders.append(self)

    network = MLPClassifier((5,), max_iter=3, random_state=0).set_callbacks(Own())
    search = GridSearchCV(network, {"alpha": [0.0, 1.0]}, cv=2)
    with sknn.lockstep() if in_lockstep else nullcontext():
        search.fit(X, Y)

    assert len(recorders) == 5
    calls = [call for recorder in set(recorders) for call in recorder.calls]
    assert sum(call.startswith("end epoch") for call in calls) == 5 * 3


@needs_callbacks
def test_callbacks_must_be_callbacks():
    with pytest.raises(TypeError, match="FitCallback protocol"):
        MLPRegressor().set_callbacks(print)


@needs_callbacks
@quiet
def test_clones_keep_their_callbacks():
    recorder = Recorder()
    clone(MLPRegressor((5,), max_iter=2).set_callbacks(recorder)).fit(X, Y)

    assert "begin epoch 1" in recorder.calls


@pytest.mark.skipif(HAS_CALLBACKS, reason="this scikit-learn has callbacks")
def test_an_older_scikit_learn_is_named_with_what_is_needed():
    with pytest.raises(NotImplementedError, match=r"scikit-learn 1\.9 or newer; this is version"):
        MLPClassifier().set_callbacks(Recorder())


# Copies that a callback takes.


class Collector(Recorder):
    """Keeps the estimators that it is shown after each epoch."""

    def __init__(self):
        super().__init__()
        self.copies = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.copies.append(fitted_estimator)


def weights(model):
    return [*model.coefs_, *model.intercepts_]


@needs_callbacks
@quiet
@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam"},
        {"solver": "sgd", "learning_rate_init": 0.1},
        {"solver": "schedule_free"},
        {"solver": "muon"},
        {"weight_averaging": "ema", "normalization": "batch"},
        {"dropout": 0.2, "learning_rate": "invscaling"},
    ],
    ids=str,
)
def test_a_copy_goes_on_as_a_fit_of_as_many_epochs_does(parameters):
    settings = {"hidden_layer_sizes": (5,), "random_state": 0, "batch_size": 40}
    collector = Collector()
    MLPClassifier(max_iter=5, **settings, **parameters).set_callbacks(collector).fit(X, Y)
    for n in (1, 4):
        copy = collector.copies[n - 1]
        expected = MLPClassifier(max_iter=n, **settings, **parameters).fit(X, Y)
        for model in (copy, expected):
            for _ in range(2):
                model.partial_fit(X, Y)
        for found, other in zip(weights(copy), weights(expected), strict=True):
            np.testing.assert_array_equal(found, other)
        assert copy.training_report_.flops == expected.training_report_.flops


@needs_callbacks
@quiet
def test_copies_are_not_written_to_by_the_training():
    collector = Collector()
    MLPClassifier((5,), max_iter=4, random_state=0).set_callbacks(collector).fit(X, Y)
    losses = [copy.loss_ for copy in collector.copies]

    assert [len(copy.loss_curve_) for copy in collector.copies] == [1, 2, 3, 4]
    assert losses == collector.copies[-1].loss_curve_
    first, *_, last = (copy._state.moments["first_moment"] for copy in collector.copies)
    assert not np.array_equal(first, last)


@needs_callbacks
@quiet
@pytest.mark.parametrize("in_search", [False, True])
def test_copies_do_not_drag_their_callbacks_along(in_search):
    collector = Collector()
    network = MLPClassifier((5,), max_iter=6, random_state=0).set_callbacks(collector)
    if in_search:
        GridSearchCV(network, {"alpha": [0.0, 1.0]}, cv=2).fit(X, Y)
    else:
        network.fit(X, Y)
    sizes = [len(pickle.dumps(copy)) for copy in collector.copies]

    assert max(sizes) < 1.1 * min(sizes) + 1000
    assert not any("_parent_callback_ctx" in vars(copy) for copy in collector.copies)
    assert not any(vars(copy)["_skl_callbacks"] for copy in collector.copies)
    assert vars(network)["_skl_callbacks"] == [collector]


class Setter(Recorder):
    """Sets a parameter when the third epoch ends, or begins."""

    def __init__(self, name, value, when):
        super().__init__()
        self.name, self.value, self.when = name, value, when

    def on_fit_task_begin(self, estimator, context):
        super().on_fit_task_begin(estimator, context)
        if (context.task_name, context.task_id, self.when) == ("epoch", 2, "begin"):
            estimator.set_params(**{self.name: self.value})

    def on_fit_task_end(self, estimator, context):
        if (context.task_name, context.task_id, self.when) == ("epoch", 2, "end"):
            setattr(estimator, self.name, self.value)


@needs_callbacks
@quiet
@pytest.mark.parametrize("in_lockstep", [False, True])
@pytest.mark.parametrize("when", ["begin", "end"])
def test_a_callback_that_sets_a_parameter_is_told_that_it_has_no_effect(when, in_lockstep):
    setter = Setter("learning_rate_init", 0.5, when)
    model = MLPClassifier((3,), max_iter=5, random_state=0).set_callbacks(setter)
    reason = r"learning_rate_init from 0\.001 to 0\.5 while .* trains.*Schedule"
    context = sknn.lockstep() if in_lockstep else nullcontext()
    with context, pytest.raises(ValueError, match=reason):
        make_pipeline(StandardScaler(), model).fit(X, Y)

    assert setter.calls[-1] == "teardown"


@needs_callbacks
@quiet
@pytest.mark.parametrize("make", [MLPRegressor, sknn.TabularMLPRegressor])
def test_that_goes_for_every_parameter_and_estimator(make):
    model = make(random_state=0).set_callbacks(Setter("random_state", 1, "end"))
    with pytest.raises(ValueError, match=r"random_state from 0 to 1 while .* reads its parameters"):
        model.fit(X, Y)


@needs_callbacks
@quiet
def test_a_callback_may_steer_the_rate_by_what_the_schedule_reads():
    state = {"factor": 1.0}

    class Halving(Recorder):
        def on_fit_task_end(self, estimator, context):
            state["factor"] /= 2

    model = MLPClassifier((3,), learning_rate=lambda epoch: state["factor"], max_iter=4)
    model.set_callbacks(Halving()).fit(X, Y)

    assert model.history_["learning_rate"].tolist() == [0.001, 0.0005, 0.00025, 0.000125]


@needs_callbacks
@quiet
@pytest.mark.parametrize(
    ("parameters", "name", "value"),
    [
        ({"solver": SGD(0.5)}, "solver__momentum", 0.9),
        ({"learning_rate": Step(0.5)}, "learning_rate__factor", 0.01),
        ({"learning_rate": EveryStep(Step(0.5))}, "learning_rate__schedule__factor", 0.01),
    ],
)
def test_numbers_of_components_are_parameters_too(parameters, name, value):
    model = MLPClassifier((3,), random_state=0, **parameters)
    model.set_callbacks(Setter(name, value, "begin"))
    with pytest.raises(ValueError, match=f"A callback has set {name.partition('__')[0]} from"):
        model.fit(X, Y)


@needs_callbacks
@quiet
def test_to_set_a_parameter_to_the_value_that_it_has_is_no_change():
    model = MLPClassifier((3,), learning_rate_init=0.01, max_iter=4, random_state=0)
    for name, value in (
        ("learning_rate_init", 0.02 / 2),
        ("hidden_layer_sizes", eval("(3,)")),
        ("solver", "".join(["ad", "am"])),
    ):
        clone(model).set_callbacks(Setter(name, value, "end")).fit(X, Y)


@needs_callbacks
@quiet
@pytest.mark.parametrize("make", [MLPClassifier, sknn.TabularMLPClassifier])
def test_what_callbacks_write_on_the_estimator_stays(make):
    class Writer(Recorder):
        def on_fit_task_begin(self, estimator, context):
            estimator.begun_ = context.task_name

        def on_fit_task_end(self, estimator, context):
            estimator.log_ = [*getattr(estimator, "log_", []), context.task_name]
            if context.task_name == "fit":
                estimator.set_params(random_state=5)  # of the next fit

    model = make(random_state=0).set_callbacks(Writer())
    model.fit(X, Y)

    assert model.log_[0] == "epoch"
    assert model.log_[-1] == "fit"
    assert model.begun_ == "epoch"
    assert model.random_state == 5
    assert model.predict(X[:3]).shape == (3,)


@needs_callbacks
@pytest.mark.parametrize("preset", ["fast", "default"])
def test_kinds_of_an_ensemble_that_train_together_each_have_their_epochs(preset):
    class Noting(Recorder):
        def on_fit_task_end(self, estimator, context):
            self.calls.append(f"end {context.task_name} {context.task_id}")

    recorder = Noting()
    model = sknn.TabularMLPClassifier(preset, max_iter=4, cv=2, random_state=0)
    model.set_callbacks(recorder).fit(X, Y)

    assert recorder.calls[-2:] == ["end fit 0", "teardown"]
    begun = [call.removeprefix("begin ") for call in recorder.calls if "begin epoch" in call]
    ended = [call.removeprefix("end ") for call in recorder.calls if "end epoch" in call]
    assert sorted(begun) == sorted(ended)
    assert len({*begun}) == len(begun) == 4 * len(model.members_)
