"""Update rules for the parameters."""

from sknn.optimizers._base import OPTIMIZERS, Optimizer
from sknn.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from sknn.optimizers.lion import Lion
from sknn.optimizers.muon import Muon
from sknn.optimizers.rmsprop import Adagrad, RMSprop
from sknn.optimizers.schedule_free import ScheduleFree
from sknn.optimizers.sgd import SGD

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "AMSGrad",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "ScheduleFree",
]
