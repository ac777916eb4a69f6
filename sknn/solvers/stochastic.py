"""Mini-batch gradient descent, for one model or a stack of them."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from sknn._crew import MAX_CORES, Crew, count_workers
from sknn.optimizers import Optimizer
from sknn.schedules import Schedule
from sknn.solvers._base import ALONE, Problem, Solver, TrainingState
from sknn.solvers.model import Model, arrange
from sknn.solvers.stack import N_SLOTS, Stack
from sknn.solvers.stopping import mark_interrupted

FULLNESS = 0.75
"""A stack is made anew once no more than this share of its models is still training."""

MIN_WORK = 100_000_000
"""Parameters times batch size, in bytes, from which threads share a batch."""

MAX_WORK = 60_000_000
"""Parameters times batch size, in bytes, from which a model is better trained alone."""

MIN_ROWS = 64
"""Rows of a batch that a thread should have; fewer make its matrix products inefficient."""

MIN_OUTPUTS = 120_000
"""Outputs of all layers for all samples of a stack's batches, from which threads share models."""

MIN_PARAMETERS = 500_000
"""Parameters from which threads share the update alone, with sparse X."""


class Stochastic(Solver):
    """Mini-batch gradient descent with any update rule.

    Parameters
    ----------
    optimizer : Optimizer
        The update rule.
    schedule : Schedule
        How the learning rate changes from epoch to epoch.
    learning_rate : float
        The initial learning rate, positive.
    batch_size : int
        Samples in a batch.
    max_iter : int
        Epochs at most.
    shuffle : bool
        Whether to visit the samples in a new order in each epoch.
    tol, n_iter_no_change, target_loss
        See :class:`sknn.solvers.stopping.Monitor`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        learning_rate: float,
        batch_size: int,
        max_iter: int,
        shuffle: bool,
        tol: float,
        n_iter_no_change: float,
        target_loss: float | None,
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.target_loss = target_loss

    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        models = []
        for problem in problems:
            try:
                models.append(Model(problem))
            except Exception as error:  # from validation; the other models can be trained
                problem.state.ending = error
        training = arrange(models) if len(models) > 1 else models
        while training:
            with Crew(self._count_workers([model.problem for model in training])) as crew:
                training = _train(training, crew)
        for model in models:
            model.settle_draws()
        return [problem.state for problem in problems]

    def stack_key(self, problem: Problem) -> Hashable:
        theta = problem.state.theta
        if theta.nbytes * self.batch_size >= MAX_WORK or self._count_workers([problem]) > 1:
            # A stack would gain nothing, and threads that share the rows of a batch add up in
            # another order than it. But BLAS may ignore the limits that other threads set.
            return ALONE
        if not isinstance(problem.X, np.ndarray):
            return None
        objective, dtype = problem.objective, theta.dtype
        n_samples = problem.y.shape[0] if problem.rows is None else problem.rows.size
        # The last batch may be of any size, also where it is the only one.
        batches = (self.batch_size, n_samples // self.batch_size)
        return (
            objective.network.structure(),
            objective.loss.structure(with_numbers=False),
            objective.penalty.structure(with_numbers=False),
            self.optimizer.structure(with_numbers=False),
            batches if n_samples > self.batch_size else None,
            (type(self), dtype),
            problem.y.dtype,
            problem.sample_weight is None,
        )

    def bytes_per_model(self, problem: Problem) -> int:
        theta, network = problem.state.theta, problem.objective.network
        # Parameters, gradient, scratch and penalty's factors; the buffers of the layers; and, for
        # all batches that are prepared together, target, record and scratch of the loss.
        n_vectors = 4 + len(self.optimizer.moments)
        n_slots = min(N_SLOTS, -(-problem.y.shape[0] // self.batch_size))
        n_numbers = network.n_features + network.n_units + 3 * n_slots * network.n_outputs
        return n_vectors * theta.nbytes + self.batch_size * n_numbers * theta.itemsize

    def _count_workers(self, problems: list[Problem]) -> int:
        """Return how many threads share a step: more than one where that pays."""
        theta, X = problems[0].state.theta, problems[0].X
        if len(problems) > 1:
            n_outputs = len(problems) * self.batch_size * problems[0].objective.network.n_units
            return count_workers(min(MAX_CORES, len(problems)) if n_outputs >= MIN_OUTPUTS else 1)
        if not isinstance(X, np.ndarray):
            return count_workers(MAX_CORES if theta.size >= MIN_PARAMETERS else 1)
        is_long = theta.nbytes * self.batch_size >= MIN_WORK
        return count_workers(self.batch_size // MIN_ROWS if is_long else 1)


def _train(models: list[Model], crew: Crew) -> list[Model]:
    """Train models as a stack until many of them have finished; return the others."""
    running = Stack(models, crew)
    n_training = len(models)
    try:
        # Without those that have finished a stack is faster, but it takes time to make.
        while n_training > FULLNESS * len(models):
            for m in running.run_epoch():
                running.release(m)
                models[m].finish()
                n_training -= 1
    except KeyboardInterrupt:
        for m, model in enumerate(models):
            if model.is_training:
                mark_interrupted(model.state)
                running.release(m)
                model.finish()
    remaining = [m for m, model in enumerate(models) if model.is_training]
    for m in remaining:
        running.release(m)
    return [models[m] for m in remaining]
