"""What the parameters of a network are, and where they lie in one flat vector theta."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np

from sknn._math import Array

T = TypeVar("T")
U = TypeVar("U")

Tree = dict[str, T] | list[Any]
"""What belongs to the parameters of a layer: by name, or for a layer of layers a list of such."""

WEIGHT, FREE, STATISTIC = KINDS = ("weight", "free", "statistic")
"""The kinds of parameters, in the order in which they lie in theta."""


@dataclass(frozen=True)
class Parameter:
    """What a layer says of one of its parameters; made by `weight`, `free` and `statistic`.

    Attributes
    ----------
    shape : tuple of int
    kind : {"weight", "free", "statistic"}
        A weight is penalised. A statistic is kept by the layer itself: it has no gradient, and no
        rule moves it.
    published : str
        The attribute of a fitted estimator that has it: a list with an array for each parameter of
        this name. What comes after a dot is a key, as in "normalization_.scale": then the list has
        a dict for each layer.
    rate : float or ndarray of shape (n_models, ...)
        The factor of its learning rate; with 0 the parameter is frozen.
    decay : float or ndarray of shape (n_models, ...)
        The factor of the decoupled weight decay.
    """

    shape: tuple[int, ...]
    kind: str
    published: str
    rate: Any = 1.0
    decay: Any = 0.0


def weight(
    shape: tuple[int, ...], published: str = "coefs_", rate: Any = 1.0, decay: Any = 1.0
) -> Parameter:
    """Return a parameter that the penalty and weight decay act on.

    Parameters
    ----------
    shape : tuple of int
        The axes of the parameter.
    published : str, optional
        The estimator's attribute that has it after a fit, by default ``coefs_``.
    rate : float, default=1.0
        By what the learning rate is multiplied.
    decay : float, default=1.0
        By what decoupled weight decay is multiplied.

    Returns
    -------
    Parameter
        What a layer returns among its ``parameters``.

    See Also
    --------
    sknn.parameters.free : Without penalty and decay, as intercepts are.
    sknn.parameters.statistic : Not trained, but kept by the layer.
    sknn.layers.Layer : What has parameters.

    Examples
    --------
    >>> from sknn.parameters import weight
    >>> weight((3, 2)).shape
    (3, 2)
    """
    return Parameter(shape, WEIGHT, published, _factor("rate", rate), _factor("decay", decay))


def free(shape: tuple[int, ...], published: str, rate: Any = 1.0, decay: Any = 0.0) -> Parameter:
    """Return a parameter that is trained without a penalty.

    Parameters
    ----------
    shape : tuple of int
        The axes of the parameter.
    published : str
        The estimator's attribute that has it after a fit.
    rate : float, default=1.0
        By what the learning rate is multiplied.
    decay : float, default=0.0
        By what decoupled weight decay is multiplied.

    Returns
    -------
    Parameter
        What a layer returns among its ``parameters``.

    See Also
    --------
    sknn.parameters.weight : With penalty and decay.
    sknn.parameters.statistic : Not trained, but kept by the layer.
    sknn.layers.Layer : What has parameters.

    Examples
    --------
    >>> from sknn.parameters import free
    >>> free((2,), "intercepts_").decay
    0.0
    """
    return Parameter(shape, FREE, published, _factor("rate", rate), _factor("decay", decay))


def statistic(shape: tuple[int, ...], published: str) -> Parameter:
    """Return an array that the layer keeps itself.

    Parameters
    ----------
    shape : tuple of int
        The axes of the array.
    published : str
        The estimator's attribute that has it after a fit.

    Returns
    -------
    Parameter
        What a layer returns among its ``parameters``.

    See Also
    --------
    sknn.parameters.weight : Trained, with penalty and decay.
    sknn.parameters.free : Trained, without them.
    sknn.layers.Layer : What has parameters.

    Examples
    --------
    >>> from sknn.parameters import statistic
    >>> statistic((2,), "running_means_").rate
    1.0
    """
    return Parameter(shape, STATISTIC, published)


def _factor(name: str, value: Any) -> Any:
    """Return a factor as a float, or as an array of one for each model."""
    factor = value if isinstance(value, (float, np.ndarray)) else float(value)
    if isinstance(factor, float):  # most are
        is_allowed = 0 <= factor < np.inf
    else:
        is_allowed = bool(((factor >= 0) & (factor < np.inf)).all())
    if not is_allowed:
        raise ValueError(f"The {name} of a parameter must be at least 0 and finite, got {value!r}.")
    return factor


class Group(NamedTuple):
    """Neighbours in theta that are trained alike.

    Attributes
    ----------
    where : slice
    kind, rate, decay
        See :class:`Parameter`.
    """

    where: slice
    kind: str
    rate: Any
    decay: Any


class _Place(NamedTuple):
    where: slice
    shape: tuple[int, ...]


class ParameterLayout:
    """Where each layer's parameters lie in the flat vector.

    Weights come first, so that a penalty is one slice, then the free parameters, and at last
    statistics. Within a kind those lie together that are trained alike: a group is a slice. Groups
    are in the order of their first members, so that the weights of the first layer lie in front.

    Parameters
    ----------
    layers : list of dict or list
        For each layer its parameters by name, or for a layer of layers a list of such.

    Attributes
    ----------
    size : int
        Number of parameters.
    n_penalized : int
        Number of weights, ``theta[..., :n_penalized]``.
    n_trained : int
        Number of trained parameters, ``theta[..., :n_trained]``; the others are statistics.
    groups : list of Group
        They cover theta.
    leaves : list of dict
        The parameters of each layer that has some of its own, in order.
    """

    def __init__(self, layers: Sequence[Tree[Parameter]]) -> None:
        self.leaves: list[dict[str, Parameter]] = list(leaves(list(layers)))
        everyone = [parameter for leaf in self.leaves for parameter in leaf.values()]
        alike: dict[Hashable, list[int]] = {}
        for kind in KINDS:
            for i, p in enumerate(everyone):
                if p.kind == kind:
                    alike.setdefault((kind, _key(p.rate), _key(p.decay)), []).append(i)
        self.groups: list[Group] = []
        slices = [slice(0)] * len(everyone)
        end = 0
        for members in alike.values():
            begin = end
            for i in members:
                start, end = end, end + math.prod(everyone[i].shape)
                slices[i] = slice(start, end)
            first = everyone[members[0]]
            self.groups.append(Group(slice(begin, end), first.kind, first.rate, first.decay))
        self.size = end
        self.n_penalized = self._size_of(WEIGHT)
        self.n_trained = self.n_penalized + self._size_of(FREE)
        in_order = iter(slices)
        self._places = [
            tree_map(lambda parameter: _Place(next(in_order), parameter.shape), layer)
            for layer in layers
        ]

    def _size_of(self, kind: str) -> int:
        return sum(g.where.stop - g.where.start for g in self.groups if g.kind == kind)

    @cached_property
    def structure(self) -> Hashable:
        """What two layouts must have in common for their vectors to be stacked.

        The same parameters at the same places, in groups of which the same are frozen.
        """
        starts = (place.where.start for leaf in leaves(self._places) for place in leaf.values())
        groups = ((g.where.start, g.where.stop, is_zero(g.rate)) for g in self.groups)
        return tuple(starts), tuple(groups), self.n_penalized, self.n_trained

    def runs(self, where: slice, number: Callable[[Group], Any]) -> list[tuple[slice, Any]]:
        """Return the stretches of equal numbers in a part of the trained parameters.

        Parameters
        ----------
        where : slice
            The part.
        number : callable
            Returns the number of a group, such as its rate.
        """
        stretches = []
        trained = (group for group in self.groups if group.kind != STATISTIC)
        for _, same in itertools.groupby(trained, lambda group: _key(number(group))):
            first, *others = same
            last = others[-1] if others else first
            start = max(where.start, first.where.start)
            stop = min(where.stop, last.where.stop)
            if start < stop:
                stretches.append((slice(start, stop), number(first)))
        return stretches

    def frozen(self, where: slice) -> list[slice]:
        """Return the stretches of a part of the trained parameters whose rate is 0."""
        runs = self.runs(where, lambda group: group.rate)
        return [stretch for stretch, rate in runs if is_zero(rate)]

    def matrices(self) -> list[tuple[slice, tuple[int, ...]]]:
        """Return where each matrix among the weights lies, and its shape, in order."""
        places = (place for leaf in leaves(self._places) for place in leaf.values())
        found = [p for p in places if p.where.stop <= self.n_penalized and len(p.shape) == 2]
        return sorted(found, key=lambda place: place.where.start)

    def views(self, vector: Array) -> list[Any]:
        """Return for each layer its parameters, as views of `vector`.

        Parameters
        ----------
        vector : ndarray of shape (size,) or (n_models, size)
            A parameter vector, a gradient, or a stack of them.

        Returns
        -------
        list of dict or list
            Arrays of shape ``shape`` or ``(n_models, *shape)``, as the layers were given.
        """
        return [_views(vector, vector.shape[:-1], places) for places in self._places]


def tree_map(function: Callable[[T], U], tree: Tree[T]) -> Tree[U]:
    """Return what a function makes of each member of a tree."""
    if isinstance(tree, list):
        return [tree_map(function, branch) for branch in tree]
    return {name: function(value) for name, value in tree.items()}


def _views(vector: Array, lead: tuple[int, ...], places: Tree[_Place]) -> Tree[Array]:
    if isinstance(places, list):
        return [_views(vector, lead, branch) for branch in places]
    return {
        name: vector[..., where].reshape(lead + shape) for name, (where, shape) in places.items()
    }


def leaves(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the dicts of a tree, in order."""
    if isinstance(tree, list):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


def fill(views: Tree[Array], arrays: Tree[Array]) -> None:
    """Copy arrays into views of the same names."""
    for to, of in zip(leaves(views), leaves(arrays), strict=True):
        for name, view in to.items():
            view[...] = of[name]


def is_zero(number: Any) -> bool:
    """Whether a number, or that of each model, is 0."""
    return number == 0 if isinstance(number, float) else not np.any(number)


def _key(number: Any) -> Hashable:
    """Return a number, or one for each model, in a form that can be compared."""
    return number if isinstance(number, float) else tuple(np.ravel(number).tolist())
