"""The same training in PyTorch (eager), JAX (a jitted scan) and Keras, where they are installed.

Each function takes a case, X and y and returns a function that trains the network once, from new
weights: the same layers, loss, Adam, batches and epochs. Compiling is not timed.
"""

import importlib.util
import itertools
import os

import numpy as np


def find_peers():
    """Return the peers that can be imported, by name."""
    peers = {"torch": make_torch, "jax": make_jax, "keras": make_keras}
    return {name: make for name, make in peers.items() if importlib.util.find_spec(name)}


def make_torch(case, X, y, dropout=0.0, normalization=None, solver="adam"):
    import torch
    from torch import nn

    sizes = [case.n_features, *case.hidden, case.n_outputs]
    data = torch.from_numpy(X)
    is_binary = case.n_outputs == 1
    target = torch.from_numpy(y.astype(X.dtype)[:, None] if is_binary else y.astype(np.int64))
    loss_of = nn.BCEWithLogitsLoss() if is_binary else nn.CrossEntropyLoss()

    def train():
        torch.manual_seed(0)
        layers = []
        for n_in, n_out in itertools.pairwise(sizes[:-1]):
            layers.append(nn.Linear(n_in, n_out, bias=normalization is None))
            layers += [nn.BatchNorm1d(n_out)] if normalization == "batch" else []
            layers += [nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        network = nn.Sequential(*layers, nn.Linear(*sizes[-2:])).to(data.dtype)
        rule = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[solver]
        decay = 1e-4 / case.batch if solver == "adam" else 0.01
        optimizer = rule(network.parameters(), weight_decay=decay)
        for _ in range(case.epochs):
            for rows in torch.randperm(len(data)).split(case.batch):
                optimizer.zero_grad()
                loss_of(network(data[rows]), target[rows]).backward()
                optimizer.step()

    return train


def make_jax(case, X, y):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", X.dtype == np.float64)
    sizes = [case.n_features, *case.hidden, case.n_outputs]
    data, target = jnp.asarray(X), jnp.asarray(y)
    n_steps = case.n_samples // case.batch

    def initialize(key):
        keys = jax.random.split(key, len(sizes) - 1)
        bounds = [(6 / (a + b)) ** 0.5 for a, b in itertools.pairwise(sizes)]
        shapes = itertools.pairwise(sizes)
        return [
            (jax.random.uniform(k, s, X.dtype, -b, b), jnp.zeros(s[1], X.dtype))
            for k, b, s in zip(keys, bounds, shapes, strict=True)
        ]

    def loss_of(theta, rows):
        h = data[rows]
        for coef, intercept in theta[:-1]:
            h = jax.nn.relu(h @ coef + intercept)
        raw = h @ theta[-1][0] + theta[-1][1]
        if case.n_outputs == 1:
            return jnp.mean(jax.nn.softplus((1 - 2 * target[rows]) * raw[:, 0]))
        chosen = jnp.take_along_axis(raw, target[rows][:, None], axis=1)[:, 0]
        return jnp.mean(jax.nn.logsumexp(raw, axis=1) - chosen)

    def step(carry, rows):
        theta, m, v, t = carry
        grad = jax.grad(loss_of)(theta, rows)
        m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, grad)
        v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, grad)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        theta = jax.tree.map(lambda p, a, b: p - rate * a / (jnp.sqrt(b) + 1e-8), theta, m, v)
        return (theta, m, v, t + 1), None

    @jax.jit
    def epoch(carry, key):
        order = jax.random.permutation(key, case.n_samples)[: n_steps * case.batch]
        return jax.lax.scan(step, carry, order.reshape(n_steps, case.batch))[0]

    def train():
        key = jax.random.key(0)
        theta = initialize(key)
        zeros = jax.tree.map(jnp.zeros_like, theta)
        carry = (theta, zeros, zeros, jnp.asarray(1.0, X.dtype))
        for _ in range(case.epochs):
            key, own = jax.random.split(key)
            carry = epoch(carry, own)
        jax.block_until_ready(carry)

    train()
    return train


def make_keras(case, X, y):
    if importlib.util.find_spec("tensorflow") is None:
        os.environ.setdefault(
            "KERAS_BACKEND", "jax" if importlib.util.find_spec("jax") else "torch"
        )
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(n, activation="relu", dtype=X.dtype.name) for n in case.hidden]
    link = "sigmoid" if case.n_outputs == 1 else "softmax"
    layers.append(keras.layers.Dense(case.n_outputs, activation=link, dtype=X.dtype.name))
    network = keras.Sequential([keras.Input((case.n_features,)), *layers])
    loss = "binary_crossentropy" if case.n_outputs == 1 else "sparse_categorical_crossentropy"
    network.compile(optimizer="adam", loss=loss)

    def train():
        network.fit(X, y, batch_size=case.batch, epochs=case.epochs, verbose=0)

    train()
    return train
