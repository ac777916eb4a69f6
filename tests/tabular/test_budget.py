import itertools

import numpy as np
import pytest

from sknn import TabularMLPRegressor
from sknn.tabular.budget import (
    ENOUGH_EPOCHS,
    FEWEST_EPOCHS,
    FEWEST_FOLDS,
    RESERVE,
    RESERVED_EPOCHS,
    Plan,
    make_plan,
)

TABLE = np.random.default_rng(0).standard_normal((80, 3))
NUMBERS = TABLE @ [1.0, 2.0, 3.0]
KINDS = [(1.0, 40), (2.0, 30), (4.0, 20)]


def cost(epochs, most=None):
    """Return what training and predicting take, in the seconds that are asked for."""
    least = sum(each * (n if most is None else min(n, most)) for each, n in epochs)
    return (least + RESERVED_EPOCHS * sum(each for each, _ in epochs)) / (1 - RESERVE)


def just_above(seconds):
    return seconds * (1 + 1e-9)


def just_below(seconds):
    return seconds * (1 - 1e-9)


def test_with_enough_time_nothing_is_given_up():
    seconds = just_above(cost(KINDS))
    plan = make_plan(seconds, KINDS, 8, True)

    assert plan[:2] == (3, 8)
    assert not plan.is_short
    assert plan.budget >= sum(each * n for each, n in KINDS)
    assert make_plan(just_below(cost(KINDS)), KINDS, 8, True).is_short


def test_epochs_are_given_up_before_kinds():
    plan = make_plan(just_above(cost(KINDS, ENOUGH_EPOCHS)), KINDS, 8, True)

    assert (plan.n_kinds, plan.n_folds, plan.is_short) == (3, 8, True)
    assert plan.budget == pytest.approx(sum(ENOUGH_EPOCHS * each for each, _ in KINDS))
    assert make_plan(just_below(cost(KINDS, ENOUGH_EPOCHS)), KINDS, 8, True).n_kinds == 2


@pytest.mark.parametrize("n_kinds", [1, 2])
def test_the_first_kinds_are_kept(n_kinds):
    kept = KINDS[:n_kinds]
    plan = make_plan(just_above(cost(kept, ENOUGH_EPOCHS)), KINDS, 8, True)

    assert (plan.n_kinds, plan.n_folds, plan.is_short) == (n_kinds, 8, True)
    assert plan.budget == pytest.approx(sum(ENOUGH_EPOCHS * each for each, _ in kept))


def test_kinds_are_given_up_before_folds():
    first = KINDS[:1]
    whole = make_plan(just_above(cost(first, FEWEST_EPOCHS)), KINDS, 8, True)
    fewer = make_plan(just_below(cost(first, FEWEST_EPOCHS)), KINDS, 8, True)

    assert (whole.n_kinds, whole.n_folds) == (1, 8)
    assert (fewer.n_kinds, fewer.n_folds) == (1, 7)


@pytest.mark.parametrize("n_folds", range(FEWEST_FOLDS, 8))
def test_as_few_folds_are_given_up_as_can_be(n_folds):
    seconds = cost([(n_folds / 8, 40)], FEWEST_EPOCHS)
    plan = make_plan(just_above(seconds), KINDS, 8, True)

    assert plan.n_folds == n_folds
    assert plan.budget == pytest.approx(FEWEST_EPOCHS * n_folds / 8)


def test_without_time_for_the_smallest_ensemble_there_is_no_plan():
    seconds = cost([(FEWEST_FOLDS / 8, 40)], FEWEST_EPOCHS)

    assert make_plan(just_above(seconds), KINDS, 8, True) is not None
    assert make_plan(just_below(seconds), KINDS, 8, True) is None
    assert make_plan(0.0, KINDS, 8, True) is None
    assert make_plan(-1.0, KINDS, 8, True) is None


def test_folds_of_a_splitter_are_not_given_up():
    seconds = cost(KINDS[:1], FEWEST_EPOCHS)

    assert make_plan(just_above(seconds), KINDS, 8, False).n_folds == 8
    assert make_plan(just_below(seconds), KINDS, 8, False) is None


def test_a_short_training_is_not_longer_for_being_hurried():
    """Where fewer epochs are planned than others keep, those are all."""
    few = [(1.0, 1)]

    assert make_plan(just_above(cost(few)), few, 4, True)[:2] == (1, 4)
    assert not make_plan(just_above(cost(few)), few, 4, True).is_short
    assert make_plan(just_below(cost(few)), few, 4, True)[:2] == (1, 3)


@pytest.mark.parametrize("may_drop_folds", [True, False])
@pytest.mark.parametrize("n_kinds", [1, 2, 3])
def test_plans_keep_to_the_time_and_more_time_never_gives_up_more(n_kinds, may_drop_folds):
    kinds = KINDS[:n_kinds]
    plans = [make_plan(seconds / 4, kinds, 6, may_drop_folds) for seconds in range(1200)]

    for seconds, plan in enumerate(plans):
        if plan is None:
            continue
        kept = [(each * plan.n_folds / 6, n) for each, n in kinds[: plan.n_kinds]]
        assert plan.budget <= (1 - RESERVE) * seconds / 4
        assert sum(min(n, FEWEST_EPOCHS) * each for each, n in kept) <= plan.budget + 1e-9
    ranks = [(0, 0, 0) if p is None else (*p[:2], not p.is_short) for p in plans]
    assert all(one <= other for one, other in itertools.pairwise(ranks))
    assert ranks[0] == (0, 0, 0)
    assert ranks[-1] == (n_kinds, 6, True)


def test_a_plan_says_what_it_is():
    assert Plan(1, 2, 3.0, True)._asdict() == {
        "n_kinds": 1,
        "n_folds": 2,
        "budget": 3.0,
        "is_short": True,
    }


def test_an_exact_budget_has_no_reserve():
    whole = sum(each * n for each, n in KINDS)

    assert make_plan(whole, KINDS, 8, True, is_exact=True) == (len(KINDS), 8, whole, False)
    assert make_plan(0.99 * whole, KINDS, 8, True, is_exact=True).budget == 0.99 * whole


def test_a_plan_says_what_is_kept():
    assert Plan(2, 8, 100.0, False).describe([(1.0, 10), (1.0, 10)], 2, 8) == ""
    assert Plan(1, 4, 2.5, True).describe([(1.0, 10), (1.0, 10)], 2, 8) == (
        "about 5 of 10 epochs, 1 of 2 kinds of networks, 4 of 8 folds"
    )


# A budget of operations.


def fit_within(max_flops, **parameters):
    settings = {"preset": "fast", "max_iter": 20, "cv": 4, "random_state": 0}
    return TabularMLPRegressor(**settings | parameters, max_flops=max_flops).fit(TABLE, NUMBERS)


@pytest.mark.parametrize("share", [0.9, 0.5, 0.25])
def test_an_ensemble_keeps_to_its_operations(share):
    whole = fit_within(None).training_report_.flops
    with pytest.warns(UserWarning, match=r"max_flops=.* are enough for about \d+ of 20 epochs"):
        found = fit_within(share * whole)

    assert 0.6 * share * whole < found.training_report_.flops <= share * whole


def test_with_enough_operations_nothing_is_given_up():
    whole = fit_within(None)
    found = fit_within(whole.training_report_.flops)

    np.testing.assert_array_equal(found.predict(TABLE), whole.predict(TABLE))


def test_with_few_operations_there_are_fewer_kinds_and_folds():
    whole = fit_within(None)
    with pytest.warns(UserWarning, match=r"1 of \d kinds of networks"):
        found = fit_within(0.06 * whole.training_report_.flops)

    assert len(found.members_) == 1
    assert found.training_report_.flops <= 0.06 * whole.training_report_.flops


def test_too_few_operations_are_refused_with_the_least_number():
    with pytest.raises(ValueError, match=r"max_flops=10 are too few: .* take [\d.e+]+ operations"):
        fit_within(10)
