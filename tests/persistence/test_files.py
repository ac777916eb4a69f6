"""What is saved is loaded: to the bit, without code, and nothing else is."""

import copy
import hashlib
import os
import subprocess
import sys
import textwrap
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor, _crew
from sknn.container import FORMAT
from sknn.model_selection import GridSearchCV, LearningRateSearchCV, TunedThresholdClassifierCV
from sknn.optimizers import Adam, AdamW
from sknn.persistence import files
from sknn.plain import CLASS, as_plain
from sknn.schedules import Warmup
from sknn.tabular import TableEncoder, TabularMLPClassifier
from tests.cases import name_of
from tests.estimators.test_features import FEATURES, LIMITS, Softsign
from tests.persistence.hostile import (
    REPLACEMENTS,
    mutations_of,
    places_in,
    put_together,
    replaced,
    sealed,
    take_apart,
    write_members,
)
from tests.persistence.models import (
    CODES,
    MODELS,
    NETWORKS,
    NUMBERS,
    TABLE,
    X,
    answer,
    fitted,
    same,
    train,
)
from tests.persistence.released import MAKE, NUMBER, WORDS, answers, as_rows, paths_of
from tests.test_plain import CASES
from tests.training.test_callbacks import needs_callbacks

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sknn"


def there_and_back(path, model, components=(), **options):
    sknn.save(model, path, **options)
    return sknn.load(path, components)


# Round trips.


@pytest.mark.parametrize("name", MODELS)
def test_every_model_answers_the_same(path, name):
    model = fitted(name)
    again = there_and_back(path, model)

    assert same(answer(name, again), answer(name, model))
    assert same(as_plain(again), as_plain(model))
    clone(again)
    copy.deepcopy(again)


@quiet
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_goes_on_to_the_same_bits(path, name):
    _, X, y = MODELS[name]
    model = copy.deepcopy(fitted(name))
    again = there_and_back(path, model)
    for each in (model, again):
        if hasattr(each, "partial_fit") and not each.early_stopping:
            each.partial_fit(X, y)
        train(each.set_params(warm_start=True), X, y)

    assert same(again.coefs_ + again.intercepts_, model.coefs_ + model.intercepts_)
    assert again.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("name", ["regressor", "classifier"])
def test_ensembles_grow_to_the_same_bits(path, name):
    _, X, y = MODELS[name]
    model = copy.deepcopy(fitted(name))
    again = there_and_back(path, model)
    for each in (model, again):
        each.set_params(warm_start=True).fit(X, y)

    assert same(answer(name, again), answer(name, model))


@quiet
@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_is_stored(path, name):
    options = FEATURES[name]
    model = MLPRegressor(**NUMBERS | {"hidden_layer_sizes": (4, 4)} | options)
    if name == "function":  # a lambda
        with pytest.raises(ValueError, match="learning_rate holds <function <lambda>"):
            sknn.save(model, path)
        return
    own = [Softsign] if name == "own activation" else []
    assert same(as_plain(there_and_back(path, model, own)), as_plain(model))
    model.fit(X, X[:, 0])
    again = there_and_back(path, model, own)
    for each in (model, again):
        train(each.set_params(warm_start=True, refit_full=False), X, X[:, 0])

    assert same(again.predict(X), model.predict(X)) or name in LIMITS[:1]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_every_component_is_stored_alone_and_in_an_estimator(path, case):
    alone = there_and_back(path, case)
    within = there_and_back(path, MLPClassifier(activation=[case], solver=case)).solver

    for again in (alone, within):
        assert type(again) is type(case)
        assert repr(again) == repr(case)


@pytest.mark.parametrize(
    "model",
    [MLPClassifier(), TabularMLPClassifier(cv=KFold(3)), TableEncoder(n_bins=5)],
    ids=name_of,
)
def test_what_is_not_fitted_is_not_fitted(path, model):
    again = there_and_back(path, model)

    assert repr(again) == repr(model)
    assert vars(again).keys() == vars(model).keys()


@pytest.mark.parametrize(
    "value",
    [-0.0, float("inf"), float("nan"), 5e-324, 10**30, np.float32(0.1), b"x", {"~": {1: (2,)}}],
    ids=repr,
)
def test_parameters_are_stored_whether_they_are_valid_or_not(path, value):
    again = there_and_back(path, MLPClassifier(alpha=value)).alpha

    assert type(again) is type(value)
    assert repr(again) == repr(value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_assigned_parameters_are_stored_as_they_are(path, dtype):
    model = copy.deepcopy(fitted("labels: int"))
    model.coefs_ = [np.asfortranarray(coef, dtype) for coef in model.coefs_]
    model.intercepts_[0] = model.intercepts_[0].astype(">f8")
    again = there_and_back(path, model)

    assert again.coefs_[0].dtype == dtype
    assert again.coefs_[0].flags.f_contiguous
    assert again.intercepts_[0].dtype == ">f8"
    assert same(again.predict_proba(X), model.predict_proba(X))


def test_parameters_of_a_file_can_be_edited(path):
    again = there_and_back(path, fitted("labels: int"))
    again.coefs_[0] *= 2
    again.intercepts_[0][:] = 0


def test_attributes_of_users_are_stored(path):
    model = copy.deepcopy(fitted("labels: int"))
    model.note, model.scale_ = {"by": "Ann"}, np.arange(3)
    again = there_and_back(path, model)

    assert (again.note, again.scale_.tolist()) == ({"by": "Ann"}, [0, 1, 2])


def test_output_of_frames_is_stored(path):
    encoder = copy.deepcopy(fitted("encoder")).set_output(transform="pandas")

    assert there_and_back(path, encoder).transform(TABLE).equals(encoder.transform(TABLE))


def test_metadata_requests_are_stored(path):
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier().set_fit_request(sample_weight="w", X_val=True, groups=False)
        model.set_score_request(sample_weight=True).set_partial_fit_request(classes=True)
    again = there_and_back(path, model)

    with sklearn.config_context(enable_metadata_routing=True):
        for method in ("fit", "partial_fit", "score"):
            asked = [getattr(m.get_metadata_routing(), method).requests for m in (again, model)]
            assert asked[0] == asked[1]


def test_a_path_is_not_needed_by_a_model(path):
    model = there_and_back(path, fitted("labels: int"))
    path.unlink()

    assert same(answer("labels: int", model), answer("labels: int", fitted("labels: int")))


def test_fitting_a_loaded_model_anew_is_the_same_fit(path):
    model = fitted("labels: str")
    again = train(there_and_back(path, model), X, MODELS["labels: str"][2])

    assert same(again.coefs_, model.coefs_)


class Saving:
    """A callback of scikit-learn that saves what has been trained so far, and who is trained."""

    def __init__(self, folder):
        self.folder = folder

    def setup(self, estimator, context):
        sknn.save(estimator, self.folder / "estimator.sknn")

    def teardown(self, estimator, context):
        sknn.save(estimator, self.folder / "estimator.sknn")

    def on_fit_task_begin(self, estimator, context):
        sknn.save(estimator, self.folder / "estimator.sknn")

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        sknn.save(estimator, self.folder / "estimator.sknn")
        if fitted_estimator is not None:
            sknn.save(fitted_estimator, self.folder / "latest.sknn")


@quiet
@needs_callbacks
@pytest.mark.parametrize("is_searched", [False, True])
def test_callbacks_can_save_while_a_model_is_trained(tmp_path, is_searched):
    model = MLPClassifier(**NUMBERS).set_callbacks(Saving(tmp_path))
    if is_searched:
        model = GridSearchCV(model, {"alpha": [0.1]}, cv=2, error_score="raise")
    model.fit(X, CODES)

    assert sknn.load(tmp_path / "estimator.sknn").get_params()["max_iter"] == 2
    latest = sknn.load(tmp_path / "latest.sknn")
    assert latest.n_iter_ == 2
    assert latest.predict(X).shape == CODES.shape
    assert "_skl_callbacks" not in vars(latest)


@pytest.mark.parametrize("model", [MLPClassifier(), TabularMLPClassifier()], ids=name_of)
def test_a_file_does_not_say_where_a_fit_writes_to(path, tmp_path, model):
    where = tmp_path / "checkpoints"
    model = clone(model).set_params(checkpoint=where)
    assert there_and_back(path, model).checkpoint is None
    header, arrays = take_apart(path)
    header["tree"]["model"]["checkpoint"] = str(where)
    put_together(path, header, arrays)

    refuses(path, "has checkpoint of its own")


# Without the training state.


def test_without_the_state_a_file_is_about_as_large_as_the_parameters(path):
    model = train(MLPClassifier((200,), max_iter=1, random_state=0), X, CODES)
    n_bytes = sum(array.nbytes for array in model.coefs_ + model.intercepts_)
    sknn.save(model, path)
    with_state = path.stat().st_size
    again = there_and_back(path, model, with_state=False)

    assert with_state > 3 * n_bytes
    assert path.stat().st_size < n_bytes + 8_000
    assert same(again.predict_proba(X), model.predict_proba(X))
    assert same(as_plain(again), as_plain(model.trim()))


@quiet
def test_without_the_state_partial_fit_begins_with_a_new_optimizer(path):
    model = fitted("labels: int")
    again = there_and_back(path, model, with_state=False).partial_fit(X, CODES)

    assert again.loss_ < model.loss_ * 1.5


@pytest.mark.parametrize("name", ["regressor", "classifier"])
def test_an_ensemble_without_its_state_answers_the_same(path, name):
    model = fitted(name)
    sknn.save(model, path)
    with_state = path.stat().st_size
    again = there_and_back(path, model, with_state=False)

    assert path.stat().st_size < with_state
    assert same(answer(name, again), answer(name, model))
    with pytest.raises(ValueError, match="warm_start=True needs what trim has left out"):
        again.set_params(warm_start=True).fit(*MODELS[name][1:])


def test_saving_changes_nothing(path):
    model = fitted("classifier")
    before = as_plain(copy.deepcopy(model))
    for with_state in (True, False):
        sknn.save(model, path, with_state=with_state)

    assert same(as_plain(model), before)


# What is refused.


@pytest.mark.parametrize(
    "other",
    [
        make_pipeline(StandardScaler(), MLPClassifier()),
        RandomForestClassifier(),
        GridSearchCV(MLPClassifier(), {"alpha": [0, 1]}),
        LearningRateSearchCV(MLPClassifier()),
        TunedThresholdClassifierCV(MLPClassifier()),
        {"a": 1},
        None,
    ],
    ids=name_of,
)
def test_what_is_not_of_the_package_is_refused_with_a_word_on_skops(path, other):
    with pytest.raises(ValueError, match=rf"got {type(other).__name__}.*skops\.io\.dump"):
        sknn.save(other, path)

    assert not path.exists()


def test_a_class_is_refused(path):
    with pytest.raises(ValueError, match="save needs an instance; got the class MLPClassifier"):
        sknn.save(MLPClassifier, path)


def holding_itself():
    model = MLPClassifier()
    model.me = [model]
    return model


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return MLPClassifier(class_weight=value)


def with_another_attribute():
    rule = Adam()
    rule.note = "mine"
    return rule


def with_a_method_hidden():
    model = MLPClassifier()
    model.predict = "no"
    return model


ODD = {
    "holds itself": (holding_itself, "holds itself"),
    "deep": (deep, "200 levels"),
    "component's attribute": (with_another_attribute, "could not be loaded again.*'note'"),
    "hidden method": (with_a_method_hidden, "could not be loaded again.*has predict of its own"),
    "masked": (
        lambda: MLPClassifier(alpha=np.ma.array([1], mask=[1])),
        "alpha holds a MaskedArray",
    ),
    "structured": (lambda: MLPClassifier(alpha=np.zeros(1, "i4,i4")), "alpha has dtype"),
    "objects": (lambda: MLPClassifier(alpha=np.array([set()])), "alpha holds an array with set"),
    "frame": (lambda: MLPClassifier(alpha=TABLE), "alpha.* holds .* of type"),
    "file": (lambda: MLPClassifier(alpha=sys.stdout), "alpha.* holds .* of type"),
    "unfit": (lambda: broken("coefs_", 0), "could not be loaded again.*shape"),
}


def broken(attribute, place):
    model = copy.deepcopy(fitted("labels: int"))
    getattr(model, attribute)[place] = np.zeros((1, 1))
    return model


@pytest.mark.parametrize(("make", "message"), ODD.values(), ids=ODD)
def test_what_could_not_be_loaded_is_not_saved(path, make, message):
    path.write_text("old")
    with pytest.raises(ValueError, match=message):
        sknn.save(make(), path)

    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("components", ["Adam", Adam, 1, None], ids=repr)
def test_components_must_be_a_list(path, components):
    sknn.save(Adam(), path)

    with pytest.raises(TypeError, match="components must be a list of classes and functions; got"):
        sknn.load(path, components)


def test_paths_that_are_none_are_an_error(path):
    for odd in (None, 3.5, ["x"]):
        with pytest.raises(TypeError):
            sknn.save(Adam(), odd)
        with pytest.raises(TypeError):
            sknn.load(odd)


# Hostile files.

SMALL = {
    "classifier": "labels: str",
    "regressor": "quantiles",
    "table": "several",
    "encoder": "waves and means",
}


def parts_of(path, name):
    sknn.save(fitted(name) if name in MODELS else name, path)
    return take_apart(path)


def refuses(path, message, components=()):
    with pytest.raises(ValueError, match=message) as caught:
        sknn.load(path, components)
    assert repr(str(path)) in str(caught.value)


def with_model(path, model):
    header, _ = parts_of(path, Adam())
    put_together(path, {**header, "tree": {"model": model}}, {})


CLASSES = {
    "unknown": "os.system",
    "a function": "builtins.eval",
    "a room": "estimators",
    "unknown of ours": "estimators.Best",
    "tabular and unknown": "tabular.Best",
    "abstract": "estimators.BaseMLP",
    "abstract tables": "tabular.BaseTabular",
    "abstract targets": "targets.Targets",
    "a search": "model_selection.GridSearchCV",
    "a mixin": "model_selection._InLockstep",
    "no estimator": "solvers.TrainingState",
    "no estimator of tables": "tabular.Blend",
    "a number": 7,
    "a list": ["estimators.MLPClassifier"],
    "a dict": {"a": 1},
    "a text": "",
}


@pytest.mark.parametrize("name", CLASSES.values(), ids=CLASSES)
def test_classes_that_are_not_to_be_made_are_refused(path, name):
    with_model(path, {CLASS: name})

    refuses(path, "is not a file of sknn, or damaged")


MADE = {
    "nothing": None,
    "a number": 7,
    "a list": [],
    "a dict": {"a": 1},
    "random state": {CLASS: "RandomState", "state": {}},
    "a module": {CLASS: "numpy.random"},
    "a splitter": {CLASS: "splitter", "name": "KFold", "state": {}},
    "a class": {CLASS: "splitters", "name": "KFold"},
    "an unknown splitter": {CLASS: "splitter", "name": "os.system", "state": {}},
    "a base of splitters": {CLASS: "splitter", "name": "BaseCrossValidator", "state": {}},
    "a kind of nothing": {CLASS: "function"},
    "an unknown parameter": {CLASS: "optimizers.Adam", "beta_3": 0.1},
    "a hidden method": {CLASS: "estimators.MLPClassifier", "predict": 1},
    "a link in the diagram": {
        CLASS: "estimators.MLPClassifier",
        "_doc_link_template": "javascript:alert(1)",
    },
    "a class as attribute": {CLASS: "estimators.MLPClassifier", "__class__": "x"},
    "fitted to nothing": {CLASS: "estimators.MLPClassifier", "_network": 1},
    "requests": {CLASS: "optimizers.Adam"},
}


@pytest.mark.parametrize("model", MADE.values(), ids=MADE)
def test_what_is_no_model_is_refused(path, model):
    if model == MADE["requests"]:
        header, _ = parts_of(path, Adam())
        tree = {**header["tree"], "metadata_requests": {"params": {"beta_1": 1}}}
        put_together(path, {**header, "tree": tree}, {})
    else:
        with_model(path, model)

    refuses(path, "is not a file of sknn, or damaged")


def test_a_checkpoint_is_no_model(path):
    header, _ = parts_of(path, Adam())
    put_together(path, {**header, "tree": {"trainings": {}}}, {})

    refuses(path, "a checkpoint is passed to the estimator that wrote it")


def test_deep_trees_are_refused(path):
    model = {CLASS: "optimizers.Adam"}
    for _ in range(250):
        model = {CLASS: "optimizers.Adam", "beta_1": model}
    with_model(path, model)

    refuses(path, "more than 200 levels")


def test_random_states_that_read_beyond_their_words_are_refused(path):
    header, arrays = parts_of(path, MLPClassifier(random_state=np.random.RandomState(0)))
    place = ("tree", "model", "random_state", "state", "state", "pos")
    put_together(path, replaced(header, place, 10**6), arrays)

    refuses(path, "a random state is at 1000000 of its 624 words")


def test_an_error_says_which_version_has_written_the_file(path):
    header, _ = parts_of(path, Adam())
    tree = {"model": {**header["tree"]["model"], "beta_3": 0.1}}
    put_together(path, {**header, "sknn": "0.2.7", "tree": tree}, {})

    refuses(path, f"beta_3.*; it comes from sknn 0.2.7, and this is {sknn.__version__}")


def test_a_file_of_an_earlier_version_has_the_defaults_of_later_parameters(path):
    header, _ = parts_of(path, MLPClassifier(alpha=0.3))
    model = {k: v for k, v in header["tree"]["model"].items() if k in (CLASS, "alpha")}
    put_together(path, {**header, "tree": {"model": model}}, {})
    assert repr(sknn.load(path)) == repr(MLPClassifier(alpha=0.3))

    header, _ = parts_of(path, TableEncoder(n_bins=5))
    model = {k: v for k, v in header["tree"]["model"].items() if k in (CLASS, "n_bins")}
    put_together(path, {**header, "tree": {"model": model}}, {})
    assert repr(sknn.load(path)) == repr(TableEncoder(n_bins=5))


def check_replacements(path, name, replacements, every=1):
    """Replace nodes of a header: the file is refused, or what comes of it knows its errors."""
    header, arrays = parts_of(path, name)
    n_refused = 0
    for i, place in enumerate(places_in(header)):
        if i % every:
            continue
        for value in replacements(i):
            write_members(path, {**arrays, **sealed(replaced(header, place, value))})
            try:
                model = sknn.load(path)
            except ValueError:
                n_refused += 1
                continue
            try:
                answer(name, model)
            except (ValueError, TypeError):
                continue
    assert n_refused > 10


@pytest.mark.filterwarnings("ignore")  # of models that are not what they were
@pytest.mark.parametrize(
    ("name", "every"), [("labels: str", 1), ("waves and means", 5), ("several", 150)]
)
def test_headers_of_which_a_part_is_something_else_are_refused_or_harmless(path, name, every):
    check_replacements(path, name, lambda i: [REPLACEMENTS[i % 8], REPLACEMENTS[i // 8 % 8]], every)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of models that are not what they were
@pytest.mark.parametrize("name", SMALL.values(), ids=SMALL)
def test_headers_of_which_any_part_is_anything_else_are_refused_or_harmless(path, name):
    every = 8 if name == SMALL["table"] else 1  # there are thousands of parts
    check_replacements(path, name, lambda i: REPLACEMENTS, every)


def check_mutations(path, name, n):
    sknn.save(fitted(name), path)
    expected, n_refused = answer(name, fitted(name)), 0
    for content in mutations_of(path.read_bytes(), n, np.random.default_rng(0)):
        path.write_bytes(content)
        try:
            model = sknn.load(path)
        except ValueError:
            n_refused += 1
        else:
            assert same(answer(name, model), expected)
    assert n_refused > 0.8 * n


@pytest.mark.parametrize("name", SMALL.values(), ids=SMALL)
def test_changed_files_are_refused_or_the_same(path, name):
    check_mutations(path, name, 50)


@pytest.mark.long
@pytest.mark.parametrize("name", SMALL.values(), ids=SMALL)
def test_files_that_are_changed_anyhow_are_refused_or_the_same(path, name):
    check_mutations(path, name, 2000)


def test_loading_takes_no_more_memory_than_the_file_says(path):
    header, arrays = parts_of(path, "labels: int")
    huge = {
        ("tree", "model", "_network", "n_features"): 10**12,
        ("tree", "model", "_network", "layers", 0, "n_units"): 10**12,
        ("tree", "model", "n_outputs_"): 10**12,
        ("tree", "model", "_state", "n_iter"): 10**12,
        ("tree", "model", "_targets", "classes", "array"): "arrays/0.npy",
    }
    sknn.load(path)
    tracemalloc.start()
    try:
        for place, value in huge.items():
            put_together(path, replaced(header, place, value), arrays)
            try:
                sknn.load(path)
            except ValueError:
                continue
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000


# In a process of its own.

WITHOUT_CODE = """
import builtins, hashlib, marshal, pickle, sys, types
import joblib, numpy as np
import sknn, sknn.persistence, sknn.tabular
from tests.persistence.models import answer, fitted

sknn.load(sys.argv[1])  # what is imported when it is first needed

class Refused(BaseException):
    pass

def refuse(*args, **kwargs):
    raise Refused

for module, names in {
    pickle: ["load", "loads", "Unpickler", "_Unpickler", "_load", "_loads"],
    marshal: ["load", "loads"],
    builtins: ["eval", "exec", "compile"],  # without exec nothing is imported, either
    joblib: ["load"],
}.items():
    for name in names:
        setattr(module, name, refuse)
np.load = refuse
models = [sknn.load(path) for path in sys.argv[1:]]
print(*(type(model).__name__ for model in models))
"""


def run(script, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_loading_runs_no_code_and_unpickles_nothing(tmp_path):
    names = ["labels: str", "random state", "classifier", "waves and means"]
    paths = [tmp_path / f"{i}.sknn" for i in range(len(names))]
    for name, path in zip(names, paths, strict=True):
        sknn.save(fitted(name), path)

    printed = run(WITHOUT_CODE, paths[2], *paths)

    kinds = ["TabularMLPClassifier", *(type(fitted(name)).__name__ for name in names)]
    assert printed.split() == kinds


ANSWERS = """
import hashlib, sys
import numpy as np
import sknn

model, X = sknn.load(sys.argv[1]), np.load(sys.argv[2])
print(hashlib.sha256(model.predict_proba(X).tobytes()).hexdigest())
"""


def test_another_process_gets_the_same_bits(path, tmp_path):
    model = fitted("labels: str")
    sknn.save(model, path)
    np.save(tmp_path / "X.npy", X)

    expected = hashlib.sha256(model.predict_proba(X).tobytes()).hexdigest()
    assert run(ANSWERS, path, tmp_path / "X.npy").strip() == expected


def test_loading_an_encoder_needs_no_word_before(path):
    sknn.save(fitted("encoder"), path)

    printed = run("import sys, sknn; print(sknn.load(sys.argv[1]).n_features_in_)", path)
    assert int(printed) == TABLE.shape[1]


# Own code is tested in test_foreign.py.


class Grown(MLPClassifier):
    """An estimator of a user, with a parameter of its own."""

    def __init__(self, extra=1, hidden_layer_sizes=(4,), max_iter=2, random_state=0):
        super().__init__(hidden_layer_sizes, max_iter=max_iter, random_state=random_state)
        self.extra = extra


@quiet
def test_estimators_that_users_derive_are_loaded_if_they_are_named(path):
    model = Grown(extra=AdamW(0.8)).fit(X, CODES)
    sknn.save(model, path)
    refuses(path, r"holds Grown, which is not of sknn.*components=\[Grown\]")
    again = sknn.load(path, [Grown])

    assert type(again) is Grown
    assert repr(again) == repr(model)
    assert same(again.predict_proba(X), model.predict_proba(X))


class NotOurs(BaseEstimator):
    """An estimator of a user that is none of ours."""


def test_estimators_of_others_are_refused_even_as_parts_of_a_file(path):
    with_model(path, {CLASS: "object", "name": "NotOurs", "state": {}})

    refuses(path, "NotOurs, which is not of sknn")
    assert isinstance(sknn.load(path, [NotOurs]), NotOurs)


def test_nested_schedules_are_stored(path):
    again = there_and_back(path, Warmup(Warmup("cosine", 2), 3))

    assert repr(again) == repr(Warmup(Warmup("cosine", 2), 3))


# Files of released formats, written by tests/persistence/released.py.


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_every_released_file_says_what_it_said(number, name):
    path, said = paths_of(name, number)
    with np.load(said, allow_pickle=False) as stored:
        expected = dict(stored)
    model = sknn.load(path)
    found = answers(model, as_rows(expected))

    assert found
    for method, value in found.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, expected[method], rtol=1e-5, atol=1e-7)
        else:
            np.testing.assert_array_equal(value, expected[method])
    assert path.stat().st_size < 40_000
    clone(model)


@quiet
def test_released_files_go_on(path):
    for name in ("classifier", "regressor"):
        model = sknn.load(paths_of(name, FORMAT)[0])
        is_table = name == "classifier"
        rows = TABLE[["length", "is_large"]] if is_table else X.astype(np.float32)
        model.set_params(warm_start=True).fit(rows, WORDS if is_table else NUMBER)

        assert same(there_and_back(path, model).predict(rows), model.predict(rows))


# Versions.


@pytest.mark.parametrize(
    ("version", "is_newer"),
    [("0.6.99", False), ("0.7.0", True), ("1.0.0", True), ("0.5.0", False), ("0.7", True)],
)
def test_a_file_of_a_later_version_is_refused(version, is_newer, tmp_path, monkeypatch):
    path = tmp_path / "a"
    with monkeypatch.context() as patch:
        patch.setattr(files, "__version__", version)
        sknn.save(sknn.MLPClassifier(), path)
    monkeypatch.setattr(files, "__version__", "0.6.1")
    if is_newer:
        with pytest.raises(ValueError, match=rf"comes from sknn {version}, and this is 0.6.1"):
            sknn.load(path)
    else:
        assert isinstance(sknn.load(path), sknn.MLPClassifier)


def test_with_state_is_a_bool(tmp_path):
    with pytest.raises(ValueError, match="with_state must be True or False; got 'no'"):
        sknn.save(sknn.MLPClassifier(), tmp_path / "a", with_state="no")


def test_a_trimmed_ensemble_has_the_hash_of_the_one_it_was_saved_from(tmp_path):
    table = pd.DataFrame({"n": np.arange(60.0), "c": list("abc") * 20})
    model = sknn.TabularMLPClassifier("fast", max_iter=1, cv=2, random_state=0)
    model.fit(table, np.arange(60) % 2)
    sknn.save(model, tmp_path / "a")

    assert joblib.hash(sknn.load(tmp_path / "a").trim()) == joblib.hash(model.trim())


def test_partial_fit_goes_on_to_the_same_bits_with_other_numbers_of_threads(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((400, 50)), rng.integers(0, 3, 400)
    net = sknn.MLPClassifier((300, 300), batch_size=200, random_state=0)
    monkeypatch.setattr(_crew, "count_threads", lambda: 2)
    net.partial_fit(X, y, classes=[0, 1, 2])
    sknn.save(net, tmp_path / "a")
    net.partial_fit(X, y)
    monkeypatch.setattr(_crew, "count_threads", lambda: 1)
    other = sknn.load(tmp_path / "a").partial_fit(X, y)

    assert other._state.n_threads == net._state.n_threads
    np.testing.assert_array_equal(other.coefs_[0], net.coefs_[0])
