"""MLPRegressor."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from sknn._math import Array
from sknn.estimators.base import BaseMLP, available_if_stochastic
from sknn.estimators.scoring import r2
from sknn.estimators.validation import OneOf
from sknn.losses import LOSSES, Loss


class MLPRegressor(RegressorMixin, BaseMLP):
    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
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
        if isinstance(hidden_layer_sizes, str) and hidden_layer_sizes in LOSSES:
            # In scikit-learn's regressor the loss comes first.
            raise TypeError(
                f"hidden_layer_sizes={hidden_layer_sizes!r} is the name of a loss; write "
                f"MLPRegressor(loss={hidden_layer_sizes!r})."
            )
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
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

    _constraints = {**BaseMLP._constraints, "loss": [OneOf(["squared_error", "poisson"])]}

    @available_if_stochastic
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on the given samples, going on from the last call.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, is_partial=True)

    def predict(self, X: Any) -> Array:
        """Predict the targets of samples.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted targets.
        """
        raw = self._predict_raw(X)
        self._loss.inverse_link(raw)
        return raw[0] if len(raw) == 1 else np.ascontiguousarray(raw.T)

    def _validate_data(self, X: Any, y: Any, is_first: bool, **options: Any) -> tuple[Any, Any]:
        return super()._validate_data(X, y, is_first, y_numeric=True, **options)

    def _encode_targets(self, y: Array, is_first: bool, classes: Any) -> Array:
        if self.loss == "poisson" and (y < 0).any():
            row = int(np.argmax((y < 0).reshape(len(y), -1).any(axis=1)))
            raise ValueError(f"loss='poisson' needs y >= 0; found {np.min(y[row])} at row {row}.")
        return y.reshape(len(y), -1)

    def _make_loss(self) -> Loss:
        return LOSSES.resolve(self.loss)

    def _strata(self, y: Array) -> Array | None:
        return None

    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        self._loss.inverse_link(raw)
        return r2(y.T, raw, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
