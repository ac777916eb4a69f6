"""learning_rate_init="auto": the range test, and what its choice is worth.

Before training, copies of the network take a few dozen steps at 29 rates. The rate with the lowest
loss, divided by 3, is taken. Left: these losses. Right: the training loss with the chosen rate, and
with a tenth and ten times of it. The figure is saved as range_test.png in the folder given as
argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier


def train(rate, X, y):
    net = MLPClassifier((32,), learning_rate_init=rate, tol=1e-3, max_iter=1000, random_state=0)
    return net.fit(X, y)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    found = train("auto", X_train, y_train)
    rate, test = found.learning_rate_, found.lr_find_
    nets = {
        f"a tenth: {rate / 10:.2g}": train(rate / 10, X_train, y_train),
        f"auto: {rate:.2g}": found,
        f"ten times: {10 * rate:.2g}": train(10 * rate, X_train, y_train),
    }
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    left.loglog(test["learning_rate"], test["loss"], "o-", color="#444444", markersize=4)
    left.axvline(rate, color="C1", label=f"chosen: {rate:.2g}")
    left.set(title="range test: lr_find_", xlabel="learning rate", ylabel="loss after a few steps")
    left.legend()
    print(f"{'rate':<20}{'epochs':>6}{'loss':>8}{'test accuracy':>16}")
    for name, net in nets.items():
        loss = net.history_["loss"]
        right.plot(loss.index, loss, label=name)
        score = net.score(X_test, y_test)
        print(f"{name:<20}{net.n_iter_:>6}{net.loss_:>8.3f}{score:>16.3f}")
    right.set(title="training loss", xlabel="epoch", xscale="log", yscale="log")
    right.legend()
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "range_test.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
