import inspect

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone
from sklearn.model_selection import KFold

from sknn._constraints import InvalidParameterError, check_parameters
from sknn.activations import Tanh
from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.parameters import TabularParameters
from sknn.tabular.presets import PRESETS
from tests.tabular.fits import TARGETS, X, fit, make

ESTIMATORS = [TabularMLPClassifier, TabularMLPRegressor]
both = pytest.mark.parametrize("Estimator", ESTIMATORS, ids=lambda cls: cls.__name__)
SPECIAL = {"class_weight", "label_smoothing"}
OF_PRESETS = {
    "cv",
    "max_iter",
    "hidden_layer_sizes",
    "activation",
    "learning_rate_init",
    "weight_decay",
    "dropout",
    "n_bins",
}


def section(cls, title):
    """Return the entries of a section of a class docstring by name."""
    return {item.name: item for item in NumpyDocString(inspect.getdoc(cls))[title]}


def test_only_the_classifier_has_more_and_only_what_is_about_classes():
    classifier, regressor = (cls._declared for cls in ESTIMATORS)

    assert set(classifier) - set(regressor) == SPECIAL
    assert set(regressor) == set(TabularParameters._declared)
    for name, parameter in regressor.items():
        assert classifier[name] is parameter


@both
def test_all_parameters_are_declared_and_documented(Estimator):
    documented = section(Estimator, "Parameters")

    assert list(Estimator._declared) == list(inspect.signature(Estimator).parameters)
    for name, parameter in Estimator._declared.items():
        assert " ".join(documented[name].desc) == " ".join(parameter.doc.split()), name
        assert parameter.doc.endswith("."), name
        assert "default" not in parameter.type or name == "preset", name
        assert parameter.allowed or name == "categorical_features", name


@both
def test_what_is_published_is_documented(Estimator):
    model = fit("multiclass" if Estimator is TabularMLPClassifier else "number")
    published = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    documented = {name.strip("`") for name in section(Estimator, "Attributes")}

    assert published - documented <= {"classes_"}
    computed = {"member_weights_", "members_", "training_report_"}
    assert documented - published == {"feature_names_in_", *computed}  # X is an array


@both
def test_the_preset_may_be_given_by_position(Estimator):
    kinds = {name: p.kind for name, p in inspect.signature(Estimator).parameters.items()}
    positional = [name for name, kind in kinds.items() if kind == kind.POSITIONAL_OR_KEYWORD]

    assert positional == ["preset"]
    assert Estimator("fast").preset == "fast"
    with pytest.raises(TypeError, match=f"{Estimator.__name__}.*positional"):
        Estimator("fast", "from_dtype")


@both
def test_what_is_the_presets_is_none(Estimator):
    parameters = Estimator().get_params()

    assert {name for name in OF_PRESETS if parameters[name] is not None} == set()
    for name in OF_PRESETS:
        assert "None is the preset's." in Estimator._declared[name].doc


@both
def test_defaults_and_all_presets_are_allowed(Estimator):
    for preset in PRESETS:
        check_parameters(Estimator(preset), Estimator._constraints)
    assert Estimator().preset in PRESETS
    names = Estimator._declared["preset"].type
    assert all(f'"{preset}"' in names for preset in PRESETS)


@both
def test_defaults_are_the_defaults_of_the_preset(Estimator):
    """To give what is the preset's anyway changes nothing, but that epochs do not adapt."""
    what = "multiclass" if Estimator is TabularMLPClassifier else "number"
    model = fit(what, preset="fast")
    given = {name: model.preset_[name] for name in OF_PRESETS & set(model.preset_)}
    again = clone(model).set_params(**given).fit(X, TARGETS[what])

    np.testing.assert_array_equal(model.predict(X), again.predict(X))


BAD = [
    ("preset", "quick"),
    ("preset", None),
    ("cv", 1),
    ("cv", 2.5),
    ("cv", True),
    ("cv", "three"),
    ("max_iter", 0),
    ("max_iter", 1.5),
    ("hidden_layer_sizes", "many"),
    ("hidden_layer_sizes", 0),
    ("hidden_layer_sizes", (8, -1)),
    ("hidden_layer_sizes", (8.5,)),
    ("activation", "nonsense"),
    ("learning_rate_init", 0),
    ("learning_rate_init", np.nan),
    ("weight_decay", -1),
    ("weight_decay", np.inf),
    ("dropout", 1),
    ("dropout", -0.1),
    ("batch_size", 0),
    ("batch_size", "auto"),
    ("n_bins", 1),
    ("max_time", 0),
    ("max_time", -3),
    ("warm_start", "yes"),
    ("random_state", "seed"),
    ("random_state", -1),
    ("verbose", -1),
    ("verbose", "much"),
    ("class_weight", "unbalanced"),
    ("class_weight", 3),
    ("label_smoothing", 1),
    ("label_smoothing", -0.1),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_bad_values_are_refused_by_name(name, value):
    for what in ("number", "multiclass"):
        model = make(what)
        if name not in model.get_params():
            continue
        model.set_params(**{name: value})
        with pytest.raises(InvalidParameterError, match=name):
            model.fit(X, TARGETS[what])
        assert not hasattr(model, "members_")


GOOD = [
    ("cv", 2),
    ("cv", np.int64(2)),
    ("cv", KFold(2)),
    ("cv", [(np.arange(60), np.arange(60, 90)), (np.arange(30, 90), np.arange(30))]),
    ("cv", ((np.arange(60), np.arange(60, 90)),)),
    ("max_iter", np.int32(2)),
    ("hidden_layer_sizes", 5),
    ("hidden_layer_sizes", [5, np.int64(3)]),
    ("hidden_layer_sizes", np.array([5])),
    ("hidden_layer_sizes", ()),
    ("activation", "relu"),
    ("activation", Tanh()),
    ("learning_rate_init", np.float32(0.01)),
    ("weight_decay", 0),
    ("dropout", 0),
    ("dropout", 0.99),
    ("batch_size", 1),
    ("n_bins", 2),
    ("random_state", np.random.RandomState(3)),
    ("verbose", 0),
    ("label_smoothing", 0),
    ("label_smoothing", 0.99),
    ("class_weight", {"a": 2}),
    ("class_weight", "balanced"),
]


@pytest.mark.parametrize(("name", "value"), GOOD, ids=str)
def test_good_values_are_taken(name, value):
    for what in ("number", "multiclass"):
        model = make(what, preset="fast", max_iter=2)
        if name not in model.get_params():
            continue
        model.set_params(**{name: value}).fit(X, TARGETS[what])
        assert np.isfinite(model.oof_score_)


def test_splits_may_be_handed_over_one_by_one():
    """As scikit-learn's functions take them."""
    splits = list(KFold(3).split(X))
    one, other = (
        make("number", cv=cv).fit(X, TARGETS["number"]) for cv in (splits, (s for s in splits))
    )

    np.testing.assert_array_equal(one.oof_prediction_, other.oof_prediction_)


@both
def test_an_unknown_parameter_is_refused_with_a_hint(Estimator):
    with pytest.raises(TypeError, match=r"Did you mean 'max_iter'\?"):
        Estimator(max_iters=3)
