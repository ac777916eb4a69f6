"""Numbers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn import MLPRegressor
from sknn.dask import DaskMLPRegressor
from sknn.losses import Quantile
from tests.dask.rows import (
    FRAME,
    NAMES,
    NUMBERS,
    X,
    lazy,
    lazy_frame,
    parts,
    regressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.usefixtures("inline"),
]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "bool"])
def test_targets_may_be_of_any_numeric_type(dtype):
    y = FRAME["number"].round() if dtype != "bool" else FRAME["number"] > 1
    frame = lazy_frame(FRAME.assign(number=y.astype(dtype)))

    net = regressor().fit(frame[NAMES], frame["number"])

    other = regressor().fit(frame[NAMES], lazy(np.asarray(y, float)))
    assert_array_equal(net.coefs_[0], other.coefs_[0])


def test_empty_partitions_add_nothing():
    frame = parts(FRAME.iloc[:0], FRAME.iloc[:25], FRAME.iloc[:0], FRAME.iloc[25:])
    settings = {"early_stopping": True}

    net = regressor(**settings).fit(frame[NAMES], frame[["number", "a"]])

    other = regressor(**settings).fit(lazy_frame()[NAMES], lazy_frame()[["number", "a"]])
    assert_array_equal(net.coefs_[0], other.coefs_[0])
    assert net.validation_scores_ == pytest.approx(other.validation_scores_)
    score = net.score(frame[NAMES], frame[["number", "a"]])
    assert float(score) == pytest.approx(net.score(FRAME[NAMES], FRAME[["number", "a"]]))


def test_a_column_is_one_target():
    column, vector = (regressor().fit(lazy(X), lazy(y)) for y in (NUMBERS[:, np.newaxis], NUMBERS))

    assert_array_equal(column.coefs_[0], vector.coefs_[0])
    assert column.predict(lazy(X)).shape == (60,)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "huber", "quantile", "gaussian"])
def test_any_loss_is_scored_as_on_one_machine(loss):
    y = np.abs(NUMBERS) + 0.1
    net = regressor(loss=loss, early_stopping=True).fit(lazy(X), lazy(y))

    assert float(net.score(lazy(X), lazy(y))) == pytest.approx(net.to_local().score(X, y))


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.where(NUMBERS > 2, np.nan, NUMBERS), "y contains NaN or infinity, in shard"),
        (np.where(NUMBERS > 2, np.inf, NUMBERS), "y contains NaN or infinity, in shard"),
        (np.full(60, "x"), "a regressor needs numbers"),
        (np.where(NUMBERS > 2, None, NUMBERS), "y contains NaN, or None"),
    ],
)
def test_what_is_no_number_is_refused(y, match):
    with pytest.raises(ValueError, match=match):
        regressor().fit(lazy(X), lazy(y))


def test_targets_outside_of_the_range_of_a_loss_are_named():
    with pytest.raises(ValueError, match="loss='poisson'"):
        regressor(loss="poisson").fit(lazy(X), lazy(NUMBERS))


def test_the_score_of_several_quantiles_cannot_be_watched():
    several = Quantile((0.1, 0.9))
    with pytest.raises(ValueError, match=r"scoring=None with loss=Quantile.*scoring='loss'"):
        regressor(loss=several, early_stopping=True).fit(lazy(X), lazy(NUMBERS))

    net = regressor(loss=several, early_stopping=True, scoring="loss").fit(lazy(X), lazy(NUMBERS))
    assert net.predict(lazy(X)).shape == (60, 2)


def test_to_local_is_the_plain_regressor():
    net = regressor(dropout=0.1).fit(lazy(X), lazy(NUMBERS))

    local = net.to_local()

    assert type(local) is MLPRegressor
    assert_array_equal(local.predict(X), net.predict(X))
    assert local.partial_fit(X, NUMBERS).t_ == net.t_ + 60


def test_the_tags_are_those_of_a_regressor_without_sparse_rows():
    tags = DaskMLPRegressor().__sklearn_tags__()

    assert tags.estimator_type == "regressor"
    assert not tags.input_tags.sparse
