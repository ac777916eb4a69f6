import numpy as np
import pytest

from sknn._random import make_words
from sknn.layers import Share, Team, meet, split_at_meetings


def run_together(workers):
    """Run the calls of workers, each up to its next meeting, as a crew does."""
    for phase in split_at_meetings(workers):
        for calls in phase:
            for call in calls:
                call()


@pytest.mark.parametrize("sizes", [(3, 4), (1, 2, 5)], ids=str)
def test_workers_get_the_sum_of_their_parts(sizes):
    team = Team(list(sizes))
    shares = [team.share(w, make_words(w, size, 0)) for w, size in enumerate(sizes)]
    parts = [np.array([1.0, 10.0]) * (w + 1) for w in range(len(sizes))]
    totals, calls = zip(*(s.total(p) for s, p in zip(shares, parts, strict=True)), strict=True)
    expected = np.sum(parts, axis=0)
    for factor in (1, 2):  # the calls serve each step
        for part in parts:
            part *= factor
        run_together(calls)
        for total in totals:
            np.testing.assert_array_equal(total, factor * expected)


def test_sums_of_one_step_are_kept_apart():
    team = Team([2, 2])
    workers, found = [], []
    for w in range(2):
        share = team.share(w, make_words(w, 2, 0))
        first, first_calls = share.total(np.array([w + 1.0]))
        second, second_calls = share.words(0, 0).total(np.array([10.0 * (w + 1), 7.0]))
        workers.append([*first_calls, *second_calls])
        found.append((first, second))
    run_together(workers)

    for first, second in found:
        np.testing.assert_array_equal(first, [3])
        np.testing.assert_array_equal(second, [30, 14])


def test_a_worker_that_has_all_rows_meets_nobody():
    share, part = Share.alone(make_words(0, 5, 1)), np.ones(3)
    total, calls = share.total(part)

    assert total is part
    assert calls == []
    assert (share.n_rows, share.is_first) == (5, True)
    assert share.noise_level is None


def test_members_know_the_rows_of_all_and_who_is_first():
    team = Team([3, 4])
    shares = [team.share(w, make_words(0, n, 0), np.ones(())) for w, n in enumerate([3, 4])]

    assert [share.n_rows for share in shares] == [7, 7]
    assert [share.is_first for share in shares] == [True, False]


def test_columns_of_the_random_bits_are_views_with_the_same_level():
    words, level = make_words(0, 5, 6), np.ones(())
    share = Team([5]).share(0, words, level).words(2, 4)

    assert np.shares_memory(share.noise, words)
    np.testing.assert_array_equal(share.noise, words[:, 2:4])
    assert share.noise_level is level
    assert share.n_rows == 5


def test_calls_are_split_at_the_meetings():
    a, b, c, d, e = ((lambda name=name: name) for name in "abcde")

    assert split_at_meetings([[a, meet, b, c], [meet, d, e]]) == [[[a], []], [[b, c], [d, e]]]
    assert split_at_meetings([[a], [b]]) == [[[a], [b]]]


def test_workers_that_meet_more_often_than_others_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        split_at_meetings([[meet], []])
