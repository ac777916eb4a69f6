"""The learning rate without a grid: a range test, then a search by successive halving.

A range test trains the network on the digits for a few dozen steps at each of 29 rates. The loss
says which of them are worth a search, and LearningRateSearchCV cross-validates ten of those, the
better ones for longer. Left: the range test, with the chosen range shaded. Right: the scores of the
ten rates. The figure is saved as find_learning_rate.png in the folder given as argument.
"""

import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.model_selection import LearningRateDisplay, LearningRateSearchCV

RATE = "mlpclassifier__learning_rate_init"


def draw_range_test(ax, search):
    low, high = search.rates_[[0, -1]]
    test = search.range_test_
    ax.loglog(test["learning_rate"], test["loss"], marker="o")
    ax.axvspan(low, high, color="C2", alpha=0.2, label=f"range: {low:.2g} to {high:.2g}")
    ax.set(title="range test", xlabel="Learning rate", ylabel="Training loss after a few epochs")
    ax.legend()


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    network = MLPClassifier((32,), tol=1e-3, max_iter=162, random_state=0)
    search = LearningRateSearchCV(make_pipeline(StandardScaler(), network), cv=5)
    start = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - start

    low, high = search.rates_[[0, -1]]
    print(f"range test    {len(search.range_test_)} rates, worth a search: {low:.2g} to {high:.2g}")
    for n_rates, n_epochs in zip(search.n_candidates_, search.n_resources_, strict=True):
        print(f"round         {n_rates:2} rates, up to {n_epochs} epochs, 5 folds")
    print(f"chosen rate   {search.best_params_[RATE]:.2g}")
    print(f"accuracy      {search.best_score_:.3f} in cross-validation")
    print(f"              {search.score(X_test, y_test):.3f} on {len(X_test)} digits held out")
    print(f"time          {seconds:.1f} s")

    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    draw_range_test(left, search)
    LearningRateDisplay.from_estimator(search, ax=right)
    right.set_ylabel("Accuracy")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "find_learning_rate.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
