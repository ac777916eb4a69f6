"""Update rules on their own, without the engine around them."""

import numpy as np
import pytest

from sknn._math import number
from sknn.parameters import ParameterLayout, free, weight


def make_layout(*shape, n_intercepts=0):
    """Return the layout of a matrix of weights, followed by intercepts."""
    intercepts = {"intercept": free((n_intercepts,), "intercepts_")} if n_intercepts else {}
    return ParameterLayout([{"coef": weight(shape)} | intercepts])


def run(optimizer, gradient, theta, rate, n_steps, state=None, done=0, layout=None):
    """Take `n_steps` steps on a copy of theta; return it with the state, in the step's units.

    Without a layout theta is a matrix of one row. A gradient may have the first numbers only; the
    others are 0 before the first step and never written.
    """
    theta = theta.copy()
    state = optimizer.init(theta) if state is None else state
    t = np.arange(done + 1, done + n_steps + 1)
    if theta.ndim == 2:
        t = t[:, np.newaxis, np.newaxis]
        t = np.broadcast_to(t, (n_steps, len(theta), 1))
    shape = np.broadcast_shapes(t.shape, np.shape(rate))
    numbers = [
        np.broadcast_to(values, shape).astype(theta.dtype)
        for values in optimizer.step_numbers(t, rate)
    ]
    constants = tuple(number(value, theta.dtype) for value in optimizer.constants())
    grad, scratch = np.zeros_like(theta), np.empty_like(theta)
    layout = layout or make_layout(1, theta.shape[-1])
    step = optimizer.bind(theta, grad, scratch, tuple(state.values()), constants, layout.matrices())
    for i in range(n_steps):
        values = gradient(theta)
        grad[..., : values.shape[-1]] = values
        for call in step(tuple(values[i, ...] for values in numbers)):
            call()
    return theta, state


def result_of(theta, state):
    """Return what training would return: the average, where a rule has one."""
    return state.get("average", theta)


def published(optimizer, state):
    """Return a state in the units of the published rule."""
    units = optimizer.moment_units()
    return {name: array * units.get(name, 1) for name, array in state.items()}


def two_steps(optimizer, first, second, start=1.0, layout=None):
    """Return parameters and state, in published units, after steps with two gradients.

    The rate is 0.1. So each rule is worked out by hand from its published formulas.
    """
    gradients = iter([np.atleast_1d(first), np.atleast_1d(second)])
    start = np.full(np.shape(np.atleast_1d(first)), start, np.float64)
    theta, state = run(optimizer, lambda _: next(gradients), start, 0.1, 2, layout=layout)
    return theta, published(optimizer, state)


def assert_refused(optimizer):
    """Assert that the only number that is not a default is refused by name."""
    default = type(optimizer)()
    [name] = (k for k, value in vars(optimizer).items() if value != getattr(default, k))
    default.check()
    with pytest.raises(ValueError, match=f"'{name}' parameter of {type(optimizer).__name__}"):
        optimizer.check()
