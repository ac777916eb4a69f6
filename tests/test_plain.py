"""Objects in plain terms hold nothing but names, numbers, texts and arrays, and come back."""

from typing import NamedTuple

import numpy as np
import pytest

import sknn.tabular  # noqa: F401 (its classes are known then)
from sknn._component import Component
from sknn.activations import ACTIVATIONS
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.initializers import INITIALIZERS
from sknn.layers import LAYERS
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES
from sknn.optimizers import OPTIMIZERS, Adam
from sknn.penalties import PENALTIES
from sknn.plain import CLASS, KEPT, SCALARS, as_plain, from_plain, name_of
from sknn.schedules import SCHEDULES, Cosine, Joined
from sknn.solvers import TrainingState
from tests.cases import ACTIVATION_CASES, LAYER_CASES, LOSS_CASES, OPTIMIZER_CASES, SCHEDULE_CASES

REGISTRIES = [
    ACTIVATIONS,
    AUGMENTATIONS,
    AVERAGINGS,
    CLASSIFICATION_LOSSES,
    INITIALIZERS,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
]
MEMBERS = dict.fromkeys(member for registry in REGISTRIES for member in registry.values())
CASES = [
    *ACTIVATION_CASES,
    *LAYER_CASES,
    *LOSS_CASES,
    *OPTIMIZER_CASES,
    *SCHEDULE_CASES,
    *(registry.resolve(name) for registry in (AUGMENTATIONS, AVERAGINGS) for name in registry),
    *(registry.resolve(name) for registry in (INITIALIZERS, PENALTIES) for name in registry),
]


def is_plain(value):
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return type(value) in SCALARS or isinstance(value, (np.ndarray, np.generic))


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)
def test_every_registered_class_has_a_name_of_its_own(member):
    assert KEPT[name_of(member)] is member


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case).__name__)
def test_every_component_comes_back(case):
    plain = as_plain(case)
    again = from_plain(plain)

    assert is_plain(plain)
    assert type(again) is type(case)
    assert repr(again) == repr(case)
    assert again.structure() == case.structure()


class Pair(NamedTuple):
    one: int
    other: int


VALUES = {
    "text": "~",
    "bytes": b"\x00\xff",
    "complex": 1 - 0j,
    "long": 10**40,
    "list": [1, [2.5, [None, [True]]]],
    "tuple": (1, (2, [3, ("x",)])),
    "nothing": [[], (), {}],
    "dict": {"a": {1: "x", (1, 2): "y", None: "z"}},
    "the word": {"~": 1, "a": {"~": "optimizers.Adam", "items": []}},
    "the word of dicts": {"~": "dict", "items": [["a", 1]]},
    "component within": {"a": [Adam(0.8), (Joined([Cosine(), Cosine()], [3]),)]},
    "component under the word": {"~": Adam(0.7)},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_come_back_with_their_types(value):
    plain = as_plain(value)

    assert is_plain(plain)
    assert repr(from_plain(plain)) == repr(value)


def test_arrays_are_not_copied():
    array = np.arange(3.0)

    assert from_plain(as_plain({"a": [array]}))["a"][0] is array


def test_dataclasses_with_fewer_attributes_have_the_defaults_of_others():
    plain = as_plain(TrainingState(np.zeros(2), n_iter=3))
    del plain["has_converged"]

    again = from_plain(plain)

    assert (again.n_iter, again.has_converged) == (3, False)


def test_components_with_fewer_parameters_have_the_defaults_of_others():
    plain = as_plain(Adam(0.8, 0.9))
    del plain["beta_2"]

    assert repr(from_plain(plain)) == repr(Adam(0.8))


def test_who_calls_says_what_becomes_of_others_and_is_told_where_they_are():
    places = []

    def note(value, where):
        places.append(where)
        return {CLASS: "own", "of": type(value).__name__}

    value = {"a": [1, object()], "b": Joined([Pair(1, 2), Cosine()], [2])}
    plain = as_plain(value, note, "top")

    assert places == ["top['a'][1]", "top['b'].schedules[0]"]
    places.clear()
    again = from_plain(plain, lambda plain, where: places.append(where) or plain["of"], "top")
    assert places == ["top['a'][1]", "top['b'].schedules[0]"]
    assert (again["a"], again["b"].schedules[0]) == ([1, "object"], "Pair")


def test_others_stay_as_they_are_by_default():
    other = object()

    assert as_plain([other])[0] is other


def test_an_attribute_that_is_a_word_of_ours_is_refused():
    odd = Cosine()
    vars(odd)[CLASS] = "schedules.Step"

    with pytest.raises(ValueError, match="an attribute '~', which is a word of ours"):
        as_plain([odd])


def test_what_users_derive_is_not_kept_under_a_name():
    class Own(Component):
        pass

    assert name_of(Own) is None
    assert Own not in KEPT.values()


@pytest.mark.parametrize(
    "plain",
    [
        {CLASS: []},
        {CLASS: "dict"},
        {CLASS: "dict", "items": [1]},
        {CLASS: "dict", "items": [[[], 1]]},
        {CLASS: "optimizers.Adam", "beta_3": 1},
        {CLASS: "optimizers.Adam", 1: 1},
        {CLASS: "tabular.Fold", "train": 1},
        {CLASS: "network.Network", "layers": 1, "n_features": 2},
        {CLASS: "estimators.BaseMLP"},
    ],
    ids=str,
)
def test_what_does_not_fit_is_an_error(plain):
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_plain(plain)
