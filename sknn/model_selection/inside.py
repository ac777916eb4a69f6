"""Networks inside of other estimators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def find_inside(value: Any, attribute: str, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield what has an attribute within a fitted estimator, each of them once.

    scikit-learn's meta-estimators keep their networks as attributes, in lists and dicts, and in
    helpers that predict but are no estimators. What is not fitted has no such attribute.

    Parameters
    ----------
    value : object
    attribute : str
        One of fitted networks.
    seen : set of int, default=None
        Identities of what has been looked at.
    """
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if hasattr(value, attribute):
        yield value
    elif isinstance(value, dict):
        yield from _find_in(value.values(), attribute, seen)
    elif isinstance(value, list | tuple):
        yield from _find_in(value, attribute, seen)
    elif hasattr(value, "get_params") or hasattr(value, "predict_proba"):
        parts = vars(value)
        given = value.get_params(deep=False) if hasattr(value, "get_params") else {}
        templates = set(map(id, given.values()))
        own = [part for name, part in parts.items() if name not in given]
        found = _find_in([part for part in own if id(part) not in templates], attribute, seen)
        first = next(found, None)
        if first is None:  # a Pipeline fits what it is given; most fit copies
            yield from _find_in(given.values(), attribute, seen)
        else:
            yield first
            yield from found


def _find_in(values: Iterable[Any], attribute: str, seen: set[int]) -> Iterator[Any]:
    for value in values:
        yield from find_inside(value, attribute, seen)
