r"""The objective: what is minimised, and the one seam between network and solvers.

.. math::
    J(\theta) = \frac{1}{\sum_i w_i} \Big( \sum_i w_i L(y_i, f_\theta(x_i))
    + \alpha\, \Omega(W) \Big)

The sums run over the samples of a batch; L is a sum over outputs. Dividing the penalty by the
weight of the *batch* is scikit-learn's convention.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sknn._math import Array, Call, number
from sknn.layers import SparseBatch
from sknn.losses import Loss
from sknn.network import Network
from sknn.penalties import Penalty


class Objective:
    """Network, loss and penalty, taken together.

    Parameters
    ----------
    network : Network
        Turns X into raw scores.
    loss : Loss
        Turns raw scores and targets into a value and a gradient.
    penalty : Penalty
        Acts on the weights.
    alpha : float or ndarray of shape (n_models, 1)
        The penalty's factor, at least 0.
    """

    def __init__(self, network: Network, loss: Loss, penalty: Penalty, alpha: Any) -> None:
        self.network = network
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha

    def value_and_grad(
        self, theta: Array, X: Any, y: Array, sample_weight: Array | None = None
    ) -> tuple[float, Array]:
        """Return J(theta) and its gradient, as new arrays, for one model.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : {array, CSR matrix} of shape (n_samples, n_features)
        y : ndarray of shape (n_samples, n_outputs)
            The targets, as numbers or bools.
        sample_weight : ndarray of shape (n_samples,), default=None
        """
        grad = np.empty_like(theta)
        batch = self.bind_data(theta, grad, X, y, sample_weight)
        return batch.evaluate()[0], grad

    def bind_data(
        self, theta: Array, grad: Array, X: Any, y: Array, sample_weight: Array | None
    ) -> BoundObjective:
        """Return the objective of one model on the whole of X, which is not copied."""
        x: Any = X
        if not isinstance(X, np.ndarray):
            x = SparseBatch(X.shape)
            x.matrix = X
        batch = BoundObjective(self, theta, grad, X.shape[0], 1, sample_weight is not None, x=x)
        batch.target[0] = y.T
        if sample_weight is not None:
            batch.set_weights(sample_weight[np.newaxis], 1)
        return batch


class BoundObjective:
    """The objective tied to parameters, gradient and buffers for batches of one size.

    A *slot* is one batch among those that are prepared together: targets, weights and what
    the losses are computed from are kept per slot, the layers' buffers serve all of them.

    Parameters
    ----------
    objective : Objective
    theta, grad : ndarray of shape (n_parameters,) or (n_models, n_parameters)
        The parameters and where their gradient goes.
    batch_size, n_slots : int
        Samples in a batch, and how many batches are prepared together.
    is_weighted : bool
        Whether samples have weights.
    scratch : ndarray shaped like theta, optional
        A buffer that may be shared with whatever else runs between two steps.
    x : optional
        The input; by default a buffer of its own.

    Attributes
    ----------
    x : ndarray of shape (..., batch_size, n_features)
        The input buffer.
    target : ndarray of shape (n_slots, ..., n_outputs, batch_size)
        The targets, output by output.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Array,
        grad: Array,
        batch_size: int,
        n_slots: int,
        is_weighted: bool,
        scratch: Array | None = None,
        x: Any = None,
    ) -> None:
        self.objective = objective
        network, dtype, lead = objective.network, theta.dtype, theta.shape[:-1]
        self.x = np.empty((*lead, batch_size, network.n_features), dtype) if x is None else x
        bound = network.bind(self.x, theta, grad)
        shape = (n_slots, *bound.raw.shape)
        self.target = np.empty(shape, dtype)
        self._record = np.empty(shape, dtype)
        self._scratch = np.empty(shape, dtype)
        self._is_weighted = is_weighted
        # Per model where there is a stack: () -> 0-d, (n_models,) -> a column.
        columns = (n_slots, *lead, 1) if lead else (n_slots,)
        self._factor = np.empty(columns, dtype)
        # The penalty of the parameters before and of those after the backward pass.
        self._penalty_record = np.zeros((2, *columns), dtype)
        if is_weighted:
            self._weight = np.empty((n_slots, *lead, 1, batch_size), dtype)
        else:
            share = number(1 / batch_size, dtype)
            self._weight = np.broadcast_to(share, (n_slots,))
            self._factor[...] = objective.alpha / batch_size
        first, after = self._penalty_calls(theta, grad, scratch, bound.n_accumulated)
        gradient = objective.loss.gradient
        self.steps: list[list[Call]] = []
        for slot in range(n_slots):
            arrays = self.target[slot], self._weight[slot, ...], self._record[slot]
            self.steps.append(
                [
                    *bound.forward,
                    partial(gradient, bound.raw, *arrays),
                    *first[slot],
                    *bound.backward,
                    *after[slot],
                ]
            )

    def _penalty_calls(
        self, theta: Array, grad: Array, scratch: Array | None, n_accumulated: int
    ) -> tuple[list[list[Call]], list[list[Call]]]:
        """Return for each slot the penalty's calls before and after the backward pass.

        Where the backward pass adds to the gradient, something must have been written before:
        the penalty's gradient, which saves a pass over the weights.
        """
        n_slots, end = len(self._factor), self.objective.network.layout.n_penalized
        here, there = slice(n_accumulated), slice(n_accumulated, end)
        if not np.any(self.objective.alpha):
            clear: list[Call] = [partial(grad[..., here].fill, 0)] if n_accumulated else []
            return [clear] * n_slots, [[]] * n_slots
        scratch = np.empty_like(theta) if scratch is None else scratch
        penalty = self.objective.penalty
        write = partial(penalty.write_gradient, theta[..., here], grad[..., here])
        add = partial(
            penalty.add_gradient, theta[..., there], grad[..., there], scratch[..., there]
        )
        before, after = self._penalty_record
        numbers = [(self._factor[i, ...], before[i, ...], after[i, ...]) for i in range(n_slots)]
        return (
            [
                [partial(write, factor, record)] if n_accumulated else []
                for factor, record, _ in numbers
            ],
            [[partial(add, factor, record)] for factor, _, record in numbers],
        )

    def set_weights(self, weights: Array, n_slots: int) -> None:
        """Take the sample weights of the first `n_slots` batches.

        Parameters
        ----------
        weights : ndarray of shape (n_slots, ..., batch_size)
            A batch without any weight has no gradient and no loss.
        """
        total = weights.sum(axis=-1, keepdims=True)
        inverse = np.divide(1, total, out=np.zeros_like(total), where=total > 0)
        self._weight[:n_slots] = (weights * inverse)[..., np.newaxis, :]
        factor = self.objective.alpha * inverse
        self._factor[:n_slots] = factor if factor.ndim == self._factor.ndim else factor[..., 0]

    def _terms(self, n_slots: int) -> tuple[Array, Array]:
        """Return the data term and the penalty of the first batches, after their steps."""
        loss = self.objective.loss
        values = loss.values(self._record[:n_slots], self.target[:n_slots], self._scratch[:n_slots])
        if self._is_weighted:
            np.multiply(values, self._weight[:n_slots, ..., 0, :], out=values)
            data = np.add.reduce(values, axis=-1)
        else:
            data = np.add.reduce(values, axis=-1) / values.shape[-1]
        penalty = np.add.reduce(self._penalty_record[:, :n_slots], axis=0)
        return data, self.objective.penalty.values(penalty).reshape(data.shape)

    def reported_losses(self, n_slots: int) -> Array:
        """Return the losses of the first batches as they are reported; once after the steps.

        Returns
        -------
        ndarray of shape (n_slots,) or (n_slots, n_models)
        """
        data, penalty = self._terms(n_slots)
        return data / self.objective.loss.reported(self.objective.network.n_outputs) + penalty

    def evaluate(self) -> tuple[float, float]:
        """Run the step of the first slot; return J(theta) and the reported loss of one model."""
        for call in self.steps[0]:
            call()
        data, penalty = self._terms(1)
        outputs = self.objective.loss.reported(self.objective.network.n_outputs)
        return float(data[0] + penalty[0]), float(data[0] / outputs + penalty[0])
