import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_circles, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import RepeatedStratifiedKFold, TimeSeriesSplit

from sknn.tabular import TabularMLPClassifier
from tests.tabular.fits import (
    NEW,
    SCORES,
    TARGETS,
    X,
    fit,
    make,
    publish,
    say,
    say_out_of_fold,
)

CLASSES = ["binary", "multiclass", "labels", "several"]
every_kind = pytest.mark.parametrize("what", CLASSES)
one_target = pytest.mark.parametrize("what", ["binary", "multiclass"])


def is_right(what, predicted):
    """Return for each row whether all of its targets are predicted."""
    return (predicted == TARGETS[what]).reshape(90, -1).all(axis=1)


@one_target
def test_a_row_has_a_probability_for_each_class(what):
    model, n_classes = fit(what), len(np.unique(TARGETS[what]))
    probability = model.predict_proba(NEW)

    assert model.predict(NEW).shape == (40,)
    assert probability.shape == (40, n_classes)
    assert probability.dtype == np.float64
    assert model.oof_prediction_.shape == (90, n_classes)
    assert model.predict_set(NEW).shape == (40, n_classes)
    np.testing.assert_array_equal(model.classes_, np.unique(TARGETS[what]))
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(model.oof_prediction_.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.classes_[probability.argmax(axis=1)], model.predict(NEW))


def test_labels_have_a_probability_each():
    model = fit("labels")
    probability = model.predict_proba(NEW)

    assert model.predict(NEW).shape == probability.shape == (40, 3)
    assert model.oof_prediction_.shape == (90, 3)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    np.testing.assert_array_equal(model.predict(NEW), probability > 0.5)
    assert not np.allclose(probability.sum(axis=1), 1)


def test_several_targets_have_probabilities_each():
    model = fit("several")
    probability = model.predict_proba(NEW)

    assert model.predict(NEW).shape == (40, 2)
    assert [part.shape for part in probability] == [(40, 3), (40, 2)]
    assert [part.shape for part in model.oof_prediction_] == [(90, 3), (90, 2)]
    assert [classes.tolist() for classes in model.classes_] == [[0, 1, 2], [3, 4]]
    for k, part in enumerate(probability):
        np.testing.assert_allclose(part.sum(axis=1), 1, rtol=1e-12)
        expected = model.classes_[k][part.argmax(axis=1)]
        np.testing.assert_array_equal(model.predict(NEW)[:, k], expected)


@every_kind
def test_logarithms_are_those_of_the_probabilities(what):
    model = fit(what)
    logs, probability = model.predict_log_proba(NEW), model.predict_proba(NEW)
    if what != "several":
        logs, probability = [logs], [probability]

    for log, p in zip(logs, probability, strict=True):
        np.testing.assert_allclose(np.exp(log), p, rtol=1e-9)


@every_kind
def test_all_kinds_of_targets_are_learnt(what):
    model = make(what, max_iter=20).fit(X, TARGETS[what])
    values, counts = np.unique(TARGETS[what].reshape(90, -1), axis=0, return_counts=True)

    assert len(values) > 1
    assert model.oof_score_ > counts.max() / 90 + 0.1
    assert model.score(X, TARGETS[what]) >= model.oof_score_


@every_kind
@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 1, 90)], ids=["plain", "weighted"])
def test_scores_are_shares_of_rows_that_are_right(what, weight):
    model = make(what).fit(X, TARGETS[what], sample_weight=weight)
    if what == "several":
        parts = zip(model.classes_, model.oof_prediction_, strict=True)
        out_of_fold = np.column_stack([classes[p.argmax(axis=1)] for classes, p in parts])
    elif what == "labels":
        out_of_fold = model.oof_prediction_ > 0.5
    else:
        out_of_fold = model.classes_[model.oof_prediction_.argmax(axis=1)]

    expected = np.average(is_right(what, out_of_fold), weights=weight)
    assert model.oof_score_ == pytest.approx(expected)
    expected = np.average(is_right(what, model.predict(X)), weights=weight)
    assert model.score(X, TARGETS[what], weight) == pytest.approx(expected)
    if what != "several":
        assert expected == pytest.approx(
            accuracy_score(TARGETS[what], model.predict(X), sample_weight=weight)
        )


@every_kind
def test_the_score_leaves_out_what_no_fold_has_held_out(what):
    model = make(what, cv=TimeSeriesSplit(3)).fit(X, TARGETS[what])
    p = say_out_of_fold(model, X)
    known = ~np.isnan(p).any(axis=0)
    rounded = {
        "binary": lambda: p[0] > 0.5,
        "multiclass": lambda: model.classes_[np.nan_to_num(p).argmax(axis=0)],
        "labels": lambda: (p > 0.5).T,
        "several": lambda: np.stack([p[:3].argmax(axis=0), 3 + p[3:].argmax(axis=0)], axis=1),
    }
    right = is_right(what, rounded[what]())

    assert known.sum() == 66
    assert model.oof_score_ == pytest.approx(right[known].mean())


@one_target
def test_repeated_folds_are_judged_by_the_mean_of_the_probabilities(what):
    """It is what the misses of sets are compared with."""
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=3, random_state=0)
    model = make(what, cv=cv).fit(X, TARGETS[what])
    expected = publish(model, say_out_of_fold(model, X), out_of_fold=True)

    np.testing.assert_allclose(model.oof_prediction_, expected, rtol=1e-4, atol=1e-5)


def test_an_ensemble_learns_what_a_line_cannot():
    X, y = make_circles(400, noise=0.1, factor=0.5, random_state=0)
    model = make("binary", preset="fast", max_iter=8).fit(X[:200], y[:200])
    score = model.score(X[200:], y[200:])

    assert score > 0.9
    assert score > LogisticRegression().fit(X[:200], y[:200]).score(X[200:], y[200:]) + 0.3
    assert score == pytest.approx(model.oof_score_, abs=0.1)


def test_probabilities_are_frequencies():
    """Of noisy classes nearly as many occur as is said."""
    X, y = make_classification(
        1600, 5, n_informative=3, n_redundant=0, flip_y=0.3, class_sep=0.7, random_state=0
    )
    model = make("binary", preset="fast", max_iter=8).fit(X[:600], y[:600])
    share, said = calibration_curve(y[600:], model.predict_proba(X[600:])[:, 1], n_bins=4)

    np.testing.assert_allclose(share, said, atol=0.15)


# Forms of targets.


@pytest.mark.parametrize(
    "y",
    [
        np.where(TARGETS["binary"], "yes", "no"),
        np.where(TARGETS["binary"], "yes", "no").astype(object),
        np.where(TARGETS["binary"], 7, -3),
        np.where(TARGETS["binary"], 1.0, 0.0),
        np.where(TARGETS["binary"], "yes", "no").tolist(),
        pd.Series(np.where(TARGETS["binary"], "yes", "no"), index=range(5, 95)),
        pd.Series(np.where(TARGETS["binary"], "yes", "no"), dtype="category"),
        pd.Series(np.where(TARGETS["binary"], "yes", "no"), dtype="string"),
        pd.Series(TARGETS["binary"], dtype="boolean"),
    ],
    ids=lambda y: str(getattr(y, "dtype", "list")),
)
def test_labels_come_back_as_they_were(y):
    model = make("binary").fit(X, y)

    assert model.classes_.tolist() == sorted(set(y))
    assert set(model.predict(X).tolist()) == set(y)
    np.testing.assert_array_equal(model.predict_proba(NEW), fit("binary").predict_proba(NEW))
    assert model.score(X, y) == fit("binary").score(X, TARGETS["binary"])


def test_many_classes_keep_their_order():
    y = 10 * (np.arange(90) % 6)
    model = make("multiclass").fit(X, y)

    np.testing.assert_array_equal(model.classes_, [0, 10, 20, 30, 40, 50])
    assert set(model.predict(X)) <= set(model.classes_)


@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_array])
def test_labels_may_be_sparse(container):
    model = make("labels").fit(X, container(TARGETS["labels"]))
    predicted = model.predict(NEW)

    assert sp.issparse(predicted)
    np.testing.assert_array_equal(predicted.toarray(), fit("labels").predict(NEW))
    np.testing.assert_array_equal(model.predict_proba(NEW), fit("labels").predict_proba(NEW))
    assert model.score(X, container(TARGETS["labels"])) == fit("labels").score(X, TARGETS["labels"])


def test_several_targets_may_be_words():
    words = np.column_stack([TARGETS["multiclass"], np.where(TARGETS["binary"], "yes", "no")])
    model = make("several").fit(X, words)

    assert [classes.tolist() for classes in model.classes_] == [["a", "b", "c"], ["no", "yes"]]
    assert set(model.predict(NEW)[:, 1]) <= {"no", "yes"}
    assert model.score(X, words) > 0


def test_probabilities_are_targets():
    soft = softmax(2 * SCORES, axis=1)
    model = make("multiclass", max_iter=20).fit(X, soft)
    probability = model.predict_proba(NEW)

    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    np.testing.assert_array_equal(model.predict(NEW), probability.argmax(axis=1))
    right = model.predict(X) == soft.argmax(axis=1)
    assert right.mean() > 0.6
    assert model.score(X, soft) == pytest.approx(right.mean())
    right = model.oof_prediction_.argmax(axis=1) == soft.argmax(axis=1)
    assert model.oof_score_ == pytest.approx(right.mean())


@pytest.mark.parametrize("y", [np.zeros(90), np.full(90, "only"), np.ones(90, bool)], ids=str)
def test_a_single_class_is_learnt(y):
    model = make("binary").fit(X, y)

    np.testing.assert_array_equal(model.classes_, np.unique(y))
    np.testing.assert_array_equal(model.predict(NEW), np.full(40, y[0]))
    np.testing.assert_array_equal(model.predict_proba(NEW), np.ones((40, 1)))
    np.testing.assert_array_equal(model.predict_log_proba(NEW), np.zeros((40, 1)))
    np.testing.assert_array_equal(model.oof_prediction_, np.ones((90, 1)))
    assert model.oof_score_ == model.score(X, y) == 1


def test_the_set_of_a_single_class_is_that_class():
    model = make("binary").fit(X, np.full(90, "only"))

    np.testing.assert_array_equal(model.predict_set(NEW), np.ones((40, 1), bool))


def test_one_of_several_targets_may_have_a_single_class():
    y = np.column_stack([SCORES.argmax(axis=1), np.full(90, 5)])
    model = make("several").fit(X, y)

    assert set(model.predict(NEW)[:, 1]) == {5}
    np.testing.assert_allclose(model.predict_proba(NEW)[1], 1)


def test_a_label_may_be_the_same_everywhere():
    y = TARGETS["labels"].copy()
    y[:, 1], y[:, 2] = 1, 0
    model = make("labels", max_iter=20).fit(X, y)

    assert set(model.predict(NEW)[:, 1]) == {1}
    assert set(model.predict(NEW)[:, 2]) == {0}


def test_sets_are_of_one_target():
    for what in ("labels", "several"):
        with pytest.raises(ValueError, match="predict_set needs a single target"):
            fit(what).predict_set(NEW)


@pytest.mark.parametrize("y", [SCORES[:, 0], SCORES], ids=["one", "several"])
def test_numbers_are_no_classes(y):
    with pytest.raises(ValueError, match="Unknown label type"):
        make("binary").fit(X, y)


# Rare classes.


def rare(n_rows):
    """Return classes of which one has so few rows."""
    y = np.where(SCORES[:, 0] > 0, "b", "c")
    y[:n_rows] = "a"
    return y


@pytest.mark.parametrize("n_rare", [2, 3, 4])
def test_folds_are_as_many_as_the_rarest_class_has_rows(n_rare):
    with pytest.warns(UserWarning, match=f"has {n_rare} rows, fewer than cv=5 folds: cv={n_rare}"):
        model = make("multiclass", cv=5).fit(X, rare(n_rare))

    assert {len(kind.members) for kind in model.members_} == {n_rare}
    for kind in model.members_:
        for member in kind.members:
            assert set(rare(n_rare)[member.fold.held_out]) == {"a", "b", "c"}
    assert model.predict_proba(NEW).shape == (40, 3)


def test_a_class_of_a_single_row_is_known():
    with pytest.warns(UserWarning, match="rarest class has a single row"):
        model = make("multiclass").fit(X, rare(1))

    assert model.classes_.tolist() == ["a", "b", "c"]
    assert {len(kind.members) for kind in model.members_} == {3}
    assert np.isfinite(model.predict_proba(NEW)).all()
    assert np.isfinite(model.oof_prediction_).all()
    assert model.predict_set(NEW).any(axis=1).all()


@one_target
def test_folds_are_stratified(what):
    y = TARGETS[what]
    for kind in fit(what).members_:
        counts = [pd.Series(y[m.fold.held_out]).value_counts().sort_index() for m in kind.members]
        assert np.ptp(np.stack(counts), axis=0).max() <= 1


# Weights of classes.


def positive(model):
    return model.predict_proba(X)[:, 1].mean()


def test_a_class_of_more_weight_is_predicted_more_often():
    more, less = (
        positive(make("binary", class_weight={True: w}).fit(X, TARGETS["binary"]))
        for w in (10, 0.1)
    )

    assert less < positive(fit("binary")) < more


def test_weights_of_classes_multiply_those_of_rows():
    y, given = TARGETS["multiclass"], np.linspace(0.5, 1.5, 90)
    table = {"a": 2.0, "b": 0.5, "c": 1.0}
    both = given * np.array([table[label] for label in y])
    one = make("multiclass", class_weight=table).fit(X, y, sample_weight=given)
    other = make("multiclass").fit(X, y, sample_weight=both)

    np.testing.assert_array_equal(one.predict_proba(NEW), other.predict_proba(NEW))
    np.testing.assert_array_equal(one.oof_prediction_, other.oof_prediction_)


def test_balanced_classes_weigh_the_same():
    y = rare(30)
    counts = pd.Series(y).value_counts()
    table = {label: 90 / 3 / count for label, count in counts.items()}
    one = make("multiclass", class_weight="balanced").fit(X, y)
    other = make("multiclass", class_weight=table).fit(X, y)

    np.testing.assert_allclose(one.predict_proba(NEW), other.predict_proba(NEW), rtol=1e-4)


def test_labels_and_several_targets_have_weights_of_their_own():
    labels = make("labels", class_weight={0: 20.0, 1: 1.0, 2: 1.0}).fit(X, TARGETS["labels"])
    assert labels.predict_proba(X)[:, 0].mean() > fit("labels").predict_proba(X)[:, 0].mean()
    several = make("several", class_weight=[{0: 20.0}, {3: 1.0}]).fit(X, TARGETS["several"])
    before = fit("several").predict_proba(X)
    assert several.predict_proba(X)[0][:, 0].mean() > before[0][:, 0].mean()


@pytest.mark.parametrize(
    ("what", "class_weight", "message"),
    [
        ("multiclass", {"a": -1}, "class_weight"),
        ("multiclass", dict.fromkeys("abc", 0), "class_weight leaves no sample"),
        ("multiclass", [{"a": 1}], "is a list, for several targets"),
        ("several", [{0: 1}], "has 1 dicts, but y has 2 targets"),
    ],
)
def test_bad_weights_of_classes_are_refused(what, class_weight, message):
    with pytest.raises(ValueError, match=message):
        make(what, class_weight=class_weight).fit(X, TARGETS[what])


def test_a_mistaken_class_is_warned_of_once():
    with pytest.warns(UserWarning, match="which is not among the classes") as said:
        make("binary", class_weight={"maybe": 3}).fit(X, TARGETS["binary"])

    assert len(said) == 1


def test_rows_without_weight_are_not_learnt_from():
    """Half of the rows have the other class, and no weight."""
    y = TARGETS["binary"].copy()
    weight = np.where(np.arange(90) % 2, 1.0, 0.0)
    wrong = np.where(weight == 0, ~y, y)
    model = make("binary", max_iter=20).fit(X, wrong, sample_weight=weight)

    assert model.score(X, y) > 0.75
    assert model.score(X, wrong) < 0.6
    assert model.oof_score_ == pytest.approx(model_score(model, wrong, weight))


def model_score(model, y, weight):
    predicted = model.classes_[model.oof_prediction_.argmax(axis=1)]
    return np.average(predicted == y, weights=weight)


# What is the classifier's own.


def test_smoothing_takes_the_place_of_the_presets():
    model = fit("multiclass", label_smoothing=0.4)

    assert {kind.kind.label_smoothing for kind in model.members_} == {0.4}
    assert [numbers["label_smoothing"] for numbers in model.preset_["kinds"]] == [0.4] * len(
        model.members_
    )
    assert not np.array_equal(model.oof_prediction_, fit("multiclass").oof_prediction_)


def test_smoothing_draws_raw_scores_together():
    """Temperatures may undo it, later."""

    def spread(share):
        kind = fit("binary", label_smoothing=share, max_iter=30).members_[0]
        raw = [kind.predict(m, kind.n_moments - 1, kind.encoder.transform(X)) for m in kind.members]
        return np.abs(raw).mean()

    assert spread(0.0) > 1.3 * spread(0.5)


@every_kind
def test_temperatures_are_those_that_were_found(what):
    model = fit(what)
    temperatures = model.member_weights_["temperature"]

    assert np.all((temperatures > 0.09) & (temperatures < 10))
    np.testing.assert_array_equal(temperatures, model._ensemble.blend.temperatures)


@every_kind
@pytest.mark.parametrize("preset", ["fast", "best"])
def test_probabilities_are_the_mean_of_all_networks_at_its_temperature(what, preset):
    model = fit(what, preset=preset)
    mean = sum(answers.mean(axis=0) for answers in say(model, NEW))
    found = model.predict_proba(NEW)
    found = np.hstack(found) if what == "several" else found

    np.testing.assert_allclose(found, publish(model, mean), rtol=1e-4, atol=1e-5)


def test_an_estimator_is_a_classifier_to_tools():
    tags = TabularMLPClassifier().__sklearn_tags__()

    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label
    assert tags.target_tags.multi_output
    assert tags.input_tags.allow_nan
    assert tags.input_tags.categorical
