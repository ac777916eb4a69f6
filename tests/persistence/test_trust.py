"""The types that other tools have to trust are public classes, and all that models hold."""

import importlib
import io
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.estimators.parameters import MLPParameters
from sknn.model_selection import GridSearchCV, LearningRateSearchCV
from sknn.optimizers import AdamW
from sknn.persistence import TRUSTED_TYPES
from sknn.schedules import Warmup
from sknn.tabular import TabularMLPClassifier
from tests.persistence.models import CODES, MODELS, NUMBERS, X, fitted, train
from tests.test_plain import CASES, MEMBERS


def full_name(cls):
    return f"{cls.__module__}.{cls.__name__}"


def find(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


class Noting(pickle.Unpickler):
    """Notes what a pickle asks for."""

    def __init__(self, content):
        super().__init__(io.BytesIO(content))
        self.found = set()

    def find_class(self, module, name):
        self.found.add(f"{module}.{name}")
        return super().find_class(module, name)


def types_in(value):
    """Return the names of the classes and functions in a pickle, but for those of NumPy."""
    pickled = Noting(pickle.dumps(value))
    pickled.load()
    return {name for name in pickled.found if name.split(".")[0] not in ("numpy", "_codecs")}


def test_all_are_classes_of_the_package_or_of_scikit_learn():
    assert sorted(set(TRUSTED_TYPES)) == TRUSTED_TYPES
    for name in TRUSTED_TYPES:
        assert isinstance(find(name), type)
        assert name.split(".")[0] in ("sknn", "sklearn")
    assert [name for name in TRUSTED_TYPES if "._" in name and "._base." not in name] == [
        name for name in TRUSTED_TYPES if name.startswith("sklearn.")
    ]


def test_no_class_runs_what_it_holds():
    """None of them is a function, or unpickles by anything but attributes."""
    for name in TRUSTED_TYPES:
        cls = find(name)
        assert cls.__reduce__ is object.__reduce__
        assert not issubclass(cls, (dict, list, type))


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)
def test_every_registered_class_is_trusted(member):
    assert full_name(member) in TRUSTED_TYPES


def test_every_public_estimator_and_search_is_trusted():
    rooms = [sknn, importlib.import_module("sknn.tabular"), sknn.model_selection]
    estimators = [
        member
        for room in rooms
        for member in (getattr(room, name) for name in room.__all__)
        if isinstance(member, type) and issubclass(member, BaseEstimator)
    ]

    assert len(estimators) > 8
    for estimator in estimators:
        assert full_name(estimator) in TRUSTED_TYPES


@pytest.mark.parametrize("name", MODELS)
def test_what_models_hold_is_trusted(name):
    found = types_in(fitted(name))

    assert found <= {*TRUSTED_TYPES}
    assert full_name(type(fitted(name))) in found


def test_a_fitted_network_holds_its_own_class_only():
    found = types_in(train(MLPClassifier((4,), max_iter=2), X, CODES))

    assert found == {full_name(MLPClassifier)}


@pytest.mark.parametrize("name", ["classifier", "regressor", "encoder"])
def test_fitted_tables_hold_their_own_class_only(name):
    assert types_in(fitted(name)) == {full_name(type(fitted(name)))}


def test_what_users_choose_is_trusted():
    model = MLPRegressor(solver=AdamW(), learning_rate=Warmup("cosine", 2), **NUMBERS)
    assert types_in(model) <= {*TRUSTED_TYPES}
    assert types_in(TabularMLPClassifier(cv=KFold(3))) <= {*TRUSTED_TYPES}
    assert types_in(CASES) <= {*TRUSTED_TYPES}


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(MLPClassifier(**NUMBERS), {"alpha": [0.0, 0.1]}, cv=KFold(2)),
        LearningRateSearchCV(MLPClassifier(**NUMBERS), n_rates=2, cv=2),
    ],
    ids=lambda search: type(search).__name__,
)
def test_searches_hold_what_is_trusted(search):
    assert types_in(train(search, X, CODES > 0)) <= {*TRUSTED_TYPES}


def test_no_class_of_the_engine_is_trusted():
    rooms = {name.split(".")[1] for name in TRUSTED_TYPES if name.startswith("sknn.")}

    assert not rooms & {"network", "objective", "solvers", "targets", "training", "parallel"}
    assert full_name(MLPParameters) not in TRUSTED_TYPES


def test_trust_is_looked_up_where_it_is_needed():
    assert sknn.persistence.TRUSTED_TYPES is TRUSTED_TYPES
    with pytest.raises(AttributeError, match="has no attribute 'TRUSTED'"):
        _ = sknn.persistence.TRUSTED


def test_numbers_of_numpy_need_no_trust():
    assert types_in([np.float32(1), np.arange(3)]) == set()
