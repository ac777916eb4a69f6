"""A rare class: what early stopping sees, and what it misses.

The question is whether an image is an eight, and of the eights only one in four is kept. Who always
says "no" is right in 97 of 100 cases. Early stopping by accuracy sees no improvement over that and
ends too early; sknn warns. By the loss it goes on. With class_weight="balanced" the eights count as
much as all the others together. Left: what is watched. Right: precision and recall on unseen
images, over all thresholds; the dots are the threshold 1/2. The figure is saved as imbalanced.png
in the folder given as argument.
"""

import sys
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_score,
    recall_score,
)
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

WATCHED = {
    "accuracy": {},
    "loss": {"scoring": "loss"},
    "loss, balanced": {"scoring": "loss", "class_weight": "balanced"},
}
COLORS = ["#D55E00", "#0072B2", "#009E73"]


def load():
    """Return the digits, with every fourth eight only, and whether they are eights."""
    X, y = load_digits(return_X_y=True)
    is_eight = y == 8
    eights = np.flatnonzero(is_eight)
    rows = np.sort(np.concatenate([np.flatnonzero(~is_eight), eights[::4]]))
    return X[rows] / 16, is_eight[rows]


def main(folder: Path) -> None:
    X, y = load()
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.4, stratify=y, random_state=0
    )
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    print(f"{y.sum()} of {len(y)} images are eights")
    print(f"{'watched':<16}{'epochs':>6}{'average precision':>19}{'recall at 1/2':>15}")
    for color, (name, options) in zip(COLORS, WATCHED.items(), strict=True):
        net = MLPClassifier(
            (50,),
            early_stopping=True,
            validation_fraction=0.2,
            max_iter=1000,
            random_state=0,
            **options,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net.fit(X_train, y_train)
        probability = net.predict_proba(X_test)[:, 1]
        precision, recall, _ = precision_recall_curve(y_test, probability)
        average = average_precision_score(y_test, probability)
        at_half = recall_score(y_test, probability > 0.5)
        print(f"{name:<16}{net.n_iter_:>6}{average:>19.2f}{at_half:>15.2f}")
        for warning in caught:
            print(f"  {warning.category.__name__}: {warning.message}")
        score = net.history_["val_score"]
        left.plot(score.index, score, color=color)
        left.annotate(
            name, (net.n_iter_, score.iloc[-1]), xytext=(4, -3), textcoords="offset points"
        )
        right.plot(recall, precision, color=color, label=f"{name}: {average:.2f}")
        where = at_half, precision_score(y_test, probability > 0.5, zero_division=1)
        right.plot(*where, "o", color=color, clip_on=False, zorder=3)
    left.set(title="what is watched: accuracy, or minus the loss", xlabel="epoch", xscale="log")
    left.set_xlim(1, 2000)
    right.set(title="unseen images", xlabel="recall", ylabel="precision", ylim=(0, 1.05))
    right.legend(title="watched: average precision", loc="center left")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "imbalanced.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
