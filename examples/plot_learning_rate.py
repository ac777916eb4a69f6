"""How the learning rate changes training, and two ways to choose it.

Left: the training loss of the same network on the digits at five learning rates, epoch by epoch.
Right: the cross-validated accuracy at the five rates of a grid, and at ten rates that a random
search has drawn from a log-uniform distribution over the same range.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier

RATE = "mlpclassifier__learning_rate_init"
RATES = [0.0001, 0.001, 0.01, 0.1, 1.0]
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
COLORS = ["#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00"]


def make_model():
    return make_pipeline(
        StandardScaler(), MLPClassifier((32,), tol=1e-3, max_iter=1000, random_state=0)
    )


def draw_losses(ax, X, y):
    for rate, color in zip(RATES, COLORS, strict=True):
        loss = make_model().set_params(**{RATE: rate}).fit(X, y)[-1].history_["loss"]
        ax.plot(loss, color=color)
        end = len(loss) * 1.15, loss.iloc[-1]
        ax.annotate(f"{rate:g}", end, color=color, weight="bold", va="center")
    ax.set(title="training loss", xlabel="epoch", xscale="log", yscale="log", xlim=(0.8, 1500))


def draw_searches(ax, X, y):
    grid = GridSearchCV(make_model(), {RATE: RATES}, cv=FOLDS, refit=False)
    random = RandomizedSearchCV(
        make_model(), {RATE: loguniform(1e-4, 1)}, n_iter=10, cv=FOLDS, random_state=5, refit=False
    )
    print(f"{'search':<8}{'learning rate':>14}{'accuracy':>10}")
    for name, search, style in (("grid", grid, "s"), ("random", random, "o")):
        results = search.fit(X, y).cv_results_
        rates = np.array(results[f"param_{RATE}"], dtype=float)
        scores = results["mean_test_score"]
        for rate, score in sorted(zip(rates, scores, strict=True)):
            print(f"{name:<8}{rate:>14.5f}{score:>10.3f}")
        ax.plot(rates, scores, style, label=f"{name} search")
    ax.set(title="cross-validated accuracy", xlabel="learning rate", xscale="log")
    ax.legend()


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    draw_losses(left, X, y)
    draw_searches(right, X, y)
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.suptitle(
        "Digits: at a small rate training stops too early, at a large one it never settles"
    )
    fig.savefig(folder / "learning_rate.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
