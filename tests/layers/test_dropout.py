import itertools

import numpy as np
import pytest

from sknn._component import stack
from sknn._random import make_words, next_words
from sknn.activations import ReLU
from sknn.architecture import build_layers
from sknn.layers import Dropout, Share, Site
from sknn.network import Network
from sknn.operations import Cost

RATES = [0.1, 0.25, 0.5, 0.9]
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def bind(layer, x, words):
    """Return the calls of a forward and of a backward pass, and the gradient's buffer."""
    bound = layer.bind(Site(x, {}, {}, Share.alone(words)))
    grad = np.ones_like(x)
    backward, out = bound.backward(grad)
    assert bound.out is x
    assert out is grad
    return bound.forward, backward, grad


def call_all(calls):
    for call in calls:
        call()


def run(rate, shape, seed=0, dtype=np.float64):
    """Return what becomes of an array of ones, and its gradient."""
    layer = Dropout(rate)
    x = np.ones(shape, dtype)
    words = make_words(seed, shape[0], layer.n_noise(shape[1]))
    forward, backward, grad = bind(layer, x, words)
    call_all([*next_words(words), *forward, *backward])
    return x, grad


@dtypes
@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_kept_and_the_rest_is_scaled(rate, dtype):
    x, _ = run(rate, (500, 101), dtype=dtype)
    n_dropped, n = np.count_nonzero(x == 0), x.size
    exact = round(rate * 2**16) / 2**16

    assert x.dtype == dtype
    assert abs(n_dropped - rate * n) < 4 * np.sqrt(n * rate * (1 - rate))
    np.testing.assert_array_equal(x[x != 0], dtype(1 / (1 - exact)))


@pytest.mark.parametrize("rate", RATES)
def test_each_unit_and_each_row_is_dropped_at_the_rate(rate):
    x, _ = run(rate, (2000, 400))
    dropped = x == 0

    for axis, n in ((0, 2000), (1, 400)):
        error = np.abs(dropped.mean(axis=axis) - rate) / np.sqrt(rate * (1 - rate) / n)
        assert error.max() < 5
        assert error.std() < 1  # that of the absolute value of a normal number is 0.6
        assert error.max() > 1  # and they are not dropped by turns


def test_units_rows_and_steps_are_dropped_independently():
    layer, x, steps = Dropout(0.5), np.empty((300, 40)), []
    words = make_words(1, 300, layer.n_noise(40))
    forward, _, _ = bind(layer, x, words)
    for _ in range(4):
        x.fill(1)
        call_all([*next_words(words), *forward])
        steps.append(np.where(x == 0, -1.0, 1.0))

    # The correlation of n pairs has the standard deviation 1 / sqrt(n).
    bound = 5 / np.sqrt(x.size)
    for one, other in itertools.pairwise(steps):
        assert abs((one * other).mean()) < bound
    for lag in (1, 2, 3, 4, 8):
        assert abs((steps[0][:, lag:] * steps[0][:, :-lag]).mean()) < 1.2 * bound
        assert abs((steps[0][lag:] * steps[0][:-lag]).mean()) < 1.2 * bound


def test_the_same_words_drop_the_same_and_others_others():
    one, again, other = (run(0.5, (20, 30), seed)[0] for seed in (3, 3, 4))

    np.testing.assert_array_equal(one, again)
    assert np.count_nonzero(one != other) > 200


def test_the_gradient_passes_where_the_value_did():
    x, grad = run(0.3, (50, 30))

    np.testing.assert_array_equal(grad, x)
    assert 0 < np.count_nonzero(grad) < grad.size


@pytest.mark.parametrize("n_units", [1, 3, 4, 5, 8])
def test_four_units_share_a_word(n_units):
    x, _ = run(0.5, (4000, n_units))

    assert Dropout(0.5).n_noise(n_units) == -(-n_units // 4)
    np.testing.assert_allclose((x == 0).mean(axis=0), 0.5, atol=0.04)


@pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
def test_extreme_rates_stay_finite(rate):
    x, grad = run(rate, (100, 40), dtype=np.float32)

    # Rates have 16 bits: the one becomes 0, with the other about one unit in 65536 stays.
    np.testing.assert_array_equal(x, 1 if rate < 0.5 else 0)
    np.testing.assert_array_equal(grad, x)


def test_of_the_highest_rate_the_units_that_stay_are_finite():
    x, grad = run(1 - 1e-9, (2000, 400), dtype=np.float32)

    np.testing.assert_array_equal(np.unique(x), [0, 2**16])
    np.testing.assert_array_equal(grad, x)


def test_prediction_drops_nothing():
    x = np.random.default_rng(0).standard_normal((20, 30))
    before = x.copy()

    np.testing.assert_array_equal(Dropout(0.9).apply(x, {}), before)


@dtypes
def test_a_stack_with_rates_of_its_own_is_its_models(dtype):
    x = np.random.default_rng(0).standard_normal((len(RATES), 30, 9)).astype(dtype)
    words = np.stack([make_words(m, 30, 3) for m in range(len(RATES))])
    together, own_words = x.copy(), words.copy()
    forward, backward, grad = bind(stack([Dropout(r) for r in RATES], 2), together, own_words)
    call_all([*next_words(own_words), *forward, *backward])

    for m, rate in enumerate(RATES):
        alone, single_words = x[m].copy(), words[m].copy()
        forward, backward, single_grad = bind(Dropout(rate), alone, single_words)
        call_all([*next_words(single_words), *forward, *backward])
        np.testing.assert_array_equal(together[m], alone)
        np.testing.assert_array_equal(grad[m], single_grad)
        np.testing.assert_array_equal(own_words[m], single_words)


def test_layers_of_a_network_drop_independently():
    network = Network(build_layers([1, 1], [ReLU()] * 2, 1, dropout=[0.5, 0.5]), 1)
    theta = np.ones(network.layout.size)  # all weights and intercepts
    words = make_words(0, 4000, network.n_noise)
    bound = network.bind(np.zeros((4000, 1)), theta, np.zeros_like(theta), Share.alone(words))
    call_all(bound.forward)
    values, counts = np.unique(bound.raw, return_counts=True)

    # The first unit is 0 or 2 and the second, if it is kept, 2 (1 + the first).
    np.testing.assert_array_equal(values, [1, 3, 7])
    np.testing.assert_allclose(counts / 4000, [0.5, 0.25, 0.25], atol=0.03)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_rates_outside_their_range_are_refused(rate):
    with pytest.raises(ValueError, match="rate"):
        Dropout(rate).check()


def test_operations_are_the_factors_and_no_random_numbers():
    cost = Dropout(0.5).operations(5)

    assert cost.forward == Cost((1 + 1) * 5)  # the mask times the scale, times h
    assert cost.backward == Cost(5)
    assert cost.prediction == Cost(0)
