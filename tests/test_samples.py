import numpy as np
import pytest
import scipy.sparse as sp

from sknn.layers import SparseBatch
from sknn.samples import FEW, Dense, Joined, OnDisk, Samples, Sparse, as_samples

X = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
X[X < 0] = 0


def on_disk(tmp_path, matrix, order="C"):
    written = np.memmap(tmp_path / "X", matrix.dtype, "w+", shape=matrix.shape, order=order)
    written[:] = matrix
    written.flush()
    return np.memmap(tmp_path / "X", matrix.dtype, "r", shape=matrix.shape, order=order)


@pytest.fixture(params=["dense", "fortran", "joined", "sparse", "disk", "disk in fortran order"])
def samples(request, tmp_path):
    make = {
        "dense": lambda: X,
        "fortran": lambda: np.asfortranarray(X),
        "joined": lambda: Joined(X[:, :3].copy(), X[:, 3:].copy()),
        "sparse": lambda: sp.csr_matrix(X),
        "disk": lambda: on_disk(tmp_path, X),
        "disk in fortran order": lambda: on_disk(tmp_path, X, "F"),
    }
    return as_samples(make[request.param]())


def dense(rows):
    return rows.toarray() if sp.issparse(rows) else np.asarray(rows)


def test_each_kind_of_matrix_has_its_samples(tmp_path):
    kinds = [as_samples(m) for m in (X, sp.csr_matrix(X), on_disk(tmp_path, X))]

    assert [type(samples) for samples in kinds] == [Dense, Sparse, OnDisk]
    assert [samples.is_dense for samples in kinds] == [True, False, True]
    assert [samples.is_in_memory for samples in kinds] == [True, True, False]
    assert as_samples(kinds[0]) is kinds[0]


def test_rows_are_had_by_slices_and_numbers(samples):
    assert samples.shape == (9, 4)
    assert len(samples) == 9
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(dense(samples[2:5]), X[2:5])
    np.testing.assert_array_equal(dense(samples[np.array([7, 0])]), X[[7, 0]])
    np.testing.assert_array_equal(dense(samples[:]), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_some_rows_are_samples_of_another_dtype(samples, dtype):
    few = samples.take(np.array([5, 1, 5]), dtype)

    assert isinstance(few, Samples)
    assert few.dtype == dtype
    assert len(few) == 3
    np.testing.assert_array_equal(dense(few[:]), X[[5, 1, 5]])
    again = samples.astype(dtype)
    assert dense(again[:]).dtype == again.dtype == dtype
    np.testing.assert_array_equal(dense(again.take(np.array([8]), dtype)[:]), X[[8]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_follow_the_numbers_of_their_rows(samples, dtype):
    samples, rows = samples.astype(dtype).in_order(), np.array([3, 3, 8])
    buffer = samples.make_buffer((), 3, dtype)
    gather = samples.gather(rows, buffer)
    for numbers in ([3, 3, 8], [0, 4, 1]):
        rows[:] = numbers
        gather()
        batch = buffer.matrix if isinstance(buffer, SparseBatch) else buffer
        np.testing.assert_array_equal(dense(batch), X[numbers])


def test_a_stack_has_a_buffer_for_each_model():
    assert as_samples(X).make_buffer((5,), 3, np.float64).shape == (5, 3, 4)


def test_rows_are_lent_without_a_copy():
    assert np.shares_memory(as_samples(X).lend(slice(2, 5)), X)
    sparse = sp.csr_matrix(X)
    assert as_samples(sparse).lend(slice(0, 9)).matrix is sparse
    np.testing.assert_array_equal(dense(as_samples(sparse).lend(slice(2, 5)).matrix), X[2:5])


def test_a_look_at_rows_is_in_float64(samples):
    rows = samples.to_dense(np.array([1, 4]))

    assert type(rows) is np.ndarray
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, X[[1, 4]])


def test_many_rows_on_disk_stay_there(tmp_path):
    matrix = np.arange(3.0 * (FEW + 10)).reshape(-1, 3)
    samples = as_samples(on_disk(tmp_path, matrix))
    many = samples.take(np.arange(FEW + 5)[::-1], np.float32)

    assert not many.is_in_memory
    assert samples.take(np.arange(FEW), np.float32).is_in_memory
    assert many.dtype == np.float32
    np.testing.assert_array_equal(many[:2], matrix[[FEW + 4, FEW + 3]])
    fewer = many.take(np.array([0, 1]), np.float64)
    np.testing.assert_array_equal(fewer[:], matrix[[FEW + 4, FEW + 3]])
    buffer = np.empty((2, 3), np.float32)
    many.gather(np.array([1, 0]), buffer)()
    np.testing.assert_array_equal(buffer, matrix[[FEW + 3, FEW + 4]])


def test_equal_arrays_are_equal_samples_and_the_same_matrix_is():
    sparse = sp.csr_matrix(X)

    assert as_samples(X).equals(as_samples(X.copy()))
    assert not as_samples(X).equals(as_samples(X + 1))
    assert as_samples(sparse).equals(as_samples(sparse))
    assert not as_samples(sparse).equals(as_samples(sparse.copy()))  # would take too long to say


def test_joined_samples_are_the_same_if_they_share_columns_and_have_the_same_of_their_own():
    shared, own = X[:, :3].copy(), X[:, 3:].copy()
    samples = Joined(shared, own)

    assert samples.equals(samples)
    assert samples.equals(Joined(shared, own.copy()))
    assert not samples.equals(Joined(shared, own + 1))
    assert not samples.equals(Joined(shared.copy(), own))
    assert not samples.equals(Dense(X))


@pytest.mark.parametrize("make", [np.asarray, sp.csr_matrix, lambda X: Joined(X[:, :3], X[:, 3:])])
def test_what_is_too_large_for_the_networks_dtype_is_named(make):
    large = X.astype(np.float64)
    large[2, 3] = -1e300
    samples = as_samples(make(large))

    with pytest.raises(ValueError, match=r"values up to 1e\+300, too large for float32"):
        samples.astype(np.float32)
    with pytest.raises(ValueError, match="too large for float32"):
        samples.take(np.array([2]), np.float32)
    assert samples.astype(np.float64).dtype == np.float64
