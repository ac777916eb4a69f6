r"""The objective: what is minimised, and the one seam between network and solvers.

.. math::
    J(\theta) = \frac{1}{\sum_i w_i} \Big( \sum_i w_i L(y_i, f_\theta(x_i))
    + \alpha\, \Omega(W) \Big)

The sums run over the samples of a batch; L is a sum over outputs. Dividing the penalty by the
weight of the *batch* is scikit-learn's convention.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from sknn._component import per_model, stack
from sknn._crew import Crew
from sknn._math import Array, Call, even_slices, number, spread_rows
from sknn._random import make_words
from sknn.layers import Share, Team, split_at_meetings
from sknn.losses import Loss
from sknn.network import CHUNK, Network
from sknn.operations import SIMPLE, Cost, Count, add_up
from sknn.penalties import Penalty
from sknn.samples import Samples, as_samples


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

    Attributes
    ----------
    n_targets : int
        Targets of a sample.
    """

    def __init__(self, network: Network, loss: Loss, penalty: Penalty, alpha: Any) -> None:
        self.network = network
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.n_targets = network.n_outputs // loss.raw_per_target

    @classmethod
    def stacked(cls, objectives: list[Objective]) -> Objective:
        """Return one objective for a stack of models with the same network."""
        if len(objectives) == 1:
            return objectives[0]
        return cls(
            Network.stacked([objective.network for objective in objectives]),
            stack([objective.loss for objective in objectives], 2),
            stack([objective.penalty for objective in objectives]),
            per_model([objective.alpha for objective in objectives]),
        )

    def value_and_grad(
        self,
        theta: Array,
        X: Any,
        y: Array,
        sample_weight: Array | None = None,
        seed: int | tuple[int, ...] = 0,
        noise_level: float = 1.0,
    ) -> tuple[float, Array]:
        """Return J(theta) and its gradient, as new arrays, for one model.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : {array, CSR matrix} of shape (n_samples, n_features)
        y : ndarray of shape (n_samples, n_outputs)
            The targets, as numbers or bools.
        sample_weight : ndarray of shape (n_samples,), default=None
        seed : int or sequence of int, default=0
            Of the random numbers of layers that want some.
        noise_level : float, default=1.0
            What the rates of random changes are multiplied by.

        Notes
        -----
        Statistics in theta are brought up to date.
        """
        level = None if noise_level == 1 else np.array(noise_level)
        arrays = as_samples(X), y, sample_weight
        whole = WholeObjective(self, theta, *arrays, Crew(1), seed, level)
        value, _ = whole.evaluate()
        return value, whole.grad

    def operations(self, n_entries: Count | None = None, is_weighted: bool = False) -> Cost:
        """Return what the value and the gradient of J cost, of a batch or of all samples.

        Parameters
        ----------
        n_entries : int or Fraction, default=None
            The mean number of entries in a row of a sparse X; None if it is dense.
        is_weighted : bool, default=False
            Whether samples have weights; to divide them by their sum is not counted.
        """
        layers = self.network.operations(n_entries)
        # The values are added up, each times its weight if there are some.
        mean = (2 if is_weighted else 1) * SIMPLE
        data = Cost(self.loss.operations(self.network.n_outputs) + mean)
        # What is written first is so with an alpha of 0, too; the rest is added.
        each, n_written = self.penalty.operations, layers.n_accumulated
        n_added = self.network.layout.n_penalized - n_written if np.any(self.alpha) else 0
        penalty = Cost(0, each * n_written + (each + SIMPLE) * n_added)
        return add_up([layers.forward, layers.backward, data, penalty])

    def predicts_finite(self, theta: Array, samples: Samples) -> bool:
        """Whether the predictions for samples are finite.

        A few samples from all over them are asked, and all where predictions grow fast with the
        raw scores or are about to overflow.
        """
        n_samples, samples = len(samples), samples.astype(theta.dtype)
        is_short = n_samples <= CHUNK
        few = samples[:] if is_short else samples[spread_rows(n_samples, CHUNK)]
        largest = self._largest_prediction(theta, few)
        if is_short:
            return math.isfinite(largest)
        if self.loss.grows_fast or largest > np.finfo(theta.dtype).max ** 0.5:
            chunks = range(0, n_samples, CHUNK)
            largest_of = (self._largest_prediction(theta, samples[i : i + CHUNK]) for i in chunks)
            return all(map(math.isfinite, largest_of))  # a maximum could hide NaN
        return math.isfinite(largest)

    def _largest_prediction(self, theta: Array, X: Any) -> float:
        """Return the largest absolute value of the predictions; NaN or inf if one is not finite."""
        with np.errstate(all="ignore"):
            raw = self.network.predict(X, self.network.layout.views(theta))
            self.loss.inverse_link(raw)
            return float(np.absolute(raw).max())

    def reported_loss(self, data: Any, penalty: Any) -> Any:
        """Return the loss as it is reported, from the two terms of J."""
        return data / self.loss.reported_divisor(self.n_targets) + penalty


class DataTerm:
    """The data term of J and its gradient, for batches of one size or the same share of each.

    A *slot* is one batch among those that are prepared together: targets, weights and what
    the values are computed from are kept per slot, the layers' buffers serve all of them.

    Parameters
    ----------
    objective : Objective
    theta, grad : ndarray of shape (n_parameters,) or (n_models, n_parameters)
        The parameters and where the gradient goes.
    n_rows, n_slots : int
        Samples of the batch that this term sums over, and batches prepared together.
    even_weight : float or None
        The weight of each sample, divided by the total of the batch; None if it differs.
    share : Share
        The rows' random numbers, and the workers that have the other rows of the batch.
    x : {ndarray of shape (..., n_rows, n_features), SparseBatch}
        The input buffer.
    is_lent : bool, default=False
        Whether it is somebody else's and has to be left as it is.
    noise_levels : ndarray of shape (n_slots,) or (n_slots, n_models, 1, 1), default=None
        What the noise level of the rows is set to, slot by slot; None leaves it.

    Attributes
    ----------
    x : ndarray of shape (..., n_rows, n_features)
        The input buffer.
    target : ndarray of shape (n_slots, ..., n_targets, n_rows)
        The targets, output by output.
    weight : ndarray of shape (n_slots, ..., 1, n_rows) or (n_slots,)
        The samples' weights, divided by the total of the batch.
    n_accumulated : int
        To the gradient of so many leading parameters the calls add; it must hold something.
    backward : list of callable
        What goes from these derivatives to the gradient, the same in all slots.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Array,
        grad: Array,
        n_rows: int,
        n_slots: int,
        even_weight: float | None,
        share: Share,
        x: Any,
        is_lent: bool = False,
        noise_levels: Array | None = None,
    ) -> None:
        network, dtype, lead = objective.network, theta.dtype, theta.shape[:-1]
        self._loss = objective.loss
        self.x = x
        bound = network.bind(self.x, theta, grad, share, owns_input=not is_lent)
        self.n_accumulated = bound.n_accumulated
        shape = (n_slots, *bound.raw.shape)
        self.target = np.empty((n_slots, *lead, objective.n_targets, n_rows), dtype)
        self._constants = tuple(number(value, dtype) for value in self._loss.constants())
        self._record, self._scratch = np.empty(shape, dtype), np.empty((2, *shape), dtype)
        if even_weight is None:
            self.weight = np.empty((n_slots, *lead, 1, n_rows), dtype)
        else:
            self.weight = np.full(n_slots, even_weight, dtype)
        self._bound, self._level, self._levels = bound, share.noise_level, noise_levels
        self.backward = bound.backward

    def forward(self, slot: int) -> list[Call]:
        """Return the calls that compute the raw scores of a slot's batch."""
        if self._levels is None or self._level is None:
            return self._bound.forward
        return [partial(np.copyto, self._level, self._levels[slot, ...]), *self._bound.forward]

    def loss(self, slot: int) -> Call:
        """Return the call that replaces the raw scores by the derivatives of the loss."""
        arrays = self.target[slot], self.weight[slot, ...], self._record[slot]
        scratch = self._scratch[:, 0]  # one for all slots: their values are asked for later
        return partial(self._loss.gradient, self._bound.raw, *arrays, scratch, *self._constants)

    def values(self, n_slots: int) -> Array:
        """Return the term's value for the first batches, once after their calls.

        Returns
        -------
        ndarray of shape (n_slots,) or (n_slots, n_models)
        """
        values = self._loss.values(
            self._record[:n_slots],
            self.target[:n_slots],
            self._scratch[:, :n_slots],
            *self._constants,
        )
        if self.weight.ndim == 1:
            return np.add.reduce(values, axis=-1) * self.weight[0]
        np.multiply(values, self.weight[:n_slots, ..., 0, :], out=values)
        return np.add.reduce(values, axis=-1)


class PenaltyTerm:
    """The penalty of a share of the parameters, and its gradient.

    Parameters
    ----------
    objective : Objective
    theta, grad, scratch : ndarray of shape (n_parameters,) or (n_models, n_parameters)
        The parameters, their gradient, and a buffer that is free to use.
    factor : ndarray of shape (n_slots,), (n_slots, n_models, 1 or n_parameters)
        For each slot alpha, divided by the total weight of the batch; 0 where a parameter is
        not penalised, if there is one for each.
    where : slice
        The parameters; only those that are penalised matter.

    Attributes
    ----------
    writes, adds : list of list of callable
        For each slot what writes the gradient, or adds it to what is there.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Array,
        grad: Array,
        scratch: Array,
        factor: Array,
        where: slice,
    ) -> None:
        self._penalty = objective.penalty
        self._record = np.zeros(
            (*factor.shape[:-1], 1) if factor.ndim > 1 else factor.shape, factor.dtype
        )
        has_all = factor.ndim > 1 and factor.shape[-1] > 1
        stop = where.stop if has_all else min(where.stop, objective.network.layout.n_penalized)
        n_slots = len(factor)
        self.writes: list[list[Call]] = [[]] * n_slots
        self.adds: list[list[Call]] = [[]] * n_slots
        if where.start >= stop:
            return
        coef, grad, scratch = (a[..., where.start : stop] for a in (theta, grad, scratch))
        write = partial(self._penalty.write_gradient, coef, grad)
        add = partial(self._penalty.add_gradient, coef, grad, scratch)
        constants = [number(value, theta.dtype) for value in self._penalty.constants()]
        numbers = [
            (factor[slot, ...], self._record[slot, ...], *constants) for slot in range(n_slots)
        ]
        self.writes = [[partial(write, *pair)] for pair in numbers]
        if np.any(objective.alpha):
            self.adds = [[partial(add, *pair)] for pair in numbers]

    def values(self, n_slots: int) -> Array:
        """Return the penalty for the first batches, after their calls.

        Returns
        -------
        ndarray of shape (n_slots,) or (n_slots, n_models)
        """
        values = self._penalty.values(self._record[:n_slots])
        return values if values.ndim == 1 else values[..., 0]


class WholeObjective:
    """J of one model on all samples at once, which are not copied.

    Parameters
    ----------
    objective : Objective
    theta : ndarray of shape (n_parameters,)
        The parameters; what they hold when `evaluate` is called counts.
    samples : Samples
        As float64, or whatever theta is.
    y, sample_weight
        See :meth:`Objective.value_and_grad`.
    crew : Crew
        Its workers share the rows of dense X.
    seed : int or sequence of int, default=0
        Of the random numbers of layers that want some.
    noise_level : ndarray, default=None
        What the rates of random changes are multiplied by; None leaves them.

    Attributes
    ----------
    grad : ndarray of shape (n_parameters,)
        The gradient after `evaluate`.
    """

    def __init__(
        self,
        objective: Objective,
        theta: Array,
        samples: Samples,
        y: Array,
        sample_weight: Array | None,
        crew: Crew,
        seed: int | tuple[int, ...] = 0,
        noise_level: Array | None = None,
    ) -> None:
        self._objective, self._crew = objective, crew
        self.grad = np.zeros_like(theta)
        total = float(len(y) if sample_weight is None else sample_weight.sum(dtype=np.float64))
        shares = even_slices(len(y), crew.n_workers)
        team = Team([share.stop - share.start for share in shares])
        words = make_words(seed, len(y), objective.network.n_noise)
        grads = [self.grad, *(np.zeros_like(theta) for _ in shares[1:])]
        even = 1 / total if sample_weight is None else None
        self._data = []
        for worker, (rows, grad) in enumerate(zip(shares, grads, strict=True)):
            share, x = team.share(worker, words[rows], noise_level), samples.lend(rows)
            n_rows = rows.stop - rows.start
            term = DataTerm(objective, theta, grad, n_rows, 1, even, share, x, is_lent=True)
            term.target[0] = y[rows].T
            if sample_weight is not None:
                term.weight[0] = sample_weight[rows] / total
            self._data.append(term)
        factor = np.array([objective.alpha / total], theta.dtype)
        middle, end = self._data[0].n_accumulated, theta.size
        scratch = np.empty_like(theta)
        self._first, self._then = (
            PenaltyTerm(objective, theta, self.grad, scratch, factor, where)
            for where in (slice(0, middle), slice(middle, end))
        )
        sums: list[Call] = [partial(np.add, self.grad, grad, self.grad) for grad in grads[1:]]
        self._phases = [
            [self._first.writes[0]],
            *split_at_meetings(
                [[*term.forward(0), term.loss(0), *term.backward] for term in self._data]
            ),
            [[*sums, *self._then.adds[0]]],
        ]

    def evaluate(self) -> tuple[float, float]:
        """Compute the gradient; return J(theta) and the reported loss."""
        self._crew.run([self._phases])
        data = float(sum(term.values(1)[0] for term in self._data))
        penalty = float(self._first.values(1)[0] + self._then.values(1)[0])
        return data + penalty, self._objective.reported_loss(data, penalty)
