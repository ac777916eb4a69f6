"""What cannot be exported, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def refusal(what: str, target: str, advice: str = "") -> ValueError:
    """Return the error that something cannot be expressed in a target."""
    return ValueError(f"{what} cannot be expressed {target}.{advice and f' {advice}'}")


def of_package(member: Any, table: Mapping[type, T], parameter: str) -> T:
    """Return what a table says of a member's class.

    Parameters
    ----------
    member : object
        A layer, an activation, a loss ...
    table : mapping from classes
    parameter : str
        Which parameter of an estimator has it.

    Raises
    ------
    ValueError
        If it is not one of the package's own, or a class derived from one: that may compute
        anything.
    """
    kind = type(member)
    if kind not in table:
        raise ValueError(
            f"{parameter} has a {kind.__name__} of {kind.__module__}, which cannot be exported: "
            f"only {', '.join(sorted(known.__name__ for known in table))} of sknn can."
        )
    return table[kind]
