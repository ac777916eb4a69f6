"""What do a cluster and files cost? ``python -m tests.benchmarks.scale``.

Parts, all of them unless some are named: ``bits`` (the same on one and two workers, and where one
is killed), ``equal`` (a step of all shards together and one machine), ``accuracy`` (what averaging
every so many steps does to it), ``outer`` (what an outer step makes of averages), ``rounds`` (what
a round costs, and a model of the speed-up), ``files`` (an epoch from Parquet and one in memory),
``predict`` (what a large array takes).

Options: ``--rows N`` of the Parquet files, ``--seeds N`` of the table of accuracies, ``--folder F``
for the files (20 million rows take 4.5 GB together), ``--figure F`` for the figure of the model.
"""

import argparse
import contextlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import dask.array as da
import numpy as np
import psutil
from distributed import Client, LocalCluster
from scipy.optimize import nnls
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss

from sknn import MLPClassifier, MLPRegressor
from sknn.dask import DaskMLPClassifier, DaskMLPRegressor
from tests.benchmarks.timing import describe_machine, print_table

N_ROWS = 200_000
SYNC = (1, 16, 256)


@contextlib.contextmanager
def cluster(n_workers, **options):
    with (
        LocalCluster(
            **{"n_workers": n_workers, "threads_per_worker": 1, **options},
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as local,
        Client(local) as client,
    ):
        yield client


def make_classes(n_rows, n_features=20, seed=0):
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(7)
    first, second = fixed.normal(size=(n_features, 30)) / 4, fixed.normal(size=(30, 5))
    X = rng.standard_normal((n_rows, n_features), dtype=np.float32)
    scores = np.tanh(X @ first) @ second + 0.5 * rng.normal(size=(n_rows, 5))
    return X, scores.argmax(axis=1)


def enlarge_digits(n_rows, seed=0):
    """Return digits of scikit-learn, again and again with other noise."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(images), n_rows)
    X = images[rows] / 16 + rng.normal(0, 0.35, (n_rows, 64))
    return X.astype(np.float32), labels[rows]


def as_dask(*arrays, n_rows=50_000):
    return [da.from_array(array, chunks=(n_rows, *array.shape[1:])) for array in arrays]


# The same bits


def kill_a_worker(client, after):
    def kill():
        time.sleep(after)
        pids = client.run(os.getpid)
        os.kill(next(iter(pids.values())), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def measure_bits():
    X, y = make_classes(N_ROWS)
    options = {"max_iter": 4, "random_state": 0, "early_stopping": True, "n_shards": 4}
    rows, fitted = [], {}
    for name, n_workers, kills in (
        ("1 worker", 1, False),
        ("2 workers", 2, False),
        ("2 workers, one killed", 2, True),
    ):
        with cluster(n_workers) as client:
            begin = time.perf_counter()
            killer = kill_a_worker(client, 1.5) if kills else None
            net = DaskMLPClassifier(**options).fit(*as_dask(X, y))
            seconds = time.perf_counter() - begin
            if killer is not None:
                killer.join()
        fitted[name] = net
        first = fitted["1 worker"]
        same = all(np.array_equal(a, b) for a, b in zip(first.coefs_, net.coefs_, strict=True))
        same = same and first.validation_scores_ == net.validation_scores_
        rows.append((name, "yes" if same else "NO", f"{seconds:.1f}"))
    print_table(("cluster", "same bits", "seconds"), rows)


# One machine


def measure_equality():
    X, y = make_classes(20_000)
    X, t = X.astype(np.float64), X[:, 0] * X[:, 1] + X[:, 2]
    options = {"max_iter": 20, "batch_size": len(X), "alpha": 0.01, "random_state": 0}
    rows = []
    with cluster(2):
        for there, here, target in (
            (DaskMLPClassifier, MLPClassifier, y),
            (DaskMLPRegressor, MLPRegressor, t.astype(np.float64)),
        ):
            one = here(shuffle=False, **options).fit(X, target)
            all_together = there(sync_every=1, n_shards=4, **options).fit(*as_dask(X, target))
            pairs = zip(one.coefs_, all_together.coefs_, strict=True)
            worst = max(np.abs(a / b - 1).max() for a, b in pairs)
            rows.append((here.__name__, f"{worst:.1e}"))
    print_table(("20 steps, float64", "largest relative difference of a weight"), rows)


# What averaging does


AVERAGES = {f"sync_every={sync}": {"sync_every": sync} for sync in SYNC}
OUTER = {
    f"sync_every={sync}, outer rate {rate}, momentum {momentum}": {
        "sync_every": sync,
        "outer_learning_rate": rate,
        "outer_momentum": momentum,
    }
    for sync in SYNC[1:]
    for rate, momentum in ((1.0, 0.0), (1.0, 0.5), (0.7, 0.9))
}


def measure_accuracy(n_seeds, on_shards, on_one, n_epochs=5):
    header = ("data", "trained", "accuracy", "log loss", "training loss")
    rows, options = [], {"max_iter": n_epochs, "hidden_layer_sizes": (50,)}
    with cluster(2):
        for name, make in (("made", make_classes), ("digits, enlarged", enlarge_digits)):
            X, y = make(N_ROWS + 20_000)
            train, test = slice(N_ROWS), slice(N_ROWS, None)
            here, there = (X[train], y[train]), as_dask(X[train], y[train])
            ways = {"one machine": (MLPClassifier(**options), here)} if on_one else {}
            for way, parameters in on_shards.items():
                ways[way] = DaskMLPClassifier(n_shards=4, **parameters, **options), there
            for way, (net, data) in ways.items():
                found = []
                for seed in range(n_seeds):
                    net.set_params(random_state=seed).fit(*data)
                    proba = net.predict_proba(X[test])
                    right = np.mean(net.classes_[proba.argmax(axis=1)] == y[test])
                    found.append((right, log_loss(y[test], proba), net.loss_))
                means, deviations = np.mean(found, axis=0), np.std(found, axis=0, ddof=1)
                figures = [f"{m:.4f} ± {d:.4f}" for m, d in zip(means, deviations, strict=True)]
                rows.append((name, way, *figures))
    print_table(header, rows)


# What a round costs


def time_rounds(client, X, y, n_shards, sync, hidden, batch_size, n_rounds=12):
    """Return the median seconds of a round, and those that the workers compute in it."""
    from sknn.dask import rounds

    laps, original = [], rounds._Training._run_round

    def timed(self, first, n_steps):
        away = self._seconds_away
        begin = time.perf_counter()
        found = original(self, first, n_steps)
        if n_steps == sync:
            laps.append((time.perf_counter() - begin, self._seconds_away - away))
        return found

    rounds._Training._run_round = timed
    try:
        net = DaskMLPClassifier(
            hidden, sync_every=sync, n_shards=n_shards, batch_size=batch_size, max_iter=1
        )
        while len(laps) < n_rounds:
            net.fit(X, y)
    finally:
        rounds._Training._run_round = original
    return np.median(laps[2:], axis=0)


SMALL, LARGE = (50,), (700, 700)
ROUNDS = {  # by workers and their threads: shards, steps and hidden layers
    (1, 1): [(2, 2, SMALL), (2, 16, SMALL), (2, 64, SMALL), (4, 16, SMALL), (8, 16, SMALL)],
    (2, 1): [(2, 2, SMALL), (2, 16, SMALL), (2, 64, SMALL), (4, 16, SMALL), (8, 16, SMALL)],
    (2, 16): [(4, 2, SMALL), (8, 2, SMALL), (16, 2, SMALL), (32, 2, SMALL), (4, 2, LARGE)],
}


def measure_rounds(figure):
    X, y = make_classes(N_ROWS)
    on_cluster, n_cores = as_dask(X, y), len(os.sched_getaffinity(0))
    table, found = [], []
    for (n_workers, n_threads), kinds in ROUNDS.items():
        with cluster(n_workers, threads_per_worker=n_threads) as client:
            for n_shards, sync, hidden in kinds:
                batch_size = 100 * n_shards
                seconds, away = time_rounds(client, *on_cluster, n_shards, sync, hidden, batch_size)
                n_tasks = min(n_shards, n_workers * n_threads)
                computed = away / min(n_tasks, n_cores)
                sizes = (20, *hidden, 5)
                n_parameters = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
                megabytes = 3 * 4 * n_parameters * n_shards / 1e6
                found.append((n_tasks, megabytes, seconds - computed))
                figures = (f"{1e3 * s:.1f} ms" for s in (seconds, computed, seconds - computed))
                about = f"{n_workers} x {n_threads}", n_shards, n_tasks, sync, f"{megabytes:.2f}"
                table.append((*about, *figures))
    header = "workers x threads", "shards", "tasks", "steps", "MB back", "round", "computed", "rest"
    print_table(header, table)
    tasks, megabytes, rest = np.array(found).T
    A = np.stack([np.ones_like(tasks), tasks, megabytes], axis=1)
    (fixed, per_task, per_megabyte), _ = nnls(A, rest)
    print(
        f"\nA round takes, beside what is computed: {1e3 * fixed:.1f} ms, {1e3 * per_task:.2f} ms "
        f"for each task and {1e3 * per_megabyte:.2f} ms for each MB that comes back."
    )
    print_speed_up(fixed, per_task, per_megabyte, figure)


def speed_up(n_workers, sync, fixed, per_task, per_megabyte, step, megabytes):
    """Return how many times faster workers with a shard each train than one of them would."""
    computed = sync * step
    rest = fixed + n_workers * (per_task + per_megabyte * megabytes)
    return n_workers * computed / (computed + rest)


def print_speed_up(fixed, per_task, per_megabyte, figure):
    """Print and draw the model for shards of which a step takes 1 ms, and 1 MB of parameters."""
    workers = np.array([1, 2, 4, 10, 30, 100, 300, 1000])
    cost = {"fixed": fixed, "per_task": per_task, "per_megabyte": per_megabyte}
    curves = {
        sync: speed_up(workers, sync, **cost, step=1e-3, megabytes=0.1)
        for sync in (1, 16, 256, 4096)
    }
    rows = [(n, *(f"{curves[s][i]:.1f}" for s in curves)) for i, n in enumerate(workers)]
    print("\nSpeed-up if a step of a shard takes 1 ms, and 0.1 MB come back:")
    print_table(("workers", *(f"sync_every={s}" for s in curves)), rows)
    if figure is None:
        return
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(6, 4))
    for sync, values in curves.items():
        ax.loglog(workers, values, "o-", ms=3, label=f"sync_every={sync}")
    ax.loglog(workers, workers, "k:", label="as many times faster")
    ax.set(
        xlabel="workers, a shard each",
        ylabel="speed-up",
        title="A model, from rounds measured here",
    )
    ax.legend()
    plt.tight_layout()
    plt.savefig(figure, dpi=150)


# Files


def write_parquet(folder, n_rows, n_files=4):
    """Write rows of 24 features and a target; the features are the standard normal ones."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, weights = np.random.default_rng(0), np.random.default_rng(1).normal(size=24)
    for number in range(n_files):
        X = rng.standard_normal((n_rows // n_files, 24), dtype=np.float32)
        y = (X @ weights.astype(np.float32) + np.sin(3 * X[:, 0])).astype(np.float32)
        columns = {f"x{i}": X[:, i] for i in range(24)} | {"y": y}
        pq.write_table(pa.table(columns), folder / f"{number}.parquet", row_group_size=500_000)
        del X, columns


class Peak:
    """The most memory that a process has had, this one by default, beside what it had before."""

    def __init__(self, pid=None):
        self._process = psutil.Process(pid)

    def __enter__(self):
        self._is_over = False
        self._before = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join()

    def _watch(self):
        while not self._is_over:
            self.peak = max(self.peak, self._process.memory_info().rss)
            time.sleep(0.005)

    @property
    def megabytes(self):
        return (self.peak - self._before) / 1e6


def fit_files(folder, n_epochs=3):
    """Fit from files, in a process of its own; print seconds and memory."""
    import pandas  # noqa: F401 - what is imported is no memory of the fit
    import pyarrow.dataset
    import pyarrow.parquet  # noqa: F401

    from sknn.data import from_parquet

    with Peak() as peak:
        begin = time.perf_counter()
        data = from_parquet(folder, target="y")
        net = MLPRegressor(max_iter=n_epochs, random_state=0).fit(data)
        whole = time.perf_counter() - begin
    seconds = net.history_["seconds"]
    print(len(data), seconds.sum(), whole - seconds.sum(), peak.megabytes, net.loss_)


def fit_memory(folder, n_epochs=3):
    """Fit the same rows in memory; print seconds."""
    import pyarrow.parquet as pq

    paths = sorted(Path(folder).glob("*.parquet"))
    n_rows = sum(pq.read_metadata(path).num_rows for path in paths)
    X, y, start = np.empty((n_rows, 24), np.float32), np.empty(n_rows, np.float32), 0
    for path in paths:
        table = pq.read_table(path)
        rows = slice(start, start + len(table))
        for i in range(24):
            X[rows, i] = table[f"x{i}"]
        y[rows], start = table["y"], rows.stop
        del table
    with Peak() as peak:
        net = MLPRegressor(max_iter=n_epochs, random_state=0).fit(X, y)
    print(n_rows, net.history_["seconds"].sum(), 0.0, peak.megabytes, net.loss_)


def measure_files(n_rows, folder):
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp"))
        folder = Path(folder)
        if not list(folder.glob("*.parquet")):
            write_parquet(folder, n_rows)
        gigabytes = sum(path.stat().st_size for path in folder.glob("*.parquet")) / 1e9
        table, rates = [], {}
        for way in ("memory", "files"):
            command = [sys.executable, "-m", "tests.benchmarks.scale", f"_{way}", "--folder"]
            lines = subprocess.run(
                [*command, str(folder)], capture_output=True, text=True, check=True
            ).stdout.split("\n")
            n, seconds, before, megabytes, loss = map(float, lines[-2].split())
            rates[way] = 3 * n / seconds
            table.append(
                (way, f"{rates[way]:,.0f}", f"{before:.1f}", f"{megabytes:,.0f}", f"{loss:.4f}")
            )
    print(f"{n:,.0f} rows of 25 columns, {gigabytes:.2f} GB of Parquet, 3 epochs:")
    print_table(("rows in", "rows/s of an epoch", "seconds before", "extra MB", "loss"), table)
    print(
        f"From files, an epoch has {rates['files'] / rates['memory']:.2f} of the rows per second."
    )


# Predicting


def measure_predicting(n_rows=10_000_000, n_chunk_rows=100_000):
    X, y = make_classes(20_000, 25)
    net = DaskMLPClassifier(max_iter=2, n_shards=2)
    with cluster(2) as client:
        net.fit(*as_dask(X, y))
        big = da.random.default_rng(0).standard_normal(
            (n_rows, 25), chunks=(n_chunk_rows, 25), dtype=np.float32
        )
        with contextlib.ExitStack() as stack:
            peaks = [stack.enter_context(Peak(pid)) for pid in client.run(os.getpid).values()]
            begin = time.perf_counter()
            counts = da.bincount(net.predict(big), minlength=5).compute()
            seconds = time.perf_counter() - begin
    chunk = n_chunk_rows * 25 * 4 / 1e6
    print(
        f"{counts.sum():,} rows predicted in {seconds:.1f} s; each worker held at most "
        f"{', '.join(f'{peak.megabytes:.0f}' for peak in peaks)} MB more than before, chunks being "
        f"of {chunk:.0f} MB."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder")
    parser.add_argument("--figure")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.parts == ["_files"]:
        return fit_files(options.folder)
    if options.parts == ["_memory"]:
        return fit_memory(options.folder)
    parts = {
        "bits": measure_bits,
        "equal": measure_equality,
        "accuracy": lambda: measure_accuracy(options.seeds, AVERAGES, on_one=True),
        "outer": lambda: measure_accuracy(options.seeds, OUTER, on_one=False),
        "rounds": lambda: measure_rounds(options.figure),
        "files": lambda: measure_files(options.rows, options.folder),
        "predict": measure_predicting,
    }
    print(describe_machine())
    for name in options.parts or parts:
        print(f"\n{name}", flush=True)
        parts[name]()
    return None


if __name__ == "__main__":
    main()
