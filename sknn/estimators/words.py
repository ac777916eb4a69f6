"""What parameters take, as types: editors complete the names, and type checkers know the others.

No type checker reads a registry, so names of its members stand here once more, and a test compares
them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeAlias

import numpy as np

from sknn._math import Array
from sknn.activations import Activation
from sknn.augmentation import Augmentation
from sknn.averaging import Averaging
from sknn.initializers import Initializer
from sknn.layers import Layer
from sknn.losses import Loss
from sknn.optimizers import Optimizer
from sknn.schedules import Schedule

# Names.

ActivationName: TypeAlias = Literal[
    "identity",
    "logistic",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
]
ClassLossName: TypeAlias = Literal["log_loss", "focal"]
NumberLossName: TypeAlias = Literal[
    "squared_error",
    "absolute_error",
    "huber",
    "log_cosh",
    "quantile",
    "poisson",
    "gamma",
    "tweedie",
    "gaussian",
]
OptimizerName: TypeAlias = Literal[
    "sgd",
    "adam",
    "adamw",
    "amsgrad",
    "nadam",
    "rmsprop",
    "adagrad",
    "lion",
    "muon",
    "schedule_free",
]
ScheduleName: TypeAlias = Literal[
    "constant",
    "invscaling",
    "adaptive",
    "cosine",
    "one_cycle",
    "exponential",
    "step",
    "polynomial",
    "flat_cos",
    "coslog",
]
InitializerName: TypeAlias = Literal["auto", "glorot", "he", "lecun", "orthogonal", "data"]
AveragingName: TypeAlias = Literal["ema", "swa"]
AugmentationName: TypeAlias = Literal["gaussian_noise", "mixup", "swap_noise"]
FrontName: TypeAlias = Literal["scale", "fourier", "piecewise_linear"]
NormalizationName: TypeAlias = Literal["batch", "layer"]
Parametrization: TypeAlias = Literal["standard", "ntk"]
ScorerName: TypeAlias = Literal[
    "accuracy",
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "average_precision",
    "balanced_accuracy",
    "completeness_score",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "explained_variance",
    "f1",
    "f1_macro",
    "f1_micro",
    "f1_samples",
    "f1_weighted",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "jaccard",
    "jaccard_macro",
    "jaccard_micro",
    "jaccard_samples",
    "jaccard_weighted",
    "matthews_corrcoef",
    "mutual_info_score",
    "neg_brier_score",
    "neg_log_loss",
    "neg_max_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
    "neg_mean_gamma_deviance",
    "neg_mean_poisson_deviance",
    "neg_mean_squared_error",
    "neg_mean_squared_log_error",
    "neg_median_absolute_error",
    "neg_negative_likelihood_ratio",
    "neg_root_mean_squared_error",
    "neg_root_mean_squared_log_error",
    "normalized_mutual_info_score",
    "positive_likelihood_ratio",
    "precision",
    "precision_macro",
    "precision_micro",
    "precision_samples",
    "precision_weighted",
    "r2",
    "rand_score",
    "recall",
    "recall_macro",
    "recall_micro",
    "recall_samples",
    "recall_weighted",
    "roc_auc",
    "roc_auc_ovo",
    "roc_auc_ovo_weighted",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
    "top_k_accuracy",
    "v_measure_score",
]
"""scikit-learn's scorers."""

# These stand nowhere else.

BatchSizeName: TypeAlias = Literal["auto", "adaptive"]
InterceptInit: TypeAlias = Literal["auto", "target", "zero"]
OnDivergence: TypeAlias = Literal["raise", "recover"]
TargetType: TypeAlias = Literal["auto", "multilabel", "soft"]

# What else there may be in place of a name.


class OwnActivation(Protocol):
    """A user's own function as an activation."""

    def forward(self, z: Any, /) -> Any:
        """Return the values of the function."""

    def backward(self, z: Any, grad: Any, /) -> Any:
        """Return its derivative times a gradient."""


class Splitter(Protocol):
    """What divides samples into parts, such as scikit-learn's ``KFold``."""

    def split(self, X: Any, y: Any, /, groups: Any) -> Any:
        """Yield pairs of indices."""


LayerActivation: TypeAlias = (
    ActivationName | Activation | type[Activation] | OwnActivation | type[OwnActivation]
)
"""The activation of one hidden layer."""

Activations: TypeAlias = LayerActivation | Sequence[LayerActivation] | Array
Solvers: TypeAlias = Literal["lbfgs"] | OptimizerName | Optimizer
Schedules: TypeAlias = ScheduleName | Schedule
RateSchedules: TypeAlias = Schedules | Callable[[int], float]
InitialWeights: TypeAlias = (
    InitializerName | Initializer | tuple[Sequence[Any], Sequence[Any]] | list[Any]
)
ClassLosses: TypeAlias = ClassLossName | Loss
NumberLosses: TypeAlias = NumberLossName | Loss
Averagings: TypeAlias = AveragingName | Averaging
Augmentations: TypeAlias = AugmentationName | Augmentation
Fronts: TypeAlias = FrontName | Layer | Sequence[FrontName | Layer]
Sizes: TypeAlias = int | Sequence[int] | Array
ClassWeight: TypeAlias = Literal["balanced"] | Mapping[Any, float] | Sequence[Mapping[Any, float]]
Scoring: TypeAlias = Literal["loss"] | ScorerName | Callable[..., float]
Folds: TypeAlias = int | Splitter | Iterable[tuple[Any, Any]]
RandomState: TypeAlias = int | np.random.RandomState
CategoricalFeatures: TypeAlias = Literal["from_dtype"] | Any
Path: TypeAlias = str | os.PathLike[str]


class Untyped:
    """Mixin that says what methods return of which scikit-learn does not say it."""

    if TYPE_CHECKING:

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

        def set_params(self, **params: Any) -> Self: ...

        def set_callbacks(self, *callbacks: Any) -> Self: ...

        def set_fit_request(self, **requests: bool | str | None) -> Self: ...

        def set_partial_fit_request(self, **requests: bool | str | None) -> Self: ...

        def set_score_request(self, **requests: bool | str | None) -> Self: ...
