"""Rows that belong together: what early stopping and a search must hold out.

The patients of the diabetes data are real. That each was measured four times is made up: the four
rows of a patient are the one in the data plus a little noise, with the same target. A random part
of the rows then holds other rows of patients who are trained on as well. It asks whether the
network knows these patients by heart, so training goes on until it does. A part of the patients,
chosen by GroupShuffleSplit, asks what is wanted: how well it does on new ones. Left and middle, the
score that is watched and that on unseen patients; the dotted line is the epoch that is returned.
Right, the same for a search over alpha, whose folds split by rows or by patients, too; the dots are
the chosen networks. The figure is saved as groups.png in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, GroupKFold, GroupShuffleSplit, KFold

from sknn import MLPRegressor

N_ROWS, N_SEEN = 4, 300
ROWS, PATIENTS, UNSEEN = "#E69F00", "#009E73", "#0072B2"
ALPHAS = [0.1, 1, 10, 100, 1000]


def load():
    """Return samples, targets and patients: to fit with, and unseen ones."""
    rng = np.random.default_rng(0)
    X, y = load_diabetes(return_X_y=True)
    patients = np.repeat(rng.permutation(len(y)), N_ROWS)
    X = X[patients] * np.sqrt(len(y))  # now with a standard deviation of 1
    X += rng.normal(scale=0.1, size=X.shape)
    y = (y[patients] - y.mean()) / y.std()
    n = N_SEEN * N_ROWS
    return (X[:n], y[:n], patients[:n]), (X[n:], y[n:])


def make_net(by_patients, **parameters):
    """Return a network whose early stopping holds out a fifth of the patients, or of the rows."""
    fraction = GroupShuffleSplit(n_splits=1, test_size=0.2) if by_patients else 0.2
    return MLPRegressor(
        (50,),
        early_stopping=True,
        validation_fraction=fraction,
        learning_rate_init=0.01,
        max_iter=1000,
        random_state=0,
        **parameters,
    )


def draw_training(ax, by_patients, seen, unseen):
    """Draw the score that is watched, and that on unseen patients, epoch by epoch."""
    X, y, patients = seen
    on_unseen = []

    def score(net, X_val, y_val):
        on_unseen.append(net.score(*unseen))
        return net.score(X_val, y_val)

    net = make_net(by_patients, scoring=score)
    net.fit(X, y, groups=patients if by_patients else None)
    name, color = ("patients", PATIENTS) if by_patients else ("rows", ROWS)
    best, watched = net.best_validation_score_, net.history_["val_score"]
    print(f"early stopping by {name:<10}{best:>8.2f}{net.score(*unseen):>9.2f}")
    ax.plot(watched.index, watched, color=color)
    ax.plot(watched.index, on_unseen, color=UNSEEN)
    ax.axvline(watched.idxmax(), color="#999999", linestyle=":", zorder=0)
    ax.set(title=f"early stopping by {name}", xlabel="epoch", xscale="log")
    ax.set_xlim(0.8, 200)


def draw_search(ax, by_patients, seen, unseen):
    """Draw the scores of a search whose folds and early stopping split by patients or by rows."""
    X, y, patients = seen
    with sklearn.config_context(enable_metadata_routing=True):
        net = make_net(by_patients)
        if by_patients:
            net.set_fit_request(groups=True)  # the search passes them to the folds by itself
            search = GridSearchCV(net, {"alpha": ALPHAS}, cv=GroupKFold(4))
            search.fit(X, y, groups=patients)
        else:
            search = GridSearchCV(net, {"alpha": ALPHAS}, cv=KFold(4, shuffle=True, random_state=0))
            search.fit(X, y)
    name, color = ("patients", PATIENTS) if by_patients else ("rows", ROWS)
    alpha, on_unseen = search.best_params_["alpha"], search.score(*unseen)
    print(f"search by {name:<18}{search.best_score_:>8.2f}{on_unseen:>9.2f}   alpha={alpha}")
    label = f"held out: a part of the {name}"
    ax.plot(ALPHAS, search.cv_results_["mean_test_score"], color=color, marker=".", label=label)
    ax.plot([alpha, alpha], [search.best_score_, on_unseen], ":", color="#999999", zorder=0)
    ax.plot(alpha, on_unseen, "o", color=UNSEEN, label="unseen patients" if by_patients else "")


def main(folder: Path) -> None:
    seen, unseen = load()
    fig, axes = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained", sharey=True)
    print(f"{'R2':<28}{'held out':>8}{'unseen':>9}")
    for ax, by_patients in zip(axes, (False, True), strict=False):
        draw_training(ax, by_patients, seen, unseen)
    for by_patients in (False, True):
        draw_search(axes[2], by_patients, seen, unseen)
    axes[0].set_ylabel("R²")
    axes[2].set(title="search over alpha", xlabel="alpha", xscale="log")
    for ax in axes:
        ax.set_ylim(-0.1, 1)
        ax.grid(alpha=0.3)
    fig.legend(loc="outside lower center", ncols=3, frameon=False)
    fig.savefig(folder / "groups.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
