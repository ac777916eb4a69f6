"""Splitters and random states are stored by name and state; own code is found by its name."""

import enum
import functools
import math
import operator
import sys
import types
import warnings

import numpy as np
import pytest
import sklearn.model_selection
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.utils import Bunch

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.activations import Activation, LeakyReLU
from sknn.losses import SquaredError
from sknn.optimizers import Adam
from sknn.persistence.foreign import SPLITTERS_BY_NAME, OwnCodeError
from sknn.plain import as_plain
from sknn.schedules import Schedule
from tests.cases import name_of
from tests.persistence.models import CODES, NUMBERS, X, half_drawn, same, train

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sknn"


def there_and_back(path, value, components=()):
    """Return a parameter of an estimator that has been saved and loaded."""
    sknn.save(MLPClassifier(alpha=value), path)
    return sknn.load(path, components).alpha


# Random states.


def test_random_states_go_on_with_the_same_draws(path):
    state = half_drawn()
    again = there_and_back(path, state)

    assert type(again) is np.random.RandomState
    np.testing.assert_array_equal(again.standard_normal(5), state.standard_normal(5))
    assert again.randint(1 << 30) == state.randint(1 << 30)


def test_a_random_state_at_the_end_of_its_words_goes_on(path):
    state = np.random.RandomState(0)
    state.bytes(4 * 624)
    again = there_and_back(path, state)

    assert again.bytes(100) == state.bytes(100)


def test_numpys_own_random_state_is_stored_by_its_name(path):
    assert there_and_back(path, np.random) is np.random


@pytest.mark.parametrize(
    "value",
    [
        np.random.RandomState(np.random.PCG64(0)),
        np.random.default_rng(0),
        np.random.SeedSequence(3),
        np,
        sys,
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_random_states_and_modules_are_refused(path, value):
    with pytest.raises(ValueError, match=r"alpha.* holds .* cannot be stored in a file"):
        there_and_back(path, value)


# Splitters.

GROUPS = np.arange(len(X)) % 7
SPLITTERS = [
    GroupKFold(3),
    GroupShuffleSplit(2, random_state=0),
    KFold(3, shuffle=True, random_state=np.random.RandomState(3)),
    LeaveOneGroupOut(),
    LeaveOneOut(),
    LeavePGroupsOut(2),
    LeavePOut(1),
    PredefinedSplit(GROUPS),
    RepeatedKFold(n_splits=2, n_repeats=3, random_state=1),
    RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=1),
    ShuffleSplit(2, test_size=0.3, random_state=2),
    StratifiedGroupKFold(2),
    StratifiedKFold(3),
    StratifiedShuffleSplit(2, random_state=4),
    TimeSeriesSplit(3, gap=1),
]


def folds_of(splitter):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        folds = list(splitter.split(X[:20], CODES[:20], GROUPS[:20]))
    return [(train.tolist(), test.tolist()) for train, test in folds]


@pytest.mark.parametrize("splitter", SPLITTERS, ids=name_of)
def test_splitters_make_the_same_folds(path, splitter):
    if isinstance(splitter, PredefinedSplit):
        splitter = PredefinedSplit(GROUPS[:20])
    again = there_and_back(path, splitter)

    assert type(again) is type(splitter)
    assert folds_of(again) == folds_of(splitter)


def test_every_splitter_of_scikit_learn_is_tested():
    assert set(map(type, SPLITTERS)) == set(SPLITTERS_BY_NAME.values())


def test_a_class_of_splitters_is_stored_by_its_name(path):
    assert there_and_back(path, KFold) is KFold


def test_the_names_of_splitters_lead_to_public_classes():
    for name, splitter in SPLITTERS_BY_NAME.items():
        assert getattr(sklearn.model_selection, name) is splitter


class Thirds(KFold):
    """A splitter of a user."""


def test_splitters_of_users_are_loaded_if_they_are_named(path):
    sknn.save(MLPClassifier(validation_fraction=Thirds(3)), path)

    with pytest.raises(OwnCodeError, match=r"The parameter 'validation_fraction' holds Thirds"):
        sknn.load(path)
    again = sknn.load(path, [Thirds]).validation_fraction
    assert folds_of(again) == folds_of(Thirds(3))


# Own code.


class Cubic(SquaredError):
    """A loss of a user, whose constructor leaves something else than its parameters."""

    def __init__(self, factor=2.0):
        self.factor = factor
        self.twice = 2 * factor


class Bent(Activation):
    """An activation of a user that holds a component."""

    def __init__(self, inner=None, power=1):
        self.inner, self.power = inner, power

    def forward(self, z, slope, room, *constants):
        z *= 0.5
        slope.fill(0.5)

    def apply(self, z):
        z *= 0.5


class Halved(Schedule):
    """A schedule of a user."""

    def multiplier(self, epoch, n_epochs, n_steps):
        return 0.5**epoch


def half(epoch):
    return 0.5**epoch


def negative_error(y, prediction):
    return -float(np.abs(y - prediction).mean())


def score(estimator, X, y):
    return -float(np.abs(y - estimator.predict(X)).mean())


class Plain:
    """An object of a user, as activations may be."""

    def __init__(self):
        self.numbers, self.within = (1, 2), {"a": Adam(0.8)}

    def forward(self, z):
        return 0.5 * z

    def backward(self, z, grad):
        return 0.5 * grad


SCORER = make_scorer(mean_absolute_error, greater_is_better=False)
OWN = {
    "loss": ({"loss": Cubic(3.0)}, [Cubic]),
    "activation": ({"activation": Bent(LeakyReLU(0.3))}, [Bent]),
    "activations": ({"activation": [Bent(), "relu"]}, [Bent]),
    "plain activation": ({"activation": Plain()}, [Plain]),
    "schedule": ({"learning_rate": Halved()}, [Halved]),
    "function": ({"learning_rate": half}, [half]),
    "scorer": ({"scoring": score, "early_stopping": True}, [score]),
    "scorer of scikit-learn": (
        {"scoring": SCORER, "early_stopping": True},
        [type(SCORER), mean_absolute_error],
    ),
}


@quiet
@pytest.mark.parametrize("name", OWN)
def test_own_code_is_loaded_if_it_is_named(path, name):
    options, components = OWN[name]
    model = MLPRegressor(**NUMBERS | {"hidden_layer_sizes": (4, 4)} | options)
    for each in (model, train(model, X, X[:, 0])):
        sknn.save(each, path)
        again = sknn.load(path, components)
        assert same(as_plain(again), as_plain(each))
    assert same(again.predict(X), model.predict(X))
    for each in (model, again):
        train(each.set_params(warm_start=True), X, X[:, 0])
    assert same(again.coefs_, model.coefs_)


@pytest.mark.parametrize("name", OWN)
def test_own_code_is_refused_by_the_parameters_name_else(path, name):
    options, components = OWN[name]
    sknn.save(MLPRegressor(**options), path)
    parameter, owns = next(iter(options)), "|".join(each.__name__ for each in components)

    for some in ([], [Adam, half if half not in components else score]):
        with pytest.raises(
            OwnCodeError,
            match=rf"The parameter '{parameter}.*' holds ({owns}), which is not of sknn. If you "
            rf"trust it, import it and pass load\(path, components=\[({owns})\]\)",
        ):
            sknn.load(path, some)


def test_components_may_be_any_iterable(path):
    sknn.save(MLPClassifier(learning_rate=half), path)

    for some in ((half,), {half}, iter([half]), {half: 1}):
        assert sknn.load(path, some).learning_rate is half


def test_a_parameter_that_came_later_is_as_by_default(path):
    loss = Bent(power=3)
    del loss.power
    assert there_and_back(path, loss, [Bent]).power == 1


def test_a_function_is_no_class(path):
    def Bent():
        return None

    value = type("Bent", (), {})()
    value.x = 1
    sknn.save(MLPClassifier(alpha=value), path)

    with pytest.raises(ValueError, match="'Bent' is a class in the file"):
        sknn.load(path, [Bent])


def test_two_of_one_name_are_refused(path):
    other = types.FunctionType(half.__code__, globals(), "half")
    with pytest.raises(ValueError, match="components must have names of their own; got two of"):
        there_and_back(path, half, [half, other])
    with pytest.raises(ValueError, match=r"something else of this name is in the same file"):
        there_and_back(path, [half, other])
    again = there_and_back(path, [half, half], [half, half])
    assert again == [half, half]


@pytest.mark.parametrize("component", ["half", 3, Adam()], ids=repr)
def test_components_must_have_names(path, component):
    with pytest.raises(TypeError, match="components must hold classes and functions; got"):
        there_and_back(path, 1, [component])


@pytest.mark.parametrize("function", [np.tanh, math.tanh], ids=repr)
def test_functions_of_others_have_to_be_named_as_well(path, function):
    with pytest.raises(OwnCodeError, match=function.__name__):
        there_and_back(path, function)
    assert there_and_back(path, function, [function]) is function


class Color(enum.Enum):
    RED = 1


class Level(int):
    pass


class Slotted:
    __slots__ = ("a", "b")


class AlsoSlotted(Slotted):
    pass


class Reduced:
    def __reduce__(self):
        return Reduced, ()


REFUSED = {
    "lambda": lambda epoch: 1.0,
    "partial": functools.partial(half, 1),
    "method": Adam().get_params,
    "method of a class": str.upper,
    "built in": max,
    "getter": operator.attrgetter("x"),
    "class": Adam,
    "generator": (i for i in range(3)),
    "enum": Color.RED,
    "kind of int": Level(3),
    "kind of dict": Bunch(a=1),
    "kind of str": type("Word", (str,), {})("x"),
    "range": range(3),
    "slice": slice(3),
    "set": {1},
    "slots": AlsoSlotted(),
    "own reduce": Reduced(),
    "file": sys.stdout,
    "object": object(),
    "iterator": iter([1]),
    "class without a name": type("not a name", (), {})(),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_could_not_be_found_again_is_refused_when_it_is_saved(path, value):
    for nested, place in ((value, "alpha"), ([{"a": value}], r"alpha\[0\]\['a'\]")):
        with pytest.raises(ValueError, match=rf"{place}.* holds .*cannot be stored in a file"):
            sknn.save(MLPClassifier(alpha=nested), path)
    assert not path.exists()


def test_a_refusal_is_short(path):
    with pytest.raises(ValueError, match="cannot be stored") as caught:
        sknn.save(MLPClassifier(alpha={*map(str, range(10_000))}), path)

    assert len(str(caught.value)) < 400
