"""The parameters of both estimators: name, default, what is allowed, and what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, get_args

from sknn._constraints import BOOLEAN, NONE, Check, Interval, Member, OneOf
from sknn._math import Array
from sknn.architecture import NORMALIZATIONS, PARAMETRIZATIONS
from sknn.augmentation import AUGMENTATIONS, Augmentation
from sknn.averaging import AVERAGINGS, Averaging
from sknn.estimators.fields import Declared, param, with_parameters
from sknn.estimators.validation import (
    FRONT,
    LAYER_ACTIVATION,
    LAYER_DROPOUT,
    RANDOM_STATE,
    SEQUENCE,
    SPLITTER,
    ScorerName,
    is_path,
)
from sknn.estimators.words import (
    Activations,
    Augmentations,
    Averagings,
    BatchSizeName,
    Fronts,
    InitialWeights,
    InterceptInit,
    NormalizationName,
    OnDivergence,
    Parametrization,
    Path,
    RandomState,
    RateSchedules,
    Schedules,
    Scoring,
    Sizes,
    Solvers,
    Splitter,
)
from sknn.initializers import INITIALIZERS, Initializer, is_pair_of_lists
from sknn.optimizers import OPTIMIZERS, Optimizer
from sknn.schedules import SCHEDULES, Schedule

CHECKPOINT = param(
    default=None,
    type="str, path-like or None",
    allowed=[NONE, Check(is_path, "a path")],
    doc="A file in which the training is kept while it runs and when it has ended. A `fit` with "
    "the same parameters and data goes on from there, to the same bits, or returns what has been "
    "trained. A folder (one that exists, or a path that ends with a slash) has a file for each "
    "fit, as searches need. Not used by `partial_fit`.",
)

CHECKPOINT_SECONDS = param(
    default=30.0,
    type="float",
    allowed=[Interval(Real, 0, None)],
    doc="The file is written no more often than that, at least 0.",
)


@with_parameters
class MLPParameters(Declared):
    """What a user chooses of a multilayer perceptron, and what is published once it is fitted.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.
    n_layers_ : int
        Number of layers, the input included.
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
    front_ : list of dict of ndarray
        With `front`, the parameters of what stands in front of the network; as `coefs_`.
    learning_rate_ : float
        The rate that ``learning_rate_init="auto"`` has found.
    lr_find_ : DataFrame
        The losses at the rates that were tried.
    training_report_ : TrainingReport
        What the training has cost: epochs, steps, operations, time, memory and energy.
    has_stopped_ : bool
        Whether early stopping has ended a training by `partial_fit`.
    """

    hidden_layer_sizes: Sizes = param(
        default=(100,),
        type="int or sequence of int",
        doc="Units of each hidden layer, at least 1. Empty for a linear model.",
        kw_only=False,
    )
    activation: Activations = param(
        default="relu",
        type="str, Activation or sequence",
        allowed=[*LAYER_ACTIVATION, SEQUENCE],
        doc='The function between the layers, or one for each hidden layer: "identity", "logistic" '
        '(or "sigmoid"), "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", '
        '"softplus", an instance from :mod:`sknn.activations`, or an object with the methods '
        "``forward(z)`` and ``backward(z, grad)``.",
        kw_only=False,
    )
    loss: Any = param(
        default=None,  # each estimator has its own
        type="str or Loss",
        doc="What is minimised, see :mod:`sknn.losses`.",
    )
    solver: Solvers = param(
        default="adam",
        type="str or Optimizer",
        allowed=[OneOf(["lbfgs"]), Member(OPTIMIZERS, Optimizer)],
        doc='How the objective is minimised: "lbfgs" on all samples at once, or mini-batch '
        'gradient descent with "sgd", "adam", "adamw", "amsgrad", "nadam", "rmsprop", "adagrad", '
        '"lion", "muon" or "schedule_free"; or an instance from :mod:`sknn.optimizers`, whose '
        "numbers then replace `beta_1`, `beta_2`, `epsilon` and `momentum`.",
    )
    alpha: float = param(
        default=0.0001,
        type="float",
        allowed=[Interval(Real, 0, None)],
        doc="Strength of the penalty on the weights (not the intercepts), at least 0. The penalty "
        "is L2, or what `l1_ratio` mixes. It is divided by the number of samples, or their total "
        "weight, of the batch.",
    )
    batch_size: int | BatchSizeName = param(
        default="auto",
        type='int, "auto" or "adaptive"',
        allowed=[OneOf(get_args(BatchSizeName)), Interval(Integral, 1, None)],
        doc='Samples in a mini-batch; "auto" is the smaller of 200 and the number of samples, '
        '"adaptive" begins with 32 and doubles as the noise of the gradient allows, in `fit`. '
        "Not used by lbfgs.",
    )
    learning_rate: RateSchedules = param(
        default="constant",
        type="str, Schedule or callable",
        allowed=[
            Member(SCHEDULES, Schedule),
            Check(lambda v: callable(v) and not isinstance(v, type), "a function of the epoch"),
        ],
        doc='How the learning rate changes from epoch to epoch: "constant", "invscaling" (divided '
        'by ``(t + 1) ** power_t`` after t samples), "adaptive" (divided by 5 whenever training '
        'would otherwise stop for lack of improvement, until it is at most 1e-6), "cosine", '
        '"one_cycle", "exponential", "step", "polynomial", "flat_cos" or "coslog"; an instance '
        "from :mod:`sknn.schedules`; or a function from the epoch, counted from 0, to a factor.",
    )
    learning_rate_init: float | Literal["auto"] = param(
        default=0.001,
        type='float or "auto"',
        allowed=[OneOf(["auto"]), Interval(Real, 0, None, "neither")],
        doc='The initial learning rate, positive; "auto" finds it by a range test before training. '
        "Not used by lbfgs.",
    )
    power_t: float = param(
        default=0.5,
        type="float",
        allowed=[Interval(Real, 0, None)],
        doc='The exponent of "invscaling", at least 0.',
    )
    max_iter: int = param(
        default=200,
        type="int",
        allowed=[Interval(Integral, 1, None)],
        doc="Epochs at most (iterations with lbfgs), at least 1.",
    )
    shuffle: bool = param(
        default=True,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether the samples are visited in a new order in each epoch. Not used by lbfgs.",
    )
    random_state: RandomState | None = param(
        default=None,
        type="int, RandomState instance or None",
        allowed=[RANDOM_STATE],
        doc="Seeds weights, early-stopping split, shuffling, dropout and augmentation.",
    )
    tol: float = param(
        default=0.0001,
        type="float",
        allowed=[Interval(Real, 0, None)],
        doc="An epoch counts as an improvement if the training loss falls (or with early stopping "
        "the validation score rises) by more than `tol`. With lbfgs, training stops when no "
        "component of the gradient is larger.",
    )
    verbose: bool | int = param(
        default=False,
        type="bool or int",
        allowed=[BOOLEAN, Interval(Integral, 0, None)],
        doc="Whether to print a line an epoch.",
    )
    warm_start: bool = param(
        default=False,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether `fit` goes on from the weights of the last call.",
    )
    momentum: float = param(
        default=0.9,
        type="float",
        allowed=[Interval(Real, 0, 1, "both")],
        doc="Momentum of sgd, in [0, 1].",
    )
    nesterovs_momentum: bool = param(
        default=True,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether sgd uses Nesterov's momentum.",
    )
    early_stopping: bool = param(
        default=False,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether to hold out a part of the samples, to stop when their score (see `scoring`) "
        "no longer improves, and to return the weights that scored best. A classifier's split is "
        "stratified where there is one target.",
    )
    validation_fraction: float | Splitter = param(
        default=0.1,
        type="float or splitter",
        allowed=[Interval(Real, 0, 1), SPLITTER],
        doc="The part early stopping holds out, in (0, 1), or a splitter whose last split it "
        "takes.",
    )
    beta_1: float = param(
        default=0.9,
        type="float",
        allowed=[Interval(Real, 0, 1)],
        doc="Decay of the first moment of adam, adamw, nadam and amsgrad, in [0, 1).",
    )
    beta_2: float = param(
        default=0.999,
        type="float",
        allowed=[Interval(Real, 0, 1)],
        doc="Decay of their second moment, in [0, 1).",
    )
    epsilon: float = param(
        default=1e-8,
        type="float",
        allowed=[Interval(Real, 0, None, "neither")],
        doc="Added to their denominator, positive.",
    )
    n_iter_no_change: float = param(
        default=10,
        type="int or inf",
        allowed=[
            Interval(Integral, 1, None),
            Check(lambda value: isinstance(value, Real) and value == math.inf, "inf"),
        ],
        doc='Training stops (with "adaptive" the learning rate falls) after more than so many '
        "epochs in a row without an improvement by `tol`.",
    )
    max_fun: int = param(
        default=15000,
        type="int",
        allowed=[Interval(Integral, 1, None)],
        doc="Evaluations of the objective that lbfgs may use, at least 1.",
    )
    target_loss: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, None, None)],
        doc="Training also stops once the training loss has reached this value.",
    )
    dropout: float | Sequence[float] | Array = param(
        default=0.0,
        type="float or sequence of float",
        allowed=[*LAYER_DROPOUT, SEQUENCE],
        doc="Share of a hidden layer's outputs that a training step sets to 0, in [0, 1); one for "
        "all hidden layers or one for each.",
    )
    normalization: NormalizationName | None = param(
        default=None,
        type='{"batch", "layer"} or None',
        allowed=[NONE, OneOf(list(NORMALIZATIONS))],
        doc="What is normalised between a hidden layer's sums and its activation.",
    )
    residual: bool = param(
        default=False,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether a hidden layer as wide as the one before adds that one's output to its own.",
    )
    front: Fronts | None = param(
        default=None,
        type="str, Layer, sequence of these or None",
        allowed=[NONE, *FRONT, SEQUENCE],
        doc='What stands in front of the first hidden layer: "scale" gives each input a factor '
        'that is trained fast, "fourier" adds waves of each input, "piecewise_linear" replaces it '
        "by how much of each of some bins it has passed; or layers from :mod:`sknn.layers`. "
        "Several stand one after the other.",
    )
    parametrization: Parametrization = param(
        default="standard",
        type='{"standard", "ntk"}',
        allowed=[OneOf(PARAMETRIZATIONS)],
        doc='How weights are trained. "ntk" divides their learning rate by the square root of the '
        "number of a layer's inputs, so that one rate suits layers of all widths, and intercepts "
        "have a tenth of it; see :class:`sknn.layers.Linear`.",
    )
    dropout_schedule: Schedules | None = param(
        default=None,
        type="str, Schedule or None",
        allowed=[NONE, Member(SCHEDULES, Schedule)],
        doc='How dropout changes from step to step, such as "flat_cos"; see '
        ":mod:`sknn.schedules`. None keeps it.",
    )
    weight_decay_schedule: Schedules | None = param(
        default=None,
        type="str, Schedule or None",
        allowed=[NONE, Member(SCHEDULES, Schedule)],
        doc="How weight decay changes from step to step, beside the learning rate. None keeps it.",
    )
    initializer: InitialWeights = param(
        default="auto",
        type="str, Initializer or (coefs, intercepts)",
        allowed=[
            Member(INITIALIZERS, Initializer),
            Check(is_pair_of_lists, "a pair of lists (coefs, intercepts)"),
        ],
        doc='The initial weights: "auto" is scikit-learn\'s rule, and there are "glorot", "he", '
        '"lecun", "orthogonal", and "data", which adapts to training rows, see '
        ":mod:`sknn.initializers`. Two lists of arrays begin with "
        "these, such as the `coefs_` and `intercepts_` of another network.",
    )
    intercept_init: InterceptInit = param(
        default="auto",
        type='{"auto", "target", "zero"}',
        allowed=[OneOf(get_args(InterceptInit))],
        doc="Where the intercepts of the output begin: at the link of the weighted mean of the "
        'targets (at their quantiles, with a loss of quantiles), or at 0. "auto" draws them as '
        'scikit-learn does for its own losses, and is "target" for the others. Arrays in '
        "`initializer` stay.",
    )
    weight_decay: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None)],
        doc="Decoupled weight decay: each step multiplies the weights, not the intercepts, by 1 - "
        'rate times this, at least 0. None is the solver\'s own, 0.01 for "adamw" and else 0.',
    )
    l1_ratio: float = param(
        default=0.0,
        type="float",
        allowed=[Interval(Real, 0, 1, "both")],
        doc="The share of the absolute values in the penalty `alpha`, in [0, 1]; the rest is L2.",
    )
    max_grad_norm: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc="A gradient with a larger norm is shortened to it; positive.",
    )
    weight_averaging: Averagings | None = param(
        default=None,
        type='{"ema", "swa"}, Averaging or None',
        allowed=[NONE, Member(AVERAGINGS, Averaging)],
        doc="The average of the parameters that is validated and returned, see "
        ":mod:`sknn.averaging`.",
    )
    warmup: int = param(
        default=0,
        type="int",
        allowed=[Interval(Integral, 0, None)],
        doc="Epochs in which the learning rate rises in a straight line, before its schedule "
        "begins.",
    )
    scoring: Scoring | None = param(
        default=None,
        type='None, "loss", str or callable',
        allowed=[NONE, OneOf(["loss"]), ScorerName(), Check(callable, "a callable")],
        doc="What early stopping watches: None is what `score` returns (accuracy or R^2), "
        '"loss" the negative loss on the held-out samples; or any scikit-learn scorer.',
    )
    max_time: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc="Seconds after which training ends with the epoch that runs, positive.",
    )
    max_flops: float | None = param(
        default=None,
        type="float or None",
        allowed=[NONE, Interval(Real, 0, None, "neither")],
        doc="Training ends with the step that reaches this many floating-point operations, "
        "positive; they are counted as in `training_report_`. Unlike seconds they mean the same "
        "steps on every machine.",
    )
    refit_full: bool = param(
        default=False,
        type="bool",
        allowed=[BOOLEAN],
        doc="Whether early stopping only finds the number of epochs, and the network is then "
        "trained anew on all samples for as many.",
    )
    augmentation: Augmentations | None = param(
        default=None,
        type="str, Augmentation or None",
        allowed=[NONE, Member(AUGMENTATIONS, Augmentation)],
        doc='Random changes of each batch: "gaussian_noise", "mixup" or "swap_noise", see '
        ":mod:`sknn.augmentation`.",
    )
    checkpoint: Path | None = CHECKPOINT
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    on_divergence: OnDivergence = param(
        default="raise",
        type='{"raise", "recover"}',
        allowed=[OneOf(get_args(OnDivergence))],
        doc="Whether training that diverges raises, or goes back to the last good epoch and on at "
        "half the learning rate (a quarter if that does not help, and so on).",
    )
