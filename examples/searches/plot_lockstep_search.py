"""
The same search in less time
============================

A grid search trains many small networks one after the other. Inside of
``with sknn.lockstep():`` they wait for each other and are trained together,
as one. This example runs one search outside and inside: the scores are the
same to the last bit, and only the time is another.
"""

# %%
# 24 candidates on five folds are 120 networks, and one more for the best.

import time
import warnings
from contextlib import nullcontext

import matplotlib.pyplot as plt
import numpy as np
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

sizes = [(5,), (10,), (20,)]
alphas = [0.01, 1.0]
rates = [0.0001, 0.001, 0.01, 0.1]

X, y = load_wine(return_X_y=True)
network = sknn.MLPClassifier(batch_size=8, max_iter=80, random_state=0)
search = GridSearchCV(
    make_pipeline(StandardScaler(), network),
    {
        "mlpclassifier__hidden_layer_sizes": sizes,
        "mlpclassifier__alpha": alphas,
        "mlpclassifier__learning_rate_init": rates,
    },
    cv=5,
)

# %%
# The search itself is scikit-learn's in both cases. 80 epochs tell the
# candidates apart; that some would go on improving is no news, so the
# warning is ignored.

outside, inside = clone(search), clone(search)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)

    start = time.perf_counter()
    outside.fit(X, y)
    seconds_outside = time.perf_counter() - start

    start = time.perf_counter()
    with sknn.lockstep():
        inside.fit(X, y)
    seconds_inside = time.perf_counter() - start

scores = inside.cv_results_["mean_test_score"]
scores_outside = outside.cv_results_["mean_test_score"]
print(f"outside            {seconds_outside:.2f} s")
print(f"inside             {seconds_inside:.2f} s")
print(f"times faster       {seconds_outside / seconds_inside:.1f}")
print(f"equal mean scores  {np.array_equal(scores, scores_outside)}")
print(f"best score         {inside.best_score_:.3f}")
for name, value in inside.best_params_.items():
    print(f"    {name.removeprefix('mlpclassifier__'):20}{value}")

# %%
# The maps show the mean accuracy of each candidate. At the smallest rate 80
# epochs are too few, most of all for 5 units. Most of the others differ by
# a few of the 178 wines, so it is luck which of them has won. The bars are
# the seconds that both searches took on the computer that has drawn this
# figure. How much is gained depends on the networks: the smaller they and
# their batches are, the more.

# The names of the grid are in alphabetical order; the last varies fastest.
tables = scores.reshape(len(alphas), len(sizes), len(rates))
lowest, middle = scores.min(), (scores.min() + 1) / 2

fig, (*maps, bars) = plt.subplots(
    1, 4, figsize=(10, 3.4), width_ratios=(4, 4, 4, 2), layout="constrained"
)
for k, ax in enumerate(maps):
    table = tables[:, k]
    ax.imshow(table, vmin=lowest, vmax=1, cmap="viridis", aspect="auto")
    for (row, column), score in np.ndenumerate(table):
        ax.text(
            column,
            row,
            f"{score:.2f}",
            color="white" if score < middle else "black",
            ha="center",
            va="center",
        )
    ax.set(title=f"{sizes[k][0]} units", xlabel="learning rate")
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set_yticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
maps[0].set_ylabel("alpha")
drawn = bars.bar(
    ["outside", "inside"],
    [seconds_outside, seconds_inside],
    color=["#999999", "#009E73"],
)
bars.bar_label(drawn, fmt="%.1f")
bars.margins(y=0.12)
bars.set(title="time", ylabel="seconds")
fig.suptitle(
    "Mean accuracy of each candidate, and the time for all of them"
)
plt.show()

# %%
# Scikit-learn's own networks
# ---------------------------
#
# A network of this package alone takes less time than scikit-learn's, whose
# parameters and results it has. So there are two steps from there: another
# import, and the context. Eight learning rates in five folds show both.

seconds = {}
for name, Network, context in (
    ("scikit-learn", neural_network.MLPClassifier, nullcontext()),
    ("sknn", sknn.MLPClassifier, nullcontext()),
    ("sknn, in lockstep", sknn.MLPClassifier, sknn.lockstep()),
):
    network = Network((10,), batch_size=8, max_iter=40, random_state=0)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), network),
        {"mlpclassifier__learning_rate_init": np.logspace(-3, -1, 8)},
    )
    with warnings.catch_warnings(), context:
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        search.fit(X, y)
        seconds[name] = time.perf_counter() - start
    print(f"{name:20}{seconds[name]:.2f} s, score {search.best_score_:.3f}")

fig, ax = plt.subplots(figsize=(5.6, 2.4), layout="constrained")
names, values = list(seconds), np.array(list(seconds.values()))
drawn = ax.barh(names, values, color=["#999999", "#56B4E9", "#009E73"])
gains = values[0] / values
labels = [f"{v:.2f} s" for v in values[:1]]
labels += [
    f"{v:.2f} s, {g:.0f} times as fast"
    for v, g in zip(values[1:], gains[1:], strict=True)
]
ax.bar_label(drawn, labels, padding=4)
ax.set(title="40 networks: 8 learning rates, 5 folds", xlabel="seconds")
ax.invert_yaxis()
ax.margins(x=0.15)
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# :doc:`/guide/lockstep` explains how the networks meet, and for which of
# them it helps.
