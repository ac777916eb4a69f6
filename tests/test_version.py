"""Pickles carry the version that has written them."""

import copy
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import InconsistentVersionWarning

import sknn
from sknn import MLPClassifier, MLPRegressor, _version
from sknn.model_selection import GridSearchCV
from sknn.optimizers import AdamW

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
