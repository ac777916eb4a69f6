"""How the networks of an ensemble are trained: together, and kept as they settle."""

from __future__ import annotations

import functools
import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import joblib
import numpy as np

from sknn._math import Array, spread_rows
from sknn.activations import resolve_activation
from sknn.architecture import build_layers
from sknn.initializers import DataDriven
from sknn.ledger import Spent
from sknn.network import CALIBRATION_ROWS, Network
from sknn.objective import Objective
from sknn.optimizers import Adam
from sknn.penalties import L2
from sknn.samples import Joined, Samples, as_samples
from sknn.schedules import CosLog, EveryStep, FlatCosine
from sknn.solvers import Problem, Stochastic, TrainingState, solve
from sknn.solvers.cost import epoch_operations
from sknn.tabular.clock import ByTheClock, Clock
from sknn.tabular.encoder import TableEncoder
from sknn.tabular.encoding import TargetMeans, Waves, draw_folds
from sknn.tabular.members import Fold, LeftOut, Member, Members, Unit
from sknn.tabular.presets import Kind, Preset, choose_batch_size, choose_epochs
from sknn.tabular.stored import EncodedSamples, StoredTable, learn_means
from sknn.tabular.table import Table
from sknn.targets import Classes, Targets
from sknn.training import Hooks

WAVE_SCALE = 0.5
"""What the factors of waves begin with; those of other inputs begin with 1."""

MIN_LEVELS = 9
"""From so many categories on their mean targets are learnt, too."""

MAX_TARGETS = 10
"""With more targets their means would be too many."""

N_PROBED = 8
"""So many steps, a few times over, show how long a step takes."""

BETA_2 = 0.95
"""The decay of Adam's second moment."""


EMPTY = Table(np.empty((0, 0)), np.empty((0, 0), np.intp))
"""A table of which nobody wants to know what it holds."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What all networks of an ensemble learn from.

    Attributes
    ----------
    table : Table or StoredTable
    targets : Targets
        With weights of classes and the loss.
    y : ndarray of shape (n_samples, n_outputs)
        Encoded targets.
    weight, given : ndarray of shape (n_samples,) or None
        The samples' weights, times those of their classes and as they were given.
    """

    table: Table | StoredTable
    targets: Targets
    y: Array
    weight: Array | None
    given: Array | None = None

    def of(self, rows: Array) -> Lesson:
        """Return what some rows teach."""
        return replace(self.judged(rows), table=self.table.of(rows))

    def judged(self, rows: Any) -> Lesson:
        """Return what some rows are judged by, without what they hold."""
        weight = None if self.weight is None else self.weight[rows]
        given = None if self.given is None else self.given[rows]
        return replace(self, table=EMPTY, y=self.y[rows], weight=weight, given=given)

    def for_means(self, rows: Any) -> Array:
        """Return targets of which categories have means: of classes, the first follows."""
        n = self.y.shape[1]
        first = 1 if n > 1 and isinstance(self.targets, Classes) else 0
        return self.y[rows, first:].astype(np.float64)

    def described(self, groups: Any) -> dict[str, Any]:
        """Return what training depends on, in arrays, under the names that users know."""
        return {
            "X": self.table.described(),
            "y": self.y,
            "sample_weight": (self.weight, self.given),
            "groups": None if groups is None else np.asarray(groups),
        }

    def fingerprint(self) -> str:
        """Return what tells a table and its targets from others."""
        return str(joblib.hash((self.table, self.y)))

    def smoothed(self, share: float) -> Lesson:
        """Return the lesson with a share of the targets spread over all classes."""
        if not share or self.targets.are_numbers:
            return self
        settings = replace(self.targets.settings, label_smoothing=share)
        with warnings.catch_warnings():  # what there is to say of class weights has been said
            warnings.simplefilter("ignore")
            targets = self.targets.adopt(settings).weighted(self.y, self.weight)
        return replace(self, targets=targets)


class Training:
    """The training of the networks of a kind.

    Parameters
    ----------
    lesson : Lesson
    kind : Kind
    preset : Preset
    batch_size : int or None
        None for what suits the number of rows.
    encoder : TableEncoder
        Fitted.
    X : ndarray of shape (n_samples, n_features) or EncodedSamples
        The rows, encoded.
    folds : list of Fold
    rng : RandomState

    Attributes
    ----------
    kind : Kind
    n_epochs : int
        How long it is planned to be.
    is_interrupted : bool
        Whether Ctrl-C has ended it.
    """

    def __init__(
        self,
        lesson: Lesson,
        kind: Kind,
        preset: Preset,
        batch_size: int | None,
        encoder: TableEncoder,
        X: Array | EncodedSamples,
        folds: list[Fold | LeftOut],
        rng: np.random.RandomState,
    ) -> None:
        n_rows = min(len(fold.train) for fold in folds)
        self._batch_size = min(batch_size or choose_batch_size(n_rows), n_rows)
        self.n_epochs = choose_epochs(kind, preset.min_steps, n_rows, self._batch_size)
        self._seconds: float | None = None
        self._first_share = 1.0
        self.is_interrupted = False
        self._lesson, self.kind, self._preset, self._folds = lesson, kind, preset, folds
        self._encoder, self._X, self._rng = encoder, X, rng
        self._waves = CosLog(preset.n_cycles, preset.growth, ends_with_epochs=True)
        n_raw = lesson.targets.n_outputs * lesson.targets.loss.raw_per_target
        n_targets = lesson.for_means(slice(1)).shape[1]
        places = range(lesson.table.sample.codes.shape[1]) if n_targets <= MAX_TARGETS else ()
        self._about = [p for p in places if encoder.about_category(p)[0] >= MIN_LEVELS]
        n_own = len(self._about) * n_targets
        layers = _make_layers(kind, preset, encoder, n_own, n_raw)
        self._network = Network(layers, X.shape[1] + n_own)

    def make_clock(self, seconds: float) -> Clock:
        """Return a clock by which the training takes no more than so many seconds."""
        return Clock(seconds * self._first_share, self.n_epochs, self._waves.end_shares())

    @property
    def members(self) -> list[Member]:
        """The networks of the latest problems that were posed."""
        return self._members

    @property
    def n_folds(self) -> int:
        """How many networks there are."""
        return len(self._folds)

    @property
    def is_streamed(self) -> bool:
        """Whether the rows come from a file: then one network is trained after the other."""
        return isinstance(self._X, EncodedSamples)

    @contextmanager
    def rows_at_hand(self) -> Iterator[None]:
        """Have rows from a file encoded only once, while this lasts."""
        X = self._X
        if not isinstance(X, EncodedSamples):
            yield
            return
        self._X = written = X.written()
        try:
            yield
        finally:
            self._X = X
            written.discard()

    @property
    def seconds_per_epoch(self) -> float:
        """How long an epoch of all folds takes, from a few steps that are thrown away."""
        if self._seconds is None:
            self._seconds = self._probe()
        return self._seconds

    @property
    def operations_per_epoch(self) -> int:
        """How many floating-point operations an epoch of all folds takes."""
        lesson, theta = self._lesson, TrainingState(np.empty(0))
        rng = np.random.RandomState(0)
        whole = Problem(
            objective=Objective(self._network, lesson.targets.loss, L2(), 0.0),
            solver=self._make_solver(self.n_epochs, None),
            samples=as_samples(self._X),
            y=self._make_y(),
            sample_weight=lesson.weight,
            rows=None,
            state=theta,
            rng=rng,
        )
        size = self._batch_size
        return sum(epoch_operations(whole, size, size * self._count_steps(f)) for f in self._folds)

    def _make_y(self) -> Array:
        """Return the targets as they are trained on; of many rows they are made when needed."""
        return self._lesson.targets.for_training(self._lesson.y)

    def takes_as_long_as(self, other: Training) -> None:
        """Take over the times of a training of the same kind."""
        self._seconds, self._first_share = other.seconds_per_epoch, other._first_share

    def _probe(self) -> float:
        """Return how long an epoch of all folds takes; note the first stack's part of it.

        Folds that are too many for one stack are trained one stack after the other.
        """
        few, n_probed = N_PROBED * self._batch_size, 1 if self.is_streamed else self.n_folds
        folds = [Fold(fold.train[:few], fold.held_out) for fold in self._folds[:n_probed]]
        times = [list[float]() for _ in folds]
        states = solve(list(self._pose_probes(folds, times)))
        if any(state.is_interrupted for state in states):
            raise KeyboardInterrupt
        seconds = []
        for stack in _stacks_by_time(times):
            n_made, n_steps = (
                sum(self._count_steps(of[m]) for m in stack) for of in (folds, self._folds)
            )
            laps = np.diff(max((times[m] for m in stack), key=len))
            if not laps.size:
                raise ValueError(
                    "Training has diverged in its first epoch: lower learning_rate_init="
                    f"{self.kind.learning_rate_init}, or weights of samples or classes that are "
                    "very unlike."
                )
            seconds.append(min(laps) * n_steps / n_made)
        seconds += [seconds[0] / n_steps * self._count_steps(f) for f in self._folds[len(folds) :]]
        self._first_share = float(seconds[0] / sum(seconds))
        return float(sum(seconds))

    def _pose_probes(self, folds: list[Fold], times: list[list[float]]) -> Iterator[Problem]:
        """Yield problems of a few rows, which note when their epochs end."""
        solver, rng, y = self._make_solver(3, None), np.random.RandomState(0), self._make_y()

        def watch(state: TrainingState, theta: Array, of_fold: list[float]) -> bool:
            of_fold.append(time.perf_counter())
            return False

        for fold, of_fold in zip(folds, times, strict=True):
            watcher = partial(watch, of_fold=of_fold)
            member = Member(fold, self._unit(fold))
            problem = self._pose(member, y, solver, rng, after_epoch=watcher)
            yield problem.in_memory() if self.is_streamed else problem

    def _count_steps(self, fold: Fold | LeftOut) -> int:
        """Return how many steps an epoch of a fold has."""
        return max(1, len(fold.train) // self._batch_size)

    def pose(self, clock: Clock | None, hooks: Hooks) -> list[Problem]:
        """Return the problems of the folds; members keep what they learn as they are solved.

        Parameters
        ----------
        clock : Clock or None
            What the training is to end by.
        hooks : Hooks
            What the first network calls, with its state.
        """
        return list(self.pose_each(clock, hooks))

    def pose_each(self, clock: Clock | None, hooks: Hooks) -> Iterator[Problem]:
        """Yield the problem of one fold after the other; see `pose`."""
        self._clock = clock
        self._members, self._n_bytes = list[Member](), list[int]()
        solver, y = self._make_solver(self.n_epochs, clock), self._make_y()
        for fold in self._folds:
            is_first = not self._members
            member = Member(fold, self._unit(fold))
            self._members.append(member)
            problem = self._pose(
                member,
                y,
                solver,
                self._rng,
                before_epoch=hooks.before_epoch if is_first else None,
                after_epoch=self._watcher(member, hooks.after_epoch if is_first else None),
            )
            self._n_bytes.append(solver.bytes_per_model(problem))
            yield problem

    def finish(self, states: list[TrainingState]) -> Members | None:
        """Return the networks; None if the training was interrupted before they had learnt."""
        for member, state in zip(self._members, states, strict=True):
            if not member.thetas and state.n_iter and np.isfinite(state.theta).all():
                member.thetas[0] = state.theta
        n_moments = min(len(member.thetas) for member in self._members)
        self.is_interrupted = any(state.is_interrupted for state in states)
        if not n_moments and self.is_interrupted:
            return None
        if not n_moments:
            raise ValueError(
                f"Training has diverged: lower learning_rate_init={self.kind.learning_rate_init}."
            )
        for member in self._members:  # the latest ones
            kept = sorted(member.thetas)[-n_moments:]
            member.thetas = {k: member.thetas[moment] for k, moment in enumerate(kept)}
        n_epochs = max(state.n_iter for state in states)
        return Members(
            self.kind,
            self._encoder,
            self._network,
            self._members,
            n_moments,
            n_epochs,
            self._batch_size,
            functools.reduce(Spent.plus, (state.spent for state in states))._replace(
                peak_bytes=max(self._n_bytes) if self.is_streamed else sum(self._n_bytes)
            ),
        )

    def _make_solver(self, n_epochs: int, clock: Clock | None) -> Stochastic:
        preset, waves, flat = self._preset, self._waves, FlatCosine()
        follow = EveryStep if clock is None else partial(ByTheClock, clock=clock)
        return Stochastic(
            optimizer=Adam(beta_2=BETA_2),
            schedule=follow(waves),
            learning_rate=self.kind.learning_rate_init,
            batch_size=self._batch_size,
            max_iter=n_epochs if clock is None else 2 * n_epochs + preset.n_cycles,
            shuffle=True,
            tol=0.0,
            n_iter_no_change=math.inf,
            target_loss=None,
            weight_decay=preset.weight_decay,
            decay_schedule=follow(flat),
            noise_schedule=follow(flat),
            drops_last=True,
        )

    def _unit(self, fold: Fold | LeftOut) -> Unit | None:
        """Return the unit of numbers that are learnt in a fold."""
        lesson = self._lesson
        if not lesson.targets.are_numbers:
            return None
        weight = None if lesson.weight is None else lesson.weight[fold.train]
        return Unit.of(lesson.y[fold.train].astype(np.float64), weight)

    def _pose(
        self, member: Member, y: Array, solver: Stochastic, rng: np.random.RandomState, **hooks: Any
    ) -> Problem:
        """Return the problem of a fold."""
        lesson, network, rows = self._lesson, self._network, member.fold.train
        own = np.random.RandomState(rng.randint(np.iinfo(np.int32).max))
        theta = network.initialize(lambda i, o: DataDriven().draw(own, i, o, 1.0), own, np.float32)
        samples = self._learn_means(member, rows, own)
        network.calibrate(theta, samples[rows[spread_rows(len(rows), CALIBRATION_ROWS)]], own)
        unit = member.unit
        return Problem(
            objective=Objective(network, lesson.targets.loss, L2(), 0.0),
            solver=solver,
            samples=samples,
            y=y if unit is None else unit.apply(y),
            sample_weight=lesson.weight,
            rows=rows,
            state=TrainingState(theta),
            rng=own,
            rng_is_own=True,
            seed=(int(own.randint(np.iinfo(np.int32).max)),),
            shares_rows=False,
            keeps_state=False,
            **hooks,
        )

    def _learn_means(self, member: Member, rows: Array, rng: np.random.RandomState) -> Samples:
        """Learn a member's own means; return all rows as its network takes them."""
        if not self._about:
            return as_samples(self._X)
        lesson = self._lesson
        about = [(place, self._encoder.about_category(place)) for place in self._about]
        if isinstance(self._X, EncodedSamples):
            seed = int(rng.randint(np.iinfo(np.int32).max))
            known = lesson.for_means, lesson.weight, rows, seed
            member.means, samples = learn_means(self._X, about, *known)
            return samples
        targets, codes = lesson.for_means(rows), lesson.table.sample.codes
        weight = None if lesson.weight is None else lesson.weight[rows]
        folds = draw_folds(len(rows), rng)
        member.means = [
            (place, TargetMeans(codes[rows, place], n, targets, weight, folds, name, origin))
            for place, (n, name, origin) in about
        ]
        own = np.concatenate(member.encode(codes), axis=1)
        start = 0
        for _, means in member.means:  # the rows that are trained on see the others' targets only
            stop = start + len(means.names)
            fitted = np.empty((len(rows), stop - start), np.float32)
            means.encode_training_rows(fitted)
            own[rows, start:stop], start = fitted, stop
        return Joined(self._X, own)

    def _watcher(
        self, member: Member, tell: Callable[[Any], bool] | None
    ) -> Callable[[TrainingState, Array], bool]:
        """Return what keeps a member's parameters where the rate has come down to 0."""
        clock, ends = self._clock, self._waves.ends(self.n_epochs)

        def watch(state: TrainingState, theta: Array) -> bool:
            n = state.n_iter
            if clock is not None:
                moment = clock.wave_that_ends(n)
            else:
                moment = ends.index(n) if n in ends else None
            if moment is not None and np.isfinite(theta).all():
                member.thetas[moment] = theta.copy()
            is_told_to_stop = tell is not None and tell(state)
            return is_told_to_stop or (clock is not None and clock.has_ended(n))

        return watch


def _stacks_by_time(times: list[list[float]]) -> list[list[int]]:
    """Return which models have been trained together, from when their epochs have ended."""
    stacks: list[list[int]] = []
    for m in sorted(range(len(times)), key=lambda m: times[m][0]):
        if not stacks or times[m][0] > times[stacks[-1][0]][-1]:
            stacks.append([])
        stacks[-1].append(m)
    return stacks


def _make_layers(
    kind: Kind, preset: Preset, encoder: TableEncoder, n_own: int, n_raw: int
) -> list[Any]:
    sizes = kind.hidden_layer_sizes
    return build_layers(
        sizes,
        [resolve_activation(kind.activation)] * len(sizes),
        n_raw,
        dropout=[preset.dropout] * len(sizes),
        scale=np.concatenate([*_first_scales(encoder), np.ones(n_own)]),
        parametrization="ntk",
        adapts=True,
    )


def _first_scales(encoder: TableEncoder) -> Iterator[Array]:
    for encoding in encoder.encodings():
        first = WAVE_SCALE if isinstance(encoding, Waves) else 1.0
        yield np.full(len(encoding.names), first)
