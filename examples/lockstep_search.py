"""A grid search outside and inside of lockstep: the same answers, in less time.

GridSearchCV cross-validates 24 candidates on the wine data, 120 fits of small networks. Inside
`with sknn.lockstep():` the fits wait for each other and are trained together; the search itself is
the same object. Left: the mean accuracy of each candidate, a map for each size of the hidden layer.
Right: the time that both searches took. The figure is saved as lockstep_search.png in the folder
given as argument.
"""

import sys
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

SIZES = [(5,), (10,), (20,)]
RATES = [0.0001, 0.001, 0.01, 0.1]
ALPHAS = [0.01, 1.0]
GRID = {
    "mlpclassifier__hidden_layer_sizes": SIZES,
    "mlpclassifier__alpha": ALPHAS,
    "mlpclassifier__learning_rate_init": RATES,
}


def draw_scores(axes, search):
    """Draw a map of the scores for each of the sizes."""
    results = search.cv_results_
    scores, params = results["mean_test_score"], results["params"]
    for ax, size in zip(axes, SIZES, strict=True):
        is_mine = [p["mlpclassifier__hidden_layer_sizes"] == size for p in params]
        # In the order of ParameterGrid alpha changes more slowly than the rate.
        table = scores[is_mine].reshape(len(ALPHAS), len(RATES))
        ax.imshow(table, vmin=scores.min(), vmax=1, cmap="viridis", aspect="auto")
        for (row, column), score in np.ndenumerate(table):
            is_dark = score < (scores.min() + 1) / 2
            color = "white" if is_dark else "black"
            ax.text(column, row, f"{score:.2f}", color=color, ha="center", va="center")
        ax.set(title=f"{size[0]} units", xlabel="learning rate")
        ax.set_xticks(range(len(RATES)), [f"{rate:g}" for rate in RATES])
        ax.set_yticks(range(len(ALPHAS)), [f"{alpha:g}" for alpha in ALPHAS])
    axes[0].set_ylabel("alpha")


def main(folder: Path) -> None:
    X, y = load_wine(return_X_y=True)
    network = sknn.MLPClassifier(batch_size=8, max_iter=80, random_state=0)
    search = GridSearchCV(make_pipeline(StandardScaler(), network), GRID, cv=5)
    outside, inside = clone(search), clone(search)
    # 80 epochs tell the candidates apart; that some would go on improving is no news.
    warnings.simplefilter("ignore", ConvergenceWarning)

    start = time.perf_counter()
    outside.fit(X, y)
    seconds_outside = time.perf_counter() - start

    start = time.perf_counter()
    with sknn.lockstep():
        inside.fit(X, y)
    seconds_inside = time.perf_counter() - start

    scores = [s.cv_results_["mean_test_score"] for s in (outside, inside)]
    print(f"candidates, folds   {len(scores[0])}, {inside.n_splits_}")
    print(f"outside             {seconds_outside:.2f} s")
    print(f"inside              {seconds_inside:.2f} s")
    print(f"times faster        {seconds_outside / seconds_inside:.1f}")
    print(f"equal mean scores   {np.array_equal(*scores)}")
    print(f"best score          {inside.best_score_:.3f}")
    for name, value in inside.best_params_.items():
        print(f"    {name.removeprefix('mlpclassifier__'):20}{value}")

    fig, (*maps, bars) = plt.subplots(
        1, 4, figsize=(10, 3.2), width_ratios=(4, 4, 4, 2), layout="constrained"
    )
    draw_scores(maps, inside)
    bars.bar(["outside", "inside"], [seconds_outside, seconds_inside], color=["C7", "C2"])
    bars.set(title="seconds")
    fig.suptitle("Mean accuracy of each candidate, and the time for all of them")
    fig.savefig(folder / "lockstep_search.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
