"""MLPClassifier."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin

from sknn._math import Array
from sknn.estimators.base import BaseMLP, available_if_stochastic
from sknn.estimators.scoring import accuracy
from sknn.estimators.targets import LabelEncoding
from sknn.losses import BinaryLogLoss, LogLoss, Loss


class MLPClassifier(ClassifierMixin, BaseMLP):
    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        target_loss: float | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.target_loss = target_loss

    _encoding: LabelEncoding
    _loss: BinaryLogLoss | LogLoss
    classes_: Array

    @available_if_stochastic
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> Self:
        """Train for one epoch on the given samples, going on from the last call.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The classes; some may be missing.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Required in the first call.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        known = getattr(self, "classes_", None)
        if known is None and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if known is not None and classes is not None:
            if not np.array_equal(known, np.unique(classes)):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                    f"{known!r}"
                )
        return self._fit(X, y, sample_weight, is_partial=True, classes=classes)

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

    def predict_proba(self, X: Any) -> Array:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column for each of ``classes_``. Rows sum to 1, but not in multilabel problems.
        """
        raw = self._both_sides(self._predict_raw(X))
        self._loss.inverse_link(raw)
        return np.ascontiguousarray(raw.T)

    def predict_log_proba(self, X: Any) -> Array:
        """Predict the logarithms of the probabilities of the classes.

        They are computed from the raw scores (a log-softmax), so they stay finite where the
        probability itself is rounded to 0.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            One column for each of ``classes_``.
        """
        raw = self._both_sides(self._predict_raw(X))
        self._loss.log_inverse_link(raw)
        return np.ascontiguousarray(raw.T)

    @staticmethod
    def _both_sides(raw: Array) -> Array:
        """Return raw scores for both classes of a binary problem, others as they are."""
        return np.concatenate([-raw, raw]) if len(raw) == 1 else raw

    def _encode_targets(self, y: Any, is_first: bool, classes: Any) -> Array:
        if is_first:
            self._encoding = LabelEncoding.learn(y, classes)
            self.classes_ = self._encoding.classes
        if not is_first or classes is not None:
            self._encoding.check(y, must_have_all=is_first is False and self.warm_start)
        return self._encoding.encode(y)

    def _make_loss(self) -> Loss:
        return LogLoss() if self._encoding.is_multiclass else BinaryLogLoss()

    def _strata(self, y: Array) -> Array | None:
        if self._encoding.is_multilabel:
            return None
        if not self._encoding.is_multiclass:
            # Strings, for the sake of what scikit-learn's message says about rare classes.
            return np.where(y[:, 0], "True", "False")
        n_held_out = math.ceil(self.validation_fraction * len(y))
        counts = y.sum(axis=0)
        counts = counts[counts > 0]
        fits = len(counts) <= min(n_held_out, len(y) - n_held_out)
        return y.argmax(axis=1) if fits and counts.min() >= 2 else None

    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        self._loss.inverse_link(raw)
        is_right = self._encoding.is_right(self._encoding.decide(raw), y)
        return accuracy(is_right, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
