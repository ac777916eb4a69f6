"""A network: a list of layers over one parameter vector."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np

from sknn._blas import MIN_BLAS, ONE_BLAS_THREAD
from sknn._component import stack
from sknn._crew import count_workers, share_out
from sknn._math import Array, Call
from sknn._random import next_words
from sknn.layers import Draw, Layer, Linear, Residual, Share
from sknn.parameters import ParameterLayout, Shapes

CHUNK = 2048
"""Rows that are predicted at a time, which bounds the memory; more than 4096 leave the cache."""

MIN_SHARED = 5_000_000
"""Samples times outputs of all layers from which threads share a prediction: some 5 ms."""

KINDS = ("coef", "intercept", "other")
"""The lists in which an estimator has the parameters."""


class BoundNetwork(NamedTuple):
    """A network tied to an input buffer, a parameter vector and its gradient.

    Attributes
    ----------
    raw : ndarray of shape (..., n_outputs, n_samples)
        The buffer of the raw scores; it is to hold dL/draw before the backward calls.
    forward, backward : list of callable
        The calls of the two passes, in order.
    n_accumulated : int
        So many leading parameters get their gradient added, not written.
    """

    raw: Array
    forward: list[Call]
    backward: list[Call]
    n_accumulated: int


class Network:
    """Layers, one after the other.

    Parameters
    ----------
    layers : list of Layer
        The layers.
    n_features : int
        Number of inputs.

    Attributes
    ----------
    layout : ParameterLayout
        Where each layer's parameters lie in the flat vector.
    n_outputs : int
        Number of raw scores.
    n_units : int
        Number of outputs of all layers together, those of activation layers included.
    n_noise : int
        So many words of random bits a row needs in a step.
    mixes_rows : bool
        Whether samples depend on each other in training.
    """

    def __init__(self, layers: list[Layer], n_features: int) -> None:
        self.layers = layers
        self.n_features = n_features
        self._widths = [n_features]
        for layer in layers:
            self._widths.append(layer.n_out(self._widths[-1]))
        self.n_outputs = self._widths[-1]
        self.n_units = sum(self._widths[1:])
        inputs = list(zip(layers, self._widths[:-1], strict=True))
        shapes = [layer.shapes(n_in) for layer, n_in in inputs]
        self._places, self._counts = _places(shapes)
        self._n_noise = [layer.n_noise(n_in) for layer, n_in in inputs]
        self.n_noise = sum(self._n_noise)
        self.mixes_rows = any(layer.mixes_rows for layer in layers)
        self.layout = ParameterLayout(
            shapes,
            [layer.penalized for layer in layers],
            [layer.statistics for layer in layers],
        )

    @classmethod
    def stacked(cls, networks: list[Network]) -> Network:
        """Return one network whose layers have the numbers of a whole stack."""
        layers = [stack(list(same), 2) for same in zip(*(n.layers for n in networks), strict=True)]
        return cls(layers, networks[0].n_features)

    def structure(self) -> Hashable:
        """Return what two networks must have in common to be stacked."""
        return self.n_features, *(layer.structure() for layer in self.layers)

    def initialize(self, draw: Draw, dtype: Any) -> Array:
        """Return the parameter vector that training begins with, layer by layer."""
        theta = np.zeros(self.layout.size, dtype)
        for layer, views in zip(self.layers, self.layout.views(theta), strict=True):
            layer.initialize(views, draw)
        return theta

    def set_output_intercepts(self, theta: Array, values: Array) -> None:
        """Set the intercepts of the last layer."""
        self.layout.views(theta)[-1]["intercept"][...] = values

    def bind(self, x: Any, theta: Array, grad: Array, share: Share) -> BoundNetwork:
        """Tie the layers to an input buffer and to (a stack of) parameters and gradients.

        Parameters
        ----------
        x : {ndarray of shape (..., n_samples, n_features), SparseBatch}
        theta, grad : ndarray of shape (..., n_parameters)
        share : Share
            The rows' random numbers, with a step of which the forward calls begin, and the other
            workers that have rows of the batch.
        """
        forward: list[Call] = next_words(share.noise) if self.n_noise else []
        backwards: list[Callable[[Array], tuple[list[Call], Array | None]]] = []
        n_accumulated = 0
        ends = list(itertools.accumulate(self._n_noise, initial=0))
        views = zip(self.layout.views(theta), self.layout.views(grad), strict=True)
        for i, (layer, (parameters, gradients)) in enumerate(zip(self.layers, views, strict=True)):
            words = share.words(ends[i], ends[i + 1])
            bound = layer.bind(x, parameters, gradients, words, wants_input_gradient=i > 0)
            x = bound.out
            forward += bound.forward
            backwards.append(bound.backward)
            n_accumulated += bound.n_accumulated
        raw = gradient = x
        backward: list[Call] = []
        for layer_backward in reversed(backwards):
            calls, gradient = layer_backward(gradient)
            backward += calls
        return BoundNetwork(raw, forward, backward, n_accumulated)

    def predict(self, X: Any, parameters: list[dict[str, Array]]) -> Array:
        """Return raw scores at prediction time, in buffers of this call.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        parameters : list of dict
            The parameters of each layer.

        Returns
        -------
        ndarray of shape (n_outputs, n_samples)
        """
        n_samples = X.shape[0]
        if n_samples * self.layout.n_penalized < MIN_BLAS:
            return self._apply(X, parameters)
        with ONE_BLAS_THREAD:
            if n_samples <= CHUNK:
                return self._apply(X, parameters)
            return self._predict_chunks(X, parameters)

    def _predict_chunks(self, X: Any, parameters: list[dict[str, Array]]) -> Array:
        n_samples = X.shape[0]
        dtype = np.result_type(X.dtype, *(a for layer in parameters for a in layer.values()))
        raw = np.empty((self.n_outputs, n_samples), dtype)

        def predict(start: int) -> None:
            chunk = slice(start, start + CHUNK)
            raw[:, chunk] = self._apply(X[chunk], parameters)

        starts = range(0, n_samples, CHUNK)
        is_long = n_samples * self.n_units >= MIN_SHARED
        share_out(count_workers(len(starts)) if is_long else 1, starts, predict)
        return raw

    @ONE_BLAS_THREAD
    def hidden_outputs(self, X: Any, parameters: list[dict[str, Array]]) -> list[Array]:
        """Return the outputs of each hidden layer, of shape (n_samples, n_units)."""
        outputs, x = [], X
        for layer, layer_parameters in zip(self.layers, parameters, strict=True):
            if isinstance(layer, (Linear, Residual)):  # where a hidden layer begins
                outputs.append(x)
                x = x.copy()
            x = layer.apply(x, layer_parameters)
        return outputs[1:]

    def _apply(self, x: Any, parameters: list[dict[str, Array]]) -> Array:
        for layer, layer_parameters in zip(self.layers, parameters, strict=True):
            x = layer.apply(x, layer_parameters)
        return x

    # The estimator's form of the parameters: a list of arrays for each kind.

    def parameters(
        self, coefs: list[Array], intercepts: list[Array], others: list[Array]
    ) -> list[dict[str, Array]]:
        """Return each layer's parameters from the lists of arrays."""
        lists = coefs, intercepts, others
        if (len(coefs), len(intercepts), len(others)) != self._counts:
            raise ValueError(
                f"coefs_ has {len(coefs)} arrays and intercepts_ has {len(intercepts)}, but the "
                f"network has {self._counts[0]} layers of weights."
            )
        return [{name: lists[kind][i] for name, kind, i in layer} for layer in self._places]

    def split(self, theta: Array) -> tuple[list[Array], list[Array], list[Array]]:
        """Return copies of the weights, the intercepts and the other parameters, in order."""
        lists: tuple[list[Array], list[Array], list[Array]] = [], [], []
        for layer, views in zip(self._places, self.layout.views(theta), strict=True):
            for name, kind, _ in layer:
                lists[kind].append(views[name].copy())
        return lists

    def other_names(self) -> list[str]:
        """Return the names of the other parameters, in order."""
        return [
            name.split(".")[-1]
            for layer in self._places
            for name, kind, _ in layer
            if kind == KINDS.index("other")
        ]

    def join(self, coefs: list[Array], intercepts: list[Array], others: list[Array]) -> Array:
        """Return the parameter vector that `split` has come from."""
        dtype = np.result_type(np.float32, *coefs, *intercepts)
        theta = np.empty(self.layout.size, dtype)
        parameters = self.parameters(coefs, intercepts, others)
        for views, given in zip(self.layout.views(theta), parameters, strict=True):
            for name, view in views.items():
                if np.shape(given[name]) != view.shape:
                    raise ValueError(
                        f"{name.split('.')[-1]}s_ has an array of shape {np.shape(given[name])} "
                        f"where the network has {view.shape}; the same shapes are needed."
                    )
                view[...] = given[name]
        return theta


Place = tuple[str, int, int]
"""A parameter's name, in which of the estimator's lists it is, and where."""


def _places(shapes: list[Shapes]) -> tuple[list[list[Place]], tuple[int, ...]]:
    """Return the places of each layer's parameters, and the lengths of the lists."""
    counts = [0] * len(KINDS)
    places: list[list[Place]] = []
    for layer in shapes:
        places.append([])
        for name in layer:
            last = name.split(".")[-1]
            kind = KINDS.index(last if last in KINDS else "other")
            places[-1].append((name, kind, counts[kind]))
            counts[kind] += 1
    return places, tuple(counts)
