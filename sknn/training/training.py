"""From a recipe, targets and samples to a trained network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._component import are_equal
from sknn._math import Array, spread_rows
from sknn._random import make_random_state
from sknn._warn import warn
from sknn.ledger import Aside, Spent
from sknn.network import CALIBRATION_ROWS, Network
from sknn.objective import Objective
from sknn.schedules import FromFunction
from sknn.solvers import HISTORY, Problem, Solver, Stochastic, TrainingState, find_rate, solve
from sknn.solvers.range_test import count_operations
from sknn.targets import Targets
from sknn.training.callbacks import Hooks
from sknn.training.checkpoint import Checkpoint
from sknn.training.data import TrainingSet
from sknn.training.diagnosis import explain
from sknn.training.holdout import hold_out
from sknn.training.outcome import check_outcome
from sknn.training.recipe import Recipe
from sknn.training.spending import cost_on_all_rows, peak_bytes, validation_cost
from sknn.training.trained import FoundRate, Trained
from sknn.training.validation import check_scoring_serves, make_validation

FIRST, AGAIN = "first", "again"
"""The trainings of a fit: the one that early stopping may end, and one anew on all samples."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One network that is to be trained.

    Attributes
    ----------
    recipe : Recipe
        How the network is to be built and trained.
    targets : Targets
        Of the kind that `data` has.
    data : TrainingSet
        What it is trained on.
    previous : Trained or None, default=None
        What to go on from.
    one_epoch : bool, default=False
        Whether to train for a single epoch.
    view : callable or None, default=None
        ``view(trained)`` returns an estimator that has been fitted so, for scorers.
    hooks : Hooks
        What is called epoch by epoch.
    aside : Aside
        Measures what is done beside the solver.
    checkpoint : tuple of str, float and type, or None
        The path of a file in which the training is kept, how many seconds at least lie between
        two times that it is written, and the class of the estimator.
    """

    recipe: Recipe
    targets: Targets
    data: TrainingSet
    previous: Trained | None = None
    one_epoch: bool = False
    view: Callable[[Trained], Any] | None = None
    hooks: Hooks = field(default_factory=Hooks)
    aside: Aside = field(default_factory=Aside)
    checkpoint: tuple[Any, float, type] | None = None


def train(order: Order) -> Trained:
    """Train one network; see `train_together`.

    Parameters
    ----------
    order : Order
        What is to be trained.

    Returns
    -------
    Trained
        What has become of it.
    """
    [trained] = train_together([order])
    return trained


def train_together(orders: list[Order]) -> list[Trained]:
    """Train networks, those of the same structure as a stack.

    Parameters
    ----------
    orders : list of Order
        What is to be trained.

    Returns
    -------
    list of Trained
        In the same order.

    Raises
    ------
    ValueError
        If a training has diverged, or an order cannot be carried out.
    """
    trainings = [Training(order) for order in orders]
    _solve(trainings)
    again = [training for training in trainings if training.wants_all_samples()]
    for training in again:
        training.begin_with_all_samples()
    if again:
        _solve(again)
    return [training.result() for training in trainings]


def _solve(trainings: list[Training]) -> None:
    to_solve = [training for training in trainings if training.solution is None]
    states = solve([training.problem for training in to_solve])
    for training, state in zip(to_solve, states, strict=True):
        training.keep(state)
    for training in trainings:
        training.take_note()


@dataclass(frozen=True)
class InTraining:
    """A network in training, and all that has to be known to show it.

    Attributes
    ----------
    order : Order
    network : Network
    targets : Targets
        With weights of classes and the loss.
    found_rate : FoundRate or None
    """

    order: Order
    network: Network
    targets: Targets
    found_rate: FoundRate | None = None

    def trained(self, state: TrainingState, theta: Array | None = None) -> Trained:
        """Return the network as far as a state says, or as parameters do that are judged."""
        return Trained.of(
            self.network,
            self.targets,
            state if theta is None else replace(state, theta=theta),
            found_rate=self.found_rate,
            stops_early=self.order.recipe.early_stopping,
        )

    def explain(self, state: TrainingState) -> str:
        """Return what to add to a warning that training has not converged."""
        data = self.order.data
        return explain(self.order.recipe.words, self.trained(state), data.samples, data.y)

    def view(self, state: TrainingState, theta: Array) -> Any:
        """Return an estimator, for scorers."""
        assert self.order.view is not None
        return self.order.view(self.trained(state, theta))

    def after_epoch(self, state: TrainingState, theta: Array) -> bool:
        """Tell of an epoch; return whether to stop."""
        tell = self.order.hooks.after_epoch
        return tell is not None and tell(self.trained(state, theta))


class Training:
    """A training that has been prepared, and what comes of it.

    Parameters
    ----------
    order : Order

    Attributes
    ----------
    problem : Problem
        What is to be solved.
    solution : TrainingState or None
        What has become of it.
    """

    def __init__(self, order: Order) -> None:
        with order.aside.measured():
            self._prepare(order)

    def _prepare(self, order: Order) -> None:
        self._begin = time.perf_counter()
        recipe, data = order.recipe, order.data
        self._order, self._recipe, self._data = order, recipe, data
        self._targets = order.targets.weighted(data.y, data.sample_weight)
        self._y = self._targets.for_training(data.y)
        self._weight = self._targets.weigh(data.y, data.sample_weight)
        self._random: Any = recipe.random_state
        self._checkpoint = None if order.checkpoint is None else self._open_checkpoint()
        rng = self._begin_draws(FIRST)
        n_raw = self._targets.n_outputs * self._targets.loss.raw_per_target
        self._network = Network(recipe.layers(n_raw), data.samples.shape[1])
        state = self._first_state(rng) if order.previous is None else self._resume(order.previous)
        self._samples = data.samples.astype(state.theta.dtype)
        rows, self._held_out = hold_out(
            recipe, self._targets, data, self._weight, rng, state.theta.dtype
        )
        if order.previous is None:
            with np.errstate(all="ignore"):  # divergence is reported once it is certain
                self._calibrate(state.theta, rows, rng)
        self._shown = InTraining(order, self._network, self._targets)
        if self._held_out is not None:
            view = partial(self._shown.view, state)
            check_scoring_serves(recipe.scoring, view, self._held_out, state.theta)
        pieces = self._pieces(rng, rows, state)
        if recipe.finds_rate:
            pieces["solver"] = self._with_rate(Problem(**pieces))
        pieces["solver"] = self._for_rest_of_time(pieces["solver"])
        self._first: TrainingState | None = None  # the training that early stopping has ended
        self._pose(FIRST, pieces)

    def _pose(self, name: str, pieces: dict[str, Any], **watch: Any) -> None:
        """Set a problem, or its solution if there is one in a file."""
        self._name, self.solution, state = name, None, pieces["state"]
        if self._checkpoint is not None:
            resumed = self._checkpoint.resumed(name, Problem(**pieces))
            if isinstance(resumed, TrainingState):
                self.solution = state = resumed
                self._checkpoint.say_again(resumed, pieces["solver"])
            else:
                pieces, state = vars(resumed), resumed.state
        if self._first is None:
            watch = self._watch(state)
        self._state, self.problem = state, Problem(**(pieces | watch))

    def keep(self, state: TrainingState) -> None:
        """Keep what has become of the problem, in the file, too, unless it was interrupted."""
        self.solution = self._state = state
        if self._checkpoint is not None and not state.is_interrupted:
            self._checkpoint.finish(self._name, state, self.problem.rng)
            self._checkpoint.try_to_write()

    def take_note(self) -> None:
        """Warn if what has become of the problem says little."""
        if self._first is not None:
            self._warn_if_short(self._first)
        elif self._has_chosen_its_epoch():
            self._check_scores(self._state)

    def wants_all_samples(self) -> bool:
        """Whether the network is to be trained anew on all samples."""
        n_epochs = self._state.best_epoch
        if not (self._recipe.refit_full and self._has_chosen_its_epoch() and n_epochs):
            return False
        most: float | None = getattr(self.problem.solver, "max_operations", None)
        left = self._state.operations_left(most)
        if most is None or left >= cost_on_all_rows(self.problem, n_epochs):
            return True
        warn(
            f"max_flops={self._recipe.words['max_flops']} leave too few operations for {n_epochs} "
            "epochs on all samples: the network is the one that early stopping has found."
        )
        return False

    def _has_chosen_its_epoch(self) -> bool:
        """Whether early stopping has run to its end."""
        problem, state = self.problem, self._state
        return problem.stops_early and not problem.one_epoch and not state.is_interrupted

    def begin_with_all_samples(self) -> None:
        """Make the problem that trains on all rows, for as many epochs as were best."""
        with self._order.aside.measured():
            self._begin_again()

    def _begin_again(self) -> None:
        first = self._first = self._state
        rng = self._begin_draws(AGAIN)
        state = self._first_state(rng)
        with np.errstate(all="ignore"):
            self._calibrate(state.theta, None, rng)
        pieces = self._pieces(rng, None, state)
        solver = self._for_rest_of_time(pieces.pop("solver"))
        changes: dict[str, Any] = {
            "n_iter_no_change": np.inf,
            "max_operations": None,  # there are enough
        }
        if isinstance(solver, Stochastic):
            changes |= _same_rates(solver, first)
        self._pose(
            AGAIN,
            {**pieces, "solver": solver.changed(**changes)},
            after_epoch=lambda state, theta: state.n_iter >= first.best_epoch,
        )

    def result(self) -> Trained:
        """Return the trained network; raise if training has diverged."""
        with self._order.aside.measured():
            state = self._state
            if self._first is not None:
                scores, best = self._first.validation_scores, self._first.best_score
                state = replace(state, validation_scores=scores, best_score=best)
            trained = self._shown.trained(state)
            check_outcome(self._recipe.words, self.problem, trained, self._data.samples)
        return replace(trained, state=replace(state, spent=self._spent()))

    def _spent(self) -> Spent:
        """Return what all of it has cost."""
        found, first = self._shown.found_rate, self._first
        spent = self._state.spent.plus(self._order.aside.spent)
        if first is not None:
            spent = first.spent.plus(spent)
        if found is not None and self._order.previous is None:
            spent = spent.plus(Spent(operations=found.operations))
        arrays = self._samples, self._y, self._weight
        about = self.problem, arrays, len(self._samples), found is not None
        return spent._replace(peak_bytes=peak_bytes(*about))

    # The file in which it is kept.

    def _open_checkpoint(self) -> Checkpoint:
        order, data, words = self._order, self._data, self._recipe.words
        assert order.checkpoint is not None
        path, seconds, cls = order.checkpoint
        about = {
            **words,
            "estimator": cls,
            **data.described(),
            "targets": order.targets.published(),
        }
        if (previous := order.previous) is not None:
            about["the network before"] = previous.theta(), previous.state.trimmed()
        return Checkpoint(path, seconds, about, int(words["max_iter"]))

    def _begin_draws(self, name: str) -> np.random.RandomState:
        """Return the random state that a training begins with."""
        rng = make_random_state(self._random)
        if self._checkpoint is None:
            return rng
        is_own = isinstance(self._random, np.random.RandomState)
        rng = self._checkpoint.begin(name, rng, is_own)
        if not isinstance(self._random, Integral):
            self._random = rng  # what comes later goes on drawing from it
        return rng

    # How it begins.

    def _first_state(self, rng: np.random.RandomState) -> TrainingState:
        """Return the state that training begins with: new parameters."""
        recipe, network, dtype = self._recipe, self._network, self._data.samples.dtype
        first = network.layers[0]
        if not (self._data.samples.is_dense or first.takes_sparse):
            raise ValueError(
                f"front={recipe.words['front']!r} needs dense X; convert it with X.toarray()."
            )
        dtype = dtype if dtype in (np.float32, np.float64) else np.dtype(np.float64)
        theta = network.initialize(recipe.draw(rng), rng, dtype)
        if recipe.initial_arrays is not None:
            coefs, intercepts = recipe.initial_arrays
            given = {"coefs_": coefs, "intercepts_": intercepts}
            try:
                theta = network.join(network.publish(theta) | given).astype(dtype)
            except ValueError as error:
                raise ValueError(f"initializer does not fit the network: {error}") from error
        return TrainingState(theta)

    def _calibrate(self, theta: Array, rows: Array | None, rng: np.random.RandomState) -> None:
        """Adapt new parameters to the rows that are trained on, and to the targets."""
        if self._recipe.initial_arrays is not None:
            return
        if self._network.calibrates:
            n_rows = len(self._samples) if rows is None else len(rows)
            chosen = spread_rows(n_rows, CALIBRATION_ROWS)
            few = self._samples[chosen if rows is None else rows[chosen]]
            self._network.calibrate(theta, few, rng)
        choice, loss = self._recipe.intercept_init, self._targets.loss
        if choice == "zero":
            self._network.set_output_intercepts(theta, np.zeros(1))
        elif choice == "target" or loss.starts_at_target:
            start = loss.start(self._data.y, self._weight)
            if start is not None:
                self._network.set_output_intercepts(theta, start)

    def _resume(self, previous: Trained) -> TrainingState:
        """Return the state of an earlier training, with the parameters as they are now."""
        order, theta = self._order, self._theta_of(previous)
        old, state = previous.state, previous.state.for_next_call(theta)
        if order.one_epoch and self._recipe.early_stopping and old.best_theta is None:
            state.best_score, state.n_no_change = -np.inf, 0  # those of another validation set
        if not are_equal(previous.targets.settings.loss, order.targets.settings.loss):
            state.best_loss, state.n_no_change = np.inf, 0  # those of another objective
        moments = old.moments or {}
        fit = set(moments) == self._recipe.solver.moment_names() != set()
        if order.one_epoch and fit and all(a.shape == theta.shape for a in moments.values()):
            return state
        return state.without_optimizer()

    def _theta_of(self, previous: Trained) -> Array:
        """Return the parameters of an earlier training, as they are now, for this network.

        Layers without parameters may differ, and users may have assigned arrays of other shapes.
        """
        network, words = previous.network, self._recipe.words
        try:
            if self._network.is_alike(network):
                return self._network.join(network.publication.publish(previous.parameters))
            error = None
        except ValueError as mismatch:
            error = mismatch
        what = "The network's layers differ from those that were fitted"
        if self._network.hidden_sizes != network.hidden_sizes:
            what = (
                f"hidden_layer_sizes={words['hidden_layer_sizes']!r} differs from the fitted "
                f"network, which has {tuple(network.hidden_sizes)}. Training can go on with the "
                "same sizes only"
            )
        elif error is not None:
            raise error
        elif previous.network.publication.counts != self._network.publication.counts:
            what = f"normalization={words['normalization']!r} differs from the fitted network"
        raise ValueError(f"{what}; set warm_start=False to begin anew.")

    # The problem.

    def _pieces(
        self, rng: np.random.RandomState, rows: Array | None, state: TrainingState
    ) -> dict[str, Any]:
        """Return what makes up a problem of which nobody is told yet."""
        recipe, order = self._recipe, self._order
        if recipe.augmentation is not None and not self._samples.is_dense:
            raise ValueError(
                f"augmentation={recipe.words['augmentation']!r} needs dense X; convert it with "
                "X.toarray()."
            )
        return {
            "objective": Objective(self._network, self._targets.loss, recipe.penalty, recipe.alpha),
            "solver": self._solver_for(self._data.n_samples if rows is None else len(rows)),
            "samples": self._samples,
            "y": self._y,
            "sample_weight": self._weight,
            "rows": rows,
            "state": state,
            "rng": rng,
            "rng_is_own": isinstance(recipe.random_state, Integral),
            "augmentation": recipe.augmentation,
            "seed": self._draw_seed(rng),
            "keeps_incoming": order.previous is not None,
            "one_epoch": order.one_epoch,
            "verbose": recipe.verbose,
        }

    def _watch(self, state: TrainingState) -> dict[str, Any]:
        """Return how a problem is validated, and whom it tells of its epochs."""
        shown, hooks, held_out = self._shown, self._order.hooks, self._held_out
        validate = None
        if held_out is not None:
            view, scoring = partial(shown.view, state), self._recipe.scoring
            validate = make_validation(self._network, self._targets, held_out, scoring, view)
        return {
            "validate": validate,
            "validation_operations": validation_cost(
                self._network, self._targets.loss, held_out, self._recipe.scoring
            ),
            "stops_early": validate is not None and self._recipe.early_stopping,
            "before_epoch": hooks.before_epoch,
            "after_epoch": None if hooks.after_epoch is None else shown.after_epoch,
            "explain": shown.explain,
        }

    def _solver_for(self, n_samples: int) -> Solver:
        """Return the solver for so many samples.

        Batch normalisation cannot learn from batches of single rows: the mean of one row is the
        row, so that all would be normalised to 0.
        """
        wanted = self._recipe.solver
        solver = wanted.for_samples(n_samples)
        choice = self._recipe.words["batch_size"]
        if solver is not wanted and isinstance(choice, Integral) and int(choice) > n_samples:
            warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be "
                f"clipped: batch_size={choice}, but there are {n_samples} training samples."
            )
        if self._network.mixes_rows and getattr(solver, "batch_size", None) == 1:
            is_batch_norm = self._recipe.words["normalization"] == "batch"
            what = "normalization='batch'" if is_batch_norm else "A layer that mixes samples"
            raise ValueError(
                f"{what} needs batches of at least two samples; here they have one "
                f"(batch_size={self._recipe.words['batch_size']!r}). Use a larger batch_size, pass "
                "more rows to partial_fit, or use normalization='layer'."
            )
        return solver

    def _draw_seed(self, rng: np.random.RandomState) -> tuple[int, ...]:
        """Return a seed for random numbers beside the shuffles; draws only if there are any."""
        if self._network.n_noise == 0 and self._recipe.augmentation is None:
            return (0,)
        return (int(rng.randint(np.iinfo(np.int32).max)),)

    def _with_rate(self, problem: Problem) -> Solver:
        """Return a solver with the rate of a range test, unless that has been made before."""
        previous = self._order.previous
        found = None if previous is None else previous.found_rate
        solver = problem.solver
        if found is None:
            left = getattr(solver, "max_operations", None)
            if left is not None and left <= (cost := count_operations(problem)):
                raise ValueError(
                    f"max_flops={left:g} are fewer than the {cost:.2g} operations that the range "
                    "test of learning_rate_init='auto' takes; increase max_flops, or set a rate."
                )
            test = partial(find_rate, problem)
            keep = self._checkpoint
            found = FoundRate(*(keep.once("rate", test) if keep else test()))
            if left is not None:
                solver = solver.changed(max_operations=left - found.operations)
        self._shown = replace(self._shown, found_rate=found)
        return solver.changed(learning_rate=found.rate)

    def _for_rest_of_time(self, solver: Solver) -> Solver:
        """Return a solver with the part of `max_time` that has not been used yet."""
        if self._recipe.max_time is None:
            return solver
        used = time.perf_counter() - self._begin
        if self._checkpoint is not None:
            used += self._checkpoint.seconds_before
        return solver.changed(max_time=max(0.0, self._recipe.max_time - used))

    # What is said of it.

    def _check_scores(self, state: TrainingState) -> None:
        """Warn if early stopping had no score to go by, or one that says little."""
        scoring, held_out = self._recipe.scoring, self._held_out
        if not state.best_epoch and not np.isfinite(state.best_score):
            warn(
                f"scoring={scoring!r} gave no number in any epoch, so there is no best one: the "
                "weights are those of the last.",
                ConvergenceWarning,
            )
        elif held_out is not None and scoring is None:
            doubts = self._targets.doubts(state.best_score, held_out.y, held_out.sample_weight)
            if doubts:
                warn(doubts)

    def _warn_if_short(self, first: TrainingState) -> None:
        if self._state.n_iter < first.best_epoch and not self._state.is_interrupted:
            warn(
                f"max_time={self._recipe.max_time} seconds were over after {self._state.n_iter} of "
                f"the {first.best_epoch} epochs on all samples; increase it.",
                ConvergenceWarning,
            )


def _same_rates(solver: Stochastic, first: TrainingState) -> dict[str, Any]:
    """Return what makes a solver train at the rates of an earlier training.

    Those after plateaus and recoveries, too; but not those from which training had to go back.
    """
    if solver.schedule.by_step:
        return {"learning_rate": solver.learning_rate * first.recovery_factor}
    rates = [row[HISTORY.index("learning_rate")] for row in first.history]
    if first.recovered_at:
        highest = max(rates[first.recovered_at :], default=rates[-1])
        rates = [min(rate, highest) for rate in rates]
    return {"schedule": FromFunction(rates.__getitem__), "learning_rate": 1.0}
