"""Dropout, batch normalisation and weight decay against overfitting, on a few digits.

A network of two hidden layers of 100 units learns 300 digits; its loss on 500 others is recorded
after each epoch. Training ends when that has not fallen for 20 epochs, and the best weights are
returned. Left: the loss on the unseen digits. Right: the accuracy of the returned network on them,
for three random starts each. The figure is saved as regularization.png in the folder given as
argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

REMEDIES = {
    "none": {},
    "dropout=0.5": {"dropout": 0.5},
    "normalization='batch'": {"normalization": "batch"},
    "weight_decay=0.5": {"weight_decay": 0.5},
    "dropout and batch": {"dropout": 0.5, "normalization": "batch"},
}
COLORS = ["#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"]
STARTS = range(3)


def train(options, data, seed):
    """Return a network and its loss on the digits that it has not seen, epoch by epoch."""
    X_train, X_val, y_train, y_val = data
    net = MLPClassifier(
        (100, 100),
        batch_size=50,
        early_stopping=True,
        scoring="loss",
        tol=0,
        n_iter_no_change=20,
        learning_rate_init=0.002,
        max_iter=1000,
        random_state=seed,
        **options,
    )
    net.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    return net, net.history_["val_loss"]


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_val, X_rest, y_val, y_rest = train_test_split(
        X / 16, y, train_size=500, stratify=y, random_state=0
    )
    X_train, X_test, y_train, y_test = train_test_split(
        X_rest, y_rest, train_size=300, stratify=y_rest, random_state=0
    )
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    print(f"{'against overfitting':<24}{'accuracy on ' + str(len(X_test)) + ' other digits':>30}")
    for row, (name, options) in enumerate(REMEDIES.items()):
        runs = [train(options, (X_train, X_val, y_train, y_val), seed) for seed in STARTS]
        scores = [net.score(X_test, y_test) for net, _ in runs]
        loss = runs[0][1]
        left.plot(loss.index, loss, color=COLORS[row], label=name)
        right.plot(scores, [row] * len(scores), "o", color=COLORS[row], alpha=0.5)
        right.plot(np.mean(scores), row, "|", color=COLORS[row], markersize=24)
        print(f"{name:<24}{np.mean(scores):>24.3f} +- {np.std(scores):.3f}")
    left.set(title="loss on unseen digits", xlabel="epoch", xlim=(0, None), ylim=(0, 0.6))
    left.legend()
    right.set(title="accuracy on other digits", xlabel="three starts; the bar is their mean")
    right.set_yticks(range(len(REMEDIES)), REMEDIES)
    right.locator_params(axis="x", nbins=4)
    right.set_ylim(len(REMEDIES) - 0.5, -0.5)
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "regularization.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
