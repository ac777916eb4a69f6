"""MLPRegressor."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin

from sknn._math import Array
from sknn.estimators.base import BaseMLP
from sknn.estimators.scoring import r2
from sknn.estimators.settings import available_if_stochastic
from sknn.estimators.validation import OneOf
from sknn.losses import LOSSES, Loss


class MLPRegressor(RegressorMixin, BaseMLP):
    r"""Multilayer perceptron for regression.

    A network of layers :math:`h_{l+1} = f(h_l W_l + b_l)` is trained to minimise

    .. math::
        J(\theta) = \frac{1}{\sum_i w_i} \Big( \sum_i w_i L(y_i, \hat y_i)
        + \frac{\alpha}{2} \sum_l \lVert W_l \rVert^2 \Big)

    over each batch, with half the squared error or half the Poisson deviance as loss L, summed
    over the outputs. The targets are not scaled: bring them to a spread of about 1 (for example
    with :class:`sklearn.compose.TransformedTargetRegressor`).

    With the same `random_state` it is the model that
    :class:`sklearn.neural_network.MLPRegressor` trains, up to rounding and to the differences
    listed in the user guide.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer, at least 1. Empty for a linear model.
    activation : {"identity", "logistic", "tanh", "relu"} or Activation, default="relu"
        The function between the layers.
    loss : {"squared_error", "poisson"}, default="squared_error"
        Half the squared error with the identity as output, or half the Poisson deviance with the
        exponential as output, for y >= 0.
    solver : {"lbfgs", "sgd", "adam"}, default="adam"
        How the objective is minimised: L-BFGS on all samples at once, or mini-batch gradient
        descent with momentum or with Adam.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights (not the intercepts), at least 0. It is divided
        by the number of samples, or their total weight, of the batch.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch; "auto" is the smaller of 200 and the number of samples. Not used
        by lbfgs.
    learning_rate : {"constant", "invscaling", "adaptive"}, default="constant"
        How the learning rate of sgd and adam changes. "invscaling" divides it by
        ``(t + 1) ** power_t`` after t samples; "adaptive" divides it by 5 whenever training would
        otherwise stop for lack of improvement, until it is at most 1e-6.
    learning_rate_init : float, default=0.001
        The initial learning rate, positive. Not used by lbfgs.
    power_t : float, default=0.5
        The exponent of "invscaling", at least 0.
    max_iter : int, default=200
        Epochs at most (iterations with lbfgs), at least 1.
    shuffle : bool, default=True
        Whether sgd and adam visit the samples in a new order in each epoch.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial weights, the early-stopping split and the shuffling.
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
    validation_fraction : float, default=0.1
        The part that early stopping holds out, in (0, 1).
    beta_1 : float, default=0.9
        Decay of Adam's first moment, in [0, 1).
    beta_2 : float, default=0.999
        Decay of Adam's second moment, in [0, 1).
    epsilon : float, default=1e-8
        Added to Adam's denominator, positive.
    n_iter_no_change : int or inf, default=10
        Training stops (with "adaptive" the learning rate falls) after more than so many epochs
        in a row without an improvement by `tol`.
    max_fun : int, default=15000
        Evaluations of the objective that lbfgs may use, at least 1.
    target_loss : float or None, default=None
        Training also stops once the training loss has reached this value.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.
    n_outputs_ : int
        Number of outputs of the network.
    n_layers_ : int
        Number of layers, the input included.
    out_activation_ : str
        "identity", or "exp" with the Poisson loss.
    coefs_ : list of ndarray
        The weights of each layer, of shape (n_in, n_out). They can be assigned and edited;
        predictions follow.
    intercepts_ : list of ndarray
        The intercepts of each layer, of shape (n_out,); as `coefs_`.
    n_iter_ : int
        Epochs or iterations of the last call.
    t_ : int
        Training samples seen by sgd or adam, each epoch counted.
    loss_ : float
        The last training loss, penalty included.
    best_loss_ : float or None
        The lowest training loss; None with early stopping.
    loss_curve_ : list of float
        The training loss of each epoch or iteration.
    validation_scores_ : list of float or None
        The R^2 on the held-out samples after each epoch; None without early stopping.
    best_validation_score_ : float or None
        The best of them; None without early stopping.
    history_ : DataFrame
        The columns loss, val_score and learning_rate, one row an epoch.

    See Also
    --------
    MLPClassifier : The same for classification.

    References
    ----------
    Hinton, G., "Connectionist learning procedures", Artificial Intelligence 40 (1989).

    Glorot, X. and Bengio, Y., "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    Kingma, D. and Ba, J., "Adam: A method for stochastic optimization", ICLR 2015.

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

    _constraints: ClassVar = {**BaseMLP._constraints, "loss": [OneOf(["squared_error", "poisson"])]}

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
        X, y = super()._validate_data(X, y, is_first, y_numeric=True, **options)
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
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
