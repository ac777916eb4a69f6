"""Warnings that point at the user's line."""

from __future__ import annotations

import sys
import warnings

INSIDE = ("sknn", "sklearn.callback")
"""Modules whose lines say nothing to a user."""


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn, as from the first caller outside of the package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level + 1)


def _is_inside(module: str) -> bool:
    return module.startswith(tuple(f"{name}." for name in INSIDE)) or module in INSIDE
