import numpy as np
import pytest
from sklearn.base import clone

from sknn.schedules import (
    Adaptive,
    Constant,
    Cosine,
    CosLog,
    EveryStep,
    Exponential,
    FlatCosine,
    FromFunction,
    InverseScaling,
    Joined,
    OneCycle,
    Polynomial,
    Step,
    Warmup,
)
from tests.cases import SCHEDULE_CASES, name_of


def table(schedule, n_epochs, max_iter=100):
    """Return the factors of the first epochs."""
    return [schedule.multiplier(epoch, max_iter, 9 * epoch) for epoch in range(n_epochs)]


grid = pytest.mark.parametrize("schedule", SCHEDULE_CASES, ids=name_of)


@grid
def test_is_pure(schedule):
    first = [schedule.multiplier(epoch, 10, 50 * epoch) for epoch in range(10)]
    again = [schedule.multiplier(epoch, 10, 50 * epoch) for epoch in range(10)]

    assert first == again
    assert clone(schedule).get_params() == schedule.get_params()


@grid
@pytest.mark.parametrize("n_epochs", [1, 2, 7, 100])
def test_stays_between_nothing_and_the_initial_rate(schedule, n_epochs):
    factors = [schedule.multiplier(e, n_epochs, 9 * e) for e in range(n_epochs + 3)]

    assert min(factors) >= 0
    assert max(factors) <= 1
    assert factors[0] > 0


def test_tables():
    assert table(Constant(), 3) == [1, 1, 1]
    assert InverseScaling(0.5).multiplier(1, 9, 24) == pytest.approx(1 / 5)
    assert InverseScaling(1).multiplier(3, 9, 9) == pytest.approx(0.1)
    root = np.sqrt(0.5)
    assert table(Cosine(), 5, 4) == pytest.approx([1, (1 + root) / 2, 0.5, (1 - root) / 2, 0])
    assert table(Exponential(0.01), 5, 4) == pytest.approx([1, 10**-0.5, 0.1, 10**-1.5, 0.01])
    assert table(Step(), 5, 4) == pytest.approx([1, 1, 0.1, 0.01, 0.01])
    assert table(Polynomial(), 5, 4) == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    assert table(Polynomial(2), 5, 4) == pytest.approx([1, 0.5625, 0.25, 0.0625, 0])
    assert table(OneCycle(0.5, 0.1, 0.0), 5, 4) == pytest.approx([0.1, 0.55, 1, 0.5, 0])


def test_one_cycle_is_pytorchs_at_its_defaults():
    # torch.optim.lr_scheduler.OneCycleLR with max_lr=1 and total_steps=n_epochs + 1: pct_start 0.3,
    # div_factor 25, final_div_factor 1e4.
    factors = [OneCycle().multiplier(epoch, 10, 0) for epoch in range(11)]

    assert factors[0] == pytest.approx(1 / 25)
    assert factors[3] == pytest.approx(1)
    assert factors[10] == pytest.approx(1 / 25 / 1e4)


def test_coslog_has_waves_that_grow_longer():
    factors = [CosLog(4).at((2**k - 1) / 15) for k in range(5)]  # the ends of its waves
    middles = [CosLog(4).at((2 ** (k + 0.5) - 1) / 15) for k in range(4)]

    assert factors == pytest.approx([0] * 5, abs=1e-12)
    assert middles == pytest.approx([1] * 4)
    assert CosLog().multiplier(0, 10, 0) == CosLog().at(0.05)


def test_coslogs_waves_may_end_with_epochs():
    for schedule in (CosLog(4, ends_with_epochs=True), CosLog(2, 4.0, ends_with_epochs=True)):
        ends = schedule.ends(32)
        at_ends = [schedule.step_multiplier(epoch, 32, 0) for epoch in [0, *ends]]

        assert at_ends == pytest.approx([0] * len(at_ends), abs=1e-12)
        assert min(schedule.step_multiplier(epoch - 0.5, 32, 0) for epoch in ends) > 1e-3
    assert CosLog(4).ends(32) == [2, 6, 15, 32]
    assert CosLog(2, 4.0).ends(16) == [3, 16]
    assert CosLog(4).ends(3) == [1, 3]  # a wave of less than an epoch has no end
    assert CosLog(1).ends(1) == [1]


def test_coslog_that_ends_with_epochs_is_coslog_where_waves_do_anyway():
    stretched, plain = CosLog(4, ends_with_epochs=True), CosLog(4)
    epochs = np.linspace(0, 30, 61)

    of_stretched, of_plain = (
        [schedule.step_multiplier(epoch, 30, 0) for epoch in epochs]
        for schedule in (stretched, plain)
    )
    assert of_stretched == pytest.approx(of_plain)


def test_waves_grow_by_the_factor_that_is_asked_for():
    assert CosLog(2, 4.0).at(0.2) == pytest.approx(0)
    for share in (0.1, 0.3, 0.7):  # as a wave of twice the length on the scale of powers of 2
        place = np.log2(1 + 15 * share)
        assert CosLog(2, 4.0).at(share) == pytest.approx(0.5 * (1 - np.cos(np.pi * place)))


def test_flat_cosine_falls_in_the_second_half():
    assert table(FlatCosine(), 5, 4) == pytest.approx([1, 1, 1, 0.5, 0])


def test_warmup_rises_in_a_line_and_leaves_the_rest_to_the_schedule():
    assert table(Warmup(Constant(), 3), 5) == [0.25, 0.5, 0.75, 1, 1]
    after = table(Warmup(Cosine(), 2), 7, 6)[2:]
    assert after == table(Cosine(), 5, 4)
    assert Warmup(Adaptive(), 2).after_plateau(1e-3, 5) == pytest.approx(0.2)
    assert Warmup(Adaptive(), 2).farewell == Adaptive.farewell


def test_joined_schedules_span_their_parts():
    joined = Joined([Constant(), Polynomial(), Cosine()], [2, 6])

    assert table(joined, 8, 8) == pytest.approx([1, 1, 1, 0.75, 0.5, 0.25, 1, 0.5])
    joined.check()
    for wrong in ([2], [6, 2], [0, 3], [2, 4, 6]):
        with pytest.raises(ValueError, match="Joined needs 2 boundaries for 3 schedules"):
            Joined([Constant(), Polynomial(), Cosine()], wrong).check()


def test_plateaus_of_joined_schedules_are_those_of_the_part():
    joined = Joined([Constant(), Adaptive()], [2])

    assert joined.after_plateau(1e-3, 1) is None
    assert joined.after_plateau(1e-3, 2) == pytest.approx(0.2)
    assert joined.farewell == Adaptive.farewell
    with pytest.raises(ValueError, match=r"must be instances such as Cosine\(\); got 'cosine'"):
        Joined([Constant(), "cosine"], [2]).check()


def test_a_schedule_after_a_warmup_sees_its_own_samples_only():
    warm = [Warmup(InverseScaling(), 2).multiplier(epoch, 99, 50 * epoch) for epoch in range(5)]
    cold = [InverseScaling().multiplier(epoch, 97, 50 * epoch) for epoch in range(3)]

    assert warm[2:] == cold


def test_functions_of_the_epoch_are_schedules():
    assert table(FromFunction(lambda epoch: 1 / (1 + epoch)), 3) == [1, 1 / 2, 1 / 3]


@pytest.mark.parametrize(
    "schedule", [case for case in SCHEDULE_CASES if not isinstance(case, CosLog)], ids=name_of
)
def test_at_whole_epochs_a_step_has_the_factor_of_the_epoch(schedule):
    for epoch in range(12):
        expected = schedule.multiplier(epoch, 10, 50 * epoch)
        assert schedule.step_multiplier(epoch, 10, 50 * epoch) == expected


def test_coslogs_epochs_have_the_factor_of_their_middle():
    for epoch in range(10):
        assert CosLog().multiplier(epoch, 10, 0) == CosLog().step_multiplier(epoch + 0.5, 10, 0)


def test_every_step_goes_by_another_schedule():
    schedule = EveryStep(Polynomial())

    assert schedule.by_step
    assert not Polynomial().by_step
    assert [schedule.step_multiplier(e, 4, 0) for e in (0, 0.5, 3, 4, 5)] == [1, 0.875, 0.25, 0, 0]
    assert table(schedule, 5, 4) == table(Polynomial(), 5, 4)
    assert EveryStep(Adaptive()).after_plateau(1e-3, 5) == Adaptive().factor
    assert EveryStep(Adaptive()).farewell == Adaptive.farewell
    assert [EveryStep(inner).is_finite for inner in (Cosine(), Constant())] == [True, False]


def test_a_warmup_rises_from_step_to_step_where_its_schedule_is_followed_so():
    schedule = Warmup(EveryStep(Polynomial()), 2)
    factors = [schedule.step_multiplier(epoch, 6, 0) for epoch in (0, 0.5, 1, 2, 3, 4.5, 6)]

    assert schedule.by_step
    assert not Warmup(Polynomial(), 2).by_step
    assert factors == pytest.approx([1 / 3, 1 / 2, 2 / 3, 1, 0.75, 0.375, 0])


@pytest.mark.parametrize(("rate", "expected"), [(1e-3, 0.2), (1.1e-6, 0.2), (1e-6, None)])
def test_adaptive_divides_the_rate_until_it_is_small(rate, expected):
    assert Adaptive().after_plateau(rate, 3) == expected
    assert Constant().after_plateau(rate, 3) is None


@pytest.mark.parametrize(
    "schedule",
    [
        InverseScaling(-0.1),
        Adaptive(1.0),
        Adaptive(min_rate=-1.0),
        OneCycle(rise=1.1),
        OneCycle(begin=-0.1),
        OneCycle(end=2.0),
        Exponential(0.0),
        Exponential(1.1),
        Step(1.5),
        Step(milestones=(0.5, 1.5)),
        Step(milestones=0.5),
        Polynomial(0.0),
        CosLog(0),
        CosLog(growth=1.0),
        Warmup(Constant(), -1),
        Warmup(Step(1.5), 1),
        EveryStep(Step(1.5)),
        Joined([Constant(), Step(1.5)], [2]),
    ],
    ids=repr,
)
def test_numbers_that_make_no_sense_are_refused(schedule):
    with pytest.raises(ValueError, match=r"parameter of .* must be"):
        schedule.check()


@pytest.mark.parametrize("returned", [None, "much", [1.0, 2.0]])
def test_a_function_that_returns_no_number_is_told_so(returned):
    schedule = FromFunction(lambda epoch: returned)
    with pytest.raises(ValueError, match=r"must return a number, the factor .* for epoch 3 it"):
        schedule.multiplier(3, 10, 0)
