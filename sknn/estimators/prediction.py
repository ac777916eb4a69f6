"""From raw scores to what users ask an estimator for."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import d2_pinball_score, r2_score

from sknn._math import Array
from sknn.estimators.targets import LabelEncoding, MultiOutputEncoding
from sknn.losses import Gaussian, Quantile

SMALLEST = {np.dtype(kind): np.finfo(kind).smallest_subnormal for kind in (np.float32, np.float64)}
"""The least number above 0."""


class ClassPredictions:
    """The predictions of a classifier."""

    _encoding: LabelEncoding
    _loss: Any
    _predict_raw: Any

    def predict(self, X: Any) -> Any:
        """Predict the classes of samples.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class, or for each label whether its probability exceeds 1/2.
            Multilabel predictions are sparse if the targets were.
        """
        raw = self._predict_raw(X)
        self._loss.inverse_link(raw)
        return self._encoding.decode(self._encoding.decide(raw))

    def predict_proba(self, X: Any) -> Any:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``. Rows sum to 1, but not in multilabel problems. With
            several targets of many classes, one array for each target.
        """
        raw = self._both_sides(self._predict_raw(X))
        if self._has_one_class():
            return np.ones_like(raw[:1].T)
        self._loss.inverse_link(raw)
        # As its logarithm, a probability is never that of the impossible.
        np.maximum(raw, SMALLEST[raw.dtype], out=raw)
        return self._for_each_target(raw)

    def predict_log_proba(self, X: Any) -> Any:
        """Predict the logarithms of the probabilities of the classes.

        They are computed from the raw scores (a log-softmax), so they stay finite where the
        probability itself is rounded to 0.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            One column for each of ``classes_``.
        """
        raw = self._both_sides(self._predict_raw(X))
        if self._has_one_class():
            return np.zeros_like(raw[:1].T)
        self._loss.log_inverse_link(raw)
        return self._for_each_target(raw)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy on samples and their targets.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets. Of probabilities the most likely class counts; of several targets all must
            be right.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            The share of samples that are right.
        """
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight, np.float64)
        if getattr(self, "_encoding", None) and self._encoding.are_soft and np.ndim(y) == 2:
            y = np.asarray(y).argmax(axis=1)
        elif isinstance(getattr(self, "classes_", None), list):
            is_right = (self.predict(X) == np.asarray(y)).all(axis=1)
            return float(np.average(is_right, weights=sample_weight))
        return float(super().score(X, y, sample_weight))  # type: ignore[misc]

    def _has_one_class(self) -> bool:
        """Whether there is nothing to tell apart: one target, of which one class is known."""
        encoding = self._encoding
        if encoding.is_multilabel or isinstance(encoding, MultiOutputEncoding):
            return False
        return len(encoding.classes) == 1

    def _for_each_target(self, rows: Array) -> Any:
        """Return rows of outputs as columns, in a list where there are several targets."""
        if isinstance(self._encoding, MultiOutputEncoding):
            return [np.ascontiguousarray(part.T) for part in self._encoding.split(rows)]
        return np.ascontiguousarray(rows.T)

    @staticmethod
    def _both_sides(raw: Array) -> Array:
        """Return raw scores for both classes of a binary problem, others as they are."""
        if len(raw) > 1:
            return raw
        both = np.empty((raw.shape[1], 2), raw.dtype).T  # its transpose is what is returned
        np.negative(raw[0], out=both[0])
        both[1] = raw[0]
        return both


class MeanAndDeviation(tuple[Array, Array]):
    """A tuple of predicted means and standard deviations.

    TransformedTargetRegressor takes what `predict` returns for one array. It asks for the number of
    its axes first, and so gets to know what it cannot do.
    """

    @property
    def ndim(self) -> int:
        """Raise AttributeError with what to do."""
        raise AttributeError(
            "return_std=True returns two arrays, and TransformedTargetRegressor transforms one "
            "back. With a transformer that scales, such as StandardScaler, ask the network "
            "itself: mean, std = model.regressor_.predict(X, return_std=True), and then "
            "model.transformer_.inverse_transform(mean.reshape(-1, 1)) and "
            "std * model.transformer_.scale_."
        )


class TargetPredictions:
    """The predictions of a regressor."""

    _loss: Any
    _predict_raw: Any

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict the targets of samples.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        return_std : bool, default=False
            Whether to return standard deviations, too; needs ``loss="gaussian"``.

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_outputs) or with an axis (..., n_levels)
            The predicted targets; with several quantiles, one for each level in the last axis.
        ndarray of the same shape
            The standard deviations, with `return_std`.
        """
        raw = self._predict_raw(X)
        if return_std and not isinstance(self._loss, Gaussian):
            raise ValueError(
                "return_std=True needs a network fitted with loss='gaussian'; this one has "
                f"{type(self._loss).__name__}."
            )
        self._loss.inverse_link(raw)
        kinds = raw.reshape(self._loss.raw_per_target, -1, raw.shape[1])
        if return_std:
            return MeanAndDeviation((_by_sample(kinds[0]), _by_sample(kinds[1])))
        if isinstance(self._loss, Quantile) and self._loss.has_many:
            levels = kinds.transpose(2, 1, 0)
            return np.ascontiguousarray(levels[:, 0] if levels.shape[1] == 1 else levels)
        return _by_sample(kinds[0])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2, or with several quantiles the share of pinball loss that they save.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.

        Returns
        -------
        float
            At most 1. With several quantiles it is the mean over levels of
            :func:`sklearn.metrics.d2_pinball_score`.
        """
        y = np.asarray(y)
        if y.dtype.kind in "biuf":  # half precision has no room for sums of squares
            y = y.astype(np.float64)
        predicted = self.predict(X).astype(np.float64)
        if not self._has_many_levels():
            return float(r2_score(y, predicted, sample_weight=sample_weight))
        return float(
            np.mean(
                [
                    d2_pinball_score(y, predicted[..., k], sample_weight=sample_weight, alpha=level)
                    for k, level in enumerate(self._loss.level)
                ]
            )
        )

    def _has_many_levels(self) -> bool:
        loss = getattr(self, "_loss", None)
        return isinstance(loss, Quantile) and loss.has_many


def _by_sample(rows: Array) -> Array:
    """Return rows of outputs as one number, or a row of them, for each sample."""
    return rows[0] if len(rows) == 1 else np.ascontiguousarray(rows.T)
