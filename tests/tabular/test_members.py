import numpy as np
import pytest
from scipy.special import expit

from sknn.tabular import members
from sknn.tabular.members import Fold, LeftOut, Member, Members, Unit
from tests.tabular.fits import (
    SMALL,
    X,
    fit,
)

# Units.


@pytest.mark.parametrize("weight", [None, np.array([1.0, 0.5, 2.0, 0.0, 1.0])])
def test_the_unit_of_numbers_is_their_mean_and_deviation(weight):
    y = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 15.0], [-3.0, 15.0], [0.0, 11.0]])
    unit = Unit.of(y, weight)
    share = np.full(5, 0.2) if weight is None else weight / weight.sum()
    mean = share @ y

    np.testing.assert_allclose(unit.center, mean)
    np.testing.assert_allclose(unit.spread, np.sqrt(share @ (y - mean) ** 2))
    applied = unit.apply(y)
    assert applied.dtype == np.float32
    np.testing.assert_allclose(applied, (y - mean) / unit.spread, rtol=1e-6)


def test_what_is_undone_is_as_it_was():
    y = np.random.default_rng(0).normal(1e6, 10, (50, 2))
    unit = Unit.of(y, None)
    undone = unit.undo(unit.apply(y).T)

    assert undone.dtype == np.float64
    np.testing.assert_allclose(undone, y.T, rtol=0, atol=1e-5)


def test_numbers_stay_within_what_was_seen():
    unit = Unit.of(np.array([[1.0, -5.0], [3.0, 5.0]]), None)

    np.testing.assert_array_equal(
        unit.undo(np.array([[-9.0, 0.0, 9.0], [-9.0, 0.0, 9.0]])), [[1, 2, 3], [-5, 0, 5]]
    )


def test_a_constant_has_a_unit():
    unit = Unit.of(np.full((4, 1), 7.0), None)

    np.testing.assert_array_equal(unit.apply(np.full((4, 1), 7.0)), np.zeros((4, 1)))
    np.testing.assert_array_equal(unit.undo(np.array([[0.3, -2.0]])), [[7, 7]])


def test_rows_without_weight_are_no_part_of_what_was_seen():
    y = np.array([[1.0], [3.0], [900.0], [-900.0]])
    unit = Unit.of(y, np.array([1.0, 1.0, 0.0, 0.0]))

    assert (unit.lowest, unit.highest) == (1, 3)


# Networks.


class Echo:
    """A network of one output that says theta times the first feature."""

    n_outputs = 1

    class layout:
        @staticmethod
        def views(theta):
            return theta

    def predict(self, X, views):
        return views[0] * X[:, 0][np.newaxis]


def make_echoes(held_out, factors, unit=None):
    """Return members whose networks multiply, with as many moments as each has factors."""
    every = np.arange(6)
    return Members(
        kind=None,
        encoder=None,
        network=Echo(),
        members=[
            Member(
                Fold(np.setdiff1d(every, rows), np.array(rows)),
                unit,
                {k: np.array([factor]) for k, factor in enumerate(of_member)},
            )
            for rows, of_member in zip(held_out, factors, strict=True)
        ],
        n_moments=len(factors[0]),
        max_iter=1,
        batch_size=1,
    )


NO_CODES = np.empty((6, 0), int)


def test_out_of_fold_a_row_is_judged_by_those_that_have_left_it_out():
    echoes = make_echoes([[0, 3], [1, 4], [2]], [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    rows = np.arange(1.0, 7)[:, np.newaxis]
    found = echoes.out_of_fold(rows, NO_CODES)

    assert found.shape == (2, 1, 1, 6)
    of_first = [1 * 1, 2 * 2, 3 * 3, 1 * 4, 2 * 5, np.nan]
    np.testing.assert_array_equal(found[:, 0, 0], [of_first, np.multiply(10, of_first)])


def test_out_of_fold_those_that_judge_the_same_row_do_so_in_rounds():
    echoes = make_echoes([[0, 1], [0], [0, 1]], [[1.0], [2.0], [6.0]])

    found = echoes.out_of_fold(np.ones((6, 1)), NO_CODES)[0, 0]
    expected = np.full((3, 6), np.nan)
    expected[:, 0], expected[:2, 1] = [1, 2, 6], [1, 6]
    np.testing.assert_array_equal(found, expected)


def test_networks_that_overflow_at_other_rows_say_nothing_out_of_fold():
    echoes = make_echoes([[0, 1], [2, 3]], [[1e200, 1.0], [3.0, 1e200]])
    rows = np.array([[1.0], [1.0], [1e200], [1.0], [1.0], [1.0]])
    found = echoes.out_of_fold(rows, NO_CODES)[:, 0, 0]

    np.testing.assert_array_equal(found[0], [np.nan] * 2 + [3e200, 3] + [np.nan] * 2)
    np.testing.assert_array_equal(found[1], [1, 1] + [np.nan] * 4)


def test_numbers_are_said_in_their_own_unit():
    unit = Unit(np.array([100.0]), np.array([10.0]), np.array([90.0]), np.array([115.0]))
    echoes = make_echoes([[0]], [[1.0]], unit)

    np.testing.assert_array_equal(
        echoes.predict(echoes.members[0], 0, np.array([[-2.0], [0.5], [7.0]])), [[90, 105, 115]]
    )


def test_members_know_their_kind():
    model = fit("multiclass")

    for kind in model.members_:
        assert kind.network.n_features == kind.encoder.n_features_out_
        assert kind.network.n_outputs == 3
        assert kind.kind.max_iter == SMALL["max_iter"]
        assert all(m.unit is None for m in kind.members)
        assert expit(kind.predict(kind.members[0], 0, kind.encoder.transform(X))).shape == (3, 90)
    assert members.Members is type(model.members_[0])


def test_the_unit_of_huge_numbers_is_finite():
    y, weight = np.array([[1.0], [2.0], [-4.0]]), np.array([1.0, 2.0, 0.5])
    small, large = Unit.of(y, weight), Unit.of(1e300 * y, 1e300 * weight)

    np.testing.assert_allclose(large.center, 1e300 * small.center)
    np.testing.assert_allclose(large.spread, 1e300 * small.spread)
    np.testing.assert_array_equal(large.apply(np.array([[1e308]])) > 1e6, True)
    assert np.isinf(small.apply(np.array([[1e300]]))).all()


# Folds.


def test_a_fold_of_many_rows_is_known_by_those_that_it_leaves_out():
    fold = LeftOut(np.array([1, 4]), 6)

    np.testing.assert_array_equal(fold.train, [0, 2, 3, 5])
    np.testing.assert_array_equal(fold.held_out, [1, 4])
    assert fold.train.dtype == fold.held_out.dtype == np.int32


def test_moments_that_are_not_asked_say_nothing():
    model = fit("number")
    [kind, *_] = model.members_
    encoded = kind.encoder.transform(X)

    found = kind.out_of_fold(encoded, np.empty((90, 0), int), [1])

    expected = kind.out_of_fold(encoded, np.empty((90, 0), int))
    np.testing.assert_array_equal(found[1], expected[1])
    assert np.isnan(np.delete(found, 1, axis=0)).all()
