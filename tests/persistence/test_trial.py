"""What comes from a file answers a row before anybody gets it."""

import copy
import warnings

import numpy as np
import pytest

import sknn
from sknn.persistence.trial import try_out
from sknn.tabular import TableEncoder, TabularMLPClassifier
from tests.cases import name_of
from tests.persistence.models import MODELS, TABLE, fitted


@pytest.mark.parametrize("name", MODELS)
def test_every_model_passes_without_a_word(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try_out(fitted(name))


@pytest.mark.parametrize(
    "model",
    [sknn.MLPClassifier(), TabularMLPClassifier(), TableEncoder(), sknn.optimizers.Adam()],
    ids=name_of,
)
def test_what_is_not_fitted_passes(model):
    try_out(model)


def test_parameters_of_any_size_pass_without_a_word():
    model = copy.deepcopy(fitted("labels: int"))
    model.intercepts_ = [intercept * np.inf for intercept in model.intercepts_]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try_out(model)


def replace_loss(model):
    object.__setattr__(model._targets, "loss", "squared_error")


def replace_activation(model):
    model._network.layers[1].activation = None


def mistake_kind(model):
    model._columns.kinds["length"] = "weight"


def forget_dates(model):
    model._columns._parts.clear()


def invent_part(model):
    model._columns._parts["day"][0] = "to_pydatetime"


def repeat_level(model):
    model._columns.levels[0] = model._columns.levels[0].append(model._columns.levels[0])


def replace_classes(model):
    object.__setattr__(model._ensemble.targets, "classes", "abc")


def forget_theta(model):
    for members in model._ensemble.kinds:
        members.members[0].thetas.clear()


BROKEN = {
    "loss": ("labels: int", replace_loss),
    "activation": ("labels: int", replace_activation),
    "kind of a column": ("encoder", mistake_kind),
    "no dates": ("encoder", forget_dates),
    "part of a date": ("encoder", invent_part),
    "level": ("encoder", repeat_level),
    "parameters": ("classifier", forget_theta),
    "classes": ("classifier", replace_classes),
}


@pytest.mark.parametrize(("name", "change"), BROKEN.values(), ids=BROKEN)
def test_parts_that_do_not_fit_are_noticed(name, change):
    model = copy.deepcopy(fitted(name))
    try_out(model)
    change(model)

    with pytest.raises((ValueError, AttributeError, KeyError)):
        try_out(model)


def test_the_table_has_every_kind_of_column():
    assert set(fitted("encoder")._columns.kinds.values()) >= {"number", "category", "date"}
    assert list(TABLE) == list(fitted("encoder")._columns.kinds)
