"""All learning-rate schedules, and the training of one network with each.

Each panel shows by what factor a schedule multiplies the initial rate, over 60 epochs, and the
training loss on the digits. The initial rate is always 0.02, which is large for Adam, so that a
schedule has something to do. The figure is saved as schedules.png in the folder given as argument.
"""

import sys
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.schedules import Cosine, InverseScaling, Joined, Polynomial

N_EPOCHS = 60
RATE, LOSS = "#0072B2", "#D55E00"
SCHEDULES = {
    "constant": "constant",
    "cosine": "cosine",
    "one_cycle": "one_cycle",
    "exponential": "exponential",
    "step": "step",
    "polynomial": "polynomial",
    "coslog": "coslog",
    "InverseScaling(0.2)": InverseScaling(0.2),
    "Joined: cosine, line": Joined([Cosine(), Polynomial()], [30]),
    "function: 0.95**epoch": lambda epoch: 0.95**epoch,
}


def train(schedule, X, y):
    net = MLPClassifier(
        (32,),
        batch_size=32,
        learning_rate=schedule,
        learning_rate_init=0.02,
        n_iter_no_change=float("inf"),
        max_iter=N_EPOCHS,
        random_state=0,
    )
    with warnings.catch_warnings():
        # A schedule is planned for all epochs: their end is no lack of convergence.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return net.fit(X, y)


def draw(ax, history, name, is_left, is_right):
    ax.plot(history.index, history["learning_rate"] / 0.02, color=RATE)
    ax.set(title=name, ylim=(-0.05, 1.1))
    ax.title.set_fontsize(10)
    ax.tick_params(labelleft=is_left)
    losses = ax.twinx()
    losses.plot(history.index, history["loss"], color=LOSS, linewidth=1)
    losses.set(yscale="log", ylim=(1e-3, 3))
    losses.tick_params(labelright=is_right)
    if is_right:
        losses.set_ylabel("training loss", color=LOSS)


def main(folder: Path) -> None:
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    fig, axes = plt.subplots(2, 5, figsize=(10, 4.6), sharex=True, layout="constrained")
    print(f"{'schedule':<24}{'final loss':>10}{'test accuracy':>16}")
    for i, (ax, (name, schedule)) in enumerate(zip(axes.flat, SCHEDULES.items(), strict=True)):
        net = train(schedule, X_train, y_train)
        draw(ax, net.history_, name, is_left=i % 5 == 0, is_right=i % 5 == 4)
        print(f"{name:<24}{net.loss_:>10.5f}{net.score(X_test, y_test):>16.3f}")
    fig.supxlabel("epoch")
    fig.supylabel("factor of the initial rate", color=RATE)
    fig.savefig(folder / "schedules.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
