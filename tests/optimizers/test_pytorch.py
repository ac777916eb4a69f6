"""The rules against PyTorch's of the same names: on their own, and in the training of a network."""

import itertools

import numpy as np
import pytest

from sknn.optimizers import OPTIMIZERS, SGD, Adagrad, AdamW, AMSGrad, Muon, NAdam, RMSprop
from tests.optimizers.fitting import BATCH_SIZE, N_SAMPLES, fit, make_data
from tests.optimizers.running import make_layout, run

torch = pytest.importorskip("torch")
optim = torch.optim
RATE = 0.01
TOLERANCE = {"rtol": 1e-9, "atol": 1e-10}


@pytest.fixture(autouse=True)
def float64_in_pytorch(monkeypatch):
    """Let PyTorch work in float64 throughout.

    By default NAdam's product of momenta has float32, and Muon rounds its matrices to bfloat16, of
    three digits. In place of that a copy, since the iteration that follows works in place.
    """
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    default, n_threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(default)
    torch.set_num_threads(n_threads)


class PaperLion:
    """Lion as its paper has it; PyTorch has none."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = parameters, lr
        self.momenta = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self):
        for p, m in zip(self.parameters, self.momenta, strict=True):
            p -= self.lr * torch.sign(0.9 * m + 0.1 * p.grad)
            m[...] = 0.99 * m + 0.01 * p.grad


def make_muon(weights, intercepts, lr, **numbers):
    """Return Muon for the weights and AdamW for what is not a matrix."""
    return [
        optim.Muon(weights, lr=lr, weight_decay=0, **numbers),
        optim.AdamW(intercepts, lr=lr, weight_decay=0),
    ]


def plain(rule, **numbers):
    """Return a function that makes one of PyTorch's rules for all parameters."""
    return lambda weights, intercepts, lr: [rule([*weights, *intercepts], lr=lr, **numbers)]


# Where nothing else is said, both sides are at their defaults.
RULES = {
    "sgd": (SGD(), plain(optim.SGD, momentum=0.9, nesterov=True)),
    "sgd, classical": (SGD(0.5, nesterov=False), plain(optim.SGD, momentum=0.5)),
    "sgd, no momentum": (SGD(0.0, nesterov=False), plain(optim.SGD)),
    "adamw": (AdamW(), plain(optim.AdamW, weight_decay=0)),
    "adamw, numbers": (
        AdamW(0.8, 0.95, 1e-3),
        plain(optim.AdamW, betas=(0.8, 0.95), eps=1e-3, weight_decay=0),
    ),
    "amsgrad": (AMSGrad(), plain(optim.Adam, amsgrad=True)),
    "amsgrad, numbers": (
        AMSGrad(0.8, 0.6, 1e-3),
        plain(optim.Adam, betas=(0.8, 0.6), eps=1e-3, amsgrad=True),
    ),
    "nadam": (NAdam(), plain(optim.NAdam)),
    "nadam, numbers": (
        NAdam(0.8, 0.95, 1e-3, 0.1),
        plain(optim.NAdam, betas=(0.8, 0.95), eps=1e-3, momentum_decay=0.1),
    ),
    "rmsprop": (RMSprop(), plain(optim.RMSprop)),
    "rmsprop, numbers": (
        RMSprop(0.9, 1e-3, 0.5),
        plain(optim.RMSprop, alpha=0.9, eps=1e-3, momentum=0.5),
    ),
    "adagrad": (Adagrad(), plain(optim.Adagrad)),
    "adagrad, numbers": (
        Adagrad(1e-3, 0.1, 0.5),
        plain(optim.Adagrad, eps=1e-3, lr_decay=0.1, initial_accumulator_value=0.5),
    ),
    "muon": (Muon(), make_muon),
    "muon, numbers": (
        Muon(0.8, nesterov=False, n_iterations=3),
        lambda *args: make_muon(*args, momentum=0.8, nesterov=False, ns_steps=3),
    ),
}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("shape", [(3, 5), (5, 3)], ids=str)
def test_trajectory_is_pytorchs(name, shape):
    # Logistic regression, with the gradient by hand on one side and by autograd on the other.
    (n_in, n_out), n_weights = shape, 15
    rng = np.random.default_rng(3)
    X, labels = rng.standard_normal((30, n_in)), rng.integers(n_out, size=30)
    start = rng.standard_normal(n_weights + n_out)

    def gradient(theta):
        scores = X @ theta[:n_weights].reshape(shape) + theta[n_weights:]
        odds = np.exp(scores)
        error = (odds / odds.sum(axis=1, keepdims=True) - np.eye(n_out)[labels]) / len(X)
        return np.concatenate([(X.T @ error).ravel(), error.sum(axis=0)])

    ours, make = RULES[name]
    weight = torch.tensor(start[:n_weights].reshape(shape).T.copy(), requires_grad=True)
    bias = torch.tensor(start[n_weights:].copy(), requires_grad=True)
    theirs = make([weight], [bias], RATE)
    theta, state, layout = start, None, make_layout(*shape, n_intercepts=n_out)
    moved = 0.0
    for t in range(50):
        theta, state = run(ours, gradient, theta, RATE, 1, state, done=t, layout=layout)
        weight.grad = bias.grad = None
        scores = torch.tensor(X) @ weight.T + bias
        torch.nn.functional.cross_entropy(scores, torch.tensor(labels)).backward()
        for optimizer in theirs:
            optimizer.step()
        expected = [weight.detach().numpy().T.ravel(), bias.detach().numpy()]
        np.testing.assert_allclose(theta, np.concatenate(expected), **TOLERANCE)
        moved = np.abs(theta - start).max()
    assert moved > 0.02


# By the estimator's names. Lion and schedule_free are not PyTorch's; for the latter see
# test_schedule_free.py.
BY_NAME = {
    "sgd": RULES["sgd"][1],
    "adam": plain(optim.Adam, eps=1e-14),  # so small that its place does not matter
    "adamw": RULES["adamw"][1],
    "amsgrad": RULES["amsgrad"][1],
    "nadam": RULES["nadam"][1],
    "rmsprop": RULES["rmsprop"][1],
    "adagrad": RULES["adagrad"][1],
    "lion": lambda weights, intercepts, lr: [PaperLion([*weights, *intercepts], lr)],
    "muon": make_muon,
}
OWN_NUMBERS = {"adam": {"epsilon": 1e-14}, "adamw": {"weight_decay": 0.0}}
HIDDEN = (4, 5)


def train_with_pytorch(make, n_epochs, max_norm=None, decay=0.0):
    """Train the network of `fit` in PyTorch; return its weights and intercepts."""
    X, y, coefs, intercepts = make_data(HIDDEN)
    X, y = torch.tensor(X), torch.tensor(y)
    weights = [torch.tensor(coef.T.copy(), requires_grad=True) for coef in coefs]
    biases = [torch.tensor(intercept, requires_grad=True) for intercept in intercepts]
    optimizers = make(weights, biases, RATE)
    for _, first in itertools.product(range(n_epochs), range(0, N_SAMPLES, BATCH_SIZE)):
        out = X[first : first + BATCH_SIZE]
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            out = torch.nn.functional.linear(torch.tanh(out) if i else out, weight, bias)
        for parameter in (*weights, *biases):
            parameter.grad = None
        (0.5 * (out - y[first : first + BATCH_SIZE]).square().sum() / len(out)).backward()
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_([*weights, *biases], max_norm)
        with torch.no_grad():
            for weight in weights:
                weight.mul_(1 - RATE * decay)
        for optimizer in optimizers:
            optimizer.step()
    return [w.detach().numpy().T for w in weights], [b.detach().numpy() for b in biases]


def assert_same_network(estimator, expected):
    coefs, intercepts = expected
    for ours, theirs in zip(
        estimator.coefs_ + estimator.intercepts_, coefs + intercepts, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, **TOLERANCE)


def test_every_solver_has_a_counterpart():
    assert {*BY_NAME, "schedule_free"} == {*OPTIMIZERS}


@pytest.mark.parametrize("solver", BY_NAME)
@pytest.mark.parametrize("max_norm", [None, 0.3], ids=["whole", "clipped"])
def test_networks_are_pytorchs(solver, max_norm):
    numbers = OWN_NUMBERS.get(solver, {})
    estimator = fit(HIDDEN, 15, solver=solver, max_grad_norm=max_norm, **numbers)

    assert_same_network(estimator, train_with_pytorch(BY_NAME[solver], 15, max_norm))


def test_clipping_shortens_some_gradients_and_not_others():
    # Else the test above would not tell a norm from a factor.
    estimator = fit(HIDDEN, 200, solver="sgd", max_grad_norm=0.3, batch_size=N_SAMPLES)
    norms = estimator.history_["grad_norm"]

    assert norms.max() > 0.3 > norms.min()
    shortened = train_with_pytorch(BY_NAME["sgd"], 15, 0.3)
    whole = train_with_pytorch(BY_NAME["sgd"], 15)
    assert np.abs(shortened[0][0] - whole[0][0]).max() > 1e-3


@pytest.mark.parametrize("decay", [None, 0.7])
def test_adamw_decays_the_weights_only(decay):
    groups = {} if decay is None else {"weight_decay": decay}  # PyTorch's default

    def make(weights, intercepts, lr):
        return [
            optim.AdamW(
                [{"params": weights, **groups}, {"params": intercepts, "weight_decay": 0}], lr=lr
            )
        ]

    estimator = fit(HIDDEN, 15, solver="adamw", weight_decay=decay)

    assert_same_network(estimator, train_with_pytorch(make, 15))


@pytest.mark.parametrize("solver", BY_NAME)
def test_weight_decay_is_decoupled_from_every_rule(solver):
    numbers = OWN_NUMBERS.get(solver, {}) | {"weight_decay": 0.7}
    estimator = fit(HIDDEN, 15, solver=solver, max_grad_norm=0.3, **numbers)

    assert_same_network(estimator, train_with_pytorch(BY_NAME[solver], 15, 0.3, decay=0.7))
