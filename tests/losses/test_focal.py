"""Focal losses against their formulas and the log losses."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sknn.losses import BinaryFocal, BinaryLogLoss, Focal, LogLoss
from tests.losses.evaluating import Case, dtypes, evaluate


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
    for are_soft in (False, True):
        assert type(Focal(3.0).for_targets(True, are_soft)) is Focal
        binary = Focal(3.0).for_targets(False, are_soft)
        assert type(binary) is BinaryFocal
        assert binary.gamma == 3


@pytest.mark.parametrize("gamma", [-0.5, "2", None], ids=str)
def test_focus_that_is_none_is_refused(gamma):
    for kind in (Focal, BinaryFocal):
        with pytest.raises(ValueError, match="gamma"):
            kind(gamma).check()
