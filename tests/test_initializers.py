import numpy as np

from sknn.initializers import GlorotUniform


def test_bounds_are_glorots():
    rng = np.random.RandomState(0)
    coef, intercept = GlorotUniform().draw(rng, 30, 20, factor=6.0)
    bound = np.sqrt(6 / 50)

    assert coef.shape == (30, 20)
    assert intercept.shape == (20,)
    assert np.abs(coef).max() <= bound
    assert np.abs(coef).max() > 0.99 * bound


def test_weights_are_drawn_before_intercepts():
    coef, intercept = GlorotUniform().draw(np.random.RandomState(3), 2, 2, factor=2.0)
    rng, bound = np.random.RandomState(3), np.sqrt(2 / 4)

    np.testing.assert_array_equal(coef, rng.uniform(-bound, bound, (2, 2)))
    np.testing.assert_array_equal(intercept, rng.uniform(-bound, bound, 2))
