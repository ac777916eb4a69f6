"""Update rules for the parameters."""

from sknn.optimizers._base import OPTIMIZERS, Optimizer
from sknn.optimizers.adam import Adam
from sknn.optimizers.sgd import SGD

__all__ = ["OPTIMIZERS", "SGD", "Adam", "Optimizer"]
