"""Mini-batch gradient descent, for one model or a stack of them."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import nullcontext
from functools import partial

from sknn._blas import ONE_BLAS_THREAD
from sknn._crew import (
    MAX_WORKERS,
    Crew,
    count_row_workers,
    count_workers,
    cpu_clock,
    is_large,
    large_work,
)
from sknn._math import even_slices
from sknn.averaging import Averaging
from sknn.ledger import Laps
from sknn.optimizers import Optimizer
from sknn.schedules import Schedule
from sknn.solvers._base import ALONE, Problem, Solver
from sknn.solvers.cost import Costs
from sknn.solvers.model import Model, arrange
from sknn.solvers.stack import N_SLOTS, Stack
from sknn.solvers.state import TrainingState
from sknn.solvers.stopping import mark_interrupted
from sknn.streamed import Streamed

FULLNESS = 0.75
"""A stack is made anew once no more than this share of its models is still training."""

MIN_OUTPUTS = 120_000
"""Outputs of all layers for all samples of a stack's batches, from which threads share models."""

MIN_BATCHES = 2
"""Batches that an epoch has at least when they grow."""

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
        Samples in a batch, of the first epoch if it grows; no more than there are.
    max_iter : int
        Epochs at most.
    shuffle : bool
        Whether to visit the samples in a new order in each epoch.
    tol : float
        See :class:`sknn.solvers.stopping.Monitor`.
    n_iter_no_change : int or inf
        See :class:`sknn.solvers.stopping.Monitor`.
    target_loss : float or None
        See :class:`sknn.solvers.stopping.Monitor`.
    max_time : float or None, default=None
        Seconds after which training ends.
    max_batch_size : int or None, default=None
        Up to which the batch grows as the noise of the gradient does; None keeps its size.
    weight_decay : float, default=0.0
        Decoupled decay of the weights.
    max_grad_norm : float or None, default=None
        The norm to which longer gradients are cut.
    averaging : Averaging or None, default=None
        The average of the parameters that is judged and returned.
    recovers : bool, default=False
        Whether training that diverges goes back to the last good epoch, and on at a lower rate.
    decay_schedule, noise_schedule : Schedule or None, default=None
        How weight decay and the rates of random changes in the network (dropout) change from step
        to step; None keeps them.
    drops_last : bool, default=False
        Whether an epoch leaves out the rows that do not fill a batch, if it has a full one.
    max_operations : float or None, default=None
        Training ends with the step that reaches so many floating-point operations.
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
        max_time: float | None = None,
        max_batch_size: int | None = None,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = None,
        averaging: Averaging | None = None,
        recovers: bool = False,
        decay_schedule: Schedule | None = None,
        noise_schedule: Schedule | None = None,
        drops_last: bool = False,
        max_operations: float | None = None,
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
        self.max_time = max_time
        self.max_batch_size = max_batch_size
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.averaging = averaging
        self.recovers = recovers
        self.decay_schedule = decay_schedule
        self.noise_schedule = noise_schedule
        self.drops_last = drops_last
        self.max_operations = max_operations

    @property
    def tracks_noise(self) -> bool:
        """Whether the noise of the gradient is measured."""
        return self.max_batch_size is not None

    def for_samples(self, n_samples: int) -> Solver:
        fits = self.batch_size <= n_samples
        return self if fits else self.changed(batch_size=n_samples)

    def here(self) -> Stochastic:
        """Return a solver that trains as this one does, on the rows that are here.

        Returns
        -------
        Stochastic
            Itself, unless it trains elsewhere.
        """
        return self

    def moment_names(self) -> set[str]:
        averages = self.averaging is not None or "average" in self.optimizer.moments
        return {*self.optimizer.moments, *(("average", "iterate") if averages else ())}

    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        models = []
        for problem in problems:
            try:
                models.append(Model(problem))
            except Exception as error:  # from validation; the other models can be trained
                problem.state.ending = error
        waiting = [arrange(models) if len(models) > 1 else models]
        with ONE_BLAS_THREAD:
            while waiting:
                waiting += self._train(waiting.pop())
        for model in models:
            model.settle_draws()
        return [problem.state for problem in problems]

    def _train(self, models: list[Model]) -> list[list[Model]]:
        """Train models as a stack for a while; return the stacks that have yet to be trained."""
        if not models:
            return []
        is_alone = len(models) == 1 and self._is_large(models[0].problem)
        n_workers = self._count_workers([model.problem for model in models])
        with large_work() if is_alone else nullcontext(), Crew(n_workers) as crew:
            try:
                running = Stack(models, crew)
            except MemoryError as error:
                if len(models) > 1:  # half of them may fit
                    return [models[half] for half in even_slices(len(models), 2)]
                models[0].state.ending = error
                return []
            return [_train(models, running)]

    def stack_key(self, problem: Problem) -> Hashable:
        if self._is_large(problem) or self._count_workers([problem]) > 1:
            # A stack would gain nothing, and threads that share the rows of a batch add up in
            # another order than it.
            return ALONE
        if self.tracks_noise:  # batches change their size
            return ALONE
        if not problem.samples.is_dense or isinstance(problem.samples, Streamed):
            return None
        objective, dtype = problem.objective, problem.state.theta.dtype
        n_samples = problem.n_samples
        # The last batch may be of any size, also where it is the only one.
        batches = (self.batch_size, n_samples // self.batch_size)
        return (
            objective.network.structure(),
            objective.loss.structure(),
            objective.penalty.structure(),
            self.optimizer.structure(),
            None if self.averaging is None else self.averaging.structure(),
            (self.weight_decay > 0, self.max_grad_norm is not None),
            (self.decay_schedule is None, self.noise_schedule is None, self.drops_last),
            problem.augmentation is None,
            batches if n_samples > self.batch_size or self.drops_last else None,
            (type(self), dtype, problem.shares_rows),
            problem.y.dtype,
            problem.sample_weight is None,
            self._end_of_budget(problem),
        )

    def _end_of_budget(self, problem: Problem) -> Hashable:
        """Return in which epoch and step the budget of operations ends, for models with one."""
        if self.max_operations is None:
            return None
        n_seen = self.count_seen(problem.n_samples, self.batch_size)
        left = problem.state.operations_left(self.max_operations)
        return Costs.of(problem, self.batch_size, n_seen).place(left)

    def count_seen(self, n_samples: int, batch_size: int) -> int:
        """Return how many of so many samples an epoch visits, in batches of a size.

        Parameters
        ----------
        n_samples : int
            Samples to train on.
        batch_size : int
            Samples in a batch.

        Returns
        -------
        int
            All of them, but for those that do not fill a batch, if these are left out.
        """
        leaves_rest = self.drops_last and n_samples > batch_size
        return n_samples - n_samples % batch_size if leaves_rest else n_samples

    def bytes_per_model(self, problem: Problem) -> int:
        theta, network = problem.state.theta, problem.objective.network
        # Parameters, gradient, scratch and penalty's factors; the buffers of the layers; and, for
        # all batches that are prepared together, target, record and scratch of the loss.
        n_vectors = 4 + len(self.optimizer.moments)
        n_slots = min(N_SLOTS, -(-problem.y.shape[0] // self.batch_size))
        n_features = network.n_features if problem.samples.is_dense else 0
        n_numbers = n_features + network.n_units + 3 * n_slots * network.n_outputs
        return n_vectors * theta.nbytes + self.batch_size * n_numbers * theta.itemsize

    def _count_workers(self, problems: list[Problem]) -> int:
        """Return how many threads share a step: more than one where that pays."""
        first = problems[0]
        if first.goes_on and first.state.position is not None and len(problems) == 1:
            return first.state.position.n_workers
        theta, network = first.state.theta, first.objective.network
        n_threads = first.state.n_threads if first.one_epoch else None
        if len(problems) > 1:
            n_outputs = len(problems) * self.batch_size * network.n_units
            return count_workers(len(problems) if n_outputs >= MIN_OUTPUTS else 1)
        if not first.samples.is_dense:
            return count_workers(MAX_WORKERS if theta.size >= MIN_PARAMETERS else 1, n_threads)
        if first.augmentation is not None or not self.optimizer.is_elementwise:
            return 1
        if not first.shares_rows:
            return 1
        return count_row_workers(theta, self.batch_size, network.mixes_rows, n_threads)

    def _is_large(self, problem: Problem) -> bool:
        return problem.shares_rows and is_large(problem.state.theta, self.batch_size)


def _train(models: list[Model], running: Stack) -> list[Model]:
    """Train models as a stack until many of them have finished; return the others."""
    n_training, is_alone = len(models), len(models) == 1
    n_workers = running.crew.n_workers if is_alone else 1  # those of a stack share no rows
    bill = _Bill(models, running.crew.n_workers)
    is_kept = any(model.problem.keep is not None for model in models)
    try:
        # Without those that have finished a stack is faster, but it takes time to make.
        while n_training > FULLNESS * len(models):
            finished = running.run_epoch()
            has_grown = models[0].solver.tracks_noise and _grow(models[0], running)
            for m in finished:
                running.release(m, models[m].problem.keeps_state)
                models[m].finish(n_workers, is_alone)
                n_training -= 1
            if is_kept:
                _keep(models, n_workers, bill)
            if has_grown:
                break
    except KeyboardInterrupt:
        for m, model in enumerate(models):
            if model.is_training:
                mark_interrupted(model.state)
                running.release(m, model.problem.keeps_state)
                model.finish(n_workers, is_alone)
    finally:
        bill.settle(is_last=True)
    remaining = [m for m, model in enumerate(models) if model.is_training]
    for m in remaining:
        running.release(m)
    return [models[m] for m in remaining]


class _Bill:
    """Time and energy that a stack takes, borne by its models by their operations.

    Parameters
    ----------
    models : list of Model
    n_workers : int
        How many threads train.
    """

    def __init__(self, models: list[Model], n_workers: int) -> None:
        first = models[0]
        is_large_one = len(models) == 1 and is_large(first.state.theta, first.batch_size)
        self._models, self._laps = models, Laps(cpu_clock(n_workers, is_large_one))
        self._before = self._operations()

    def settle(self, is_last: bool = False) -> None:
        """Charge the models what has been taken since it was settled last."""
        now, lap = self._operations(), self._laps.end() if is_last else self._laps.lap()
        parts = [after - before for before, after in zip(self._before, now, strict=True)]
        self._before, total = now, sum(parts)
        for model, part in zip(self._models, parts, strict=True):
            share = part / total if total else 1 / len(parts)
            model.state.spent = model.state.spent.plus(lap.with_share(share))

    def _operations(self) -> list[int]:
        return [model.state.spent.operations for model in self._models]


def _keep(models: list[Model], n_workers: int, bill: _Bill) -> None:
    """Offer the states of those models that go on to whoever keeps them."""
    for model in models:
        if model.is_training and model.problem.keep is not None:
            model.problem.keep(partial(_snapshot, model, n_workers, bill))


def _snapshot(model: Model, n_workers: int, bill: _Bill) -> TrainingState:
    bill.settle()
    return model.snapshot(n_workers)


def _grow(model: Model, running: Stack) -> bool:
    r"""Enlarge a model's batches if the noise of its gradient is larger; return whether it was.

    With the squared norm s of the gradient of a batch of B samples, and S of the mean of k of
    them, the noise scale is estimated as

    .. math:: \frac{(s - S) / (1 / B - 1 / kB)}{(kB S - B s) / (kB - B)}

    batches larger than which gain little; smaller ones waste nothing.

    References
    ----------
    McCandlish, S., Kaplan, J. and Amodei, D., "An empirical model of large-batch training",
    arXiv:1812.06162 (2018), appendix A.
    """
    squares = running.gradient_noise()
    if squares is None:
        return False
    small, large = squares
    batch_size, n_samples = model.batch_size, model.rows.size
    n_batches = n_samples // batch_size
    if n_batches < 2:
        return False
    noise = (small - large) / (1 / batch_size - 1 / (n_batches * batch_size))
    signal = (n_batches * large - small) / (n_batches - 1)
    limit = min(model.solver.max_batch_size, n_samples // MIN_BATCHES)
    if noise < 2 * batch_size * max(signal, 0.0) or 2 * batch_size > limit:
        return False
    model.resize(2 * batch_size)
    return True
