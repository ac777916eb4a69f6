"""What the two tabular estimators share: reading tables, training an ensemble, answering."""

from __future__ import annotations

import copy
import functools
import time
from abc import ABC, abstractmethod
from dataclasses import asdict, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._blas import ONE_BLAS_THREAD
from sknn._constraints import InvalidParameterError, check_parameters
from sknn._links import Linked
from sknn._math import Array, as_shares
from sknn._random import make_random_state
from sknn._version import Versioned
from sknn.data import StoredRows
from sknn.estimators.hints import with_hints
from sknn.estimators.stored import own_targets
from sknn.estimators.validation import (
    SPLITTER,
    check_hidden_layer_sizes,
    check_sample_weight,
)
from sknn.ledger import Laps, Spent, TrainingReport
from sknn.tabular.blending import Blend
from sknn.tabular.budget import Plan, plan_operations, plan_time
from sknn.tabular.conformal import Misses
from sknn.tabular.course import shorten, train
from sknn.tabular.encoder import TableEncoder
from sknn.tabular.ensemble import Ensemble
from sknn.tabular.files import fits, read_frame, read_sample, say_in_order
from sknn.tabular.folds import check_rounds, check_weights, make_folds
from sknn.tabular.members import Fold, LeftOut, Members
from sknn.tabular.parameters import TabularParameters
from sknn.tabular.presets import PRESETS, Kind, Preset
from sknn.tabular.stored import StoredTable
from sknn.tabular.table import Columns, note_features, take_tables
from sknn.tabular.training import Lesson, Training
from sknn.tabular.unseen import Unseen, answer_unseen, forget_folds
from sknn.targets import Targets
from sknn.training import CallbackSupportMixin, Checkpoint, EpochTasks, Hooks, with_callbacks

if TYPE_CHECKING:
    from sknn.tabular.explained import OfEnsemble

OVERRIDES = ("cv", "weight_decay", "dropout")
"""Parameters in place of the preset's numbers of the same name."""

OF_KINDS = ("max_iter", "n_bins", "activation", "hidden_layer_sizes", "learning_rate_init")
"""Parameters in place of those of all kinds."""

MAX_BYTES = 1_000_000_000
"""How large the encoded rows of a kind should be at most: long tables have fewer bins a number."""

MAX_SEED = np.iinfo(np.int32).max

MIN_WIDTH, MAX_WIDTH = 64, 2048
"""Columns that encoded rows may have in any case, and at most."""


class BaseTabular(TabularParameters, CallbackSupportMixin, Versioned, Linked, BaseEstimator, ABC):
    """An ensemble of small networks for tables in scikit-learn's terms.

    ``fit`` works on a copy and takes over its attributes at the end, so that a call that fails
    leaves everything as it was.
    """

    _private = ("_ensemble", "_misses", "_aside", "_spent")
    _ensemble: Ensemble
    _misses: Misses
    _answers: Array
    _learnt: str
    _aside: Spent
    _spent: Spent
    # With metadata routing, a search by groups goes on as before unless they are asked for.
    __metadata_request__fit: ClassVar = {"groups": False}

    # What differs between classifier and regressor.

    @abstractmethod
    def _learn_targets(self, y: Any) -> tuple[Targets, Any]:
        """Return the targets of which `y` are some, and `y` validated."""

    @abstractmethod
    def _kinds(self, preset: Preset) -> tuple[Kind, ...]:
        """Return the kinds of networks of a preset."""

    @abstractmethod
    def _make_blend(self, answers: Array, lesson: Lesson, kinds: Array, n_members: float) -> Blend:
        """Return how answers of columns (n_columns, n_raw, n_samples) become one.

        `kinds` are the numbers of the columns' kinds, of which each has so many networks.
        """

    @abstractmethod
    def _publish_out_of_fold(self, answer: Array, lesson: Lesson) -> Array:
        """Set what is published of the answers (n_raw, n_samples); return the misses."""

    def _strata(self, targets: Targets, encoded: Array) -> Array | None:
        """Return the numbers of the classes, if folds can be stratified by them."""
        return None

    # Fitting.

    @with_hints
    @with_callbacks
    @ONE_BLAS_THREAD
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Train the ensemble.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The table: numbers, categories, strings, bools, dates and times, with gaps.
            :class:`sknn.data.StoredRows` are read from files that may be larger than memory: where
            they take more than their `memory` the columns are learnt from a sample of the rows, and
            one network is trained after the other.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets. None only where stored rows have targets of their own.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0; None weighs all alike.
        groups : array-like of shape (n_samples,), default=None
            What belongs together: no network is judged by rows of a group that it has been trained
            on.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid.
        """
        check_parameters(self, self._constraints)
        fitted = self._copy()
        fitted._fit(X, y, sample_weight, groups)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        begin, aside = time.perf_counter(), Laps(time.thread_time)
        if isinstance(X, StoredRows):
            y, sample_weight = own_targets(X, y, sample_weight)
            X = read_frame(X) if fits(X) else X
        head = read_sample(X) if isinstance(X, StoredRows) else X
        columns = Columns(head, self.categorical_features, type(self).__name__)
        lesson, y = self._make_lesson(columns, X, head, y, sample_weight)
        try:
            self._learn(lesson, columns, (X, y, sample_weight, groups), begin, aside)
        finally:
            lesson.table.discard()

    def _learn(
        self, lesson: Lesson, columns: Columns, given: tuple[Any, ...], begin: float, aside: Laps
    ) -> None:
        preset, rng = self._choose_preset(), make_random_state(self.random_state)
        X, y, sample_weight, groups = given
        checkpoint = None
        if self.checkpoint is not None:
            checkpoint, rng = self._open_checkpoint(lesson, groups, rng)
        before = self._earlier(columns, lesson)
        if before is not None:  # other draws than those of the networks that there are
            rng = np.random.RandomState(rng.randint(MAX_SEED, size=1 + len(before.kinds))[-1])
        trainings, seconds = self._arrange(lesson, columns, preset, (X, y, groups), rng, begin)
        tasks = EpochTasks.of(self, X, y, sample_weight, sum(t.n_epochs for t, _ in trainings))
        hooks = [self._hooks(tasks, k, len(trainings), t) for k, (t, _) in enumerate(trainings)]
        spent = aside.lap()
        found = train([training for training, _ in trainings], hooks, seconds, checkpoint)
        aside.lap()  # they know themselves what they have taken
        pairs = [(m, X) for m, (_, X) in zip(found, trainings, strict=True) if m is not None]
        trained = [members for members, _ in pairs]
        if isinstance(lesson.table, StoredTable):
            self._publish_stored(lesson, lesson.table, columns, preset, trained)
        else:
            codes = lesson.table.codes
            answers = [members.out_of_fold(X, codes) for members, X in pairs]
            if before is not None:
                trained, answers = [*before.kinds, *trained], [self._answers, *answers]
                check_rounds(answers, preset.cv)
            self._publish(lesson, columns, preset, trained, np.concatenate(answers))
        n_bytes = sum(X.nbytes for _, X in pairs)
        n_bytes += sum(part.nbytes for part in lesson.table.sample)
        self._add_up(spent.plus(aside.end()), n_bytes, is_first=before is None)
        if tasks is not None:
            tasks.end_fit(dict(vars(self)))

    def _arrange(
        self,
        lesson: Lesson,
        columns: Columns,
        preset: Preset,
        given: tuple[Any, Any, Any],
        rng: np.random.RandomState,
        begin: float,
    ) -> tuple[list[tuple[Training, Any]], float | None]:
        """Return the trainings, each with the rows as it sees them, and the seconds for them.

        Parameters
        ----------
        lesson, columns, preset
        given : tuple
            X, y and groups as they were passed.
        rng : RandomState
        begin : float
            When the fit has begun.
        """
        (X, y, groups), kinds = given, self._kinds(preset)
        seeds = rng.randint(MAX_SEED, size=1 + max(k.repeat for k in kinds)).tolist()
        strata, n_rows = self._strata(lesson.targets, lesson.y), len(lesson.y)
        are_many = isinstance(lesson.table, StoredTable)
        repeats = make_folds(preset.cv, X, y, strata, groups, n_rows, seeds, are_many)
        check_weights(lesson.weight, repeats)

        def prepare(kind: Kind, folds: list[Fold | LeftOut]) -> tuple[Training, Any]:
            return self._prepare(lesson, columns, kind, preset, folds, rng)

        def keep(plan: Plan) -> None:
            del trainings[plan.n_kinds :]
            if plan.n_folds < trainings[0][0].n_folds:
                again = plan.n_folds, X, y, strata, groups, n_rows, seeds[:1], are_many
                [folds] = make_folds(*again)
                trainings[:] = [prepare(kinds[0], folds)]

        trainings = [prepare(kind, repeats[kind.repeat]) for kind in kinds]
        if self.max_flops is not None:
            plan = plan_operations(self.max_flops, [training for training, _ in trainings], preset)
            keep(plan)
            shorten([training for training, _ in trainings], plan.budget)
        if self.max_time is None:
            return trainings, None
        left = self.max_time - (time.perf_counter() - begin)
        plan = plan_time(self.max_time, left, [training for training, _ in trainings], preset)
        keep(plan)
        return trainings, plan.budget

    def _open_checkpoint(
        self, lesson: Lesson, groups: Any, rng: np.random.RandomState
    ) -> tuple[Checkpoint, np.random.RandomState]:
        """Return the file in which the fit is kept, and the random state that it begins with."""
        if self.max_time is not None:
            raise InvalidParameterError(
                f"checkpoint={self.checkpoint!r} cannot be used with max_time={self.max_time}: by "
                "the clock no training goes on as it would have."
            )
        about = {
            **self.get_params(deep=False),
            "estimator": type(self),
            **lesson.described(groups),
            "the networks before": vars(self).get("_answers") if self.warm_start else None,
        }
        checkpoint = Checkpoint(self.checkpoint, self.checkpoint_seconds, about)
        is_own = isinstance(self.random_state, np.random.RandomState)
        return checkpoint, checkpoint.begin("draws", rng, is_own)

    def _make_lesson(
        self, columns: Columns, X: Any, head: Any, y: Any, sample_weight: Any
    ) -> tuple[Lesson, Any]:
        """Return what is learnt, and the targets validated; of rows in files the head is here."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        table: Any = columns.read(head)
        if isinstance(X, StoredRows):
            table = StoredTable(X, columns, table)
        targets, y = self._learn_targets(y)
        encoded = targets.encode(y)
        if len(encoded) != len(table):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: X has {len(table)} "
                f"rows and y has {len(encoded)}."
            )
        given = check_sample_weight(sample_weight, encoded)
        targets = targets.weighted(encoded, given)
        weight = targets.weigh(encoded, given)
        lesson = Lesson(table=table, targets=targets, y=encoded, weight=weight, given=given)
        return lesson, y

    def _choose_preset(self) -> Preset:
        """Return the preset with the numbers that the user has given in place of its own."""
        given = {name: getattr(self, name) for name in OVERRIDES}
        given = {name: value for name, value in given.items() if value is not None}
        if (
            "cv" in given
            and not isinstance(given["cv"], Integral)
            and not SPLITTER.accepts(given["cv"])
        ):
            given["cv"] = list(given["cv"])  # a generator can be read once
        preset = replace(PRESETS[self.preset], **given)
        of_kinds: dict[str, Any] = {name: getattr(self, name) for name in OF_KINDS}
        of_kinds = {name: value for name, value in of_kinds.items() if value is not None}
        if "hidden_layer_sizes" in of_kinds:
            sizes = check_hidden_layer_sizes(of_kinds["hidden_layer_sizes"])
            of_kinds["hidden_layer_sizes"] = tuple(sizes)
        if "max_iter" in of_kinds:
            of_kinds["adapts"] = False
        return replace(
            preset,
            for_numbers=tuple(replace(kind, **of_kinds) for kind in preset.for_numbers),
            for_classes=tuple(replace(kind, **of_kinds) for kind in preset.for_classes),
        )

    def _earlier(self, columns: Columns, lesson: Lesson) -> Ensemble | None:
        """Return the ensemble that a further fit adds networks to, if it is to."""
        if not self.warm_start:
            return None
        if isinstance(lesson.table, StoredTable):
            raise InvalidParameterError(
                "warm_start=True needs what each network says of each row in memory; increase "
                "memory=... of the rows in files until they fit, or set warm_start=False."
            )
        if "_ensemble" not in vars(self):
            return None
        if "_answers" not in vars(self):
            raise InvalidParameterError(
                "warm_start=True needs what trim has left out; set warm_start=False to begin anew."
            )
        known = self._ensemble
        published, before = lesson.targets.published(), known.targets.published()
        n_samples = self._answers.shape[3]
        if known.columns.names != columns.names or n_samples != len(lesson.y):
            what = (
                f"of {n_samples} rows and {len(known.columns.names)} columns; X has "
                f"{len(lesson.y)} and {len(columns.names)}"
            )
        elif not all(map(pd.Index.equals, known.columns.levels, columns.levels)):
            what = "with the same categories"
        elif self._learnt != lesson.fingerprint():
            what = "the same rows in the same order, with the same targets"
        elif type(lesson.targets) is not type(known.targets) or str(published) != str(before):
            what = f"for targets with {before}; y has {published}"
        else:
            return known
        raise InvalidParameterError(
            f"warm_start=True adds networks to those that have learnt the same table, {what}. Set "
            "warm_start=False to begin anew."
        )

    def _prepare(
        self,
        lesson: Lesson,
        columns: Columns,
        kind: Kind,
        preset: Preset,
        folds: list[Fold | LeftOut],
        rng: np.random.RandomState,
    ) -> tuple[Training, Any]:
        """Return the training of a kind of networks, and the rows as it sees them."""
        fitting = MAX_BYTES // (4 * len(lesson.y))
        encoder = TableEncoder(
            self.categorical_features,
            numeric=kind.numeric,
            n_bins=kind.n_bins,
            max_width=max(MIN_WIDTH, min(fitting, MAX_WIDTH)),
        )
        sample = encoder.learn(columns, lesson.table.sample, None, None, [], rng)
        X = lesson.table.encoded(encoder, sample)
        if not X.shape[1]:
            raise ValueError(
                "X has no column that varies, so there is nothing to learn from: each is constant "
                "or empty."
            )
        own = lesson.smoothed(kind.label_smoothing)
        return Training(own, kind, preset, self.batch_size, encoder, X, folds, rng), X

    def _hooks(
        self, tasks: EpochTasks | None, number: int, n_kinds: int, training: Training
    ) -> Hooks:
        """Return what the first network of a kind calls: who is told how far it is."""
        hooks = Hooks() if tasks is None else tasks.hooks(lambda trained: {})

        def after_epoch(state: Any) -> bool:
            if self.verbose:
                kind = f"Kind {number + 1} of {n_kinds}: e" if n_kinds > 1 else "E"
                print(f"{kind}poch {state.n_iter} of {training.n_epochs}, loss {state.loss:.4f}")
            return hooks.after_epoch is not None and hooks.after_epoch(state)

        return Hooks(hooks.before_epoch, after_epoch)

    def trim(self) -> Self:
        """Return a copy without what only a further fit with `warm_start` needs.

        What each network says of the training rows goes, which rows they have been trained on, and
        parameters of moments that have no weight. What predicts stays to the bit, intervals and
        sets included.

        Returns
        -------
        estimator
            The copy, without callbacks. It cannot be fitted further, only anew.
        """
        trimmed = copy.deepcopy(self._copy("_skl_callbacks", "_answers", "_learnt"))
        trimmed.checkpoint = None
        if "_ensemble" in vars(trimmed):
            trimmed._ensemble.trim()
            trimmed._aside, trimmed._spent = trimmed._aside.timeless(), trimmed._spent.timeless()
        return trimmed

    # What is published.

    def _publish(
        self,
        lesson: Lesson,
        columns: Columns,
        preset: Preset,
        trained: list[Members],
        answers: Array,
    ) -> None:
        note_features(self, columns)
        blend = self._blend_usable(answers, lesson, trained)
        self._ensemble = ensemble = Ensemble(columns, lesson.targets, trained, blend)
        self._answers, self._learnt = answers, lesson.fingerprint()
        misses = self._publish_out_of_fold(ensemble.combine(answers), lesson)
        if lesson.weight is not None:
            misses = np.where(lesson.weight > 0, misses, np.nan)
        self._misses = Misses.of(ensemble, misses)
        self.n_iter_ = [members.max_iter for members in trained]
        self.preset_ = _describe(preset, trained)

    def _publish_stored(
        self,
        lesson: Lesson,
        table: StoredTable,
        columns: Columns,
        preset: Preset,
        trained: list[Members],
    ) -> None:
        """Publish what has learnt a table in a file; some of its rows decide what counts."""
        unseen = Unseen(table, trained)
        rows = unseen.choose_rows(lesson.weight)
        few, kinds = lesson.of(rows), unseen.among(rows)
        answers = answer_unseen(kinds, few.table.sample)
        self._publish(few, columns, preset, kinds, answers)
        answer = unseen.answer(self._ensemble)
        self._publish_out_of_fold(answer, lesson.judged(slice(None)))
        del self._answers, self._learnt
        forget_folds(kinds)

    def _blend_usable(self, answers: Array, lesson: Lesson, trained: list[Members]) -> Blend:
        """Return how answers become one; columns of trainings that have diverged get no weight."""
        n_samples = answers.shape[3]
        answers = answers.reshape(*answers.shape[:2], -1)
        is_finite: Any = np.isfinite(answers).all(axis=1)
        known: Any = np.flatnonzero(is_finite.any(axis=0))
        usable = is_finite[:, known].all(axis=1)
        if not usable.any():
            raise ValueError(
                "Training has diverged: lower learning_rate_init="
                f"{max(members.kind.learning_rate_init for members in trained)}."
            )
        kinds = np.repeat(range(len(trained)), [members.n_moments for members in trained])
        n_members = float(np.mean([len(members.members) for members in trained]))
        cases = lesson.judged(known % n_samples)  # rows, once for each round
        found = self._make_blend(answers[usable][..., known], cases, kinds[usable], n_members)
        return found.over(usable)

    def _add_up(self, aside: Spent, n_bytes: int, is_first: bool) -> None:
        """Note what the fit has cost: what its networks have, and what was done beside them."""
        spent = [members.spent for members in self._ensemble.kinds]
        n_bytes += sum(each.peak_bytes for each in spent)
        aside = aside if is_first else self._aside.plus(aside)
        total = functools.reduce(Spent.plus, spent, aside)
        self._aside, self._spent = aside, total._replace(peak_bytes=n_bytes)

    @property
    def training_report_(self) -> TrainingReport:
        """What the training has cost, of all networks together."""
        check_is_fitted(self)
        return TrainingReport(self._spent)

    # Answering.

    def _answer(self, X: Any) -> Array:
        """Return what the ensemble says of unchecked rows, (n_raw, n_samples)."""
        check_is_fitted(self)
        return say_in_order(self._ensemble.answer, X, axis=1)

    def _truth(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any]:
        """Return targets and weights to score by, which rows in files may bring along."""
        if isinstance(X, StoredRows):
            return own_targets(X, y, sample_weight)
        if y is None:
            raise ValueError(f"{type(self).__name__}.score requires y to be passed; it is None.")
        return y, sample_weight

    def _explained(self) -> OfEnsemble:
        """Return the ensemble as a function that can be differentiated."""
        from sknn.tabular.explained import OfEnsemble  # with much that nobody else needs

        check_is_fitted(self)
        return OfEnsemble(self._ensemble)

    @property
    def members_(self) -> list[Members]:
        """The networks, kind by kind."""
        check_is_fitted(self)
        return self._ensemble.kinds

    @property
    def member_weights_(self) -> pd.DataFrame:
        """What each kind at each moment counts."""
        check_is_fitted(self)
        return self._ensemble.tabulate()

    @property
    def feature_importances_(self) -> Array:
        """How much each column matters, from the weights alone: at least 0, with the sum 1.

        It is the mean absolute change of predictions with what the column has become, where that is
        standard normal; computed whenever it is read. Of columns that say the same any may have it.
        :func:`sknn.inspection.importance` looks at data instead.

        References
        ----------
        Zurada, J. M., Malinowski, A. and Cloete, I., "Sensitivity analysis for minimization of
        input data dimension for feedforward neural network", ISCAS 1994.
        """
        return as_shares(self._explained().sensitivities(self.n_features_in_))

    def __sklearn_tags__(self) -> Any:
        return take_tables(super().__sklearn_tags__())


def check_confidence(confidence: Any) -> float:
    """Return a confidence as a float, or raise ValueError."""
    if not isinstance(confidence, (float, np.floating)) or not 0 < confidence < 1:
        raise ValueError(f"confidence must be a float in the range (0, 1); got {confidence!r}.")
    return float(confidence)


def _describe(preset: Preset, trained: list[Members]) -> dict[str, Any]:
    numbers = asdict(preset)
    del numbers["for_numbers"], numbers["for_classes"]
    numbers["batch_size"] = trained[0].batch_size
    numbers["kinds"] = [asdict(m.kind) | {"max_iter": m.max_iter} for m in trained]
    return numbers
