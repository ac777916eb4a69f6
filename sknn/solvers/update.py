"""What a part of a stack does with its gradient: clip it, decay the weights, step, average."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from sknn._component import per_model, stack
from sknn._math import Array, Call, number
from sknn.averaging import follow
from sknn.objective import PenaltyTerm
from sknn.parameters import ParameterLayout

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

    Attributes
    ----------
    gradient_sum : ndarray or None
        The sum of all gradients, where the solver wants to know their noise.
    squares : ndarray of shape (n_slots, n_shares) or (n_slots, n_shares, n_models)
        Each share's part of the squared norm of the gradient; only of the first step where nobody
        else needs it.
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
        n_shares: int,
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
        self._numbers = [np.empty(shape, dtype) for _ in range(n_numbers)]
        self._decay = np.empty(shape, dtype) if np.any(self._weight_decay) else None
        has_weights = self._averaging is not None and self._averaging.step_weights(t) is not None
        self._average_weight = np.empty(shape, dtype) if has_weights else None
        self.squares = np.zeros((n_slots, n_shares, *lead), dtype)
        self.gradient_sum = np.zeros_like(theta) if first.tracks_noise else None
        self._max_norm: Array | None = None
        if first.max_grad_norm is not None:
            norm = per_model([solver.max_grad_norm for solver in solvers])
            self._max_norm = number(np.squeeze(norm), dtype)

    def load(self, t: Array, rate: Any) -> None:
        """Prepare the numbers of the steps numbered t, for a learning rate."""
        n_steps = len(t)
        for numbers, values in zip(
            self._numbers, self._optimizer.step_numbers(t, rate), strict=True
        ):
            numbers[:n_steps] = values
        if self._decay is not None:
            self._decay[:n_steps] = 1 - np.asarray(rate) * self._weight_decay
        if self._average_weight is not None and self._averaging is not None:
            self._average_weight[:n_steps] = self._averaging.step_weights(t)

    def grad_norms(self) -> Any:
        """Return the norm of the gradient of the first step, for each model."""
        shares = self.squares[0]
        return (shares[0] if len(shares) == 1 else shares.sum(axis=0)) ** 0.5

    def phases(
        self, shares: list[slice], penalties: list[PenaltyTerm], n_slots: int
    ) -> list[list[list[list[Call]]]]:
        """Return for each slot the phases of the update, with a list of calls for each share."""
        finishers = [
            self._finisher(i, share, penalty)
            for i, (share, penalty) in enumerate(zip(shares, penalties, strict=True))
        ]
        # Most updates are a step and nothing else.
        movers = [
            [of for of in (self._clipper(s), self._decayer(s), self._stepper(s)) if of]
            for s in shares
        ]
        has_to_meet = self._max_norm is not None and len(shares) > 1
        steps = []
        for slot in range(n_slots):
            finish = [finisher(slot) for finisher in finishers]
            move = [[call for of in functions for call in of(slot)] for functions in movers]
            if has_to_meet:
                steps.append([finish, move])
            else:
                steps.append([[[*a, *b] for a, b in zip(finish, move, strict=True)]])
        return steps

    # Each of these returns a function from a slot to calls, or None if there is nothing to do.

    def _finisher(self, i: int, share: slice, penalty: PenaltyTerm) -> CallsOf:
        """Complete a share of the gradient."""
        grad, *others = (array[..., share] for array in self._grads)
        sums: list[Call] = [partial(np.add, grad, other, grad) for other in others]
        wants_all = self._max_norm is not None or self.gradient_sum is not None
        total = None if self.gradient_sum is None else self.gradient_sum[..., share]

        def calls(slot: int) -> list[Call]:
            calls = [*sums, *penalty.adds[slot]]
            if slot == 0 or wants_all:
                # One product for each model: stacked, they would add up in another order.
                rows = grad[np.newaxis] if grad.ndim == 1 else grad
                out = self.squares[slot, i, ...].reshape(len(rows))
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
        return lambda slot: [partial(np.add.reduce, self.squares[slot], 0, None, factor), *rest]

    def _decayer(self, share: slice) -> CallsOf | None:
        """Shrink the weights, not the intercepts."""
        decay, n_penalized = self._decay, self._layout.n_penalized
        if decay is None or share.start >= n_penalized:
            return None
        coef = self._theta[..., share.start : min(share.stop, n_penalized)]
        return lambda slot: [partial(np.multiply, coef, decay[slot, ...], coef)]

    def _stepper(self, share: slice) -> CallsOf:
        """Move a share of the parameters."""
        theta, scratch, grad = (
            array[..., share] for array in (self._theta, self._scratch, self._grads[0])
        )
        moments = {name: array[..., share] for name, array in self._moments.items()}
        own = tuple(moments[name] for name in self._optimizer.moments)
        constants = tuple(number(value, theta.dtype) for value in self._optimizer.constants())
        bound = self._optimizer.bind(theta, grad, scratch, own, constants, self._layout)
        weights = self._average_weight

        views = ([array[i, ...] for i in range(len(array))] for array in self._numbers)
        numbers = list(zip(*views, strict=True))
        if weights is None:
            return lambda slot: bound(numbers[slot])

        def calls(slot: int) -> list[Call]:
            step = bound(numbers[slot])
            average = moments["average"]
            return [*step, partial(follow, average, theta, weights[slot, ...], scratch)]

        return calls
