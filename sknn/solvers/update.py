"""What models do with their gradient: clip it, decay the weights, step, average."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sknn._component import per_model, stack
from sknn._math import Array, Call, number
from sknn.averaging import follow
from sknn.parameters import Group, ParameterLayout, is_zero

MARGIN = 1e-6
"""Added to the norm that a gradient is divided by, as PyTorch does."""


CallsOf: TypeAlias = Callable[[int], list[Call]]


class Update:
    """The update of some models' parameters, for some steps that are prepared together.

    Parameters
    ----------
    solvers : list of Stochastic
        One for each model, of the same structure.
    layout : ParameterLayout
    theta, scratch : ndarray of shape (n_parameters,) or (n_models, n_parameters)
    grads : list of ndarray
        The gradients of several workers, to be added up.
    moments : dict of ndarray
        The optimizer's arrays, and the average.
    n_slots : int
        Steps that are prepared together.
    shares : list of slice
        The trained parameters that each worker has.

    Attributes
    ----------
    gradient_sum : ndarray or None
        The sum of all gradients, where the solver wants to know their noise.
    squares : ndarray of shape (n_slots, n_shares) or (n_slots, n_shares, n_models)
        What each share adds to the squared norm of the gradient; only of the first step where
        nobody else needs it.
    """

    def __init__(
        self,
        solvers: list[Any],
        layout: ParameterLayout,
        theta: Array,
        scratch: Array,
        grads: list[Array],
        moments: dict[str, Array],
        n_slots: int,
        shares: list[slice],
    ) -> None:
        first = solvers[0]
        self._layout = layout
        self._theta, self._scratch, self._grads, self._moments = theta, scratch, grads, moments
        self._optimizer = stack([solver.optimizer for solver in solvers])
        self._weight_decay = per_model([solver.weight_decay for solver in solvers])
        self._averaging = stack([s.averaging for s in solvers]) if first.averaging else None
        lead, dtype = theta.shape[:-1], theta.dtype
        shape = (n_slots, *lead, 1) if lead else (n_slots,)
        t = np.ones((1, 1, 1) if lead else 1, int)
        n_numbers = len(self._optimizer.step_numbers(t, 1.0))
        everything = slice(0, layout.n_trained)
        # One run of equal rates, and one of equal decay, unless a layer asks for others.
        self._rates = _numbers_by_run(layout.runs(everything, _rate), n_numbers, shape, dtype)
        self._decays: list[_Run] = []
        if np.any(self._weight_decay):
            decays = layout.runs(everything, _rate_of_decay)
            self._decays = _numbers_by_run(decays, 1, shape, dtype)
        has_weights = self._averaging is not None and self._averaging.step_weights(t) is not None
        self._average_weight = np.empty(shape, dtype) if has_weights else None
        self.squares = np.zeros((n_slots, len(shares), *lead), dtype)
        self.gradient_sum = np.zeros_like(theta) if first.tracks_noise else None
        self._max_norm: Array | None = None
        if first.max_grad_norm is not None:
            norm = per_model([solver.max_grad_norm for solver in solvers])
            self._max_norm = number(np.squeeze(norm), dtype)
        self._finishers = [self._finisher(i, share) for i, share in enumerate(shares)]
        self._movers = [self._mover(share) for share in shares]

    def load(self, t: Array, rate: Any, decay_level: Any) -> None:
        """Prepare the numbers of the steps numbered t.

        Parameters
        ----------
        t : ndarray of int, shape (n_steps,) or (n_steps, n_models or 1, 1)
        rate, decay_level : float or ndarray that can be broadcast with t
            The learning rate, and what weight decay is multiplied by.
        """
        n_steps, decay = len(t), self._weight_decay * decay_level
        for run in self._rates:
            values = self._optimizer.step_numbers(t, rate * run.factor)
            for numbers, value in zip(run.numbers, values, strict=True):
                numbers[:n_steps] = value
        for run in self._decays:
            run.numbers[0][:n_steps] = 1 - np.asarray(rate * run.factor) * decay
        if self._average_weight is not None and self._averaging is not None:
            self._average_weight[:n_steps] = self._averaging.step_weights(t)

    def grad_norms(self) -> Any:
        """Return the norm of the gradient of the first step, for each model."""
        shares = self.squares[0]
        return (shares[0] if len(shares) == 1 else shares.sum(axis=0)) ** 0.5

    def phases(self, slot: int, penalties: list[list[Call]]) -> list[list[list[Call]]]:
        """Return the phases of a slot's update, with a list of calls for each share.

        Parameters
        ----------
        slot : int
        penalties : list of list of callable
            For each share what adds the gradient of the penalty.
        """
        finish = [of(slot, calls) for of, calls in zip(self._finishers, penalties, strict=True)]
        move = [of(slot) for of in self._movers]
        if len(move) == 1:
            return [[finish[0] + move[0]]]
        if self._max_norm is not None:  # the norm is that of all shares
            return [finish, move]
        return [[a + b for a, b in zip(finish, move, strict=True)]]

    def _mover(self, share: slice) -> CallsOf:
        """Return what cuts the gradient of a share, shrinks the weights and moves the parameters.

        Most updates are a step and nothing else.
        """
        actions = [self._clipper(share), self._decayer(share), self._stepper(share)]
        return _one_after_the_other([calls_of for calls_of in actions if calls_of is not None])

    # Each of these returns a function from a slot to calls, or None if there is nothing to do.

    def _finisher(self, i: int, share: slice) -> Callable[[int, list[Call]], list[Call]]:
        """Complete a share of the gradient, with the calls of the penalty."""
        grad, *others = (array[..., share] for array in self._grads)
        sums: list[Call] = [partial(np.add, grad, other, grad) for other in others]
        wants_all = self._max_norm is not None or self.gradient_sum is not None
        total = None if self.gradient_sum is None else self.gradient_sum[..., share]
        # Nobody is to see the gradient of what is frozen, the norm that others are cut to neither.
        frozen: list[Call] = [
            partial(self._grads[0][..., where].fill, 0) for where in self._layout.frozen(share)
        ]

        squares = self.squares  # not self, which holds this function: a circle would stay in memory

        def calls(slot: int, penalty: list[Call]) -> list[Call]:
            calls = [*sums, *penalty, *frozen]
            if slot == 0 or wants_all:
                # One product for each model: stacked, they would add up in another order.
                rows = grad[np.newaxis] if grad.ndim == 1 else grad
                out = squares[slot, i, ...].reshape(len(rows))
                calls += [partial(np.dot, row, row, out[m, ...]) for m, row in enumerate(rows)]
            if total is not None:
                calls.append(partial(np.add, total, grad, total))
            return calls

        return calls

    def _clipper(self, share: slice) -> CallsOf | None:
        """Shorten a gradient whose norm is too large."""
        if self._max_norm is None:
            return None
        grad = self._grads[0][..., share]
        factor = np.empty(self.squares.shape[2:], grad.dtype)
        column = factor if grad.ndim == 1 else factor[:, np.newaxis]
        rest: list[Call] = [
            partial(np.sqrt, factor, factor),
            partial(np.add, factor, MARGIN, factor),
            partial(np.divide, self._max_norm, factor, factor),
            partial(np.minimum, factor, 1, out=factor),
            partial(np.multiply, grad, column, grad),
        ]
        squares = self.squares
        return lambda slot: [partial(np.add.reduce, squares[slot], 0, None, factor), *rest]

    def _decayer(self, share: slice) -> CallsOf | None:
        """Shrink the weights, not the intercepts."""
        pieces = [
            (self._theta[..., where], run.numbers[0]) for where, run in _meet(self._decays, share)
        ]
        if not pieces:
            return None
        return lambda slot: [
            partial(np.multiply, coef, decay[slot, ...], coef) for coef, decay in pieces
        ]

    def _stepper(self, share: slice) -> CallsOf:
        """Move a share of the parameters."""
        runs = _meet(self._rates, share)
        move = _one_after_the_other([self._bind(where, run) for where, run in runs])
        weights = self._average_weight
        if weights is None:
            return move
        theta, scratch = self._theta[..., share], self._scratch[..., share]
        average = self._moments["average"][..., share]

        def calls(slot: int) -> list[Call]:
            follower = partial(follow, average, theta, weights[slot, ...], scratch)
            return [*move(slot), follower]

        return calls

    def _bind(self, where: slice, run: _Run) -> CallsOf:
        """Tie the optimizer to parameters of one rate."""
        theta, scratch, grad = (
            array[..., where] for array in (self._theta, self._scratch, self._grads[0])
        )
        moments = tuple(self._moments[name][..., where] for name in self._optimizer.moments)
        constants = tuple(number(value, theta.dtype) for value in self._optimizer.constants())
        matrices = []
        if not self._optimizer.is_elementwise:
            matrices = [
                (slice(m.start - where.start, m.stop - where.start), shape)
                for m, shape in self._layout.matrices()
                if where.start <= m.start and m.stop <= where.stop
            ]
        bound = self._optimizer.bind(theta, grad, scratch, moments, constants, matrices)
        numbers = list(zip(*([a[i, ...] for i in range(len(a))] for a in run.numbers), strict=True))
        return lambda slot: bound(numbers[slot])


def _one_after_the_other(actions: list[CallsOf]) -> CallsOf:
    """Return one action that does several; mostly it is one."""
    if len(actions) == 1:
        return actions[0]
    return lambda slot: [call for calls_of in actions for call in calls_of(slot)]


class _Run(NamedTuple):
    """Neighbouring parameters with the same factor, and what it makes of a rate in each slot."""

    where: slice
    factor: Any
    numbers: list[Array]


def _rate(group: Group) -> Any:
    return group.rate


def _rate_of_decay(group: Group) -> Any:
    return group.rate * group.decay


def _numbers_by_run(
    runs: list[tuple[slice, Any]], n_numbers: int, shape: tuple[int, ...], dtype: Any
) -> list[_Run]:
    """Return room for the numbers of all runs but those that stay where they are."""
    return [
        _Run(
            where,
            factor if isinstance(factor, float) else np.reshape(factor, (-1, 1)),
            [np.empty(shape, dtype) for _ in range(n_numbers)],
        )
        for where, factor in runs
        if not is_zero(factor)
    ]


def _meet(runs: list[_Run], share: slice) -> Iterator[tuple[slice, _Run]]:
    """Yield what a share has of each run."""
    for run in runs:
        where = slice(max(run.where.start, share.start), min(run.where.stop, share.stop))
        if where.start < where.stop:
            yield where, run
