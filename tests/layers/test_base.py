"""What every layer of the registry has to do, at the beginning of a network and in its midst."""

import copy
import re
from functools import partial

import numpy as np
import pytest
import scipy.sparse as sp

from sknn._component import stack
from sknn._random import make_words
from sknn.activations import Tanh
from sknn.layers import (
    LAYERS,
    ActivationLayer,
    Affine,
    Dropout,
    Layer,
    Linear,
    Residual,
    Share,
    Site,
)
from sknn.losses import SquaredError
from sknn.network import Network
from sknn.objective import Objective
from sknn.operations import Cost, LayerOperations
from sknn.parameters import KINDS, leaves, tree_map
from sknn.penalties import L2
from tests.cases import (
    ACTIVATION_CASES,
    LAYER_CASES,
    LOSS_CASES,
    draw_theta,
    make_network_with,
    make_targets,
    name_of,
    pairs,
)
from tests.counting import count, count_buffers, counted, says_its_cost
from tests.gradcheck import check_gradient

layers = pytest.mark.parametrize("layer", LAYER_CASES, ids=name_of)


def setting(layer, n_samples=9, **options):
    """Return a generator, a network with the layer, its parameters and samples."""
    rng = np.random.default_rng(0)
    network = make_network_with(layer, **options)
    return rng, network, draw_theta(network, rng), rng.standard_normal((n_samples, 5))


def test_every_member_of_the_registry_is_met():
    assert {type(layer) for layer in LAYER_CASES} == set(LAYERS.values())


@layers
def test_parameters_say_how_they_are_trained(layer):
    for leaf in leaves(layer.parameters(5)):
        for parameter in leaf.values():
            assert parameter.kind in KINDS
            assert re.fullmatch(r"[a-z]+_(\.[a-z]+)?", parameter.published)


@layers
def test_the_callers_samples_are_left_alone(layer):
    _, network, theta, X = setting(layer)
    y, before, views = np.ones((len(X), 2)), X.copy(), network.layout.views(theta)
    network.predict(X, views)
    network.hidden_outputs(X, views)
    network.calibrate(theta, X, np.random.RandomState(0))
    network.input_gradient(X, views, lambda raw, rows: raw.fill(1))
    Objective(network, SquaredError(), L2(), 0.1).value_and_grad(theta, X, y)

    np.testing.assert_array_equal(X, before)


@layers
def test_a_layer_that_does_not_say_so_leaves_its_input(layer):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((7, 5))
    before = x.copy()
    parameters = tree_map(lambda p: rng.random(p.shape) + 0.5, layer.parameters(5))
    gradients = tree_map(np.zeros_like, parameters)
    share = Share.alone(make_words(0, 7, layer.n_noise(5)))
    for call in layer.bind(Site(x, parameters, gradients, share)).forward:
        call()
    is_left = np.array_equal(x, before)
    layer.apply(before.copy(), parameters)

    assert is_left is not layer.overwrites_input


@layers
def test_the_gradient_is_the_derivative_of_the_value(layer):
    rng, network, theta, X = setting(layer)
    objective, n = Objective(network, SquaredError(), L2(), 0.1), network.layout.n_trained
    y = rng.standard_normal((len(X), 2))

    def value_and_grad(trained):
        value, grad = objective.value_and_grad(np.concatenate([trained, theta[n:]]), X, y)
        return value, grad[:n]

    check_gradient(value_and_grad, theta[:n], rng)


@layers
def test_what_is_trained_at_prediction_is_what_predicts(layer):
    _, network, theta, X = setting(layer)
    plain, vector = network.at_prediction(network.layout.views(theta))
    noise = np.empty((len(X), 0), np.uint64)
    bound = plain.bind(X.copy(), vector, np.empty_like(vector), Share.alone(noise))
    for call in bound.forward:
        call()

    assert plain.n_noise == 0
    assert not plain.mixes_rows
    np.testing.assert_allclose(
        bound.raw, network.predict(X, network.layout.views(theta)), rtol=1e-12, atol=1e-13
    )


def directional(function, X, rng):
    """Return a numeric derivative of a function of each row, and the directions."""
    directions, h = rng.standard_normal(X.shape), 1e-6
    return (function(X + h * directions) - function(X - h * directions)) / (2 * h), directions


@pytest.mark.parametrize(
    ("layer", "activation", "loss"), pairs(LAYER_CASES, ACTIVATION_CASES, LOSS_CASES), ids=name_of
)
def test_the_gradient_with_respect_to_the_input_is_the_derivative(layer, activation, loss):
    n_outputs = 3 * loss.raw_per_target
    rng, network, theta, X = setting(layer, activation=activation, n_outputs=n_outputs)
    views, y = network.layout.views(theta), make_targets(loss, len(X), 3, rng)

    def values(X):
        return loss.sample_values(network.predict(X, views), y.T)

    def differentiate(raw, rows):
        shape, constants = raw.shape, tuple(np.asarray(c, float) for c in loss.constants())
        buffers = np.empty(shape), np.empty((2, *shape))
        loss.gradient(raw, y[rows].T.astype(float), np.float64(1), *buffers, *constants)

    gradient = network.input_gradient(X, views, differentiate)
    numeric, directions = directional(values, X, rng)

    assert gradient.shape == X.shape
    np.testing.assert_allclose((gradient * directions).sum(axis=1), numeric, rtol=1e-4, atol=1e-6)


@layers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_has_the_input_gradients_of_its_models(layer, dtype):
    rng, network, _, _ = setting(layer)
    thetas = np.stack([draw_theta(network, rng) for _ in range(3)]).astype(dtype)
    X = rng.standard_normal((3, 2100, 5)).astype(dtype)

    def first_output(raw, rows):
        raw[..., 0, :], raw[..., 1:, :] = 1, 0

    together = network.input_gradient(X, network.layout.views(thetas), first_output)

    assert together.dtype == dtype
    for m, theta in enumerate(thetas):
        alone = network.input_gradient(X[m], network.layout.views(theta), first_output)
        tolerance = 1e-10 if dtype == np.float64 else 1e-4
        np.testing.assert_allclose(together[m], alone, rtol=tolerance, atol=tolerance)


@layers
def test_sparse_samples_are_taken_or_refused(layer):
    _, network, theta, X = setting(layer)
    sparse, views = sp.csr_matrix(X), network.layout.views(theta)
    if layer.takes_sparse:
        dense = network.predict(X, views)
        np.testing.assert_allclose(network.predict(sparse, views), dense, rtol=1e-12)
    else:
        with pytest.raises(TypeError, match=f"{type(layer).__name__} needs a dense X"):
            network.predict(sparse, views)


class Shifted(Layer):
    """Takes its mean from the training rows that it is shown."""

    calibrates = True

    def parameters(self, n_in):
        return Affine().parameters(n_in)

    def calibrate(self, parameters, x, rng):
        parameters["scale"][...] = 1
        parameters["shift"][...] = -x.mean(axis=0)

    def bind(self, site):
        return Affine().bind(site)

    def apply(self, x, parameters):
        return Affine().apply(x, parameters)


@pytest.mark.parametrize("wrap", [lambda layer: layer, lambda layer: Residual((layer,))])
def test_calibration_sees_what_the_calibrated_layers_before_make_of_the_rows(wrap):
    hidden = Linear(5), ActivationLayer(Tanh())
    network = Network([wrap(Shifted()), *hidden, wrap(Shifted()), Linear(1, True)], 5)
    rng = np.random.default_rng(0)
    theta, X = draw_theta(network, rng), rng.standard_normal((50, 5)) + 3
    network.calibrate(theta, X, np.random.RandomState(0))
    first, linear, _, second, _ = network.layout.views(theta)
    first, second = (leaf for views in (first, second) for leaf in leaves(views))

    np.testing.assert_allclose(first["shift"], -X.mean(axis=0))
    x = X - X.mean(axis=0) + (X if isinstance(network.layers[0], Residual) else 0)
    hidden = np.tanh(x @ linear["coef"] + linear["intercept"])
    np.testing.assert_allclose(second["shift"], -hidden.mean(axis=0))


@layers
def test_networks_that_need_no_calibration_say_so(layer):
    _, network, theta, X = setting(layer)
    before = theta.copy()
    network.calibrate(theta, X, np.random.RandomState(0))
    n_trained = network.layout.n_trained

    assert np.array_equal(theta[:n_trained], before[:n_trained]) or network.calibrates


def test_networks_with_a_layer_that_calibrates_do():
    assert make_network_with(Shifted()).calibrates
    assert make_network_with(Residual((Shifted(),))).calibrates


@layers
def test_a_stack_of_layers_is_a_layer(layer):
    stacked = stack([layer, copy.deepcopy(layer)])

    assert stacked.structure() == layer.structure()
    assert type(stacked) is type(layer)
    assert str(stacked.parameters(5)) == str(layer.parameters(5))


def counted_arrays(layer, n_samples=9):
    """Return an input of five units and parameters that count what is done with them."""
    rng = np.random.default_rng(0)
    parameters = tree_map(lambda p: counted(rng.random(p.shape) + 0.5), layer.parameters(5))
    return counted(rng.standard_normal((n_samples, 5))), parameters


@layers
@pytest.mark.parametrize("is_first", [False, True])
def test_operations_of_training_are_those_that_numpy_is_asked_for(layer, is_first, monkeypatch):
    count_buffers(monkeypatch)
    x, parameters = counted_arrays(layer)
    share = Share.alone(make_words(0, len(x), layer.n_noise(5)))
    gradients = tree_map(np.zeros_like, parameters)
    bound = layer.bind(Site(x, parameters, gradients, share, not is_first))
    backward, _ = bound.backward(counted(np.random.default_rng(1).random(bound.out.shape)))
    n_made = count(*bound.forward, *backward)

    cost = layer.operations(5)
    expected = cost.forward.of(len(x)) + cost.backward.of(len(x))
    assert n_made == expected + (0 if is_first else cost.input_gradient.of(len(x)))


@layers
def test_operations_of_prediction_are_those_that_numpy_is_asked_for(layer, monkeypatch):
    count_buffers(monkeypatch)
    x, parameters = counted_arrays(layer)
    n_made = count(partial(layer.apply, x, parameters))

    assert layer.operations(5).prediction.of(len(x)) == n_made


@layers
def test_operations_of_wider_layers_are_more(layer):
    few, many = layer.operations(5), layer.operations(6)

    assert few.forward.per_row < many.forward.per_row
    assert few.backward.per_row <= many.backward.per_row


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_says_what_it_costs(name):
    assert says_its_cost(LAYERS[name], "operations", "bind", "apply")


@layers
def test_every_layer_costs_something(layer):
    cost = layer.operations(5)

    assert cost.forward.per_row >= 1
    assert cost.backward.per_row + cost.input_gradient.per_row >= 1
    assert (cost.prediction == Cost()) == isinstance(layer, Dropout)


def test_a_layer_that_does_not_say_what_it_costs_counts_its_outputs_and_inputs():
    class Pairs(Shifted):
        def n_out(self, n_in):
            return 2 * n_in

    assert not says_its_cost(Pairs, "operations", "bind", "apply")
    assert Pairs().operations(5) == LayerOperations(Cost(10), Cost(10), Cost(5), Cost(10))
