"""TabularMLPClassifier."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from sknn._constraints import NONE, Check, Interval, OneOf
from sknn._math import Array
from sknn.estimators.fields import estimator, param, with_parameters
from sknn.estimators.words import ClassWeight
from sknn.losses import LogLoss
from sknn.tabular.base import BaseTabular, check_confidence
from sknn.tabular.blending import Blend, blend_classes, likelihoods, raw_of
from sknn.tabular.conformal import prediction_sets
from sknn.tabular.files import say_in_order
from sknn.tabular.parameters import TabularParameters
from sknn.tabular.presets import Kind, Preset
from sknn.tabular.training import Lesson
from sknn.targets import Classes, ClassTargets, Targets, TargetSettings, learn_classes


@with_parameters
class TabularClassifierParameters(TabularParameters):
    """What a user chooses of an ensemble for tables that classifies."""

    class_weight: ClassWeight | None = param(
        default=None,
        type='dict, list of dict, "balanced" or None',
        allowed=[
            NONE,
            OneOf(["balanced"]),
            Check(lambda value: isinstance(value, (dict, list)), "a dict, or a list of them"),
        ],
        doc="Weights of the classes, which multiply those of the samples.",
    )
    label_smoothing: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, 1)],
        doc="The share of the targets that is spread over all classes, in [0, 1). None is the "
        "preset's.",
    )


@estimator
class TabularMLPClassifier(TabularClassifierParameters, ClassifierMixin, BaseTabular):
    r"""Classes from the rows of a table, without tuning.

    Many small networks are trained as stacks on encodings of the columns that suit networks. Those
    of each kind leave out a fold each, and are kept at several moments c, whenever the learning
    rate has come down to 0. The probability of class k is

    .. math:: p_k(x) \propto \Big( \sum_c w_c \frac{1}{F} \sum_{f=1}^{F}
        \text{softmax}_k(z_{cf}(x) / T_c) \Big)^{1 / T}

    with temperatures T and weights w that are found out of fold. :doc:`/guide/tables` explains each
    step, with its sources.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        The classes, sorted; the numbers of labels or of columns; a list for several targets.

    See Also
    --------
    sknn.TabularMLPRegressor : The same ensemble for numbers.
    sknn.MLPClassifier : One network, of which everything can be chosen.
    sknn.tabular.TableEncoder : What becomes of the columns, as a transformer.
    sklearn.ensemble.HistGradientBoostingClassifier : Boosted trees, to compare with.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Gorishniy, Y., Rubachev, I. and Babenko, A., "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import TabularMLPClassifier
    >>> X, y = load_wine(return_X_y=True, as_frame=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     X, y, stratify=y, random_state=0
    ... )
    >>> model = TabularMLPClassifier("fast", random_state=0)
    >>> model = model.fit(X_train, y_train)
    >>> score = model.score(X_test, y_test)
    >>> print(f"{model.oof_score_:.2f} out of fold, {score:.2f} on the test")
    0.9... out of fold, ... on the test
    >>> model.predict_set(X_test, confidence=0.95).shape
    (45, 3)
    """

    classes_: Array | Any

    def _learn_targets(self, y: Any) -> tuple[ClassTargets, Any]:
        if not sp.issparse(y) and pd.isna(np.asarray(y)).any():
            raise ValueError("Input y contains NaN.")
        if isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1:
            y = pd.Series(y).infer_objects().to_numpy()  # ints among words in a table, say
        y = check_array(
            y, ensure_2d=False, dtype=None, input_name="y", ensure_min_samples=0, accept_sparse=True
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        settings = TargetSettings(loss=LogLoss(), class_weight=self.class_weight)
        return learn_classes(y, None, "auto", settings), y

    def _kinds(self, preset: Preset) -> tuple[Kind, ...]:
        if self.label_smoothing is None:
            return preset.for_classes
        share = self.label_smoothing
        return tuple(replace(kind, label_smoothing=share) for kind in preset.for_classes)

    def _strata(self, targets: Targets, encoded: Array) -> Array | None:
        if not isinstance(targets, Classes):
            return None
        [(_, codes)] = targets.codes(encoded)
        return codes

    def _make_blend(self, answers: Array, lesson: Lesson, kinds: Array, n_members: float) -> Blend:
        about = lesson.y, lesson.weight, lesson.targets.loss
        return blend_classes(answers, *about, kinds, n_members)

    def _publish_out_of_fold(self, answer: Array, lesson: Lesson) -> Array:
        targets: Any = lesson.targets
        self.classes_ = targets.classes
        known = np.asarray(np.isfinite(answer).all(axis=0))
        of = lesson.judged(known)
        raw = raw_of(answer, targets.loss) / self._ensemble.blend.temperature_out_of_fold
        self.oof_prediction_ = targets.predict_proba(raw.copy())
        self.oof_score_ = float(targets.score(raw[:, known], of.y, of.given))
        return 1 - likelihoods(answer, lesson.y, targets.loss)

    @property
    def _targets(self) -> ClassTargets:
        check_is_fitted(self)
        targets: Any = self._ensemble.targets
        return targets

    def _predict_raw(self, X: Any) -> Array:
        return raw_of(self._answer(X), self._targets.loss) / self._ensemble.blend.temperature

    def predict(self, X: Any) -> Array | Any:
        """Predict the classes of rows.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class, or for each label whether its probability exceeds 1/2.
        """
        return self._targets.predict(self._predict_raw(X))

    def predict_proba(self, X: Any) -> Array | Any:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``.
        """
        return self._targets.predict_proba(self._predict_raw(X))

    def predict_log_proba(self, X: Any) -> Array | Any:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``.
        """
        return self._targets.predict_log_proba(self._predict_raw(X))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the accuracy on rows and their targets.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets; None for those of stored rows. Of probabilities the most likely class
            counts; of several targets all must be right.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            The share of samples that are right.
        """
        predicted = self.predict(X)
        return self._targets.accuracy(predicted, *self._truth(X, y, sample_weight))

    def predict_set(self, X: Any, confidence: float = 0.9) -> Array:
        r"""Predict sets of classes in which those of rows will be.

        They are CV+ sets: a class is in the set unless the networks that have not seen a training
        row have found its class more probable for nearly all of these rows. For rows like the
        training rows the class is in its set with a probability of at least :math:`1 - 2 \alpha`,
        whatever the data are, and in practice near :math:`1 - \alpha = {}` `confidence`. That the
        weights of the networks are chosen out of fold bends this a little, groups and time may bend
        it more.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.
        confidence : float, default=0.9
            The share of rows whose class is to be in the set, in (0, 1).

        Returns
        -------
        ndarray of bool, shape (n_samples, n_classes)
            Whether each of ``classes_`` is in the set; the most probable one always is.

        References
        ----------
        Romano, Y., Sesia, M. and Candès, E. J., "Classification with valid and adaptive coverage",
        NeurIPS 2020.
        """
        if not isinstance(self._targets, Classes):
            raise ValueError("predict_set needs a single target; this ensemble has several.")
        share = check_confidence(confidence)
        known = self._ensemble, self._misses
        chosen = say_in_order(lambda X: prediction_sets(*known, X, share), X, axis=0)
        return chosen[:, : len(self.classes_)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
