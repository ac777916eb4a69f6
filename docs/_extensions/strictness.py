"""Warnings of examples are errors while the gallery runs them."""

import warnings

from tests import gallery

BEFORE: list[list[tuple]] = []  # type: ignore[type-arg]
"""The filters that are to come back when an example has ended."""


def set_warnings(conf: object, source: object, when: str) -> None:
    """Make each warning an error before an example, and put the filters back after it."""
    if when == "before":
        BEFORE.append(warnings.filters[:])  # type: ignore[arg-type]
        gallery.make_warnings_errors()
    else:
        warnings.filters[:] = BEFORE.pop()  # type: ignore[index]
