"""What a solver is given, and what it promises."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sknn._component import Component
from sknn._math import Array
from sknn.augmentation import Augmentation
from sknn.objective import Objective
from sknn.samples import Samples, as_samples
from sknn.solvers.state import TrainingState

ALONE = "alone"
"""The key of a problem that only wants another thread, see `Solver.stack_key`."""


@dataclass(frozen=True, eq=False)
class Problem:
    """One model to be trained: an objective with its data and its numbers.

    It is built once. What changes while it is solved is its state, which is consumed.

    Attributes
    ----------
    objective : Objective
        What is minimised.
    solver : Solver
        How.
    samples : Samples
        What there is to train on.
    y : ndarray of shape (n_samples, n_outputs)
        The targets, as numbers or bools.
    sample_weight : ndarray of shape (n_samples,) or None
        Their weights; None weighs all alike.
    rows : ndarray of int or None
        The rows to train on; None for all.
    state : TrainingState
        Where to start; consumed.
    rng : RandomState
        Where the shuffles are drawn from.
    rng_is_own : bool
        Whether nobody else uses it, also not afterwards.
    validate : callable or None
        ``validate(theta)`` returns a score, the higher the better, and the loss on other samples.
    stops_early : bool
        Whether the score decides when to stop, and which parameters are the best.
    before_epoch : callable or None
        ``before_epoch()`` is called when an epoch begins.
    after_epoch : callable or None
        ``after_epoch(state, theta)`` is called with the parameters to be judged and returns whether
        to stop.
    explain : callable or None
        ``explain(state)`` returns what to add to a warning that training has not converged.
    augmentation : Augmentation or None
        Changes each batch at random.
    seed : sequence of int
        Seeds the random numbers of layers and of the augmentation.
    keeps_incoming : bool
        Whether the initial parameters, too, may turn out to be the best.
    one_epoch : bool
        Whether to run a single epoch, without a word about convergence.
    verbose : bool
        Whether to print a line an epoch.
    goes_on : bool
        Whether the state is that of a training that was cut, which goes on to the same bits.
    shares_rows : bool
        Whether threads may share the rows of a large model's batches, as suits one that is trained
        alone. Else they only share models: then no bit depends on the number of cores.
    keeps_state : bool
        Whether the state has all that another training needs to go on: without it, parameters.
    validation_operations : int
        What `validate` costs.
    n_workers : int or None
        How many threads share the rows of lbfgs; None for as many as suit the machine.
    keep : callable or None
        ``keep(snapshot)`` is called after each epoch that is not the last; ``snapshot()`` returns a
        state from which the training goes on as if it had not been cut there.
    """

    objective: Objective
    solver: Solver
    samples: Samples
    y: Array
    sample_weight: Array | None
    rows: Array | None
    state: TrainingState
    rng: np.random.RandomState
    rng_is_own: bool = False
    validate: Callable[[Array], tuple[float, float]] | None = None
    stops_early: bool = False
    before_epoch: Callable[[], object] | None = None
    explain: Callable[[TrainingState], str] | None = None
    after_epoch: Callable[[TrainingState, Array], bool] | None = None
    augmentation: Augmentation | None = None
    seed: tuple[int, ...] = (0,)
    keeps_incoming: bool = False
    one_epoch: bool = False
    verbose: bool = False
    goes_on: bool = False
    shares_rows: bool = True
    keeps_state: bool = True
    validation_operations: int = 0
    n_workers: int | None = None
    keep: Callable[[Callable[[], TrainingState]], object] | None = None

    @cached_property
    def key(self) -> Hashable:
        """What it has in common with those it may be stacked with, see `Solver.stack_key`."""
        return None if self.one_epoch else self.solver.stack_key(self)

    def in_memory(self, rows: Array | None = None) -> Problem:
        """Return the same problem with some rows, which are in memory, and no others.

        Parameters
        ----------
        rows : ndarray of int, default=None
            Which ones; None for those that it trains on.

        Returns
        -------
        Problem
            It trains on all that it has.
        """
        weight = self.sample_weight
        own: Any = slice(None) if self.rows is None else self.rows
        chosen = own if rows is None else rows
        return replace(
            self,
            samples=as_samples(self.samples[chosen]),
            y=self.y[chosen],
            sample_weight=None if weight is None else weight[chosen],
            rows=None,
        )

    @property
    def n_samples(self) -> int:
        """The number of samples that are trained on."""
        if self.samples.n_elsewhere is not None:
            return self.samples.n_elsewhere
        return len(self.y) if self.rows is None else self.rows.size


class Solver(Component):
    """Contract of a solver: it minimises the objectives of a stack of problems."""

    @abstractmethod
    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        """Train the models of a stack together; return their states in order.

        The problems have the same `stack_key`; numbers, data and random streams may differ.
        Ctrl-C ends the training of all models early, which their states then say.

        Parameters
        ----------
        problems : list of Problem
            The stack; their states are consumed.

        Returns
        -------
        list of TrainingState
            What has become of each.
        """

    def for_samples(self, n_samples: int) -> Solver:
        """Return the solver that fits so many training samples.

        Parameters
        ----------
        n_samples : int
            Samples to train on.

        Returns
        -------
        Solver
            Itself, or one with smaller batches.
        """
        return self

    def moment_names(self) -> set[str]:
        """Return the names of the arrays that a trained model carries.

        Returns
        -------
        set of str
            Empty for solvers that keep nothing.
        """
        return set()

    def stack_key(self, problem: Problem) -> Hashable:
        """Return what the problems of a stack must have in common.

        None says that the problem is solved where it comes up; ALONE that it is not stacked, but
        best solved by the thread that trains the stacks.

        Parameters
        ----------
        problem : Problem
            One with this solver.

        Returns
        -------
        hashable
            Equal for problems that can be stacked.
        """
        return None

    def bytes_per_model(self, problem: Problem) -> int:
        """Return about how much memory a step works on for each model.

        Parameters
        ----------
        problem : Problem
            One of the stack.

        Returns
        -------
        int
            Bytes.
        """
        return problem.state.theta.nbytes
