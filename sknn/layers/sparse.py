"""Sparse input: what the first layer does differently when X is a CSR matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from sknn._math import Array


class SparseBatch:
    """The place of the input buffer when X is sparse: it holds the rows of the batch.

    Parameters
    ----------
    shape : tuple of int
        (n_samples, n_features) of the batch.

    Attributes
    ----------
    matrix : CSR matrix
        The current rows.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.matrix: Any = None
        self._position = np.empty(shape[1], np.intp)
        self._is_present = np.zeros(shape[1], bool)

    def gather(self, X: Any, indices: Array) -> None:
        """Take rows of X as the batch.

        Parameters
        ----------
        X : CSR matrix
            All samples.
        indices : ndarray of int, or slice
            The rows of the batch.
        """
        self.matrix = X[indices]

    def present_columns(self) -> tuple[Array, Any]:
        """Return the columns that hold an entry, and the batch restricted to them.

        Returns
        -------
        columns : ndarray of int
            The columns, ascending.
        batch : CSR matrix
            The batch with only these.
        """
        indices = self.matrix.indices
        self._is_present[indices] = True
        columns = np.flatnonzero(self._is_present)
        self._is_present[columns] = False
        self._position[columns] = np.arange(columns.size)
        csr = (self.matrix.data, self._position[indices], self.matrix.indptr)
        return columns, sp.csr_matrix(csr, shape=(self.shape[0], columns.size))


def sparse_product(batch: SparseBatch, coef: Array, out: Array) -> None:
    """Write ``batch @ coef`` to `out`."""
    out[...] = batch.matrix @ coef


def add_sparse_gradient(batch: SparseBatch, grad: Array, grad_coef: Array) -> None:
    """Add ``batch.T @ grad`` to `grad_coef`, touching only the columns that are present."""
    columns, compact = batch.present_columns()
    grad_coef[columns] += compact.T @ grad
