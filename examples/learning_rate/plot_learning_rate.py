"""
What the learning rate changes
==============================

The learning rate is the length of a network's steps, and the first number
to tune. This example shows what too small and too large a rate do to a
training, and two ways to choose one: a grid and a random search.
"""

# %%
# A small network is to read digits. All trainings end in the same way: when
# the loss has improved by less than ``tol`` for ten epochs.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

X, y = load_digits(return_X_y=True)
network = sknn.MLPClassifier((32,), tol=1e-3, max_iter=1000, random_state=0)
model = make_pipeline(StandardScaler(), network)

# %%
# Five rates, five trainings
# --------------------------
#
# Rates act by their order of magnitude, so each is ten times the one
# before. ``history_`` of a fitted network is a table with a row for each
# epoch.

RATE = "mlpclassifier__learning_rate_init"
rates = [0.0001, 0.001, 0.01, 0.1, 1.0]

print("  rate  epochs  last loss")
losses = {}
for rate in rates:
    fitted = clone(model).set_params(**{RATE: rate}).fit(X, y)
    losses[rate] = fitted[-1].history_["loss"]
    print(f"{rate:6g}{len(losses[rate]):8}{losses[rate].iloc[-1]:11.4f}")

# %%
# Two searches
# ------------
#
# The loss on the training data does not say how well new digits are read;
# cross-validation does. :class:`~sklearn.model_selection.GridSearchCV`
# tries the five rates. :class:`~sklearn.model_selection.RandomizedSearchCV`
# draws ten from a distribution in which all orders of magnitude are equally
# likely. Inside of :func:`sknn.lockstep` the networks of a search are
# trained together.

folds = StratifiedKFold(3, shuffle=True, random_state=0)
grid = GridSearchCV(model, {RATE: rates}, cv=folds, refit=False)
draws = RandomizedSearchCV(
    model,
    {RATE: loguniform(1e-4, 1)},
    n_iter=10,
    cv=folds,
    random_state=5,
    refit=False,
)
scores = {}
for name, search in {"grid": grid, "random": draws}.items():
    with sknn.lockstep():
        results = search.fit(X, y).cv_results_
    tried = np.array(results[f"param_{RATE}"], dtype=float)
    order = tried.argsort()
    scores[name] = tried[order], results["mean_test_score"][order]

print("search     rate  accuracy")
for name, pairs in scores.items():
    for rate, score in zip(*pairs, strict=True):
        print(f"{name:<8}{rate:7.4f}{score:10.3f}")

# %%
# Left: at 0.0001 the loss falls smoothly, but so slowly that an epoch soon
# improves it by less than ``tol``, and training ends before it has arrived.
# At 0.1 and 1 the steps jump over the minimum and back, and the loss comes
# to rest at a high value. Right: the best rates are between 0.01 and 0.03.
# There the scores of neighbours differ by a few digits out of 1,797, which
# is no difference: the order of magnitude is what matters.

COLORS = ["#56B4E9", "#0072B2", "#009E73", "#E69F00", "#D55E00"]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4.2), layout="constrained"
)
for (rate, loss), color in zip(losses.items(), COLORS, strict=True):
    left.plot(loss, color=color)
    end = len(loss) * 1.15, loss.iloc[-1]
    left.annotate(f"{rate:g}", end, color=color, va="center")
left.set(
    title="training loss",
    xlabel="epoch",
    ylabel="loss",
    xscale="log",
    yscale="log",
    xlim=(0.8, 900),
)
for (name, pairs), marker, color in zip(
    scores.items(), "so", ("#D55E00", "#0072B2"), strict=True
):
    right.plot(*pairs, marker, color=color, label=f"{name} search")
right.set(
    title="cross-validated accuracy",
    xlabel="learning rate",
    ylabel="accuracy",
    xscale="log",
)
right.legend()
for ax in (left, right):
    ax.grid(alpha=0.3)
fig.suptitle(
    "Digits: a small rate stops too early, a large one never settles"
)
plt.show()

# %%
# :doc:`/tutorial/learning_rate` has the whole story. A search finds a rate
# without a grid of yours in
# :ref:`sphx_glr_gallery_learning_rate_plot_find_learning_rate.py`.
