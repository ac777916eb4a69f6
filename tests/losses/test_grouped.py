"""Losses of several targets against the losses that they consist of."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sknn.losses import BinaryFocal, BinaryLogLoss, Focal, Grouped, LabelWeighted, LogLoss
from tests.cases import name_of
from tests.losses.evaluating import Case, evaluate


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


def test_grouped_begins_where_its_groups_do():
    mean = np.array([0.25, 0.75, 0.2, 0.3, 0.5])
    for inner in (LogLoss(), Focal()):
        loss = Grouped(inner, (2, 3))
        assert loss.starts_at_target == inner.starts_at_target
        np.testing.assert_array_equal(
            loss.link(mean), [*inner.link(mean[:2]), *inner.link(mean[2:])]
        )


def test_label_weighted_begins_at_the_weighted_shares():
    # A label of weight 3 in a quarter of the samples counts 3 : 3.
    raw = LabelWeighted(BinaryLogLoss(), (3.0, 1.0)).link(np.array([0.25, 0.25]))

    np.testing.assert_allclose(raw, [0, np.log(1 / 3)], atol=1e-15)
    assert LabelWeighted(BinaryFocal(), (1.0,)).starts_at_target
    assert not LabelWeighted(BinaryLogLoss(), (1.0,)).starts_at_target


def test_operations_are_those_of_the_groups():
    inner = LogLoss()
    expected = inner.operations(2) + inner.operations(3)

    assert Grouped(inner, (2, 3)).operations(5) == expected
    assert Grouped(inner, (2, 3)).link_operations(5) == inner.link_operations(5)


def test_operations_of_weighted_labels_are_those_of_each_and_its_factor():
    inner = BinaryLogLoss()
    loss = LabelWeighted(inner, (0.5, 3.0, 1.0))

    # The factor 1 + y (w - 1), for the gradient and for the value.
    assert loss.operations(3) == (inner.operations(1) + 3 + 3) * 3
    assert loss.link_operations(3) == inner.link_operations(3)
