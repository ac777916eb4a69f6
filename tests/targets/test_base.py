"""The contract of targets, over all kinds: what is encoded comes back."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from sknn.losses import CLASSIFICATION_LOSSES, SquaredError
from sknn.targets import (
    Classes,
    Labels,
    Numbers,
    Probabilities,
    SeveralClasses,
    TargetSettings,
    learn_classes,
)

SETTINGS = TargetSettings(loss=CLASSIFICATION_LOSSES.resolve("log_loss"), loss_name="log_loss")
N = 40
RNG = np.random.default_rng(0)
CODES = RNG.permutation(np.arange(N) % 3)
NAMES = np.array(["setosa", "versicolor", "virginica"])[CODES]
INDICATORS = (RNG.random((N, 4)) < 0.5).astype(int)
KINDS = {
    "two numbers": (Classes, np.where(CODES == 1, 7, -3)),
    "two names": (Classes, np.where(CODES == 1, "yes", "no")),
    "bools": (Classes, CODES == 1),
    "three numbers": (Classes, CODES * 10 - 5),
    "three names": (Classes, NAMES),
    "objects": (Classes, NAMES.astype(object)),
    "one class": (Classes, np.full(N, "only")),
    "labels": (Labels, INDICATORS),
    "sparse labels": (Labels, sp.csr_matrix(INDICATORS)),
    "probabilities": (Probabilities, RNG.dirichlet([0.5] * 5, N)),
    "two probabilities": (Probabilities, RNG.dirichlet([1.0, 2.0], N)),
    "several": (SeveralClasses, np.column_stack([CODES, RNG.permutation(np.arange(N) % 5) + 3])),
    "several of names": (SeveralClasses, np.column_stack([NAMES, NAMES[::-1]]).astype(object)),
}
kinds = pytest.mark.parametrize("name", KINDS)


def learn(name, settings=SETTINGS):
    """Return targets of a kind that are ready for training, what was given, and it encoded."""
    y = KINDS[name][1]
    targets = learn_classes(y, None, "auto", settings)
    encoded = targets.encode(y)
    return targets.weighted(encoded, None), y, encoded


def labels_in(y):
    """Return the labels as a model would predict them."""
    if y.dtype.kind == "f":
        return y.argmax(axis=1)
    return y.toarray() if sp.issparse(y) else y


def are_equal(one, other):
    """Say for each sample whether all of its labels are equal."""
    return (labels_in(one) == labels_in(other)).reshape(N, -1).all(axis=1)


def assert_same_labels(found, expected):
    assert sp.issparse(found) is sp.issparse(expected)
    np.testing.assert_array_equal(labels_in(found), labels_in(expected))


@kinds
def test_encoded_targets_taken_for_probabilities_are_the_labels(name):
    targets, y, encoded = learn(name)

    assert type(targets) is KINDS[name][0]
    assert encoded.shape == (N, targets.n_outputs)
    assert encoded.dtype.kind == ("f" if targets.are_soft else "b")
    decision = targets.decide(encoded.T.astype(float))
    assert_same_labels(targets.decode(decision), y)
    assert targets.is_right(decision, encoded).all()


@kinds
def test_a_decision_is_right_where_the_whole_label_is(name):
    targets, y, encoded = learn(name)
    other = RNG.permutation(N)
    decision = targets.decide(encoded[other].T.astype(float))

    np.testing.assert_array_equal(targets.is_right(decision, encoded), are_equal(y[other], y))


@kinds
def test_raw_scores_that_are_certain_predict_the_labels(name):
    targets, y, encoded = learn(name)
    raw = 20.0 * encoded.T - 10

    assert_same_labels(targets.predict(raw.copy()), y)
    assert targets.score(raw.copy(), encoded, None) == 1.0
    weight = np.arange(N)
    expected = np.average(are_equal(y[::-1], y), weights=weight)
    assert targets.score(raw[:, ::-1].copy(), encoded, weight) == pytest.approx(expected)


@kinds
def test_probabilities_are_those_of_their_logarithms(name):
    targets, _, _ = learn(name)
    raw = np.random.default_rng(1).standard_normal((targets.n_outputs, N))
    answers = targets.predict_proba(raw.copy()), targets.predict_log_proba(raw.copy())
    if not isinstance(answers[0], list):
        answers = [answers[0]], [answers[1]]

    for probability, logarithm in zip(*answers, strict=True):
        np.testing.assert_allclose(np.log(probability), logarithm, rtol=1e-9, atol=1e-12)
        if not isinstance(targets, Labels):
            np.testing.assert_allclose(probability.sum(axis=1), 1)
    classes = targets.classes if isinstance(targets, SeveralClasses) else [targets.classes]
    assert [p.shape for p in answers[0]] == [(N, len(c)) for c in classes]


@kinds
def test_what_was_learnt_accepts_itself_and_refuses_another_kind(name):
    targets, y, _ = learn(name)
    targets.check(y, must_have_all=True)
    other = INDICATORS[:, :3] if isinstance(targets, Classes) else np.array([0.5, 1.5] * 20)
    with pytest.raises(ValueError, match="`y_val`"):
        targets.check(other, name="y_val")


@kinds
def test_targets_do_not_change(name):
    targets, _, encoded = learn(name)
    before = replace(targets)
    settings = replace(SETTINGS, label_smoothing=0.2)
    adopted = targets.adopt(settings)
    adopted.weighted(encoded, np.ones(N))
    targets.for_training(encoded)

    assert vars(targets) == vars(before)
    assert adopted.settings is settings
    assert adopted.classes is targets.classes
    assert adopted.published() == {"classes_": targets.classes, "n_outputs_": targets.n_outputs}


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name][0] is not Probabilities])
def test_smoothed_targets_have_the_share_and_its_rest(name):
    targets, y, encoded = learn(name, replace(SETTINGS, label_smoothing=0.2))
    smoothed = targets.for_training(encoded)
    groups = np.split(smoothed, np.cumsum(getattr(targets, "sizes", [len(smoothed[0])]))[:-1], 1)

    assert_same_labels(targets.decode(targets.decide(smoothed.T)), y)
    if targets.is_one_of_many or isinstance(targets, SeveralClasses):
        for group in groups:
            np.testing.assert_allclose(group.sum(axis=1), 1)
            np.testing.assert_allclose(group.min(), 0.2 / group.shape[1])
    else:
        np.testing.assert_allclose(smoothed, np.where(encoded, 0.9, 0.1))


def test_of_numbers_there_are_neither_weights_nor_strata_nor_doubts():
    y, weight = np.arange(6.0), np.arange(1.0, 7.0)
    targets = Numbers.learn(y, TargetSettings(loss=SquaredError()))
    encoded = targets.encode(y)

    assert targets.are_numbers
    assert targets.weighted(encoded, weight) == targets
    assert targets.weigh(encoded, weight) is weight
    assert targets.for_training(encoded) is encoded
    assert targets.strata(encoded, 2) is None
    assert targets.doubts(0.0, encoded, weight) == ""


def test_a_further_call_has_the_loss_of_its_settings():
    y = np.arange(6.0)
    targets = Numbers.learn(y, TargetSettings(loss=SquaredError()))
    other = TargetSettings(loss=SquaredError())
    adopted = targets.adopt(other)

    assert adopted.loss is targets.loss
    assert adopted.weighted(targets.encode(y), None).loss is other.loss is not targets.loss
