"""A search on a Dask cluster whose workers train their share of the networks together.

The cluster is two processes on this computer; a cluster of many computers is used in the same way.
Each worker takes every second fit and trains them as stacks. Left: which worker trained and scored
which candidate on which fold. Right: the mean accuracy, which is the same without the cluster. The
figure is saved as dask_cluster.png in the folder given as argument.

Needs Dask: pip install "sknn[dask]"
"""

import os
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
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

RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
N_FOLDS = 5
COLORS = ["#0072B2", "#E69F00"]


def process_id(model, X, y):
    """Tell, in the guise of a score, which process has scored the model."""
    return os.getpid()


def main(folder: Path) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    network = sknn.MLPClassifier((10,), tol=1e-3, max_iter=1000, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"mlpclassifier__learning_rate_init": RATES},
        scoring={"accuracy": "accuracy", "process": process_id},
        refit="accuracy",
        cv=N_FOLDS,
    )
    local = clone(search).fit(X, y)

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        known = sorted(client.run(os.getpid).values())
        start = time.perf_counter()
        with sknn.lockstep(n_jobs=-1, backend="dask"):
            search.fit(X, y)
        seconds = time.perf_counter() - start

    found = search.cv_results_
    processes = np.array([found[f"split{k}_test_process"] for k in range(N_FOLDS)], dtype=int)
    scores = found["mean_test_accuracy"]
    print(f"this process       {os.getpid()}")
    for process in known:
        print(f"worker process     {process} trained {np.sum(processes == process)} networks")
    print(f"search             {seconds:.1f} s")
    print(f"same mean scores   {np.array_equal(scores, local.cv_results_['mean_test_accuracy'])}")
    print(f"best rate          {search.best_params_['mlpclassifier__learning_rate_init']:g}")
    print(f"without cluster    {local.best_params_['mlpclassifier__learning_rate_init']:g}")

    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    left.pcolormesh(
        np.searchsorted(known, processes), cmap=ListedColormap(COLORS), vmin=0, vmax=1, ec="white"
    )
    for k, color in enumerate(COLORS):
        left.scatter([], [], marker="s", color=color, label=f"worker {k + 1}")
    left.set(title="who trained what", xlabel="learning rate", ylabel="fold")
    left.set_xticks(np.arange(len(RATES)) + 0.5, [f"{rate:g}" for rate in RATES])
    left.set_yticks(np.arange(N_FOLDS) + 0.5, range(1, N_FOLDS + 1))
    right.semilogx(RATES, local.cv_results_["mean_test_accuracy"], "-", lw=6, alpha=0.3)
    right.semilogx(RATES, scores, "o", color="C0")
    right.set(title="mean accuracy", xlabel="learning rate")
    right.legend(["one process", "cluster"])
    right.grid(alpha=0.3)
    fig.legend(loc="outside lower left", ncols=2, frameon=False)
    fig.savefig(folder / "dask_cluster.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
