"""What the two estimators share: they validate, hand over to training, and publish."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sknn._blas import ONE_BLAS_THREAD
from sknn._constraints import check_parameters
from sknn._links import Linked
from sknn._math import Array, as_shares
from sknn._version import Versioned
from sknn._warn import warn
from sknn.data import StoredRows
from sknn.estimators.data import check_data, check_samples, is_known
from sknn.estimators.hints import INVALID, hint, with_hints
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.settings import check_settings, make_recipe
from sknn.estimators.stored import encode_parts, predict_stored, take_targets
from sknn.estimators.targets import upgrade
from sknn.estimators.validation import check_n_outputs, check_sample_weight
from sknn.ledger import Aside, TrainingReport
from sknn.network import Network
from sknn.samples import as_samples
from sknn.solvers import HISTORY, RATES, TrainingState
from sknn.summary import summarize
from sknn.targets import Targets, TargetSettings
from sknn.training import (
    CallbackSupportMixin,
    EpochTasks,
    FoundRate,
    HeldOut,
    Hooks,
    Order,
    Recipe,
    Trained,
    TrainingSet,
    train,
    with_callbacks,
)

if TYPE_CHECKING:
    import pandas as pd

FOUND = ("learning_rate_", "_range_losses")
"""What a range test has found."""


@dataclass(frozen=True)
class Work:
    """What a call of `fit` has made of what it was given.

    Attributes
    ----------
    targets : Targets
    data : TrainingSet
    is_first : bool
        Whether nothing goes on from an earlier call.
    is_partial : bool, default=False
        Whether it is for one epoch.
    recipe : Recipe, default=None
        How to train; None as the parameters say.
    """

    targets: Targets
    data: TrainingSet
    is_first: bool
    is_partial: bool = False
    recipe: Recipe | None = None


class BaseMLP(MLPParameters, CallbackSupportMixin, Versioned, Linked, BaseEstimator, ABC):
    """The training of a multilayer perceptron in scikit-learn's terms.

    ``fit`` works on a copy and takes over its attributes at the end, so that a call that fails
    leaves everything as it was.

    What has been trained lies in the published attributes, which users may assign and edit, and
    beside them in what no user sees; `_trained` puts it together when it is needed.
    """

    _private = ("_network", "_targets", "_state")
    n_features_in_: int
    feature_names_in_: Array
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    coefs_: list[Array]
    intercepts_: list[Array]
    normalization_: list[dict[str, Array]]
    front_: list[dict[str, Array]]
    n_iter_: int
    t_: int
    loss_: float
    loss_curve_: list[float]
    learning_rate_: float
    has_stopped_: bool
    # Or None; as Any, since a user knows it of the settings and need not ask for it.
    best_loss_: float | Any
    validation_scores_: list[float] | Any
    best_validation_score_: float | Any
    _network: Network
    _targets: Targets
    _state: TrainingState
    _range_losses: Array
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
    def _target_settings(self) -> TargetSettings:
        """Return what the parameters say of the targets."""

    @abstractmethod
    def _learn_targets(self, y: Any, classes: Any, settings: TargetSettings) -> Targets:
        """Return the targets of which `y` are the first; `classes` may be known."""

    # Fitting.

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        upgrade(self.__dict__)

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
        y: Any = None,
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
        X : {array-like, CSR or CSC matrix, StoredRows} of shape (n_samples, n_features)
            The samples. float32 and float64 are used as they are; a memmap is read batch by batch.
            :class:`sknn.data.StoredRows` are read from files that may be larger than memory.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets. A classifier also takes probabilities of the classes: a float matrix
            whose rows sum to 1. None only where stored rows have targets of their own.
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
        tasks = None if is_partial else EpochTasks.of(self, X, y, sample_weight, self.max_iter)
        fitted, aside = self._copy(), Aside()
        with aside.measured():
            fitted._forget(is_first)
            if isinstance(X, StoredRows):
                holds_out = self.early_stopping and given[0] is None
                y, sample_weight = take_targets(self, X, y, sample_weight, validates=holds_out)
            samples, checked = fitted._validate_data(X, y, is_first)
            targets, encoded = fitted._encode(checked, classes, is_first, is_partial)
            weight = check_sample_weight(sample_weight, samples)
            held_out = fitted._check_held_out(targets, *given)
        data = TrainingSet(as_samples(samples), encoded, y, weight, groups, held_out)
        return self._train(fitted, Work(targets, data, is_first, is_partial), tasks, aside)

    def _train(self, fitted: Self, work: Work, tasks: EpochTasks | None, aside: Aside) -> Self:
        """Train a copy on what has been validated, and take over what has become of it."""
        is_partial = work.is_partial
        order = Order(
            recipe=make_recipe(fitted) if work.recipe is None else work.recipe,
            targets=work.targets,
            data=work.data,
            previous=None if work.is_first else self._trained(),
            one_epoch=is_partial,
            view=fitted._view,
            hooks=Hooks() if tasks is None else tasks.hooks(fitted._copied_attributes),
            aside=aside,
            checkpoint=None if is_partial else fitted._checkpoint(),
        )
        attributes = fitted._attributes(train(order))
        fitted.__dict__.update(attributes)
        if tasks is not None:
            fitted.__dict__.update(tasks.end_fit(attributes))
        self.__dict__ = fitted.__dict__
        return self

    def _encode(
        self, y: Any, classes: Any, is_first: bool, is_partial: bool
    ) -> tuple[Targets, Array]:
        """Return the targets of a call, and `y` as the network's outputs."""
        settings = self._target_settings()
        found = y.labels() if isinstance(y, StoredRows) else y
        if is_first:
            targets = self._learn_targets(found, classes, settings)
        else:
            targets = self._targets.adopt(settings)
        if not is_first or classes is not None:
            targets.check(found, must_have_all=self.warm_start and not is_partial)
        encoded = encode_parts(targets, y) if isinstance(y, StoredRows) else targets.encode(y)
        check_n_outputs(encoded, targets.n_outputs)
        return targets, encoded

    def _check_held_out(
        self, targets: Targets, X: Any, y: Any, sample_weight: Any
    ) -> HeldOut | None:
        """Return validated samples to validate on, if some were given."""
        if X is None and y is None:
            if sample_weight is None:
                return None
            raise ValueError("sample_weight_val needs X_val and y_val.")
        if isinstance(X, StoredRows):
            y, sample_weight = take_targets(self, X, y, sample_weight, validates=True)
            y = y.y if isinstance(y, StoredRows) else y
        if X is None or y is None:
            raise ValueError("X_val and y_val belong together; pass both or none of them.")
        labels = y
        X, y = self._validate_data(X, y, is_first=False)
        targets.check(y, name="y_val")
        encoded = targets.encode(y)
        check_n_outputs(encoded, targets.n_outputs, "y_val")
        weight = check_sample_weight(sample_weight, X)
        return HeldOut(samples=as_samples(X), y=encoded, labels=labels, given_weight=weight)

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
        names = list(FOUND) if is_first or self.learning_rate_init != "auto" else []
        if is_first and "_network" in vars(self):
            names += self._network.publication.counts
        for name in names:
            self.__dict__.pop(name, None)

    def _validate_data(self, X: Any, y: Any, is_first: bool) -> tuple[Any, Any]:
        return check_data(self, X, y, is_first)

    # What has been fitted.

    def _attributes(self, trained: Trained) -> dict[str, Any]:
        """Return the attributes of an estimator that has been trained so."""
        return {
            **{name: value for name, value in vars(self).items() if name[-1] == "_"},
            **trained.published(),
            "_network": trained.network,
            "_targets": trained.targets,
            "_state": trained.state.to_keep(),
        }

    def _copied_attributes(self, trained: Trained) -> dict[str, Any]:
        """Return the attributes of a copy that goes its own way, without those who watch."""
        detached = replace(trained, state=trained.state.detached())
        return {**self._attributes(detached), "_skl_callbacks": []}

    def _checkpoint(self) -> tuple[Any, float, type] | None:
        path, seconds = self.checkpoint, float(self.checkpoint_seconds)
        return None if path is None else (path, seconds, type(self))

    def _view(self, trained: Trained) -> Self:
        """Return an estimator that has been trained so, for arrays without names."""
        view = self._copy()
        view.__dict__.update(self._attributes(trained))
        view.__dict__.pop("feature_names_in_", None)
        return view

    def _trained(self) -> Trained:
        """Return what has been trained, with the parameters as they are published now."""
        fitted = vars(self)
        if "_network" not in fitted:
            check_is_fitted(self)
        found = [fitted[name] for name in FOUND if name in fitted]
        return Trained(
            network=self._network,
            targets=self._targets,
            parameters=self._network.parameters(fitted),
            state=self._state,
            found_rate=FoundRate(*found) if found else None,
        )

    def _predict_raw(self, X: Any) -> Array:
        """Return raw scores (n_outputs, n_samples) for unchecked X."""
        if isinstance(X, StoredRows):
            check_is_fitted(self)
            return predict_stored(self, X)
        if not is_known(self, X):
            check_is_fitted(self)
            X = check_samples(self, X)
        return self._network.predict(X, self._network.parameters(vars(self)))

    @property
    def lr_find_(self) -> pd.DataFrame:
        """The losses at the learning rates that a range test has tried."""
        import pandas as pd

        if "_range_losses" not in vars(self):
            raise AttributeError(
                f"This {type(self).__name__} has no lr_find_: learning_rate_init='auto' has it."
            )
        return pd.DataFrame({"learning_rate": RATES, "loss": self._range_losses})

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

    @property
    def training_report_(self) -> TrainingReport:
        """What the training has cost, over `fit` and the calls of `partial_fit` after it."""
        check_is_fitted(self)
        return TrainingReport(self._state.spent)

    @property
    def feature_importances_(self) -> Array:
        r"""How much each feature matters, from the weights alone: at least 0, with the sum 1.

        .. math:: I_j \propto \sum_k E_{x \sim N(0, I)}
            \left| \frac{\partial f_k(x)}{\partial x_j} \right|

        It is computed whenever it is read. Features have to be on one scale, such as that of a
        StandardScaler, with most values near 0: elsewhere the network is not looked at, and a
        feature in a small unit seems to matter less. Of features that say the same any may have it.
        :func:`sknn.inspection.importance` looks at data instead.

        References
        ----------
        Zurada, J. M., Malinowski, A. and Cloete, I., "Sensitivity analysis for minimization of
        input data dimension for feedforward neural network", ISCAS 1994.
        """
        try:
            return as_shares(self._trained().sensitivities())
        except NotImplementedError as error:  # of a loss of one's own: there is no such attribute
            raise AttributeError(str(error)) from error

    def trim(self) -> Self:
        """Return a copy without what only going on needs, and without measured times.

        The moments of the optimizer go, so a pickle is about as large as the weights; `partial_fit`
        begins with new ones. What predicts stays to the bit. Equal fits are equal then, for
        :func:`joblib.hash`, too.

        Returns
        -------
        estimator
            The copy, without callbacks.
        """
        trimmed = copy.deepcopy(self._copy("_skl_callbacks"))
        trimmed.checkpoint = None
        if "_state" in vars(trimmed):
            trimmed._state = trimmed._state.trimmed()
        return trimmed

    def summary(self) -> str:
        """Return a table of the layers, the shapes of their outputs and their parameters.

        Returns
        -------
        str
            One line a layer, and a last one with the number of all parameters.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn import MLPRegressor
        >>> X = np.arange(12.0).reshape(6, 2) / 10
        >>> net = MLPRegressor(
        ...     (4,), dropout=0.1, solver="adamw", max_iter=1, tol=0, random_state=0
        ... )
        >>> import warnings
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     net = net.fit(X, X.sum(axis=1))
        >>> print(net.summary())
        layer       output  parameters
        input            2           0
        Linear           4          12
        ReLU             4           0
        Dropout          4           0
        Linear           1           5
        all                         17
        """
        check_is_fitted(self)
        return summarize(self._network)

    def hidden_layer_outputs(self, X: Any, layer: int = -1) -> Array:
        """Return the outputs of a hidden layer.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        layer : int, default=-1
            Which hidden layer, counted from 0, or from the last one with negative numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            After the activation, as prediction computes them.
        """
        trained = self._trained()
        n_hidden = len(trained.network.hidden_sizes)
        if not isinstance(layer, (int, np.integer)) or not -n_hidden <= layer < n_hidden:
            raise ValueError(
                f"layer must be an int in the range [{-n_hidden}, {n_hidden - 1}]; got {layer!r}."
                if n_hidden
                else "The network has no hidden layer."
            )
        X = check_samples(self, X)
        return trained.network.hidden_outputs(X, trained.parameters)[layer]

    # scikit-learn's diagram, with the network below once there is one.

    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._summary_html()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        bundle = super()._repr_mimebundle_(**options)
        if "text/html" in bundle:
            bundle["text/html"] += self._summary_html()
        return dict(bundle)

    def _summary_html(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>" if "coefs_" in vars(self) else ""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
