"""What the two estimators on a cluster share."""

from __future__ import annotations

import copy
from abc import abstractmethod
from contextlib import ExitStack
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from distributed import Client
from sklearn.utils.validation import check_is_fitted

from sknn._blas import ONE_BLAS_THREAD
from sknn._component import own
from sknn._constraints import NONE, Check, Interval, InvalidParameterError, check_parameters
from sknn._math import Array
from sknn.dask.answers import answer, mean_score
from sknn.dask.fleet import (
    MAX_SHARDS,
    ROWS_PER_SHARD,
    ROWS_PER_STEP,
    Fleet,
    FleetJudge,
    Partitions,
    check_features,
    connected,
    is_lazy,
)
from sknn.dask.rounds import Rounds
from sknn.dask.shards import Plan, Survey, dtype_of
from sknn.estimators.base import BaseMLP, Work
from sknn.estimators.fields import param
from sknn.estimators.hints import with_hints
from sknn.estimators.settings import BATCH_SIZES, check_settings, make_recipe
from sknn.estimators.stored import check_unread
from sknn.ledger import Aside
from sknn.solvers import Stochastic
from sknn.targets import Targets, TargetSettings
from sknn.training import EpochTasks, HeldOut, Recipe, TrainingSet, with_callbacks

CLIENT = param(
    default=None,
    type="distributed.Client or None",
    allowed=[NONE, Check(lambda value: isinstance(value, Client), "a distributed.Client")],
    doc="The client of the cluster; None takes the current one, or starts a LocalCluster for the "
    "time of `fit`. Pickles and copies of the estimator are without it.",
)

N_SHARDS = param(
    default=None,
    type="int or None",
    allowed=[NONE, Interval(Integral, 1, None)],
    doc="Into how many shards the rows are divided, at least 1. At most so many workers can train, "
    "and what is trained depends on it; not on how many workers there are. None is a shard for "
    "each 50,000 rows, 128 at most. All have as many rows of a batch: `batch_size` is rounded up "
    "to a multiple of it.",
)

SYNC_EVERY = param(
    default=16,
    type="int",
    allowed=[Interval(Integral, 1, None)],
    doc="So many steps shards make before their parameters are averaged, at least 1; an epoch ends "
    "with an average in any case. With 1 they make each step together, from the sum of their "
    "gradients, as one machine does.",
)

OUTER_LEARNING_RATE = param(
    default=1.0,
    type="float",
    allowed=[Interval(Real, 0, None, "neither")],
    doc="By what the averaged difference of a round is multiplied, positive; 1 is the average.",
)

OUTER_MOMENTUM = param(
    default=0.0,
    type="float",
    allowed=[Interval(Real, 0, 1)],
    doc="Nesterov momentum of these differences, in [0, 1).",
)

REFUSED: dict[str, tuple[Any, str]] = {
    "refit_full": (False, "the rows that are held out stay so"),
    "max_flops": (None, "use max_iter or max_time"),
}
"""Parameters that a cluster cannot heed: the value that leaves them out, and why or what to do."""


class BaseDaskMLP(BaseMLP):
    """A network that is trained on the workers of a Dask cluster.

    It is fitted as its local counterpart is, whose attributes it has, and answers by it.
    """

    client: Any
    n_shards: int | None
    sync_every: int
    outer_learning_rate: float
    outer_momentum: float
    _counterpart: ClassVar[type[BaseMLP]]
    _are_numbers: ClassVar[bool]

    @abstractmethod
    def _learn(self, surveys: list[Survey]) -> tuple[Targets, Any]:
        """Return the targets of what partitions of y say, and the labels that were found."""

    # Fitting.

    @with_hints
    @with_callbacks
    @ONE_BLAS_THREAD
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # type: ignore[override]
        """Train the network on a cluster.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            The samples. If no column has more than single precision the network computes in it.
        y : dask Array, DataFrame or Series of shape (n_samples,) or (n_samples, n_outputs)
            The targets, in partitions of the same rows.
        sample_weight : dask Array or Series of shape (n_samples,), default=None
            Weights of the samples, at least 0, in partitions of the same rows.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If X, y or sample_weight is no Dask collection.
        ValueError
            If a parameter or the data are not valid, or if training has diverged.
        """
        check_parameters(self, self._constraints)
        check_settings(self)
        self._check_cluster_settings()
        partitions = Partitions(X, y, sample_weight)
        is_first = not (self.warm_start and hasattr(self, "coefs_"))
        tasks = EpochTasks.of(self, X, y, sample_weight, self.max_iter)
        fitted, aside = self._copy(), Aside()
        fitted._forget(is_first)
        fitted._note_features(X, is_first)
        with ExitStack() as stack:
            client = stack.enter_context(connected(self.client))
            with aside.measured():
                work = fitted._make_work(client, partitions, dtype_of(X), is_first, stack)
            return self._train(fitted, work, tasks, aside)

    def _check_cluster_settings(self) -> None:
        """Raise InvalidParameterError for what a cluster cannot heed."""
        for name, (off, remedy) in REFUSED.items():
            value = getattr(self, name)
            if value != off:
                raise InvalidParameterError(
                    f"{name}={value!r} cannot be used on a cluster: {remedy}."
                )
        if isinstance(self.solver, str) and self.solver == "lbfgs":
            raise InvalidParameterError(
                "solver='lbfgs' works on all samples at once; on a cluster use a stochastic solver "
                "such as 'adam'."
            )
        if self.batch_size == "adaptive":
            raise InvalidParameterError(
                "batch_size='adaptive' cannot be used on a cluster, whose shards have even "
                "batches; use an int or 'auto'."
            )
        if not isinstance(self.validation_fraction, Real):
            raise InvalidParameterError(
                f"validation_fraction={self.validation_fraction!r} cannot be used on a cluster: no "
                "splitter sees all rows. Use a float, the share of each shard that is held out."
            )
        if self.early_stopping and self.scoring not in (None, "loss"):
            raise InvalidParameterError(
                f"scoring={self.scoring!r} cannot be used on a cluster, where the score is a sum "
                "over shards; use None (accuracy or R2) or 'loss'."
            )
        for name, off in (("outer_learning_rate", 1.0), ("outer_momentum", 0.0)):
            value = getattr(self, name)
            if self.sync_every == 1 and value != off:
                raise InvalidParameterError(
                    f"{name}={value!r} has no effect with sync_every=1, where shards make each "
                    "step together: set sync_every > 1, or leave it out."
                )
        if self.normalization == "batch" and self.sync_every == 1:
            raise InvalidParameterError(
                "normalization='batch' with sync_every=1 cannot be used on a cluster: no shard has "
                "the whole batch. Use normalization='layer', or sync_every > 1."
            )

    def _note_features(self, X: Any, is_first: bool) -> None:
        """Note the features of a Dask collection, or check that they are those of the fit."""
        check_features(X)
        names = list(X.columns) if hasattr(X, "columns") else None
        check_unread(self, X.shape[1], names, is_first)

    def _make_work(
        self,
        client: Client,
        partitions: Partitions,
        dtype: Any,
        is_first: bool,
        stack: ExitStack,
    ) -> Work:
        """Return what is to be done, with shards on the cluster for as long as the stack lasts."""
        surveys = partitions.surveys(client, self._are_numbers)
        n_rows = [survey.n_rows for survey in surveys]
        total = sum(n_rows)
        if total < 2:
            raise ValueError(f"X has {total} rows; at least 2 are needed.")
        targets = self._targets_of(surveys, is_first)
        n_shards = self.n_shards or min(MAX_SHARDS, -(-total // ROWS_PER_SHARD))
        if n_shards > total // 2:
            raise InvalidParameterError(
                f"n_shards={n_shards} is too many for {total} rows: a shard needs two at least, so "
                f"that {total // 2} are the most."
            )
        recipe = self._recipe_for(n_shards, total)
        plan = self._plan(targets, dtype)
        fleet = Fleet(client, partitions, n_rows, n_shards, plan)
        stack.callback(fleet.release)
        samples, encoded, given = fleet.few(dtype)
        solver = recipe.solver
        assert isinstance(solver, Stochastic)
        rounds = Rounds(
            fleet, self.sync_every, self.outer_learning_rate, self.outer_momentum, **vars(solver)
        )
        held_out = None
        if self.early_stopping:
            judge = FleetJudge(fleet, _center(surveys))
            held_out = HeldOut(samples=samples, y=encoded, labels=None, judge=judge)
        data = TrainingSet(samples, encoded, None, given, None, held_out)
        return Work(targets, data, is_first, recipe=replace(recipe, solver=rounds))

    def _targets_of(self, surveys: list[Survey], is_first: bool) -> Targets:
        targets, labels = self._learn(surveys)
        if is_first:
            return targets
        self._targets.check(labels, must_have_all=True)
        return self._targets.adopt(targets.settings)

    def _plan(self, targets: Targets, dtype: Any) -> Plan:
        nothing = np.empty((0, targets.n_outputs))  # class_weight is a dict, or None
        fraction: Any = self.validation_fraction
        return Plan(
            targets=targets.weighted(nothing, None),
            dtype=dtype,
            held_out=float(fraction) if self.early_stopping else 0.0,
            seed=int(self.random_state) if isinstance(self.random_state, Integral) else 0,
            has_fingerprint=self.checkpoint is not None,
        )

    def _recipe_for(self, n_shards: int, n_rows: int) -> Recipe:
        recipe = make_recipe(self)
        size: Any = self.batch_size
        if size == "auto":
            size = max(BATCH_SIZES["auto"], ROWS_PER_STEP * n_shards)
        least = 2 if self.normalization == "batch" else 1
        if size < least * n_shards:
            raise InvalidParameterError(
                f"batch_size={size} is the batch of all shards together, of which each of the "
                f"{n_shards} needs {least} rows at least: increase it, or set a smaller n_shards."
            )
        # Each shard has as many rows of a batch, so that all come to the end of an epoch together.
        size = n_shards * -(-int(size) // n_shards)
        solver = recipe.solver.changed(batch_size=min(size, n_rows))
        # A checkpoint is that of a fit, whoever asks for it.
        return replace(recipe, solver=solver, words={**recipe.words, "client": None})

    # Answering.

    def to_local(self) -> Any:
        """Return the network as one that needs no cluster.

        Returns
        -------
        estimator
            The fitted :class:`sknn.MLPClassifier` or :class:`sknn.MLPRegressor`, to be saved,
            exported or explained.
        """
        check_is_fitted(self)
        return self._as_local()

    def _as_local(self) -> Any:
        """Return the counterpart with the same parameters and attributes."""
        cls = self._counterpart
        local = cls(**{name: own(getattr(self, name)) for name in cls._declared})
        known = {name: value for name, value in vars(self).items() if name not in self._declared}
        local.__dict__.update({k: v for k, v in known.items() if not k.startswith("_skl")})
        return local

    def _answer(self, method: str, X: Any, **options: Any) -> Any:
        """Return what a method of the counterpart answers: for a Dask collection, lazily."""
        local = self.to_local()
        if not is_lazy(X):
            return getattr(local, method)(X, **options)
        self._note_features(X, is_first=False)
        return answer(local, method, X, **options)

    def _score(self, X: Any, y: Any, sample_weight: Any) -> Any:
        local = self.to_local()
        if not is_lazy(X):
            return local.score(X, y, sample_weight)
        self._note_features(X, is_first=False)
        return mean_score(local, X, y, sample_weight)

    def _target_settings(self) -> TargetSettings:
        return self._as_local()._target_settings()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = False
        return tags

    # What does not travel.

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = self._copy("client")
        other.__dict__ = copy.deepcopy(other.__dict__, memo) | {"client": self.client}
        return other

    def __sklearn_clone__(self) -> Self:
        client, self.client = self.client, None
        try:
            other: Self = super().__sklearn_clone__()
        finally:
            self.client = client
        other.client = client
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "client": None}

    def to_plain(self) -> dict[str, Any]:
        return {**super().to_plain(), "client": None}


def _center(surveys: list[Survey]) -> Array:
    """Return the mean of the targets, if they are numbers."""
    weight = sum(survey.total for survey in surveys)
    sums = sum((s.sums for s in surveys if len(s.sums)), start=np.zeros(()))
    return np.atleast_1d(sums / weight if weight else sums)
