"""MLPRegressor."""

from __future__ import annotations

from numbers import Real
from typing import Any, Literal, Self, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score

from sknn._component import own
from sknn._constraints import NONE, Check, Interval, InvalidParameterError, OneOf
from sknn._math import Array
from sknn.data import StoredRows
from sknn.estimators.base import BaseMLP
from sknn.estimators.data import check_data
from sknn.estimators.fields import estimator, param, with_parameters
from sknn.estimators.hints import with_hints
from sknn.estimators.parameters import MLPParameters
from sknn.estimators.settings import available_if_stochastic
from sknn.estimators.stored import own_targets
from sknn.estimators.words import NumberLosses
from sknn.losses import LOSSES, Loss, Quantile
from sknn.losses.scores import r2_of_any_size
from sknn.targets import Numbers, TargetSettings


def _is_number_loss(value: Any) -> bool:
    return isinstance(value, Loss) and not value.predicts_probabilities


@with_parameters
class RegressorParameters(MLPParameters):
    """What a user chooses of a multilayer perceptron for regression."""

    loss: NumberLosses = param(
        default="squared_error",
        allowed=[OneOf(LOSSES), Check(_is_number_loss, "a Loss of numbers")],
        doc='What is minimised: "squared_error", "absolute_error", "huber", "log_cosh", "quantile" '
        '(the median); "poisson" and "tweedie" for y >= 0 and "gamma" for y > 0, with the '
        'exponential as output; "gaussian", which learns mean and variance; or an instance from '
        ":mod:`sknn.losses`, such as ``Quantile([0.1, 0.5, 0.9])``.",
    )
    quantile: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, 1, "neither")],
        doc='The level that is predicted with ``loss="quantile"``, in (0, 1); None is the median. '
        "For several levels at once see :class:`sknn.losses.Quantile`. ``score`` is R^2 all the "
        'same: with early stopping take ``scoring="loss"``, in searches a scorer of the level.',
    )

    def __post_init__(self) -> None:
        # In scikit-learn's regressor the loss comes first. (isinstance is the slower test.)
        sizes: Any = self.hidden_layer_sizes
        if type(sizes) is str and sizes in LOSSES:
            raise TypeError(
                f"hidden_layer_sizes={sizes!r} is the name of a loss; write "
                f"MLPRegressor(loss={sizes!r})."
            )


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


@estimator
class MLPRegressor(RegressorParameters, RegressorMixin, BaseMLP):
    r"""Multilayer perceptron for regression.

    A network of layers :math:`h_{l+1} = f(h_l W_l + b_l)` is trained to minimise

    .. math::
        J(\theta) = \frac{1}{\sum_i w_i} \Big( \sum_i w_i L(y_i, \hat y_i)
        + \frac{\alpha}{2} \sum_l \lVert W_l \rVert^2 \Big)

    over each batch, with half the squared error or another loss L, summed over the outputs. The
    targets are not scaled: bring them to a spread of about 1 (for example with
    :class:`sklearn.compose.TransformedTargetRegressor`).

    With the same `random_state` it is the model that
    :class:`sklearn.neural_network.MLPRegressor` trains, up to rounding and to the differences
    listed in the user guide.

    Attributes
    ----------
    n_outputs_ : int
        Number of targets.
    out_activation_ : str
        "identity", or "exp" with the Poisson, gamma and Tweedie losses.

    See Also
    --------
    sknn.MLPClassifier : The same network for classes.
    sknn.TabularMLPRegressor : Networks with defaults for tables: nothing to encode or to tune.
    sknn.model_selection.LearningRateSearchCV : Finds the learning rate.
    sklearn.neural_network.MLPRegressor : The model that it equals at its defaults.

    References
    ----------
    Hinton, G., "Connectionist learning procedures", Artificial Intelligence 40 (1989).

    Examples
    --------
    >>> from sklearn.compose import TransformedTargetRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     X, y, random_state=0
    ... )
    >>> network = MLPRegressor(
    ...     (20,), alpha=10, learning_rate_init=0.01, random_state=0
    ... )
    >>> model = TransformedTargetRegressor(
    ...     make_pipeline(StandardScaler(), network),
    ...     transformer=StandardScaler(),
    ... )
    >>> round(model.fit(X_train, y_train).score(X_test, y_test), 1)
    0.4
    """

    _targets: Numbers

    @available_if_stochastic
    @with_hints
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train for one epoch on the given samples, going on from the last call.

        Parameters
        ----------
        X : {array-like, CSR or CSC matrix} of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0.
        X_val : array-like of shape (n_validation_samples, n_features), default=None
            Samples to validate on. With `early_stopping` the score on them decides when training
            ends: the best weights are then restored, and further calls change nothing.
        y_val : array-like of shape (n_validation_samples,) or more columns, default=None
            Their targets.
        sample_weight_val : float or array-like, default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), is_partial=True)

    def _validate_data(self, X: Any, y: Any, is_first: bool) -> tuple[Any, Any]:
        X, y = check_data(self, X, y, is_first, y_numeric=True)
        if not isinstance(y, np.ndarray) or y.dtype.kind not in "biuf":
            kind = getattr(y, "dtype", type(y).__name__)
            raise ValueError(
                f"y must be a dense array of numbers, got {type(y).__name__} of {kind}."
            )
        if X.dtype == np.float32 and np.abs(y).max() > np.finfo(np.float32).max:
            raise ValueError(
                f"y has values up to {np.abs(y).max():.3g}, too large for float32, the dtype of X. "
                "Scale y, or convert X to float64."
            )
        return X, y

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> Array: ...
    @overload
    def predict(self, X: Any, return_std: Literal[True]) -> tuple[Array, Array]: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> Array | tuple[Array, Array]: ...
    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
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
        raw, targets = self._predict_raw(X), self._targets
        if not return_std:
            return targets.predict(raw)
        if not targets.loss.predicts_deviations:
            raise ValueError(
                "return_std=True needs a network fitted with loss='gaussian'; this one has "
                f"{type(targets.loss).__name__}."
            )
        return MeanAndDeviation(targets.predict_with_deviations(raw))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
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
        if isinstance(X, StoredRows):
            y, sample_weight = own_targets(X, y, sample_weight)
        predicted = self.predict(X)
        levels = self._targets.loss.score_levels
        if not levels:
            return r2_of_any_size(y, predicted, sample_weight)
        y, predicted = np.asarray(y), predicted.astype(np.float64)
        if y.dtype.kind in "biuf":
            y = y.astype(np.float64)
        scores = [
            d2_pinball_score(y, predicted[..., k], sample_weight=sample_weight, alpha=level)
            for k, level in enumerate(levels)
        ]
        return float(np.mean(scores))

    def _target_settings(self) -> TargetSettings:
        name = self.loss if isinstance(self.loss, str) else type(self.loss).__name__
        loss = LOSSES.resolve(own(self.loss))
        if self.quantile is not None:
            if name != "quantile":
                raise InvalidParameterError(
                    f"quantile={self.quantile!r} needs loss='quantile'; got loss={self.loss!r}."
                )
            loss = Quantile(float(self.quantile))
        return TargetSettings(loss=loss, loss_name=name)

    def _learn_targets(self, y: Any, classes: Any, settings: TargetSettings) -> Numbers:
        return Numbers.learn(y, settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        loss = self.loss
        if isinstance(loss, Loss) or (isinstance(loss, str) and loss in LOSSES):
            tags.target_tags.positive_only = LOSSES.resolve(loss).lowest >= 0
        return tags
