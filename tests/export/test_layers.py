import numpy as np
import pytest

from sknn.activations import GELU, SELU
from sknn.export.formula import matrix
from sknn.export.layers import LAYER_FORMULAS, run
from sknn.layers import LAYERS, ActivationLayer, Linear
from sknn.network import Network
from tests.cases import LAYER_CASES, draw_theta, make_network_with, name_of
from tests.export.running import evaluate

X = np.random.default_rng(0).standard_normal((9, 5))


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_has_a_formula(name):
    assert LAYERS[name] in LAYER_FORMULAS


def make_parameters(network, dtype=np.float64):
    theta = draw_theta(network, np.random.default_rng(1)).astype(dtype)
    return network.layout.views(theta)


@pytest.mark.parametrize("activation", [GELU(), SELU()], ids=name_of)
@pytest.mark.parametrize("layer", LAYER_CASES, ids=name_of)
def test_formulas_give_what_networks_predict(layer, activation):
    network = make_network_with(layer, activation)
    parameters = make_parameters(network)
    found = evaluate(run(network, parameters, matrix(5)), X)

    expected = network.predict(X, parameters).T
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("layer", LAYER_CASES, ids=name_of)
def test_single_precision_stays_single(layer):
    network = make_network_with(layer)
    parameters = make_parameters(network, np.float32)
    rows = X.astype(np.float32)
    found = evaluate(run(network, parameters, matrix(5)), rows)

    expected = network.predict(rows, parameters).T
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_layers_have_a_name_and_a_comment():
    network = make_network_with(Linear(5))
    raw = run(network, make_parameters(network), matrix(5))

    assert (raw.name, raw.comment) == ("raw", "")


class Doubled(ActivationLayer):
    pass


def test_a_layer_of_ones_own_is_refused():
    network = Network([Doubled(GELU()), Linear(1, output_major=True)], 5)
    with pytest.raises(ValueError, match=r"front has a Doubled of .*cannot be exported"):
        run(network, make_parameters(network), matrix(5))


def test_edited_parameters_need_their_shapes():
    network = make_network_with(Linear(5))
    parameters = make_parameters(network)
    parameters[0]["coef"] = np.ones((4, 5))
    with pytest.raises(ValueError, match=r"shape \(4, 5\) where the network has \(5, 5\)"):
        run(network, parameters, matrix(5))
