"""
A search on a cluster
=====================

A Dask cluster can share a search: each worker takes some of the fits, and
trains the networks among them together. The cluster here is two processes
on this computer; one of many computers is used in the same way. It needs
Dask, ``pip install "sknn[dask]"``.
"""

# %%
# The search is scikit-learn's. Besides the accuracy it has a second
# "score", which tells in which process a network was scored, so that it can
# be seen who did what.

import os
import time

import matplotlib.pyplot as plt
import numpy as np
from distributed import Client, LocalCluster
from matplotlib.colors import ListedColormap
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

rates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
n_folds = 5


def process_id(model, X, y):
    """Return the process, in the guise of a score."""
    return os.getpid()


X, y = load_breast_cancer(return_X_y=True)
network = sknn.MLPClassifier((10,), tol=1e-3, max_iter=1000, random_state=0)
search = GridSearchCV(
    make_pipeline(StandardScaler(), network),
    {"mlpclassifier__learning_rate_init": rates},
    scoring={"accuracy": "accuracy", "process": process_id},
    refit="accuracy",
    cv=n_folds,
)

# %%
# Each worker of a ``LocalCluster`` is a new process, which reads this file
# before it works. What starts a cluster has to stand behind the ``if``
# below, or else each worker would start one of its own. With a cluster that
# runs already, ``Client("scheduler:8786")`` is all it takes, and no such
# line is needed.

if __name__ == "__main__":
    local = clone(search).fit(X, y)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        workers = sorted(client.run(os.getpid).values())
        start = time.perf_counter()
        with sknn.lockstep(n_jobs=-1, backend="dask"):
            search.fit(X, y)
        seconds = time.perf_counter() - start

    found, expected = search.cv_results_, local.cv_results_
    processes = np.array(
        [found[f"split{k}_test_process"] for k in range(n_folds)], dtype=int
    )
    scores = found["mean_test_accuracy"]
    is_same = np.array_equal(scores, expected["mean_test_accuracy"])
    for k, worker in enumerate(workers, 1):
        print(f"worker {k} trained {np.sum(processes == worker)} networks")
    print(
        f"this process trained {np.sum(processes == os.getpid())} of them"
    )
    print(f"the search took {seconds:.1f} s")
    print(f"same mean scores without the cluster: {is_same}")
    print(f"best parameters: {search.best_params_}")

# %%
# Left: the fits are dealt out in turn, so each worker gets a mix of
# candidates and folds. Right: the mean accuracy, which is the same without
# the cluster. A search as small as this one needs no cluster: starting one
# takes longer than the search. It pays where training takes long.

if __name__ == "__main__":
    colors = ["#0072B2", "#E69F00"]
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.8), layout="constrained"
    )
    left.pcolormesh(
        np.searchsorted(workers, processes),
        cmap=ListedColormap(colors),
        vmin=0,
        vmax=1,
        edgecolors="white",
    )
    for k, color in enumerate(colors, 1):
        left.scatter([], [], marker="s", color=color, label=f"worker {k}")
    left.set(
        title="who trained what", xlabel="learning rate", ylabel="fold"
    )
    left.set_xticks(np.arange(len(rates)) + 0.5, [f"{r:g}" for r in rates])
    left.set_yticks(np.arange(n_folds) + 0.5, range(1, n_folds + 1))
    right.semilogx(
        rates,
        expected["mean_test_accuracy"],
        color="#56B4E9",
        lw=6,
        alpha=0.5,
        label="one process",
    )
    right.semilogx(rates, scores, "o", color="#0072B2", label="cluster")
    right.set(
        title="the same answer",
        xlabel="learning rate",
        ylabel="mean accuracy",
    )
    right.legend()
    right.grid(alpha=0.3)
    fig.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower left",
        ncols=2,
        frameon=False,
    )
    plt.show()

# %%
# :doc:`/guide/lockstep` says more about workers and their memory, and
# :doc:`/guide/large` about a single fit on a cluster.
