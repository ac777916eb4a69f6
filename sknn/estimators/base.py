"""What the two estimators share: validate, encode, build, solve, publish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._blas import ONE_BLAS_THREAD
from sknn._constraints import check_parameters
from sknn._math import Array
from sknn._version import Versioned
from sknn._warn import warn
from sknn.estimators.callbacks import CallbackSupportMixin, EpochTasks, with_callbacks
from sknn.estimators.data import check_data, check_samples, is_known
from sknn.estimators.diagnosis import explain
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.fitting import Fit
from sknn.estimators.hints import INVALID, hint, with_hints
from sknn.estimators.holdout import check_held_out
from sknn.estimators.outcome import check_outcome
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.settings import (
    check_settings,
    make_draw,
    make_layers,
    make_solver,
)
from sknn.estimators.summary import NetworkSummary
from sknn.estimators.validation import (
    check_initial_arrays,
    check_n_outputs,
    check_sample_weight,
)
from sknn.initializers import is_pair_of_lists
from sknn.losses import Loss
from sknn.network import Network
from sknn.solvers import HISTORY, Stochastic, TrainingState

if TYPE_CHECKING:
    import pandas as pd


CHOSEN = ("learning_rate_", "lr_find_")
"""What the range test has found."""


class BaseMLP(MLPParameters, NetworkSummary, CallbackSupportMixin, Versioned, BaseEstimator, ABC):
    """The training of a multilayer perceptron in scikit-learn's terms.

    ``fit`` works on a copy and takes over its attributes at the end, so that a call that fails
    leaves everything as it was.
    """

    coefs_: list[Array]
    intercepts_: list[Array]
    normalization_: list[dict[str, Array]]
    n_features_in_: int
    n_outputs_: int
    learning_rate_: float
    lr_find_: pd.DataFrame
    _network: Network
    _loss: Loss
    _state: TrainingState
    # With metadata routing, a search by groups goes on as before unless they are asked for.
    __metadata_request__fit: ClassVar = {"groups": False}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            # scikit-learn asks for the signature whenever it clones an estimator; finding it takes
            # 0.1 ms, but here it is noted.
            cls.__init__ = with_hints(cls.__init__)  # type: ignore[method-assign]

    # What differs between classifier and regressor.

    @abstractmethod
    def _encode_targets(self, y: Any, is_first: bool, classes: Any, is_partial: bool) -> Array:
        """Return the targets as an array (n_samples, n_outputs); `classes` may be known."""

    @abstractmethod
    def _encode_held_out(self, y: Any) -> Array:
        """Return targets to validate on, as those to train on were encoded."""

    @abstractmethod
    def _training_targets(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        """Return encoded targets and weights as training uses them."""

    @abstractmethod
    def _weigh(self, y: Array, weight: Array | None) -> Array | None:
        """Return the weights of encoded targets that are validated on, times those of classes."""

    @abstractmethod
    def _make_loss(self, y: Array, weight: Array | None) -> Loss:
        """Return the loss that belongs to encoded targets and their given weights."""

    @abstractmethod
    def _strata(self, y: Array) -> Array | None:
        """Return what the early-stopping split is stratified by, for encoded targets."""

    @abstractmethod
    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        """Return the validation score of raw scores (n_outputs, n_samples); raw is consumed."""

    def _check_validation_scores(self, state: TrainingState, held_out: HeldOut) -> None:
        """Warn if the score that early stopping has watched says little."""

    # Fitting.

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also of components, as ``solver__beta_1``.

        Parameters
        ----------
        **params
            The new values by name.

        Returns
        -------
        self : object
            The estimator.
        """
        try:
            return super().set_params(**params)
        except ValueError as error:
            match = INVALID.match(str(error))
            if match is None:
                raise
            raise ValueError(f"{error}{hint(match[1], self._get_param_names())}") from None

    @with_hints
    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples. float32 and float64 are used as they are; a memmap is read batch by batch.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets. A classifier also takes probabilities of the classes: a float matrix
            whose rows sum to 1.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0; None weighs all alike.
        X_val : array-like of shape (n_validation_samples, n_features), default=None
            Samples to validate on, in place of a part of X. Without `early_stopping` score and loss
            on them are only recorded.
        y_val : array-like of shape (n_validation_samples,) or more columns, default=None
            Their targets.
        sample_weight_val : float or array-like, default=None
            Their weights.
        groups : array-like of shape (n_samples,), default=None
            What belongs together, for a splitter as `validation_fraction`.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data are not valid, or if training has diverged.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), groups=groups)

    @ONE_BLAS_THREAD
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        given: tuple[Any, Any, Any],
        is_partial: bool = False,
        classes: Any = None,
        groups: Any = None,
    ) -> Self:
        check_parameters(self, self._constraints)
        check_settings(self)
        is_first = not hasattr(self, "coefs_") or not (self.warm_start or is_partial)
        if is_partial and self._has_stopped(given, is_first):
            return self
        tasks = None if is_partial else EpochTasks.of(self, X, y, sample_weight)
        fitted = object.__new__(type(self))
        fitted.__dict__.update(vars(self))
        fitted._forget(is_first)
        labels = y
        X, y = fitted._validate_data(X, y, is_first)
        y = fitted._encode_targets(y, is_first, classes, is_partial)
        weight = check_sample_weight(sample_weight, X)
        held_out = check_held_out(fitted, y.shape[1], *given)
        training = Fit(fitted, X, y, labels, weight, held_out, groups, is_first, is_partial)
        hooks: dict[str, Any] = {} if tasks is None else tasks.hooks(fitted._attributes)
        problem = training.problem = replace(
            training.problem, explain=lambda state: explain(fitted, state, X, y), **hooks
        )
        state = training.run()
        check_outcome(fitted, problem, state, X)
        attributes = fitted._attributes(state.theta, state)
        fitted.__dict__.update(attributes)
        if tasks is not None:
            tasks.end_fit(attributes)
        self.__dict__ = fitted.__dict__
        return self

    def _has_stopped(self, given: tuple[Any, Any, Any], is_first: bool) -> bool:
        """Check a call of partial_fit; return whether early stopping has ended the training."""
        if not self.early_stopping:
            return False
        if given[0] is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without samples to validate on; "
                "pass X_val and y_val."
            )
        if is_first or not self._state.has_stopped:
            return False
        warn(
            "Early stopping has ended the training: partial_fit changes nothing any more. Stop, or "
            "begin anew with fit."
        )
        return True

    def _forget(self, is_first: bool) -> None:
        """Drop what an earlier fit has published and this one may not have."""
        names = list(CHOSEN) if is_first or self.learning_rate_init != "auto" else []
        if is_first and "_network" in vars(self):
            names += self._network.publication.counts
        for name in names:
            self.__dict__.pop(name, None)

    def _validate_data(self, X: Any, y: Any, is_first: bool) -> tuple[Any, Any]:
        return check_data(self, X, y, is_first)

    def _begin(
        self,
        X: Any,
        y: Array,
        weight: Array | None,
        rng: np.random.RandomState,
        is_first: bool,
        is_partial: bool,
    ) -> TrainingState:
        """Return the state that training begins with: new weights, or those of the last call."""
        if not is_first:
            return self._resume(y, weight, is_partial)
        self.n_outputs_ = y.shape[1]
        self._loss = self._make_loss(y, weight)
        self._network = self._make_network(X.shape[1])
        dtype = X.dtype if X.dtype.kind == "f" and X.dtype.itemsize in (4, 8) else np.float64
        theta = self._network.initialize(make_draw(self, rng), rng, dtype)
        if is_pair_of_lists(self.initializer):
            coefs, intercepts = check_initial_arrays(self.initializer)
            given = {"coefs_": coefs, "intercepts_": intercepts}
            try:
                theta = self._network.join(self._network.publish(theta) | given).astype(dtype)
            except ValueError as error:
                raise ValueError(f"initializer does not fit the network: {error}") from error
        else:
            self._set_intercepts(theta, y, self._weigh(y, weight))
        return TrainingState(theta)

    def _set_intercepts(self, theta: Array, y: Array, weight: Array | None) -> None:
        """Let the output's intercepts begin where `intercept_init` says, if not as drawn."""
        choice = self.intercept_init
        if choice == "zero":
            self._network.set_output_intercepts(theta, np.zeros(1))
        elif choice == "target" or self._loss.starts_at_target:
            start = self._loss.start(y, weight)
            if start is not None:
                self._network.set_output_intercepts(theta, start)

    def _make_network(self, n_features: int) -> Network:
        return Network(make_layers(self, self.n_outputs_ * self._loss.raw_per_target), n_features)

    def _resume(self, y: Array, weight: Array | None, is_partial: bool) -> TrainingState:
        """Return the state of the last call, with the weights as they are now."""
        check_n_outputs(y, self.n_outputs_)
        self._loss = self._make_loss(y, weight)
        old, network = self._state, self._make_network(self.n_features_in_)
        self._check_same_sizes(network)
        if not network.is_alike(self._network):
            raise ValueError(
                f"normalization={self.normalization!r} differs from the fitted network; set "
                "warm_start=False to begin anew."
            )
        self._network = network
        theta = network.join(vars(self))
        state = old.for_next_call(theta)
        if is_partial and self.early_stopping and old.best_theta is None:
            state.best_score, state.n_no_change = -np.inf, 0  # those of another validation set
        moments, solver = old.moments or {}, make_solver(self, n_samples=np.iinfo(np.intp).max)
        if (
            is_partial
            and isinstance(solver, Stochastic)
            and set(moments) == solver.moment_names()
            and all(array.shape == theta.shape for array in moments.values())
        ):
            pass  # they go on
        else:
            state = state.without_optimizer()
        return state

    def _check_same_sizes(self, network: Network) -> None:
        fitted_sizes = self._network.hidden_sizes
        if network.hidden_sizes != fitted_sizes:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} differs from the fitted network, "
                f"which has {tuple(fitted_sizes)}. Training can go on with the same sizes only; "
                "set warm_start=False to begin anew."
            )

    def _attributes(self, theta: Array, state: TrainingState) -> dict[str, Any]:
        """Return the attributes of an estimator that is fitted as far as a state says."""
        published = self._network.publish(theta)
        learnt = {n: v for n, v in vars(self).items() if n[-1] == "_" or n == "_encoding"}
        return {
            **learnt,
            **published,
            "n_layers_": len(self._network.hidden_sizes) + 2,
            "out_activation_": self._loss.out_activation,
            "n_outputs_": self.n_outputs_,
            "n_iter_": state.n_iter,
            "t_": state.t,
            "loss_": state.loss,
            "loss_curve_": list(state.loss_curve),
            "best_loss_": None if self.early_stopping else state.best_loss,
            "validation_scores_": list(state.validation_scores) or None,
            "best_validation_score_": state.best_score if self.early_stopping else None,
            "has_stopped_": state.has_stopped,
            "_network": self._network,
            "_loss": self._loss,
            # coefs_ and intercepts_ have theta; the curves may go on growing.
            "_state": state.to_keep(),
        }

    def _view(self, theta: Array, state: TrainingState) -> Self:
        """Return an estimator that is fitted with a parameter vector, for arrays without names."""
        view = object.__new__(type(self))
        view.__dict__.update(vars(self))
        view.__dict__.update(self._attributes(theta, state))
        view.__dict__.pop("feature_names_in_", None)
        return view

    def _parameters(self) -> list[Any]:
        return self._network.parameters(vars(self))

    def _predict_raw(self, X: Any) -> Array:
        """Return raw scores (n_outputs, n_samples) for unchecked X."""
        if not is_known(self, X):
            check_is_fitted(self)
            X = check_samples(self, X)
        return self._network.predict(X, self._parameters())

    @property
    def history_(self) -> pd.DataFrame:
        """The training curves, a row an epoch of all calls; NaN where there is no such thing.

        The columns are loss, val_loss, val_score, learning_rate (as scheduled), batch_size,
        grad_norm (of one of the last batches) and seconds.
        """
        import pandas as pd

        check_is_fitted(self)
        epochs = pd.RangeIndex(1, len(self._state.history) + 1, name="epoch")
        return pd.DataFrame(self._state.history, epochs, list(HISTORY), dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
