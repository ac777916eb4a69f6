"""What can be exported of the columns of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sknn.export.signature import BOOL, WORDS

BOOLS = {"True", "False"}
"""What tables call bools."""


def check_levels(name: Any, levels: Sequence[Any]) -> None:
    """Raise ValueError unless categories can be written down: words and numbers."""
    for level in levels:
        is_number = isinstance(level, (int, float)) and math.isfinite(level)
        if not (isinstance(level, str) or is_number):
            raise ValueError(
                f"Column {name!r} has the category {level!r} of type {type(level).__name__}, which "
                "cannot be exported: categories must be words, numbers or bools."
            )


def check_input(
    names: Sequence[Any] | None, place: int, kind: str, levels: Sequence[Any] | None
) -> None:
    """Raise ValueError unless values of a kind can be a column's in ONNX.

    Parameters
    ----------
    names : list or None
        Those of the columns.
    place : int
        The column's number.
    kind : str
        The kind of the input.
    levels : list or None
        The column's categories; None of numbers.
    """
    name = place if names is None else names[place]
    if levels is None:
        if kind == WORDS:
            raise ValueError(f"Column {name!r} had numbers in fit; in X_sample it has words.")
        return
    if kind == WORDS and "" in levels:
        raise ValueError(
            f"Column {name!r} has the empty word among its categories, which cannot be exported: "
            'ONNX has no missing words, and "" stands for them. Give the category a name, such as '
            "'empty', and fit again."
        )
    are_words = [isinstance(level, str) for level in levels]
    if all(are_words):
        if kind != WORDS and not BOOLS.issuperset(levels):
            raise ValueError(
                f"Column {name!r} had words in fit; in X_sample it has values of type {kind}."
            )
    elif any(are_words):
        raise ValueError(
            f"Column {name!r} has words and numbers as categories, which no tensor can hold: make "
            "all of them words."
        )
    elif kind in (WORDS, BOOL):
        raise ValueError(
            f"Column {name!r} had numbers as categories in fit; in X_sample it has values of type "
            f"{kind}."
        )
