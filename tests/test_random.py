import copy
import pickle

import numpy as np
import pytest

from sknn._random import make_random_state


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
