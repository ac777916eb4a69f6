import itertools
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import KFold

from sknn.tabular import conformal
from sknn.tabular.conformal import (
    Misses,
    both_sides,
    intervals,
    means_and_deviations,
    prediction_sets,
)
from tests.tabular.fits import (
    KIND,
    NEW,
    TARGETS,
    X,
    fit,
    make,
    say,
    say_out_of_fold,
    say_unseen,
    use_preset,
)

CONFIDENCES = [0.5, 0.8, 0.9, 0.95]
confidences = pytest.mark.parametrize("confidence", CONFIDENCES)


class Hand:
    """An ensemble whose networks say what is written down.

    Parameters
    ----------
    held_out : list of list of list of int
        For each kind and network the training rows that it is judged by.
    answers : list of ndarray of shape (n_members, n_raw, n_rows)
        What the networks of each kind say of new rows.
    """

    def __init__(self, held_out, answers):
        self.held_out, self.answers = held_out, answers

    def judges(self, n_samples):
        return [
            tuple(
                tuple(m for m, rows in enumerate(of_kind) if row in rows)
                for of_kind in self.held_out
            )
            for row in range(n_samples)
        ]

    def by_member(self, X):
        for rows in np.array_split(np.arange(len(X)), 3):
            yield [answers[..., rows] for answers in self.answers]

    def unseen(self, row):
        """Return what the networks that have not seen a row say of the new rows."""
        judges = self.judges(row + 1)[row]
        if not all(judges):
            return None
        return sum(a[list(m)].mean(axis=0) for a, m in zip(self.answers, judges, strict=True))


def make_hand(n_outputs=1, n_rows=23, seed=0):
    """Return an ensemble of two kinds, of which one has repeated folds; a row is in none."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(n_rows - 1)
    one = np.array_split(rows, 3)
    other = [*np.array_split(rng.permutation(rows), 2), *np.array_split(rng.permutation(rows), 2)]
    held_out = [[part.tolist() for part in kind] for kind in (one, other)]
    answers = [rng.standard_normal((len(kind), n_outputs, 10)) for kind in held_out]
    return Hand(held_out, answers), rng


def interval_by_hand(unseen, misses, confidence):
    """Return the interval of Barber et al. for a row and an output, by sorting."""
    n, alpha = len(misses), 1 - Fraction(str(confidence))
    lower = sorted(mu - abs(miss) for mu, miss in zip(unseen, misses, strict=True))
    upper = sorted(mu + abs(miss) for mu, miss in zip(unseen, misses, strict=True))
    low, high = math.floor(alpha * (n + 1)), math.ceil((1 - alpha) * (n + 1))
    if high > n:
        return -math.inf, math.inf
    return tuple(sorted([lower[low - 1], upper[high - 1]]))


def check_intervals(found, unseen, misses, confidence, **tolerance):
    """Compare all intervals: unseen (n_training, n_outputs, n_rows), misses (n_training, ...)."""
    for row in range(unseen.shape[2]):
        for output in range(unseen.shape[1]):
            expected = interval_by_hand(unseen[:, output, row], misses[:, output], confidence)
            np.testing.assert_allclose(found[row, output], expected, **tolerance)


@confidences
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_intervals_are_those_of_the_paper(confidence, n_outputs):
    ensemble, rng = make_hand(n_outputs)
    misses = rng.standard_normal((n_outputs, 23))
    misses[:, 22] = np.nan  # no network has been kept from it
    unseen = np.stack([ensemble.unseen(row) for row in range(22)])
    found = intervals(ensemble, Misses.of(ensemble, misses), np.empty((10, 1)), confidence)

    assert found.shape == (10, n_outputs, 2)
    check_intervals(found, unseen, misses[:, :22].T, confidence, rtol=1e-12)


@confidences
@pytest.mark.parametrize("n_rows", [2, 6, 10, 20, 30, 50, 101])
def test_ranks_are_those_of_the_confidence_as_it_is_written(confidence, n_rows):
    """A tenth of 20 is 2, though 1 - 0.9 is a little less than a tenth."""
    rows = list(range(n_rows - 1))
    ensemble = Hand([[rows[::2], rows[1::2]]], [np.zeros((2, 1, 4))])
    misses = np.append(np.arange(1.0, n_rows), np.nan)[np.newaxis]
    found = intervals(ensemble, Misses.of(ensemble, misses), np.empty((4, 1)), confidence)

    check_intervals(found, np.zeros((n_rows - 1, 1, 4)), misses[:, :-1].T, confidence)


def test_a_rank_beyond_the_rows_has_no_end():
    ensemble = Hand([[[0, 1], [2]]], [np.zeros((2, 1, 1))])
    misses = Misses.of(ensemble, np.array([[1.0, -5.0, 3.0]]))

    found = intervals(ensemble, misses, np.empty((1, 1)), 0.99)
    np.testing.assert_array_equal(found, [[[-np.inf, np.inf]]])


@pytest.mark.parametrize("what", ["number", "numbers"])
@pytest.mark.parametrize("preset", ["fast", "best"])
def test_intervals_of_an_estimator_are_those_of_its_networks(what, preset):
    model = fit(what, preset=preset)
    answers = say(model, NEW)
    unseen = np.stack([say_unseen(model, row, answers) for row in range(90)])
    misses = TARGETS[what].reshape(90, -1) - say_out_of_fold(model, X).T
    found = model.predict_interval(NEW, 0.8).reshape(40, -1, 2)

    check_intervals(found, unseen, misses, 0.8, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9])
def test_intervals_are_those_of_mapie_around_the_same_networks(monkeypatch, confidence):
    """What MAPIE trains for each fold is here the network that the ensemble has for it."""
    mapie = pytest.importorskip("mapie.regression", reason="mapie is optional")
    use_preset(monkeypatch, KIND)
    rows, y = load_diabetes(return_X_y=True)
    known, new = slice(0, 300), slice(300, None)
    folds = KFold(5, shuffle=True, random_state=0)
    model = make("number", cv=folds, preset="fast").fit(rows[known], y[known])
    [kind] = model.members_

    class OfFold(RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            trained_on = [rows[member.fold.train] for member in kind.members]
            same = [k for k, those in enumerate(trained_on) if np.array_equal(those, X)]
            self.network_ = same[0] if same else 0  # one of all rows, whom intervals do not ask
            return self

        def predict(self, X):
            return say(model, X)[0][self.network_, 0]

    rival = mapie.CrossConformalRegressor(
        OfFold(), confidence_level=confidence, method="plus", cv=folds
    )
    rival.fit_conformalize(rows[known], y[known])
    _, expected = rival.predict_interval(rows[new])
    found = model.predict_interval(rows[new], confidence)
    np.testing.assert_allclose(found, expected[..., 0], rtol=1e-5)


def test_deviations_are_the_formula():
    ensemble, rng = make_hand(2)
    misses = rng.standard_normal((2, 23)) + 0.3
    misses[:, 22] = np.nan
    unseen = np.stack([ensemble.unseen(row) for row in range(22)])
    mean = sum(a.mean(axis=0) for a in ensemble.answers)
    expected = np.zeros((2, 10))
    for row in range(22):
        expected += (unseen[row] + misses[:, row, np.newaxis] - mean) ** 2 / 22
    _, found = means_and_deviations(ensemble, Misses.of(ensemble, misses), np.empty((10, 1)))

    np.testing.assert_allclose(found, np.sqrt(expected), rtol=1e-12)


@pytest.mark.parametrize("what", ["number", "numbers"])
def test_deviations_of_an_estimator_are_those_of_its_networks(what):
    model = fit(what)
    answers = say(model, NEW)
    mean = sum(a.mean(axis=0) for a in answers)
    misses = TARGETS[what].reshape(90, -1) - say_out_of_fold(model, X).T
    squares = [
        (say_unseen(model, row, answers) + misses[row, :, np.newaxis] - mean) ** 2
        for row in range(90)
    ]
    predicted, deviation = model.predict(NEW, return_std=True)

    np.testing.assert_allclose(
        deviation.reshape(40, -1), np.sqrt(np.mean(squares, axis=0)).T, rtol=1e-4
    )
    np.testing.assert_array_equal(predicted, model.predict(NEW))


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, -0.7, 1e6 + 0.1])
def test_networks_that_are_of_one_mind_deviate_by_their_misses(value):
    """Nothing that is 0 but for rounding has no root."""
    ensemble = Hand([[[0, 1], [2, 3], [4]]], [np.full((3, 1, 2), value)])
    for miss in (0.0, 0.1, -1 / 3):
        misses = Misses.of(ensemble, np.full((1, 5), miss))
        _, found = means_and_deviations(ensemble, misses, np.empty((2, 1)))
        np.testing.assert_allclose(found, abs(miss), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("seed", range(20))
def test_misses_that_cancel_what_networks_disagree_about_leave_nothing(seed):
    """With a row each, every network misses its own by as much as it is off."""
    rng = np.random.default_rng(seed)
    answers = rng.standard_normal((3, 1, 1))
    ensemble = Hand([[[0], [1], [2]]], [answers])
    misses = Misses.of(ensemble, (answers.mean() - answers[:, 0]).T)

    _, found = means_and_deviations(ensemble, misses, np.empty((1, 1)))
    np.testing.assert_allclose(found, 0, atol=1e-7)


def set_by_hand(unseen, misses, confidence, best):
    """Return which classes are in the set of a row: unseen (n_training, n_classes)."""
    n, share = len(misses), Fraction(str(confidence))
    chosen = [
        sum(miss < 1 - of_row[k] for miss, of_row in zip(misses, unseen, strict=True))
        < share * (n + 1)
        for k in range(unseen.shape[1])
    ]
    chosen[best] = True
    return chosen


@confidences
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_prediction_sets_are_those_of_the_paper(confidence, n_classes):
    ensemble, rng = make_hand(1 if n_classes == 2 else n_classes)
    kinds = [np.exp(answers) for answers in ensemble.answers]  # probabilities, half a kind
    total = [1 + of_kind if n_classes == 2 else of_kind for of_kind in kinds]
    ensemble.answers = [
        of_kind / whole.sum(axis=1, keepdims=True) / 2
        for of_kind, whole in zip(kinds, total, strict=True)
    ]
    misses = rng.uniform(0, 1, (1, 23))
    misses[:, 22] = np.nan
    found = prediction_sets(ensemble, Misses.of(ensemble, misses), np.empty((10, 1)), confidence)

    assert found.shape == (10, n_classes)
    assert found.dtype == bool
    unseen = np.stack([ensemble.unseen(row) for row in range(22)])
    whole = sum(a.mean(axis=0) for a in ensemble.answers)
    if n_classes == 2:
        unseen = np.concatenate([1 - unseen, unseen], axis=1)
        whole = np.concatenate([1 - whole, whole])
    for row in range(10):
        best = whole[:, row].argmax()
        expected = set_by_hand(unseen[..., row], misses[0, :22], confidence, best)
        assert found[row].tolist() == expected
    assert found.sum() > 10 or confidence == 0.5


@pytest.mark.parametrize("what", ["binary", "multiclass"])
def test_prediction_sets_of_an_estimator_are_those_of_its_networks(what):
    model = fit(what)
    answers = say(model, NEW)
    unseen = np.stack([say_unseen(model, row, answers) for row in range(90)])
    of_rows = say_out_of_fold(model, X)
    if what == "binary":
        unseen = np.concatenate([1 - unseen, unseen], axis=1)
        of_rows = np.concatenate([1 - of_rows, of_rows])
    codes = np.searchsorted(model.classes_, TARGETS[what])
    misses = 1 - of_rows[codes, np.arange(90)]
    probability = model.predict_proba(NEW)

    for confidence in (0.7, 0.9):
        expected = [
            set_by_hand(unseen[..., row], misses, confidence, probability[row].argmax())
            for row in range(40)
        ]
        found = model.predict_set(NEW, confidence)
        # Rounding may turn the order of two that are equal.
        assert (found != expected).sum() <= 1
        assert 40 <= found.sum() < found.size


def test_the_most_probable_class_is_always_in_the_set():
    for what in ("binary", "multiclass"):
        model = fit(what)
        chosen = model.predict_set(NEW, 0.01)
        best = model.predict_proba(NEW).argmax(axis=1)

        np.testing.assert_array_equal(chosen, np.eye(len(model.classes_), dtype=bool)[best])


def test_more_confidence_asks_for_more():
    wider = [np.diff(fit("number").predict_interval(NEW, c))[:, 0] for c in CONFIDENCES]
    larger = [fit("multiclass").predict_set(NEW, c) for c in CONFIDENCES]

    assert np.all(np.diff(wider, axis=0) >= 0)
    assert np.mean(wider[-1]) > 1.2 * np.mean(wider[0])
    assert all(np.all(one <= other) for one, other in itertools.pairwise(larger))
    assert larger[-1].sum() > larger[0].sum()


def test_misses_lie_by_the_networks_that_rows_have_in_common():
    ensemble = Hand([[[0, 2], [1, 4]], [[0, 1, 2, 4], []]], [])
    misses = Misses.of(ensemble, np.array([[3.0, -2.0, -1.0, 7.0, np.nan]]))

    assert misses.judges == [((0,), (0,)), ((1,), (0,))]
    np.testing.assert_array_equal(misses.values[0], [[-1, 3]])
    np.testing.assert_array_equal(misses.values[1], [[-2]])
    assert misses.n_rows == 3


def test_of_many_rows_some_are_kept_from_all_over_their_order(monkeypatch):
    rng = np.random.default_rng(0)
    rows = np.arange(3000)
    ensemble = Hand([[rows[::3], np.setdiff1d(rows, rows[::3])]], [rng.normal(size=(2, 1, 20))])
    misses = rng.standard_normal((1, 3000))
    whole = Misses.of(ensemble, misses)
    monkeypatch.setattr(conformal, "MAX_ROWS", 300)
    few = Misses.of(ensemble, misses)

    assert sorted(values.shape[1] for values in few.values) == [100, 200]
    assert few.n_rows == 3000
    for some, values in zip(few.values, whole.values, strict=True):
        assert np.isin(some, values).all()
        assert np.all(np.diff(np.abs(some)) >= 0)
        assert np.abs(some).min() == np.abs(values).min()
        assert np.abs(some).max() == np.abs(values).max()
    one, other = (intervals(ensemble, m, np.empty((20, 1)), 0.9) for m in (few, whole))
    np.testing.assert_allclose(one, other, atol=0.1)
    one, other = (means_and_deviations(ensemble, m, np.empty((20, 1)))[1] for m in (few, whole))
    np.testing.assert_allclose(one, other, rtol=0.05)


def test_how_much_is_sorted_at_a_time_changes_nothing(monkeypatch):
    model = fit("numbers")
    expected = model.predict_interval(NEW)
    for most in (1, 90 * 7):
        monkeypatch.setattr(conformal, "MAX_CELLS", most)
        np.testing.assert_array_equal(model.predict_interval(NEW), expected)


def test_both_sides_of_two_classes():
    np.testing.assert_array_equal(both_sides(np.array([[0.25, 1]])), [[0.75, 0], [0.25, 1]])
    np.testing.assert_array_equal(both_sides(np.eye(3)), np.eye(3))


# Coverage.


def halves(data):
    """Return two halves of a data set at random: training rows and targets, and new ones."""
    X, y = data
    order = np.random.default_rng(0).permutation(len(X))
    half = len(X) // 2
    return X[order[:half]], y[order[:half]], X[order[half:]], y[order[half:]]


@cache
def fit_to_half(load, **parameters):
    """Return an ensemble that has seen half of a data set, and the other half."""
    X, y, X_new, y_new = halves(load(return_X_y=True))
    kind = "number" if load is load_diabetes else "multiclass"
    return make(kind, **parameters).fit(X[:600], y[:600]), X_new[:600], y_new[:600]


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9])
def test_intervals_hold_as_many_targets_as_they_say(confidence):
    """Or some more: single networks miss by more than their mean."""
    model, X_new, y_new = fit_to_half(load_diabetes, cv=8, max_iter=16, n_bins=4)
    low, high = model.predict_interval(X_new, confidence).T
    is_in = (low <= y_new) & (y_new <= high)

    assert np.all(low < high)
    assert confidence - 0.03 <= is_in.mean() <= confidence + 0.1


def test_deviations_are_as_large_as_the_misses():
    model, X_new, y_new = fit_to_half(load_diabetes, cv=8, max_iter=16, n_bins=4)
    predicted, deviation = model.predict(X_new, return_std=True)

    assert 1 <= np.sqrt(np.mean(deviation**2)) / np.std(y_new - predicted) <= 1.3


@pytest.mark.parametrize("load", [load_breast_cancer, load_digits])
@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95])
def test_sets_hold_as_many_classes_as_they_say(confidence, load):
    model, X_new, y_new = fit_to_half(load, preset="fast", max_iter=8)
    chosen = model.predict_set(X_new, confidence)
    is_in = chosen[np.arange(len(y_new)), np.searchsorted(model.classes_, y_new)]

    # Sets are never empty: they hold at least as many as the most probable class.
    accuracy = model.score(X_new, y_new)
    assert is_in.mean() >= max(accuracy, confidence - 0.03)
    assert is_in.mean() <= max(accuracy, confidence + 0.06)


def test_deviations_have_the_unit_of_the_numbers():
    model, large = (make("number").fit(X, unit * TARGETS["number"]) for unit in (1, 2.0**900))
    (mean, deviation), (large_mean, large_deviation) = (
        each.predict(NEW, return_std=True) for each in (model, large)
    )

    np.testing.assert_allclose(large_mean, 2.0**900 * mean)
    np.testing.assert_allclose(large_deviation, 2.0**900 * deviation)
    assert large.oof_score_ == pytest.approx(model.oof_score_)
    assert large.score(X, 2.0**900 * TARGETS["number"]) == pytest.approx(
        model.score(X, TARGETS["number"])
    )
