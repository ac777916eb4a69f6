"""Names as types are those of the registries, and of scikit-learn."""

import inspect
import types
import typing

import pytest
from sklearn.metrics import get_scorer_names

from sknn import MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor
from sknn._constraints import OneOf
from sknn.activations import ACTIVATIONS
from sknn.architecture import FRONTS, NORMALIZATIONS, PARAMETRIZATIONS, SCALE
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.estimators import words
from sknn.initializers import INITIALIZERS
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES

ESTIMATORS = [MLPClassifier, MLPRegressor, TabularMLPClassifier, TabularMLPRegressor]


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (words.ActivationName, ACTIVATIONS),
        (words.AugmentationName, AUGMENTATIONS),
        (words.AveragingName, AVERAGINGS),
        (words.ClassLossName, CLASSIFICATION_LOSSES),
        (words.FrontName, [SCALE, *FRONTS]),
        (words.InitializerName, INITIALIZERS),
        (words.NormalizationName, NORMALIZATIONS),
        (words.NumberLossName, LOSSES),
        (words.OptimizerName, OPTIMIZERS),
        (words.Parametrization, PARAMETRIZATIONS),
        (words.ScheduleName, SCHEDULES),
    ],
)
def test_names_are_those_of_the_registry(names, known):
    assert sorted(typing.get_args(names)) == sorted(known)


def test_scorers_have_the_names_that_scikit_learn_knows():
    # Older versions have fewer.
    assert set(get_scorer_names()) <= set(typing.get_args(words.ScorerName))


def names_in(annotation):
    """Return the names that a type has, with those in a union, but not in a sequence."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return set().union(*map(names_in, typing.get_args(annotation)))
    return set()


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_parameters_have_the_names_that_are_allowed(cls):
    checked = 0
    for name, parameter in cls._declared.items():
        allowed = {
            value
            for constraint in parameter.allowed
            if isinstance(constraint, OneOf)
            for value in constraint.values
        }
        named = names_in(parameter.annotation)
        if name == "scoring":
            named -= set(typing.get_args(words.ScorerName))
        if name != "categorical_features":  # checked against the table
            assert named == allowed, name
            checked += bool(allowed)

    assert checked >= 2


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_signature_has_the_types(cls):
    types = typing.get_type_hints(cls.__init__)
    for name, parameter in inspect.signature(cls).parameters.items():
        assert types[name] == cls._declared[name].annotation
        assert types[name] is not typing.Any, name
        assert len(str(parameter)) < 100  # as `help` shows it
        assert parameter.annotation in (types[name], cls._declared[name].written)
