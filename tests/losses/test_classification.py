"""Cross-entropies against their formulas and each other."""

import numpy as np
import pytest
from scipy.special import expit, softmax, xlogy

from sknn.losses import BinaryLogLoss, LogLoss
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


def test_forms_that_suit_the_targets():
    assert type(LogLoss().for_targets(True, False)) is LogLoss
    assert LogLoss().for_targets(True, True).is_soft
    assert type(LogLoss().for_targets(False, False)) is BinaryLogLoss
    assert type(LogLoss().for_targets(False, True)) is BinaryLogLoss
    assert LogLoss().for_targets(False, True).is_soft
    assert not LogLoss().for_targets(True, False).is_soft
    assert not LogLoss().for_targets(False, False).is_soft


def test_operations_worked_out_by_hand():
    # Softmax over 3 scores: the largest, differences, exponentials, their sum, divisions.
    softmax = (1 + 1 + 8 + 1 + 4) * 3
    # p - y with a weight; y p and its sum; two limits, the logarithm and the sign of one number.
    assert LogLoss().operations(3) == softmax + 2 * 3 + 2 * 3 + (2 + 8 + 1)
    # Or two limits, the logarithm, times y, and the sum.
    assert LogLoss(is_soft=True).operations(3) == softmax + 2 * 3 + (2 + 8 + 1 + 1) * 3 + 1
    assert LogLoss().link_operations(3) == softmax
    # 1 / (1 + exp(-z)); p - y with a weight; two limits, |1 - y - p|, the logarithm, the sum.
    logistic = 1 + 8 + 1 + 4
    assert BinaryLogLoss().operations(3) == (logistic + 2 + 2 + 3 + 8 + 1) * 3 + 1
    assert BinaryLogLoss().link_operations(3) == logistic * 3
