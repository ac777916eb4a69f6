"""From an estimator's parameters to a recipe: what fits together, and what it means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Real
from typing import Any, TypeVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from sknn._component import check_components
from sknn._constraints import Constraint, InvalidParameterError
from sknn.activations import resolve_activation
from sknn.architecture import FRONTS, SCALE, build_layers
from sknn.augmentation import AUGMENTATIONS
from sknn.averaging import AVERAGINGS
from sknn.estimators.validation import (
    FRONT,
    LAYER_ACTIVATION,
    LAYER_DROPOUT,
    SEQUENCE,
    check_hidden_layer_sizes,
    check_initial_arrays,
)
from sknn.initializers import INITIALIZERS, is_pair_of_lists
from sknn.layers import Draw, Layer
from sknn.optimizers import OPTIMIZERS, SGD, Adam, AdamW, AMSGrad, NAdam, Optimizer
from sknn.penalties import L2, ElasticNet, Penalty
from sknn.schedules import SCHEDULES, EveryStep, FromFunction, InverseScaling, Schedule, Warmup
from sknn.solvers import LBFGS, Solver, Stochastic
from sknn.training import Recipe

F = TypeVar("F", bound=Callable[..., Any])

STOCHASTIC_ONLY = {
    "dropout": 0.0,
    "augmentation": None,
    "weight_averaging": None,
    "max_grad_norm": None,
    "warmup": 0,
    "dropout_schedule": None,
    "weight_decay_schedule": None,
    "parametrization": "standard",
}
"""Parameters that lbfgs cannot heed, with the value that leaves them out."""

BATCH_SIZES = {"auto": 200, "adaptive": 32}
"""Samples in a batch, if there are as many; of the first epoch, if the batch grows."""

MAX_ADAPTIVE_BATCH = 4096
"""Up to how many samples the adaptive batch grows."""


def check_settings(estimator: Any) -> None:
    """Raise for parameters that exclude each other, or have the wrong length.

    Raises
    ------
    InvalidParameterError
        It names the parameters.
    """
    sizes = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    per_layer(estimator.activation, "activation", sizes, LAYER_ACTIVATION)
    per_layer(estimator.dropout, "dropout", sizes, LAYER_DROPOUT)
    for value in vars(estimator).values():
        check_components(value)
    fraction = estimator.validation_fraction
    if estimator.early_stopping and isinstance(fraction, Real) and fraction == 0:
        raise InvalidParameterError(
            "validation_fraction=0 leaves nothing to validate on; with early_stopping=True it "
            "must be a float in the range (0, 1) or a splitter."
        )
    if estimator.refit_full and not estimator.early_stopping:
        raise InvalidParameterError(
            "refit_full=True needs early_stopping=True, which finds the best number of epochs."
        )
    if estimator.refit_full and estimator.warm_start:
        raise InvalidParameterError(
            "refit_full=True trains anew and excludes warm_start=True, which goes on."
        )
    if estimator.residual and not any(a == b for a, b in itertools.pairwise(sizes)):
        raise InvalidParameterError(
            "residual=True needs two neighbouring hidden layers of the same size; "
            f"hidden_layer_sizes={estimator.hidden_layer_sizes!r} has none."
        )
    _check_front(estimator)
    if estimator.parametrization == "ntk" and _depends_on_scale(estimator.solver):
        raise InvalidParameterError(
            f"parametrization='ntk' needs a solver whose steps do not depend on the scale of the "
            f"gradient, such as 'adam'; solver={estimator.solver!r} depends on it."
        )
    if estimator.solver == "lbfgs":
        _check_lbfgs(estimator)
    elif estimator.weight_averaging is not None and _averages(estimator.solver):
        raise InvalidParameterError(
            f"weight_averaging={estimator.weight_averaging!r} excludes "
            f"solver={estimator.solver!r}, which has an average of its own."
        )


def _depends_on_scale(solver: Any) -> bool:
    rule = OPTIMIZERS.get(solver) if isinstance(solver, str) else solver  # None for lbfgs
    return rule is not None and rule.depends_on_scale


def _check_front(estimator: Any) -> None:
    """Raise for what cannot stand in front of the network."""
    for item in _as_list(estimator.front):
        if not any(constraint.accepts(item) for constraint in FRONT):
            hints = "".join(constraint.hint(item) for constraint in FRONT)
            raise InvalidParameterError(
                f"The 'front' parameter has {item!r}; it must be {' or '.join(map(str, FRONT))}."
                f"{hints}"
            )


def _averages(solver: Any) -> bool:
    return "average" in (OPTIMIZERS[solver] if isinstance(solver, str) else solver).moments


def _check_lbfgs(estimator: Any) -> None:
    for name, off in STOCHASTIC_ONLY.items():
        value = getattr(estimator, name)
        if any(value) if isinstance(value, (list, tuple, np.ndarray)) else value != off:
            raise InvalidParameterError(
                f"{name}={value!r} needs a stochastic solver such as 'adam'; solver='lbfgs' works "
                "on the whole of the data, without random numbers or steps of its own."
            )
    if estimator.weight_decay:
        raise InvalidParameterError(
            f"weight_decay={estimator.weight_decay!r} needs a stochastic solver; with "
            "solver='lbfgs' use alpha."
        )
    if estimator.learning_rate_init == "auto":
        raise InvalidParameterError(
            "learning_rate_init='auto' needs a stochastic solver; solver='lbfgs' has no rate."
        )
    if estimator.normalization == "batch":
        raise InvalidParameterError(
            "normalization='batch' needs a stochastic solver; with solver='lbfgs' use 'layer'."
        )


def per_layer(value: Any, name: str, sizes: list[int], allowed: Sequence[Constraint]) -> list[Any]:
    """Return a parameter's value for each hidden layer, or raise InvalidParameterError.

    Parameters
    ----------
    value : object
        One for all layers, or a sequence with one for each.
    name : str
        The parameter, for error messages.
    sizes : list of int
        The units of the layers.
    allowed : sequence of Constraint
        What the value of a layer may be.
    """
    if not SEQUENCE.accepts(value):
        return [value] * len(sizes)
    if len(value) != len(sizes):
        raise InvalidParameterError(
            f"The {name!r} parameter has {len(value)} values, but there are {len(sizes)} hidden "
            f"layers: {name}={value!r}."
        )
    # An array's strings are NumPy's; constraints want Python's own.
    items = [str.__str__(item) if isinstance(item, str) else item for item in value]
    for i, item in enumerate(items):
        if not any(constraint.accepts(item) for constraint in allowed):
            hints = "".join(constraint.hint(item) for constraint in allowed)
            raise InvalidParameterError(
                f"The {name!r} parameter has {item!r} for hidden layer {i + 1}; it must be "
                f"{' or '.join(map(str, allowed))}.{hints}"
            )
    return items


def make_recipe(estimator: Any) -> Recipe:
    """Return what an estimator's parameters say of a training."""
    initializer, augmentation = estimator.initializer, estimator.augmentation
    has_arrays = is_pair_of_lists(initializer)
    return Recipe(
        words={name: getattr(estimator, name) for name in estimator._declared},
        layers=_make_layers(estimator),
        draw=_make_draw(estimator, "auto" if has_arrays else initializer),
        initial_arrays=check_initial_arrays(initializer) if has_arrays else None,
        intercept_init=estimator.intercept_init,
        penalty=make_penalty(estimator),
        alpha=float(estimator.alpha),
        solver=make_solver(estimator),
        augmentation=None if augmentation is None else AUGMENTATIONS.resolve(augmentation),
        finds_rate=estimator.learning_rate_init == "auto",
        early_stopping=bool(estimator.early_stopping),
        validation_fraction=estimator.validation_fraction,
        scoring=estimator.scoring,
        refit_full=bool(estimator.refit_full),
        random_state=estimator.random_state,
        max_time=estimator.max_time,
        verbose=bool(estimator.verbose),
    )


def _make_layers(estimator: Any) -> Callable[[int], list[Layer]]:
    sizes = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    choices = per_layer(estimator.activation, "activation", sizes, LAYER_ACTIVATION)
    front = _as_list(estimator.front)
    initializer = estimator.initializer
    return partial(
        build_layers,
        sizes,
        [resolve_activation(choice) for choice in choices],
        dropout=per_layer(estimator.dropout, "dropout", sizes, LAYER_DROPOUT),
        normalization=estimator.normalization,
        residual=estimator.residual,
        front=[FRONTS[f]() if isinstance(f, str) else f for f in front if f != SCALE],
        scale=1.0 if SCALE in front else None,
        parametrization=estimator.parametrization,
        adapts=not is_pair_of_lists(initializer) and INITIALIZERS.resolve(initializer).adapts,
    )


def _as_list(front: Any) -> list[Any]:
    """Return what stands in front of the network as a list."""
    if front is None:
        return []
    return list(front) if SEQUENCE.accepts(front) else [front]


def _make_draw(estimator: Any, initializer: Any) -> Callable[[np.random.RandomState], Draw]:
    activation = estimator.activation
    if SEQUENCE.accepts(activation):  # the first one decides for scikit-learn's rule
        activation = activation[0] if len(activation) else "identity"
    factor, rule = resolve_activation(activation).glorot_factor, INITIALIZERS.resolve(initializer)
    return lambda rng: lambda n_in, n_out: rule.draw(rng, n_in, n_out, factor)


def make_penalty(estimator: Any) -> Penalty:
    """Return the penalty on the weights."""
    return ElasticNet(float(estimator.l1_ratio)) if estimator.l1_ratio else L2()


def make_optimizer(estimator: Any) -> Optimizer:
    """Return the update rule of the stochastic solver that `estimator` names."""
    choice = estimator.solver
    if isinstance(choice, Optimizer):
        return choice
    rule = OPTIMIZERS[choice]
    if rule in (Adam, AdamW, NAdam, AMSGrad):
        betas = float(estimator.beta_1), float(estimator.beta_2)
        return rule(*betas, float(estimator.epsilon))
    if rule is SGD:
        return SGD(float(estimator.momentum), bool(estimator.nesterovs_momentum))
    return rule()


def mixes_targets(estimator: Any) -> bool:
    """Whether the augmentation makes probabilities of a classifier's targets."""
    choice = estimator.augmentation
    return choice is not None and AUGMENTATIONS.resolve(choice).changes_targets


def make_schedule(estimator: Any) -> Schedule:
    """Return the learning-rate schedule that `estimator` names."""
    choice = estimator.learning_rate
    schedule: Schedule
    if isinstance(choice, str) and choice == "invscaling":
        schedule = InverseScaling(estimator.power_t)
    elif isinstance(choice, (str, Schedule)):
        schedule = SCHEDULES.resolve(choice)
    else:
        schedule = FromFunction(choice)
    return Warmup(schedule, estimator.warmup) if estimator.warmup else schedule


def _every_step(choice: Any) -> Schedule | None:
    return None if choice is None else EveryStep(SCHEDULES.resolve(choice))


def make_solver(estimator: Any) -> Solver:
    """Return the solver, for as many samples as its batches need."""
    stopping = {
        "max_iter": estimator.max_iter,
        "tol": estimator.tol,
        "n_iter_no_change": estimator.n_iter_no_change,
        "target_loss": estimator.target_loss,
        "max_time": estimator.max_time,
        "max_operations": estimator.max_flops,
    }
    if estimator.solver == "lbfgs":
        return LBFGS(max_fun=estimator.max_fun, **stopping)
    optimizer, decay = make_optimizer(estimator), estimator.weight_decay
    averaging, rate = estimator.weight_averaging, estimator.learning_rate_init
    batch_size = estimator.batch_size
    return Stochastic(
        optimizer=optimizer,
        schedule=make_schedule(estimator),
        learning_rate=math.nan if rate == "auto" else float(rate),  # the range test sets it
        batch_size=BATCH_SIZES.get(batch_size, batch_size),
        shuffle=bool(estimator.shuffle),
        max_batch_size=MAX_ADAPTIVE_BATCH if batch_size == "adaptive" else None,
        weight_decay=optimizer.default_weight_decay if decay is None else float(decay),
        max_grad_norm=estimator.max_grad_norm,
        averaging=None if averaging is None else AVERAGINGS.resolve(averaging),
        recovers=estimator.on_divergence == "recover",
        decay_schedule=_every_step(estimator.weight_decay_schedule),
        noise_schedule=_every_step(estimator.dropout_schedule),
        **stopping,
    )


def _is_stochastic(estimator: Any) -> bool:
    """Say whether the estimator can learn from one batch of data after the other."""
    if isinstance(estimator.solver, str) and estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


def available_if_stochastic(method: F) -> F:
    """Return a method that there is with stochastic solvers only."""
    available: F = available_if(_is_stochastic)(method)
    return available
