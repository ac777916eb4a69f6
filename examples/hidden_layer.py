"""Inside a network: digits as points of a plane, and weights that serve a second network.

Left: the last hidden layer of this network has two units only, so its outputs can be drawn; unseen
digits lie where the network puts them before it decides. Right: a network has learnt sharp images.
A second one is to read blurred and noisy ones, of which there are few, and begins with the weights
of the first (initializer=...) or with random ones. The figure is saved as hidden_layer.png in the
folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

N_IMAGES = [10, 20, 40, 80, 160]
STARTS = range(5)


def draw_plane(ax, X, y):
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    net = MLPClassifier(
        (64, 2), ["gelu", "identity"], learning_rate_init=0.01, max_iter=1000, random_state=0
    )
    net.fit(X_train, y_train)
    print(net.summary())
    print(f"accuracy on unseen digits, through two units: {net.score(X_test, y_test):.3f}")
    points = net.hidden_layer_outputs(X_test)
    for digit in range(10):
        chosen = points[y_test == digit]
        ax.plot(*chosen.T, ".", color=f"C{digit}", markersize=5)
        label = ax.annotate(str(digit), np.median(chosen, axis=0), fontsize=15, weight="bold")
        label.set_path_effects([withStroke(linewidth=3, foreground="white")])
    ax.set(title="the two units of the last hidden layer", xlabel="unit 1", ylabel="unit 2")


def spoil(X):
    """Return images of 8 x 8 pixels, blurred and with noise."""
    images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    blurred = sum(images[:, i : i + 8, j : j + 8] for i in range(3) for j in range(3)) / 9
    return blurred.reshape(-1, 64) + np.random.default_rng(0).normal(0, 0.1, X.shape)


def transfer(X, y):
    """Return the accuracy by beginning, number of images and repetition; and that of the first."""
    X_sharp, X_rest, y_sharp, y_rest = train_test_split(
        X, y, train_size=1000, stratify=y, random_state=0
    )
    X_spoilt = spoil(X_rest)
    numbers = {"hidden_layer_sizes": (64,), "learning_rate_init": 0.003, "max_iter": 2000}
    first = MLPClassifier(random_state=0, **numbers).fit(X_sharp, y_sharp)
    scores = np.empty((2, len(N_IMAGES), len(STARTS)))
    for column, n in enumerate(N_IMAGES):
        for seed in STARTS:
            X_train, X_test, y_train, y_test = train_test_split(
                X_spoilt, y_rest, train_size=n, stratify=y_rest, random_state=seed
            )
            known = first.coefs_, first.intercepts_
            for row, initializer in enumerate(("auto", known)):
                net = MLPClassifier(initializer=initializer, random_state=seed, **numbers)
                scores[row, column, seed] = net.fit(X_train, y_train).score(X_test, y_test)
    return scores, first.score(X_spoilt, y_rest)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    draw_plane(left, X / 16, y)
    scores, before = transfer(X / 16, y)
    for row, name in enumerate(("random weights", "those of sharp images")):
        mean, std = scores[row].mean(axis=1), scores[row].std(axis=1)
        right.errorbar(N_IMAGES, mean, std, marker="o", capsize=3, label=name)
        print(f"blurred, from {name:<24}" + "".join(f"{value:8.3f}" for value in mean))
    right.axhline(before, color="#999999", linestyle="--", label="those, without more training")
    print(f"blurred, without any training {before:.3f}")
    right.set(title="reading blurred digits", xlabel="images to learn from", xscale="log")
    right.set(ylabel="accuracy on unseen ones", xticks=N_IMAGES, xticklabels=N_IMAGES)
    right.minorticks_off()
    right.legend(title="beginning with")
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "hidden_layer.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
