import numpy as np
import pytest

from sknn._random import make_words
from sknn.layers import Affine, Share, Site
from sknn.operations import Cost
from tests.gradcheck import check_gradient


def make(shape=(7, 5)):
    """Return an input, parameters and gradients; what comes before the last two axes is models."""
    rng, (*lead, _, n) = np.random.default_rng(0), shape
    parameters = {name: rng.standard_normal((*lead, n)) for name in ("scale", "shift")}
    return rng.standard_normal(shape), parameters, {k: np.zeros((*lead, n)) for k in parameters}


def step(x, parameters, gradients, grad):
    """Run a forward and a backward pass; return output and gradient."""
    share = Share.alone(make_words(0, x.shape[-2], 0))
    bound = Affine().bind(Site(x, parameters, gradients, share))
    backward, gradient = bound.backward(grad.copy())
    for call in [*bound.forward, *backward]:
        call()
    return bound.out, gradient


def test_outputs_and_gradients_worked_out_by_hand():
    x = np.array([[1.0, 2.0], [3.0, -4.0]])
    parameters = {"scale": np.array([2.0, -1.0]), "shift": np.array([10.0, 0.5])}
    gradients = {"scale": np.zeros(2), "shift": np.zeros(2)}
    out, gradient = step(x, parameters, gradients, np.array([[1.0, 3.0], [2.0, 1.0]]))

    np.testing.assert_array_equal(out, [[12, -1.5], [16, 4.5]])
    np.testing.assert_array_equal(Affine().apply(x, parameters), out)
    np.testing.assert_array_equal(gradient, [[2, -3], [4, -1]])
    np.testing.assert_array_equal(gradients["scale"], [1 * 1 + 2 * 3, 3 * 2 + 1 * -4])
    np.testing.assert_array_equal(gradients["shift"], [3, 4])


@pytest.mark.parametrize("name", ["input", "scale", "shift"])
def test_gradients_are_numeric_derivatives(name):
    x, parameters, gradients = make()
    weights = np.random.default_rng(1).standard_normal(x.shape)

    def value_and_grad(values):
        here = values if name == "input" else x
        own = parameters | ({} if name == "input" else {name: values})
        out, gradient = step(here, own, gradients, weights)
        return np.sum(weights * out), gradient if name == "input" else gradients[name]

    start = x if name == "input" else parameters[name]
    check_gradient(value_and_grad, start.copy(), np.random.default_rng(2))


def test_a_stack_is_its_models():
    x, parameters, gradients = make((3, 7, 5))
    grad = np.random.default_rng(1).standard_normal(x.shape)
    out, gradient = step(x, parameters, gradients, grad)
    applied = Affine().apply(x, parameters)

    for m in range(3):
        own = {name: array[m] for name, array in parameters.items()}
        own_gradients = {name: np.zeros(5) for name in own}
        single_out, single_gradient = step(x[m], own, own_gradients, grad[m])
        np.testing.assert_array_equal(out[m], single_out)
        np.testing.assert_array_equal(applied[m], single_out)
        np.testing.assert_array_equal(gradient[m], single_gradient)
        for name, array in own_gradients.items():
            np.testing.assert_allclose(gradients[name][m], array, rtol=1e-13, atol=1e-14)


def test_training_begins_with_what_changes_nothing():
    parameters = {name: np.zeros(p.shape) for name, p in Affine().parameters(4).items()}
    Affine().initialize(parameters, None, None)
    x = np.random.default_rng(0).standard_normal((3, 4))

    np.testing.assert_array_equal(Affine().apply(x, parameters), x)


def test_operations_worked_out_by_hand():
    cost = Affine().operations(5)

    assert cost.forward == cost.prediction == Cost(2 * 5)
    assert cost.backward == Cost((1 + 2 + 1) * 5)  # sums of g and of g z, and a g
