"""A network: a list of layers over one parameter vector."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from sknn._blas import MIN_BLAS, ONE_BLAS_THREAD
from sknn._component import stack
from sknn._crew import count_workers, share_out
from sknn._math import Array, Call
from sknn._random import next_words
from sknn.layers import Draw, Layer, Share, Site
from sknn.operations import Count, LayerOperations, add_up, in_a_row
from sknn.parameters import (
    STATISTIC,
    Parameter,
    ParameterLayout,
    Tree,
    fill,
    is_zero,
    leaves,
    tree_map,
)
from sknn.plain import kept
from sknn.publication import Publication
from sknn.samples import Samples

CHUNK = 2048
"""Rows that are predicted at a time, which bounds the memory; more than 4096 leave the cache."""

MIN_SHARED = 5_000_000
"""Samples times outputs of all layers from which threads share a prediction: some 5 ms."""

CALIBRATION_ROWS = 2048
"""So many training rows, from all over the data, are shown to layers before the first step."""


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
    input_gradient : ndarray of shape (..., n_samples, n_features) or None
        Where the backward calls leave the gradient with respect to the input, if it is wanted.
    """

    raw: Array
    forward: list[Call]
    backward: list[Call]
    n_accumulated: int
    input_gradient: Array | None


@kept
class Network:
    """Layers, one after the other.

    Parameters
    ----------
    layers : list of Layer
        The layers; the last is linear and output-major.
    n_features : int
        Number of inputs.

    Attributes
    ----------
    layout : ParameterLayout
        Where each layer's parameters lie in the flat vector.
    publication : Publication
        Under which attributes of an estimator they are published.
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
        if not layers or not getattr(layers[-1], "output_major", False):
            raise ValueError(
                "A network must end in Linear(..., output_major=True): losses expect raw scores "
                "output by output."
            )
        self.layers = layers
        self.n_features = n_features
        self._widths = [n_features]
        for layer in layers:
            self._widths.append(layer.n_out(self._widths[-1]))
        self.n_outputs = self._widths[-1]
        self.n_units = sum(self._widths[1:])
        inputs = list(zip(layers, self._widths[:-1], strict=True))
        self._n_noise = [layer.n_noise(n_in) for layer, n_in in inputs]
        self.n_noise = sum(self._n_noise)
        self.mixes_rows = any(layer.mixes_rows for layer in layers)
        described = [layer.parameters(n_in) for layer, n_in in inputs]
        # Layers in front of the first one that is trained: no gradient need come to them.
        is_idle = [not _is_trained(own) for own in described[:-1]]
        self._n_idle = len(list(itertools.takewhile(bool, is_idle)))
        self.layout, self.publication = _lay_out(described)

    def __reduce__(self) -> Any:
        return type(self), (self.layers, self.n_features)

    def to_plain(self) -> dict[str, Any]:
        """Return what it is made of; the rest follows."""
        return {"layers": self.layers, "n_features": self.n_features}

    @classmethod
    def from_plain(cls, state: dict[str, Any]) -> Network:
        """Return the network that is made of this."""
        return cls(**state)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # From before 0.3.0; what follows from the layers is worked out anew.
        self.__init__(state["layers"], state["n_features"])  # type: ignore[misc]

    @classmethod
    def stacked(cls, networks: list[Network]) -> Network:
        """Return one network whose layers have the numbers of a whole stack."""
        layers = [stack(list(same), 2) for same in zip(*(n.layers for n in networks), strict=True)]
        return cls(layers, networks[0].n_features)

    def structure(self) -> Hashable:
        """Return what two networks must have in common to be stacked."""
        layers = (layer.structure() for layer in self.layers)
        return self.n_features, self.layout.structure, *layers

    def initialize(self, draw: Draw, rng: np.random.RandomState, dtype: Any) -> Array:
        """Return the parameter vector that training begins with, layer by layer."""
        theta = np.zeros(self.layout.size, dtype)
        for layer, views in zip(self.layers, self.layout.views(theta), strict=True):
            layer.initialize(views, draw, rng)
        return theta

    def operations(self, n_entries: Count | None = None) -> LayerOperations:
        """Return what the layers cost together.

        Parameters
        ----------
        n_entries : int or Fraction, default=None
            The mean number of entries in a row of a sparse X; None if it is dense.
        """
        first, *others = zip(self.layers, self._widths[:-1], strict=True)
        later = (layer.operations(n_in) for layer, n_in in others)
        parts = [first[0].operations(first[1], n_entries), *later]
        idle, trained = parts[: self._n_idle], in_a_row(parts[self._n_idle :])
        if not idle:
            return trained
        spared = [cost for part in idle for cost in (part.backward, part.input_gradient)]
        return trained._replace(
            forward=add_up([trained.forward, *(part.forward for part in idle)]),
            input_gradient=add_up([trained.input_gradient, *spared]),
            prediction=add_up([trained.prediction, *(part.prediction for part in idle)]),
        )

    @property
    def calibrates(self) -> bool:
        """Whether a layer wants to see training rows before the first step."""
        return any(layer.calibrates for layer in self.layers)

    def calibrate(self, theta: Array, rows: Any, rng: np.random.RandomState) -> None:
        """Let the layers adapt the initial parameters to training rows, one after the other.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Changed in place.
        rows : {ndarray, CSR matrix} of shape (n_samples, n_features)
        rng : RandomState
        """
        x = self._own(rows)
        for layer, views in zip(self.layers, self.layout.views(theta), strict=True):
            layer.calibrate(views, x, rng)
            x = layer.apply(x, views)

    def set_output_intercepts(self, theta: Array, values: Array) -> None:
        """Set the intercepts of the last layer."""
        self.layout.views(theta)[-1]["intercept"][...] = values

    def bind(
        self,
        x: Any,
        theta: Array,
        grad: Array,
        share: Share,
        owns_input: bool = True,
        wants_input_gradient: bool = False,
        wants_gradients: bool = True,
    ) -> BoundNetwork:
        """Tie the layers to an input buffer and to (a stack of) parameters and gradients.

        Parameters
        ----------
        x : {ndarray of shape (..., n_samples, n_features), SparseBatch}
        theta, grad : ndarray of shape (..., n_parameters)
        share : Share
            The rows' random numbers, with a step of which the forward calls begin, and the other
            workers that have rows of the batch.
        owns_input : bool, default=True
            Whether the calls may write to `x`; what is somebody else's is copied where they would.
        wants_input_gradient : bool, default=False
            Whether the backward calls go on to the input, which must be dense.
        wants_gradients : bool, default=True
            Whether they need to write the gradient with respect to the parameters.
        """
        forward: list[Call] = next_words(share.noise) if self.n_noise else []
        may_be_written_to = self._writes_to(x) or wants_input_gradient
        if may_be_written_to and not owns_input:
            given, x = x, np.empty_like(x)
            forward.append(partial(np.copyto, x, given))
        backwards: list[Callable[[Array], tuple[list[Call], Array | None]]] = []
        n_accumulated = 0
        ends = list(itertools.accumulate(self._n_noise, initial=0))
        views = zip(self.layout.views(theta), self.layout.views(grad), strict=True)
        for i, (layer, (parameters, gradients)) in enumerate(zip(self.layers, views, strict=True)):
            words = share.words(ends[i], ends[i + 1])
            wants_own = wants_input_gradient or i > self._n_idle
            site = Site(x, parameters, gradients, words, wants_own, wants_gradients)
            bound = layer.bind(site)
            x = bound.out
            forward += bound.forward
            backwards.append(bound.backward)
            n_accumulated += bound.n_accumulated
        raw = gradient = x
        backward: list[Call] = []
        for layer_backward in reversed(backwards[0 if wants_input_gradient else self._n_idle :]):
            calls, gradient = layer_backward(gradient)
            backward += calls
        input_gradient = gradient if wants_input_gradient else None
        return BoundNetwork(raw, forward, backward, n_accumulated, input_gradient)

    def _writes_to(self, x: Any) -> bool:
        """Whether the first layer would overwrite the input; raise if it cannot take it at all."""
        first = self.layers[0]
        if not (first.takes_sparse or isinstance(x, np.ndarray)):
            name = type(first).__name__
            raise TypeError(f"A network that begins with {name} needs a dense X, got a sparse one.")
        return first.overwrites_input

    def _own(self, X: Any) -> Any:
        """Return X as an input that layers may work on."""
        if X.dtype.char not in "fd":  # of a file: ints, or half precision
            return X.astype(np.float64)
        return X.copy() if self._writes_to(X) else X

    def at_prediction(self, parameters: list[Any]) -> tuple[Network, Array]:
        """Return a network that trains as this one predicts, and its parameter vector.

        Dropout is off in it, and the statistics of batches are fixed. It is what explanations go
        back through: predictions do not depend on other rows or on random numbers.

        Parameters
        ----------
        parameters : list of dict
            The parameters of each layer; of shape (n_models, ...) for a stack.
        """
        pairs = zip(self.layers, parameters, strict=True)
        then = [layer.at_prediction(own) for layer, own in pairs]
        kept = [(layer, own) for layer, own in then if layer is not None]
        network = Network([layer for layer, _ in kept], self.n_features)
        arrays = [own for _, own in kept]
        first = next(a for leaf in leaves(arrays) for a in leaf.values())
        described = next(p for leaf in network.layout.leaves for p in leaf.values())
        lead = first.shape[: first.ndim - len(described.shape)]
        theta = np.empty((*lead, network.layout.size), first.dtype)
        fill(network.layout.views(theta), arrays)
        return network, theta

    @ONE_BLAS_THREAD
    def input_gradient(
        self, X: Array, parameters: list[Any], differentiate: Callable[[Array, slice], object]
    ) -> Array:
        r"""Return the gradient of a function of the raw scores with respect to the input.

        For a function F of the raw scores z = f(x) of a sample it is
        :math:`\partial F/\partial x = (\partial z/\partial x)^\top \, \partial F/\partial z`, with
        the network as it is at prediction.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), or (n_models, n_samples, n_features)
            Dense; the latter for a stack of models.
        parameters : list of dict
            The parameters of each layer; of shape (n_models, ...) for a stack.
        differentiate : callable
            ``differentiate(raw, rows)`` replaces raw scores of shape (..., n_outputs, n_rows) by
            the derivatives of F with respect to them; `rows` is the slice of their samples.

        Returns
        -------
        ndarray of the shape of X
        """
        network, theta = self.at_prediction(parameters)
        gradient, grad = np.empty(X.shape, theta.dtype), np.empty_like(theta)
        n_samples = X.shape[-2]
        for start in range(0, n_samples, CHUNK):
            rows = slice(start, min(start + CHUNK, n_samples))
            x = X[..., rows, :].astype(theta.dtype, order="C")
            noise = np.empty((*x.shape[:-1], 0), np.uint64)
            bound = network.bind(
                x,
                theta,
                grad,
                Share.alone(noise),
                wants_input_gradient=True,
                wants_gradients=False,
            )
            for call in bound.forward:
                call()
            differentiate(bound.raw, rows)
            for call in bound.backward:
                call()
            gradient[..., rows, :] = bound.input_gradient
        return gradient

    def predict(self, X: Any, parameters: list[Any]) -> Array:
        """Return raw scores at prediction time, in buffers of this call.

        Parameters
        ----------
        X : {ndarray, CSR matrix, Samples} of shape (n_samples, n_features)
        parameters : list of dict
            The parameters of each layer.

        Returns
        -------
        ndarray of shape (n_outputs, n_samples)
        """
        n_samples = X.shape[0]
        if n_samples > CHUNK:
            with ONE_BLAS_THREAD:
                return self._predict_chunks(X, parameters)
        # (To ask the plain class first spares the most frequent case a look at an abstract one.)
        rows = X if type(X) is np.ndarray or not isinstance(X, Samples) else X[:]
        if n_samples * self.layout.n_penalized < MIN_BLAS:
            return self._apply(rows, parameters)
        with ONE_BLAS_THREAD:
            return self._apply(rows, parameters)

    def _predict_chunks(self, X: Any, parameters: list[Any]) -> Array:
        n_samples = X.shape[0]
        arrays = (array for leaf in leaves(parameters) for array in leaf.values())
        dtype = np.result_type(X.dtype, *arrays)
        raw = np.empty((self.n_outputs, n_samples), dtype)

        def predict(start: int) -> None:
            chunk = slice(start, start + CHUNK)
            raw[:, chunk] = self._apply(X[chunk], parameters)

        starts = range(0, n_samples, CHUNK)
        is_long = n_samples * self.n_units >= MIN_SHARED
        share_out(count_workers(len(starts)) if is_long else 1, starts, predict)
        return raw

    @ONE_BLAS_THREAD
    def hidden_outputs(self, X: Any, parameters: list[Any]) -> list[Array]:
        """Return the outputs of each hidden layer, of shape (n_samples, n_units)."""
        outputs, x = [], self._own(X)
        for layer, layer_parameters in zip(self.layers, parameters, strict=True):
            if layer.begins_hidden_layer:
                outputs.append(x)
                x = x.copy()
            x = layer.apply(x, layer_parameters)
        return outputs[1:]

    def n_units_at_once(self, is_dense: bool) -> int:
        """Return how many numbers of a row a prediction holds: of two layers, or a dense input."""
        widths = self._widths if is_dense else [0, *self._widths[1:]]
        return max(map(sum, itertools.pairwise(widths)))

    @cached_property
    def hidden_sizes(self) -> list[int]:
        """The number of units of each hidden layer."""
        widths = zip(self.layers, self._widths[:-1], strict=True)
        return [n_in for layer, n_in in widths if layer.begins_hidden_layer][1:]

    def is_alike(self, other: Network) -> bool:
        """Whether another network has layers of parameters with the same names."""
        names, others = (
            [list(leaf) for leaf in network.layout.leaves if leaf] for network in (self, other)
        )
        return names == others

    def _apply(self, x: Any, parameters: list[Any]) -> Array:
        x = self._own(x)
        for layer, layer_parameters in zip(self.layers, parameters, strict=True):
            x = layer.apply(x, layer_parameters)
        return x

    # The estimator's form of the parameters: lists of arrays, as its attributes.

    def parameters(self, published: Mapping[str, Any]) -> list[Any]:
        """Return each layer's parameters from what an estimator has published."""
        return self.publication.gather(published)

    def publish(self, theta: Array) -> dict[str, list[Any]]:
        """Return copies of the parameters as the attributes of an estimator."""
        return self.publication.publish(self.layout.views(theta))

    def join(self, published: Mapping[str, Any]) -> Array:
        """Return the parameter vector that `publish` has come from."""
        return self.vector(self.parameters(published))

    def vector(self, parameters: list[Any]) -> Array:
        """Return each layer's parameters as one new vector; their shapes are checked."""
        parameters = [tree_map(np.asarray, tree) for tree in parameters]
        arrays = [array for leaf in leaves(parameters) for array in leaf.values()]
        theta = np.empty(self.layout.size, np.result_type(np.float32, *arrays))
        self.publication.check_shapes(parameters)
        fill(self.layout.views(theta), parameters)
        return theta


def _is_trained(tree: Tree[Parameter]) -> bool:
    """Whether a layer has parameters that training moves."""
    parameters = (parameter for leaf in leaves(tree) for parameter in leaf.values())
    return any(p.kind != STATISTIC and not is_zero(p.rate) for p in parameters)


def _lay_out(described: list[Tree[Parameter]]) -> tuple[ParameterLayout, Publication]:
    """Return where parameters lie and are published; the networks of a search share the answer."""
    key = tuple(map(_as_key, described))
    try:
        known = _LAYOUTS.get(key)
    except TypeError:  # numbers of a stack, in arrays
        return ParameterLayout(described), Publication(described)
    if known is None:
        if len(_LAYOUTS) >= N_LAYOUTS:
            _LAYOUTS.clear()
        known = _LAYOUTS[key] = ParameterLayout(described), Publication(described)
    return known


def _as_key(tree: Tree[Parameter]) -> Hashable:
    return ("list", *map(_as_key, tree)) if isinstance(tree, list) else tuple(tree.items())


N_LAYOUTS = 64
"""So many layouts are remembered: to make one takes as long as ten calls of a step."""

_LAYOUTS: dict[Hashable, tuple[ParameterLayout, Publication]] = {}
