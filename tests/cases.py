"""What the property tests run over: every member of every registry, unasked."""

import numpy as np

from sknn.activations import ACTIVATIONS
from sknn.architecture import build_layers
from sknn.losses import CLASSIFICATION_LOSSES, LOSSES, Quantile
from sknn.network import Network
from sknn.objective import Objective
from sknn.optimizers import OPTIMIZERS
from sknn.penalties import L2
from sknn.schedules import SCHEDULES

ACTIVATION_CASES = [member() for member in dict.fromkeys(ACTIVATIONS.values())]
LOSS_CASES = [
    *(LOSSES.resolve(name) for name in LOSSES),
    *(CLASSIFICATION_LOSSES.resolve(name) for name in CLASSIFICATION_LOSSES),
    *(CLASSIFICATION_LOSSES.resolve(n).for_targets(False, False) for n in CLASSIFICATION_LOSSES),
    Quantile([0.1, 0.5, 0.9]),
]
OPTIMIZER_CASES = [OPTIMIZERS.resolve(name) for name in OPTIMIZERS] + [
    OPTIMIZERS["sgd"](momentum=0.5, nesterov=False)
]
SCHEDULE_CASES = [SCHEDULES.resolve(name) for name in SCHEDULES]


def make_targets(loss, n_samples, n_outputs, rng):
    """Return targets (n_samples, n_outputs) in the domain of a loss, as an estimator has them."""
    if loss.out_activation == "softmax":
        return np.eye(n_outputs, dtype=bool)[rng.integers(0, n_outputs, n_samples)]
    if loss.out_activation == "logistic":
        return rng.random((n_samples, n_outputs)) < 0.5
    if loss.out_activation == "exp":
        return rng.poisson(2, (n_samples, n_outputs)) + (0.5 if loss.is_open else 0.0)
    return rng.standard_normal((n_samples, n_outputs))


def make_objective(activation, loss, n_features=4, hidden=(6, 5), n_outputs=2, alpha=0.1):
    """Return the objective of a small network."""
    layers = build_layers(hidden, [activation] * len(hidden), n_outputs * loss.raw_per_target)
    network = Network(layers, n_features)
    return Objective(network, loss, L2(), alpha)


def name_of(case):
    """Return a readable test id."""
    return type(case).__name__ if not isinstance(case, (str, int, bool)) else str(case)
