"""Tasks cut into chunks, with a meeting in each worker."""

import os
import time
import warnings

import joblib
import numpy as np
import pytest
from distributed import Client, LocalCluster
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

import sknn
from sknn.parallel import LockstepBackend

X, Y = load_iris(return_X_y=True)
GRID = {"learning_rate_init": [0.001, 0.01, 0.1], "hidden_layer_sizes": [4, 5]}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def search():
    network = sknn.MLPClassifier(max_iter=4, random_state=0)
    return GridSearchCV(network, GRID, cv=3).fit(X, Y)


@pytest.fixture(scope="module")
def expected():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search()


def assert_same_search(one, other):
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )
    np.testing.assert_allclose(one.best_estimator_.coefs_[0], other.best_estimator_.coefs_[0])


def where_am_i(i, folder=None):
    """Return the process and, from the nested backend, whether fits meet there.

    With a folder it waits until another process has come, too.
    """
    if folder is not None:
        (folder / str(os.getpid())).touch()
        until = time.monotonic() + 600
        while len(list(folder.iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.01)
    return os.getpid(), isinstance(joblib.parallel.get_active_backend()[0], LockstepBackend)


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_workers_give_the_same_answers(backend, expected):
    with sknn.lockstep(n_jobs=2, backend=backend):
        assert_same_search(search(), expected)


def test_n_jobs_alone_means_processes_that_all_work(tmp_path):
    with sknn.lockstep(n_jobs=2):
        places = joblib.Parallel()(joblib.delayed(where_am_i)(i, tmp_path) for i in range(8))

    assert len({process for process, _ in places}) == 2
    assert os.getpid() not in {process for process, _ in places}
    assert all(meets for _, meets in places)


@pytest.mark.parametrize(
    "options", [{"n_jobs": 1}, {"backend": "threading"}, {"n_jobs": 1, "backend": "loky"}]
)
def test_a_single_job_is_the_calling_process(options):
    with sknn.lockstep(**options):
        places = joblib.Parallel()(joblib.delayed(where_am_i)(i) for i in range(2))

    assert places == [(os.getpid(), True)] * 2


@pytest.mark.filterwarnings("ignore:.apply_async. is deprecated")  # by joblib 1.5's own backend
def test_a_dask_cluster_gives_the_same_answers_and_all_its_workers_work(expected, tmp_path):
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster),
        sknn.lockstep(n_jobs=-1, backend="dask"),
    ):
        assert_same_search(search(), expected)
        places = joblib.Parallel()(joblib.delayed(where_am_i)(i, tmp_path) for i in range(8))

    assert len({process for process, _ in places}) == 2
    assert os.getpid() not in {process for process, _ in places}


def test_dask_without_a_client_is_refused_by_joblib():
    with pytest.raises(ValueError, match="Dask Client"), sknn.lockstep(backend="dask"):
        pass


def fail_at_three(i):
    if i == 3:
        raise KeyError(i)
    return i


def test_an_error_in_a_worker_is_raised():
    with sknn.lockstep(n_jobs=2), pytest.raises(KeyError):
        joblib.Parallel()(joblib.delayed(fail_at_three)(i) for i in range(200))


def test_a_worker_that_dies_is_an_error_and_not_a_hang():
    with sknn.lockstep(n_jobs=2), pytest.raises(TerminatedWorkerError):
        joblib.Parallel()(joblib.delayed(os._exit)(3) for _ in range(4))


def test_tasks_are_dispatched_until_the_iterable_ends():
    with sknn.lockstep(n_jobs=2, backend="threading"):
        calls = (joblib.delayed(abs)(i) for i in range(300))
        assert joblib.Parallel()(calls) == list(range(300))


@pytest.mark.skipif(
    not hasattr(joblib.Parallel(), "return_ordered"), reason="joblib has it since 1.4"
)
def test_workers_feed_an_unordered_generator():
    with sknn.lockstep(n_jobs=2, backend="threading"):
        calls = (joblib.delayed(abs)(i) for i in range(300))
        results = joblib.Parallel(return_as="generator_unordered")(calls)
        assert sorted(results) == list(range(300))


def test_what_needs_shared_memory_does_not_go_to_processes():
    seen = []
    with sknn.lockstep(n_jobs=2):
        joblib.Parallel(require="sharedmem")(joblib.delayed(seen.append)(i) for i in range(4))

    assert seen == [0, 1, 2, 3]
