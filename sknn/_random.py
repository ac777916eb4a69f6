"""Random states."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from sklearn.utils import check_random_state

from sknn._math import Array


class _NoEntropy(ISeedSequence):
    """Seeds with zeros, for a generator that is seeded again at once."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Array:
        return np.zeros(n_words, dtype)


def make_random_state(seed: Any) -> np.random.RandomState:
    """Return what scikit-learn's check_random_state returns, in a third of the time.

    Before it takes a seed, NumPy asks the operating system for another. The draws are the same.
    """
    if not isinstance(seed, Integral):
        return check_random_state(seed)
    state = np.random.RandomState(np.random.MT19937(_NoEntropy()))  # type: ignore[arg-type]
    state.seed(int(seed))
    return state
