"""The contract of a layer.

A layer is a spec. ``parameters`` says what there is to be trained, and how. ``bind`` ties it to
arrays and returns what a training step has to call, in order, as functions without arguments; so a
step makes no view, no slice and no decision. ``apply`` is the layer at prediction time; it keeps
nothing, so that threads may share it.

Ownership: a layer writes into buffers that it owns, and may consume the gradient that it is
handed. Whether it also writes its output over its input, or hands its input on, it says: whoever
hands it an array of somebody else's makes a copy then.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from sknn._component import Component, Registry
from sknn._math import Array, Call
from sknn.layers.share import Share
from sknn.operations import SIMPLE, Cost, Count, LayerOperations
from sknn.parameters import Parameter, Tree

Draw: TypeAlias = Callable[[int, int], tuple[Array, Array]]
"""Draws weights of shape (n_in, n_out) and intercepts of shape (n_out,)."""


class Site(NamedTuple):
    """What a layer is tied to.

    Attributes
    ----------
    x : {ndarray of shape (..., n_samples, n_in), SparseBatch}
        The input buffer, which the forward calls leave as it is unless the layer overwrites its
        input. If the input gradient is wanted, the backward calls may overwrite it.
    parameters, gradients : dict of ndarray
        Views of the flat vectors, by name; for a layer of layers a list of such.
    share : Share
        The layer's random bits, and how to add up over rows that other workers have.
    wants_input_gradient : bool
        Whether something below needs the gradient with respect to `x`.
    wants_gradients : bool
        Whether the gradients with respect to the parameters are wanted; if not, a layer may spare
        them.
    """

    x: Any
    parameters: Any
    gradients: Any
    share: Share
    wants_input_gradient: bool = True
    wants_gradients: bool = True


class BoundLayer(NamedTuple):
    """A layer tied to its arrays.

    Attributes
    ----------
    out : ndarray
        The buffer that holds the output after the forward calls. What comes next may
        overwrite it while going back.
    forward : list of callable
        The calls of the forward pass.
    backward : callable
        ``backward(grad)`` returns the calls of the backward pass and the array in which
        they leave the gradient with respect to the input (None if it is not wanted).
    n_accumulated : int
        So many leading parameters of theta get their gradient added, not written: those of the
        first layer, with sparse samples.

    See Also
    --------
    sknn.layers.Layer : What is bound.
    sknn.layers.Linear : A live member.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.layers import Linear, Share, Site
    >>> x, W, b = np.ones((4, 3)), np.ones((3, 2)), np.zeros(2)
    >>> parameters = {"coef": W, "intercept": b}
    >>> share = Share.alone(np.zeros((4, 0), np.uint64))
    >>> bound = Linear(2).bind(Site(x, parameters, {}, share, False, False))
    >>> results = [call() for call in bound.forward]
    >>> bound.out[0]
    array([3., 3.])
    """

    out: Array
    forward: list[Call]
    backward: Callable[[Array], tuple[list[Call], Array | None]]
    n_accumulated: int = 0


class Layer(Component):
    """Contract of a layer: what its parameters are, and how it is bound to arrays.

    See Also
    --------
    sknn.layers.Linear : A live member.
    sknn.layers.BoundLayer : What a layer becomes on its arrays.
    sknn.parameters.weight : Says what a layer has as parameters.
    """

    overwrites_input: ClassVar[bool] = False
    """Whether the forward calls, or `apply`, write to the array that is handed to them, or hand it
    on as their output, so that the next layer may."""

    takes_sparse: ClassVar[bool] = False
    """Whether the input may be sparse."""

    begins_hidden_layer: ClassVar[bool] = False
    """Whether what goes in is the input, or the output of what users call a hidden layer."""

    mixes_rows: bool = False
    """Whether samples depend on each other in training, so that workers have to meet."""

    calibrates: bool = False
    """Whether it wants to see training rows before the first step."""

    def n_out(self, n_in: int) -> int:
        """Return the number of outputs for `n_in` inputs.

        Parameters
        ----------
        n_in : int
            Number of inputs.

        Returns
        -------
        int
            Number of outputs.
        """
        return n_in

    def parameters(self, n_in: int) -> Tree[Parameter]:
        """Return the parameters by name; for a layer of layers a list of such.

        Parameters
        ----------
        n_in : int
            Number of inputs.

        Returns
        -------
        dict of Parameter, or list
            What the layer has, by the names that it uses itself.
        """
        return {}

    def n_noise(self, n_in: int) -> int:
        """Return how many words of random bits a row needs in a step.

        Parameters
        ----------
        n_in : int
            Number of inputs.

        Returns
        -------
        int
            Words of 64 bits.
        """
        return 0

    def operations(self, n_in: int, n_entries: Count | None = None) -> LayerOperations:
        """Return what the layer costs.

        One that does not say so counts an operation for each output, on the way there and back, and
        one for each input whose gradient is wanted.

        Parameters
        ----------
        n_in : int
            Number of inputs.
        n_entries : int or Fraction, default=None
            The mean number of entries in a row of a sparse input; None if it is dense.

        Returns
        -------
        LayerOperations
            Floating-point operations for each row.
        """
        each, back = Cost(SIMPLE * self.n_out(n_in)), Cost(SIMPLE * n_in)
        return LayerOperations(forward=each, backward=each, input_gradient=back, prediction=each)

    def initialize(self, parameters: Any, draw: Draw, rng: np.random.RandomState) -> None:
        """Set the parameters, which are 0, to what training begins with.

        Parameters
        ----------
        parameters : dict of ndarray
            Views, by name; for a layer of layers a list of such.
        draw : callable
            Draws weights by the estimator's initializer.
        rng : RandomState
            For draws of other kinds.
        """

    def calibrate(self, parameters: Any, x: Any, rng: np.random.RandomState) -> None:
        """Adapt the initial parameters to training rows, as they come in here.

        Parameters
        ----------
        parameters : dict of ndarray, or list
            See `initialize`.
        x : {ndarray, CSR matrix} of shape (n_samples, n_in)
            What the layers before, calibrated, make of the rows.
        rng : RandomState
            See `initialize`.
        """

    @abstractmethod
    def bind(self, site: Site) -> BoundLayer:
        """Tie the layer to its input buffer, its parameters and their gradients.

        Parameters
        ----------
        site : Site
            The buffer, the arrays, and the rows' share.

        Returns
        -------
        BoundLayer
            Its output, and the calls of a step.
        """

    @abstractmethod
    def apply(self, x: Any, parameters: Any) -> Array:
        """Return the layer's output at prediction time.

        Parameters
        ----------
        x : {ndarray of shape (..., n_samples, n_in), CSR matrix}
            The input.
        parameters : dict of ndarray, or list
            The layer's parameters.

        Returns
        -------
        ndarray of shape (..., n_samples, n_out)
            The output.
        """

    def at_prediction(self, parameters: Any) -> tuple[Layer | None, Any]:
        """Return a layer whose training is this one's prediction, and its parameters.

        None stands for a layer that then does nothing.

        Parameters
        ----------
        parameters : dict of ndarray, or list
            The layer's parameters.

        Returns
        -------
        layer : Layer or None
            What computes the same as this one does at prediction.
        parameters : dict of ndarray, or list
            Those of that layer.
        """
        return self, parameters


LAYERS: Registry[Layer] = Registry("layer")
