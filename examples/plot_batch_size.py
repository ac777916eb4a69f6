"""batch_size="adaptive": small batches at first, larger ones once their noise asks for it.

The same network learns the digits with batches of 32 or 200 and with batches that grow, at a
learning rate that is too large for the small ones. Left: the training loss over the steps. Middle:
over the epochs. Right: the size of the batches. The figure is saved as batch_size.png in the folder
given as argument.
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

SIZES = {32: "#E69F00", 200: "#0072B2", "adaptive": "#000000"}


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained")
    print(f"{'batch size':<12}{'epochs':>6}{'steps':>8}{'last loss':>10}{'test accuracy':>16}")
    for size, color in SIZES.items():
        net = MLPClassifier(
            (64,),
            batch_size=size,
            learning_rate_init=0.04,
            max_iter=1000,
            random_state=0,
        )
        net.fit(X_train, y_train)
        history = net.history_
        steps = np.ceil(len(X_train) / history["batch_size"]).cumsum()
        left.plot(steps, history["loss"], color=color, label=str(size))
        middle.plot(history.index, history["loss"], color=color)
        right.plot(history.index, history["batch_size"], color=color)
        print(f"{size!s:<12}{len(history):>6}{steps.iloc[-1]:>8.0f}{net.loss_:>10.4f}", end="")
        print(f"{net.score(X_test, y_test):>16.3f}")
    left.set(title="training loss", xlabel="step", xscale="log", yscale="log")
    middle.set(title="training loss", xlabel="epoch", xscale="log", yscale="log")
    right.set(title="samples in a batch", xlabel="epoch", xscale="log", yscale="log")
    right.set_yticks([32, 64, 128, 256, 512], ["32", "64", "128", "256", "512"])
    right.minorticks_off()
    left.legend(title="batch_size", loc="lower left")
    for ax in (left, middle, right):
        ax.grid(alpha=0.3)
    fig.savefig(folder / "batch_size.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
