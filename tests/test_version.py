"""Pickles carry the version that has written them."""

import copy
import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import InconsistentVersionWarning

import sknn
from sknn import MLPClassifier, MLPRegressor, _version
from sknn.model_selection import GridSearchCV
from sknn.optimizers import AdamW
from sknn.plain import KEPT, name_of
from sknn.tabular import TableEncoder
from tests.persistence.models import CODES, MODELS, NUMBERS, X, answer, fitted, same, train

DATA = Path(__file__).parent / "data"
THINGS = [
    MLPClassifier((3,)),
    MLPRegressor((3,), solver=AdamW(0.8)),
    GridSearchCV(MLPClassifier(), {"alpha": [0, 1]}),
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_the_same_version_loads_without_a_word(thing):
    again = pickle.loads(pickle.dumps(thing))

    assert repr(again) == repr(thing)
    assert vars(again).keys() == vars(thing).keys()
    clone(again)
    copy.deepcopy(again)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_another_version_warns_as_scikit_learn_does(thing, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_version, "__version__", "9.9.9")
        text = pickle.dumps(thing)
    with pytest.warns(InconsistentVersionWarning, match=r"pickled by sknn 9\.9\.9") as caught:
        pickle.loads(text)

    assert caught[0].message.original_sklearn_version == "9.9.9"
    assert caught[0].message.current_sklearn_version == sknn.__version__


@pytest.mark.parametrize("version", ["0_1_0", "0_2_0"])
@pytest.mark.parametrize(
    ("name", "load", "step"), [("classifier", load_iris, 30), ("regressor", load_diabetes, 60)]
)
def test_pickles_of_earlier_versions_predict_the_same(name, load, step, version):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stored = pickle.loads((DATA / f"{name}_{version}.pickle").read_bytes())
    X, y = load(return_X_y=True)
    X = X / X.max(axis=0) if name == "classifier" else 10 * X
    model, answer = stored["model"], stored["answer"]
    predict = model.predict_proba if name == "classifier" else model.predict

    assert {w.category for w in caught} == {_version.OtherVersionWarning}
    np.testing.assert_allclose(predict(X[::step]), answer, rtol=1e-10)
    clone(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.set_params(warm_start=True).fit(X, y if name == "classifier" else y / 100)
        again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


# What is kept under a name.


def test_estimators_are_kept_and_searches_are_not():
    assert KEPT["estimators.MLPClassifier"] is MLPClassifier
    assert KEPT["tabular.TableEncoder"] is TableEncoder
    assert name_of(GridSearchCV) is None
    assert not [name for name in KEPT if name.startswith("model_selection")]


def test_what_users_derive_is_not_kept():
    class Derived(MLPClassifier):
        pass

    assert name_of(Derived) is None


def test_what_is_restored_has_the_defaults_of_parameters_that_came_later():
    assert repr(TableEncoder.from_plain({"n_bins": 5})) == repr(TableEncoder(n_bins=5))


@pytest.mark.parametrize(
    "name", ["fit", "history_", "_trained", "__class__", "_doc_link_template", "_skl_callbacks"]
)
def test_what_is_restored_hides_nothing_of_its_class(name):
    with pytest.raises(ValueError, match=f"MLPClassifier has {name} of its own"):
        MLPClassifier.from_plain({"alpha": 1.0, name: "x"})


# Pickles.

PICKLED = ["labels: str", "labels: sparse array", "quantiles", "random state", "classifier"]


@pytest.mark.parametrize("name", PICKLED)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_pickles_answer_the_same(name, protocol):
    model = fitted(name)
    again = pickle.loads(pickle.dumps(model, protocol))

    assert same(answer(name, again), answer(name, model))
    assert same(answer(name, copy.copy(model)), answer(name, model))
    assert same(answer(name, copy.deepcopy(model)), answer(name, model))


def test_own_code_in_a_pickle_is_pickled():
    model = train(MLPRegressor(scoring=_score, early_stopping=True, **NUMBERS), X, X[:, 0])
    again = pickle.loads(pickle.dumps(model))

    assert again.scoring is _score
    assert same(again.predict(X), model.predict(X))


def _score(estimator, X, y):
    return -float(np.abs(y - estimator.predict(X)).mean())


# Without what only going on needs.


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name][0], "trim")])
def test_trimmed_models_answer_the_same_and_can_be_pickled(name):
    model = fitted(name)
    trimmed = model.trim()

    assert same(answer(name, trimmed), answer(name, model))
    assert same(answer(name, pickle.loads(pickle.dumps(trimmed))), answer(name, model))
    assert len(pickle.dumps(trimmed)) <= len(pickle.dumps(model))
    clone(trimmed)


@pytest.mark.parametrize("name", ["labels: int", "solver: lbfgs, float64", "classifier"])
def test_equal_fits_have_equal_hashes_once_they_are_trimmed(name):
    model, X, y = MODELS[name]
    models = [train(clone(model), X, y) for _ in range(2)]
    hashes = {joblib.hash(each.trim()) for each in models}
    other = train(clone(model).set_params(max_iter=3), X, y)

    assert len(hashes) == 1
    assert joblib.hash(other.trim()) not in hashes


def test_trimming_changes_nothing_of_the_model():
    model = copy.deepcopy(fitted("labels: int"))
    before = pickle.dumps(model)
    trimmed = model.trim()
    trimmed.coefs_[0][:] = 0

    assert pickle.dumps(model) == before
    assert model.history_["seconds"].notna().all()
    assert trimmed.history_["seconds"].isna().all()
    assert same(trimmed.history_["loss"].tolist(), model.history_["loss"].tolist())


def test_a_pickle_of_a_trimmed_network_is_about_as_large_as_its_weights():
    model = train(MLPClassifier((200,), max_iter=1, random_state=0), X, CODES)
    n_bytes = sum(array.nbytes for array in model.coefs_ + model.intercepts_)

    assert len(pickle.dumps(model)) > 3 * n_bytes
    assert len(pickle.dumps(model.trim())) < n_bytes + 5_000


@pytest.mark.parametrize("thing", THINGS[:2], ids=lambda thing: type(thing).__name__)
def test_what_is_not_fitted_can_be_trimmed(thing):
    assert repr(thing.trim()) == repr(thing)


def test_pickles_have_paths_as_texts(tmp_path):
    net = sknn.MLPClassifier(checkpoint=tmp_path / "a")

    assert pickle.loads(pickle.dumps(net)).checkpoint == str(tmp_path / "a")
    assert net.checkpoint == tmp_path / "a"
    assert net.trim().checkpoint is None
