from fractions import Fraction

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sknn._random import make_words
from sknn.layers import Linear, Share, Site
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.operations import Cost
from sknn.optimizers import Adam
from sknn.penalties import L2
from sknn.samples import as_samples
from sknn.schedules import Constant
from sknn.solvers import Problem, Stochastic, TrainingState, solve
from tests.gradcheck import check_gradient

dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
FORMS = {
    "plain": Linear(3),
    "one unit": Linear(1),
    "output major": Linear(3, output_major=True),
    "output major, one unit": Linear(1, output_major=True),
    "no intercept": Linear(3, has_intercept=False),
}
forms = pytest.mark.parametrize("layer", FORMS.values(), ids=FORMS)


def make(layer, shape=(7, 5), dtype=np.float64, seed=0):
    """Return an input, parameters and gradients; what comes before the last two axes is models."""
    rng, (*lead, _, n_in) = np.random.default_rng(seed), shape
    shapes = {name: (*lead, *p.shape) for name, p in layer.parameters(n_in).items()}
    parameters = {name: rng.standard_normal(s).astype(dtype) for name, s in shapes.items()}
    gradients = {name: np.full(s, np.nan, dtype) for name, s in shapes.items()}
    return rng.standard_normal(shape).astype(dtype), parameters, gradients


def bind(layer, x, parameters, gradients, **options):
    noise = make_words(0, x.shape[-2], 0)
    return layer.bind(Site(x, parameters, gradients, Share.alone(noise), **options))


def run(calls):
    for call in calls:
        call()


def by_formula(layer, x, parameters):
    z = x @ parameters["coef"] + np.expand_dims(parameters.get("intercept", np.zeros(1)), -2)
    return z.swapaxes(-1, -2) if layer.output_major else z


@forms
@dtypes
def test_training_and_prediction_compute_weighted_sums(layer, dtype):
    x, parameters, gradients = make(layer, dtype=dtype)
    before = x.copy()
    bound = bind(layer, x, parameters, gradients)
    run(bound.forward)
    applied = layer.apply(x, parameters)

    assert bound.out.dtype == applied.dtype == dtype
    tolerance = 20 * np.finfo(dtype).eps
    for z in (bound.out, applied):
        np.testing.assert_allclose(z, by_formula(layer, x, parameters), tolerance, tolerance)
    np.testing.assert_array_equal(x, before)


def test_sums_worked_out_by_hand():
    parameters = {"coef": np.array([[1.0, 2.0], [3.0, 4.0]]), "intercept": np.array([10.0, 20.0])}
    x = np.array([[1.0, -1.0], [0.5, 0.0], [2.0, 1.0]])
    expected = [[8, 18], [10.5, 21], [15, 28]]

    np.testing.assert_array_equal(Linear(2).apply(x, parameters), expected)
    np.testing.assert_array_equal(Linear(2, True).apply(x, parameters), np.transpose(expected))


@forms
def test_gradients_are_the_formulas(layer):
    x, parameters, gradients = make(layer)
    before = x.copy()
    bound = bind(layer, x, parameters, gradients)
    g = np.random.default_rng(1).standard_normal(bound.out.shape)
    backward, gradient = bound.backward(g.copy())
    run([*bound.forward, *backward])
    rows = g.T if layer.output_major else g
    formulas = {"coef": before.T @ rows, "intercept": rows.sum(axis=0)}

    np.testing.assert_allclose(gradient, rows @ parameters["coef"].T, rtol=1e-13, atol=1e-14)
    for name, array in gradients.items():
        np.testing.assert_allclose(array, formulas[name], rtol=1e-13, atol=1e-14)
    assert bound.n_accumulated == 0


@pytest.mark.parametrize(
    ("form", "name"),
    [(f, name) for f, la in FORMS.items() for name in ["input", *la.parameters(5)]],
)
def test_gradients_are_numeric_derivatives(form, name):
    layer = FORMS[form]
    x, parameters, gradients = make(layer)
    weights = np.random.default_rng(1).standard_normal(layer.apply(x, parameters).shape)
    start = x if name == "input" else parameters[name]

    def value_and_grad(values):
        here = values.copy() if name == "input" else x.copy()
        own = parameters | ({} if name == "input" else {name: values})
        bound = bind(layer, here, own, gradients)
        backward, gradient = bound.backward(weights.copy())
        run(bound.forward)
        value = np.sum(weights * bound.out)
        run(backward)
        return value, gradient if name == "input" else gradients[name]

    check_gradient(value_and_grad, start.copy(), np.random.default_rng(2))


@forms
def test_a_gradient_that_nobody_wants_is_not_computed(layer):
    x, parameters, gradients = make(layer)
    before = x.copy()
    bound = bind(layer, x, parameters, gradients, wants_input_gradient=False)
    backward, gradient = bound.backward(np.ones_like(bound.out))
    run([*bound.forward, *backward])

    assert gradient is None
    np.testing.assert_array_equal(x, before)
    assert all(np.isfinite(array).all() for array in gradients.values())


@forms
@dtypes
def test_a_stack_is_its_models(layer, dtype):
    x, parameters, gradients = make(layer, (3, 7, 5), dtype)
    inputs = x.copy()
    bound = bind(layer, x, parameters, gradients)
    grad = np.random.default_rng(1).standard_normal(bound.out.shape).astype(dtype)
    backward, gradient = bound.backward(grad.copy())
    run([*bound.forward, *backward])

    tolerance = 20 * np.finfo(dtype).eps
    for m in range(3):
        own = {name: array[m] for name, array in parameters.items()}
        own_gradients = {name: np.empty_like(array) for name, array in own.items()}
        single = bind(layer, inputs[m].copy(), own, own_gradients)
        calls, single_gradient = single.backward(grad[m].copy())
        run([*single.forward, *calls])
        pairs = [(bound.out[m], single.out), (gradient[m], single_gradient)]
        pairs += [(gradients[name][m], array) for name, array in own_gradients.items()]
        for one, other in pairs:
            np.testing.assert_allclose(one, other, tolerance, tolerance)


@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 128])
@pytest.mark.parametrize("order", ["C", "F"])
def test_intercepts_are_added_to_any_number_of_rows(n_rows, order):
    x, parameters, _ = make(Linear(3), (n_rows, 5))
    z = Linear(3).apply(np.asarray(x, order=order), parameters)

    np.testing.assert_allclose(z, by_formula(Linear(3), x, parameters), rtol=1e-12, atol=1e-14)


def test_parameters_have_the_shapes_of_the_layer():
    described = Linear(3).parameters(5)

    assert {name: (p.shape, p.kind) for name, p in described.items()} == {
        "coef": ((5, 3), "weight"),
        "intercept": ((3,), "free"),
    }
    assert list(Linear(3, has_intercept=False).parameters(5)) == ["coef"]
    assert Linear(3).n_out(5) == 3


@pytest.mark.parametrize("has_intercept", [True, False])
def test_training_begins_with_what_is_drawn(has_intercept):
    layer = Linear(2, has_intercept=has_intercept)
    parameters = {name: np.zeros(p.shape) for name, p in layer.parameters(3).items()}
    coef, intercept = np.arange(6.0).reshape(3, 2), np.array([7.0, 8.0])
    layer.initialize(parameters, lambda n_in, n_out: (coef, intercept), None)

    np.testing.assert_array_equal(parameters["coef"], coef)
    np.testing.assert_array_equal(parameters.get("intercept", intercept), intercept)


def test_ntk_parametrisation_is_that_of_weights_divided_by_a_root():
    """Under Adam, with eps = 0, W = V / sqrt(n) is trained as V is; the decay is that of V."""
    rng, n_in, rate, decay = np.random.default_rng(0), 9, 0.1, 0.05
    X, y, V = rng.standard_normal((20, n_in)), rng.standard_normal(20), rng.standard_normal(n_in)
    adam = Adam(epsilon=1e-30)
    layer = Linear(1, output_major=True, has_intercept=False, parametrization="ntk")
    network = Network([layer], n_in)
    problem = Problem(
        objective=Objective(network, SquaredError(), L2(), 0.0),
        solver=Stochastic(
            adam, Constant(), rate, 20, 5, False, 0.0, np.inf, None, weight_decay=decay
        ),
        samples=as_samples(X),
        y=y[:, np.newaxis],
        sample_weight=None,
        rows=None,
        state=TrainingState(V / np.sqrt(n_in)),
        rng=np.random.RandomState(0),
    )
    with pytest.warns(ConvergenceWarning):
        [state] = solve([problem])

    m, v = np.zeros(n_in), np.zeros(n_in)
    for t in range(1, 6):
        grad = X.T @ (X @ V / np.sqrt(n_in) - y) / 20 / np.sqrt(n_in)
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        step = m / (1 - 0.9**t) / np.sqrt(v / (1 - 0.999**t))
        V = (1 - rate * decay) * V - rate * step
    np.testing.assert_allclose(state.theta * np.sqrt(n_in), V, rtol=1e-6)


def test_units_that_adapt_have_sums_of_deviation_one_and_bend_among_the_rows():
    layer, rng = Linear(40, adapts=True), np.random.RandomState(0)
    x = rng.normal(size=(100, 3)) * 50 + 7
    parameters = {"coef": rng.normal(size=(3, 40)), "intercept": np.zeros(40)}
    layer.calibrate(parameters, x, rng)
    sums = layer.apply(x, parameters)

    np.testing.assert_allclose(sums.std(axis=0), 1)
    assert (sums.min(axis=0) < 0).all()
    assert (sums.max(axis=0) > 0).all()


def test_units_whose_sums_do_not_vary_stay():
    layer, rng = Linear(2, adapts=True), np.random.RandomState(0)
    parameters = {"coef": np.ones((3, 2)), "intercept": np.zeros(2)}
    layer.calibrate(parameters, np.ones((10, 3)), rng)

    np.testing.assert_array_equal(parameters["coef"], 1)
    np.testing.assert_allclose(parameters["intercept"], -3)


def test_operations_worked_out_by_hand():
    # 5 inputs and 3 units: products with x, with x' and with W', and an addition for each unit.
    cost = Linear(3).operations(5)

    assert cost.forward == cost.prediction == Cost(2 * 5 * 3 + 3)
    assert cost.backward == Cost(2 * 5 * 3 + 3)
    assert cost.input_gradient == Cost(2 * 5 * 3)
    assert cost.n_accumulated == 0
    assert Linear(3, output_major=True).operations(5) == cost
    assert Linear(3, has_intercept=False).operations(5).forward == Cost(2 * 5 * 3)


def test_operations_with_sparse_samples_are_those_of_the_entries():
    cost = Linear(3).operations(500, Fraction(7, 2))

    assert cost.forward == cost.backward == cost.prediction == Cost(2 * Fraction(7, 2) * 3 + 3)
    assert cost.n_accumulated == 500 * 3
