import numpy as np
from sklearn.utils import shuffle

from sknn.solvers.batches import Rows


def make_rows(rng, rows=None):
    return Rows(np.zeros((11, 2)), np.zeros((11, 1)), None, rows, rng)


def test_draws_are_those_of_scikit_learns_shuffle():
    rows, reference = make_rows(np.random.RandomState(4)), np.random.RandomState(4)
    expected = np.arange(11)
    for _ in range(3):
        rows.shuffle()
        expected = shuffle(expected, random_state=reference)
        np.testing.assert_array_equal(rows.order, expected)


def test_without_a_random_state_the_order_stays():
    rows = make_rows(None)
    rows.shuffle()

    np.testing.assert_array_equal(rows.order, np.arange(11))


def test_the_callers_rows_are_left_as_they_are():
    chosen = np.array([7, 2, 5])
    rows = make_rows(np.random.RandomState(0), chosen)
    rows.shuffle()

    np.testing.assert_array_equal(chosen, [7, 2, 5])
    assert set(rows.order) == {7, 2, 5}
