"""A network: a list of layers over one parameter vector."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array, Call
from sknn.initializers import Initializer
from sknn.layers import Layer
from sknn.parameters import ParameterLayout

CHUNK = 1024
"""Rows that are predicted at a time, which bounds the memory; 512 to 8192 are equally fast."""


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
    """

    def __init__(self, layers: list[Layer], n_features: int) -> None:
        self.layers = layers
        self.n_features = n_features
        self._widths = [n_features]
        for layer in layers:
            self._widths.append(layer.n_out(self._widths[-1]))
        self.n_outputs = self._widths[-1]
        self.n_units = sum(self._widths[1:])
        self._linear = [i for i, layer in enumerate(layers) if layer.penalized]
        shapes = [layer.shapes(n_in) for layer, n_in in zip(layers, self._widths[:-1], strict=True)]
        self.layout = ParameterLayout(shapes, [layer.penalized for layer in layers])

    def structure(self) -> Hashable:
        """Return what two networks must have in common to be stacked."""
        layers = (layer.structure(with_numbers=True) for layer in self.layers)
        return self.n_features, *layers

    def initialize(
        self, initializer: Initializer, factor: float, rng: np.random.RandomState, dtype: Any
    ) -> Array:
        """Return a parameter vector with drawn weights, layer by layer."""
        theta = np.zeros(self.layout.size, dtype)
        for views, n_in, n_out in zip(
            self.layout.views(theta), self._widths[:-1], self._widths[1:], strict=True
        ):
            if "coef" in views:
                views["coef"][...], views["intercept"][...] = initializer.draw(
                    rng, n_in, n_out, factor
                )
        return theta

    def bind(self, x: Any, theta: Array, grad: Array) -> BoundNetwork:
        """Tie the layers to an input buffer and to (a stack of) parameters and gradients."""
        forward: list[Call] = []
        backwards: list[Callable[[Array], tuple[list[Call], Array | None]]] = []
        n_accumulated = 0
        views = zip(self.layout.views(theta), self.layout.views(grad), strict=True)
        for i, (layer, (parameters, gradients)) in enumerate(zip(self.layers, views, strict=True)):
            bound = layer.bind(x, parameters, gradients, wants_input_gradient=i > 0)
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
        if n_samples <= CHUNK:
            return self._apply(X, parameters)
        dtype = np.result_type(X.dtype, *(a for layer in parameters for a in layer.values()))
        raw = np.empty((self.n_outputs, n_samples), dtype)
        for start in range(0, n_samples, CHUNK):
            chunk = slice(start, start + CHUNK)
            raw[:, chunk] = self._apply(X[chunk], parameters)
        return raw

    def _apply(self, x: Any, parameters: list[dict[str, Array]]) -> Array:
        for layer, layer_parameters in zip(self.layers, parameters, strict=True):
            x = layer.apply(x, layer_parameters)
        return x

    # scikit-learn's form of the parameters: a list of weights and a list of intercepts.

    def parameters(self, coefs: list[Array], intercepts: list[Array]) -> list[dict[str, Array]]:
        """Return each layer's parameters from the lists of weights and intercepts."""
        if len(coefs) != len(self._linear) or len(intercepts) != len(self._linear):
            raise ValueError(
                f"coefs_ has {len(coefs)} arrays and intercepts_ has {len(intercepts)}, but the "
                f"fitted network has {len(self._linear)} layers of weights."
            )
        parameters: list[dict[str, Array]] = [{} for _ in self.layers]
        for i, coef, intercept in zip(self._linear, coefs, intercepts, strict=True):
            parameters[i] = {"coef": coef, "intercept": intercept}
        return parameters

    def split(self, theta: Array) -> tuple[list[Array], list[Array]]:
        """Return copies of the weights and of the intercepts, layer by layer."""
        views = [layer for layer in self.layout.views(theta) if layer]
        return [v["coef"].copy() for v in views], [v["intercept"].copy() for v in views]

    def join(self, coefs: list[Array], intercepts: list[Array]) -> Array:
        """Return the parameter vector that `split` has come from."""
        dtype = np.result_type(np.float32, *coefs, *intercepts)
        theta = np.empty(self.layout.size, dtype)
        parameters = self.parameters(coefs, intercepts)
        for views, given in zip(self.layout.views(theta), parameters, strict=True):
            for name, view in views.items():
                if np.shape(given[name]) != view.shape:
                    raise ValueError(
                        f"{name}s_ has an array of shape {np.shape(given[name])} where the network "
                        f"has {view.shape}; training can go on with the same shapes only."
                    )
                view[...] = given[name]
        return theta
