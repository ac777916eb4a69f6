"""Loss functions, each with its link."""

from sknn.losses._base import LOSSES, Loss
from sknn.losses.classification import BinaryLogLoss, LogLoss
from sknn.losses.regression import PoissonLoss, SquaredError

__all__ = ["LOSSES", "BinaryLogLoss", "LogLoss", "Loss", "PoissonLoss", "SquaredError"]
