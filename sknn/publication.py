"""Under which attributes an estimator publishes the parameters of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array
from sknn.parameters import Parameter, Tree, leaves, tree_map


class _Home(NamedTuple):
    """An attribute, a place in its list, and a key there if the list has dicts."""

    attribute: str
    place: int
    key: str
    shape: tuple[int, ...]


class Publication:
    """Which attribute of an estimator has which parameter.

    Parameters
    ----------
    layers : list of dict or list
        For each layer its parameters by name, or for a layer of layers a list of such.

    Attributes
    ----------
    counts : dict of int
        The length of each attribute's list.
    """

    def __init__(self, layers: Sequence[Tree[Parameter]]) -> None:
        self.counts: dict[str, int] = {}
        homes, kinds = [], dict[str, bool]()
        for leaf in leaves(list(layers)):
            dicts: dict[str, int] = {}
            for parameter in leaf.values():
                attribute, _, key = parameter.published.partition(".")
                place = self.counts.get(attribute, 0)
                if key:  # those of a layer are in one dict
                    place = dicts.setdefault(attribute, place)
                self.counts[attribute] = max(self.counts.get(attribute, 0), place + 1)
                homes.append(_Home(attribute, place, key, parameter.shape))
                if kinds.setdefault(attribute, bool(key)) != bool(key):
                    raise ValueError(
                        f"Some parameters are published as {attribute}, others with a key there: "
                        "an attribute has arrays or dicts, not both."
                    )
        self._expected = list(self.counts.items())
        in_order = iter(homes)
        self._layers = [tree_map(lambda _: next(in_order), layer) for layer in layers]
        # Most layers need no look into dicts: a third of the time of predicting one row.
        self._pairs = [(_as_plain(layer), layer) for layer in self._layers]

    def publish(self, parameters: list[Any]) -> dict[str, list[Any]]:
        """Return copies of each layer's parameters as attributes of an estimator."""
        published: dict[str, list[Any]] = {
            attribute: [{} for _ in range(n)] for attribute, n in self.counts.items()
        }
        for homes, arrays in zip(leaves(self._layers), leaves(parameters), strict=True):
            for name, (attribute, place, key, _) in homes.items():
                if key:
                    published[attribute][place][key] = np.array(arrays[name])
                else:
                    published[attribute][place] = np.array(arrays[name])
        return published

    def gather(self, published: Mapping[str, Any]) -> list[Any]:
        """Return each layer's parameters from the attributes of an estimator.

        Raises
        ------
        ValueError
            If an attribute has more or fewer arrays than the network needs.
        """
        for attribute, count in self._expected:
            if attribute not in published or len(published[attribute]) != count:
                raise ValueError(
                    f"{attribute} has {len(published.get(attribute, ()))} arrays, but the network "
                    f"has {count} layers with such parameters."
                )

        return [
            {name: published[attribute][place] for name, attribute, place in plain}
            if plain is not None
            else _look_up(layer, published)
            for plain, layer in self._pairs
        ]

    def check_shapes(self, parameters: list[Any]) -> None:
        """Raise ValueError if an array does not have the shape that the network needs."""
        for homes, arrays in zip(leaves(self._layers), leaves(parameters), strict=True):
            for name, home in homes.items():
                if np.shape(arrays[name]) != home.shape:
                    raise ValueError(
                        f"{home.attribute} has an array of shape {np.shape(arrays[name])} where "
                        f"the network has {home.shape}; the same shapes are needed."
                    )


def _as_plain(homes: Tree[_Home]) -> list[tuple[str, str, int]] | None:
    """Return name, attribute and place of each parameter, if that is all there is to know."""
    if isinstance(homes, list) or any(home.key for home in homes.values()):
        return None
    return [(name, home.attribute, home.place) for name, home in homes.items()]


def _look_up(homes: Tree[_Home], published: Mapping[str, Any]) -> Tree[Array]:
    if isinstance(homes, list):
        return [_look_up(branch, published) for branch in homes]
    return {
        name: published[attribute][place][key] if key else published[attribute][place]
        for name, (attribute, place, key, _) in homes.items()
    }
