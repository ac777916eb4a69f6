"""Estimators of scikit-learn around networks: their own predictions are differentiated."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MinMaxScaler,
    QuantileTransformer,
    StandardScaler,
)

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection import input_gradients, integrated_gradients
from sknn.inspection.models import Model, model_of, names_of
from tests.inspection.explaining import (
    NAMES,
    NEW,
    NEW_TABLE,
    TABLE,
    TARGETS,
    X,
    check_attributions,
    check_gradients,
    fit,
    make,
    numeric,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROW = np.array([0.5, -1.0, 2.0, 0.1])


def scaled(what, **parameters):
    """Return a Pipeline that ends in a network."""
    return make_pipeline(StandardScaler(), make(what, **parameters))


def bag(what, member=None, **parameters):
    kind = BaggingRegressor if what.startswith("number") else BaggingClassifier
    return kind(make(what) if member is None else member, 3, random_state=0, **parameters)


def vote(what, weights=None, dropped=None, **parameters):
    kind = VotingRegressor if what.startswith("number") else VotingClassifier
    members = [
        ("one", make(what)),
        ("two", scaled(what, alpha=1)),
        ("three", make(what, hidden_layer_sizes=())),
    ]
    members = [(name, "drop" if name == dropped else member) for name, member in members]
    soft = {} if what.startswith("number") else {"voting": "soft"}
    return kind(members, weights=weights, **(soft | parameters))


def vote_of_networks(what):
    """Return votes whose members all take weights, which older versions of bagging pass on."""
    members = [("one", make(what)), ("two", make(what, alpha=1))]
    return VotingClassifier(members, voting="soft")


def transform(member=None, **parameters):
    return TransformedTargetRegressor(make("number") if member is None else member, **parameters)


def calibrate(what, member=None, **parameters):
    member = make(what) if member is None else member
    return CalibratedClassifierCV(member, **({"cv": 2} | parameters))


def power(y):
    return np.sign(y) * np.abs(y) ** 3


def raised_log(y):
    return np.log(y + 3)


def lowered_exp(z):
    return np.exp(z) - 3


AROUND = {
    "bagging": ("number", bag("number")),
    "bagging of several numbers": ("numbers", bag("numbers")),
    "bagging of classes": ("three", bag("three")),
    "bagging of two classes": ("two", bag("two", max_samples=0.7)),
    "bagging of columns": ("number", bag("number", max_features=0.5)),
    "bagging of columns with repetition": (
        "three",
        bag("three", max_features=0.9, bootstrap_features=True),
    ),
    "bagging of one column": ("two", bag("two", max_features=1)),
    "bagging of pipelines": ("three", bag("three", scaled("three"))),
    "bagging of pipelines and columns": ("number", bag("number", scaled("number"), max_features=2)),
    "bagging behind a scaler": (
        "two",
        make_pipeline(StandardScaler(), bag("two", make_pipeline(MinMaxScaler(), make("two")))),
    ),
    "bagging of columns behind a scaler": (
        "number",
        make_pipeline(StandardScaler(), bag("number", max_features=2)),
    ),
    "bagging of votes": ("three", bag("three", vote_of_networks("three"))),
    "voting": ("three", vote("three")),
    "voting of two classes": ("two", vote("two", [1, 2, 5])),
    "voting with weights": ("three", vote("three", np.array([1.0, 2.0, 5.0]))),
    "voting with a dropped member": ("three", vote("three", [1, 7, 3], "two")),
    "voting without the first member": ("number", vote("number", [1, 7, 3], "one")),
    "voting with a weight of zero": ("number", vote("number", [0, 1, 0])),
    "voting of numbers": ("number", vote("number", [1, 2, 5])),
    "voting behind a scaler": ("number", make_pipeline(MinMaxScaler(), vote("number"))),
    "voting of calibrated": (
        "three",
        VotingClassifier([("a", calibrate("three")), ("b", make("three"))], voting="soft"),
    ),
    "transformed by a scaler": ("number", transform(transformer=StandardScaler())),
    "transformed by another scale": ("numbers", transform(transformer=MinMaxScaler((-3, 3)))),
    "transformed by functions": ("number", transform(func=np.sinh, inverse_func=np.arcsinh)),
    "transformed to logarithms": (
        "number",
        transform(func=raised_log, inverse_func=lowered_exp),
    ),
    "transformed and scaled": ("number", transform(scaled("number"), transformer=StandardScaler())),
    "transformed bagging": ("number", transform(bag("number"), func=np.cbrt, inverse_func=power)),
    "transformed Poisson": (
        "number",
        transform(make("number", loss="poisson"), func=np.exp, inverse_func=np.log),
    ),
    "nothing transformed": ("number", transform()),
    "calibrated": ("three", calibrate("three")),
    "calibrated once": ("three", calibrate("three", ensemble=False)),
    "calibrated of two classes": ("two", calibrate("two", cv=3)),
    "calibrated of two classes once": ("two", calibrate("two", ensemble=False)),
    "calibrated pipelines": ("three", calibrate("three", scaled("three"))),
    "calibrated behind a scaler": ("two", make_pipeline(StandardScaler(), calibrate("two"))),
    "calibrated bagging": ("two", calibrate("two", bag("two", max_features=2))),
    "grid search": ("two", GridSearchCV(scaled("two"), {}, cv=2)),
    "random search": (
        "number",
        RandomizedSearchCV(make("number"), {"alpha": [1.0]}, n_iter=1, cv=2),
    ),
    "search within a pipeline": (
        "three",
        make_pipeline(StandardScaler(), GridSearchCV(make("three"), {}, cv=2)),
    ),
    "search of bagging": ("number", GridSearchCV(bag("number", max_features=2), {}, cv=2)),
    "pipeline within a pipeline": ("two", make_pipeline(MinMaxScaler(), scaled("two"))),
    "pipeline of nothing else": ("two", make_pipeline(make("two"))),
    "pipeline of steps that do nothing": (
        "number",
        Pipeline(
            [("a", None), ("b", "passthrough"), ("s", StandardScaler()), ("n", make("number"))]
        ),
    ),
}


@pytest.mark.parametrize(("what", "estimator"), AROUND.values(), ids=AROUND)
def test_gradients_and_attributions_are_those_of_its_own_predictions(what, estimator):
    model = clone(estimator).fit(X, TARGETS[what])
    before, rows = pickle.dumps(model), NEW.copy()
    check_gradients(model, rows, atol=1e-7)
    found = check_attributions(model, rows, ROW, at=ROW[np.newaxis])

    assert found.feature_names == ["x0", "x1", "x2", "x3"]
    expected = {"two": ["yes"], "three": ["a", "b", "c"], "number": [0], "numbers": [0, 1]}
    assert found.target_names == expected[what]
    assert pickle.dumps(model) == before
    np.testing.assert_array_equal(rows, NEW)


FRAMED = {
    "pipeline": ("two", scaled("two")),
    "pandas": ("two", scaled("two").set_output(transform="pandas")),
    "voting": ("three", vote("three")),
    "calibrated": ("two", calibrate("two", scaled("two"))),
    "transformed": ("number", transform(scaled("number"), transformer=StandardScaler())),
    "search": ("number", GridSearchCV(scaled("number"), {}, cv=2)),
    "bagging behind a scaler": ("two", make_pipeline(StandardScaler(), bag("two", max_features=2))),
}


@pytest.mark.parametrize(("what", "estimator"), FRAMED.values(), ids=FRAMED)
def test_the_columns_of_a_table_are_named(what, estimator):
    model = clone(estimator).fit(TABLE, TARGETS[what])
    check_gradients(model, NEW_TABLE, atol=1e-7)
    found = check_attributions(model, NEW_TABLE)

    assert found.feature_names == NAMES
    assert found.to_frame().index.equals(NEW_TABLE.index)


# Single things by hand.


def test_columns_that_no_member_has_seen_have_a_gradient_of_zero():
    model = bag("number", max_features=1).fit(X, TARGETS["number"])
    seen = np.unique(np.concatenate(model.estimators_features_))
    found = input_gradients(model, NEW)

    assert 0 < len(seen) < 4
    np.testing.assert_array_equal(np.flatnonzero(np.abs(found).min(axis=0)), seen)
    unseen = np.setdiff1d(np.arange(4), seen)
    np.testing.assert_array_equal(found[:, unseen], 0)
    np.testing.assert_array_equal(integrated_gradients(model, NEW).values[:, unseen], 0)


def test_bagged_linear_models_have_the_mean_of_their_weights():
    member = make("number", hidden_layer_sizes=())
    model = bag("number", member, max_features=2).fit(X, TARGETS["number"])

    weights = np.zeros(4)
    for net, columns in zip(model.estimators_, model.estimators_features_, strict=True):
        weights[columns] += net.coefs_[0][:, 0] / 3
    np.testing.assert_allclose(input_gradients(model, NEW), np.tile(weights, (7, 1)), rtol=1e-12)


@pytest.mark.parametrize("make_around", [bag, vote], ids=["bagging", "voting"])
def test_raw_scores_are_means_of_raw_scores(make_around):
    model = make_around("three").fit(X, TARGETS["three"])

    expected = np.mean([input_gradients(member, NEW) for member in model.estimators_], axis=0)
    np.testing.assert_allclose(input_gradients(model, NEW), expected, rtol=1e-10, atol=1e-14)


def test_raw_scores_behind_a_transformed_target_are_those_of_the_regressor():
    model = transform(transformer=StandardScaler()).fit(X, 100 * TARGETS["number"])
    raw, answer = (input_gradients(model, NEW, output=name) for name in ("raw", "prediction"))

    np.testing.assert_array_equal(raw, input_gradients(model.regressor_, NEW))
    np.testing.assert_allclose(answer, raw * model.transformer_.scale_, rtol=1e-8)


@pytest.mark.parametrize("make_around", [bag, vote, calibrate])
@pytest.mark.parametrize("labels", [["a", "b", "c"], [3, 5, 9]], ids=["words", "numbers"])
def test_a_class_is_chosen_by_its_label(make_around, labels):
    y = np.array(labels)[np.unique(TARGETS["three"], return_inverse=True)[1]]
    model = make_around("three").fit(X, y)

    every = input_gradients(model, NEW, output="probability")
    for k, label in enumerate(np.unique(y)):
        one = input_gradients(model, NEW, label, "probability")
        np.testing.assert_array_equal(one, every[:, :, k])
        expected = numeric(lambda rows, k=k: model.predict_proba(rows)[:, k], NEW)
        np.testing.assert_allclose(one, expected, rtol=1e-5, atol=1e-8)
    with pytest.raises(ValueError, match="target=1 is no class"):
        input_gradients(model, NEW, 1, "probability")


@pytest.mark.parametrize("make_around", [bag, vote, calibrate])
def test_of_two_classes_the_second_is_explained(make_around):
    model = make_around("two").fit(X, TARGETS["two"] == "yes")

    found = input_gradients(model, NEW, True, "probability")
    expected = numeric(lambda rows: model.predict_proba(rows)[:, 1], NEW)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_a_linear_model_around_which_there_is_much_is_exact():
    inner = make_pipeline(MinMaxScaler(), make("number", hidden_layer_sizes=()))
    model = transform(vote("number"), transformer=StandardScaler())
    model.regressor.set_params(one=inner, two="drop")
    model.fit(X, TARGETS["number"])
    found = integrated_gradients(model, NEW, ROW, output="prediction", n_steps=1)

    weights = input_gradients(model, NEW[:1], output="prediction")
    np.testing.assert_allclose(found.values, weights * (NEW - ROW), rtol=1e-8)
    np.testing.assert_allclose(found.errors, 0, atol=1e-9)


# What is refused.


@pytest.mark.parametrize(
    ("what", "estimator", "output", "message"),
    [
        ("three", vote("three", voting="hard"), "raw", "voting='hard'.*Use voting='soft'"),
        (
            "two",
            calibrate("two", method="isotonic"),
            "probability",
            r"CalibratedClassifierCV\(method='isotonic'\).*method='sigmoid'",
        ),
        ("two", calibrate("two"), "raw", "CalibratedClassifierCV has.*output='probability'"),
        ("two", calibrate("two"), "prediction", "CalibratedClassifierCV has"),
        ("two", bag("two"), "prediction", "classes have no derivative"),
        ("two", vote("two"), "prediction", "classes have no derivative"),
        ("two", scaled("two"), "prediction", "classes have no derivative"),
        ("number", bag("number"), "probability", "predicts numbers"),
        ("number", vote("number"), "probability", "predicts numbers"),
        ("number", transform(), "probability", "predicts numbers"),
        ("number", scaled("number"), "logits", "output must be one of"),
    ],
)
def test_outputs_without_a_derivative_are_refused(what, estimator, output, message):
    model = clone(estimator).fit(X, TARGETS[what])
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(model, NEW, output=output)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (KBinsDiscretizer(3, strategy="uniform"), "KBinsDiscretizer"),
        (QuantileTransformer(n_quantiles=10), "QuantileTransformer"),
    ],
)
def test_a_step_that_cannot_be_gone_through_is_named(step, name):
    model = Pipeline([("before", step), ("net", make("number"))]).fit(X, TARGETS["number"])
    message = (
        rf"step 'before' \({name}\) cannot be gone through.*replace it by one of.*StandardScaler"
    )
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match=message):
            explain(model, NEW)


@pytest.mark.parametrize(
    "estimator",
    [
        bag("number"),
        vote("number"),
        transform(),
        calibrate("two"),
        GridSearchCV(make("number"), {}),
        RandomizedSearchCV(make("number"), {}),
        scaled("number"),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_is_not_fitted_is_named(estimator):
    with pytest.raises(NotFittedError, match=type(estimator).__name__):
        input_gradients(estimator, NEW, output="probability")


@pytest.mark.parametrize(
    ("what", "estimator", "name"),
    [
        ("two", RandomForestClassifier(2), "RandomForestClassifier"),
        ("two", bag("two", RandomForestClassifier(2)), "RandomForestClassifier"),
        ("two", vote("two").set_params(two=RandomForestClassifier(2)), "RandomForestClassifier"),
        ("two", calibrate("two", RandomForestClassifier(2)), "RandomForestClassifier"),
        ("two", GridSearchCV(RandomForestClassifier(2), {}, cv=2), "RandomForestClassifier"),
        ("number", StackingRegressor([("a", make("number"))], cv=2), "StackingRegressor"),
        ("number", make_pipeline(MinMaxScaler(), StandardScaler()), "StandardScaler"),
    ],
)
def test_what_is_of_another_kind_is_named(what, estimator, name):
    model = clone(estimator).fit(X, TARGETS[what])
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(TypeError, match=f"{name} cannot be explained"):
            explain(model, NEW, output="probability" if what == "two" else "raw")


def test_members_that_know_different_classes_are_refused():
    model = bag("three", scaled("three")).fit(X, TARGETS["three"])
    codes = np.searchsorted(model.classes_, TARGETS["three"])
    known = codes < 2
    model.estimators_[1] = scaled("three").fit(X[known], codes[known])

    assert model.predict_proba(NEW).shape == (7, 3)  # scikit-learn knows what to do
    for explain in (input_gradients, integrated_gradients):
        with pytest.raises(ValueError, match="members of BaggingClassifier know different classes"):
            explain(model, NEW)


# Names and models.


def test_names_are_those_of_fit_or_numbers():
    assert names_of(fit("number"), 4) == ["x0", "x1", "x2", "x3"]
    named = make("number").fit(TABLE, TARGETS["number"])
    assert names_of(named, 4) == NAMES
    assert (
        names_of(GridSearchCV(scaled("number"), {}, cv=2).fit(TABLE, TARGETS["number"]), 4) == NAMES
    )


@pytest.mark.parametrize(
    ("what", "output", "classes", "n_outputs"),
    [
        ("two", "raw", ["yes"], 1),
        ("three", "probability", ["a", "b", "c"], 3),
        ("labels", "raw", [0, 1, 2], 3),
        ("several", "raw", [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)], 5),
        ("numbers", "prediction", None, 2),
    ],
)
def test_a_model_knows_its_outputs_and_columns(what, output, classes, n_outputs):
    model = model_of(fit(what), output)

    assert isinstance(model, Model)
    assert model.classes == classes
    assert model.answer.n_outputs == n_outputs
    assert model.names == ["x0", "x1", "x2", "x3"]
    assert [o.tolist() for o in model.answer.origins] == [[0, 1, 2, 3]]
    assert model.answer.is_direct


def test_of_a_gaussian_only_means_are_predictions_and_both_are_raw_scores():
    net = fit("numbers", loss="gaussian")

    assert model_of(net, "prediction").answer.n_outputs == 2
    assert model_of(net, "raw").answer.n_outputs == 4


def test_explaining_what_is_around_leaves_it_as_it_was():
    model = bag("three", scaled("three"), max_features=2).fit(X, TARGETS["three"])
    before = pickle.dumps(model)
    input_gradients(model, NEW, output="probability")
    integrated_gradients(model, NEW, X[:3])

    assert pickle.dumps(model) == before


def test_subclasses_are_what_they_inherit_from():
    class Mine(MLPClassifier):
        pass

    class Other(MLPRegressor):
        pass

    check_gradients(Mine((5,), "tanh", max_iter=3, random_state=0).fit(X, TARGETS["two"]), NEW)
    check_gradients(Other((5,), "tanh", max_iter=3, random_state=0).fit(X, TARGETS["number"]), NEW)
