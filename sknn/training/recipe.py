"""What an estimator's parameters say of a training, in the engine's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sknn._math import Array
from sknn.augmentation import Augmentation
from sknn.layers import Draw, Layer
from sknn.penalties import Penalty
from sknn.solvers import Solver

Pair = tuple[Sequence[Array], Sequence[Array]]
"""Weights and intercepts."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is to be built and trained.

    Attributes
    ----------
    words : mapping
        The parameters as the user has given them, for what is said about them.
    layers : callable
        ``layers(n_raw)`` returns the layers of a network with so many raw scores.
    draw : callable
        ``draw(rng)`` returns the function that draws initial weights.
    initial_arrays : pair of sequences of ndarray, or None
        Weights and intercepts to begin with in place of draws.
    intercept_init : {"auto", "target", "zero"}
        Where the intercepts of the output begin.
    penalty : Penalty
        What is added to the loss.
    alpha : float
        The factor of the penalty.
    solver : Solver
        Its batches may be larger than there are samples.
    augmentation : Augmentation or None
        What changes the samples at random.
    finds_rate : bool
        Whether a range test is to find the learning rate.
    early_stopping : bool
        Whether to stop by a score, and return the parameters that have scored best.
    validation_fraction : float or splitter
        What early stopping holds out.
    scoring : None, "loss", str or callable
        What the score is.
    refit_full : bool
        Whether to train anew on all samples, for as many epochs as were best.
    random_state : int, RandomState or None
        What all draws come from.
    max_time : float or None
        Seconds that all of it may take.
    verbose : bool
        Whether to print a line an epoch.
    """

    words: Mapping[str, Any]
    layers: Callable[[int], list[Layer]]
    draw: Callable[[Any], Draw]
    initial_arrays: Pair | None
    intercept_init: str
    penalty: Penalty
    alpha: float
    solver: Solver
    augmentation: Augmentation | None
    finds_rate: bool
    early_stopping: bool
    validation_fraction: Any
    scoring: Any
    refit_full: bool
    random_state: Any
    max_time: float | None
    verbose: bool
