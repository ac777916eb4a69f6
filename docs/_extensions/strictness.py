"""Warnings of examples are errors while the gallery runs them."""

import warnings

BEFORE: list[list[tuple]] = []  # type: ignore[type-arg]
"""The filters that are to come back when an example has ended."""


def set_warnings(conf: object, source: object, when: str) -> None:
    """Make each warning an error before an example, and put the filters back after it."""
    if when == "before":
        BEFORE.append(warnings.filters[:])  # type: ignore[arg-type]
        warnings.simplefilter("error")
        # Where there is a screen, Matplotlib says that plt.show() will not use it.
        warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
    else:
        warnings.filters[:] = BEFORE.pop()  # type: ignore[index]
