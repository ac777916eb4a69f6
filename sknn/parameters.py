"""One flat vector theta holds all parameters of a network; the layers hold views of it."""

from __future__ import annotations

import math

from sknn._math import Array

Shapes = dict[str, tuple[int, ...]]


class ParameterLayout:
    """Where each layer's parameters lie in the flat vector.

    The penalised parameters (the weights) of all layers come first, so that a penalty is
    one slice; then those that are trained, too (the intercepts), and at last statistics, which
    layers keep themselves and whose gradient is 0.

    Parameters
    ----------
    shapes : list of dict
        For each layer the shapes of its parameters by name.
    penalized : list of tuple of str
        For each layer the names of the parameters that the penalty acts on.
    statistics : list of tuple of str
        For each layer the names of those that are not trained.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_penalized : int
        Number of penalised parameters, ``theta[..., :n_penalized]``.
    n_trained : int
        Number of trained parameters, ``theta[..., :n_trained]``; the others are statistics.
    """

    def __init__(
        self,
        shapes: list[Shapes],
        penalized: list[tuple[str, ...]],
        statistics: list[tuple[str, ...]],
    ) -> None:
        self._shapes = shapes
        self._slices: list[dict[str, slice]] = [{} for _ in shapes]
        self.size = 0
        trained = [
            tuple(name for name in layer if name not in (*first, *last))
            for layer, first, last in zip(shapes, penalized, statistics, strict=True)
        ]
        self._append(penalized)
        self.n_penalized = self.size
        self._append(trained)
        self.n_trained = self.size
        self._append(statistics)

    def _append(self, names: list[tuple[str, ...]]) -> None:
        for slices, shapes, chosen in zip(self._slices, self._shapes, names, strict=True):
            for name in chosen:
                slices[name] = slice(self.size, self.size + math.prod(shapes[name]))
                self.size = slices[name].stop

    def matrices(self) -> list[tuple[slice, tuple[int, ...]]]:
        """Return where each penalised matrix lies, and its shape."""
        return [
            (where, shapes[name])
            for slices, shapes in zip(self._slices, self._shapes, strict=True)
            for name, where in slices.items()
            if where.stop <= self.n_penalized
        ]

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
