"""What the first layer makes of sparse rows is what it makes of the same rows as an array."""

import numpy as np
import pytest
import scipy.sparse as sp

from sknn._random import make_words
from sknn.layers import Linear, Share, Site, SparseBatch
from sknn.layers.sparse import add_sparse_gradient, sparse_product

# The third row is empty, and so is the second column.
DENSE = np.array([[1.0, 0, 2, 0], [0, 0, 0, 3], [0, 0, 0, 0], [4, 0, 5, 6], [0, 0, 7, 0]])
X = sp.csr_matrix(DENSE)


def gather(indices):
    batch = SparseBatch((len(indices), DENSE.shape[1]))
    batch.gather(X, np.array(indices))
    return batch


@pytest.mark.parametrize("indices", [[0, 3], [4, 2, 0], [3, 3], [2]], ids=str)
def test_a_batch_has_the_rows_that_are_gathered(indices):
    batch, coef = gather(indices), np.random.default_rng(0).standard_normal((4, 3))
    out = np.full((len(indices), 3), np.nan)
    sparse_product(batch, coef, out)

    np.testing.assert_array_equal(batch.matrix.toarray(), DENSE[indices])
    np.testing.assert_allclose(out, DENSE[indices] @ coef, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(
    ("indices", "expected"), [([0, 3], [0, 2, 3]), ([4], [2]), ([1, 4], [2, 3]), ([2], [])]
)
def test_columns_that_hold_an_entry_are_found(indices, expected):
    columns, compact = gather(indices).present_columns()

    np.testing.assert_array_equal(columns, expected)
    assert compact.shape == (len(indices), len(expected))
    np.testing.assert_array_equal(compact.toarray(), DENSE[indices][:, expected])


def test_a_batch_forgets_the_columns_of_the_one_before():
    batch = gather([0, 3])
    batch.present_columns()
    batch.gather(X, np.array([1, 4]))
    columns, compact = batch.present_columns()

    np.testing.assert_array_equal(columns, [2, 3])
    np.testing.assert_array_equal(compact.toarray(), [[0, 3], [7, 0]])


def test_gradients_are_added_where_there_are_entries():
    batch, grad = gather([0, 1]), np.array([[1.0, -1.0], [2.0, 0.5]])
    total = np.full((4, 2), 10.0)
    total[1] = np.nan  # nobody touches the row of a column without an entry
    add_sparse_gradient(batch, grad, total)

    np.testing.assert_array_equal(total, [[11, 9], [np.nan] * 2, [12, 8], [16, 11.5]])


@pytest.mark.parametrize(
    "layer", [Linear(3), Linear(3, output_major=True), Linear(2, has_intercept=False)], ids=repr
)
def test_a_layer_of_sparse_rows_is_that_of_dense_ones(layer):
    rng, indices = np.random.default_rng(0), [3, 0, 4]
    parameters = {n: rng.standard_normal(p.shape) for n, p in layer.parameters(4).items()}
    share, results = Share.alone(make_words(0, 3, 0)), []
    for x in (gather(indices), DENSE[indices]):
        gradients = {name: np.zeros_like(array) for name, array in parameters.items()}
        bound = layer.bind(Site(x, parameters, gradients, share, wants_input_gradient=False))
        backward, gradient = bound.backward(np.indices(bound.out.shape).sum(axis=0) + 1.0)
        for call in [*bound.forward, *backward]:
            call()
        assert gradient is None
        results.append((bound.out, gradients, bound.n_accumulated))
    (out, gradients, n_accumulated), (dense_out, dense_gradients, n_dense) = results

    np.testing.assert_allclose(out, dense_out, rtol=1e-13)
    for name, array in dense_gradients.items():
        np.testing.assert_allclose(gradients[name], array, rtol=1e-13)
    # The solver has to set to 0 what is added to.
    assert (n_accumulated, n_dense) == (parameters["coef"].size, 0)
