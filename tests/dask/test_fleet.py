"""How collections become shards on a cluster, and how these are asked for something."""

from types import SimpleNamespace

import dask
import dask.array as da
import dask.bag
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, r2_score

from sknn.dask import base, fleet
from sknn.dask.fleet import Fleet, Partitions, check_features, connected, gathered, is_lazy
from sknn.dask.shards import Plan
from sknn.dask.tasks import carry, judge
from tests.dask.inline import InlineClient
from tests.dask.rows import (
    FRAME,
    NAMES,
    NUMBERS,
    SIGNS,
    WEIGHT,
    X,
    assert_same_network,
    classifier,
    lazy,
    lazy_frame,
    regressor,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def client(**changes):
    return SimpleNamespace(**({"status": "running", "asynchronous": False} | changes))


# Clients.


def test_a_given_client_is_the_one():
    given = client()

    with connected(given) as found:
        assert found is given


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"asynchronous": True}, r"client is asynchronous.*a thread of its own"),
        ({"status": "closed"}, r"is closed\. Set one that is not, or None"),
        ({"status": "closing"}, "is closed"),
    ],
)
def test_a_client_that_cannot_be_waited_for_is_refused(change, match):
    with pytest.raises(ValueError, match=match), connected(client(**change)):
        pass


def test_without_one_the_current_client_is_taken(monkeypatch):
    current = client()
    monkeypatch.setattr(fleet, "default_client", lambda: current)

    with connected(None) as found:
        assert found is current


def test_without_any_a_cluster_lives_as_long_as_it_is_needed(monkeypatch):
    alive = []

    class Context(SimpleNamespace):
        def __enter__(self):
            alive.append(self)
            return self

        def __exit__(self, *_):
            alive.remove(self)

    def there_is_none():
        raise ValueError

    monkeypatch.setattr(fleet, "default_client", there_is_none)
    monkeypatch.setattr(fleet, "LocalCluster", lambda **options: Context(**options))
    monkeypatch.setattr(fleet, "Client", lambda cluster: Context(cluster=cluster))

    context = connected(None)
    with pytest.warns(UserWarning, match="no Dask client: a LocalCluster"):
        own = context.__enter__()
    assert alive == [own.cluster, own]
    assert own.cluster.dashboard_address == ":0"
    context.__exit__(None, None, None)
    assert alive == []


def test_what_a_task_waits_for_may_be_done_in_its_thread(monkeypatch):
    given, own, asked = client(), client(), []

    class Seceded:
        def __enter__(self):
            asked.append("in")
            return own

        def __exit__(self, *_):
            asked.append("out")

    monkeypatch.setattr(fleet, "get_worker", lambda: "a worker")
    monkeypatch.setattr(fleet, "worker_client", Seceded)

    with connected(None) as found:
        assert found is own
    with connected(given) as found:
        assert found is given
    assert asked == ["in", "out"] * 2


# Collections.


def test_arrays_frames_and_series_are_lazy():
    frame = lazy_frame()

    assert all(map(is_lazy, [lazy(X), lazy(NUMBERS), frame, frame["a"]]))
    no_collections = [X, FRAME, None, "X", dask.delayed(X), dask.bag.from_sequence([1, 2])]
    assert not any(map(is_lazy, no_collections))


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (lazy(NUMBERS), "two axes.*it has 1"),
        (lazy(X[:, :, np.newaxis]), "two axes.*it has 3"),
        (da.from_delayed(dask.delayed(X), (60, np.nan), float), "features of X is not known"),
    ],
)
def test_rows_have_counted_features(rows, match):
    with pytest.raises(ValueError, match=match):
        check_features(rows)


@pytest.mark.parametrize(
    ("X", "y", "weight", "error", "match"),
    [
        (X, lazy(SIGNS), None, TypeError, "X must be a Dask Array or DataFrame, got ndarray"),
        (lazy(X), SIGNS, None, TypeError, "y must be.*from_array"),
        (lazy(X), None, None, TypeError, "y must be a Dask Array or DataFrame, got NoneType"),
        (lazy(X), lazy(SIGNS), WEIGHT, TypeError, "sample_weight must be"),
        (dask.delayed(X), lazy(SIGNS), None, TypeError, "X must be a Dask Array"),
        (lazy(X), lazy(SIGNS, 30), None, ValueError, "X has 3, y has 2.*rechunk"),
        (lazy(X), lazy(SIGNS), lazy(WEIGHT, 60), ValueError, "y has 3, sample_weight has 1"),
    ],
)
def test_what_does_not_fit_together_is_named(X, y, weight, error, match):
    with pytest.raises(error, match=match):
        Partitions(X, y, weight)


@pytest.mark.parametrize("y", [SIGNS[:50], np.r_[SIGNS, SIGNS[:1]]], ids=["fewer", "more"])
def test_partitions_of_other_rows_are_named(inline, y):
    y = da.from_array(y, ((20, 20, len(y) - 40),))
    with pytest.raises(ValueError, match=r"X has 20 rows, and that of y \d\d.*rechunk"):
        classifier().fit(lazy(X), y)


def test_columns_may_be_cut():
    y = lazy(np.c_[X, X]).rechunk((20, 2))

    found = Partitions(lazy(X).rechunk((20, 1)), y, None)

    assert len(found) == 3
    [(rows, targets, weight)] = [found.of(1)]
    assert rows.compute(scheduler="sync").shape == (20, 3)
    assert targets.compute(scheduler="sync").shape == (20, 6)
    assert weight is None


# Shards.


def plan(net, **changes):
    targets, _ = net._learn(Partitions(lazy(X), lazy(SIGNS), None).surveys(InlineClient(), False))
    numbers = {"targets": targets, "dtype": np.dtype(float), "held_out": 0.0, "seed": 0}
    return Plan(**(numbers | {"has_fingerprint": True} | changes))


def make_fleet(own, weight=None, **changes):
    weight = None if weight is None else lazy(weight)
    partitions = Partitions(lazy(X), lazy(SIGNS), weight)
    return Fleet(own, partitions, [20, 20, 20], 4, plan(classifier(), **changes))


def test_a_fleet_knows_how_many_rows_it_has():
    made = make_fleet(InlineClient(), held_out=0.2)

    assert (made.n_train, made.n_held_out) == (48, 12)
    samples, y, given = made.few(np.dtype(float))
    assert samples.n_elsewhere == 48
    assert len(samples) == len(y) == 48
    assert given is None
    assert len(set(samples.described()["shards"])) == 4
    assert samples.astype(np.float32).n_elsewhere == 48


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, [2, 2, 2, 2]), (10, [3, 3, 2, 2])])
def test_a_batch_is_shared_evenly(batch_size, sizes):
    assert sorted(make_fleet(InlineClient()).batch_sizes(batch_size), reverse=True) == sizes


def test_answers_come_in_the_order_of_the_shards():
    made = make_fleet(InlineClient())

    assert made.ask(number_of) == [0, 1, 2, 3]
    assert made.ask(number_of, 10) == [10, 11, 12, 13]


def number_of(shard, offset=0):
    return shard.number + offset


@pytest.mark.parametrize(
    ("threads", "places", "lots"),
    [
        ({"a": 1, "b": 1}, "aabb", [[0, 1], [2, 3]]),
        ({"a": 1, "b": 1}, "baab", [[1, 2], [0, 3]]),
        ({"a": 2, "b": 2}, "aabb", [[0], [1], [2], [3]]),
        ({"a": 1, "b": 1}, "aaaa", [[0, 1], [2, 3]]),  # b would have nothing to do
        ({"a": 1, "b": 1, "c": 1}, "aabb", [[0, 1], [2, 3]]),
        ({"a": 1}, "--bb", [[0, 1, 2, 3]]),  # b has died
        ({"a": 9}, "aaaa", [[0], [1], [2], [3]]),
        ({}, "aaaa", [[0], [1, 2], [3]]),  # as before
    ],
)
def test_a_task_asks_shards_that_lie_together_and_all_threads_have_some(
    monkeypatch, threads, places, lots
):
    made = make_fleet(InlineClient())
    made._lots = [[0], [1, 2], [3]]
    where = {s.key: [w] for s, w in zip(made.shards, places, strict=True) if w != "-"}
    monkeypatch.setattr(made.client, "nthreads", lambda: threads)
    monkeypatch.setattr(made.client, "who_has", lambda futures: where)

    made.arrange()

    assert made._lots == lots
    assert made.ask(number_of) == [0, 1, 2, 3]


def test_after_an_error_nobody_wants_the_tasks_any_more():
    class Cluster(InlineClient):
        def gather(self, futures):
            if len(self.tasks) > 4:
                raise OSError("gone")
            return super().gather(futures)

    own = Cluster()
    made = make_fleet(own)
    assert not own.cancelled
    with pytest.raises(OSError, match="gone"):
        made.ask(number_of)
    assert len(own.cancelled) == 2  # a task for each thread
    with pytest.raises(OSError, match="gone"):
        gathered(own, ["a future"])
    assert own.cancelled[-1] == "a future"


@pytest.mark.parametrize("weight", [np.zeros(60), np.full(60, 1e307)])
def test_weights_need_a_sum(weight):
    own = InlineClient()

    with pytest.raises(ValueError, match=r"weights of the rows to train on.*sample_weight times"):
        make_fleet(own, weight)
    assert len(own.cancelled) == 4


def test_rows_that_are_held_out_need_a_weight(inline):
    net = classifier(n_shards=1, early_stopping=True, validation_fraction=0.01)

    with pytest.raises(ValueError, match="1 rows that are held out 0"):
        net.fit(lazy(X), lazy(SIGNS), lazy((np.arange(60) == 0) * 1.0))


def test_the_shards_are_let_go_when_a_fit_ends(inline):
    regressor().fit(lazy(X), lazy(NUMBERS))

    assert len(inline.cancelled) == 3


@pytest.mark.parametrize(
    ("n_rows", "n_shards"), [(60, 1), (50_000, 1), (50_001, 2), (10_000_000, 128)]
)
def test_the_number_of_shards_follows_from_that_of_the_rows(monkeypatch, n_rows, n_shards):
    seen = []

    def stop(client, partitions, rows, number, plan):
        seen.append(number)
        raise KeyError

    monkeypatch.setattr(base, "Fleet", stop)
    counts = [n_rows // 3, n_rows - n_rows // 3]
    net = regressor(n_shards=None)
    surveys = [(count, np.empty(0), np.empty(0), float(count), np.zeros(1)) for count in counts]
    surveyed = [fleet.Survey(*numbers) for numbers in surveys]
    partitions = SimpleNamespace(surveys=lambda *_: surveyed)
    with pytest.raises(KeyError):
        net._make_work(None, partitions, np.dtype(float), True, None)

    assert seen == [n_shards]


@pytest.mark.parametrize("settings", [{}, {"sync_every": 1}, {"early_stopping": True}])
def test_what_is_large_travels_once(inline, monkeypatch, settings):
    light = regressor(**settings).fit(lazy(X), lazy(NUMBERS))
    assert not inline.arguments_of(carry)

    monkeypatch.setattr(fleet, "LIGHT", 0)
    heavy = regressor(**settings).fit(lazy(X), lazy(NUMBERS))

    assert len(inline.arguments_of(carry)) >= 3
    assert_same_network(heavy, light)


# Judging.


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_held_out_rows_are_judged_as_scikit_learn_does(inline, weight):
    settings = {"early_stopping": True, "validation_fraction": 0.5, "learning_rate_init": 1e-12}
    given = None if weight is None else lazy(weight)
    numbers = regressor(**settings).fit(lazy(X), lazy(NUMBERS), given)
    classes = classifier(**settings).fit(lazy(X), lazy(SIGNS), given)

    shards = [arguments[0] for arguments in inline.arguments_of(judge)[:3]]
    rows = np.concatenate([shard.number + 3 * shard.held_out for shard in shards])
    weights = None if weight is None else weight[rows]
    r2 = r2_score(NUMBERS[rows], numbers.predict(X[rows]), sample_weight=weights)
    accuracy = accuracy_score(SIGNS[rows], classes.predict(X[rows]), sample_weight=weights)
    assert numbers.validation_scores_ == pytest.approx([r2] * 3)
    assert classes.validation_scores_ == pytest.approx([accuracy] * 3)


def test_names_of_tasks_say_what_they_do(inline):
    classifier(early_stopping=True).fit(lazy_frame()[NAMES], lazy_frame()["code"])

    assert {function.__name__ for function, _ in inline.tasks} <= {
        "summarize",
        "take_steps",
        "judge",
        "carry",
    }
