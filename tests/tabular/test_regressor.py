import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import TimeSeriesSplit

from sknn.tabular import TabularMLPRegressor
from tests.tabular.fits import NEW, SCORES, TARGETS, X, fit, make

Y = TARGETS["number"]


def scaled(factor, offset=0.0, what="number", **parameters):
    return make(what, **parameters).fit(X, factor * TARGETS[what] + offset)


def test_one_target_is_answered_as_it_came():
    model = fit("number")

    assert model.predict(NEW).shape == (40,)
    assert model.oof_prediction_.shape == (90,)
    assert model.predict_interval(NEW).shape == (40, 2)
    assert [part.shape for part in model.predict(NEW, return_std=True)] == [(40,), (40,)]
    assert model.predict(NEW).dtype == np.float64


def test_several_targets_are_columns():
    model = fit("numbers")

    assert model.predict(NEW).shape == (40, 3)
    assert model.oof_prediction_.shape == (90, 3)
    assert model.predict_interval(NEW).shape == (40, 3, 2)
    assert [part.shape for part in model.predict(NEW, return_std=True)] == [(40, 3), (40, 3)]


def test_several_targets_are_learnt():
    model = make("numbers", max_iter=30).fit(X, SCORES)

    for output in range(3):
        assert r2_score(SCORES[:, output], model.oof_prediction_[:, output]) > 0.4


@pytest.mark.parametrize("what", ["number", "numbers"])
def test_scores_are_those_of_scikit_learn(what):
    model, y = fit(what), TARGETS[what]
    weight = np.linspace(0.1, 1, 90)

    assert model.oof_score_ == pytest.approx(r2_score(y, model.oof_prediction_))
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))
    weighted = make(what).fit(X, y, sample_weight=weight)
    assert weighted.oof_score_ == pytest.approx(
        r2_score(y, weighted.oof_prediction_, sample_weight=weight)
    )


def test_the_score_leaves_out_what_no_fold_has_held_out():
    model = make("number", cv=TimeSeriesSplit(3)).fit(X, Y)
    known = ~np.isnan(model.oof_prediction_)

    assert model.oof_score_ == pytest.approx(r2_score(Y[known], model.oof_prediction_[known]))
    assert np.isfinite(model.predict_interval(NEW)).all()
    assert np.isfinite(model.predict(NEW, return_std=True)[1]).all()


def test_an_ensemble_learns_what_a_line_cannot():
    X, y = make_friedman1(400, random_state=0)
    model = make("number", cv=3, max_iter=30, hidden_layer_sizes=(32,)).fit(X[:200], y[:200])
    score = model.score(X[200:], y[200:])

    assert score > LinearRegression().fit(X[:200], y[:200]).score(X[200:], y[200:])
    assert score > model.oof_score_ - 0.1


@pytest.mark.parametrize("what", ["number", "numbers"])
@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_answers_have_the_unit_of_the_target(what, factor):
    plain, model = fit(what), scaled(factor, what=what)
    atol = 1e-4 * factor * np.ptp(TARGETS[what])

    for one, other in (
        (model.predict(NEW), plain.predict(NEW)),
        (model.predict(NEW, return_std=True)[1], plain.predict(NEW, return_std=True)[1]),
        (model.predict_interval(NEW), plain.predict_interval(NEW)),
        (model.oof_prediction_, plain.oof_prediction_),
    ):
        np.testing.assert_allclose(one, factor * other, rtol=1e-3, atol=atol)
    assert model.oof_score_ == pytest.approx(plain.oof_score_, abs=1e-3)


@pytest.mark.parametrize("offset", [1e3, -1e6, 1e9])
def test_where_zero_is_changes_nothing(offset):
    plain, model = fit("number"), scaled(1.0, offset)

    atol = 1e-2
    np.testing.assert_allclose(model.predict(NEW) - offset, plain.predict(NEW), atol=atol)
    np.testing.assert_allclose(model.oof_prediction_ - offset, plain.oof_prediction_, atol=atol)
    np.testing.assert_allclose(
        model.predict_interval(NEW) - offset, plain.predict_interval(NEW), atol=atol
    )
    assert model.oof_score_ == pytest.approx(plain.oof_score_, abs=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3, 7e8, 1e-12])
@pytest.mark.parametrize("what", ["number", "numbers"])
def test_a_constant_is_learnt(what, value):
    y = np.full_like(TARGETS[what], value)
    model = make(what).fit(X, y)
    predicted, deviation = model.predict(NEW, return_std=True)

    np.testing.assert_allclose(predicted, value, rtol=1e-12)
    np.testing.assert_allclose(model.oof_prediction_, value, rtol=1e-12)
    np.testing.assert_allclose(deviation, 0, atol=1e-7 * abs(value))
    np.testing.assert_allclose(model.predict_interval(NEW), value, rtol=1e-12)


def test_one_constant_among_several_targets_is_learnt():
    y = np.column_stack([Y, np.full(90, 3.0)])
    model = make("numbers").fit(X, y)

    np.testing.assert_allclose(model.predict(NEW)[:, 1], 3, rtol=1e-6)
    assert model.predict(NEW)[:, 0].std() > 0
    assert np.isfinite(model.predict(NEW, return_std=True)[1]).all()


def test_answers_stay_within_what_was_seen():
    far = 1e6 * np.eye(3)
    for table in (far, -far):
        predicted = fit("number").predict(table)
        assert np.all((predicted >= Y.min()) & (predicted <= Y.max()))


@pytest.mark.parametrize(
    "y",
    [
        (10 * Y).astype(int),
        Y.astype(np.float32),
        Y > 5,
        Y.tolist(),
        pd.Series(Y, index=range(5, 95)),
        Y.astype(object),
    ],
    ids=["ints", "singles", "bools", "list", "series", "objects"],
)
def test_numbers_may_come_in_any_form(y):
    model = make("number").fit(X, y)
    expected = make("number").fit(X, np.asarray(y, np.float64))

    np.testing.assert_array_equal(model.predict(NEW), expected.predict(NEW))


def test_targets_may_be_a_frame():
    model = make("numbers").fit(X, pd.DataFrame(SCORES, columns=list("abc")))

    np.testing.assert_array_equal(model.predict(NEW), fit("numbers").predict(NEW))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_targets_that_are_no_numbers_are_refused(bad):
    y = Y.copy()
    y[5] = bad
    with pytest.raises(ValueError, match=r"y contains (NaN|infinity)"):
        make("number").fit(X, y)
    with pytest.raises(ValueError, match=r"numeric"):
        make("number").fit(X, np.where(Y > 5, "high", "low"))


def test_the_targets_of_rows_without_weight_have_no_effect():
    """Whatever they are; only what the columns look like is seen."""
    weight = np.where(np.arange(90) % 3 == 0, 0.0, 1.0)
    wild = np.where(weight == 0, 100 * np.abs(Y).max() * np.sign(SCORES[:, 1]), Y)
    one, other = (make("number").fit(X, y, sample_weight=weight) for y in (Y, wild))

    np.testing.assert_allclose(one.predict(NEW), other.predict(NEW), atol=1e-3)
    np.testing.assert_allclose(one.oof_prediction_, other.oof_prediction_, atol=1e-3)
    assert one.oof_score_ == pytest.approx(other.oof_score_)


def test_intervals_are_not_of_rows_without_weight():
    weight = np.where(np.arange(90) % 3 == 0, 0.0, 1.0)
    wild = np.where(weight == 0, 100 * np.abs(Y).max(), Y)
    one, other = (make("number").fit(X, y, sample_weight=weight) for y in (Y, wild))

    np.testing.assert_allclose(one.predict_interval(NEW), other.predict_interval(NEW), rtol=1e-4)
    deviation, expected = (m.predict(NEW, return_std=True)[1] for m in (other, one))
    np.testing.assert_allclose(deviation, expected, rtol=1e-4)


def test_rows_of_more_weight_are_learnt_better():
    """Two populations of opposite targets: the heavier one is predicted."""
    y = np.where(np.arange(90) % 2 == 0, 1.0, -1.0) * X[:, 0]
    for heavy, sign in ((0, 1), (1, -1)):
        weight = np.where(np.arange(90) % 2 == heavy, 1.0, 0.01)
        model = make("number", max_iter=20).fit(X, y, sample_weight=weight)
        assert np.corrcoef(model.predict(NEW), sign * NEW[:, 0])[0, 1] > 0.7


def test_an_estimator_is_a_regressor_to_tools():
    tags = TabularMLPRegressor().__sklearn_tags__()

    assert tags.estimator_type == "regressor"
    assert tags.target_tags.multi_output
    assert tags.input_tags.allow_nan
    assert tags.input_tags.categorical
    assert tags.input_tags.sparse
    assert tags.input_tags.string
