"""MLPClassifier."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

from sklearn.base import ClassifierMixin

from sknn._component import own
from sknn._math import Array
from sknn.estimators.base import BaseMLP
from sknn.estimators.class_weight import (
    check_partial_weights,
    class_factors,
    label_weights,
    sample_weights,
    smooth,
    warn_if_imbalanced,
)
from sknn.estimators.evaluation import HeldOut
from sknn.estimators.hints import with_hints
from sknn.estimators.prediction import ClassPredictions
from sknn.estimators.scoring import accuracy
from sknn.estimators.settings import (
    CLASSIFIER_CONSTRAINTS,
    available_if_stochastic,
    mixes_targets,
)
from sknn.estimators.targets import (
    LabelEncoding,
    MultiOutputEncoding,
    as_classes,
    check_classes,
    learn_encoding,
)
from sknn.losses import CLASSIFICATION_LOSSES, Grouped, LabelWeighted, Loss
from sknn.solvers import TrainingState


class MLPClassifier(ClassPredictions, ClassifierMixin, BaseMLP):
    r"""Multilayer perceptron for classification.

    A network of layers :math:`h_{l+1} = f(h_l W_l + b_l)` is trained to minimise

    .. math::
        J(\theta) = \frac{1}{\sum_i w_i} \Big( -\sum_i w_i \log p_{i, y_i}
        + \frac{\alpha}{2} \sum_l \lVert W_l \rVert^2 \Big)

    over each batch, where p is the softmax of the raw scores. Two classes need but one score and
    the logistic function, and so does each of several labels.

    At its defaults it is the model of :class:`sklearn.neural_network.MLPClassifier`, up to rounding
    and the differences listed in the user guide.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer, at least 1. Empty for a linear model.
    activation : str, Activation or sequence, default="relu"
        The function between the layers, or one for each hidden layer: "identity", "logistic" (or
        "sigmoid"), "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus",
        an instance from :mod:`sknn.activations`, or an object with the methods ``forward(z)``
        and ``backward(z, grad)``.
    loss : {"log_loss", "focal"} or Loss, default="log_loss"
        What is minimised, see :mod:`sknn.losses`.
    label_smoothing : float, default=0.0
        The share s of the targets that is spread evenly over the K classes while training,
        :math:`y' = (1 - s) y + s / K`, in [0, 1). Labels of multilabel problems have K = 2.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; one without an entry weighs 1, and several targets may have a dict
        each. "balanced" gives all classes that occur the same total, sample weights included. In
        multilabel problems a dict has the weights of each label's positive samples, and "balanced"
        gives them that of the negative ones.
    target_type : {"auto", "multilabel", "soft"}, default="auto"
        What a matrix y holds: labels that are true (1) or not (0), or probabilities of classes, in
        rows that sum to 1. "auto" takes a float matrix for probabilities if it has an entry
        strictly between 0 and 1; one that is exactly one-hot counts as labels.
    solver : str or Optimizer, default="adam"
        How the objective is minimised: "lbfgs" on all samples at once, or mini-batch gradient
        descent with "sgd", "adam", "adamw", "amsgrad", "nadam", "rmsprop", "adagrad", "lion",
        "muon" or "schedule_free"; or an instance from :mod:`sknn.optimizers`, whose numbers then
        replace `beta_1`, `beta_2`, `epsilon` and `momentum`.
    alpha : float, default=0.0001
        Strength of the penalty on the weights (not the intercepts), at least 0. It is divided by
        the number of samples, or their total weight, of the batch.
    batch_size : int, "auto" or "adaptive", default="auto"
        Samples in a mini-batch; "auto" is the smaller of 200 and their number, "adaptive" begins
        with 32 and doubles as the noise of the gradient allows, in `fit`. Not used by lbfgs.
    learning_rate : str, Schedule or callable, default="constant"
        How the learning rate changes from epoch to epoch: "constant", "invscaling" (divided by
        ``(t + 1) ** power_t`` after t samples), "adaptive" (divided by 5 whenever training would
        otherwise stop for lack of improvement, until it is at most 1e-6), "cosine", "one_cycle",
        "exponential", "step", "polynomial" or "coslog"; an instance from :mod:`sknn.schedules`;
        or a function from the epoch, counted from 0, to a multiplier.
    learning_rate_init : float or "auto", default=0.001
        The initial learning rate, positive; "auto" finds it by a range test. Not used by lbfgs.
    power_t : float, default=0.5
        The exponent of "invscaling", at least 0.
    max_iter : int, default=200
        Epochs at most (iterations with lbfgs), at least 1.
    shuffle : bool, default=True
        Whether the samples are visited in a new order in each epoch. Not used by lbfgs.
    random_state : int, RandomState instance or None, default=None
        Seeds weights, early-stopping split, shuffling, dropout and augmentation.
    tol : float, default=0.0001
        An epoch is an improvement if the training loss falls (or with early stopping the score
        rises) by more. With lbfgs, training stops when no component of the gradient is larger.
    verbose : bool or int, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the last call.
    momentum : float, default=0.9
        Momentum of sgd, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether it is Nesterov's.
    early_stopping : bool, default=False
        Whether to hold out a part of the samples, to stop when their score no longer improves, and
        to return the best weights. The split is stratified where there is one target.
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
        times this, at least 0. None is 0.01 for "adamw" and else 0.
    l1_ratio : float, default=0.0
        The share of the absolute values in the penalty `alpha`, in [0, 1]; the rest is L2.
    max_grad_norm : float or None, default=None
        A gradient with a larger norm is shortened to it, positive.
    weight_averaging : {"ema", "swa"}, Averaging or None, default=None
        The average of the parameters that is validated and returned, see :mod:`sknn.averaging`.
    warmup : int, default=0
        Epochs in which the learning rate rises in a straight line, before its schedule begins.
    scoring : None, "loss", str or callable, default=None
        What early stopping watches: None is the accuracy, "loss" the negative loss on the held-out
        samples; or any scikit-learn scorer.
    max_time : float or None, default=None
        Seconds after which training ends with the epoch that runs, positive.
    refit_full : bool, default=False
        Whether the network is trained anew on all samples, for as many epochs as were best.
    augmentation : str, Augmentation or None, default=None
        Random changes of each batch: "gaussian_noise", "mixup" or "swap_noise", see
        :mod:`sknn.augmentation`.
    on_divergence : {"raise", "recover"}, default="raise"
        Whether training that diverges raises, or goes back to the last good epoch and on at half
        the learning rate (a quarter if that does not help, and so on).

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or list of ndarray
        The classes, sorted, for each target; in multilabel problems the numbers of the labels.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where X had names that are all strings.
    n_outputs_ : int
        Number of outputs.
    n_layers_ : int
        Number of layers, the input included.
    out_activation_ : str
        "softmax", or "logistic" for binary and multilabel problems.
    coefs_ : list of ndarray
        The weights of each layer, of shape (n_in, n_out). Predictions follow when they are edited.
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
        With `normalization`, the other parameters of each hidden layer.
    learning_rate_ : float
        The rate that ``learning_rate_init="auto"`` has found.
    lr_find_ : DataFrame
        The losses at the rates that were tried.
    has_stopped_ : bool
        Whether early stopping has ended a training by `partial_fit`.

    References
    ----------
    Hinton, G., "Connectionist learning procedures", Artificial Intelligence 40 (1989).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), MLPClassifier(random_state=0, max_iter=400))
    >>> print(f"{cross_val_score(model, X, y).mean():.2f}")
    0.98
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "log_loss",
        label_smoothing: float = 0.0,
        class_weight: Any = None,
        target_type: str = "auto",
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.target_type = target_type
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

    _encoding: LabelEncoding
    _class_factors: list[Array]
    classes_: Any

    _constraints: ClassVar = CLASSIFIER_CONSTRAINTS

    @available_if_stochastic
    @with_hints
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
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
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The classes; some may be missing.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weights of the samples, at least 0.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur. Required in the first call; not for probabilities.
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
        check_partial_weights(self.class_weight)
        classes = as_classes(classes)
        check_classes(getattr(self, "classes_", None), classes, y, self.target_type)
        given = X_val, y_val, sample_weight_val
        return self._fit(X, y, sample_weight, given, is_partial=True, classes=classes)

    def _encode_targets(self, y: Any, is_first: bool, classes: Any, is_partial: bool) -> Array:
        if is_first:
            self._encoding = learn_encoding(y, classes, self.target_type)
            self.classes_ = self._encoding.classes
        if not is_first or classes is not None:
            self._encoding.check(y, must_have_all=self.warm_start and not is_partial)
        return self._encoding.encode(y)

    def _encode_held_out(self, y: Any) -> Array:
        self._encoding.check(y, must_have_all=False, name="y_val")
        return self._encoding.encode(y)

    def _training_targets(self, y: Array, weight: Array | None) -> tuple[Array, Array | None]:
        self._class_factors = []
        if self.class_weight is not None:
            self._class_factors = class_factors(self.class_weight, self._encoding, y, weight)
        return smooth(y, self.label_smoothing, self._encoding), self._weigh(y, weight)

    def _weigh(self, y: Array, weight: Array | None) -> Array | None:
        return sample_weights(self._class_factors, self._encoding, y, weight)

    def _make_loss(self, y: Array, weight: Array | None) -> Loss:
        encoding = self._encoding
        are_soft = encoding.are_soft or self.label_smoothing > 0 or mixes_targets(self)
        loss = CLASSIFICATION_LOSSES.resolve(own(self.loss))
        if isinstance(encoding, MultiOutputEncoding):
            return Grouped(loss.for_targets(True, are_soft), encoding.sizes)
        loss = loss.for_targets(encoding.is_multiclass, are_soft)
        if encoding.is_multilabel and self.class_weight is not None:
            return LabelWeighted(loss, label_weights(self.class_weight, y, weight))
        return loss

    def _strata(self, y: Array) -> Array | None:
        return self._encoding.strata(y, math.ceil(self.validation_fraction * len(y)))

    def _score_raw(self, raw: Array, y: Array, sample_weight: Array | None) -> float:
        self._loss.inverse_link(raw)
        is_right = self._encoding.is_right(self._encoding.decide(raw), y)
        return accuracy(is_right, sample_weight)

    def _check_validation_scores(self, state: TrainingState, held_out: HeldOut) -> None:
        warn_if_imbalanced(self._encoding, held_out, state.best_score)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
