"""All activations of the package: their values, their slopes, and the epochs that they need.

Each panel shows a function (solid) and its slope (dashed). The same network, two hidden layers of
32 units, learns the digits with each of them until its training loss reaches 0.02; the table says
how many epochs that took and how well unseen digits are told apart. The figure is saved as
activation_shapes.png in the folder given as argument.
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
from sknn.activations import ACTIVATIONS

NAMES = ["relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "softplus"]
NAMES += ["tanh", "logistic", "identity"]


def draw(ax, name):
    z = np.linspace(-4, 4, 401)
    value, slope = ACTIVATIONS.resolve(name).value_and_slope(z)
    ax.plot(z, value, color="#0072B2", label="f(z)")
    ax.plot(z, slope, color="#D55E00", linestyle="--", label="slope f'(z)")
    ax.set(title=name, xlim=(-4, 4), ylim=(-2.1, 2.1))
    ax.grid(alpha=0.3)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    fig, axes = plt.subplots(3, 4, figsize=(9, 6.4), sharex=True, sharey=True, layout="constrained")
    print(f"{'activation':<12}{'epochs':>6}{'test accuracy':>16}")
    for ax, name in zip(axes.flat, NAMES, strict=False):
        draw(ax, name)
        net = MLPClassifier(
            (32, 32), name, target_loss=0.02, learning_rate_init=0.003, max_iter=500, random_state=0
        )
        net.fit(X_train, y_train)
        print(f"{name:<12}{net.n_iter_:>6}{net.score(X_test, y_test):>16.3f}")
    for ax in axes.flat[len(NAMES) :]:
        ax.set_axis_off()
    fig.legend(*axes.flat[0].get_legend_handles_labels(), loc="lower right", frameon=False)
    fig.supxlabel("z")
    fig.savefig(folder / "activation_shapes.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
