import numpy as np
import pytest

from sknn._random import make_words
from sknn.activations import ReLU, Tanh
from sknn.architecture import build_layers
from sknn.layers import (
    ActivationLayer,
    BatchNorm,
    Dropout,
    LayerNorm,
    Linear,
    Residual,
    Share,
    Site,
)
from sknn.network import Network
from sknn.operations import Cost, LayerOperations
from sknn.parameters import leaves, tree_map
from tests.gradcheck import check_gradient

BLOCKS = {
    "linear": (Linear(5),),
    "activation": (Linear(5), ActivationLayer(Tanh())),
    "batch": (Linear(5, has_intercept=False), BatchNorm(), ActivationLayer(Tanh())),
    "layer": (Linear(5), LayerNorm(), ActivationLayer(Tanh())),
    "dropout": (Linear(5), ActivationLayer(Tanh()), Dropout(0.4)),
    "two linear": (Linear(5), ActivationLayer(Tanh()), Linear(5)),
}
blocks = pytest.mark.parametrize("name", BLOCKS)


def bind(layer, n_samples=7, seed=0):
    """Return a bound layer with what it is tied to, at random."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n_samples, 5))
    described = layer.parameters(5)
    parameters = tree_map(lambda p: rng.standard_normal(p.shape), described)
    for leaf in leaves(parameters):
        if "variance" in leaf:
            leaf["variance"].fill(1)
    gradients = tree_map(np.zeros_like, parameters)
    words = make_words(seed, n_samples, layer.n_noise(5))
    site = Site(x, parameters, gradients, Share.alone(words))
    return layer.bind(site), x, parameters, gradients


def run(calls):
    for call in calls:
        call()


@blocks
def test_the_input_is_added_to_what_the_layers_make_of_it(name):
    inner, *_ = plain = bind_in_a_row(BLOCKS[name])
    residual, x, _, _ = bind(Residual(BLOCKS[name]))
    before = x.copy()
    run(residual.forward)
    run(inner)

    np.testing.assert_array_equal(x, before)  # the backward pass needs it
    np.testing.assert_allclose(residual.out, plain[1] + before, rtol=1e-14)


def bind_in_a_row(layers):
    """Return forward calls and output of the layers of a block without its connection."""
    residual = Residual(layers)
    _, x, parameters, gradients = bind(residual)
    words = make_words(0, len(x), residual.n_noise(5))
    calls = []
    for i, layer in enumerate(layers):
        bound = layer.bind(Site(x, parameters[i], gradients[i], Share.alone(words)))
        calls += bound.forward
        x = bound.out
    return calls, x


@blocks
@pytest.mark.parametrize("what", ["input", "parameters"])
def test_gradients_are_numeric_derivatives(name, what):
    rng = np.random.default_rng(1)
    grad = rng.standard_normal((7, 5))
    layer = Residual(BLOCKS[name])
    _, start, start_parameters, _ = bind(layer)
    if what == "parameters":
        start = np.concatenate([a.ravel() for a in trained(layer, start_parameters)])

    def value_and_grad(values):
        bound, x, parameters, gradients = bind(layer)
        if what == "input":
            x[...] = values
        else:
            arrays = trained(layer, parameters)
            ends = np.cumsum([array.size for array in arrays])[:-1]
            for array, part in zip(arrays, np.split(values, ends), strict=True):
                array[...] = part.reshape(array.shape)
        handed = grad.copy()
        backward, gradient = bound.backward(handed)
        run(bound.forward)
        value = (bound.out * grad).sum()
        run(backward)
        if what == "input":
            return value, gradient
        return value, np.concatenate([a.ravel() for a in trained(layer, gradients)])

    check_gradient(value_and_grad, start, rng)


def trained(layer, arrays):
    """Return those of a layer's arrays that have a gradient."""
    pairs = zip(leaves(layer.parameters(5)), leaves(arrays), strict=True)
    return [
        own[name]
        for described, own in pairs
        for name, p in described.items()
        if p.kind != "statistic"
    ]


@blocks
def test_parameters_are_those_of_the_layers(name):
    assert Residual(BLOCKS[name]).parameters(5) == [inner.parameters(5) for inner in BLOCKS[name]]


def test_layers_of_other_widths_are_asked_with_theirs():
    layer = Residual((Linear(8), Dropout(0.5), Linear(5)))

    assert layer.parameters(5)[2]["coef"].shape == (8, 5)
    assert layer.n_noise(5) == 2  # eight units, four to a word


def test_without_layers_the_input_is_doubled():
    bound, x, _, _ = bind(Residual(()))
    before = x.copy()
    backward, gradient = bound.backward(np.ones_like(x))
    run([*bound.forward, *backward])

    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(bound.out, 2 * x)
    np.testing.assert_array_equal(gradient, np.full_like(x, 2))
    np.testing.assert_array_equal(Residual(()).apply(x, []), 2 * before)
    np.testing.assert_array_equal(x, before)


def test_a_block_of_zeros_passes_values_and_gradients_on():
    layer = Residual((Linear(5), ActivationLayer(ReLU())))
    bound, x, parameters, _ = bind(layer)
    for leaf in leaves(parameters):
        for array in leaf.values():
            array.fill(0)
    before, grad = x.copy(), np.random.default_rng(0).standard_normal(x.shape)
    handed = grad.copy()
    backward, gradient = bound.backward(handed)
    run([*bound.forward])
    np.testing.assert_array_equal(bound.out, before)
    run(backward)

    np.testing.assert_array_equal(gradient, grad)


def test_layers_of_a_block_drop_independently():
    layer = Residual((Linear(5), Dropout(0.5), Dropout(0.5)))
    bound, x, parameters, _ = bind(layer, n_samples=1000)
    x.fill(0)
    parameters[0]["intercept"].fill(1)
    run(bound.forward)

    assert layer.n_noise(5) == 4
    np.testing.assert_array_equal(np.unique(bound.out), [0, 4])
    np.testing.assert_allclose(np.mean(bound.out == 4), 0.25, atol=0.03)


def test_prediction_adds_the_input_too():
    layer = Residual((Linear(5), ActivationLayer(Tanh())))
    _, x, parameters, _ = bind(layer)
    before = x.copy()
    out = layer.apply(x, parameters)

    expected = before + np.tanh(before @ parameters[0]["coef"] + parameters[0]["intercept"])
    np.testing.assert_allclose(out, expected, rtol=1e-13)
    np.testing.assert_array_equal(x, before)


def test_initial_weights_are_drawn_in_the_order_of_the_layers():
    def draw(n_in, n_out):
        drawn.append((n_in, n_out))
        return np.full((n_in, n_out), len(drawn)), np.full(n_out, -len(drawn))

    drawn = []
    network = Network(build_layers([5, 5, 4], [Tanh()] * 3, 2, residual=True), 3)
    published = network.publish(network.initialize(draw, None, np.float64))

    assert drawn == [(3, 5), (5, 5), (5, 4), (4, 2)]
    assert [coef[0, 0] for coef in published["coefs_"]] == [1, 2, 3, 4]
    assert [intercept[0] for intercept in published["intercepts_"]] == [-1, -2, -3, -4]
    assert set(published) == {"coefs_", "intercepts_"}


def test_operations_are_those_of_the_layers_and_the_connection():
    inner = Linear(8).operations(5), ActivationLayer(Tanh()).operations(8), Linear(5).operations(8)
    cost = Residual((Linear(8), ActivationLayer(Tanh()), Linear(5))).operations(5)

    assert cost.forward == Cost(sum(part.forward.per_row for part in inner) + 5)
    assert cost.prediction == Cost(sum(part.prediction.per_row for part in inner) + 5)
    # Only that of the input may be spared, and with it the connection's.
    within = sum(part.backward.per_row for part in inner) + 2 * 8 * 5
    assert cost.backward == Cost(within)
    assert cost.input_gradient == Cost(2 * 5 * 8 + 5)


def test_operations_without_layers_are_the_connection():
    cost = Residual(()).operations(5)

    assert cost == LayerOperations(Cost(5), Cost(0), Cost(5), Cost(5))
