"""From raw scores to predictions, and back."""

import numpy as np
import pytest

from sknn.losses import BinaryLogLoss, Grouped, LabelWeighted, LogLoss, PoissonLoss, SquaredError
from sknn.losses.links import softmax
from tests.cases import name_of


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


LINKED = [BinaryLogLoss(), LogLoss(), Grouped(LogLoss(), (1, 2)), PoissonLoss(), SquaredError()]


@pytest.mark.parametrize("loss", LINKED, ids=name_of)
def test_raw_scores_of_a_mean_predict_it(loss):
    mean = np.array([1.0, 0.3, 0.7]) if isinstance(loss, Grouped) else np.array([0.2, 0.3, 0.5])
    raw = loss.link(mean)[:, np.newaxis]
    loss.inverse_link(raw)

    np.testing.assert_allclose(raw[:, 0], mean, rtol=1e-12)


def test_classes_that_never_occur_begin_as_rare_ones():
    np.testing.assert_allclose(
        BinaryLogLoss().link(np.array([0.0, 1.0])), [-np.log(9999), np.log(9999)], rtol=1e-9
    )
    np.testing.assert_allclose(LogLoss().link(np.array([0.0, 1.0])), [np.log(1e-4), 0])


def test_a_mean_of_zero_has_no_logarithm_and_begins_at_one():
    raw = PoissonLoss().link(np.array([0.0, 1.0, np.e]))

    np.testing.assert_allclose(raw, [0, 0, 1], rtol=1e-15)


def test_softmax_worked_out_by_hand():
    raw = np.log([[1.0, 2.0], [3.0, 6.0]])
    raw[:, 1] += 800  # what all scores have in common cancels
    out = np.empty_like(raw)
    softmax(raw.copy(), out)
    stacked = np.empty((2, 2, 2))
    softmax(np.stack([raw, raw[::-1]]), stacked)

    np.testing.assert_allclose(out, [[0.25, 0.25], [0.75, 0.75]], rtol=1e-12)
    np.testing.assert_array_equal(stacked, [out, out[::-1]])


@pytest.mark.parametrize("loss", [BinaryLogLoss(), LogLoss()], ids=name_of)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_probabilities_of_infinite_scores_are_finite(loss, dtype):
    raw = np.array([[np.inf, -np.inf], [-np.inf, -np.inf]], dtype)
    loss.log_inverse_link(raw)

    assert raw.dtype == dtype
    assert np.isfinite(raw).all()
    assert raw[0, 0] == 0 > raw[1, 0]


def test_likely_labels_rank_alike_by_probability_and_by_its_logarithm():
    raw = np.linspace(0.1, 45, 5000)[np.newaxis]
    log_p, p = raw.copy(), raw.copy()
    BinaryLogLoss().log_inverse_link(log_p)
    BinaryLogLoss().inverse_link(p)

    np.testing.assert_array_equal(np.diff(log_p) > 0, np.diff(p) > 0)
