"""Random states: NumPy's, and words of random bits for whole arrays in place."""

from __future__ import annotations

from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from sklearn.utils import check_random_state

from sknn._math import Array, Call


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


def make_words(seed: int | tuple[int, ...], n_rows: int, n_words: int) -> Array:
    """Return the state of many generators of 64 random bits, of shape (n_rows, n_words)."""
    if n_words == 0:
        return np.empty((n_rows, 0), np.uint64)
    words = np.random.PCG64(seed).random_raw(n_rows * n_words).reshape(n_rows, n_words)
    words[words == 0] = 1  # from which xorshift would never get away
    return words


def next_words(words: Array) -> list[Call]:
    """Return the calls that move each generator on by a step, in place.

    All generators of a batch, or of a stack of models, make one step of xorshift64 in six calls of
    NumPy, where Generator needs several for each model and allocates.

    References
    ----------
    Marsaglia, G., "Xorshift RNGs", Journal of Statistical Software 8 (2003).
    """
    shifted = np.empty_like(words)
    calls: list[Call] = []
    for shift, bits in ((np.left_shift, 13), (np.right_shift, 7), (np.left_shift, 17)):
        calls.append(partial(shift, words, np.uint64(bits), shifted))
        calls.append(partial(np.bitwise_xor, words, shifted, words))
    return calls
