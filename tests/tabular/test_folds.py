import itertools

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit, KFold, StratifiedKFold, TimeSeriesSplit

from sknn.tabular.folds import check_rounds, check_weights, make_folds


def make(cv, strata=None, groups=None, n_rows=None, seeds=(0,)):
    """Return the folds of each repeat; rows and targets are their own numbers."""
    n_rows = len(strata) if n_rows is None else n_rows
    strata = None if strata is None else np.asarray(strata)
    y = np.arange(n_rows) if strata is None else strata
    return make_folds(cv, np.zeros((n_rows, 2)), y, strata, groups, n_rows, list(seeds))


def check_partition(folds, n_rows):
    """Check that each row is judged once, by a network that has not seen it, but all others."""
    held_out = np.concatenate([fold.held_out for fold in folds])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(n_rows))
    for fold in folds:
        assert len(fold.held_out) > 0
        both = np.concatenate([fold.train, fold.held_out])
        np.testing.assert_array_equal(np.sort(both), np.arange(n_rows))


# A number of folds.


@pytest.mark.parametrize("n_rows", [2, 7, 40])
def test_numbers_of_folds_part_the_rows_evenly(n_rows):
    n_folds = min(4, n_rows)
    [folds] = make(n_folds, n_rows=n_rows)

    assert len(folds) == n_folds
    check_partition(folds, n_rows)
    sizes = [len(fold.held_out) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


def test_folds_are_scikit_learns():
    strata = np.random.default_rng(0).integers(0, 3, 30)
    for splitter, known in [(KFold, None), (StratifiedKFold, strata)]:
        [folds] = make(5, known, n_rows=30, seeds=[7])
        splits = splitter(5, shuffle=True, random_state=7).split(np.zeros((30, 1)), known)
        for fold, (train, held_out) in zip(folds, splits, strict=True):
            np.testing.assert_array_equal(fold.train, train)
            np.testing.assert_array_equal(fold.held_out, held_out)


def test_repeats_are_drawn_anew_by_their_seeds():
    one, other, again = make(3, n_rows=20, seeds=[0, 1, 0])

    for first, second, third in zip(one, other, again, strict=True):
        np.testing.assert_array_equal(first.held_out, third.held_out)
        assert first.held_out.tolist() != second.held_out.tolist()
    check_partition(other, 20)


def test_classes_are_spread_over_the_folds():
    strata = np.repeat([0, 1, 2], [5, 10, 45])
    [folds] = make(5, strata)

    check_partition(folds, 60)
    for fold in folds:
        np.testing.assert_array_equal(np.bincount(strata[fold.held_out]), [1, 2, 9])


def test_a_row_for_each_fold_is_needed():
    with pytest.warns(UserWarning, match="cv=5 folds need as many rows, but there are 3: cv=3"):
        [folds] = make(5, n_rows=3)
    assert len(folds) == 3
    check_partition(folds, 3)


def test_a_rare_class_makes_fewer_folds():
    strata = [0] * 20 + [1] * 3
    with pytest.warns(UserWarning, match=r"rarest class has 3 rows, fewer than cv=8 folds: cv=3"):
        [folds] = make(8, strata)

    assert len(folds) == 3
    for fold in folds:
        assert np.isin(20, fold.held_out) + np.isin([21, 22], fold.held_out).sum() == 1


def test_a_class_of_one_row_is_not_spread():
    with pytest.warns(UserWarning, match="rarest class has a single row"):
        [folds] = make(4, [0] * 9 + [1] * 9 + [2])
    assert len(folds) == 4
    check_partition(folds, 19)


def test_classes_that_do_not_occur_play_no_role():
    [folds] = make(3, [0, 2, 4] * 5)
    assert len(folds) == 3
    check_partition(folds, 15)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_two_rows_are_the_least(n_rows):
    with pytest.raises(ValueError, match=f"Found {n_rows} sample"):
        make(5, n_rows=n_rows)


# Groups.


def check_groups(folds, groups):
    check_partition(folds, len(groups))
    for fold in folds:
        assert not set(groups[fold.train]) & set(groups[fold.held_out])


@pytest.mark.parametrize("kind", ["numbers", "words"])
@pytest.mark.parametrize("is_classifier", [False, True])
def test_groups_stay_together(kind, is_classifier):
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 9, 60)
    groups = groups if kind == "numbers" else groups.astype(str)
    strata = rng.integers(0, 2, 60) if is_classifier else None
    one, other = make(4, strata, groups, 60, seeds=[0, 1])

    assert len(one) == 4
    check_groups(one, groups)
    check_groups(other, groups)
    assert [set(fold.held_out) for fold in one] != [set(fold.held_out) for fold in other]


def test_groups_of_the_same_classes_are_spread():
    groups, strata = np.repeat(np.arange(12), 5), np.repeat([0, 0, 1], 20)
    [folds] = make(4, strata, groups)

    check_groups(folds, groups)
    for fold in folds:
        np.testing.assert_array_equal(np.bincount(strata[fold.held_out]), [10, 5])


def test_a_group_for_each_fold_is_needed():
    groups = np.repeat([3, 5, 8], 6)
    with pytest.warns(UserWarning, match="cv=5 folds need as many groups, but there are 3: cv=3"):
        [folds] = make(5, None, groups, 18)

    assert sorted(np.unique(groups[fold.held_out]).tolist() for fold in folds) == [[3], [5], [8]]


def test_a_single_group_is_refused():
    with pytest.raises(ValueError, match="a single group"):
        make(5, None, np.zeros(10), 10)


def test_classes_with_fewer_rows_than_folds_do_not_forbid_groups():
    # scikit-learn refuses to stratify where no class has as many rows as there are folds.
    groups, strata = np.arange(12) // 2, np.array([0, 1, 2, 3] * 3)
    with pytest.warns(UserWarning, match=r"rarest class has 3 rows, fewer than cv=5 folds: cv=3"):
        [folds] = make(5, strata, groups)

    assert len(folds) == 3
    check_groups(folds, groups)


def test_a_class_of_one_row_does_not_forbid_groups():
    groups, strata = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2])
    with pytest.warns(UserWarning, match="rarest class has a single row"):
        [folds] = make(3, strata, groups)

    assert len(folds) == 3
    check_groups(folds, groups)


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make(3, None, np.arange(9), 10)


# Splitters.


def test_splits_of_a_splitter_are_those_of_all_repeats():
    splitter = StratifiedKFold(3)
    strata = np.array([0, 1] * 9)
    repeats = make(splitter, strata, seeds=[0, 1, 2])

    assert len(repeats) == 3
    expected = list(splitter.split(np.zeros((18, 1)), strata))
    for folds in repeats:
        for fold, (train, held_out) in zip(folds, expected, strict=True):
            np.testing.assert_array_equal(fold.train, train)
            np.testing.assert_array_equal(fold.held_out, held_out)


def test_splitters_get_the_groups():
    groups = np.repeat(np.arange(6), 4)
    repeats = make(GroupShuffleSplit(3, random_state=0), None, groups, 24)

    for fold in repeats[0]:
        assert not set(groups[fold.train]) & set(groups[fold.held_out])


def test_splits_need_not_hold_out_every_row():
    [folds] = make(TimeSeriesSplit(2), n_rows=9)

    assert [fold.held_out.tolist() for fold in folds] == [[3, 4, 5], [6, 7, 8]]
    assert [fold.train.tolist() for fold in folds] == [[0, 1, 2], [0, 1, 2, 3, 4, 5]]


def test_splits_may_be_iterated_over_once_and_be_masks():
    mask = np.array([True, False, True, True])
    repeats = make(iter([(mask, ~mask), ([1], [0, 3])]), n_rows=4, seeds=[0, 1])

    for folds in repeats:
        assert folds[0].train.tolist() == [0, 2, 3]
        assert folds[0].held_out.tolist() == [1]
        assert folds[1].train.tolist() == [1]
        assert folds[1].held_out.tolist() == [0, 3]


def test_targets_of_several_columns_are_split():
    y = np.zeros((10, 2))
    [folds] = make_folds(KFold(5), np.zeros((10, 1)), y, None, None, 10, [0])

    check_partition(folds, 10)


@pytest.mark.parametrize("split", [([], [0]), ([0], [])], ids=["to train on", "to judge by"])
def test_splits_without_rows_are_refused(split):
    with pytest.raises(ValueError, match="a split without rows"):
        make([(np.array(split[0], int), np.array(split[1], int))], n_rows=2)


def test_no_split_at_all_is_refused():
    with pytest.raises(ValueError, match="gives no split"):
        make([], n_rows=2)


@pytest.mark.parametrize("split", [([0], [7]), ([0.5], [1]), (["a"], [1])], ids=str)
def test_splits_that_are_no_rows_are_refused(split):
    with pytest.raises(ValueError, match="cv must give pairs of rows of X, which has 2"):
        make([split], n_rows=2)


@pytest.mark.parametrize("strata", [None, np.arange(60) % 3])
def test_folds_of_many_rows_are_the_same(strata):
    arguments = 4, np.zeros((60, 1)), np.zeros(60), strata, None, 60, [0, 1]
    few, many = make_folds(*arguments), make_folds(*arguments, are_many=True)

    pairs = zip(itertools.chain(*few), itertools.chain(*many), strict=True)
    for fold, other in pairs:
        np.testing.assert_array_equal(fold.train, other.train)
        np.testing.assert_array_equal(fold.held_out, other.held_out)


@pytest.mark.parametrize("weight", [np.arange(6) < 3, np.arange(6) >= 3])
def test_parts_without_weight_are_refused(weight):
    folds = make_folds(KFold(2), np.zeros((6, 1)), np.zeros(6), None, None, 6, [0])

    with pytest.raises(ValueError, match="is 0 for all rows that a fold trains on"):
        check_weights(weight.astype(float), folds)
    check_weights(None, folds)
    check_weights(np.ones(6), folds)


def test_rows_must_be_left_out_as_often_as_before():
    before, now = np.zeros((2, 1, 1, 4)), np.zeros((1, 1, 1, 4))
    check_rounds([before, now], 3)

    now[0, 0, 0, 2] = np.nan
    with pytest.raises(ValueError, match="leave out each row as often as before; those of cv=3"):
        check_rounds([before, now], 3)
    with pytest.raises(ValueError, match="leave out each row as often as before"):
        check_rounds([before, np.zeros((1, 1, 2, 4))], 3)
