"""TabularMLPRegressor."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from sknn._math import Array
from sknn.estimators.fields import estimator
from sknn.losses import SquaredError, by_sample
from sknn.losses.scores import r2_of_any_size
from sknn.tabular.base import BaseTabular, check_confidence
from sknn.tabular.blending import Blend, blend_numbers
from sknn.tabular.conformal import intervals, means_and_deviations
from sknn.tabular.files import say_in_order
from sknn.tabular.presets import Kind, Preset
from sknn.tabular.training import Lesson
from sknn.targets import Numbers, TargetSettings


@estimator
class TabularMLPRegressor(RegressorMixin, BaseTabular):
    r"""Numbers from the rows of a table, without tuning.

    Many small networks are trained as stacks on encodings of the columns that suit networks. Those
    of each kind leave out a fold each, and are kept at several moments c, whenever the learning
    rate has come down to 0. The answer is

    .. math:: f(x) = \sum_c w_c \frac{1}{F} \sum_{f=1}^{F} f_{cf}(x)

    with weights w, at least 0 and of sum 1, that make the squared error out of fold least.
    :doc:`/guide/tables` explains each step, with its sources.

    See Also
    --------
    sknn.TabularMLPClassifier : The same ensemble for classes.
    sknn.MLPRegressor : One network, of which everything can be chosen.
    sknn.tabular.TableEncoder : What becomes of the columns, as a transformer.
    sklearn.ensemble.HistGradientBoostingRegressor : Boosted trees, to compare with.

    References
    ----------
    Holzmüller, D., Grinsztajn, L. and Steinwart, I., "Better by default: Strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024.

    Gorishniy, Y., Rubachev, I. and Babenko, A., "On embeddings for numerical features in tabular
    deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sknn import TabularMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     X, y, random_state=1
    ... )
    >>> model = TabularMLPRegressor("fast", random_state=0)
    >>> model = model.fit(X_train, y_train)
    >>> score = model.score(X_test, y_test)
    >>> print(f"{model.oof_score_:.1f} out of fold, {score:.1f} on the test")
    0... out of fold, 0... on the test
    >>> model.predict_interval(X_test, confidence=0.9).shape
    (111, 2)
    """

    def _learn_targets(self, y: Any) -> tuple[Numbers, Any]:
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", ensure_min_samples=0)
        if y.ndim == 0:
            raise ValueError("y must be an array of numbers, one or more for each row; got one.")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = y.astype(np.float64)
        return Numbers.learn(y, TargetSettings(loss=SquaredError())), y

    def _kinds(self, preset: Preset) -> tuple[Kind, ...]:
        return preset.for_numbers

    def _make_blend(self, answers: Array, lesson: Lesson, kinds: Array, n_members: float) -> Blend:
        return blend_numbers(answers, lesson.y.T, lesson.weight, kinds)

    def _publish_out_of_fold(self, answer: Array, lesson: Lesson) -> Array:
        known = np.asarray(np.isfinite(answer).all(axis=0))
        of = lesson.judged(known)
        self.oof_prediction_ = by_sample(answer)
        self.oof_score_ = r2_of_any_size(of.y, answer.T[known], of.given)
        return np.asarray(lesson.y.T - answer)

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[Array, Array]: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> Array | tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Predict the targets of rows.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.
        return_std : bool, default=False
            Whether to return standard deviations of what may be observed, too: of the noise, and
            of what the networks disagree about.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted targets.
        ndarray of the same shape
            The standard deviations, with `return_std`.
        """
        if not return_std:
            return by_sample(self._answer(X))
        check_is_fitted(self)
        known = self._ensemble, self._misses
        both = say_in_order(lambda X: np.stack(means_and_deviations(*known, X)), X, axis=2)
        mean, std = map(by_sample, both)
        return mean, std

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R^2 on rows and their targets.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets; None for those of stored rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            At most 1.
        """
        predicted = self.predict(X)
        y, sample_weight = self._truth(X, y, sample_weight)
        return r2_of_any_size(y, predicted, sample_weight)

    def predict_interval(self, X: Any, confidence: float = 0.9) -> Array:
        r"""Predict intervals in which the targets of rows will be.

        They are CV+ intervals: what networks say that have not seen a training row, plus and minus
        by how much they have missed it. For rows like the training rows a target is in its interval
        with a probability of at least :math:`1 - 2 \alpha`, whatever the data are, and in practice
        near :math:`1 - \alpha = {}` `confidence`. That the weights of the networks are chosen out
        of fold bends this a little, groups and time may bend it more.

        Parameters
        ----------
        X : DataFrame, array-like, sparse matrix or StoredRows of shape (n_samples, n_columns)
            The rows.
        confidence : float, default=0.9
            The share of targets that is to be in the intervals, in (0, 1).

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            The lower and the upper ends.

        References
        ----------
        Barber, R. F. et al., "Predictive inference with the jackknife+", Annals of Statistics 49
        (2021).
        """
        check_is_fitted(self)
        known, share = (self._ensemble, self._misses), check_confidence(confidence)
        ends = say_in_order(lambda X: intervals(*known, X, share), X, axis=0)
        return ends[:, 0] if ends.shape[1] == 1 else ends

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
