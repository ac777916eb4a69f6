"""Augmentation: a few digits, changed a little in each step.

Above: one image as it is, and as each augmentation shows it to the network; Shift, which moves
images by a pixel, is a class of a few lines in this script. Below: the accuracy of networks that
have learnt from 200 images, on unseen digits as they are, and moved by a pixel. What is rehearsed
is learnt, and not much else. The figure is saved as augmentation.png in the folder given as
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
from sknn.augmentation import Augmentation, GaussianNoise, Mixup, SwapNoise


class Shift(Augmentation):
    """Moves each image by up to a pixel in both directions."""

    def augment(self, X, y, rng):
        images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
        rows, columns = rng.integers(0, 3, (2, len(X)))
        place = np.arange(8)
        every = np.arange(len(X))[:, None, None]
        down, right = rows[:, None, None] + place[:, None], columns[:, None, None] + place
        X[...] = images[every, down, right].reshape(len(X), 64)


AUGMENTATIONS = {
    "none": None,
    "GaussianNoise(0.2)": GaussianNoise(0.2),
    "SwapNoise(0.1)": SwapNoise(0.1),
    "Mixup(0.4)": Mixup(0.4),
    "Shift()": Shift(),
}
TESTS = {"as they are": "#0072B2", "moved by a pixel": "#D55E00"}
STARTS = range(4)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, train_size=200, stratify=y, random_state=0
    )
    X_moved = X_test.copy()
    Shift().augment(X_moved, y_test, np.random.default_rng(0))
    fig = plt.figure(figsize=(9, 5.4), layout="constrained")
    above, below = fig.subfigures(2, 1, height_ratios=(1, 1.5))
    ax = below.subplots()
    print(f"{'accuracy':<20}" + "".join(f"{test:>18}" for test in TESTS))
    panels = above.subplots(1, len(AUGMENTATIONS))
    for row, (panel, (name, augmentation)) in enumerate(
        zip(panels, AUGMENTATIONS.items(), strict=True)
    ):
        images, targets = X_train[:50].copy(), np.eye(10)[y_train[:50]]
        if augmentation is not None:
            augmentation.augment(images, targets, np.random.default_rng(3))
        panel.imshow(images[1].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        panel.set_title(name, fontsize=10)
        panel.set_axis_off()
        scores = np.empty((len(TESTS), len(STARTS)))
        for seed in STARTS:
            net = MLPClassifier(
                (64,),
                augmentation=augmentation,
                batch_size=50,
                learning_rate_init=0.003,
                tol=1e-3,
                n_iter_no_change=50,
                max_iter=5000,
                random_state=seed,
            )
            net.fit(X_train, y_train)
            scores[:, seed] = net.score(X_test, y_test), net.score(X_moved, y_test)
        for values, (test, color) in zip(scores, TESTS.items(), strict=True):
            label = "" if row else f"unseen digits, {test}"
            ax.plot(values, [row] * len(values), "o", color=color, alpha=0.5, label=label)
        print(f"{name:<20}" + "".join(f"{mean:>18.3f}" for mean in scores.mean(axis=1)))
    ax.set_yticks(range(len(AUGMENTATIONS)), AUGMENTATIONS)
    ax.set_ylim(len(AUGMENTATIONS) - 0.5, -0.5)
    ax.set(xlabel="accuracy, four random starts each")
    ax.legend(loc="lower center")
    ax.grid(alpha=0.3)
    fig.savefig(folder / "augmentation.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
