import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from sknn import MLPClassifier
from sknn.export.parts import (
    check_ordinal,
    first_of,
    name_of,
    parts_of,
    refuse_what_comes_out_wrong,
    transformers_of,
)
from tests.export.running import IRIS, SPECIES, classifier, fit

ISOTONIC = CalibratedClassifierCV(classifier(), cv=2, method="isotonic")
TUNED = TunedThresholdClassifierCV(classifier(max_iter=100), cv=2)


@pytest.mark.parametrize(
    ("around", "n_networks"),
    [
        (classifier(), 1),
        (make_pipeline(StandardScaler(), classifier()), 1),
        (BaggingClassifier(classifier(), 3), 3),
        (VotingClassifier([("a", classifier()), ("b", make_pipeline(classifier()))]), 2),
        (CalibratedClassifierCV(make_pipeline(StandardScaler(), classifier()), cv=2), 2),
        (StackingClassifier([("a", classifier())], classifier(), cv=2), 2),
        (GridSearchCV(classifier(), {"alpha": [0.1, 1.0]}, cv=2), 1),
    ],
    ids=lambda around: type(around).__name__,
)
def test_fitted_networks_are_found_wherever_they_are(around, n_networks):
    parts = list(parts_of(fit(around, IRIS, SPECIES > 0)))

    networks = [part for part in parts if isinstance(part, MLPClassifier)]
    assert len(networks) == n_networks
    assert all(hasattr(network, "coefs_") for network in networks)
    assert parts[0] is around


def test_the_first_step_is_one_that_does_something():
    scaler = StandardScaler()

    assert first_of(scaler) is scaler
    assert first_of(make_pipeline("passthrough", None, make_pipeline(scaler))) is scaler
    assert first_of("passthrough") == "passthrough"


def test_columns_of_a_remainder_are_a_list():
    columns = make_column_transformer((OneHotEncoder(), [0]), remainder="passthrough")
    found = [(name, columns) for name, _, columns in transformers_of(columns.fit(IRIS))]

    assert found == [("onehotencoder", [0]), ("remainder", [1, 2, 3])]


def test_parts_are_called_by_their_steps():
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(sparse_output=False), [0]), remainder="passthrough"),
        FeatureUnion([("scaled", StandardScaler())]),
        classifier(),
    )
    fit(pipeline, IRIS, SPECIES)

    encoder = pipeline[0].named_transformers_["onehotencoder"]
    assert name_of(pipeline[-1], pipeline) == "The step 'mlpclassifier' (MLPClassifier)"
    assert name_of(encoder, pipeline) == "The step 'onehotencoder' (OneHotEncoder)"
    assert name_of(pipeline, pipeline) == "Pipeline"


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (ISOTONIC, "CalibratedClassifierCV with method='isotonic' cannot be exported"),
        (TUNED, "TunedThresholdClassifierCV cannot be exported: skl2onnx leaves out the threshold"),
    ],
)
def test_what_comes_out_wrong_is_refused_wherever_it_is(part, message):
    for around in (
        part,
        make_pipeline(StandardScaler(), part),
        VotingClassifier([("part", part)]),
        StackingClassifier([("part", part)], LogisticRegression(), cv=2),
    ):
        fit(around, IRIS, SPECIES > 0)
        with pytest.raises(ValueError, match=message):
            refuse_what_comes_out_wrong(around)


def test_a_search_is_what_it_has_found():
    grid = {"method": ["isotonic", "sigmoid"]}
    search = GridSearchCV(ISOTONIC, grid, cv=2, scoring=lambda e, X, y: e.method == "sigmoid")

    refuse_what_comes_out_wrong(make_pipeline(StandardScaler(), fit(search, IRIS, SPECIES > 0)))


def test_calibrations_that_are_unknown_are_refused():
    unknown = fit(CalibratedClassifierCV(classifier(), cv=2), IRIS, SPECIES)
    unknown.method = "temperature"
    with pytest.raises(ValueError, match=r"method='temperature' cannot be .*: skl2onnx does not"):
        refuse_what_comes_out_wrong(unknown)


def test_categories_that_are_equal_in_single_precision_are_refused():
    far = np.array([[1.0], [2.0]])
    near = np.array([[1.0], [1.0 + 1e-9]])

    refuse_what_comes_out_wrong(OrdinalEncoder().fit(far))
    with pytest.raises(ValueError, match=r"OrdinalEncoder cannot be exported: .* are equal"):
        refuse_what_comes_out_wrong(OrdinalEncoder().fit(near))


def test_integers_of_which_neighbours_are_equal_in_single_precision_are_refused():
    small, large = np.array([[2**24]]), np.array([[2**24 + 1]])

    check_ordinal(OrdinalEncoder().fit(small), "i")
    check_ordinal(OrdinalEncoder().fit(np.array([["a"]], object)), "i")
    refuse_what_comes_out_wrong(OrdinalEncoder().fit(large))
    with pytest.raises(ValueError, match="OrdinalEncoder cannot be exported"):
        check_ordinal(OrdinalEncoder().fit(large), "i")
