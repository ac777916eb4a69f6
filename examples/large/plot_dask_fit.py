"""
A fit on a cluster, and a worker that dies
==========================================

A Dask cluster can share a single fit: each worker trains on rows of its
own for some steps, and the parameters are averaged. This example starts a
cluster of two processes on this computer, fits a network from Parquet
files, kills a worker in the middle of a second fit, and compares the two.
It needs Dask and pyarrow, ``pip install "sknn[dask,parquet]"``.
"""

# %%
# The rows are the digits that come with scikit-learn, once for each of
# eight Parquet files, with other noise in each.

import logging
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import dask.dataframe as dd
import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster
from sklearn.base import clone
from sklearn.datasets import load_digits

from sknn.dask import DaskMLPClassifier

n_files = 8


def write_files(folder):
    digits = load_digits(as_frame=True)
    rng = np.random.default_rng(0)
    for k in range(n_files):
        noise = rng.normal(0, 0.1, digits.data.shape)
        frame = (digits.data / 16 + noise).astype(np.float32)
        frame = frame.assign(digit=digits.target)
        frame.to_parquet(f"{folder}/part-{k}.parquet")


# %%
# Four shards have a quarter of the rows each. Their number is fixed, so
# that the result does not depend on the number of workers, which share
# them. After every 16 steps the parameters of all shards are averaged.

network = DaskMLPClassifier(
    (100,),
    learning_rate="cosine",
    n_shards=4,
    sync_every=16,
    max_iter=10,
    random_state=0,
)

# %%
# A thread waits until the fit has written its first checkpoint, and a bit
# longer. Then it kills one of the workers, as a machine dies: without a
# word.


def kill_worker(client, checkpoint, times):
    """Kill a worker in the middle of a fit, and note the time."""
    while not checkpoint.exists():
        time.sleep(0.01)
    time.sleep(0.3)
    victim = min(client.run(os.getpid).values())
    times.append(time.perf_counter())
    os.kill(victim, signal.SIGKILL)


# %%
# Each worker of a ``LocalCluster`` is a new process, which reads this file
# before it works. So what starts a cluster has to stand behind the ``if``
# below. With a cluster that runs already, ``Client("scheduler:8786")`` is
# all it takes. What Dask logs when a worker is lost is not shown here.

if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        write_files(folder)
        frame = dd.read_parquet(f"{folder}/*.parquet")
        X, y = frame.drop(columns="digit"), frame["digit"]

        calm = clone(network).fit(X, y)

        path, times = Path(folder) / "training.sknn", []
        killer = threading.Thread(
            target=kill_worker, args=(client, path, times)
        )
        robbed = clone(network)
        robbed.set_params(checkpoint=path, checkpoint_seconds=0)
        start = time.perf_counter()
        killer.start()
        robbed.fit(X, y)
        killer.join()
        killed_after = times[0] - start

        is_same = all(map(np.array_equal, calm.coefs_, robbed.coefs_))
        print(f"{len(frame)} rows in {frame.npartitions} partitions")
        print(f"a worker was killed after {killed_after:.1f} s")
        print(f"same weights, to the bit: {is_same}")
        print(f"accuracy {float(robbed.score(X, y)):.3f}")

# %%
# Left: the loss of both fits. Right: how long each epoch has taken, and
# when the worker was killed. With a worker its shards are lost, which the
# other one makes again, and the steps of a round, which it makes again,
# too. Meanwhile Dask starts a new worker.

if __name__ == "__main__":
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.6), layout="constrained"
    )
    for label, fit, style in [
        ("two workers", calm, {"color": "#56B4E9", "lw": 6, "alpha": 0.6}),
        ("one of them killed", robbed, {"color": "#0072B2", "marker": "."}),
    ]:
        history = fit.history_
        left.semilogy(history.index, history["loss"], label=label, **style)
        right.plot(history.index, history["seconds"], label=label, **style)
    ends = robbed.history_["seconds"].cumsum()
    ends += robbed.training_report_.seconds - ends.iloc[-1]
    right.axvline(
        1 + np.searchsorted(ends, killed_after),
        color="#D55E00",
        ls="--",
        label="killed",
    )
    left.set(title="the same training", xlabel="epoch", ylabel="loss")
    right.set(title="time", xlabel="epoch", ylabel="seconds an epoch")
    right.set_ylim(bottom=0)
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.legend(
        *right.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        frameon=False,
    )
    plt.show()

# %%
# :doc:`/guide/large` says how shards are trained, what happens when the
# program itself dies, and when a cluster pays: not for data of this size.
