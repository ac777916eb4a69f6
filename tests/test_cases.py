"""The choice of cases is tested, too: no pair of values may be missing."""

import itertools

import pytest

from tests.cases import (
    ACTIVATION_CASES,
    LOSS_CASES,
    OPTIMIZER_CASES,
    SCHEDULE_CASES,
    pairs,
    turns,
)

AXES = [
    ["ab", "c"],
    ["ab", "cd", "ef"],
    ["abc", "def", "ghi", "jkl"],
    ["a", "bcdefgh", "ij", "klm", "no"],
    [range(11), "abcdefghijklmn", [1, 2, 3], [False, True], [False, True]],
    [ACTIVATION_CASES, LOSS_CASES, [None, []], [OPTIMIZER_CASES[0], {}]],
]


@pytest.mark.parametrize("axes", AXES, ids=range(len(AXES)))
def test_any_two_values_of_two_axes_meet(axes):
    rows = pairs(*axes)

    assert all(len(row) == len(axes) for row in rows)
    for a, b in itertools.combinations(range(len(axes)), 2):
        met = {(id(row[a]), id(row[b])) for row in rows}
        assert met == {(id(i), id(j)) for i in axes[a] for j in axes[b]}


@pytest.mark.parametrize("axes", AXES, ids=range(len(AXES)))
def test_pairs_are_few_and_always_the_same(axes):
    least = max(len(one) * len(other) for one, other in itertools.combinations(axes, 2))

    assert len(pairs(*axes)) <= 1.3 * least + 3
    assert list(map(list, pairs(*axes))) == list(map(list, pairs(*axes)))


def test_every_value_has_its_turn():
    rows = turns(OPTIMIZER_CASES, SCHEDULE_CASES, "ab")

    for axis, column in zip(
        (OPTIMIZER_CASES, SCHEDULE_CASES, "ab"), zip(*rows, strict=True), strict=True
    ):
        assert {id(value) for value in column} == {id(value) for value in axis}
    assert len(rows) == max(len(OPTIMIZER_CASES), len(SCHEDULE_CASES))
