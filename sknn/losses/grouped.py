"""One classification loss for each of several targets."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from sknn._math import Array
from sknn.losses._base import Loss, sum_outputs
from sknn.operations import SIMPLE


class Grouped(Loss):
    """The sum of a loss over groups of outputs; in each group exactly one output is true.

    Parameters
    ----------
    loss : Loss
        The loss of a group.
    sizes : tuple of int
        Outputs of each group.
    """

    out_activation = "softmax"

    def __init__(self, loss: Loss, sizes: tuple[int, ...]) -> None:
        self.loss = loss
        self.sizes = sizes

    def groups(self) -> list[slice]:
        """Return which outputs make up each group.

        Returns
        -------
        list of slice
            One for each group.
        """
        ends = itertools.accumulate(self.sizes, initial=0)
        return [slice(*pair) for pair in itertools.pairwise(ends)]

    @property
    def starts_at_target(self) -> bool:  # type: ignore[override]
        """As the loss of a group says."""
        return self.loss.starts_at_target

    def link(self, mean: Array) -> Array | None:
        parts = [part for g in self.groups() if (part := self.loss.link(mean[g])) is not None]
        return np.concatenate(parts) if len(parts) == len(self.sizes) else None

    def constants(self) -> tuple[Any, ...]:
        return self.loss.constants()

    def operations(self, n_raw: int) -> int:
        return sum(self.loss.operations(size) for size in self.sizes)

    def link_operations(self, n_raw: int) -> int:
        return sum(self.loss.link_operations(size) for size in self.sizes)

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        for g in self.groups():
            scores, truth, left, free = (a[..., g, :] for a in (raw, target, record, scratch))
            self.loss.gradient(scores, truth, weight, left, free, *constants)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        total, *others = (
            self.loss.values(*(a[..., g, :] for a in (record, target, scratch)), *constants)
            for g in self.groups()
        )
        for values in others:
            np.add(total, values, total)
        return total

    def inverse_link(self, raw: Array) -> None:
        for g in self.groups():
            self.loss.inverse_link(raw[..., g, :])

    def pull_back(self, predicted: Array, slope: Array) -> None:
        for g in self.groups():
            self.loss.pull_back(predicted[..., g, :], slope[..., g, :])

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probabilities, which is never -inf.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, overwritten.
        """
        for g in self.groups():
            self.loss.log_inverse_link(raw[..., g, :])


class LabelWeighted(Loss):
    """A loss of labels that are true or not, with weights for those that are true.

    Parameters
    ----------
    loss : Loss
        The loss of a label.
    weights : tuple of float
        One for each label.
    """

    out_activation = "logistic"

    def __init__(self, loss: Loss, weights: tuple[float, ...]) -> None:
        self.loss = loss
        self.weights = weights

    @property
    def starts_at_target(self) -> bool:  # type: ignore[override]
        """As the loss of a label says."""
        return self.loss.starts_at_target

    def link(self, mean: Array) -> Array | None:
        true = mean * self.weights
        return self.loss.link(true / (true + 1 - mean))

    def constants(self) -> tuple[Any, ...]:
        columns = [np.asarray(weight, float) for weight in self.weights]
        lead = np.broadcast_shapes(*(column.shape[:1] for column in columns))
        weights = [np.broadcast_to(column, (*lead, 1, 1)) for column in columns]
        return np.concatenate(weights, axis=-2) - 1, *self.loss.constants()

    def operations(self, n_raw: int) -> int:
        # Each label by itself, with its factor on gradient and value.
        return (self.loss.operations(1) + 6 * SIMPLE) * n_raw

    def link_operations(self, n_raw: int) -> int:
        return self.loss.link_operations(n_raw)

    def gradient(
        self,
        raw: Array,
        target: Array,
        weight: Array,
        record: Array,
        scratch: Array,
        *constants: Array,
    ) -> None:
        excess, *others = constants
        self.loss.gradient(raw, target, weight, record, scratch, *others)
        factor, _ = scratch
        np.multiply(target, excess, factor)
        np.add(factor, 1, factor)
        np.multiply(raw, factor, raw)

    def values(self, record: Array, target: Array, scratch: Array, *constants: Array) -> Array:
        excess, *others = constants
        for k in range(len(self.weights)):
            label = slice(k, k + 1)
            left, truth, free = (a[..., label, :] for a in (record, target, scratch))
            values = self.loss.values(left, truth, free, *others)
            factor = free[0, ..., 0, :]
            np.multiply(truth[..., 0, :], excess[..., k, :], factor)
            np.add(factor, 1, factor)
            np.multiply(values, factor, values)
        return sum_outputs(record)

    def inverse_link(self, raw: Array) -> None:
        self.loss.inverse_link(raw)

    def pull_back(self, predicted: Array, slope: Array) -> None:
        self.loss.pull_back(predicted, slope)

    def log_inverse_link(self, raw: Array) -> None:
        """Replace raw by the logarithm of the probability, which is never -inf.

        Parameters
        ----------
        raw : ndarray of shape (..., n_outputs, n_samples)
            Raw scores, overwritten.
        """
        self.loss.log_inverse_link(raw)
