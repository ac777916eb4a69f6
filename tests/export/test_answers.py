import inspect

import numpy as np
import pytest

import sknn.targets
from sknn.export import to_python
from sknn.export.answers import ANSWERS, as_labels
from sknn.export.models import formula_of
from sknn.losses import Quantile
from tests.export.running import (
    IRIS,
    NUMBERS,
    PATIENTS,
    SPECIES,
    TARGETS,
    as_list,
    fit,
    fitted,
    regressor,
    run_source,
)

LOSSES = ["squared_error", "poisson", "gamma", "gaussian", "quantile"]


def test_every_kind_of_targets_has_a_formula():
    found = (vars(sknn.targets)[name] for name in sknn.targets.__all__)
    kinds = {kind for kind in found if hasattr(kind, "predict") and not inspect.isabstract(kind)}

    assert set(ANSWERS) == kinds


@pytest.mark.parametrize("kind", TARGETS)
def test_labels_and_probabilities_are_those_of_the_classifier(kind):
    network = fitted(kind)
    module, answers = run_source(to_python(network)), formula_of(network).answers
    labels, expected = module["predict"](IRIS), network.predict(IRIS)

    np.testing.assert_array_equal(labels, expected)
    assert labels.dtype == expected.dtype
    assert labels.shape == (len(IRIS), *answers.shape)
    found = as_list(module["predict_proba"](IRIS))
    for part, whole, n in zip(
        found, as_list(network.predict_proba(IRIS)), answers.widths, strict=True
    ):
        np.testing.assert_allclose(part, whole, rtol=1e-12)
        assert part.shape == (len(IRIS), n)


@pytest.mark.parametrize("n_targets", NUMBERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_are_those_of_the_regressor(loss, n_targets):
    network = fit(regressor(loss=loss), PATIENTS, NUMBERS[n_targets])
    module, expected = run_source(to_python(network)), network.predict(PATIENTS)

    assert "predict_proba" not in module
    np.testing.assert_allclose(module["predict"](PATIENTS), expected, rtol=1e-12)
    assert module["predict"](PATIENTS).shape == expected.shape


@pytest.mark.parametrize("levels", [0.5, [0.5], [0.1, 0.5, 0.9]], ids=str)
@pytest.mark.parametrize("n_targets", NUMBERS)
def test_several_quantiles_have_an_axis_of_levels(n_targets, levels):
    network = fit(regressor(loss=Quantile(levels)), PATIENTS, NUMBERS[n_targets])
    found = run_source(to_python(network))["predict"](PATIENTS)

    expected = network.predict(PATIENTS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.shape == expected.shape
    assert formula_of(network).answers.shape == expected.shape[1:]


def test_an_exponential_link_comes_from_any_of_its_losses():
    network = fit(regressor(loss="tweedie"), PATIENTS, NUMBERS["one"])

    assert (run_source(to_python(network))["predict"](PATIENTS) > 0).all()


def test_edited_parameters_are_exported():
    network = fit(regressor(), IRIS, SPECIES.astype(float))
    network.intercepts_[-1] = network.intercepts_[-1] + 5.0

    found = run_source(to_python(network))["predict"](IRIS)
    np.testing.assert_allclose(found, network.predict(IRIS), rtol=1e-12)


@pytest.mark.parametrize(
    "labels",
    [np.array([b"x", b"y"]), np.array([(1, 2), None], object), np.array(["a", 1], object)],
    ids=["bytes", "tuples", "mixed"],
)
def test_classes_of_other_kinds_are_refused(labels):
    with pytest.raises(ValueError, match=r"y has the class .* which cannot be exported"):
        as_labels(labels)


def test_objects_of_one_kind_have_its_dtype():
    assert as_labels(np.array([1, 2], object)).dtype.kind == "i"
    assert as_labels(np.array([True, False], object)).dtype == bool
    assert as_labels(np.array(["a"], object)).tolist() == ["a"]
