"""MLPRegressor."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from sknn._component import own
from sknn._math import Array
from sknn.estimators.base import BaseMLP
from sknn.estimators.data import check_data
from sknn.estimators.hints import with_hints
from sknn.estimators.prediction import TargetPredictions
from sknn.estimators.scoring import d2_pinball, r2
from sknn.estimators.settings import REGRESSOR_CONSTRAINTS, available_if_stochastic
from sknn.losses import LOSSES, Loss


class MLPRegressor(TargetPredictions, RegressorMixin, BaseMLP):
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

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer, at least 1. Empty for a linear model.
    activation : str, Activation or sequence, default="relu"
        The function between the layers, or one for each hidden layer: "identity", "logistic" (or
        "sigmoid"), "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus",
        an instance from :mod:`sknn.activations`, or an object with the methods ``forward(z)``
        and ``backward(z, grad)``.
    loss : str or Loss, default="squared_error"
        What is minimised: "squared_error", "absolute_error", "huber", "log_cosh", "quantile" (the
        median); "poisson" and "tweedie" for y >= 0 and "gamma" for y > 0, with the exponential
        as output; "gaussian", which learns mean and variance; or an instance from
        :mod:`sknn.losses`, such as ``Quantile([0.1, 0.5, 0.9])``.
    solver : str or Optimizer, default="adam"
        How the objective is minimised: "lbfgs" on all samples at once, or mini-batch gradient
        descent with "sgd", "adam", "adamw", "amsgrad", "nadam", "rmsprop", "adagrad", "lion",
        "muon" or "schedule_free"; or an instance from :mod:`sknn.optimizers`, whose numbers then
        replace `beta_1`, `beta_2`, `epsilon` and `momentum`.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights (not the intercepts), at least 0. It is divided
        by the number of samples, or their total weight, of the batch.
    batch_size : int, "auto" or "adaptive", default="auto"
        Samples in a mini-batch; "auto" is the smaller of 200 and the number of samples, "adaptive"
        begins with 32 and doubles as the noise of the gradient allows. Not used by lbfgs.
    learning_rate : str, Schedule or callable, default="constant"
        How the learning rate changes from epoch to epoch: "constant", "invscaling" (divided by
        ``(t + 1) ** power_t`` after t samples), "adaptive" (divided by 5 whenever training would
        otherwise stop for lack of improvement, until it is at most 1e-6), "cosine", "one_cycle",
        "exponential", "step", "polynomial" or "coslog"; an instance from :mod:`sknn.schedules`;
        or a function from the epoch, counted from 0, to a multiplier.
    learning_rate_init : float or "auto", default=0.001
        The initial learning rate, positive; "auto" finds it by a range test before training. Not
        used by lbfgs.
    power_t : float, default=0.5
        The exponent of "invscaling", at least 0.
    max_iter : int, default=200
        Epochs at most (iterations with lbfgs), at least 1.
    shuffle : bool, default=True
        Whether the samples are visited in a new order in each epoch. Not used by lbfgs.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, early-stopping split, shuffling, dropout and augmentation.
    tol : float, default=0.0001
        An epoch counts as an improvement if the training loss falls (or with early stopping the
        validation score rises) by more than `tol`. With lbfgs, training stops when no component
        of the gradient is larger.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last call.
    momentum : float, default=0.9
        Momentum of sgd, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether sgd uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to hold out a part of the samples, to stop when their score (R^2) no longer
        improves, and to return the weights that scored best.
    validation_fraction : float or splitter, default=0.1
        The part early stopping holds out, in (0, 1), or a splitter whose last split it takes.
    beta_1 : float, default=0.9
        Decay of the first moment of adam, adamw, nadam and amsgrad, in [0, 1).
    beta_2 : float, default=0.999
        Decay of their second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to their denominator, positive.
    n_iter_no_change : int or inf, default=10
        Training stops (with "adaptive" the learning rate falls) after more than so many epochs
        in a row without an improvement by `tol`.
    max_fun : int, default=15000
        Evaluations of the objective that lbfgs may use, at least 1.
    target_loss : float or None, default=None
        Training also stops once the training loss has reached this value.
    dropout : float or sequence of float, default=0.0
        Share of a hidden layer's outputs that a training step sets to 0, in [0, 1); one for all
        hidden layers or one for each.
    normalization : {"batch", "layer"} or None, default=None
        What is normalised between a hidden layer's sums and its activation.
    residual : bool, default=False
        Whether a hidden layer as wide as the one before adds that one's output to its own.
    initializer : str, Initializer or (coefs, intercepts), default="auto"
        The initial weights: "auto" is scikit-learn's rule, and there are "glorot", "he", "lecun"
        and "orthogonal", see :mod:`sknn.initializers`. Two lists of arrays begin with these, such
        as the `coefs_` and `intercepts_` of another network.
    intercept_init : {"auto", "target", "zero"}, default="auto"
        Where the intercepts of the output begin: at the link of the weighted mean of the targets
        (at their quantiles, with a loss of quantiles), or at 0. "auto" draws them as scikit-learn
        does for its own losses, and is "target" for the others. Arrays in `initializer` stay.
    weight_decay : float or None, default=None
        Decoupled weight decay: each step multiplies the weights, not the intercepts, by 1 - rate
        times this, at least 0. None is the solver's own, 0.01 for "adamw" and else 0.
    l1_ratio : float, default=0.0
        The share of the absolute values in the penalty `alpha`, in [0, 1]; the rest is L2.
    max_grad_norm : float or None, default=None
        A gradient with a larger norm is shortened to it; positive.
    weight_averaging : {"ema", "swa"}, Averaging or None, default=None
        The average of the parameters that is validated and returned, see :mod:`sknn.averaging`.
    warmup : int, default=0
        Epochs in which the learning rate rises in a straight line, before its schedule begins.
    scoring : None, "loss", str or callable, default=None
        What early stopping watches: None is R^2, "loss" the negative loss on the held-out
        samples; or any scikit-learn scorer.
    max_time : float or None, default=None
        Seconds after which training ends with the epoch that runs, positive.
    refit_full : bool, default=False
        Whether early stopping only finds the number of epochs, and the network is then trained
        anew on all samples for as many.
    augmentation : str, Augmentation or None, default=None
        Random changes of each batch: "gaussian_noise", "mixup" or "swap_noise", see
        :mod:`sknn.augmentation`.
    on_divergence : {"raise", "recover"}, default="raise"
        Whether training that diverges raises, or goes back to the last good epoch and on at half
        the learning rate (a quarter if that does not help, and so on).

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.
    n_outputs_ : int
        Number of targets.
    n_layers_ : int
        Number of layers, the input included.
    out_activation_ : str
        "identity", or "exp" with the Poisson, gamma and Tweedie losses.
    coefs_ : list of ndarray
        The weights of each layer, of shape (n_in, n_out). They can be assigned and edited;
        predictions follow.
    intercepts_ : list of ndarray
        The intercepts of each layer, of shape (n_out,); as `coefs_`.
    n_iter_ : int
        Epochs or iterations of the last call.
    t_ : int
        Training samples seen by stochastic solvers, each epoch counted.
    loss_ : float
        The last training loss, penalty included.
    best_loss_ : float or None
        The lowest training loss; None with early stopping.
    loss_curve_ : list of float
        The training loss of each epoch or iteration.
    validation_scores_ : list of float or None
        The score on the samples to validate on after each epoch; None without such samples.
    best_validation_score_ : float or None
        The best of them; None without early stopping.
    history_ : DataFrame
        The columns loss, val_loss, val_score, learning_rate, batch_size, grad_norm and seconds, one
        row an epoch.
    normalization_ : list of dict of ndarray
        With `normalization`, the other parameters of each hidden layer; as `coefs_`.
    learning_rate_ : float
        The rate that ``learning_rate_init="auto"`` has found.
    lr_find_ : DataFrame
        The losses at the rates that were tried.
    has_stopped_ : bool
        Whether early stopping has ended a training by `partial_fit`.

    See Also
    --------
    MLPClassifier : The same for classification.

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
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> network = MLPRegressor((20,), alpha=10, learning_rate_init=0.01, random_state=0)
    >>> model = TransformedTargetRegressor(
    ...     make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    ... )
    >>> round(model.fit(X_train, y_train).score(X_test, y_test), 1)
    0.4
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = 0.001,
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
        validation_fraction: Any = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        target_loss: float | None = None,
        dropout: Any = 0.0,
        normalization: str | None = None,
        residual: bool = False,
        initializer: Any = "auto",
        intercept_init: str = "auto",
        weight_decay: float | None = None,
        l1_ratio: float = 0.0,
        max_grad_norm: float | None = None,
        weight_averaging: Any = None,
        warmup: int = 0,
        scoring: Any = None,
        max_time: float | None = None,
        refit_full: bool = False,
        augmentation: Any = None,
        on_divergence: str = "raise",
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
        self.dropout = dropout
        self.normalization = normalization
        self.residual = residual
        self.initializer = initializer
        self.intercept_init = intercept_init
        self.weight_decay = weight_decay
        self.l1_ratio = l1_ratio
        self.max_grad_norm = max_grad_norm
        self.weight_averaging = weight_averaging
        self.warmup = warmup
        self.scoring = scoring
        self.max_time = max_time
        self.refit_full = refit_full
        self.augmentation = augmentation
        self.on_divergence = on_divergence

    loss: Any
    _constraints: ClassVar = REGRESSOR_CONSTRAINTS

    @available_if_stochastic
    @with_hints
    def partial_fit(
        self,
        X: Any,
        y: Any,
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

    def _encode_targets(self, y: Array, is_first: bool, classes: Any, is_partial: bool) -> Array:
        loss = LOSSES.resolve(self.loss)
        outside = y <= loss.lowest if loss.is_open else y < loss.lowest
        if outside.any():
            row = int(np.argmax(outside.reshape(len(y), -1).any(axis=1)))
            name = self.loss if isinstance(self.loss, str) else type(self.loss).__name__
            raise ValueError(
                f"loss={name!r} needs y {'>' if loss.is_open else '>='} {loss.lowest:g}; found "
                f"{np.min(y[row])} at row {row}."
            )
        return y.reshape(len(y), -1)

    def _encode_held_out(self, y: Array) -> Array:
        return self._encode_targets(y, False, None, False)

    def _training_targets(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        return y, weight

    def _weigh(self, y: Array, weight: Array | None) -> Array | None:
        return weight

    def _make_loss(self, y: Array, weight: Array | None) -> Loss:
        return LOSSES.resolve(own(self.loss))

    def _strata(self, y: Array) -> Array | None:
        return None

    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        self._loss.inverse_link(raw)
        kinds = raw.reshape(self._loss.raw_per_target, -1, raw.shape[1])
        if not self._has_many_levels():
            return r2(y.T, kinds[0], sample_weight)
        pairs = zip(self._loss.level, kinds, strict=True)
        return float(np.mean([d2_pinball(y.T, q, level, sample_weight) for level, q in pairs]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        loss = self.loss
        if isinstance(loss, Loss) or loss in LOSSES:
            tags.target_tags.positive_only = LOSSES.resolve(loss).lowest >= 0
        return tags
