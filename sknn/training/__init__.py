"""From a recipe, targets and samples to a trained network."""

from sknn.training.callbacks import CallbackSupportMixin, EpochTasks, Hooks, with_callbacks
from sknn.training.checkpoint import Checkpoint
from sknn.training.data import HeldOut, Judge, TrainingSet
from sknn.training.recipe import Recipe
from sknn.training.trained import FoundRate, Trained
from sknn.training.training import Order, train, train_together

__all__ = [
    "CallbackSupportMixin",
    "Checkpoint",
    "EpochTasks",
    "FoundRate",
    "HeldOut",
    "Hooks",
    "Judge",
    "Order",
    "Recipe",
    "Trained",
    "TrainingSet",
    "train",
    "train_together",
    "with_callbacks",
]
