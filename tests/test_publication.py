import numpy as np
import pytest

from sknn.activations import ReLU
from sknn.architecture import build_layers
from sknn.layers import ActivationLayer, BatchNorm, LayerNorm, Linear
from sknn.network import Network
from sknn.parameters import leaves


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_publish_and_join_are_inverse_and_copy(normalization):
    layers = build_layers((3, 3), [ReLU()] * 2, 1, normalization=normalization, residual=True)
    network = Network(layers, 2)
    theta = np.arange(network.layout.size, dtype=float)
    published = network.publish(theta)

    np.testing.assert_array_equal(network.join(published), theta)
    assert [coef.shape for coef in published["coefs_"]] == [(2, 3), (3, 3), (3, 1)]
    assert [intercept.shape for intercept in published["intercepts_"]] == [(3,), (3,), (1,)]
    arrays = [a for leaf in leaves(network.parameters(published)) for a in leaf.values()]
    assert not any(np.shares_memory(array, theta) for array in arrays)


def test_normalizations_of_different_kinds_have_their_own_names():
    layers = [
        *(Linear(3, has_intercept=False), BatchNorm(), ActivationLayer(ReLU())),
        *(Linear(4), LayerNorm(), ActivationLayer(ReLU())),
        Linear(1, output_major=True),
    ]
    network = Network(layers, 2)
    theta = np.arange(float(network.layout.size))
    published = network.publish(theta)

    assert [list(d) for d in published["normalization_"]] == [
        ["scale", "mean", "variance"],
        ["scale", "shift"],
    ]
    assert [len(d["scale"]) for d in published["normalization_"]] == [3, 4]
    np.testing.assert_array_equal(network.join(published), theta)


def test_missing_and_misshapen_arrays_are_named():
    network = Network(build_layers((3,), [ReLU()], 1, normalization="layer"), 2)
    published = network.publish(np.ones(network.layout.size))

    with pytest.raises(ValueError, match=r"coefs_ has 3 arrays.*2 layers"):
        network.join(published | {"coefs_": [np.ones((2, 3))] * 3})
    with pytest.raises(ValueError, match="normalization_ has 0 arrays"):
        network.join({name: published[name] for name in ("coefs_", "intercepts_")})
    with pytest.raises(ValueError, match=r"intercepts_ has .* \(4,\) .* \(3,\)"):
        network.join(published | {"intercepts_": [np.ones(4), np.ones(1)]})
