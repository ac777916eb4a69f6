"""What has been trained: it predicts with its parameters, and says what an estimator publishes."""

import numpy as np
import pytest

from sknn.activations import ReLU, Tanh
from sknn.architecture import build_layers
from sknn.losses import CLASSIFICATION_LOSSES, Gaussian, PoissonLoss, Quantile, SquaredError
from sknn.network import Network
from sknn.solvers import TrainingState
from sknn.targets import Numbers, TargetSettings, learn_classes
from sknn.training import FoundRate, Trained

W, B, V, C = np.array([[1.0, -1.0], [2.0, 0.5]]), np.array([0.5, 0.0]), np.array([3.0, 2.0]), -1.0
X = np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 4.0]])


def make(state=None, **rest):
    """Return a network with two hidden units whose parameters are known."""
    network = Network(build_layers([2], [ReLU()], 1), 2)
    theta = network.join({"coefs_": [W, V[:, np.newaxis]], "intercepts_": [B, np.array([C])]})
    state = state or TrainingState(theta)
    state.theta = theta
    targets = Numbers.learn(np.zeros(3), TargetSettings(loss=SquaredError()))
    return Trained.of(network, targets, state, **rest)


def test_raw_scores_are_those_of_the_network():
    raw = make().raw_scores(X)

    np.testing.assert_allclose(raw, [np.maximum(X @ W + B, 0) @ V + C])
    np.testing.assert_allclose(raw, [[9.5, 1.0, 28.5]])


def test_the_parameters_are_those_of_the_state_and_their_vector_is_a_copy():
    trained = make()
    vector = trained.theta()

    np.testing.assert_array_equal(vector, trained.state.theta)
    vector[:] = 0
    np.testing.assert_allclose(trained.raw_scores(X), [[9.5, 1.0, 28.5]])
    trained.state.theta[:] = 0
    np.testing.assert_array_equal(trained.raw_scores(X), [[0, 0, 0]])
    np.testing.assert_array_equal(trained.theta(), 0)


def test_the_weights_are_published_with_what_the_state_says():
    state = TrainingState(
        np.empty(0), n_iter=3, t=120, loss=0.5, loss_curve=[0.7, 0.4, 0.5], best_loss=0.4
    )
    published = make(state).published()

    for name, arrays in (("coefs_", [W, V[:, np.newaxis]]), ("intercepts_", [B, [C]])):
        for array, expected in zip(published.pop(name), arrays, strict=True):
            np.testing.assert_array_equal(array, expected)
    assert published == {
        "n_outputs_": 1,
        "n_layers_": 3,
        "out_activation_": "identity",
        "n_iter_": 3,
        "t_": 120,
        "loss_": 0.5,
        "loss_curve_": [0.7, 0.4, 0.5],
        "best_loss_": 0.4,
        "validation_scores_": None,
        "best_validation_score_": None,
        "has_stopped_": False,
    }


def test_published_curves_are_not_those_that_training_goes_on_with():
    state = TrainingState(np.empty(0), loss_curve=[0.7], validation_scores=[0.1])
    published = make(state).published()
    state.loss_curve.append(0.6)
    state.validation_scores.append(0.2)

    assert published["loss_curve_"] == [0.7]
    assert published["validation_scores_"] == [0.1]


@pytest.mark.parametrize("stops_early", [False, True])
def test_the_best_is_a_loss_or_with_early_stopping_a_score(stops_early):
    state = TrainingState(np.empty(0), best_loss=0.4, best_score=0.9, validation_scores=[0.9])
    published = make(state, stops_early=stops_early).published()

    best = published["best_loss_"], published["best_validation_score_"]
    assert best == ((None, 0.9) if stops_early else (0.4, None))
    assert published["validation_scores_"] == [0.9]


def test_a_rate_is_published_if_it_has_been_found():
    assert "learning_rate_" not in make().published()
    published = make(found_rate=FoundRate(0.01, "a table")).published()

    assert (published["learning_rate_"], published["_range_losses"]) == (0.01, "a table")


def test_a_classifier_publishes_its_classes_and_the_link_of_its_loss():
    y = np.array(["a", "b", "c"])
    loss = CLASSIFICATION_LOSSES.resolve("log_loss")
    targets = learn_classes(y, None, "auto", TargetSettings(loss=loss))
    targets = targets.weighted(targets.encode(y), None)
    network = Network(build_layers([4, 5], [Tanh()] * 2, 3), 2)
    trained = Trained.of(network, targets, TrainingState(np.zeros(network.layout.size)))
    published = trained.published()

    assert trained.loss is targets.loss
    assert published["classes_"].tolist() == ["a", "b", "c"]
    assert published["n_outputs_"] == 3
    assert published["n_layers_"] == 4
    assert published["out_activation_"] == "softmax"


# Sensitivities.


def linear(W, loss):
    """Return a linear network with known weights, trained with a loss."""
    network = Network(build_layers([], [], W.shape[1]), W.shape[0])
    theta = network.join({"coefs_": [W], "intercepts_": [np.zeros(W.shape[1])]})
    targets = Numbers.learn(np.zeros(3), TargetSettings(loss=loss))
    return Trained.of(network, targets, TrainingState(theta))


def test_sensitivities_of_a_linear_network_are_sums_of_absolute_weights():
    W = np.array([[1.0, -2.0], [0.0, 0.0], [-0.5, 0.25]])

    np.testing.assert_allclose(linear(W, SquaredError()).sensitivities(), [3.0, 0.0, 0.75])


def test_sensitivities_are_those_of_predictions_where_raw_scores_are_zero():
    w = np.array([[2.0], [-1.0], [0.0]])
    # exp(0) has the slope 1, a mean of levels 0.3 and 0.7 that are log(2) apart [1, (1, 1/2)].
    np.testing.assert_allclose(linear(w, PoissonLoss()).sensitivities(), [2, 1, 0])
    W = np.array([[1.0, 3.0], [0.0, -2.0]])
    np.testing.assert_allclose(
        linear(W, Quantile([0.3, 0.7])).sensitivities(), [1 + 1 + 3 / 2, 2 / 2]
    )
    np.testing.assert_allclose(linear(W, Gaussian()).sensitivities(), [1 + 3 / 2, 2 / 2])


def test_sensitivities_of_classes_are_those_of_probabilities():
    W = np.array([[1.0, 0.0, 0.0], [2.0, 2.0, 2.0], [0.0, -3.0, 3.0]])
    loss = CLASSIFICATION_LOSSES.resolve("log_loss").for_targets(True, False)
    found = linear(W, loss).sensitivities()

    # At equal probabilities dp_k = (w_k - mean of w) / 3; what moves all classes moves none.
    expected = np.abs(W - W.mean(axis=1, keepdims=True)).sum(axis=1) / 3
    np.testing.assert_allclose(found, expected, atol=1e-14)
    binary = CLASSIFICATION_LOSSES.resolve("log_loss").for_targets(False, False)
    np.testing.assert_allclose(linear(W[:, :1], binary).sensitivities(), W[:, 0] / 4)


def test_sensitivities_of_units_are_means_over_normal_inputs():
    weights, out = np.array([[1.0], [-2.0], [0.0]]), 3.0
    network = Network(build_layers([1], [Tanh()], 1), 3)
    theta = network.join(
        {"coefs_": [weights, np.array([[out]])], "intercepts_": [np.zeros(1), np.zeros(1)]}
    )
    targets = Numbers.learn(np.zeros(3), TargetSettings(loss=SquaredError()))
    found = Trained.of(network, targets, TrainingState(theta)).sensitivities()

    z = np.random.default_rng(0).standard_normal(200_000) * np.sqrt(5)
    slope = out * (1 / np.cosh(z) ** 2).mean()
    np.testing.assert_allclose(found, slope * np.abs(weights[:, 0]), rtol=0.15)
    np.testing.assert_allclose(found[1], 2 * found[0])


def test_sensitivities_are_measured_each_time_and_change_nothing():
    trained = make()
    theta = trained.theta()
    first = trained.sensitivities()

    np.testing.assert_array_equal(trained.sensitivities(), first)
    np.testing.assert_array_equal(trained.theta(), theta)
    trained.parameters[0]["coef"][0] = 0
    assert trained.sensitivities()[0] == 0
