"""Targets in the pickles of versions before 0.3.0 are those of today."""

import numpy as np
import pytest
import scipy.sparse as sp

from sknn.estimators.targets import LabelEncoding, MultiOutputEncoding, SoftEncoding, upgrade
from sknn.losses import CLASSIFICATION_LOSSES, SquaredError
from sknn.targets import Classes, Labels, Numbers, Probabilities, SeveralClasses

LOSS = CLASSIFICATION_LOSSES.resolve("log_loss").for_targets(True, False)


def encoding(kind, classes, is_multilabel=False, container=None):
    """Return what an old pickle holds of the targets."""
    old = kind.__new__(kind)
    vars(old).update(classes=classes, is_multilabel=is_multilabel, container=container)
    return old


def upgraded(old, **attributes):
    """Return the attributes of an estimator after the upgrade."""
    attributes = {"alpha": 0.1, "_loss": LOSS, "_encoding": old} | attributes
    upgrade(attributes)
    return attributes


@pytest.mark.parametrize(
    ("old", "kind", "y"),
    [
        (encoding(LabelEncoding, np.array(["a", "b", "c"])), Classes, np.array(["c", "a"])),
        (encoding(LabelEncoding, np.array([3, 7])), Classes, np.array([7, 3])),
        (encoding(LabelEncoding, np.arange(2), True), Labels, np.array([[1, 0], [1, 1]])),
        (encoding(SoftEncoding, np.arange(2)), Probabilities, np.array([[0.2, 0.8], [0.7, 0.3]])),
        (
            encoding(MultiOutputEncoding, [np.array([0, 1]), np.array([7, 8, 9])]),
            SeveralClasses,
            np.array([[0, 9], [1, 7]]),
        ),
    ],
    ids=["classes", "two classes", "labels", "probabilities", "several"],
)
def test_each_encoding_becomes_the_kind_of_targets_that_it_was(old, kind, y):
    attributes = upgraded(old)
    targets = attributes["_targets"]

    assert attributes.keys() == {"alpha", "_targets"}
    assert type(targets) is kind
    assert targets.classes is old.classes
    assert targets.loss is targets.settings.loss is LOSS
    targets.check(y)
    decision = targets.decide(targets.encode(y).T.astype(float))
    expected = y.argmax(axis=1) if kind is Probabilities else y
    np.testing.assert_array_equal(targets.decode(decision), expected)


def test_sparse_labels_are_predicted_in_their_container():
    targets = upgraded(encoding(LabelEncoding, np.arange(2), True, sp.csr_array))["_targets"]
    decoded = targets.decode(np.array([[True], [False]]))

    assert isinstance(decoded, sp.csr_array)
    np.testing.assert_array_equal(decoded.toarray(), [[1, 0]])


def test_weights_of_classes_stay():
    factors = [np.array([1.0, 5.0])]
    attributes = upgraded(encoding(LabelEncoding, np.array([3, 7])), _class_factors=factors)
    targets = attributes["_targets"]

    assert "_class_factors" not in attributes
    np.testing.assert_array_equal(targets.weigh(targets.encode(np.array([7, 3])), None), [5, 1])


def test_without_an_encoding_they_were_numbers():
    attributes = {"_loss": SquaredError(), "n_outputs_": 3}
    loss = attributes["_loss"]
    upgrade(attributes)

    assert attributes["_targets"] == Numbers(
        settings=attributes["_targets"].settings, loss=loss, n_columns=3
    )
    assert attributes.keys() == {"n_outputs_", "_targets"}


def test_what_is_up_to_date_or_has_not_been_fitted_is_left_alone():
    for attributes in ({"alpha": 0.1}, {"_targets": "today's", "classes_": [0, 1]}):
        before = dict(attributes)
        upgrade(attributes)
        assert attributes == before
