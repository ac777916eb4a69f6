import copy
import itertools
import pickle

import numpy as np
import pytest

from sknn._random import make_random_state, make_words, next_words


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, np.int64(7)])
def test_an_integer_gives_numpys_draws(seed):
    ours, reference = make_random_state(seed), np.random.RandomState(seed)

    for state in (ours, copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        expected = copy.deepcopy(reference)
        np.testing.assert_array_equal(state.permutation(50), expected.permutation(50))
        np.testing.assert_array_equal(state.normal(size=9), expected.normal(size=9))
        np.testing.assert_array_equal(state.uniform(size=9), expected.uniform(size=9))


def test_other_choices_are_scikit_learns():
    state = np.random.RandomState(0)

    assert make_random_state(state) is state
    assert make_random_state(None) is np.random.mtrand._rand
    assert make_random_state(np.random) is np.random.mtrand._rand


# Words of random bits.


def xorshift64(word):
    """Return the next word, in whole numbers: a transcription of Marsaglia's."""
    word ^= (word << 13) & (2**64 - 1)
    word ^= word >> 7
    word ^= (word << 17) & (2**64 - 1)
    return word


def test_a_step_is_marsaglias():
    words = make_words(0, 3, 2)
    expected = np.array([[xorshift64(int(w)) for w in row] for row in words], np.uint64)
    for call in next_words(words):
        call()

    np.testing.assert_array_equal(words, expected)


def test_words_follow_from_the_seed_and_are_never_zero():
    one, again, other = make_words((1, 2), 50, 3), make_words((1, 2), 50, 3), make_words(1, 50, 3)

    np.testing.assert_array_equal(one, again)
    assert np.all(one != other)
    assert np.all(one != 0)
    assert len(np.unique(one)) == one.size


def test_a_word_of_zeros_is_replaced(monkeypatch):
    class Zeros:
        def __init__(self, seed):
            pass

        def random_raw(self, n):
            return np.zeros(n, np.uint64)

    monkeypatch.setattr(np.random, "PCG64", Zeros)

    np.testing.assert_array_equal(make_words(0, 2, 2), 1)


def test_no_words_are_no_draws():
    assert make_words(0, 5, 0).shape == (5, 0)


@pytest.mark.parametrize("view", [np.s_[:, 1:3], np.s_[::2], np.s_[:3]])
def test_views_move_on_by_themselves(view):
    words = make_words(0, 8, 4)
    expected = words.copy()
    for call in next_words(expected):
        call()
    untouched = words.copy()
    for call in next_words(words[view]):
        call()

    np.testing.assert_array_equal(words[view], expected[view])
    untouched[view] = expected[view]
    np.testing.assert_array_equal(words, untouched)


def test_bits_are_even_and_independent_from_step_to_step():
    words = make_words(7, 500, 4)
    calls, steps = next_words(words), []
    for _ in range(6):
        for call in calls:
            call()
        bits = np.unpackbits(words.view(np.uint8), axis=1).astype(float) * 2 - 1
        steps.append(bits)

    n = steps[0].size  # 128,000 signs, whose mean has the deviation 0.003
    for bits in steps:
        assert abs(bits.mean()) < 4 / np.sqrt(n)
    for one, other in itertools.combinations(steps, 2):
        assert abs((one * other).mean()) < 4 / np.sqrt(n)
