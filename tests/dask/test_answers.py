"""Answers that are computed later, partition by partition."""

import pickle

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import accuracy_score, r2_score

from sknn.dask.answers import LazyScore, Sums
from sknn.losses import Quantile
from tests.dask.rows import (
    CODES,
    FRAME,
    LABELS,
    NAMES,
    NUMBERS,
    SHARES,
    SIGNS,
    WEIGHT,
    X,
    classifier,
    lazy,
    lazy_frame,
    parts,
    regressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("inline"),
]

TEXTS = FRAME["text"].to_numpy(object)


def never(block):
    raise AssertionError("somebody has computed something")


@pytest.fixture
def net(inline):
    return classifier().fit(lazy(X), lazy(CODES))


@pytest.fixture
def net_with_names(inline):
    frame = lazy_frame()
    return classifier().fit(frame[NAMES], frame["text"])


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_nothing_is_computed_when_an_answer_is_asked_for(net, method):
    X_ = lazy(X).map_blocks(never, dtype=float, meta=np.empty((0, 0)))

    found = getattr(net, method)(X_)

    assert isinstance(found, da.Array)
    with pytest.raises(AssertionError, match="somebody"):
        found.compute(scheduler="sync")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
@pytest.mark.parametrize("y", [CODES, SIGNS, LABELS, SHARES, TEXTS, CODES > 0, CODES + 0.0])
def test_lazy_answers_are_the_eager_ones(y, method):
    net = classifier().fit(lazy(X), lazy(y))

    found, expected = (getattr(net, method)(a) for a in (lazy(X), X))

    assert isinstance(expected, np.ndarray)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype == found.compute().dtype
    assert found.chunks[0] == (20, 20, 20)
    if expected.dtype.kind == "f":
        assert_allclose(found.compute(), expected, rtol=1e-12)
    else:
        assert_array_equal(found.compute(), expected)


@pytest.mark.parametrize("trained", [np.float32, np.float64])
@pytest.mark.parametrize("asked", [np.float16, np.float32, np.float64, np.int8])
def test_an_answer_has_the_dtype_that_it_announces(trained, asked):
    net = regressor().fit(lazy(X.astype(trained)), lazy(NUMBERS))
    frame = lazy_frame(FRAME[NAMES].astype(asked))

    for rows in (lazy(X.astype(asked)), frame.to_dask_array(lengths=True)):
        assert net.predict(rows).dtype == net.predict(rows).compute().dtype


def test_a_frame_of_single_precision_has_answers_of_it():
    frame = lazy_frame(FRAME[NAMES].astype(np.float32))
    net = regressor().fit(frame, lazy_frame()["number"])

    found = net.predict(frame)

    assert found.dtype == found.compute().dtype == np.float32


def test_texts_of_any_length_fit_into_an_answer():
    y = np.array(["a", "bb", "a-label-that-is-long"])[CODES]
    net = classifier(max_iter=40, learning_rate_init=0.05).fit(lazy(X), lazy(y))

    assert_array_equal(net.predict(lazy(X)).compute(), net.predict(X))
    assert set(net.predict(X)) == set(y)


def test_answers_to_a_frame_keep_its_index_and_divisions(net_with_names):
    frame = lazy_frame()[NAMES]

    found, proba = net_with_names.predict(frame), net_with_names.predict_proba(frame)

    assert_array_equal(found.compute().index, FRAME.index)
    assert found.divisions == frame.divisions
    assert_array_equal(found.compute(), net_with_names.predict(FRAME[NAMES]))
    assert list(proba.columns) == list(net_with_names.classes_)
    assert_allclose(proba.compute(), net_with_names.predict_proba(FRAME[NAMES]), rtol=1e-12)
    assert found.dtype == found.compute().dtype
    both = lazy_frame().assign(found=found)
    assert len(both[both.found == both.text].compute()) > 0


def test_empty_partitions_have_empty_answers(net_with_names):
    frame = parts(FRAME.iloc[:10], FRAME.iloc[:0], FRAME.iloc[30:40])
    rows = FRAME.iloc[[*range(10), *range(30, 40)]]

    for method in ("predict", "predict_proba"):
        found = getattr(net_with_names, method)(frame[NAMES])
        assert found.map_partitions(len).compute().tolist() == [10, 0, 10]
        expected = getattr(net_with_names, method)(rows[NAMES])
        if method == "predict":
            assert_array_equal(found.compute(), expected)
        else:
            assert_allclose(found.compute(), expected, rtol=1e-12)
    score = net_with_names.score(frame[NAMES], frame["text"])
    assert float(score) == net_with_names.score(rows[NAMES], rows["text"])


def test_chunks_of_unknown_sizes_have_answers(net):
    frame = lazy_frame()
    rows = frame[frame.a > 0][NAMES].to_dask_array()

    found = net.predict_proba(rows)

    assert np.isnan(found.shape[0])
    assert_allclose(found.compute(), net.predict_proba(X[X[:, 0] > 0]), rtol=1e-12)


def test_columns_may_be_cut_and_blocks_sparse(net):
    assert_array_equal(net.predict(lazy(X).rechunk((20, 2))).compute(), net.predict(X))
    sparse = lazy(X).map_blocks(sp.csr_matrix, dtype=float)
    assert_array_equal(net.predict(sparse).compute(), net.predict(X))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME[NAMES].round().astype("Int64"),
        FRAME[NAMES].astype("Float32"),
        FRAME[NAMES].round().assign(b=FRAME["b"] > 0),
    ],
    ids=["Int64", "Float32", "bool"],
)
def test_columns_may_be_of_any_numeric_type(frame):
    net = classifier().fit(lazy_frame(frame), lazy_frame()["code"])

    found = net.predict_proba(lazy_frame(frame)).compute()

    assert_allclose(found, net.predict_proba(frame.astype(float)), rtol=1e-5)


def test_gaps_are_named(net_with_names):
    frame = FRAME[NAMES].astype("Float64")
    frame.loc[3, "b"] = None

    with pytest.raises(ValueError, match="NaN"):
        net_with_names.predict(lazy_frame(frame)).compute(scheduler="sync")


def test_other_features_are_refused_at_once(net, net_with_names):
    frame = lazy_frame()
    with pytest.raises(ValueError, match="same order"):
        net_with_names.predict(frame[["c", "a", "b"]])
    with pytest.raises(ValueError, match=r"now missing:\n- c"):
        net_with_names.score(frame[["a", "b"]], frame["text"])
    with pytest.raises(ValueError, match="expecting 3 features"):
        net.predict(lazy(X[:, :2]))
    with pytest.raises(ValueError, match=r"two axes.*it has 1.*reshape"):
        net.predict(lazy(NUMBERS))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        net_with_names.predict(lazy(X))
    with pytest.warns(UserWarning, match="fitted without feature names"):
        net.predict(frame[NAMES])


def test_what_is_no_collection_is_answered_at_once(net):
    assert isinstance(net.predict(X), np.ndarray)
    assert isinstance(net.predict(X.tolist()), np.ndarray)
    assert isinstance(net.score(X, CODES), float)


def test_answers_are_those_of_the_network_that_was_asked(net):
    found, expected = net.predict_proba(lazy(X)), net.predict_proba(X)

    net.set_params(random_state=5).fit(lazy(X), lazy(CODES))

    assert_allclose(found.compute(), expected, rtol=1e-12)
    assert not np.allclose(net.predict_proba(X), expected)


def test_tasks_have_names_that_say_what_they_do(net):
    frame = lazy_frame()
    net_of_frame = classifier().fit(frame[NAMES], frame["code"])

    assert net.predict(lazy(X)).name.startswith("predict-")
    assert net.predict_proba(lazy(X)).name.startswith("predict_proba-")
    assert net.score(lazy(X), lazy(CODES)).name.startswith("score-")
    assert "dask.array<predict," in repr(net.predict(lazy(X)))
    assert net_of_frame.predict_proba(frame[NAMES])._name.startswith("predict_proba-")


def test_the_model_is_carried_once(net):
    graph = dict(net.predict(lazy(X)).__dask_graph__())
    sizes = sorted(len(pickle.dumps(task)) for task in graph.values())

    assert len(pickle.dumps(graph)) < 2 * len(pickle.dumps(net.to_local())) + 10_000
    assert sizes


# Several arrays.


@pytest.mark.parametrize("is_frame", [False, True])
def test_several_targets_have_a_list_of_probabilities(is_frame):
    y = np.c_[CODES, SIGNS * 2]
    rows = lazy_frame(FRAME[NAMES]) if is_frame else lazy(X)
    net = classifier().fit(rows, lazy_frame(pd.DataFrame(y)) if is_frame else lazy(y))

    found, expected = (
        net.predict_proba(rows),
        net.to_local().predict_proba(FRAME[NAMES] if is_frame else X),
    )

    assert isinstance(found, list)
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a.compute(), b, rtol=1e-12)
    if is_frame:
        assert [list(a.columns) for a in found] == [[0, 1, 2], [0, 2]]
    assert_array_equal(net.predict(rows).compute(), net.predict(FRAME[NAMES] if is_frame else X))


def test_deviations_are_lazy_too():
    net = regressor(loss="gaussian").fit(lazy(X), lazy(NUMBERS))

    mean, deviation = net.predict(lazy(X), return_std=True)

    expected = net.predict(X, return_std=True)
    assert_allclose(mean.compute(), expected[0], rtol=1e-12)
    assert_allclose(deviation.compute(), expected[1], rtol=1e-12)
    with pytest.raises(ValueError, match="return_std=True needs"):
        regressor().fit(lazy(X), lazy(NUMBERS)).predict(lazy(X), return_std=True)


def test_levels_of_several_targets_are_a_third_axis():
    net = regressor(loss=Quantile((0.1, 0.5, 0.9)))
    net.fit(lazy(X), lazy(np.c_[NUMBERS, X[:, 0]]))

    found = net.predict(lazy(X))

    assert found.shape == (60, 2, 3)
    assert_allclose(found.compute(), net.predict(X), rtol=1e-12)
    with pytest.raises(NotImplementedError, match=r"3 axes.*to_dask_array"):
        net.predict(dask_frame_without_names())


def dask_frame_without_names():
    return lazy_frame(pd.DataFrame(X))


# Scores.


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("y", [CODES, SIGNS, TEXTS, LABELS, np.c_[CODES, SIGNS], SHARES])
def test_accuracy_is_that_of_scikit_learn(y, weight):
    net = classifier(max_iter=9, learning_rate_init=0.05).fit(lazy(X), lazy(y))

    found = net.score(lazy(X), lazy(y), None if weight is None else lazy(weight))

    assert isinstance(found, LazyScore)
    assert found.shape == ()
    assert float(found) == pytest.approx(net.score(X, y, weight))
    if y.ndim == 1:
        expected = accuracy_score(y, net.predict(X), sample_weight=weight)
        assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("weight", [None, WEIGHT, np.where(np.arange(60) < 20, 0, WEIGHT)])
@pytest.mark.parametrize("y", [NUMBERS, np.c_[NUMBERS, X[:, 0] ** 2 + 1e6]])
def test_r2_is_that_of_scikit_learn(y, weight):
    net = regressor(max_iter=9, learning_rate_init=0.05).fit(lazy(X), lazy(y))

    found = net.score(lazy(X), lazy(y), None if weight is None else lazy(weight))

    expected = r2_score(y, net.predict(X), sample_weight=weight)
    assert float(found) == pytest.approx(expected, rel=1e-8)
    assert float(found) == pytest.approx(net.score(X, y, weight), rel=1e-8)


def test_a_constant_target_is_scored_as_scikit_learn_does():
    y = np.c_[NUMBERS, np.ones(60)]
    net = regressor().fit(lazy(X), lazy(y))

    assert float(net.score(lazy(X), lazy(y))) == pytest.approx(r2_score(y, net.predict(X)))


def test_a_score_is_a_number_for_those_who_need_one(net):
    score = net.score(lazy(X), lazy(CODES))

    assert score.item() == float(score) == net.score(X, CODES)
    assert isinstance(score + 1, da.Array)
    assert pickle.loads(pickle.dumps(score)).compute() == net.score(X, CODES)
    assert dask.compute(score) == (net.score(X, CODES),)


def test_scores_that_cannot_be_had_are_errors(net):
    with pytest.raises(ValueError, match="nothing to score"):
        float(net.score(lazy(X), lazy(CODES), lazy(np.zeros(60))))
    with pytest.raises(TypeError, match="y must be a Dask Array or DataFrame, got ndarray"):
        net.score(lazy(X), CODES)
    with pytest.raises(ValueError, match=r"X has \d0 rows, that of y \d0.*rechunk"):
        float(net.score(lazy(X), da.from_array(CODES, ((10, 30, 20),))))
    several = regressor(loss=Quantile((0.1, 0.9))).fit(lazy(X), lazy(NUMBERS))
    with pytest.raises(NotImplementedError, match="quantiles is no sum"):
        several.score(lazy(X), lazy(NUMBERS))


def test_sums_of_nothing_change_nothing():
    nothing = Sums(0.0, 0.0, np.zeros(1), np.zeros(1), np.zeros(1))
    some = Sums(2.0, -1.0, np.ones(2), np.ones(2), np.ones(2))

    for whole in (nothing.plus(some), some.plus(nothing)):
        assert whole.weight == 2
        assert_array_equal(whole.mean, some.mean)
        assert_array_equal(whole.spread, some.spread)
    assert nothing.plus(nothing).weight == 0
