"""Loss functions, each with its link."""

from sknn.losses._base import CLASSIFICATION_LOSSES, LOSSES, Loss, by_sample
from sknn.losses.classification import BinaryLogLoss, LogLoss
from sknn.losses.distribution import Gaussian, Quantile
from sknn.losses.focal import BinaryFocal, Focal
from sknn.losses.grouped import Grouped, LabelWeighted
from sknn.losses.regression import (
    AbsoluteError,
    GammaLoss,
    Huber,
    LogCosh,
    PoissonLoss,
    SquaredError,
    Tweedie,
)

__all__ = [
    "CLASSIFICATION_LOSSES",
    "LOSSES",
    "AbsoluteError",
    "BinaryFocal",
    "BinaryLogLoss",
    "Focal",
    "GammaLoss",
    "Gaussian",
    "Grouped",
    "Huber",
    "LabelWeighted",
    "LogCosh",
    "LogLoss",
    "Loss",
    "PoissonLoss",
    "Quantile",
    "SquaredError",
    "Tweedie",
    "by_sample",
]
