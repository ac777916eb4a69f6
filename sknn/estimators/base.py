"""What the two estimators share: validate, encode, build, solve, publish."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from sknn._math import Array
from sknn._random import make_random_state
from sknn.activations import ACTIVATIONS
from sknn.architecture import build_layers
from sknn.estimators.settings import CONSTRAINTS, make_optimizer, make_solver
from sknn.estimators.validation import (
    FLOATS,
    Constraint,
    InvalidParameterError,
    check_hidden_layer_sizes,
    check_parameters,
    check_sample_weight,
)
from sknn.initializers import GlorotUniform
from sknn.losses import Loss
from sknn.network import Network
from sknn.objective import Objective
from sknn.penalties import L2
from sknn.solvers import Problem, TrainingState, solve

if TYPE_CHECKING:
    import pandas as pd


class BaseMLP(BaseEstimator, ABC):
    """The training of a multilayer perceptron in scikit-learn's terms.

    ``fit`` works on a copy of the estimator and takes over its attributes at the end, so that a
    call that fails leaves everything as it was.
    """

    # Set by the constructors of the subclasses.
    hidden_layer_sizes: Any
    activation: Any
    solver: str
    alpha: float
    batch_size: Any
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: Any
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    target_loss: float | None
    coefs_: list[Array]
    intercepts_: list[Array]
    n_features_in_: int
    n_outputs_: int
    _network: Network
    _loss: Loss
    _state: TrainingState

    _constraints: ClassVar[dict[str, list[Constraint]]] = CONSTRAINTS

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            # scikit-learn asks for it whenever it clones an estimator; finding it takes 0.1 ms.
            cls.__init__.__signature__ = inspect.signature(cls.__init__)  # type: ignore[attr-defined]

    # What differs between classifier and regressor.

    @abstractmethod
    def _encode_targets(self, y: Any, is_first: bool, classes: Any) -> Array:
        """Return the targets as an array (n_samples, n_outputs); `classes` may be known."""

    @abstractmethod
    def _make_loss(self) -> Loss:
        """Return the loss that belongs to the targets."""

    @abstractmethod
    def _strata(self, y: Array) -> Array | None:
        """Return what the early-stopping split is stratified by, for encoded targets."""

    @abstractmethod
    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        """Return the validation score of raw scores (n_outputs, n_samples); raw is consumed."""

    # Fitting.

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples. float32 and float64 are used as they are.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0; None weighs all alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if training has diverged.
        """
        return self._fit(X, y, sample_weight, is_partial=False)

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, is_partial: bool, classes: Any = None
    ) -> Self:
        self._check_parameters()
        if is_partial and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        fitted = object.__new__(type(self))
        fitted.__dict__.update(vars(self))
        is_first = not hasattr(self, "coefs_") or not (self.warm_start or is_partial)
        X, y = fitted._validate_data(X, y, is_first)
        y = fitted._encode_targets(y, is_first, classes)
        weight = check_sample_weight(sample_weight, X)
        problem = fitted._build_problem(X, y, weight, is_first, is_partial)
        fitted._publish(solve(problem))
        self.__dict__ = fitted.__dict__
        return self

    def _check_parameters(self) -> None:
        check_parameters(self, self._constraints)
        check_hidden_layer_sizes(self.hidden_layer_sizes)
        if self.early_stopping and self.validation_fraction == 0:
            raise InvalidParameterError(
                "validation_fraction=0 leaves nothing to validate on; with early_stopping=True it "
                "must be a float in the range (0, 1)."
            )

    def _validate_data(self, X: Any, y: Any, is_first: bool, **options: Any) -> tuple[Any, Any]:
        if is_first and _is_plain(X) and _is_plain_target(y, X):
            # The usual case by a short way: nothing would be converted.
            self.__dict__.pop("feature_names_in_", None)
            self.n_features_in_ = X.shape[1]
            return X, y
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=FLOATS,
            reset=is_first,
            **options,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not isinstance(X, np.ndarray):
            X = X.tocsr()
        return X, y

    def _build_problem(
        self, X: Any, y: Array, weight: Array | None, is_first: bool, is_partial: bool
    ) -> Problem:
        """Return what is to be solved: network, data, numbers and where to start from."""
        rng = make_random_state(self.random_state)
        state = self._start(X, y, rng) if is_first else self._resume(y.shape[1], is_partial)
        X = X.astype(state.theta.dtype, copy=False)
        train, held_out = self._split(y, rng)
        objective = Objective(self._network, self._loss, L2(), float(self.alpha))
        problem = Problem(
            objective=objective,
            solver=make_solver(self, len(y) if train is None else len(train)),
            X=X,
            y=y,
            sample_weight=weight,
            rows=train,
            state=state,
            rng=rng,
            rng_is_own=isinstance(self.random_state, Integral),
            keeps_incoming=not is_first,
            one_epoch=is_partial,
            verbose=bool(self.verbose),
        )
        if held_out is not None:
            held_out_weight = None if weight is None else weight[held_out]
            if weight is not None and not (weight[train].any() and weight[held_out].any()):
                raise ValueError(
                    "sample_weight is 0 for all samples of a part of the early-stopping split; "
                    f"{len(held_out)} samples of {len(y)} are held out."
                )
            problem.validate = self._make_validation(X[held_out], y[held_out], held_out_weight)
        return problem

    def _start(self, X: Any, y: Array, rng: np.random.RandomState) -> TrainingState:
        """Build the network and draw its initial weights."""
        self.n_outputs_ = y.shape[1]
        self._loss = self._make_loss()
        self._network = self._make_network(X.shape[1])
        factor = ACTIVATIONS.resolve(self.activation).glorot_factor
        return TrainingState(self._network.initialize(GlorotUniform(), factor, rng, X.dtype))

    def _make_network(self, n_features: int) -> Network:
        sizes = check_hidden_layer_sizes(self.hidden_layer_sizes)
        activation = ACTIVATIONS.resolve(self.activation)
        return Network(build_layers(sizes, activation, self.n_outputs_), n_features)

    def _resume(self, n_outputs: int, is_partial: bool) -> TrainingState:
        """Return the state of the last call, with the weights as they are now."""
        if n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs, but the estimator was fitted with {self.n_outputs_}."
            )
        sizes = check_hidden_layer_sizes(self.hidden_layer_sizes)
        fitted_sizes = [coef.shape[1] for coef in self.coefs_[:-1]]
        if sizes != fitted_sizes:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} differs from the fitted network, "
                f"which has {tuple(fitted_sizes)}. Training can go on with the same sizes only; "
                "set warm_start=False to begin anew."
            )
        old, self._network = self._state, self._make_network(self.n_features_in_)
        theta = self._network.join(self.coefs_, self.intercepts_)
        state = replace(
            old,
            theta=theta,
            loss_curve=list(old.loss_curve),
            validation_scores=list(old.validation_scores),
            history=list(old.history),
            n_iter=0,
            first_bad_epoch=None,
        )
        moments = old.moments or {}
        if is_partial and set(moments) == set(make_optimizer(self).moments):
            state.moments = {name: array.copy() for name, array in moments.items()}
        else:
            state = replace(state, moments=None, n_steps=0, n_epochs=0, plateau_factor=1.0)
        return state

    def _split(
        self, y: Array, rng: np.random.RandomState
    ) -> tuple[Array, Array] | tuple[None, None]:
        """Return the rows to train on and those to validate on; None, None for all and none."""
        if not self.early_stopping:
            return None, None
        part = f"validation_fraction={self.validation_fraction} of {len(y)} samples"
        try:
            train, held_out = train_test_split(
                np.arange(len(y)),
                random_state=rng,
                test_size=self.validation_fraction,
                stratify=self._strata(y),
            )
        except ValueError as error:
            raise ValueError(
                f"{error} (early_stopping=True holds out {part}: more of either may help.)"
            ) from error
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                f"your dataset: {part} is {len(held_out)}, and at least 2 are needed."
            )
        return train, held_out

    def _make_validation(self, X: Any, y: Array, weight: Array | None) -> Callable[[Array], float]:
        """Return the function that scores a parameter vector on held-out rows."""

        def validate(theta: Array) -> float:
            raw = self._network.predict(X, self._network.layout.views(theta))
            return self._score_raw(raw, y, weight)

        return validate

    def _publish(self, state: TrainingState) -> None:
        """Turn the result of training into fitted attributes."""
        if not np.isfinite(state.theta).all():
            epoch = state.n_iter if state.first_bad_epoch is None else state.first_bad_epoch
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                f"values and need to be preprocessed. Training diverged in epoch {epoch}: scale "
                "X (and, in regression, y), for example with StandardScaler, or lower "
                f"learning_rate_init={self.learning_rate_init}."
            )
        self.coefs_, self.intercepts_ = self._network.split(state.theta)
        self.n_layers_ = len(self.coefs_) + 1
        self.out_activation_ = self._loss.out_activation
        self.n_iter_ = state.n_iter
        self.t_ = state.t
        self.loss_ = state.loss
        self.loss_curve_ = state.loss_curve
        self.best_loss_ = None if self.early_stopping else state.best_loss
        self.validation_scores_ = state.validation_scores if self.early_stopping else None
        self.best_validation_score_ = state.best_score if self.early_stopping else None
        self._state = replace(state, theta=np.empty(0))  # coefs_ and intercepts_ have it

    # Prediction.

    def _predict_raw(self, X: Any) -> Array:
        """Return raw scores (n_outputs, n_samples) for unchecked X, in buffers of this call."""
        if not self._is_known(X):
            check_is_fitted(self)
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
            if not isinstance(X, np.ndarray):
                X = X.tocsr()
        return self._network.predict(X, self._network.parameters(self.coefs_, self.intercepts_))

    def _is_known(self, X: Any) -> bool:
        """Whether validate_data would return X unchanged; False where that is not certain."""
        fitted = vars(self)
        if "coefs_" not in fitted or "feature_names_in_" in fitted:
            return False
        return _is_plain(X) and X.shape[1] == self.n_features_in_

    @property
    def history_(self) -> pd.DataFrame:
        """The training curves as a DataFrame, one row an epoch: loss, val_score, learning_rate.

        val_score is NaN without early stopping, learning_rate (as scheduled, before Adam's own
        scaling) with lbfgs. The index counts the epochs of all calls from 1.
        """
        import pandas as pd

        check_is_fitted(self)
        columns = ["loss", "val_score", "learning_rate"]
        epochs = pd.RangeIndex(1, len(self._state.history) + 1, name="epoch")
        return pd.DataFrame(self._state.history, epochs, columns, dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _is_plain(X: Any) -> bool:
    """Whether check_array would return X unchanged; False where that is not certain.

    It takes 60 us to find that out, ten times the work of predicting one row.
    """
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype not in FLOATS:
        return False
    if not X.size or not X.flags.c_contiguous or get_config()["array_api_dispatch"]:
        return False
    return _is_finite(X.reshape(-1))


def _is_plain_target(y: Any, X: Array) -> bool:
    """Whether check_array would return y, one number for each sample, unchanged."""
    if type(y) is not np.ndarray or y.shape != X.shape[:1]:
        return False
    return y.dtype.kind in "biu" or (y.dtype in FLOATS and _is_finite(y))


def _is_finite(flat: Array) -> bool:
    # A sum of squares is finite only if all entries are; if it overflows, the long way tells.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(get_config()["assume_finite"]) or math.isfinite(np.dot(flat, flat))
