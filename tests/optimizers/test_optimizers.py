import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from sknn._component import stack
from sknn._math import number
from sknn.optimizers import SGD, Adam
from tests.cases import OPTIMIZER_CASES, name_of

grid = pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)


def run(optimizer, gradient, theta, rate, n_steps, state=None, done=0):
    """Take `n_steps` steps on a copy of theta; return it with the state."""
    theta = theta.copy()
    state = optimizer.init(theta) if state is None else state
    t = np.arange(done + 1, done + n_steps + 1)
    if theta.ndim == 2:
        t = t[:, np.newaxis, np.newaxis]
        t = np.broadcast_to(t, (n_steps, len(theta), 1))
    numbers = optimizer.step_numbers(t, rate).astype(theta.dtype)
    constants = tuple(number(value, theta.dtype) for value in optimizer.constants())
    scratch = np.empty_like(theta)
    for i in range(n_steps):
        grad = gradient(theta)
        optimizer.step(theta, grad, scratch, tuple(state.values()), constants, numbers[i, ...])
    return theta, state


@grid
def test_reaches_the_minimum_of_a_parabola(optimizer):
    centre = np.array([1.0, -2.0, 0.5])
    theta, _ = run(optimizer, lambda t: 2 * (t - centre), np.zeros(3), 0.01, 3000)

    np.testing.assert_allclose(theta, centre, atol=1e-3)


@grid
def test_gets_down_rosenbrocks_valley(optimizer):
    theta, _ = run(optimizer, rosen_der, np.array([-0.5, 0.5]), 5e-4, 20000)

    assert rosen(theta) < 1e-2


@grid
def test_stacked_equals_single(optimizer):
    rng = np.random.default_rng(0)
    thetas, centres = rng.standard_normal((2, 5, 7))
    rates = np.array([0.1, 0.01, 0.02, 0.3, 0.001])
    numbers = {
        name: np.linspace(0.1, 0.9, 5)
        for name, value in vars(optimizer).items()
        if isinstance(value, float)
    }
    singles = [
        type(optimizer)(**(vars(optimizer) | {name: v[m] for name, v in numbers.items()}))
        for m in range(5)
    ]

    together, _ = run(stack(singles), lambda t: t - centres, thetas, rates[:, np.newaxis], 20)

    for m, single in enumerate(singles):
        alone, _ = run(single, lambda t, m=m: t - centres[m], thetas[m], rates[m], 20)
        np.testing.assert_allclose(together[m], alone, rtol=1e-13, atol=1e-15)


@grid
def test_resumes_from_its_state(optimizer):
    start = np.array([1.0, -2.0])
    whole, _ = run(optimizer, lambda t: t, start, 0.1, 10)
    half, state = run(optimizer, lambda t: t, start, 0.1, 5)
    resumed, _ = run(optimizer, lambda t: t, half, 0.1, 5, state, done=5)

    np.testing.assert_array_equal(resumed, whole)


@grid
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_state_has_the_dtype_of_theta(optimizer, dtype):
    theta, state = run(optimizer, lambda t: t, np.ones(3, dtype), 0.1, 2)

    assert theta.dtype == dtype
    assert all(array.dtype == dtype for array in state.values())


def test_adam_takes_the_textbook_steps():
    # theta = 1, gradients 2 and -1, rate 0.1, betas 0.5 and 0.75, epsilon 0.1.
    gradients = iter([np.array([2.0]), np.array([-1.0])])
    theta, _ = run(Adam(0.5, 0.75, 0.1), lambda _: next(gradients), np.array([1.0]), 0.1, 2)

    first = 1 - 0.1 * np.sqrt(1 - 0.75) / (1 - 0.5) * 1 / (np.sqrt(1.0) + 0.1)  # m 1, v 1
    second = first - 0.1 * np.sqrt(1 - 0.5625) / (1 - 0.25) * 0 / 1  # m 0.5 * 1 - 0.5 = 0
    assert theta[0] == pytest.approx(second, rel=1e-14)


def test_sgd_takes_the_textbook_steps():
    def two_steps(nesterov):
        gradients = iter([np.array([2.0]), np.array([-1.0])])
        optimizer = SGD(momentum=0.5, nesterov=nesterov)
        return run(optimizer, lambda _: next(gradients), np.array([1.0]), 0.1, 2)[0][0]

    # Velocities -0.2 and -0.1 + 0.1 = 0.
    assert two_steps(nesterov=False) == pytest.approx(1 - 0.2 + 0, rel=1e-14)
    assert two_steps(nesterov=True) == pytest.approx(1 + (-0.1 - 0.2) + (0 + 0.1), rel=1e-14)
