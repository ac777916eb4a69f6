"""Losses of classifiers against their formulas and each other."""

import numpy as np
import pytest
from scipy.special import expit, softmax, xlogy

from sknn.losses import BinaryFocal, BinaryLogLoss, Focal, Grouped, LabelWeighted, LogLoss
from tests.cases import name_of
from tests.losses.evaluating import Case, dtypes, evaluate


def test_binary_log_loss_is_the_formula():
    raw, target = Case(BinaryLogLoss()).make()
    p, y = expit(raw), target == 1
    values, gradient = evaluate(BinaryLogLoss(), raw, target)

    expected = -(xlogy(y, p) + xlogy(~y, 1 - p)).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, p - y, rtol=1e-12)


def test_log_loss_is_the_formula():
    raw, target = Case(LogLoss()).make()
    p = softmax(raw, axis=0)
    values, gradient = evaluate(LogLoss(), raw, target)

    np.testing.assert_allclose(values, -np.log(p[target.argmax(axis=0), range(8)]), rtol=1e-12)
    np.testing.assert_allclose(gradient, p - target, rtol=1e-12, atol=1e-15)


def test_soft_log_loss_is_the_cross_entropy():
    case = Case(LogLoss(is_soft=True), True)
    raw, target = case.make()
    p = softmax(raw, axis=0)
    values, gradient = evaluate(case.loss, raw, target)

    np.testing.assert_allclose(values, -(target * np.log(p)).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(gradient, p - target, rtol=1e-12, atol=1e-15)


def test_soft_binary_log_loss_is_the_cross_entropy():
    case = Case(BinaryLogLoss(is_soft=True), True)
    raw, target = case.make()
    p = expit(raw)
    values, gradient = evaluate(case.loss, raw, target)

    expected = -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, p - target, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", [BinaryLogLoss, LogLoss], ids=lambda kind: kind.__name__)
@dtypes
def test_on_hard_targets_the_soft_form_is_the_hard_one(kind, dtype):
    raw, target = Case(kind()).make()
    soft = evaluate(kind(is_soft=True), 20 * raw, target, dtype)
    hard = evaluate(kind(), 20 * raw, target, dtype)

    np.testing.assert_allclose(soft[0], hard[0], rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(soft[1], hard[1])


@pytest.mark.parametrize("loss", [BinaryLogLoss(), LogLoss()], ids=name_of)
@dtypes
def test_reported_log_losses_clip_probabilities_as_scikit_learn_does(loss, dtype):
    raw = np.array([[-900.0, 900.0], [900.0, -900.0]])
    y = np.array([[True, False], [True, False]])
    values, _ = evaluate(loss, raw, y.T, dtype)
    eps = np.finfo(dtype).eps

    n_outputs = 2 if isinstance(loss, BinaryLogLoss) else 1
    np.testing.assert_allclose(values, [-np.log(eps) * n_outputs, 0], rtol=1e-3, atol=3 * eps)


@pytest.mark.parametrize("is_soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_focal_loss_is_the_formula(is_soft, gamma):
    raw, target = Case(Focal(), is_soft).make()
    p = softmax(raw, axis=0)
    values, gradient = evaluate(Focal(gamma), raw, target)

    expected = -(target * (1 - p) ** gamma * np.log(p)).sum(axis=0)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    a = target * (gamma * p * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma)
    np.testing.assert_allclose(gradient, a - p * a.sum(axis=0), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("is_soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_binary_focal_loss_is_the_formula(is_soft, gamma):
    raw, target = Case(BinaryFocal(), is_soft).make()
    p, q = expit(raw), expit(-raw)
    values, gradient = evaluate(BinaryFocal(gamma), raw, target)

    expected = -(target * q**gamma * np.log(p) + (1 - target) * p**gamma * np.log(q))
    np.testing.assert_allclose(values, expected.sum(axis=0), rtol=1e-12)
    yes = q**gamma * (gamma * p * np.log(p) - q)
    no = p**gamma * (gamma * q * np.log(q) - p)
    np.testing.assert_allclose(gradient, target * yes - (1 - target) * no, rtol=1e-12, atol=1e-15)


def test_focal_loss_worked_out_by_hand():
    # p = 3/4 for the class that is true: (1/4)^2 log(4/3)
    values, _ = evaluate(Focal(), np.array([[np.log(3.0)], [0.0]]), np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(values, np.log(4 / 3) / 16, rtol=1e-14)


@pytest.mark.parametrize("is_soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("pair", [(Focal, LogLoss), (BinaryFocal, BinaryLogLoss)], ids=repr)
def test_focal_losses_without_focus_are_log_losses(pair, is_soft):
    focal, log_loss = pair[0](gamma=0.0), pair[1](is_soft)
    raw, target = Case(log_loss, is_soft).make()

    got, expected = evaluate(focal, raw, target), evaluate(log_loss, raw, target)

    np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("kind", [Focal, BinaryFocal], ids=lambda kind: kind.__name__)
@dtypes
def test_focal_losses_of_certain_predictions(kind, gamma, dtype):
    raw = np.array([[600.0, -600.0], [-600.0, 600.0]])
    target = np.array([[1.0, 1.0], [0.0, 0.0]])
    values, gradient = evaluate(kind(gamma), raw, target, dtype)

    # Right is worth nothing; wrong is worth what the log loss makes of it: for Focal the
    # difference of the scores, for BinaryFocal the sum of both outputs' scores, 1200 each.
    np.testing.assert_allclose(values, [0, 1200], rtol=1e-6, atol=1e-20)
    np.testing.assert_allclose(gradient, [[0, -1], [0, 1]], rtol=1e-6, atol=1e-12)


def test_forms_that_suit_the_targets():
    assert type(LogLoss().for_targets(True, False)) is LogLoss
    assert LogLoss().for_targets(True, True).is_soft
    assert type(LogLoss().for_targets(False, False)) is BinaryLogLoss
    assert LogLoss().for_targets(False, True).is_soft
    for are_soft in (False, True):
        assert type(Focal(3.0).for_targets(True, are_soft)) is Focal
        binary = Focal(3.0).for_targets(False, are_soft)
        assert type(binary) is BinaryFocal
        assert binary.gamma == 3


@pytest.mark.parametrize("inner", [LogLoss(), LogLoss(is_soft=True), Focal()], ids=name_of)
def test_grouped_is_the_sum_of_its_groups(inner):
    loss = Grouped(inner, (2, 3, 4))
    raw, target = Case(loss).make()
    values, gradient = evaluate(loss, raw, target)
    predicted, log_predicted = raw.copy(), raw.copy()
    loss.inverse_link(predicted)
    loss.log_inverse_link(log_predicted)

    assert loss.groups() == [slice(0, 2), slice(2, 5), slice(5, 9)]
    parts = [evaluate(inner, raw[g], target[g]) for g in loss.groups()]
    np.testing.assert_allclose(values, sum(value for value, _ in parts), rtol=1e-14)
    np.testing.assert_array_equal(gradient, np.vstack([part for _, part in parts]))
    expected = np.vstack([softmax(raw[g], axis=0) for g in loss.groups()])
    np.testing.assert_allclose(predicted, expected, rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_predicted), expected, rtol=1e-14)


@pytest.mark.parametrize("is_soft", [False, True], ids=["hard", "soft"])
@pytest.mark.parametrize("kind", [BinaryLogLoss, BinaryFocal], ids=lambda kind: kind.__name__)
def test_label_weighted_weights_the_true_labels(kind, is_soft):
    inner = kind(is_soft) if kind is BinaryLogLoss else kind()
    weights = (0.5, 3.0, 1.0)
    raw, target = Case(inner, is_soft).make()
    values, gradient = evaluate(LabelWeighted(inner, weights), raw, target)

    expected_values, expected_gradient = 0, []
    for k, weight in enumerate(weights):
        value, slope = evaluate(inner, raw[k : k + 1], target[k : k + 1])
        factor = target[k] * weight + (1.0 - target[k])
        expected_values = expected_values + factor * value
        expected_gradient.append(factor * slope[0])
    np.testing.assert_allclose(values, expected_values, rtol=1e-13)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-13)


def test_label_weighted_predicts_as_its_loss_does():
    loss = LabelWeighted(BinaryLogLoss(), (0.5, 3.0, 1.0))
    raw, _ = Case(loss).make()
    predicted, log_predicted = raw.copy(), raw.copy()
    loss.inverse_link(predicted)
    loss.log_inverse_link(log_predicted)

    np.testing.assert_allclose(predicted, expit(raw), rtol=1e-15)
    np.testing.assert_allclose(log_predicted, np.log(expit(raw)), rtol=1e-14)


@pytest.mark.parametrize(
    "loss",
    [BinaryLogLoss(), LogLoss(), Grouped(LogLoss(), (2,)), LabelWeighted(BinaryLogLoss(), (1, 2))],
    ids=name_of,
)
def test_log_probabilities_stay_finite_where_probabilities_underflow(loss):
    raw = np.array([[-1e4, 3.0], [1e4, 2.0]])
    log_p = raw.copy()
    loss.log_inverse_link(log_p)
    loss.inverse_link(raw)

    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(np.exp(log_p), raw, rtol=1e-14)


@pytest.mark.parametrize("gamma", [-0.5, "2", None], ids=str)
def test_focus_that_is_none_is_refused(gamma):
    for kind in (Focal, BinaryFocal):
        with pytest.raises(ValueError, match="gamma"):
            kind(gamma).check()
