"""What every update rule of the registry has to do."""

import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from sknn._component import stack
from sknn.optimizers import OPTIMIZERS, Adagrad, AMSGrad, Lion, Muon, Optimizer, ScheduleFree
from tests.cases import OPTIMIZER_CASES, name_of
from tests.counting import count, count_buffers, counted, says_its_cost
from tests.optimizers.fitting import fit, make_estimator
from tests.optimizers.running import make_layout, result_of, run

grid = pytest.mark.parametrize("optimizer", OPTIMIZER_CASES, ids=name_of)

# Where 0.01 is wrong: steps of constant size end as far from the minimum as they are long, those of
# Adagrad shrink.
PARABOLA_RATES = {Lion: 5e-4, Muon: 5e-4, Adagrad: 0.5}
VALLEY_RATES = {AMSGrad: 5e-3, Adagrad: 0.5, ScheduleFree: 5e-3}
LAYOUT = make_layout(2, 3, n_intercepts=2)
N_EPOCHS = 4


@grid
def test_reaches_the_minimum_of_a_parabola(optimizer):
    centre = np.array([1.0137, -2.0291, 0.5113])  # no multiple of the rates
    rate = PARABOLA_RATES.get(type(optimizer), 0.01)
    theta, state = run(optimizer, lambda t: 2 * (t - centre), np.zeros(3), rate, 6000)

    np.testing.assert_allclose(result_of(theta, state), centre, atol=2e-3)


@grid
def test_gets_down_rosenbrocks_valley(optimizer):
    rate = VALLEY_RATES.get(type(optimizer), 5e-4)
    theta, state = run(optimizer, rosen_der, np.array([-0.5, 0.5]), rate, 10000)

    assert rosen(result_of(theta, state)) < 1e-2


@grid
def test_stacked_equals_single(optimizer):
    rng = np.random.default_rng(0)
    thetas, centres = rng.standard_normal((2, 5, 8))
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

    together, states = run(
        stack(singles), lambda t: t - centres, thetas, rates[:, np.newaxis], 20, layout=LAYOUT
    )

    for m, single in enumerate(singles):
        alone, state = run(
            single, lambda t, m=m: t - centres[m], thetas[m], rates[m], 20, layout=LAYOUT
        )
        np.testing.assert_allclose(together[m], alone, rtol=1e-12, atol=1e-14)
        for name, moment in state.items():
            np.testing.assert_allclose(states[name][m], moment, rtol=1e-12, atol=1e-14)


@grid
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_of_equal_numbers_is_single_bit_for_bit(optimizer, dtype):
    rng = np.random.default_rng(0)
    thetas, centres = rng.standard_normal((2, 5, 8)).astype(dtype)

    together, states = run(optimizer, lambda t: t - centres, thetas, 0.1, 20, layout=LAYOUT)

    for m in range(5):
        alone, state = run(
            optimizer, lambda t, m=m: t - centres[m], thetas[m], 0.1, 20, layout=LAYOUT
        )
        np.testing.assert_array_equal(together[m], alone)
        for name, moment in state.items():
            np.testing.assert_array_equal(states[name][m], moment)


@grid
def test_resumes_from_its_state(optimizer):
    start = np.random.default_rng(0).standard_normal(8)
    whole, _ = run(optimizer, lambda t: t, start, 0.1, 10, layout=LAYOUT)
    half, state = run(optimizer, lambda t: t, start, 0.1, 5, layout=LAYOUT)
    resumed, _ = run(optimizer, lambda t: t, half, 0.1, 5, state, done=5, layout=LAYOUT)

    np.testing.assert_array_equal(resumed, whole)


@grid
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_state_has_the_dtype_of_theta(optimizer, dtype):
    theta, state = run(optimizer, lambda t: t, np.ones(8, dtype), 0.1, 2, layout=LAYOUT)

    assert theta.dtype == dtype
    assert list(state) == list(optimizer.moments)
    assert all(array.dtype == dtype for array in state.values())


@grid
def test_a_rate_of_zero_leaves_the_parameters_where_they_are(optimizer):
    # Schedules may begin with one; what comes after them must not suffer.
    start = np.random.default_rng(0).standard_normal(8)
    theta, state = run(optimizer, lambda t: t, start, 0.0, 3, layout=LAYOUT)
    later, later_state = run(optimizer, lambda t: t, theta, 1e-3, 3, state, done=3, layout=LAYOUT)

    np.testing.assert_array_equal(theta, start)
    moved = result_of(later, later_state) - start
    assert np.all(np.isfinite(moved))
    assert np.all(moved != 0)


@grid
def test_parameters_without_gradient_stay(optimizer):
    # Those of a dead unit; 0 / (0 + epsilon) must not become NaN in float32.
    start = np.ones(8, np.float32)
    theta, state = run(optimizer, np.zeros_like, start, 0.1, 50, layout=LAYOUT)

    np.testing.assert_array_equal(theta, start)
    np.testing.assert_array_equal(result_of(theta, state), start)


@grid
def test_statistics_stay(optimizer):
    # Their gradient is 0 from the beginning, and nobody writes it again.
    start = np.arange(1.0, 9.0)
    theta, state = run(optimizer, lambda t: t[:6], start, 0.1, 5, layout=LAYOUT)

    np.testing.assert_array_equal(theta[6:], start[6:])
    np.testing.assert_array_equal(result_of(theta, state)[6:], start[6:])
    assert np.all(theta[:6] != start[:6])


def test_rules_whose_arrays_have_the_same_names_mean_the_same_by_them():
    # Training that goes on with another rule takes over arrays of the same names.
    of_names = {}
    for rule in dict.fromkeys(OPTIMIZERS.values()):
        of_names.setdefault(frozenset(rule.moments), []).append(rule.__name__)

    assert [rules for rules in of_names.values() if len(rules) > 1] == [["Adam", "AdamW", "NAdam"]]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", [name for name in OPTIMIZERS if name != "schedule_free"])
def test_without_gradient_weights_decay_and_intercepts_stay(solver):
    # X and y of zeros, and intercepts of zeros but in a unit that nobody listens to.
    coefs = [np.array([[0.5, -2.0]]), np.array([[0.0], [3.0]])]
    intercepts = [np.array([7.0, 0.0]), np.array([0.0])]
    estimator = make_estimator(
        coefs, intercepts, N_EPOCHS, solver=solver, weight_decay=0.3, learning_rate_init=0.1
    ).fit(np.zeros((8, 1)), np.zeros(8))

    factor = (1 - 0.1 * 0.3) ** N_EPOCHS
    for coef, start in zip(estimator.coefs_, coefs, strict=True):
        np.testing.assert_allclose(coef, start * factor, rtol=1e-13)
    for intercept, start in zip(estimator.intercepts_, intercepts, strict=True):
        np.testing.assert_array_equal(intercept, start)


def test_decay_falls_with_the_rate():
    coefs, intercepts = [np.array([[2.0]])], [np.array([0.0])]
    estimator = make_estimator(
        coefs,
        intercepts,
        3,
        weight_decay=0.5,
        learning_rate=lambda epoch: 0.5**epoch,
        learning_rate_init=0.1,
    )
    with pytest.warns(Warning, match="Maximum iterations"):
        estimator.fit(np.zeros((8, 1)), np.zeros(8))

    expected = 2 * (1 - 0.05) * (1 - 0.025) * (1 - 0.0125)
    assert estimator.coefs_[0].item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_only_adamw_decays_by_itself(solver):
    chosen = fit((), N_EPOCHS, solver=solver, weight_decay=0.01 if solver == "adamw" else 0.0)
    default = fit((), N_EPOCHS, solver=solver)

    np.testing.assert_array_equal(default.coefs_[0], chosen.coefs_[0])


@grid
@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_operations_are_those_that_numpy_is_asked_for(optimizer, shape, monkeypatch):
    count_buffers(monkeypatch)
    layout = make_layout(*shape, n_intercepts=3)
    rng = np.random.default_rng(0)
    theta, grad, scratch, *moments = (
        counted(rng.random(layout.size) + 0.1) for _ in range(3 + len(optimizer.moments))
    )
    constants = tuple(np.asarray(value) for value in optimizer.constants())
    step = optimizer.bind(theta, grad, scratch, tuple(moments), constants, layout.matrices())
    numbers = optimizer.step_numbers(np.ones(1, int), 0.1)
    n_made = count(*step(tuple(np.reshape(value, ()) for value in numbers)))

    assert optimizer.operations(layout.size, [shape]) == n_made


@grid
def test_operations_grow_with_the_parameters(optimizer):
    few, many = (optimizer.operations(n, [(2, 3)]) for n in (10, 11))

    assert many > few >= 10


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_rule_says_what_it_costs(name):
    assert says_its_cost(OPTIMIZERS[name], "operations", "step", "bind")


def test_a_rule_that_does_not_say_what_it_costs_counts_two_operations_a_parameter():
    class Plain(Optimizer):
        def step(self, theta, grad, scratch, moments, constants, *numbers):
            theta -= numbers[0] * grad

    assert not says_its_cost(Plain, "operations", "step")
    assert Plain().operations(7) == 14
