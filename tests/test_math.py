import numpy as np
import pytest

from sknn._math import as_shares, even_slices, number, order_of, product, spread_rows, swap


@pytest.mark.parametrize("lead", [(), (4,)], ids=["single", "stack"])
@pytest.mark.parametrize("inner", [1, 3])
def test_products_are_written_to_the_given_array(lead, inner):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((*lead, 2, inner)), rng.standard_normal((*lead, inner, 5))
    out = np.full((*lead, 2, 5), np.nan)
    product(a)(a, b, out)

    np.testing.assert_allclose(out, a @ b, rtol=1e-14)


@pytest.mark.parametrize("shape", [(2, 3), (4, 2, 3)], ids=str)
def test_the_last_two_axes_are_swapped_in_a_view(shape):
    a = np.arange(np.prod(shape)).reshape(shape)
    swapped = swap(a)

    assert swapped.shape == (*shape[:-2], 3, 2)
    assert swapped[..., 2, 1].tolist() == a[..., 1, 2].tolist()
    assert np.shares_memory(swapped, a)


@pytest.mark.parametrize("value", [0.1, 1, np.float64(0.1), np.array([[0.1], [0.2]])], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_become_arrays_of_the_dtype(value, dtype):
    array = number(value, dtype)

    assert isinstance(array, np.ndarray)
    assert (array.dtype, array.shape) == (dtype, np.shape(value))
    np.testing.assert_array_equal(array, np.asarray(value).astype(dtype))


@pytest.mark.parametrize(("n", "n_parts"), [(10, 1), (10, 3), (9, 3), (2, 5), (0, 2), (1000, 7)])
def test_slices_cut_a_length_into_even_parts(n, n_parts):
    slices = even_slices(n, n_parts)
    sizes = [part.stop - part.start for part in slices]

    assert len(slices) == n_parts
    assert [i for part in slices for i in range(n)[part]] == list(range(n))
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(("n", "most"), [(1000, 7), (8, 7), (7, 7), (1, 1), (10, 2)])
def test_rows_come_from_all_over(n, most):
    rows = spread_rows(n, most)
    gaps = np.diff(rows).tolist()

    assert len(rows) == most
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert min(gaps, default=1) >= 1
    assert max(gaps, default=1) - min(gaps, default=1) <= 1


@pytest.mark.parametrize("n", [1, 2, 6])
def test_few_rows_are_all_taken(n):
    np.testing.assert_array_equal(spread_rows(n, 7), range(n))


def test_shares_have_the_sum_1_whatever_sizes_are():
    np.testing.assert_allclose(as_shares(np.array([1.0, 3.0])), [0.25, 0.75])
    for nothing in ([0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]):
        np.testing.assert_array_equal(as_shares(np.array(nothing)), [0.5, 0.5])


@pytest.mark.parametrize("unit", [1e300, 1.0, 1e-300])
def test_numbers_without_their_order_have_squares_and_all_bits(unit):
    values = unit * np.array([[0.3, -3.0], [0.0, 1.7]])
    orders = order_of(values, axis=0)
    bare = np.ldexp(values, -orders)

    assert (np.abs(bare).max(axis=0) >= 0.5).all()
    assert np.abs(bare).max() < 1
    np.testing.assert_array_equal(np.ldexp(bare, orders), values)
    assert order_of(values) == orders.max()


def test_nothing_has_no_order():
    assert order_of(np.zeros(3)) == 0
    assert order_of(np.empty(0)) == 0


def test_what_single_precision_cannot_hold_is_infinite_to_it():
    assert number(1e300, np.float32) == np.inf
