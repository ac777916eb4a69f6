"""What the property tests run over: every member of every registry, unasked."""

import itertools

import numpy as np

from sknn.activations import ACTIVATIONS, Tanh
from sknn.architecture import build_layers
from sknn.layers import (
    LAYERS,
    ActivationLayer,
    BatchNorm,
    Dropout,
    Fourier,
    LayerNorm,
    Linear,
    PiecewiseLinear,
    Residual,
    ScaledLinear,
)
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
# A layer whose constructor needs nothing is met unasked; a new one that does has to be named here.
NEEDY_LAYERS = {
    "activation": ActivationLayer(Tanh()),
    "dropout": Dropout(0.3),
    "fourier": Fourier(2),
    "linear": Linear(5),
    "piecewise_linear": PiecewiseLinear(2),
    "scaled_linear": ScaledLinear(5),
    "residual": Residual((Linear(5), LayerNorm(), ActivationLayer(Tanh()), Dropout(0.3))),
}
LAYER_CASES = [
    *(NEEDY_LAYERS.get(name) or LAYERS.resolve(name) for name in LAYERS),
    Residual((BatchNorm(), Linear(5, has_intercept=False))),
    Residual((Dropout(0.3),)),
    Linear(5, has_intercept=False),
    ScaledLinear(5, has_intercept=False, parametrization="ntk", adapts=True, scale=0.5),
]


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


def make_network_with(layer, activation=None, n_outputs=2):
    """Return a network of 5 features that begins with a layer and has it in its midst, too."""
    hidden = [Linear(5), ActivationLayer(activation or Tanh())]
    return Network([layer, *hidden, layer, Linear(n_outputs, output_major=True)], 5)


def draw_theta(network, rng):
    """Return parameters at random; statistics are positive, as variances are."""
    theta, n_trained = rng.standard_normal(network.layout.size) / 2, network.layout.n_trained
    theta[n_trained:] = np.square(theta[n_trained:]) + 0.5
    return theta


def name_of(case):
    """Return a readable test id."""
    is_plain = case is None or isinstance(case, (str, int, float, tuple))
    return str(case) if is_plain else type(case).__name__


def pairs(*axes):
    """Return rows of one value of each axis, such that any two values of two axes meet.

    A product grows with each axis, these rows hardly do: there are little more of them than the
    two longest axes have pairs. What three axes do to each other needs two of them as one axis:
    their product. The rows are found greedily, and always the same.
    """
    sizes = [len(axis) for axis in axes]
    missing = dict.fromkeys(  # in order, as no set is
        ((a, i), (b, j))
        for (a, m), (b, n) in itertools.combinations(enumerate(sizes), 2)
        for i, j in itertools.product(range(m), range(n))
    )
    n_uses, rows = [[0] * size for size in sizes], []
    while missing:
        row = dict(next(iter(missing)))
        for axis, size in enumerate(sizes):
            if axis in row:
                continue
            met = [
                sum(tuple(sorted([(axis, i), place])) in missing for place in row.items())
                for i in range(size)
            ]
            row[axis] = max(range(size), key=lambda i: (met[i], -n_uses[axis][i]))
        for pair in itertools.combinations(sorted(row.items()), 2):
            missing.pop(pair, None)
        for axis, i in row.items():
            n_uses[axis][i] += 1
        rows.append(tuple(axes[axis][i] for axis, i in sorted(row.items())))
    return rows


def turns(*axes):
    """Return rows of one value of each axis, such that every value has its turn."""
    return [tuple(axis[i % len(axis)] for axis in axes) for i in range(max(map(len, axes)))]
