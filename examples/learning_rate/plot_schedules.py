"""
Learning-rate schedules
=======================

A rate that changes while a network learns can have both: long steps at the
beginning, calm ones at the end. This page shows most of the schedules that
have a name, some of your own making, and what the training of one network
makes of each.
"""

# %%
# A schedule says by what factor ``learning_rate_init`` is multiplied in an
# epoch. It is a name, an instance from :mod:`sknn.schedules`, or a function
# of the epoch. The initial rate of 0.02 is large for Adam, so that a
# schedule has something to do.
#
# A schedule is planned for all ``max_iter`` epochs, so no lack of
# improvement should end the training. A network whose schedule does not say
# where it ends warns that it has not converged; that is ignored.

import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.schedules import Cosine, InverseScaling, Joined, Polynomial

schedules = {
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

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)

print(f"{'schedule':<24}{'final loss':>10}{'test accuracy':>16}")
histories = {}
for name, schedule in schedules.items():
    net = MLPClassifier(
        (32,),
        batch_size=32,
        learning_rate=schedule,
        learning_rate_init=0.02,
        n_iter_no_change=float("inf"),
        max_iter=60,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        net.fit(X_train, y_train)
    histories[name] = net.history_
    score = net.score(X_test, y_test)
    print(f"{name:<24}{net.loss_:>10.5f}{score:>16.3f}")

# %%
# Blue: the factor. Orange: the training loss. Where the rate is high the
# loss is ragged, where it falls the loss becomes smooth, and where it rises
# again, so does the loss ("coslog", "Joined"). The test accuracies lie
# within a percent, which is four of the 450 digits, and the constant rate
# has the lowest loss of all: data as easy as these need no schedule, and
# the table does not say which one is best.

RATE, LOSS = "#0072B2", "#D55E00"

fig, axes = plt.subplots(
    2, 5, figsize=(10, 4.6), sharex=True, layout="constrained"
)
for i, (ax, (name, history)) in enumerate(
    zip(axes.flat, histories.items(), strict=True)
):
    ax.plot(history["learning_rate"] / 0.02, color=RATE)
    ax.set(ylim=(-0.05, 1.1))
    ax.set_title(name, fontsize=10)
    ax.tick_params(axis="y", labelleft=i % 5 == 0, labelcolor=RATE)
    losses = ax.twinx()
    losses.plot(history["loss"], color=LOSS, linewidth=1)
    losses.set(yscale="log", ylim=(1e-3, 3))
    losses.tick_params(axis="y", which="both", right=i % 5 == 4)
    losses.tick_params(axis="y", labelright=i % 5 == 4, labelcolor=LOSS)
    if i % 5 == 4:
        losses.set_ylabel("training loss", color=LOSS)
fig.supxlabel("epoch")
fig.supylabel("factor of the initial rate", color=RATE)
plt.show()

# %%
# :doc:`/guide/learning_rate` has their formulas, and warm-up.
