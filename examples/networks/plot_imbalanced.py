"""
A rare class: what early stopping misses
========================================

Where 3 samples in 100 belong to the class that matters, always saying "no"
is right 97 times. A network gets there in a few epochs; accuracy no longer
moves, and early stopping ends training before it has begun. Watching the
loss instead makes the difference between a useless network and a useful
one.
"""

# %%
# Few eights
# ----------
#
# Is an image an eight? Of the eights in the digits only every fourth is
# kept.

import textwrap
import warnings

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

X, y = load_digits(return_X_y=True)
is_eight = y == 8
kept = np.flatnonzero(is_eight)[::4]
rows = np.sort(np.concatenate([np.flatnonzero(~is_eight), kept]))
X_train, X_test, y_train, y_test = train_test_split(
    X[rows] / 16,
    is_eight[rows],
    test_size=0.4,
    stratify=is_eight[rows],
    random_state=0,
)
print(f"{len(kept)} of {len(rows)} images are eights")
print(f"{y_test.sum()} of them are among the {len(y_test)} test images")

# %%
# Three ways to stop
# ------------------
#
# The same network with early stopping by accuracy (the default), by the
# loss, and by the loss with ``class_weight="balanced"``, which makes the
# eights weigh as much as all other images together. Average precision sums
# up how well the classes are told apart, whatever the threshold; recall
# says how many of the eights have a probability above 1/2.

WATCHED = {
    "accuracy": {},
    "loss": {"scoring": "loss"},
    "loss, balanced": {"scoring": "loss", "class_weight": "balanced"},
}
nets = {}
print(f"{'watched':<16}{'epochs':>6}{'average precision':>19}{'recall':>8}")
for name, parameters in WATCHED.items():
    net = MLPClassifier(
        (50,),
        early_stopping=True,
        validation_fraction=0.2,
        max_iter=1000,
        random_state=0,
        **parameters,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nets[name] = net.fit(X_train, y_train)
    probability = net.predict_proba(X_test)[:, 1]
    average = average_precision_score(y_test, probability)
    recall = recall_score(y_test, probability > 0.5)
    print(f"{name:<16}{net.n_iter_:>6}{average:>19.2f}{recall:>8.2f}")
    for warning in caught:
        message = textwrap.indent(textwrap.fill(str(warning.message)), "  ")
        print(f"  {warning.category.__name__}:\n{message}")

# %%
# Watching the accuracy, training ends after 16 epochs and no eight is
# found. sknn notices that the accuracy never exceeded the share of the
# larger class, and warns (the script catches the warning to print it).
#
# Left, what is watched, for each network. The accuracy stands still from
# epoch 5 on while the loss goes on improving for more than 200. Right,
# precision and recall over all thresholds; the dots are the threshold 1/2.
# Balanced weights hardly change the curve, that is, how well the eights are
# told apart. They move the threshold along it: more eights are found, with
# more false alarms.

COLORS = ["#D55E00", "#0072B2", "#009E73"]
LINES = ["-.", "-", "--"]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), layout="constrained"
)
for (name, net), color, line in zip(
    nets.items(), COLORS, LINES, strict=True
):
    score = net.history_["val_score"]
    left.plot(score.index, score, line, color=color)
    left.annotate(
        name,
        (net.n_iter_, score.iloc[-1]),
        xytext=(4, -3),
        textcoords="offset points",
    )
    probability = net.predict_proba(X_test)[:, 1]
    precision, recall, _ = precision_recall_curve(y_test, probability)
    average = average_precision_score(y_test, probability)
    label = f"{name}: {average:.2f}"
    right.plot(recall, precision, line, color=color, label=label)
    predicted = probability > 0.5
    right.plot(
        recall_score(y_test, predicted),
        precision_score(y_test, predicted, zero_division=1),
        "o",
        color=color,
        clip_on=False,
        zorder=3,
    )
left.set(title="what is watched", xlabel="epoch", xscale="log")
left.set(ylabel="accuracy, or minus the loss", xlim=(1, 2000))
right.set(title="unseen images", xlabel="recall", ylabel="precision")
right.set_ylim(0, 1.05)
right.legend(title="average precision", loc=(0.05, 0.3))
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# The test has 18 eights, so one more or less moves recall by 0.06: the
# difference between the two upper curves is none. Which threshold is right
# depends on what a miss and a false alarm cost;
# :class:`~sklearn.model_selection.TunedThresholdClassifierCV` chooses it.
# :doc:`/guide/stopping` has more on scores to watch, :doc:`/guide/losses`
# on class weights.
