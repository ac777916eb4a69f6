"""Names that users bring from elsewhere are refused with the right one in the message."""

import inspect

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from sknn import MLPClassifier, MLPRegressor
from sknn._names import ELSEWHERE, SYNONYMS
from sknn.activations import ACTIVATIONS
from sknn.architecture import NORMALIZATIONS
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.estimators.hints import hint, with_hints
from sknn.initializers import INITIALIZERS
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES
from sknn.optimizers import OPTIMIZERS
from sknn.schedules import SCHEDULES

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2


@pytest.mark.parametrize(
    ("Estimator", "parameters", "meant"),
    [
        (MLPRegressor, {"loss": "mae"}, "absolute_error"),
        (MLPRegressor, {"loss": "mse"}, "squared_error"),
        (MLPRegressor, {"loss": "MSELoss"}, "squared_error"),
        (MLPClassifier, {"loss": "bce"}, "log_loss"),
        (MLPClassifier, {"loss": "categorical_crossentropy"}, "log_loss"),
        (MLPClassifier, {"solver": "AdamW"}, "adamw"),
        (MLPClassifier, {"solver": "SGD"}, "sgd"),
        (MLPClassifier, {"activation": "swish"}, "silu"),
        (MLPClassifier, {"activation": "ReLU"}, "relu"),
        (MLPClassifier, {"activation": ["swish"]}, "silu"),
        (MLPClassifier, {"weight_averaging": "EMA"}, "ema"),
        (MLPClassifier, {"normalization": "BatchNorm1d"}, "batch"),
        (MLPClassifier, {"learning_rate": "CosineAnnealingLR"}, "cosine"),
        (MLPClassifier, {"initializer": "Xavier_Uniform"}, "glorot"),
        (MLPClassifier, {"loss": "log_los"}, "log_loss"),
    ],
    ids=lambda value: str(value),
)
def test_foreign_values_are_refused_with_our_name(Estimator, parameters, meant):
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
        Estimator((3,), **parameters).fit(X, Y)


def test_every_synonym_leads_to_a_name_that_exists_and_is_none_itself():
    families = ACTIVATIONS, AUGMENTATIONS, AVERAGINGS, INITIALIZERS, OPTIMIZERS, SCHEDULES
    names = {*CLASSIFICATION_LOSSES, *LOSSES, *NORMALIZATIONS, "lbfgs"}.union(*families)

    assert set(SYNONYMS.values()) <= names
    assert not set(SYNONYMS) & names


@pytest.mark.parametrize(
    ("name", "meant"),
    [("epochs", "max_iter"), ("lr", "learning_rate_init"), ("max_iters", "'max_iter'")],
)
def test_an_unknown_parameter_names_the_right_one(name, meant):
    with pytest.raises(TypeError, match=f"keyword argument '{name}'.*{meant}"):
        MLPClassifier(**{name: 3})
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}'.*{meant}"):
        MLPRegressor().set_params(**{name: 3})
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}'.*{meant}"):
        GridSearchCV(MLPClassifier(), {name: [1, 2]}, error_score="raise").fit(X, Y)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("eval_set", "X_val and y_val"),
        ("validation_data", "X_val and y_val"),
        ("epochs", "max_iter"),
        ("sample_weights", "sample_weight"),
        ("Xval", "'X_val'"),
        ("batch_size", "a parameter of the constructor"),
        ("verbose", "a parameter of the constructor"),
    ],
)
def test_an_unknown_argument_of_fit_names_the_right_one(name, meant):
    with pytest.raises(TypeError, match=f"MLPClassifier.fit.* '{name}'.*{meant}"):
        MLPClassifier().fit(X, Y, **{name: 3})
    with pytest.raises(TypeError, match=f"keyword argument '{name}'.*{meant}"):
        MLPRegressor().partial_fit(X, Y, **{name: 3})


def test_an_unknown_name_without_a_likeness_gets_pythons_words_alone():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'qqq'\.?$"):
        MLPClassifier(qqq=1)


def test_type_errors_from_within_are_left_alone():
    def schedule(epoch):
        return len(epochs=epoch)

    with pytest.raises(TypeError) as caught:
        MLPRegressor((3,), learning_rate=schedule).fit(X, Y)

    assert "max_iter" not in str(caught.value)


def test_hints_name_parameters_that_exist():
    known = {
        *inspect.signature(MLPClassifier).parameters,
        *inspect.signature(MLPClassifier.fit).parameters,
    }
    for text in ELSEWHERE.values():
        first = text.split(",")[0].split("=")[0].split(" ")[0]
        assert first in known or first in ("nothing:", "the", "what"), text
    assert not set(ELSEWHERE) & known


def test_the_signature_is_explicit():
    for cls in (MLPClassifier, MLPRegressor):
        kinds = {p.kind for p in inspect.signature(cls).parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD not in kinds
        for method in (cls.fit, cls.partial_fit):
            kinds = {p.kind for p in inspect.signature(method).parameters.values()}
            assert inspect.Parameter.VAR_KEYWORD not in kinds


class Machine:
    """Has a method and a constructor that take what they take."""

    @with_hints
    def __init__(self, speed=1, colour="red"):
        self.speed = speed

    @with_hints
    def run(self, distance, shuffle=True):
        if distance < 0:
            self.stop(distance=distance)
        return self.speed * distance

    def stop(self):
        raise AssertionError("it runs")


def test_a_hint_looks_at_the_arguments_of_the_method_and_of_the_constructor():
    assert Machine(speed=2).run(distance=3) == 6
    assert str(inspect.signature(Machine.run)) == "(self, distance, shuffle=True)"
    with pytest.raises(TypeError, match=r"Machine\.run\(\) .*'distence'\. Did you mean 'distance'"):
        Machine().run(distence=3)
    with pytest.raises(TypeError, match=r"'colour'\. colour is a parameter of the constructor"):
        Machine().run(3, colour="red")
    with pytest.raises(TypeError, match=r"'wing'\.$"):
        Machine(wing=3)


def test_an_argument_that_the_method_knows_is_not_the_wrong_one():
    with pytest.raises(TypeError) as caught:
        Machine().run(distance=-1)

    assert str(caught.value).endswith("stop() got an unexpected keyword argument 'distance'")


def test_a_hint_knows_what_other_libraries_say():
    assert "max_iter" in hint("Epochs", [])
    assert hint("alhpa", ["self", "alpha", "tol"]) == " Did you mean 'alpha'?"
    assert hint("selff", ["self", "tol"]) == ""
