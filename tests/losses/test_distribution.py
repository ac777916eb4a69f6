"""Losses of distributions against their formulas, scikit-learn's metrics and scipy."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss

from sknn.losses import Gaussian, Quantile
from tests.losses.evaluating import Case, dtypes, evaluate


def test_gaussian_loss_is_the_negative_log_likelihood():
    raw, target = Case(Gaussian()).make()
    values, _ = evaluate(Gaussian(), raw, target)
    mean_and_std = raw.copy()
    Gaussian().inverse_link(mean_and_std)
    mean, std = mean_and_std[:3], mean_and_std[3:]

    np.testing.assert_array_equal(mean, raw[:3])
    np.testing.assert_allclose(std, np.exp(raw[3:] / 2), rtol=1e-15)
    expected = -norm.logpdf(target, mean, std).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-13)


def test_gaussian_loss_worked_out_by_hand():
    # mean 3, variance 4, target 1
    raw = np.array([[3.0], [np.log(4.0)]])
    values, gradient = evaluate(Gaussian(), raw, np.array([[1.0]]))

    np.testing.assert_allclose(values, (np.log(2 * np.pi) + np.log(4) + 1) / 2, rtol=1e-15)
    np.testing.assert_allclose(gradient, [[0.5], [0.0]], atol=1e-15)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.999])
def test_quantile_loss_is_the_pinball_metric(level):
    raw, target = Case(Quantile()).make()
    values, gradient = evaluate(Quantile(level), raw, target)

    expected = 3 * mean_pinball_loss(target.T, raw.T, alpha=level)
    assert values.mean() == pytest.approx(expected, rel=1e-13)
    np.testing.assert_array_equal(gradient, np.where(raw > target, 1 - level, -level))


def test_a_single_level_in_a_list_is_the_single_loss():
    raw, target = Case(Quantile()).make()
    single, listed = Quantile(0.3), Quantile([0.3])

    assert listed.has_many
    assert not single.has_many
    for a, b in zip(evaluate(single, raw, target), evaluate(listed, raw, target), strict=True):
        np.testing.assert_array_equal(a, b)


def test_several_quantiles_are_a_lowest_one_and_distances():
    loss = Quantile([0.1, 0.5, 0.9])
    raw, target = Case(loss).make(n_outputs=2)
    values, gradient = evaluate(loss, raw, target)
    z = raw.reshape(3, 2, 8)
    distances = np.log1p(np.exp(z[1:]))
    quantiles = np.array([z[0], z[0] + distances[0], z[0] + distances[0] + distances[1]])

    predicted = raw.copy()
    loss.inverse_link(predicted)
    np.testing.assert_allclose(predicted.reshape(3, 2, 8), quantiles, rtol=1e-13, atol=1e-14)

    pairs = zip(loss.level, quantiles, strict=True)
    expected = sum(2 * mean_pinball_loss(target.T, q.T, alpha=level) for level, q in pairs)
    assert values.mean() == pytest.approx(expected, rel=1e-13)

    slopes = np.where(quantiles > target, 1, 0) - np.reshape(loss.level, (3, 1, 1))
    by_hand = [
        slopes.sum(axis=0),
        (slopes[1] + slopes[2]) * expit(z[1]),
        slopes[2] * expit(z[2]),
    ]
    np.testing.assert_allclose(gradient.reshape(3, 2, 8), by_hand, rtol=1e-13, atol=1e-15)


@dtypes
def test_quantiles_never_cross(dtype):
    loss = Quantile((0.05, 0.5, 0.95))
    rng = np.random.default_rng(0)
    raw = (30 * rng.standard_normal((6, 1000))).astype(dtype)
    assert (np.diff(raw.reshape(3, 2, 1000), axis=0) < 0).any()
    loss.inverse_link(raw)

    assert (np.diff(raw.reshape(3, 2, 1000), axis=0) >= 0).all()


@pytest.mark.parametrize(
    "level",
    [0, 1, -0.1, "0.5", [], [0.5, 0.5], [0.9, 0.1], [0.0, 0.5], np.array(0.5), np.eye(2)],
    ids=str,
)
def test_levels_that_are_none_are_refused(level):
    with pytest.raises(ValueError, match="level"):
        Quantile(level).check()


@pytest.mark.parametrize("level", [0.5, [0.1, 0.9], (0.1, 0.9), np.array([0.1, 0.9])], ids=str)
def test_levels_are_accepted(level):
    Quantile(level).check()


def test_gaussian_begins_at_mean_and_variance():
    y, weight = np.array([[1.0, 7.0], [5.0, 7.0]]), np.array([1.0, 3.0])

    np.testing.assert_allclose(Gaussian().start(y, None), [3, 7, np.log(4), 0], atol=1e-15)
    # The mean is 4, the variance (1 * 9 + 3 * 1) / 4; what is constant has a variance of 1.
    np.testing.assert_allclose(Gaussian().start(y, weight), [4, 7, np.log(3), 0], atol=1e-15)


def test_quantiles_begin_at_those_of_the_targets():
    y = np.arange(100.0)[:, np.newaxis]
    loss = Quantile([0.1, 0.5, 0.9])
    raw = loss.start(y, None)[:, np.newaxis]
    loss.inverse_link(raw)

    np.testing.assert_allclose(raw[:, 0], [9, 49, 89], rtol=1e-12)


def test_quantiles_of_targets_that_hardly_differ_begin_apart():
    y = np.array([[0.0]] * 98 + [[1.0]] * 2)
    loss = Quantile([0.1, 0.5, 0.9])
    raw = loss.start(y, None)[:, np.newaxis]
    assert np.isfinite(raw).all()
    loss.inverse_link(raw)

    np.testing.assert_allclose(raw[:, 0], [0, 0.002, 0.004], rtol=1e-9)


def test_kinds_of_scores_are_those_that_are_predicted():
    assert Gaussian().raw_per_target == 2
    assert Gaussian().score_levels == ()
    assert Quantile(0.3).raw_per_target == 1
    assert Quantile(0.3).score_levels == Quantile([0.3]).score_levels == ()
    assert Quantile([0.3, 0.6]).raw_per_target == 2
    assert Quantile([0.3, 0.6]).score_levels == (0.3, 0.6)


def test_operations_of_distances_between_quantiles_are_for_all_levels_but_the_first():
    alone, few, many = Quantile(0.5), Quantile([0.1, 0.5]), Quantile([0.1, 0.5, 0.9])
    softplus, logistic = 1 + 1 + 8 + 8 + 1, 1 + 8 + 1 + 4

    assert [loss.link_operations(6) for loss in (alone, few)] == [0, (softplus + 1) * 3]
    assert many.link_operations(6) == (softplus + 1) * 4
    # The errors, their signs, two limits, the weight; two slopes, the larger one, the sum.
    assert alone.operations(6) == (1 + 1 + 2 + 1 + 2 + 1 + 1) * 6
    distances = (softplus + 1) + 1 + logistic + 1
    assert many.operations(6) == alone.operations(6) + distances * 4
