import pickle

import numpy as np
import pytest

from sknn import network as networks
from sknn._random import make_words
from sknn.activations import ReLU, Tanh
from sknn.architecture import build_layers
from sknn.layers import (
    ActivationLayer,
    Affine,
    BatchNorm,
    Fourier,
    Linear,
    PiecewiseLinear,
    Residual,
    Share,
    SparseBatch,
)
from sknn.network import CHUNK, N_LAYOUTS, Network
from sknn.operations import add_up
from sknn.parameters import leaves
from tests.cases import draw_theta
from tests.counting import count, count_buffers, counted


def make_tanh():
    """Return a layer without parameters."""
    return ActivationLayer(Tanh())


def make_network(front=(), **options):
    layers = build_layers((6, 6, 5), [Tanh()] * 3, 2, residual=True, **options)
    return Network([*front, *layers], 4)


def test_hidden_sizes_leave_out_the_output_and_what_comes_before_the_first_layer():
    assert make_network().hidden_sizes == [6, 6, 5]
    assert make_network(front=[Affine()]).hidden_sizes == [6, 6, 5]
    assert Network([Linear(2, output_major=True)], 4).hidden_sizes == []


def test_outputs_of_hidden_layers_are_as_many_as_hidden_layers():
    rng, network = np.random.default_rng(0), make_network(front=[Affine()], normalization="layer")
    views = network.layout.views(draw_theta(network, rng))
    outputs = network.hidden_outputs(rng.standard_normal((7, 4)), views)

    assert [output.shape for output in outputs] == [(7, 6), (7, 6), (7, 5)]


def test_a_pickle_holds_layers_and_works_out_the_rest():
    network = make_network(normalization="batch", dropout=(0.5, 0.1, 0.1))
    again = pickle.loads(pickle.dumps(network))

    assert again.structure() == network.structure()
    assert again.layout.groups == network.layout.groups
    assert again.publication.counts == network.publication.counts
    assert b"_places" not in pickle.dumps(network)


def test_networks_of_equal_parameters_share_their_layout():
    one, other = make_network(), make_network(dropout=(0.5, 0.1, 0.1))
    nested = [
        Network([layer, Linear(1, output_major=True)], 4) for layer in (Residual(()), make_tanh())
    ]

    assert make_network().layout is one.layout
    assert other.layout is not one.layout
    assert nested[0].layout is not nested[1].layout  # no parameters, in a list and by name


def test_layouts_are_not_remembered_without_end():
    for n in range(2 * N_LAYOUTS):
        Network([Linear(n + 1, output_major=True)], 4)

    assert len(networks._LAYOUTS) <= N_LAYOUTS


def test_long_predictions_of_nested_layers_are_those_of_their_chunks():
    rng, network = np.random.default_rng(0), make_network()
    views = network.layout.views(draw_theta(network, rng))
    X = rng.standard_normal((CHUNK + 9, 4))

    assert any(isinstance(layer, Residual) for layer in network.layers)
    np.testing.assert_allclose(
        network.predict(X, views)[:, CHUNK:], network.predict(X[CHUNK:], views), rtol=1e-12
    )


def test_networks_are_alike_whose_layers_have_the_same_parameters():
    assert make_network().is_alike(make_network(dropout=(0.1, 0.2, 0.3)))
    assert not make_network().is_alike(make_network(normalization="layer"))
    assert not make_network(normalization="batch").is_alike(make_network(normalization="layer"))


@pytest.mark.parametrize("n_models", [None, 3])
def test_the_input_gradient_of_a_linear_network_is_its_weights(n_models):
    network = Network([Linear(2, output_major=True)], 4)
    lead = () if n_models is None else (n_models,)
    theta = np.random.default_rng(0).standard_normal((*lead, network.layout.size))
    views = network.layout.views(theta)
    X = np.random.default_rng(1).standard_normal((*lead, 6, 4))

    def second_output(raw, rows):
        raw[..., 0, :], raw[..., 1, :] = 0, 1

    gradient = network.input_gradient(X, views, second_output)

    expected = np.broadcast_to(views[0]["coef"][..., np.newaxis, :, 1], X.shape)
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)


def test_what_is_differentiated_is_told_which_rows_it_is_about():
    network = make_network()
    theta = draw_theta(network, np.random.default_rng(0))
    seen = []

    def note(raw, rows):
        seen.append((rows.start, rows.stop, raw.shape))
        raw.fill(1)

    network.input_gradient(np.ones((CHUNK + 3, 4)), network.layout.views(theta), note)

    assert seen == [(0, CHUNK, (2, CHUNK)), (CHUNK, CHUNK + 3, (2, 3))]


@pytest.mark.parametrize("layers", [[], [Linear(2)], [Linear(2), Affine()]])
def test_a_network_ends_in_raw_scores_output_by_output(layers):
    with pytest.raises(ValueError, match=r"must end in Linear\(..., output_major=True\)"):
        Network(layers, 4)


def test_sparse_samples_are_refused_where_a_layer_needs_dense_ones():
    network = make_network(front=[Affine()])
    theta, batch = draw_theta(network, np.random.default_rng(0)), SparseBatch((3, 4))
    with pytest.raises(TypeError, match="begins with Affine needs a dense X"):
        network.bind(batch, theta, theta.copy(), Share.alone(make_words(0, 3, 0)))


class Shifting(Affine):
    """An affine layer that takes its shift from the rows it is shown."""

    calibrates = True

    def calibrate(self, parameters, x, rng):
        parameters["shift"][...] = x.mean(axis=0)


def test_calibration_behind_batch_normalisation_sees_normalised_rows():
    layers = [Affine(), BatchNorm(), Shifting(), Linear(1, output_major=True)]
    network = Network(layers, 4)
    theta = np.ones(network.layout.size)
    X = np.random.default_rng(0).standard_normal((500, 4)) * 50 + 100
    network.calibrate(theta, X, np.random.RandomState(0))
    _, norm, shifting, _ = network.layout.views(theta)

    np.testing.assert_allclose(norm["mean"], (X + 1).mean(axis=0))
    np.testing.assert_allclose(norm["variance"], X.var(axis=0))
    np.testing.assert_allclose(shifting["shift"], 1, atol=1e-10)  # the intercept of the norm


def test_parameters_become_one_vector_again():
    network = make_network(normalization="batch")
    theta = draw_theta(network, np.random.default_rng(0))
    views = network.layout.views(theta)

    np.testing.assert_array_equal(network.vector(views), theta)
    assert not np.shares_memory(network.vector(views), theta)
    views[0]["coef"] = np.ones((3, 3))
    with pytest.raises(ValueError, match=r"coefs_ has an array of shape \(3, 3\)"):
        network.vector(views)


def test_output_intercepts_can_be_set():
    network = make_network()
    theta = draw_theta(network, np.random.default_rng(0))
    before = theta.copy()
    network.set_output_intercepts(theta, np.array([5.0, 7.0]))

    np.testing.assert_array_equal(network.publish(theta)["intercepts_"][-1], [5, 7])
    assert (theta != before).sum() == 2


def test_binding_needs_as_many_calls_as_the_layers_have():
    network = Network(build_layers((3,), [ReLU()], 1), 4)
    theta = draw_theta(network, np.random.default_rng(0))
    bound = network.bind(np.ones((5, 4)), theta, theta.copy(), Share.alone(make_words(0, 5, 0)))

    # product, intercept, activation, product, intercept; and back without the input's gradient
    assert len(bound.forward) == 5
    assert len(bound.backward) == 2 + 1 + 1 + 2
    assert bound.input_gradient is None
    assert len(list(leaves(network.layout.views(theta)))) == 3


def test_operations_are_those_of_the_layers_but_for_the_input_gradient():
    options = {"normalization": "batch", "dropout": (0.5, 0.1, 0.1)}
    network, n_in = make_network(front=[Affine()], **options), 4
    forward, backward, prediction = [], [], []
    for i, layer in enumerate(network.layers):
        cost = layer.operations(n_in)
        n_in = layer.n_out(n_in)
        forward.append(cost.forward)
        backward += [cost.backward, *([cost.input_gradient] if i > 0 else [])]
        prediction.append(cost.prediction)
    cost = network.operations()

    assert cost.forward == add_up(forward)
    assert cost.backward == add_up(backward)
    assert cost.prediction == add_up(prediction)
    assert cost.input_gradient == network.layers[0].operations(4).input_gradient


def test_operations_with_sparse_samples_are_fewer_in_the_first_layer_only():
    network = Network(build_layers((6,), [Tanh()], 2), 100)
    dense, sparse = network.operations(), network.operations(5)

    assert dense.forward.per_row - sparse.forward.per_row == 2 * (100 - 5) * 6
    assert dense.backward.per_row - sparse.backward.per_row == 2 * (100 - 5) * 6
    assert (dense.n_accumulated, sparse.n_accumulated) == (0, 100 * 6)


@pytest.mark.parametrize("options", [{}, {"normalization": "layer", "dropout": (0.5, 0.1, 0.1)}])
def test_operations_are_those_that_numpy_is_asked_for(options, monkeypatch):
    count_buffers(monkeypatch)
    network, rng = make_network(**options), np.random.default_rng(0)
    theta = counted(draw_theta(network, rng))
    share = Share.alone(make_words(0, 9, network.n_noise))
    bound = network.bind(counted(rng.random((9, 4))), theta, np.zeros_like(theta), share)
    n_made = count(*bound.forward, *bound.backward)

    cost = network.operations()
    assert n_made == add_up([cost.forward, cost.backward]).of(9)


@pytest.mark.parametrize("n_samples", [3, CHUNK + 3])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float16])
def test_numbers_of_other_dtypes_are_predicted_as_floats(dtype, n_samples):
    network = make_network(front=[Affine()])
    parameters = network.layout.views(draw_theta(network, np.random.default_rng(0)))
    X = np.random.default_rng(1).integers(0, 5, (n_samples, 4)).astype(dtype)

    expected = network.predict(X.astype(float), parameters)
    np.testing.assert_array_equal(network.predict(X, parameters), expected)


def test_no_gradient_goes_to_layers_in_front_that_train_nothing():
    """Of what stands behind them the parameters get the gradient that they get anyway."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6, 3))
    layers = [Fourier(2), PiecewiseLinear(3), *build_layers((4,), [Tanh()], 2)]
    network = Network(layers, 3)
    state = np.random.RandomState(0)
    theta = network.initialize(lambda i, o: (rng.normal(size=(i, o)), np.zeros(o)), state, float)
    network.calibrate(theta, X, state)
    gradients, n_calls = [], []
    for wants_input_gradient in (False, True):
        grad = np.zeros_like(theta)
        bound = network.bind(
            X.copy(), theta, grad, Share.alone(np.empty((6, 0), np.uint64)),
            wants_input_gradient=wants_input_gradient,
        )  # fmt: skip
        for call in bound.forward:
            call()
        bound.raw[...] = 1
        for call in bound.backward:
            call()
        gradients.append(grad)
        n_calls.append(len(bound.backward))

    np.testing.assert_array_equal(*gradients)
    assert np.abs(gradients[0]).max() > 0
    assert n_calls[0] < n_calls[1] - 2
