"""Answers: what they say, and that their gradients are the derivatives of what they say."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from sknn.inspection.answers import (
    Around,
    Behind,
    Calibrated,
    Predictions,
    RawScores,
    Taken,
    Through,
    Transformed,
    Weighted,
    check_finite,
)
from sknn.inspection.models import model_of
from sknn.inspection.transformers import step_of
from sknn.losses import BinaryLogLoss, Gaussian, LogLoss, PoissonLoss, Quantile, SquaredError
from tests.cases import name_of
from tests.gradcheck import check_gradient
from tests.inspection.explaining import NEW, TARGETS, X, fit, make, settle


def raw_of(what, **parameters):
    """Return the raw scores of a network, as an answer."""
    return model_of(fit(what, **parameters), "raw").answer


def check(answer, points):
    """Assert that an answer's gradients are the derivatives of sums of sines of its values."""
    rng = np.random.default_rng(0)
    values = answer.values(points)
    assert values.shape == (answer.n_outputs, len(points[0]))
    assert [part.shape[1] for part in points] == [len(origins) for origins in answer.origins]
    factors = rng.standard_normal(values.shape)
    ends = np.cumsum([part.size for part in points])[:-1]

    def value_and_grad(flat):
        parts = zip(np.split(flat, ends), points, strict=True)
        parts = [own.reshape(part.shape) for own, part in parts]
        before = [part.copy() for part in parts]

        def differentiate(outputs):
            np.testing.assert_allclose(outputs, answer.values(parts), rtol=1e-12, atol=1e-14)
            outputs[...] = factors * np.cos(outputs)

        found = answer.gradients(parts, differentiate)
        for part, unchanged in zip(parts, before, strict=True):
            np.testing.assert_array_equal(part, unchanged)
        total = (factors * np.sin(answer.values(parts))).sum()
        return total, np.concatenate([gradient.ravel() for gradient in found])

    check_gradient(value_and_grad, np.concatenate([part.ravel() for part in points]), rng)


@pytest.mark.parametrize("what", ["number", "numbers", "two", "three", "labels"])
def test_raw_scores_are_those_of_the_network(what):
    net, answer = fit(what), raw_of(what)
    points = answer.encode(NEW)

    assert isinstance(answer, RawScores)
    assert answer.is_direct
    np.testing.assert_array_equal(points, [NEW])
    np.testing.assert_array_equal(answer.values(points), net._predict_raw(NEW))
    assert answer.slopes(NEW, points) == [None]
    check(answer, points)


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_matrix, lambda rows: rows.tolist()])
def test_points_are_dense_whatever_rows_are(form):
    [points] = raw_of("number").encode(form(NEW))

    assert isinstance(points, np.ndarray)
    np.testing.assert_array_equal(points, NEW)


LINKS = [
    ("number", SquaredError()),
    ("number", PoissonLoss()),
    ("two", BinaryLogLoss()),
    ("labels", BinaryLogLoss()),
    ("three", LogLoss()),
]


@pytest.mark.parametrize(("what", "loss"), LINKS, ids=name_of)
def test_predictions_follow_from_raw_scores(what, loss):
    raw = raw_of(what)
    answer = Predictions(raw, loss)

    expected = raw.values([NEW])
    loss.inverse_link(expected)
    np.testing.assert_array_equal(answer.values([NEW]), expected)
    assert (answer.n_outputs, answer.is_direct) == (raw.n_outputs, True)
    check(answer, [NEW])


@pytest.mark.parametrize("rows", [slice(0, 1), slice(1, 2), slice(None)])
@pytest.mark.parametrize("loss", [Gaussian(), Quantile([0.2, 0.7])])
def test_predictions_may_be_some_of_all(loss, rows):
    raw = raw_of("numbers")
    some, every = Predictions(raw, loss, rows), Predictions(raw, loss)

    assert some.n_outputs == len(range(2)[rows])
    np.testing.assert_array_equal(some.values([NEW]), every.values([NEW])[rows])
    check(some, [NEW])


def test_a_weighted_sum_asks_each_with_its_own_points():
    one, other = raw_of("numbers"), raw_of("numbers", activation="logistic")
    constant = np.array([[3.0], [4.0]])
    answer = Weighted([one, other], [0.25, np.array([[2.0], [-1.0]])], constant)

    points = answer.encode(NEW)
    assert len(points) == 2
    expected = 0.25 * one.values([NEW]) + np.array([[2.0], [-1.0]]) * other.values([NEW]) + constant
    np.testing.assert_allclose(answer.values(points), expected, rtol=1e-14)
    assert answer.slopes(NEW, points) == [None, None]
    check(answer, [NEW, NEW[::-1].copy()])


def test_some_columns_have_their_places_in_all():
    net = settle(make("number"), X[:, [3, 1, 3]], TARGETS["number"])
    inner = model_of(net, "raw").answer
    answer = Taken(inner, np.array([3, 1, 3]), lambda rows: rows[:, [3, 1, 3]])

    points = answer.encode(NEW)
    np.testing.assert_array_equal(points, [NEW[:, [3, 1, 3]]])
    np.testing.assert_array_equal(answer.origins, [[3, 1, 3]])
    np.testing.assert_array_equal(answer.values(points)[0], net.predict(NEW[:, [3, 1, 3]]))
    check(answer, points)


def test_through_smooth_steps_points_are_the_rows():
    pipe = settle(make_pipeline(PolynomialFeatures(2), make("two")), X, TARGETS["two"])
    answer = Through(step_of(pipe[0], "powers", 4), model_of(pipe[-1], "probability").answer)

    assert answer.is_direct
    np.testing.assert_array_equal(answer.encode(NEW), [NEW])
    np.testing.assert_allclose(answer.values([NEW])[0], pipe.predict_proba(NEW)[:, 1], rtol=1e-12)
    check(answer, [NEW])


def test_through_several_members_gradients_are_summed():
    bag = BaggingClassifier(make("three"), 3, max_features=0.5, random_state=0)
    pipe = settle(make_pipeline(StandardScaler(), bag), X, TARGETS["three"])
    answer = model_of(pipe, "probability").answer

    assert isinstance(answer, Through)
    assert [origins.tolist() for origins in answer.origins] == [[0, 1, 2, 3]]
    check(answer, [NEW])


def test_through_other_steps_points_are_what_columns_have_become():
    words = np.array([["u", "x"], ["v", "y"], ["w", "x"]] * 20)
    pipe = settle(make_pipeline(OneHotEncoder(), make("number")), words, TARGETS["number"])
    answer = model_of(pipe, "raw").answer
    points = answer.encode(words[:4])

    assert not answer.is_direct
    np.testing.assert_array_equal(points[0], pipe[0].transform(words[:4]).toarray())
    assert answer.origins[0].tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(np.isnan(answer.slopes(words[:4], points)), True)
    check(answer, points)


def test_behind_steps_the_answer_encodes_rows_itself():
    gaps = np.where(X > 1, np.nan, X)
    inner = settle(make_pipeline(SimpleImputer(), make("number")), gaps, TARGETS["number"])
    pipe = make_pipeline(StandardScaler().fit(2 * gaps), inner)
    answer = model_of(pipe, "raw").answer
    rows = np.where(NEW > 1, np.nan, NEW)
    points = answer.encode(rows)

    assert isinstance(answer, Behind)
    np.testing.assert_allclose(answer.values(points)[0], pipe.predict(rows), rtol=1e-12)
    [slopes] = answer.slopes(rows, points)
    expected = np.where(np.isnan(rows), np.nan, 1 / pipe[0].scale_)
    np.testing.assert_allclose(slopes, expected, rtol=1e-12)
    check(answer, points)


def test_predictions_in_another_unit_are_what_the_inverse_makes_of_them():
    raw = raw_of("numbers")
    answer = Transformed(raw, lambda rows: np.sinh(rows) * [1.0, 30.0])

    expected = np.sinh(raw.values([NEW])) * np.array([[1.0], [30.0]])
    np.testing.assert_allclose(answer.values([NEW]), expected, rtol=1e-14)
    check(answer, [NEW])


@pytest.mark.parametrize("what", ["two", "three"])
def test_calibrated_probabilities_are_shares_of_sigmoids(what):
    inner = Predictions(raw_of(what), BinaryLogLoss() if what == "two" else LogLoss())
    lines = [(-3.0, 1.0), (-2.0, 0.5), (-6.0, 2.0)][: inner.n_outputs]
    answer = Calibrated(inner, lines)

    p = inner.values([NEW])
    each = np.array([expit(-(a * row + b)) for (a, b), row in zip(lines, p, strict=True)])
    expected = each if what == "two" else each / each.sum(axis=0)
    np.testing.assert_allclose(answer.values([NEW]), expected, rtol=1e-12)
    check(answer, [NEW])


AROUND = {
    "transformed votes": (
        TransformedTargetRegressor(
            VotingRegressor([("a", make("number")), ("b", make("number", alpha=1))]),
            transformer=StandardScaler(),
        ),
        "number",
        "prediction",
    ),
    "calibrated": (CalibratedClassifierCV(make("three"), cv=2), "three", "probability"),
}


@pytest.mark.parametrize(("estimator", "what", "output"), AROUND.values(), ids=AROUND)
def test_answers_may_be_put_together(estimator, what, output):
    answer = model_of(settle(estimator, X, TARGETS[what]), output).answer

    assert answer.is_direct
    check(answer, answer.encode(NEW))


def test_an_answer_that_is_mapped_has_the_points_of_the_other():
    class Squares(Around):
        def map(self, values):
            return values**2

        def pull_back(self, values, slope):
            return 2 * values * slope

    inner = raw_of("numbers")
    answer = Squares(inner)

    assert answer.origins is inner.origins
    assert (answer.n_outputs, answer.is_direct) == (2, True)
    check(answer, answer.encode(NEW))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_have_to_be_finite(bad):
    assert check_finite(NEW) is NEW
    points = NEW.copy()
    points[3, 2] = bad
    with pytest.raises(ValueError, match=r"Input X contains NaN or infinity\."):
        check_finite(points)
