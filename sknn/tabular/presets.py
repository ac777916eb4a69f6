"""The numbers of the presets: which networks an ensemble has, and how they are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from sknn.activations import Activation
from sknn.estimators.words import ActivationName
from sknn.plain import kept
from sknn.tabular.encoding import NumericName

BATCHES = ((1_000, 64), (6_000, 128), (30_000, 256), (100_000, 512))
"""Up to how many training rows of a fold a batch has how many; above, `LARGE_BATCH`."""

LARGE_BATCH = 1024

FEW_ROWS = 1_500
"""With fewer rows there are twice as many epochs."""

MANY_ROWS = 40_000
"""With more training rows of a fold there are fewer epochs: rows times epochs stay the same."""

MIN_EPOCHS = 8
"""But not fewer than these."""


@kept
@dataclass(frozen=True, kw_only=True)
class Kind:
    """Networks of an ensemble that are alike, one for each fold.

    Attributes
    ----------
    numeric : tuple of str
        What numbers become, see :class:`sknn.tabular.TableEncoder`.
    n_bins : int
        Bins of a number.
    label_smoothing : float
        The share of a target that is spread over all classes; only for classes.
    max_iter : int
        Epochs.
    hidden_layer_sizes : tuple of int
        Empty for a linear model of the encoding.
    learning_rate_init : float
    activation : str
    repeat : int
        Kinds of different repeats have different folds.
    adapts : bool
        Whether the number of epochs changes with the number of rows, see `choose_epochs`.
    """

    numeric: tuple[NumericName, ...]
    n_bins: int = 32
    label_smoothing: float = 0.0
    max_iter: int = 32
    hidden_layer_sizes: tuple[int, ...] = (128, 128)
    learning_rate_init: float = 0.1
    activation: ActivationName | Activation = "mish"
    repeat: int = 0
    adapts: bool = True


@dataclass(frozen=True, kw_only=True)
class Preset:
    """An ensemble and its training.

    Attributes
    ----------
    for_numbers, for_classes : tuple of Kind
        The kinds of networks of a regressor and of a classifier.
    min_steps : int
        Steps that a training has at least; small tables have more epochs for it.
    n_cycles : int
        Waves of the learning rate.
    growth : float
        How many times as long as the one before each is.
    cv : int
        Folds.
    weight_decay : float
    dropout : float
    """

    for_numbers: tuple[Kind, ...]
    for_classes: tuple[Kind, ...]
    min_steps: int
    n_cycles: int
    growth: float
    cv: int = 8
    weight_decay: float = 0.01
    dropout: float = 0.1


BINS: tuple[NumericName, ...] = ("piecewise_linear",)
BOTH: tuple[NumericName, ...] = ("robust", "piecewise_linear")
PLAIN: tuple[NumericName, ...] = ("robust",)
ALL: tuple[NumericName, ...] = ("robust", "piecewise_linear", "fourier")

SLOW = 0.04
"""A rate that suits regression with many epochs."""

DEEP = Kind(numeric=BINS, max_iter=64, learning_rate_init=SLOW)
WIDE = replace(DEEP, hidden_layer_sizes=(256,))
LINEAR = Kind(numeric=BINS, hidden_layer_sizes=())
"""Kinds for numbers, on bins."""

BINNED = Kind(numeric=BOTH)
SMOOTH = Kind(numeric=PLAIN, label_smoothing=0.05)
"""Kinds for classes."""

LONG_BINNED, LONG_SMOOTH = replace(BINNED, max_iter=48), replace(SMOOTH, max_iter=48)

PresetName: TypeAlias = Literal["fast", "default", "best"]

PRESETS: Mapping[PresetName, Preset] = {
    "fast": Preset(
        for_numbers=(
            replace(DEEP, n_bins=16, max_iter=24),
            Kind(numeric=PLAIN, max_iter=24),
            replace(LINEAR, n_bins=16, max_iter=16),
        ),
        for_classes=(replace(BINNED, n_bins=16, max_iter=16), replace(SMOOTH, max_iter=24)),
        min_steps=500,
        n_cycles=2,
        growth=4.0,
    ),
    "default": Preset(
        for_numbers=(DEEP, replace(WIDE, repeat=1), Kind(numeric=PLAIN), replace(LINEAR, repeat=1)),
        for_classes=(BINNED, SMOOTH, replace(BINNED, repeat=1), replace(SMOOTH, repeat=1)),
        min_steps=1000,
        n_cycles=4,
        growth=2.0,
    ),
    "best": Preset(
        for_numbers=(
            DEEP,
            replace(WIDE, repeat=1),
            Kind(numeric=PLAIN, max_iter=48),
            replace(LINEAR, repeat=1),
            replace(DEEP, numeric=ALL, n_bins=16, repeat=2),
            replace(DEEP, n_bins=64, max_iter=96, repeat=3),
            replace(WIDE, repeat=2),
        ),
        for_classes=(
            LONG_BINNED,
            LONG_SMOOTH,
            replace(LONG_BINNED, repeat=1),
            replace(LONG_SMOOTH, repeat=1),
            replace(LONG_SMOOTH, hidden_layer_sizes=(256, 256), repeat=2),
            replace(LONG_BINNED, n_bins=8, label_smoothing=0.05, repeat=2),
        ),
        min_steps=1500,
        n_cycles=4,
        growth=2.0,
    ),
}
"""The presets by name."""


def choose_batch_size(n_rows: int) -> int:
    """Return the size of the batches for so many training rows of a fold."""
    return next((size for most, size in BATCHES if n_rows < most), LARGE_BATCH)


def choose_epochs(kind: Kind, min_steps: int, n_rows: int, batch_size: int) -> int:
    """Return how many epochs a training has.

    Parameters
    ----------
    kind : Kind
    min_steps : int
        Steps that it takes at least.
    n_rows, batch_size : int
        Training rows of a fold, and rows of a batch.
    """
    n_epochs = kind.max_iter
    if not kind.adapts:
        return n_epochs
    if n_rows < FEW_ROWS:
        n_epochs *= 2
    elif n_rows > MANY_ROWS:
        n_epochs = max(min(n_epochs, MIN_EPOCHS), round(n_epochs * MANY_ROWS / n_rows))
    return max(n_epochs, -(-min_steps // max(1, n_rows // batch_size)))
