import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from sknn import TabularMLPClassifier
from sknn.export.front import front_of
from sknn.export.signature import signature_of
from sknn.tabular import TableEncoder
from tests.export.running import classifier, fit
from tests.tabular.fits import SMALL

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "single": RNG.standard_normal(40).astype(np.float32),
        "double": RNG.standard_normal(40),
        "int": RNG.integers(0, 4, 40),
        "bool": RNG.random(40) < 0.5,
        "word": np.array(["a", "b"])[RNG.integers(0, 2, 40)],
    }
)
NUMBERS = FRAME[["single", "double", "int"]]
Y = FRAME["double"] > 0


def take(estimator, X_sample):
    return front_of(estimator, X_sample, signature_of(X_sample))


def kinds_of(estimator, X):
    return [kind for _, kind in take(fit(estimator, X, Y), X).taken]


IN_ORDER = {
    "network": classifier(),
    "Pipeline": make_pipeline(StandardScaler(), classifier()),
    "idle step": make_pipeline("passthrough", StandardScaler(), classifier()),
    "union": make_pipeline(FeatureUnion([("scaler", StandardScaler())]), classifier()),
    "Bagging": BaggingClassifier(classifier(), 2),
    "Voting": VotingClassifier([("net", classifier())]),
    "Calibrated": CalibratedClassifierCV(make_pipeline(StandardScaler(), classifier()), cv=2),
}
BY_NAME = {
    "table": TabularMLPClassifier("fast", **SMALL),
    "encoder": make_pipeline(TableEncoder(), classifier()),
    "transformer": make_pipeline(
        make_column_transformer((StandardScaler(), ["double"]), remainder="passthrough"),
        classifier(),
    ),
    "places": make_pipeline(
        make_column_transformer((StandardScaler(), [1, 0]), remainder="passthrough"), classifier()
    ),
}


@pytest.mark.parametrize("kind", IN_ORDER)
def test_other_names_are_refused_with_the_error_of_the_estimator(kind):
    estimator = fit(IN_ORDER[kind], NUMBERS, Y)
    for other in (
        NUMBERS[["double", "single", "int"]],
        NUMBERS.rename(columns={"int": "other"}),
        NUMBERS[["single", "double"]],
        NUMBERS.assign(more=1),
    ):
        with pytest.raises(ValueError, match="feature names should match") as own:
            estimator.predict(other)
        with pytest.raises(ValueError, match="feature names should match") as found:
            take(estimator, other)
        assert str(found.value) == str(own.value)


@pytest.mark.parametrize("kind", [*IN_ORDER, "table", "encoder", "places"])
def test_arrays_have_no_names_to_check(kind):
    estimator = fit((IN_ORDER | BY_NAME)[kind], NUMBERS, Y)
    array = NUMBERS.to_numpy(np.float64)

    assert take(estimator, array).taken == [(0, "float64")]
    with pytest.raises(ValueError, match=r"X_sample has 2 columns, but .* was fitted on 3"):
        take(estimator, array[:, :2])


def test_what_was_fitted_without_names_goes_by_the_order():
    estimator = fit(classifier(), NUMBERS.to_numpy(np.float64), Y)

    assert [place for place, _ in take(estimator, NUMBERS).taken] == [0, 1, 2]


@pytest.mark.parametrize("kind", BY_NAME)
def test_columns_are_found_by_their_names(kind):
    estimator = fit(BY_NAME[kind], NUMBERS, Y)
    sample = NUMBERS.assign(more=1)[["more", "int", "double", "single"]]

    assert [place for place, _ in take(estimator, sample).taken] == [3, 2, 1]
    for lacking in (NUMBERS[["single", "double"]], NUMBERS.rename(columns={"int": "other"})):
        with pytest.raises(ValueError, match=r"X_sample lacks 1 of the columns .* in fit: 'int'"):
            take(estimator, lacking)


@pytest.mark.parametrize(
    ("columns", "message"), [(["int", "double"], None), ([2, 1], "lacks 1 of the columns")]
)
def test_columns_that_nothing_reads_may_be_missing_if_places_do_not_depend_on_them(
    columns, message
):
    transformer = make_column_transformer((StandardScaler(), columns))
    estimator = fit(make_pipeline(transformer, classifier()), NUMBERS, Y)
    sample = NUMBERS[["int", "double"]]

    if message is None:
        assert [place for place, _ in take(estimator, sample).taken] == [1, 0]
    else:
        with pytest.raises(ValueError, match=message):
            take(estimator, sample)


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        (["int", "double"], "float64"),
        (["single", "double"], "float64"),
        (["int", "single"], "float64"),  # as NumPy has it
        (["bool", "single"], "float32"),
        (["single"], "float32"),
        (["bool"], "float64"),
        (["int"], "float64"),
    ],
)
def test_steps_get_numbers_of_the_floating_type_that_columns_have_together(columns, kind):
    found = kinds_of(make_pipeline(StandardScaler(), classifier()), FRAME[columns])

    assert found == [kind] * len(columns)
    assert kinds_of(classifier(), FRAME[columns]) == [
        each.kind for each in signature_of(FRAME[columns])
    ]


@pytest.mark.parametrize(
    "encoder", [OneHotEncoder(), OrdinalEncoder(), TargetEncoder(target_type="binary")]
)
@pytest.mark.parametrize("categories", [["int", "bool", "word"], [2, 3, 4], slice(2, 5)], ids=str)
def test_what_only_encoders_read_remains_as_it_is(encoder, categories):
    read = make_column_transformer(
        (make_pipeline(encoder), categories), (StandardScaler(), ["single", "double"])
    )

    found = kinds_of(make_pipeline(read, classifier()), FRAME)
    assert found == ["float64", "float64", "int64", "int64", "str"]
    assert kinds_of(make_pipeline(encoder, classifier()), FRAME[["int"]]) == ["int64"]


def test_what_a_scaler_reads_too_is_widened():
    read = make_column_transformer(
        (OneHotEncoder(), ["int"]), ("drop", ["double"]), (StandardScaler(), ["int", "single"])
    )

    found = kinds_of(make_pipeline(read, classifier()), FRAME)
    assert found == ["float64", "float64", "float64", "float64", "str"]


def test_integers_in_a_matrix_remain_if_encoders_read_all_of_it():
    X = FRAME[["int", "int"]].to_numpy()
    both = [("encoder", OneHotEncoder(), [0]), ("scaler", StandardScaler(), [1])]

    assert kinds_of(Pipeline([("c", ColumnTransformer(both)), ("n", classifier())]), X) == [
        "float64"
    ]
    assert kinds_of(Pipeline([("c", ColumnTransformer(both[:1])), ("n", classifier())]), X) == [
        "int64"
    ]


@pytest.mark.parametrize("kind", [*IN_ORDER, *BY_NAME])
def test_columns_lie_side_by_side_unless_some_part_reads_them_one_by_one(kind):
    estimator = fit((IN_ORDER | BY_NAME)[kind], NUMBERS, Y)

    # A network takes columns of several kinds.
    assert take(estimator, NUMBERS).is_matrix == (kind in IN_ORDER and kind != "network")
    assert not take(estimator, NUMBERS.to_numpy()).is_matrix


def test_integers_that_ensembles_hand_to_encoders_are_told_apart():
    columns = make_column_transformer((OrdinalEncoder(), ["int"]), (StandardScaler(), ["double"]))
    voting = VotingClassifier([("steps", make_pipeline(columns, classifier()))])
    far = NUMBERS.assign(int=NUMBERS["int"] + 2**24)

    assert kinds_of(voting, NUMBERS) == ["float64"] * 3
    assert kinds_of(voting.estimators[0][1], far) == ["float64", "float64", "int64"]
    with pytest.raises(ValueError, match="OrdinalEncoder cannot be exported"):
        kinds_of(voting, far)


@pytest.mark.parametrize("is_frame", [True, False])
def test_widened_integers_are_told_apart(is_frame):
    X = NUMBERS[["int", "int"]].set_axis(["a", "b"], axis=1) + 2**24
    X = X if is_frame else X.to_numpy()
    for places in ([0], [1]):  # that of the encoder, too, or another one
        columns = make_column_transformer((OrdinalEncoder(), [0]), (StandardScaler(), places))
        pipeline = fit(make_pipeline(columns, classifier()), X, Y)
        if is_frame and places == [1]:
            assert [kind for _, kind in take(pipeline, X).taken] == ["int64", "float64"]
            continue
        with pytest.raises(ValueError, match="OrdinalEncoder cannot be exported"):
            take(pipeline, X)


def test_idle_steps_are_left_out():
    estimator = fit(IN_ORDER["idle step"], NUMBERS, Y)

    assert take(estimator, NUMBERS).estimator.steps == estimator.steps[1:]
