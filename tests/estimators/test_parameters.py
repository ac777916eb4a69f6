"""Each constructor parameter is declared once: for signature, checks and documentation."""

import copy
import dataclasses
import inspect
import pickle

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone

from sknn import MLPClassifier, MLPRegressor
from sknn._constraints import check_parameters
from sknn.estimators.classifier import ClassifierParameters
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.regressor import RegressorParameters

ESTIMATORS = [MLPClassifier, MLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS, ids=lambda cls: cls.__name__)
SPECIAL = {"loss", "label_smoothing", "class_weight", "quantile", "target_type"}


def section(cls, title):
    """Return the entries of a section of a class docstring by name."""
    return {item.name: item for item in NumpyDocString(inspect.getdoc(cls))[title]}


def test_what_is_not_special_is_the_same_in_both():
    one, other = (cls._declared for cls in ESTIMATORS)
    documented, documented_too = (section(cls, "Parameters") for cls in ESTIMATORS)

    assert set(one) - SPECIAL == set(other) - SPECIAL == set(MLPParameters._declared) - SPECIAL
    for name in set(one) - SPECIAL:
        assert one[name] is other[name], name
        assert documented[name] == documented_too[name], name


def test_only_what_is_special_is_declared_for_one():
    changed = {
        name
        for cls in (ClassifierParameters, RegressorParameters)
        for name, parameter in cls._declared.items()
        if parameter is not MLPParameters._declared.get(name)
    }

    assert changed == SPECIAL


@both
def test_all_parameters_are_declared_and_documented(Estimator):
    documented = section(Estimator, "Parameters")

    assert list(Estimator._declared) == list(inspect.signature(Estimator).parameters)
    for name, parameter in Estimator._declared.items():
        assert " ".join(documented[name].desc) == " ".join(parameter.doc.split()), name
        assert parameter.doc.endswith("."), name
        assert "default" not in parameter.type, name
        assert parameter.allowed or name == "hidden_layer_sizes", name


@both
def test_two_parameters_may_be_given_by_position(Estimator):
    kinds = {name: p.kind for name, p in inspect.signature(Estimator).parameters.items()}
    positional = [name for name, kind in kinds.items() if kind == kind.POSITIONAL_OR_KEYWORD]

    assert positional == ["hidden_layer_sizes", "activation"]
    assert set(kinds.values()) == {
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.KEYWORD_ONLY,
    }
    model = Estimator((3,), "tanh", alpha=2)
    assert (model.hidden_layer_sizes, model.activation, model.alpha) == ((3,), "tanh", 2)
    with pytest.raises(TypeError, match=f"{Estimator.__name__}.*positional"):
        Estimator((3,), "tanh", "log_loss")


@both
def test_the_signature_shows_annotations_and_defaults(Estimator):
    parameters = inspect.signature(Estimator).parameters

    assert str(parameters["alpha"]) == "alpha: float = 0.0001"
    assert str(parameters["target_loss"]) == "target_loss: float | None = None"
    assert all(p.annotation is not inspect.Parameter.empty for p in parameters.values())


@both
def test_defaults_are_allowed(Estimator):
    check_parameters(Estimator(), Estimator._constraints)


@both
def test_no_estimator_is_a_dataclass(Estimator):
    # It has more than its fields; dask would hold two for equal that were fitted to other data.
    assert not dataclasses.is_dataclass(Estimator)


@both
def test_attributes_of_both_follow_those_of_one(Estimator):
    shared = list(section(MLPParameters, "Attributes"))
    documented = list(section(Estimator, "Attributes"))

    assert documented[-len(shared) :] == shared
    assert {"n_outputs_", "out_activation_"} <= set(documented) - set(shared)
    assert len(documented) == len(set(documented))


@both
def test_sections_stand_in_numpydocs_order(Estimator):
    lines = inspect.getdoc(Estimator).splitlines()
    titles = [lines[i - 1] for i, line in enumerate(lines) if line and not line.strip("-")]
    order = "Parameters", "Attributes", "See Also", "References", "Examples"

    assert titles == [title for title in order if title in titles]
    assert len(titles) >= 4
    assert max(map(len, lines)) <= 100


@both
def test_copies_have_all_parameters(Estimator):
    model = Estimator((3,), alpha=2)

    for other in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.get_params() == model.get_params()
        assert vars(other) == vars(model)


@both
def test_a_pickle_that_lacks_a_parameter_gets_its_default(Estimator):
    classes = {"classes": [0, 1]} if Estimator is MLPClassifier else {}
    model = Estimator(max_time=3)
    del model.on_divergence
    again = pickle.loads(pickle.dumps(model))

    assert (again.on_divergence, again.max_time) == ("raise", 3)
    assert clone(again).get_params() == Estimator(max_time=3).get_params()
    assert again.partial_fit([[0.0], [1.0]], [0, 1], **classes).on_divergence == "raise"


class Plain(MLPRegressor):
    """Has no constructor of its own."""


class Own(MLPClassifier):
    """Has one.

    Parameters
    ----------
    factor : float, default=2.0
    """

    def __init__(self, factor=2.0, alpha=0.1):
        super().__init__((3,), alpha=alpha)
        self.factor = factor


def test_subclasses_of_users_work():
    assert inspect.signature(Plain) == inspect.signature(MLPRegressor)
    assert inspect.getdoc(Plain) == "Has no constructor of its own."
    assert repr(Plain(alpha=3)) == "Plain(alpha=3)"
    assert list(Own().get_params()) == ["alpha", "factor"]
    assert list(section(Own, "Parameters")) == ["factor"]
    for model in (Plain(alpha=3), Own(factor=4)):
        for other in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
            assert vars(other) == vars(model)


def test_subclasses_of_users_have_hints():
    with pytest.raises(TypeError, match=r"Plain.*'alhpa'.*'alpha'"):
        Plain(alhpa=3)
    with pytest.raises(TypeError, match=r"Own.*'facto'.*'factor'"):
        Own(facto=3)


@both
def test_what_differs_by_layer_may_be_an_array(Estimator):
    X, y = np.eye(6), np.arange(6) % 2
    choices = {"activation": ["tanh", "relu"], "dropout": [0.5, 0.0]}
    arrays = {name: np.array(values) for name, values in choices.items()}
    models = [
        Estimator((4, 3), max_iter=500, tol=0.1, random_state=0, **given).fit(X, y)
        for given in (choices, arrays)
    ]

    assert models[0].loss_curve_ == models[1].loss_curve_


def test_a_name_of_a_loss_is_no_size():
    with pytest.raises(TypeError, match=r"MLPRegressor\(loss='huber'\)"):
        MLPRegressor("huber")
    assert MLPRegressor(loss="huber").loss == "huber"
