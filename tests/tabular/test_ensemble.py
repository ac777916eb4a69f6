from dataclasses import replace

import numpy as np
import pytest

from sknn.tabular import ensemble as file
from sknn.tabular.blending import Blend
from sknn.tabular.ensemble import Ensemble
from sknn.tabular.members import Fold, Member, Members
from tests.tabular.fits import NEW, TARGETS, X, fit, say, say_unseen

every_target = pytest.mark.parametrize("what", TARGETS)


@every_target
@pytest.mark.parametrize("preset", ["fast", "default", "best"])
def test_the_answer_is_the_weighted_mean_of_all_networks(what, preset):
    model = fit(what, preset=preset)
    expected = sum(answers.mean(axis=0) for answers in say(model, NEW))

    np.testing.assert_allclose(model._ensemble.answer(NEW), expected, rtol=1e-5, atol=1e-6)


@every_target
def test_what_networks_say_is_that_of_each(what):
    model = fit(what)
    (parts,) = model._ensemble.by_member(NEW)

    for found, expected in zip(parts, say(model, NEW), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@every_target
def test_weights_are_shares_of_a_whole(what):
    for preset in ("fast", "best"):
        weights = fit(what, preset=preset)._ensemble.blend.weights

        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert len(weights) == sum(kind.n_moments for kind in fit(what, preset=preset).members_)


@every_target
def test_how_many_rows_are_predicted_at_a_time_changes_no_more_than_rounding(monkeypatch, what):
    ensemble = fit(what)._ensemble
    expected = ensemble.answer(NEW)
    for chunk in (1, 7, 40, 41):
        monkeypatch.setattr(file, "CHUNK", chunk)
        sizes = [parts[0].shape[-1] for parts in ensemble.by_member(NEW)]
        assert sum(sizes) == 40
        assert max(sizes) == min(chunk, 40)
        np.testing.assert_allclose(ensemble.answer(NEW), expected, rtol=1e-4, atol=1e-5)


@every_target
def test_judges_are_the_networks_that_have_not_seen_a_row(what):
    model = fit(what, preset="best")
    answers = say(model, NEW)
    for row, those in enumerate(model._ensemble.judges(90)):
        expected = say_unseen(model, row, answers)
        found = sum(a[list(m)].mean(axis=0) for a, m in zip(answers, those, strict=True))
        np.testing.assert_array_equal(found, expected)
        for kind, numbers in zip(model.members_, those, strict=True):
            assert len(numbers) == 1
            assert not np.isin(row, [kind.members[m].fold.train for m in numbers])


def make_kind(*held_out):
    """Return a kind of networks that have left out some of 5 rows."""
    every = np.arange(5)
    folds = [Fold(np.setdiff1d(every, rows), np.array(rows, int)) for rows in held_out]
    return Members(None, None, None, [Member(fold, None) for fold in folds], 1, 1, 1)


def test_a_row_may_have_several_judges_or_none():
    ensemble = Ensemble(None, None, [make_kind([0, 1], [1, 4]), make_kind([4, 0], [3])], None)

    assert ensemble.judges(5) == [
        ((0,), (0,)),
        ((0, 1), ()),
        ((), ()),
        ((), (1,)),
        ((1,), (0,)),
    ]


def test_numbers_are_combined_as_they_are():
    ensemble = Ensemble(None, fit("numbers")._ensemble.targets, [], Blend(np.array([0.25, 0.75])))
    columns = np.random.default_rng(0).standard_normal((2, 3, 2, 4))
    columns[..., 1] = columns[:, :, 1, 2] = np.nan

    combined = ensemble.combine(columns.copy())
    both = 0.25 * columns[0] + 0.75 * columns[1]
    both[:, 1, 2] = both[:, 0, 2]  # left out once
    np.testing.assert_allclose(combined, both.mean(axis=1))


@pytest.mark.parametrize("what", ["binary", "multiclass", "labels", "several"])
def test_of_classes_probabilities_are_combined(what):
    """Each column's at its own temperature."""
    targets = fit(what)._ensemble.targets
    n_raw = targets.n_outputs
    columns = np.random.default_rng(0).standard_normal((2, n_raw, 4))
    blend = Blend(np.array([0.25, 0.75]), np.array([0.5, 2.0]))
    parts = []
    for weight, temperature, raw in zip(blend.weights, blend.temperatures, columns, strict=True):
        raw = raw / temperature
        targets.loss.inverse_link(raw)
        parts.append(weight * raw)

    combined = Ensemble(None, targets, [], blend).combine(columns[:, :, np.newaxis])
    np.testing.assert_allclose(combined, parts[0] + parts[1])
    assert np.all((combined > 0) & (combined < 1))


def test_moments_without_weight_are_not_asked(monkeypatch):
    ensemble = fit("number", preset="best")._ensemble
    n_columns, asked = len(ensemble.blend.weights), []
    weights = np.zeros(n_columns)
    weights[-1] = 1.0
    few, predict = replace(ensemble, blend=Blend(weights)), Members.predict

    def note(self, member, moment, X):
        asked.append((self, moment))
        return predict(self, member, moment, X)

    monkeypatch.setattr(Members, "predict", note)
    answer = few.answer(NEW)

    last = ensemble.kinds[-1]
    assert asked == [(last, last.n_moments - 1)] * len(last.members)
    encoded = last.encoder.transform(NEW)
    expected = [predict(last, m, last.n_moments - 1, encoded) for m in last.members]
    np.testing.assert_allclose(answer, np.mean(expected, axis=0), rtol=1e-5, atol=1e-5)


def test_of_training_rows_networks_say_what_they_say_of_new_ones():
    """Where no category has mean targets nothing else is known of them."""
    model = fit("multiclass")
    for kind in model.members_:
        encoded = kind.encoder.transform(X)
        of_all = kind.out_of_fold(encoded, np.empty((90, 0), int))
        for member in kind.members:
            rows = member.fold.held_out
            for moment in range(kind.n_moments):
                np.testing.assert_allclose(
                    of_all[moment][:, 0, rows],
                    kind.predict(member, moment, encoded[rows]),
                    rtol=1e-5,
                    atol=1e-6,
                )
