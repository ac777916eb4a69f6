"""One flat vector theta holds all parameters of a network; the layers hold views of it."""

from __future__ import annotations

import math

from sknn._math import Array

Shapes = dict[str, tuple[int, ...]]


class ParameterLayout:
    """Where each layer's parameters lie in the flat vector.

    The penalised parameters (the weights) of all layers come first, so that a penalty is
    one slice; the others (the intercepts) follow.

    Parameters
    ----------
    shapes : list of dict
        For each layer the shapes of its parameters by name.
    penalized : list of tuple of str
        For each layer the names of the parameters that the penalty acts on.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_penalized : int
        Number of penalised parameters, ``theta[..., :n_penalized]``.
    """

    def __init__(self, shapes: list[Shapes], penalized: list[tuple[str, ...]]) -> None:
        self._shapes = shapes
        self._slices: list[dict[str, slice]] = [{} for _ in shapes]
        self.size = self.n_penalized = 0
        for want_penalized in (True, False):
            for slices, layer, names in zip(self._slices, shapes, penalized, strict=True):
                for name, shape in layer.items():
                    if (name in names) is want_penalized:
                        slices[name] = slice(self.size, self.size + math.prod(shape))
                        self.size = slices[name].stop
            if want_penalized:
                self.n_penalized = self.size

    def views(self, vector: Array) -> list[dict[str, Array]]:
        """Return for each layer its parameters, as views of `vector`.

        Parameters
        ----------
        vector : ndarray of shape (size,) or (n_models, size)
            A parameter vector, a gradient, or a stack of them.

        Returns
        -------
        list of dict
            Arrays of shape ``shape`` or ``(n_models, *shape)``.
        """
        lead = vector.shape[:-1]
        return [
            {name: vector[..., where].reshape(lead + shapes[name]) for name, where in s.items()}
            for s, shapes in zip(self._slices, self._shapes, strict=True)
        ]
