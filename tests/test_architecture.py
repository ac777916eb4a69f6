"""From the user's words to a list of layers."""

from functools import partial

import pytest

from sknn.activations import Identity, ReLU, Tanh
from sknn.architecture import NORMALIZATIONS, build_layers
from sknn.layers import (
    ActivationLayer,
    BatchNorm,
    Dropout,
    Fourier,
    LayerNorm,
    Linear,
    Residual,
    ScaledLinear,
)


def kinds(layers):
    return [type(layer) for layer in layers]


def test_without_hidden_layers_the_network_is_a_linear_model():
    [layer] = build_layers([], [], 3)

    assert type(layer) is Linear
    assert (layer.n_units, layer.output_major, layer.has_intercept) == (3, True, True)


def test_hidden_layers_have_their_own_sizes_functions_and_rates():
    relu, tanh = ReLU(), Tanh()
    layers = build_layers([4, 5], [relu, tanh], 2, dropout=[0.1, 0.2])

    assert kinds(layers) == [*[Linear, ActivationLayer, Dropout] * 2, Linear]
    assert [layer.n_units for layer in layers if isinstance(layer, Linear)] == [4, 5, 2]
    assert [layer.output_major for layer in layers if isinstance(layer, Linear)] == [0, 0, 1]
    assert layers[1].activation is relu
    assert layers[4].activation is tanh
    assert [layers[2].rate, layers[5].rate] == [0.1, 0.2]


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_sums_are_normalised_before_the_function_and_not_at_the_end(name):
    layers = build_layers([4], [Tanh()], 2, dropout=[0.1], normalization=name)

    assert kinds(layers) == [Linear, NORMALIZATIONS[name], ActivationLayer, Dropout, Linear]
    assert {"batch": BatchNorm, "layer": LayerNorm} == NORMALIZATIONS


def test_the_identity_is_no_layer():
    assert kinds(build_layers([4, 4], [Identity(), Tanh()], 1)) == [
        Linear,
        Linear,
        ActivationLayer,
        Linear,
    ]


def test_each_hidden_layer_needs_its_function_and_its_rate():
    with pytest.raises(ValueError, match="shorter"):
        build_layers([4, 4], [ReLU()], 1)
    with pytest.raises(ValueError, match="shorter"):
        build_layers([4, 4], [ReLU()] * 2, 1, dropout=[0.1])


def test_a_rate_of_zero_is_no_layer():
    make = partial(build_layers, [4, 4], [ReLU()] * 2, 1)

    assert [type(layer) for layer in make(dropout=[0.0, 0.0])] == [type(la) for la in make()]
    assert [isinstance(layer, Dropout) for layer in make(dropout=[0.0, 0.3])].count(True) == 1


def test_before_batch_normalisation_a_linear_layer_has_no_intercept():
    def linear(normalization):
        built = build_layers([3, 3], [Tanh()] * 2, 2, normalization=normalization)
        return [layer.has_intercept for layer in built if isinstance(layer, Linear)]

    assert linear("batch") == [False, False, True]
    assert linear("layer") == linear(None) == [True] * 3


def sizes_with_connection(sizes, **options):
    layers = build_layers(sizes, [Tanh()] * len(sizes), 2, residual=True, **options)
    return [
        isinstance(layer, Residual) for layer in layers if not isinstance(layer, ActivationLayer)
    ]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((), [False]),
        ((5,), [False, False]),
        ((5, 5), [False, True, False]),
        ((5, 5, 4), [False, True, False, False]),
        ((5, 4, 4, 4), [False, False, True, True, False]),
        ((4, 5, 4), [False, False, False, False]),
    ],
)
def test_connections_are_between_hidden_layers_of_one_size(sizes, expected):
    assert sizes_with_connection(sizes) == expected


def test_a_network_of_as_many_inputs_as_units_has_no_connection_at_its_input():
    layers = build_layers([4], [Identity()], 4, residual=True)

    assert [type(layer) for layer in layers] == [Linear, Linear]


def test_normalisation_activation_and_dropout_are_within_the_block():
    layers = build_layers(
        [5, 5], [Tanh()] * 2, 1, dropout=[0.2, 0.3], normalization="layer", residual=True
    )
    [block] = [layer for layer in layers if isinstance(layer, Residual)]

    assert [type(layer) for layer in block.layers] == [Linear, LayerNorm, ActivationLayer, Dropout]
    assert block.layers[-1].rate == 0.3


def test_what_stands_in_front_comes_first_and_scales_belong_to_the_first_linear_layer():
    fourier = Fourier()
    layers = build_layers([4], [Tanh()], 2, front=[fourier], scale=0.5, parametrization="ntk")

    assert layers[0] is fourier
    assert [type(layer) for layer in layers[1:]] == [ScaledLinear, ActivationLayer, Linear]
    assert layers[1].get_params() == ScaledLinear(4, parametrization="ntk", scale=0.5).get_params()
    assert layers[3].parametrization == "ntk"
    [only] = build_layers([], [], 2, scale=1.0, adapts=True)
    assert only.get_params() == ScaledLinear(2, output_major=True, adapts=True).get_params()
