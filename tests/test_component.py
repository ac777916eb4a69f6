import numpy as np
import pytest
from sklearn.base import clone

from sknn._component import per_model, stack
from sknn.activations import ACTIVATIONS, ReLU
from sknn.initializers import INITIALIZERS
from sknn.losses import LOSSES
from sknn.optimizers import OPTIMIZERS, Adam
from sknn.penalties import PENALTIES
from sknn.schedules import SCHEDULES

REGISTRIES = [ACTIVATIONS, INITIALIZERS, LOSSES, OPTIMIZERS, PENALTIES, SCHEDULES]
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
