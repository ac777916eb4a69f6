"""The contract of a layer.

A layer is a spec. ``bind`` ties it to arrays and returns what a training step has to call,
in order, as functions without arguments; so a step makes no view, no slice and no decision.
``apply`` is the layer at prediction time; it keeps nothing, so that threads may share it.

Ownership: a layer writes only into buffers that it owns, and may consume the gradient that
it is handed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from sknn._component import Component
from sknn._math import Array, Call
from sknn.layers.share import Share
from sknn.parameters import Shapes

Draw: TypeAlias = Callable[[int, int], tuple[Array, Array]]
"""Draws weights of shape (n_in, n_out) and intercepts of shape (n_out,)."""


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
        So many leading parameters get their gradient added, not written.
    """

    out: Array
    forward: list[Call]
    backward: Callable[[Array], tuple[list[Call], Array | None]]
    n_accumulated: int = 0


class Layer(Component):
    """Contract of a layer; see the module."""

    penalized: tuple[str, ...] = ()
    """Names of the parameters that the penalty acts on."""

    statistics: tuple[str, ...] = ()
    """Names of the parameters that the layer itself keeps, without a gradient."""

    mixes_rows: bool = False
    """Whether samples depend on each other in training, so that workers have to meet."""

    def n_out(self, n_in: int) -> int:
        """Return the number of outputs for `n_in` inputs."""
        return n_in

    def shapes(self, n_in: int) -> Shapes:
        """Return the shapes of the parameters by name."""
        return {}

    def n_noise(self, n_in: int) -> int:
        """Return how many words of random bits a row needs in a step."""
        return 0

    def initialize(self, parameters: dict[str, Array], draw: Draw) -> None:
        """Set the parameters to what training begins with."""

    @abstractmethod
    def bind(
        self,
        x: Any,
        parameters: dict[str, Array],
        gradients: dict[str, Array],
        share: Share,
        wants_input_gradient: bool,
    ) -> BoundLayer:
        """Tie the layer to its input buffer, its parameters and their gradients.

        Parameters
        ----------
        x : ndarray of shape (..., n_samples, n_in)
            The input buffer. If the input gradient is wanted, the backward calls may
            overwrite it.
        parameters, gradients : dict of ndarray
            Views of the flat vectors, by name.
        share : Share
            The layer's random bits, and how to add up over rows that other workers have.
        wants_input_gradient : bool
            Whether something below needs the gradient with respect to `x`.
        """

    @abstractmethod
    def apply(self, x: Any, parameters: dict[str, Array]) -> Array:
        """Return the layer's output at prediction time; an x of its own may be reused."""
