"""Classes: in one pass over y, and right where only some partitions have them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sknn import MLPClassifier
from sknn.dask import DaskMLPClassifier
from sknn.dask.tasks import take_steps
from sknn.export import to_python, to_sklearn
from sknn.inspection import input_gradients
from sknn.targets.class_weight import class_factors
from tests.dask.rows import (
    CODES,
    FRAME,
    LABELS,
    NAMES,
    NUMBERS,
    SETTINGS,
    SHARES,
    WEIGHT,
    X,
    classifier,
    lazy,
    lazy_frame,
    parts,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("inline"),
]


@pytest.mark.parametrize(
    "dtype", ["object", "string[pyarrow]", "str", "category"], ids=lambda name: name
)
def test_texts_come_in_any_type(dtype):
    frame = lazy_frame(FRAME.assign(text=FRAME["text"].astype(dtype)))

    net = classifier().fit(frame[NAMES], frame["text"])

    assert net.classes_.tolist() == ["certainly", "maybe", "no"]
    assert set(net.predict(frame[NAMES]).compute()) <= set(net.classes_)
    assert 0 <= float(net.score(frame[NAMES], frame["text"])) <= 1


@pytest.mark.parametrize("dtype", ["bool", "boolean", "Int64", "int8", "float32", "category"])
def test_numbers_and_bools_are_labels(dtype):
    frame = lazy_frame(FRAME.assign(code=(FRAME["code"] > 0).astype(dtype)))

    net = classifier().fit(frame[NAMES], frame["code"])

    assert net.classes_.tolist() == [0, 1]
    expected = MLPClassifier(**SETTINGS).fit(X, np.asarray(FRAME["code"] > 0))
    assert net.n_outputs_ == expected.n_outputs_ == 1


def test_a_class_may_be_in_one_partition_only():
    order = np.argsort(CODES, kind="stable")
    net = classifier().fit(lazy(X[order]), lazy(CODES[order]))

    assert_array_equal(net.classes_, [0, 1, 2])
    assert net.predict_proba(X).shape == (60, 3)


def test_a_class_of_several_targets_may_be_in_one_row_only():
    X_ = np.zeros((600, 3))
    y = np.zeros((600, 2), int)
    y[::2] = 1
    y[555, 1] = 7

    net = classifier().fit(lazy(X_, 300), lazy(y, 300))

    assert [classes.tolist() for classes in net.classes_] == [[0, 1], [0, 1, 7]]


def test_empty_partitions_have_no_classes():
    frame = parts(FRAME.iloc[:0], FRAME.iloc[:25], FRAME.iloc[:0], FRAME.iloc[25:])

    net = classifier().fit(frame[NAMES], frame["text"])

    other = classifier().fit(lazy_frame()[NAMES], lazy_frame()["text"])
    assert_array_equal(net.coefs_[0], other.coefs_[0])


def test_partitions_may_be_filtered_and_their_sizes_unknown():
    frame = lazy_frame()
    some = frame[frame.a > 0]
    rows = FRAME[FRAME.a > 0]

    net = classifier().fit(some[NAMES].to_dask_array(), some["code"].to_dask_array())

    other = classifier().fit(lazy(rows[NAMES]), lazy(rows["code"]))
    assert_array_equal(net.coefs_[0], other.coefs_[0])


def test_one_class_is_one_answer():
    net = classifier().fit(lazy(X), lazy(np.full(60, "x")))

    assert net.predict(lazy(X)).compute().tolist() == ["x"] * 60
    assert_array_equal(net.predict_proba(lazy(X)).compute(), np.ones((60, 1)))


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_balanced_weights_are_those_of_all_rows(weight, inline):
    order = np.argsort(CODES, kind="stable")
    given = None if weight is None else weight[order]
    classifier(class_weight="balanced").fit(
        lazy(X[order]), lazy(CODES[order]), None if weight is None else lazy(given)
    )

    factors = class_factors("balanced", np.arange(3), CODES[order], given)
    expected = factors[CODES[order]] * (1 if given is None else given)
    shards = [arguments[0] for arguments in inline.arguments_of(take_steps)[:3]]
    for shard in shards:
        np.testing.assert_allclose(shard.weight, expected[shard.number :: 3])


def test_a_mistyped_class_is_named():
    with pytest.warns(UserWarning, match=r"an entry for 'certainli'.*mean 'certainly'"):
        classifier(class_weight={"certainli": 2}).fit(lazy_frame()[NAMES], lazy_frame()["text"])


@pytest.mark.parametrize("y", [LABELS, np.c_[CODES, CODES]])
def test_balanced_weights_of_a_matrix_are_refused(y):
    with pytest.raises(ValueError, match=r"class_weight='balanced' on a cluster.*as a dict"):
        classifier(class_weight="balanced").fit(lazy(X), lazy(y))


def gap(column, value):
    frame = FRAME.astype({column: object})
    frame.loc[33, column] = value
    return lazy_frame(frame)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (lazy(NUMBERS), "Unknown label type: continuous.*use a regressor"),
        (gap("text", None)["text"], "y contains NaN, or None"),
        (gap("code", np.nan)["code"], "y contains NaN, or None"),
        (lazy(np.where(CODES == 1, np.nan, CODES)), "y contains NaN"),
        (lazy(np.where(SHARES > 0.5, -1, SHARES)), "Unknown label type: continuous-multi"),
        (lazy(np.where(np.arange(60) < 20, "x", CODES.astype(object))), "texts and others numbers"),
    ],
)
def test_what_is_no_label_is_refused(y, match):
    X_ = lazy_frame()[NAMES] if hasattr(y, "npartitions") and not hasattr(y, "chunks") else lazy(X)
    with pytest.raises(ValueError, match=match):
        classifier().fit(X_, y)


@pytest.mark.parametrize("other", [np.minimum(CODES, 1), CODES + 1])
def test_a_warm_start_needs_the_same_classes(other):
    net = classifier(warm_start=True).fit(lazy(X), lazy(CODES))

    with pytest.raises(ValueError, match="same classes as in the previous call"):
        net.fit(lazy(X), lazy(other))
    assert len(net.fit(lazy(X), lazy(CODES)).loss_curve_) == 6


def test_soft_targets_and_labels_are_told_apart_as_on_one_machine():
    assert classifier().fit(lazy(X), lazy(SHARES)).out_activation_ == "softmax"
    assert classifier().fit(lazy(X), lazy(LABELS)).out_activation_ == "logistic"
    hard = np.eye(3)[CODES]
    assert classifier(target_type="soft").fit(lazy(X), lazy(hard)).out_activation_ == "softmax"


def test_to_local_is_the_plain_classifier():
    net = classifier(dropout=0.1, class_weight={0: 2}).fit(lazy(X), lazy(CODES))

    local = net.to_local()

    assert type(local) is MLPClassifier
    assert local.get_params() == {
        name: value for name, value in net.get_params().items() if name in local.get_params()
    }
    assert_array_equal(local.predict_proba(X), net.predict_proba(X))
    assert_array_equal(local.classes_, net.classes_)


def test_several_frames_of_targets_keep_their_types():
    targets = pd.DataFrame({"one": CODES, "other": CODES % 2})
    net = classifier().fit(lazy(X), lazy(targets))

    assert_array_equal(net.predict(lazy(X)).compute(), net.predict(X))


def test_the_tags_are_those_of_a_classifier_without_sparse_rows():
    tags = DaskMLPClassifier().__sklearn_tags__()

    assert tags.estimator_type == "classifier"
    assert tags.classifier_tags.multi_label
    assert not tags.input_tags.sparse


def test_a_network_of_a_cluster_is_exported_and_explained_as_its_counterpart(inline):
    net = classifier().fit(lazy(X), lazy(CODES))
    local = net.to_local()

    np.testing.assert_array_equal(to_sklearn(net).predict(X), net.predict(X))
    assert to_python(net) == to_python(local)
    np.testing.assert_array_equal(input_gradients(net, X), input_gradients(local, X))
