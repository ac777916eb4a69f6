import numpy as np
import pytest

from sknn.activations import ReLU
from sknn.architecture import build_layers
from sknn.network import Network
from sknn.parameters import ParameterLayout

LAYOUT = ParameterLayout(
    [{"coef": (2, 3), "intercept": (3,)}, {}, {"coef": (3, 1), "intercept": (1,)}],
    [("coef",), (), ("coef",)],
    [(), (), ()],
)


def test_weights_come_first():
    assert LAYOUT.n_penalized == 2 * 3 + 3 * 1
    assert LAYOUT.size == LAYOUT.n_penalized + 3 + 1
    views = LAYOUT.views(np.arange(LAYOUT.size))
    np.testing.assert_array_equal(views[0]["coef"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(views[2]["coef"], [[6], [7], [8]])
    np.testing.assert_array_equal(views[0]["intercept"], [9, 10, 11])
    np.testing.assert_array_equal(views[2]["intercept"], [12])


def test_views_share_memory_also_in_a_stack():
    theta = np.zeros((4, LAYOUT.size))
    views = LAYOUT.views(theta)
    views[0]["coef"][2, 1, 1] = 7

    assert theta[2, 4] == 7
    assert views[2]["coef"].shape == (4, 3, 1)


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_split_and_join_are_inverse_and_copy(normalization):
    layers = build_layers((3, 3), [ReLU()] * 2, 1, normalization=normalization, residual=True)
    network = Network(layers, 2)
    theta = np.arange(network.layout.size, dtype=float)
    coefs, intercepts, others = network.split(theta)

    np.testing.assert_array_equal(network.join(coefs, intercepts, others), theta)
    assert [coef.shape for coef in coefs] == [(2, 3), (3, 3), (3, 1)]
    assert [intercept.shape for intercept in intercepts] == [(3,), (3,), (1,)]
    assert not any(np.shares_memory(array, theta) for array in coefs + intercepts + others)


def test_statistics_come_last():
    layout = ParameterLayout(
        [{"mean": (2,), "scale": (2,), "coef": (2, 1)}], [("coef",)], [("mean",)]
    )
    [views] = layout.views(np.arange(6))

    np.testing.assert_array_equal(views["coef"], [[0], [1]])
    np.testing.assert_array_equal(views["scale"], [2, 3])
    np.testing.assert_array_equal(views["mean"], [4, 5])
    assert layout.matrices() == [(slice(0, 2), (2, 1))]
