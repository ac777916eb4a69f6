"""The estimators: what they take and refuse, and fits on a cluster of two processes."""

import copy
import gc
import os
import pickle
import signal
import threading
import time
from contextlib import contextmanager

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster, get_client
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, ShuffleSplit

import sknn
from sknn.dask import DaskMLPClassifier, DaskMLPRegressor
from sknn.dask.rounds import _Training
from sknn.estimators.parameters import MLPParameters
from tests.dask.rows import (
    CODES,
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

ESTIMATORS = pytest.mark.parametrize("cls", [DaskMLPClassifier, DaskMLPRegressor])


# What needs no cluster.


@ESTIMATORS
def test_parameters_are_those_of_the_plain_estimator_and_five_more(cls):
    plain = cls._counterpart()
    own = {
        "client": None,
        "n_shards": None,
        "sync_every": 16,
        "outer_learning_rate": 1.0,
        "outer_momentum": 0.0,
    }

    assert cls().get_params() == plain.get_params() | own
    assert cls().set_params(sync_every=4, alpha=1).get_params()["sync_every"] == 4
    assert repr(cls(n_shards=3)) == f"{cls.__name__}(n_shards=3)"
    assert cls.__name__ in cls()._repr_html_()
    assert issubclass(cls, MLPParameters)


@ESTIMATORS
def test_only_fit_trains(cls):
    assert not hasattr(cls(), "partial_fit")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"solver": "lbfgs"}, "solver='lbfgs'.*such as 'adam'"),
        ({"batch_size": "adaptive"}, "batch_size='adaptive'.*use an int or 'auto'"),
        ({"max_flops": 1e9}, r"max_flops=1000000000\.0.*use max_iter or max_time"),
        ({"refit_full": True, "early_stopping": True}, "refit_full=True"),
        ({"validation_fraction": ShuffleSplit()}, "validation_fraction=ShuffleSplit.*a float"),
        ({"scoring": "roc_auc", "early_stopping": True}, "scoring='roc_auc'.*'loss'"),
        ({"normalization": "batch", "sync_every": 1}, "normalization='batch' with sync_every=1"),
        ({"normalization": "batch", "batch_size": 5}, "each of the 3 needs 2 rows"),
        ({"batch_size": 2}, "batch_size=2 .*increase it, or set a smaller n_shards"),
        ({"n_shards": 31}, "n_shards=31 is too many for 60 rows"),
        ({"n_shards": 0}, "n_shards"),
        ({"sync_every": 0}, "sync_every"),
        ({"outer_learning_rate": 0.0}, "outer_learning_rate"),
        ({"outer_momentum": 1.0}, "outer_momentum"),
        ({"sync_every": 1, "outer_momentum": 0.9}, r"outer_momentum=0\.9.*sync_every > 1"),
        ({"sync_every": 1, "outer_learning_rate": 0.7}, r"outer_learning_rate=0\.7 has no effect"),
        ({"client": "tcp://here"}, r"client.*must be None or a distributed\.Client"),
    ],
)
def test_what_a_cluster_cannot_heed_is_refused_by_name(inline, settings, match):
    with pytest.raises(ValueError, match=match):
        classifier(**settings).fit(lazy(X), lazy(SIGNS))


@pytest.mark.parametrize("n_rows", [0, 1])
def test_one_row_is_too_few(inline, n_rows):
    with pytest.raises(ValueError, match=f"X has {n_rows} rows; at least 2"):
        regressor(n_shards=None).fit(lazy(X[:n_rows]), lazy(NUMBERS[:n_rows]))


@pytest.mark.parametrize("sync_every", [1, 2])
def test_two_rows_are_enough(inline, sync_every):
    settings = {"n_shards": None, "sync_every": sync_every, "early_stopping": True}
    net = regressor(**settings).fit(lazy(X[:2]), lazy(NUMBERS[:2]))

    assert np.isfinite(net.predict(X)).all()


@pytest.mark.long
def test_shards_of_two_rows_can_stop_early(inline):
    net = regressor(n_shards=30, early_stopping=True, max_iter=5).fit(lazy(X), lazy(NUMBERS))

    assert len(net.validation_scores_) == 5


@pytest.mark.parametrize("method", ["predict", "to_local", "score"])
def test_nothing_is_known_before_fit(method):
    arguments = {"predict": (lazy(X),), "to_local": (), "score": (lazy(X), lazy(NUMBERS))}

    with pytest.raises(NotFittedError, match="DaskMLPRegressor instance is not fitted"):
        getattr(regressor(), method)(*arguments[method])


def test_names_of_features_are_noted_and_checked(inline):
    frame = lazy_frame()
    net = regressor(warm_start=True).fit(frame[NAMES], frame["number"])

    assert net.feature_names_in_.tolist() == NAMES
    assert net.to_local().feature_names_in_.tolist() == NAMES
    with pytest.raises(ValueError, match="same order"):
        net.fit(frame[NAMES[::-1]], frame["number"])
    assert not hasattr(regressor().fit(lazy(X), lazy(NUMBERS)), "feature_names_in_")


def test_to_local_is_saved_exported_and_explained_as_everywhere(inline, tmp_path):
    from sknn import export, inspection

    net = classifier().fit(lazy(X), lazy(CODES))
    local = net.to_local()

    sknn.save(local, tmp_path / "net.sknn")
    assert_array_equal(sknn.load(tmp_path / "net.sknn").predict_proba(X), net.predict_proba(X))
    assert inspection.importance(local, X, CODES).shape == (3,)
    exported = export.to_sklearn(local)
    np.testing.assert_allclose(exported.predict_proba(X), net.predict_proba(X), rtol=1e-9)


def test_an_estimator_can_be_saved_itself(inline, tmp_path):
    net = classifier().fit(lazy(X), lazy(CODES))

    sknn.save(net, tmp_path / "net.sknn")

    loaded = sknn.load(tmp_path / "net.sknn")
    assert type(loaded) is DaskMLPClassifier
    assert_array_equal(loaded.predict_proba(X), net.predict_proba(X))
    assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(X), net.predict_proba(X))
    assert_array_equal(net.trim().predict_proba(X), net.predict_proba(X))


def test_what_the_plain_estimator_tells_this_one_tells_too(inline):
    net = classifier(learning_rate_init="auto").fit(lazy(X), lazy(CODES))

    assert list(net.history_["loss"]) == net.loss_curve_
    assert len(net.lr_find_)
    assert net.learning_rate_ > 0
    assert "Linear" in net.summary()
    assert net.feature_importances_.sum() == pytest.approx(1)
    assert net.training_report_.n_samples_seen == 180


def test_callbacks_hear_of_each_epoch(inline):
    callbacks = pytest.importorskip("sklearn.callback")
    log = []

    class Listener:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, **_):
            log.append(("begin", context.task_name))

        def on_fit_task_end(self, estimator, context, **_):
            log.append(("end", context.task_name))

    assert callbacks
    classifier(max_iter=2).set_callbacks(Listener()).fit(lazy(X), lazy(CODES))

    names = [name for _, name in log]
    assert names.count("epoch") == 4
    assert len(log) == 6


def test_a_rate_may_be_a_function_of_what_is_here(inline):
    lock = threading.Lock()  # which cannot travel

    def rate(epoch):
        with lock:
            return 1 / (epoch + 1)

    net = regressor(learning_rate=rate).fit(lazy(X), lazy(NUMBERS))

    assert net.history_["learning_rate"].tolist() == pytest.approx([0.001, 0.0005, 0.001 / 3])


def test_metadata_is_routed(inline):
    with sklearn_routing():
        requests = classifier().set_fit_request(sample_weight=True).get_metadata_routing()

    assert requests.fit.requests["sample_weight"] is True


@contextmanager
def sklearn_routing():
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        yield


# On a cluster.


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as made:
        yield made


@pytest.fixture
def client(cluster):
    with Client(cluster) as made:
        made.wait_for_workers(2)
        yield made


ROUNDS = {"batch_size": 12, "sync_every": 2, "dropout": 0.1, "early_stopping": True}


@pytest.fixture
def expected(monkeypatch):
    """Return what comes of such a fit without a cluster, by other parameters."""
    from tests.dask.inline import InlineClient

    def fit(**parameters):
        @contextmanager
        def connected(_):
            yield InlineClient()

        with monkeypatch.context() as patch:
            patch.setattr("sknn.dask.base.connected", connected)
            return regressor(**ROUNDS | parameters).fit(lazy(X), lazy(NUMBERS))

    return fit


def n_tasks(client):
    """Return how many tasks the cluster knows, once it has had time to forget some."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        gc.collect()
        n = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        if not n:
            break
        time.sleep(0.05)
    return n


def test_a_cluster_comes_to_the_same_bits_as_one_process_and_keeps_nothing(client, expected):
    net = regressor(**ROUNDS).fit(lazy(X), lazy(NUMBERS))

    assert_same_network(net, expected())
    assert net.validation_scores_ == expected().validation_scores_
    assert n_tasks(client) == 0
    assert not client.futures
    assert_array_equal(net.predict(lazy(X)).compute(), net.predict(X))
    assert net.score(lazy(X), lazy(NUMBERS)).compute() == pytest.approx(net.score(X, NUMBERS))


def test_who_does_which_task_does_not_matter(client, expected):
    """Shards that lie on one worker are trained by both."""
    [first, _] = client.scheduler_info()["workers"]
    rows, y = (client.persist(lazy(a), workers=[first]) for a in (X, NUMBERS))

    made = regressor(client=client, **ROUNDS).fit(rows, y)

    assert_same_network(made, expected())


def test_steps_together_are_those_of_one_machine_on_a_cluster_too(client):
    settings = {"shuffle": False, "batch_size": 60, "max_iter": 5}
    net = regressor(sync_every=1, **settings).fit(lazy(X), lazy(NUMBERS), lazy(WEIGHT))

    plain = sknn.MLPRegressor((5,), random_state=0, tol=0, **settings).fit(X, NUMBERS, WEIGHT)
    assert_same_network(net, plain, rtol=1e-6)


def test_frames_from_a_cluster_have_texts_and_answers(client):
    frame = lazy_frame()
    net = classifier().fit(frame[NAMES], frame["text"])

    found = net.predict(frame[NAMES]).compute()

    assert_array_equal(found, net.predict(FRAME[NAMES]))
    assert float(net.score(frame[NAMES], frame["text"])) == pytest.approx(
        net.score(FRAME[NAMES], FRAME["text"])
    )


def break_down(block):
    raise RuntimeError("the disk is on fire")


@pytest.mark.parametrize("broken", ["X", "y"])
def test_what_goes_wrong_on_the_way_to_the_rows_is_told(client, broken):
    given = {"X": lazy(X), "y": lazy(NUMBERS)}
    given[broken] = given[broken].map_blocks(break_down, dtype=float)

    with pytest.raises(RuntimeError, match="the disk is on fire"):
        regressor().fit(**given)

    assert n_tasks(client) == 0


def fit_in_a_task(gives_client):
    own = get_client() if gives_client else None
    return regressor(client=own, **ROUNDS).fit(lazy(X), lazy(NUMBERS)).to_local()


@pytest.mark.parametrize("gives_client", [False, True])
def test_a_task_may_fit(client, expected, gives_client):
    """As many of them as there are threads: those who wait make room."""
    futures = client.map(fit_in_a_task, [gives_client] * 2, pure=False)

    for net in client.gather(futures):
        assert_same_network(net, expected())


def test_copies_know_the_client_where_they_can(client):
    net = regressor(client=client)

    assert clone(net).client is copy.copy(net).client is copy.deepcopy(net).client is client
    assert pickle.loads(pickle.dumps(net)).client is None
    assert net.client is client
    assert "client=<Client" in repr(net)
    assert "Client" in net._repr_html_()


@pytest.mark.long
def test_a_search_over_collections_scores_numbers(client):
    search = GridSearchCV(regressor(client=client, max_iter=1), {"alpha": [0.1, 1.0]}, cv=2)

    search.fit(lazy(X), lazy(NUMBERS))

    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.client is client


def test_a_checkpoint_is_for_whoever_asks_next(client, cluster, tmp_path, expected, monkeypatch):
    kept = {"checkpoint": str(tmp_path / "fit"), "checkpoint_seconds": 0}
    run_round, n_rounds = _Training._run_round, 0

    def die(*arguments):
        nonlocal n_rounds
        n_rounds += 1
        if n_rounds == 6:
            raise RuntimeError("the driver dies")
        return run_round(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(_Training, "_run_round", die)
        with pytest.raises(RuntimeError, match="the driver dies"):
            regressor(client=client, **ROUNDS, **kept).fit(lazy(X), lazy(NUMBERS))
    with Client(cluster) as other:
        net = regressor(client=other, **ROUNDS, **kept).fit(lazy(X), lazy(NUMBERS))

    assert_same_network(net, expected())


def kill_a_worker(client):
    """Kill a process; return its number."""
    process = next(iter(client.run(os.getpid).values()))
    os.kill(process, signal.SIGKILL)
    return process


def test_a_worker_that_dies_costs_time_and_no_bit(client, expected):
    killed = []

    def rate(epoch):
        if epoch == 1:
            killed.append(kill_a_worker(client))
        return 1.0

    net = regressor(learning_rate=rate, **ROUNDS).fit(lazy(X), lazy(NUMBERS))

    assert len(killed) == 1
    assert_same_network(net, expected())


@pytest.mark.long
def test_interrupts_leave_an_estimator_that_answers(client):
    def rate(epoch):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return 1.0

    net = regressor(learning_rate=rate, max_iter=50, **ROUNDS)
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(lazy(X), lazy(NUMBERS))

    assert net.n_iter_ == 2
    assert np.isfinite(net.predict(lazy(X)).compute()).all()
    assert n_tasks(client) == 0


@pytest.mark.long
def test_threads_of_one_process_do_not_disturb_each_other(expected):
    with Client(processes=False, n_workers=1, threads_per_worker=4, dashboard_address=":0"):
        made = [regressor(**ROUNDS).fit(lazy(X), lazy(NUMBERS)) for _ in range(2)]

    for net in made:
        assert_same_network(net, expected())


def test_a_closed_client_is_named():
    closed = Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0")
    closed.close()

    with pytest.raises(ValueError, match=r"client=.* is closed"):
        regressor(client=closed).fit(lazy(X), lazy(NUMBERS))


# What takes long.


@pytest.mark.long
def test_workers_that_die_one_after_the_other_cost_no_bit(client, expected):
    def rate(epoch):
        if epoch % 5 == 1:
            client.wait_for_workers(2)
            kill_a_worker(client)
        return 1.0

    made = regressor(learning_rate=rate, **ROUNDS | {"max_iter": 25}).fit(lazy(X), lazy(NUMBERS))

    assert_same_network(made, expected(max_iter=25))


@pytest.mark.long
def test_a_cluster_may_grow_and_shrink(expected):
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as made, Client(made):

        def rate(epoch):
            made.scale([1, 3, 2, 1][epoch // 3 % 4])
            return 1.0

        net = regressor(learning_rate=rate, **ROUNDS | {"max_iter": 12})
        net.fit(lazy(X), lazy(NUMBERS))

    assert_same_network(net, expected(max_iter=12))


@pytest.mark.long
def test_many_rows_are_learnt_from(client):
    rng = da.random.default_rng(0)
    rows = rng.normal(size=(200_000, 10), chunks=(25_000, 10))
    y = (rows[:, :3].sum(axis=1) > 0).astype(int)

    net = DaskMLPClassifier((20,), max_iter=3, random_state=0).fit(rows, y)

    assert float(net.score(rows, y)) > 0.95
    assert pd.DataFrame(net.history_)["batch_size"].tolist() == [200] * 3
