import pickle

import numpy as np
import pytest
from sklearn.base import clone

from sknn._component import Component, per_model, stack
from sknn.activations import ACTIVATIONS, ReLU
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.initializers import INITIALIZERS
from sknn.layers import Linear
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES
from sknn.optimizers import OPTIMIZERS, Adam
from sknn.penalties import PENALTIES
from sknn.schedules import SCHEDULES

# All but that of layers, which have no defaults.
REGISTRIES = [
    ACTIVATIONS,
    AUGMENTATIONS,
    AVERAGINGS,
    CLASSIFICATION_LOSSES,
    INITIALIZERS,
    LOSSES,
    OPTIMIZERS,
    PENALTIES,
    SCHEDULES,
]
registries = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda registry: registry.kind)


@registries
def test_names_resolve_to_new_instances(registry):
    for name, member in registry.items():
        assert type(registry.resolve(name)) is member
        assert registry.resolve(name) is not registry.resolve(name)


@registries
def test_instances_resolve_to_themselves(registry):
    instance = registry.resolve(next(iter(registry)))

    assert registry.resolve(instance) is instance


@registries
def test_components_are_cloned_and_hold_only_their_parameters(registry):
    for member in registry.values():
        component = member()
        assert clone(component).get_params() == component.get_params()
        assert set(vars(component)) == set(component.get_params())


def test_an_unknown_name_gets_the_list_and_a_guess():
    with pytest.raises(ValueError, match=r"Unknown activation 'rellu'.*'tanh'.*mean 'relu'\?"):
        ACTIVATIONS.resolve("rellu")


def test_numbers_that_differ_become_a_column_and_others_stay():
    stacked = stack([Adam(beta_1=0.8), Adam(beta_1=0.9)])

    np.testing.assert_array_equal(stacked.beta_1, [[0.8], [0.9]])
    assert stacked.beta_2 == 0.999
    assert per_model([2, 2]) == 2


def test_a_stack_of_one_is_the_component_itself():
    relu = ReLU()

    assert stack([relu]) is relu


class Nested(Component):
    def __init__(self, inner, flag, number, array=None):
        self.inner = inner
        self.flag = flag
        self.number = number
        self.array = array


def test_structure_leaves_out_numbers_but_not_bools_and_names():
    one = Nested(Adam(0.5), True, 1.0)

    assert one.structure() == Nested(Adam(0.6), True, 2.0).structure()
    for other in (Nested(Adam(0.5), False, 1.0), Nested(ReLU(), True, 1.0)):
        assert one.structure() != other.structure()


def test_a_changed_component_leaves_the_old_one():
    adam = Adam(0.5)

    assert vars(adam.changed(beta_2=0.7)) == {"beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-8}
    assert vars(adam) == vars(Adam(0.5))


def test_structure_of_what_cannot_be_compared_equals_only_itself():
    array = np.zeros(2)
    one = Nested(Adam(), True, 1.0, array)

    assert hash(one.structure()) == hash(Nested(Adam(), True, 1.0, array).structure())
    assert one.structure() != Nested(Adam(), True, 1.0, array.copy()).structure()


def test_a_pickle_from_before_a_parameter_came_has_its_default():
    old = pickle.loads(pickle.dumps(Linear(3)))
    state = vars(old).copy()
    del state["adapts"]
    restored = object.__new__(Linear)
    restored.__setstate__(state)

    assert restored.get_params() == Linear(3).get_params()
