from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from sknn.schedules import CosLog
from sknn.solvers import TrainingState, solve
from sknn.tabular import TabularMLPRegressor, base
from sknn.tabular.course import train
from sknn.tabular.training import WAVE_SCALE
from sknn.training import Hooks
from tests.tabular.fits import (
    KIND,
    TARGETS,
    Machine,
    X,
    interrupt_after,
    make,
    use_preset,
)


class Caught(Exception):
    """Carries the trainings that were to begin."""


def prepare(what, **parameters):
    """Return the trainings of an estimator, which have not begun."""

    def catch(trainings, *args):
        raise Caught(trainings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "train", catch)
        with pytest.raises(Caught) as caught:
            make(what, **parameters).fit(X, TARGETS[what])
    return caught.value.args[0]


def prepare_first(what, **parameters):
    """Return the training of the first kind."""
    return prepare(what, **parameters)[0]


def learn(trainings, seconds=None):
    """Train; return the networks of each kind."""
    return train(trainings, [Hooks()] * len(trainings), seconds)


def thetas_of(kinds):
    """Return all that was kept, in order."""
    return [
        member.thetas[moment]
        for kind in kinds
        for member in kind.members
        for moment in member.thetas
    ]


def assert_same_bits(one, other):
    for theta, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(theta, expected)


# Lessons.


def test_some_rows_of_a_lesson():
    training = prepare_first("number", preset="fast")
    lesson = replace(training._lesson, weight=np.arange(90.0))
    some = lesson.of(np.array([3, 1]))

    np.testing.assert_array_equal(some.y[:, 0], TARGETS["number"][[3, 1]])
    np.testing.assert_array_equal(some.table.numbers, X[[3, 1]])
    np.testing.assert_array_equal(some.weight, [3, 1])
    assert len(some.table.codes) == 2
    assert replace(lesson, weight=None).of(np.array([3])).weight is None


def test_smoothing_spreads_a_share_of_the_targets():
    lesson = prepare_first("multiclass", label_smoothing=0.0)._lesson
    smoothed = lesson.smoothed(0.3)

    np.testing.assert_allclose(smoothed.targets.for_training(smoothed.y), 0.7 * lesson.y + 0.1)
    np.testing.assert_array_equal(smoothed.y, lesson.y)
    assert lesson.smoothed(0.0) is lesson


def test_numbers_are_not_smoothed():
    lesson = prepare_first("number")._lesson

    assert lesson.smoothed(0.3) is lesson


def test_smoothing_weighs_the_classes_as_before():
    weights = {"class_weight": {"a": 1.0, "b": 5.0, "c": 2.0}}
    plain, smooth = (
        prepare_first("multiclass", label_smoothing=share, **weights)._lesson
        for share in (0.0, 0.3)
    )

    np.testing.assert_array_equal(plain.weight, smooth.weight)
    of_b = TARGETS["multiclass"] == "b"
    assert set(plain.weight[of_b]) == {5.0}


# Trainings.


def test_networks_are_kept_where_the_waves_of_the_rate_end():
    training = prepare_first("number", preset="fast", max_iter=13)
    seen = []

    def watched(problem):
        thetas = []
        seen.append(thetas)

        def after_epoch(state, theta):
            thetas.append(theta.copy())
            return problem.after_epoch(state, theta)

        return replace(problem, after_epoch=after_epoch)

    states = solve([watched(problem) for problem in training.pose(None, Hooks())])
    kind = training.finish(states)
    waves = training._preset.n_cycles, training._preset.growth
    ends = CosLog(*waves).ends(13)

    assert kind.n_moments == len(ends) > 1
    assert (kind.max_iter, ends[-1]) == (13, 13)
    for member, thetas in zip(kind.members, seen, strict=True):
        assert list(member.thetas) == list(range(len(ends)))
        for moment, end in enumerate(ends):
            np.testing.assert_array_equal(member.thetas[moment], thetas[end - 1])


def test_the_networks_of_a_kind_are_one_stack(stack_sizes):
    kinds = learn(prepare("binary", cv=5))

    assert sum(stack_sizes) == 5 * len(kinds)
    assert all(size % 5 == 0 for size in stack_sizes)


def test_a_network_learns_what_it_would_alone():
    together, alone = prepare_first("multiclass"), prepare_first("multiclass")
    kind = together.finish(solve(together.pose(None, Hooks())))
    problems = alone.pose(None, Hooks())
    other = alone.finish([solve([problem])[0] for problem in problems])

    assert_same_bits(thetas_of([kind]), thetas_of([other]))


def test_networks_are_trained_on_their_rows_only():
    """What a fold leaves out is as good as not there."""
    one, other = prepare_first("number"), prepare_first("number")
    problems = one.pose(None, Hooks())
    hidden = []
    for problem, fold in zip(other.pose(None, Hooks()), other._folds, strict=True):
        rows, y = problem.samples[:].copy(), problem.y.copy()
        rows[fold.held_out], y[fold.held_out] = 1e3, -1e3
        hidden.append(replace(problem, samples=type(problem.samples)(rows), y=y))
    states = [solve([problem])[0] for problem in [*problems, *hidden]]

    for seen, unseen in zip(states[:3], states[3:], strict=True):
        np.testing.assert_array_equal(seen.theta, unseen.theta)


def test_factors_of_waves_begin_smaller(monkeypatch):
    use_preset(monkeypatch, KIND, replace(KIND, numeric=("robust", "fourier")))
    trainings = prepare("binary", preset="fast")
    n_waves = 0
    for training in trainings:
        first = training.pose(None, Hooks())[0]
        scale = training._network.layout.views(first.state.theta)[0]["scale"]
        is_wave = ["_wave" in name for name in training._encoder.get_feature_names_out()]
        np.testing.assert_array_equal(scale.ravel(), np.where(is_wave, WAVE_SCALE, 1))
        n_waves += sum(is_wave)
    assert n_waves > 0


@pytest.mark.parametrize("batch_size", [1, 7, 60, 61, 1000])
def test_a_batch_is_no_larger_than_the_smallest_fold(batch_size):
    training = prepare_first("number", preset="fast", batch_size=batch_size)
    kinds = learn([training])

    assert kinds[0].batch_size == min(batch_size, 60)


# How long it takes.


def test_the_length_of_an_epoch_is_found_from_a_few_steps(monkeypatch):
    machine = Machine(monkeypatch, seconds_per_step=2.0)
    training = prepare_first("number", batch_size=3)
    probed = training.seconds_per_epoch

    assert probed == pytest.approx(3 * 20 * 2.0)  # folds x steps x seconds
    assert 0 < machine.seconds < 4 * probed
    before = machine.seconds
    assert training.seconds_per_epoch == probed
    assert machine.seconds == before


def test_finding_the_length_of_an_epoch_changes_nothing():
    one, other = prepare("binary"), prepare("binary")
    for training in one:
        assert training.seconds_per_epoch > 0

    assert_same_bits(thetas_of(learn(one)), thetas_of(learn(other)))


@pytest.mark.parametrize("seconds", [50.0, 100.0, 200.0, 1000.0])
def test_kinds_that_are_trained_in_turn_keep_to_the_time(monkeypatch, seconds):
    use_preset(monkeypatch, KIND, replace(KIND, numeric=("robust", "fourier")))
    machine = Machine(monkeypatch, seconds_per_step=0.5)
    trainings = prepare("binary", preset="fast", max_iter=40)
    for training in trainings:
        training.seconds_per_epoch  # noqa: B018 - it is found now
    begin = machine.seconds
    kinds = learn(trainings, seconds)
    whole = sum(t.seconds_per_epoch * t.n_epochs for t in trainings)

    assert machine.seconds - begin <= max(seconds, 2 * whole / 40)
    assert machine.seconds - begin >= 0.8 * min(seconds, whole)
    assert all(kind.n_moments >= 1 for kind in kinds)
    assert sum(kind.max_iter for kind in kinds) == pytest.approx(
        40 * len(kinds) * min(1, seconds / whole), rel=0.2
    )


# Ctrl-C.


@pytest.mark.parametrize("n_epochs", [1, 2, 5, 10])
def test_ctrl_c_keeps_what_has_settled(monkeypatch, n_epochs):
    """Or the last epoch, before the first wave has ended."""
    training = prepare_first("number", preset="fast", max_iter=12)
    waves = training._preset.n_cycles, training._preset.growth
    ends = [end for end in CosLog(*waves).ends(12) if end <= n_epochs]
    whole = learn([prepare_first("number", preset="fast", max_iter=12)])
    interrupt_after(monkeypatch, n_epochs)
    with pytest.warns(UserWarning, match="interrupted"):
        kinds = learn([training])

    assert [kind.n_moments for kind in kinds] == [max(1, len(ends))]
    assert kinds[0].max_iter == n_epochs
    if ends:
        for member, of_whole in zip(kinds[0].members, whole[0].members, strict=True):
            assert_same_bits(member.thetas.values(), list(of_whole.thetas.values())[: len(ends)])


@pytest.mark.parametrize("seconds", [None, 1e9])
def test_ctrl_c_before_anything_was_learnt_is_raised(monkeypatch, seconds):
    use_preset(monkeypatch, KIND, replace(KIND, numeric=("robust", "fourier")))
    trainings = prepare("binary", preset="fast")
    for training in trainings:
        training.seconds_per_epoch  # noqa: B018 - it is found now
    epochs = interrupt_after(monkeypatch, 0)
    with (
        pytest.raises(KeyboardInterrupt),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        learn(trainings, seconds)

    assert len(epochs) == 1


@pytest.mark.parametrize("seconds", [None, 1e9])
def test_after_ctrl_c_no_other_kind_is_trained(monkeypatch, seconds):
    use_preset(monkeypatch, KIND, replace(KIND, numeric=("robust", "fourier")))
    trainings = prepare("binary", preset="fast")
    assert len(trainings) > 1
    for training in trainings:
        training.seconds_per_epoch  # noqa: B018 - it is found now
    epochs = interrupt_after(monkeypatch, 2)
    with pytest.warns(UserWarning, match="interrupted"):
        kinds = learn(trainings, seconds)

    assert len(epochs) == 3
    assert len([kind for kind in kinds if kind is not None]) == 1


# Divergence.


def finish(training, *lost):
    """Finish a training of which some networks have nothing finite."""
    problems = training.pose(None, Hooks())
    states = solve(problems)
    for m, state in enumerate(states):
        if m in lost:
            training._members[m].thetas.clear()
            states[m] = TrainingState(np.full_like(state.theta, np.nan))
            states[m].n_iter = 4
    return training.finish(states)


def test_a_training_of_which_nothing_finite_is_left_is_refused():
    training = prepare_first("number", preset="fast")

    with pytest.raises(ValueError, match=r"diverged: lower learning_rate_init="):
        finish(training, 0, 1, 2)


def test_of_a_training_that_diverges_late_the_moments_before_are_kept():
    training = prepare_first("number", preset="fast", max_iter=12)
    problems = training.pose(None, Hooks())
    states = solve(problems)
    latest = [member.thetas.pop(max(member.thetas)) for member in training._members[:1]]
    kind = training.finish(states)

    assert len(latest) == 1
    assert kind.n_moments == training._preset.n_cycles - 1
    assert all(list(m.thetas) == list(range(kind.n_moments)) for m in kind.members)


def test_mean_targets_are_those_of_the_rows_that_a_network_is_trained_on():
    """By hand: of new rows the means of all, of rows that are trained on those of others."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"city": rng.integers(0, 12, 90).astype(str), "x": rng.normal(size=90)})
    y = rng.normal(size=90)
    model = TabularMLPRegressor("fast", max_iter=1, cv=3, random_state=0).fit(table, y)
    kind, levels = model.members_[0], model._ensemble.columns.levels[0]

    for member in kind.members:
        rows, ((place, means),) = member.fold.train, member.means
        of_all = [
            (y[rows][table["city"][rows] == level].sum() + 10 * y[rows].mean())
            / ((table["city"][rows] == level).sum() + 10)
            for level in levels
        ]
        [encoded] = member.encode(np.arange(12)[:, np.newaxis])
        assert (place, means.origins) == (0, [0])
        np.testing.assert_allclose(np.corrcoef(encoded[:, 0], of_all)[0, 1], 1)
    assert kind.network.n_features == kind.encoder.n_features_out_ + 1


def test_what_a_row_that_is_held_out_says_is_not_told_to_its_judge():
    rng = np.random.default_rng(0)
    table, y = pd.DataFrame({"city": np.arange(90).astype(str)}), rng.normal(size=90)
    table["city"] = table["city"].str[-1:]
    options = {"max_iter": 2, "cv": KFold(3), "random_state": 0}
    changed = y.copy()
    changed[:30] += 100  # those of the first fold
    one, other = (TabularMLPRegressor("fast", **options).fit(table, t) for t in (y, changed))

    for kind, same in zip(one.members_, other.members_, strict=True):
        np.testing.assert_array_equal(kind.members[0].thetas[0], same.members[0].thetas[0])
        assert not np.array_equal(kind.members[1].thetas[0], same.members[1].thetas[0])


def test_a_training_that_diverges_at_once_cannot_be_timed():
    model = make("labels", max_time=100.0, class_weight={0: 1e300})
    with pytest.raises(ValueError, match=r"diverged in its first epoch: lower learning_rate_init="):
        model.fit(X, TARGETS["labels"])
