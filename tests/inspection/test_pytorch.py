"""Explanations against PyTorch's autograd and captum, on the same weights."""

import numpy as np
import pytest

from sknn import MLPClassifier, MLPRegressor
from sknn.inspection import input_gradients, integrated_gradients

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
    "softplus": torch.nn.functional.softplus,
}


def make_data(n_outputs):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    scores = X @ rng.standard_normal((5, n_outputs)) + np.sin(X[:, :1])
    return X, scores


def make_network(activation, n_classes):
    X, scores = make_data(max(n_classes, 1))
    options = {"activation": activation, "max_iter": 5, "random_state": 0}
    if not n_classes:
        return MLPRegressor((7, 6), **options).fit(X, scores[:, 0]), X
    return MLPClassifier((7, 6), **options).fit(X, scores.argmax(axis=1)), X


def in_pytorch(net, activation):
    """Return the network as a function of tensors, with raw scores (n_samples, n_outputs)."""
    layers = [
        (torch.tensor(coef), torch.tensor(intercept))
        for coef, intercept in zip(net.coefs_, net.intercepts_, strict=True)
    ]

    def forward(x):
        for coef, intercept in layers[:-1]:
            x = ACTIVATIONS[activation](x @ coef + intercept)
        coef, intercept = layers[-1]
        return x @ coef + intercept

    return forward


@pytest.mark.parametrize("n_classes", [0, 3], ids=["numbers", "classes"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_are_those_of_autograd(activation, n_classes):
    net, X = make_network(activation, n_classes)
    forward = in_pytorch(net, activation)
    found = input_gradients(net, X).reshape(*X.shape, -1)

    for k in range(found.shape[2]):
        x = torch.tensor(X, requires_grad=True)
        forward(x)[:, k].sum().backward()
        np.testing.assert_allclose(found[:, :, k], x.grad.numpy(), rtol=1e-6, atol=1e-12)


def test_gradients_of_probabilities_are_those_of_autograd():
    net, X = make_network("tanh", 3)
    forward = in_pytorch(net, "tanh")
    found = input_gradients(net, X, target=1, output="probability")

    x = torch.tensor(X, requires_grad=True)
    torch.softmax(forward(x), dim=1)[:, 1].sum().backward()
    np.testing.assert_allclose(found, x.grad.numpy(), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_integrated_gradients_are_captums(activation):
    attr = pytest.importorskip("captum.attr", reason="captum is optional")
    net, X = make_network(activation, 3)
    found = integrated_gradients(net, X, X[7], n_steps=20, target=2)

    captum = attr.IntegratedGradients(in_pytorch(net, activation))
    expected = captum.attribute(
        torch.tensor(X), torch.tensor(X[7:8]), target=2, n_steps=20, method="gausslegendre"
    )
    np.testing.assert_allclose(found.values, expected.numpy(), rtol=1e-5, atol=1e-9)
