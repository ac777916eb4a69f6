"""
Rows that belong together
=========================

Several rows of one patient resemble each other. If some of them are trained
on and others held out, the held-out score asks whether the network knows
these patients by heart, and early stopping and searches follow it to the
wrong place. Held out by patients, the score asks what is wanted: how well
does the network do on new ones?
"""

# %%
# Four rows for each patient
# --------------------------
#
# The patients of the diabetes data are real. That each was measured four
# times is made up: the four rows of a patient are the one in the data plus
# a little noise, with the same target. 300 patients are there to fit with,
# the other 142 are never seen before the end.

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
)

from sknn import MLPRegressor

rng = np.random.default_rng(0)
X, y = load_diabetes(return_X_y=True)
patients = np.repeat(rng.permutation(len(y)), 4)
X = X[patients] * np.sqrt(len(y))  # now with a standard deviation of 1
X += rng.normal(scale=0.1, size=X.shape)
y = (y[patients] - y.mean()) / y.std()

n = 4 * 300
X_unseen, y_unseen = X[n:], y[n:]
X, y, patients = X[:n], y[:n], patients[:n]
print(f"{n} rows of {len(np.unique(patients))} patients to fit with")
print(f"{len(X_unseen)} rows of {len(X_unseen) // 4} unseen patients")

# %%
# Early stopping
# --------------
#
# ``validation_fraction`` is a share of the rows, or a splitter of
# scikit-learn such as :class:`~sklearn.model_selection.GroupShuffleSplit`,
# which splits by the ``groups`` that ``fit`` gets (see
# :doc:`/guide/stopping`). A ``scoring`` of our own notes the score on
# unseen patients after each epoch, for the figure only; what it returns,
# and what training ends by, is the score on the rows held out.


def make_net(held_out):
    return MLPRegressor(
        (50,),
        early_stopping=True,
        validation_fraction=held_out,
        learning_rate_init=0.01,
        max_iter=1000,
        random_state=0,
    )


def watch(net, groups=None):
    """Fit; return R² on rows held out and on unseen patients, by epoch."""
    on_unseen = []

    def score(net, X_val, y_val):
        on_unseen.append(net.score(X_unseen, y_unseen))
        return net.score(X_val, y_val)

    net.set_params(scoring=score).fit(X, y, groups=groups)
    kept = net.score(X_unseen, y_unseen)
    print(f"held out {net.best_validation_score_:.2f}, unseen {kept:.2f}")
    return net.history_["val_score"], on_unseen


BY_PATIENTS = GroupShuffleSplit(n_splits=1, test_size=0.2)
print("R² of early stopping by rows: ", end="")
curves = {"rows": watch(make_net(0.2))}
print("R² of early stopping by patients: ", end="")
curves["patients"] = watch(make_net(BY_PATIENTS), groups=patients)

# %%
# A search over alpha
# -------------------
#
# In a search both splits have to respect the patients: the folds, and early
# stopping within each of them. The folds get the groups by themselves; that
# the network gets them as well is asked for by scikit-learn's metadata
# routing, ``set_fit_request``.

GRID = {"alpha": [0.1, 1, 10, 100, 1000]}
folds = KFold(4, shuffle=True, random_state=0)
searches = {"rows": GridSearchCV(make_net(0.2), GRID, cv=folds).fit(X, y)}
with sklearn.config_context(enable_metadata_routing=True):
    net = make_net(BY_PATIENTS).set_fit_request(groups=True)
    search = GridSearchCV(net, GRID, cv=GroupKFold(4))
    searches["patients"] = search.fit(X, y, groups=patients)

kept = {}
for name, search in searches.items():
    kept[name] = search.score(X_unseen, y_unseen)
    print(f"R² of the search by {name}, {search.best_params_}:", end=" ")
    print(f"held out {search.best_score_:.2f}, unseen {kept[name]:.2f}")

# %%
# What is promised and what is kept
# ---------------------------------
#
# Left: held out by rows, R² rises to 0.87 while it falls on unseen
# patients, to 0.04 in the end. Middle: held out by patients, the score that
# is watched is close to that on unseen patients, and training ends in time.
# The dotted lines are the epochs whose weights are kept.
#
# Right: the search by rows picks the smallest ``alpha``, the network that
# remembers best, and promises 0.78 for a network that reaches 0.09 (lower
# dot). The search by patients picks a larger one, promises 0.49 and reaches
# 0.42: still a little much, as the best of five scores is, but nearly
# right.

COLORS = {"rows": "#E69F00", "patients": "#009E73"}
UNSEEN = "#0072B2"

fig, axes = plt.subplots(
    1, 3, figsize=(10, 4), layout="constrained", sharey=True
)
for ax, (name, (held_out, on_unseen)) in zip(
    axes, curves.items(), strict=False
):
    label = f"held out: a part of the {name}"
    ax.plot(held_out.index, held_out, color=COLORS[name], label=label)
    ax.plot(held_out.index, on_unseen, color=UNSEEN)
    ax.axvline(held_out.idxmax(), color="#999999", linestyle=":", zorder=0)
    ax.set(title=f"early stopping by {name}", xlabel="epoch", xscale="log")
    ax.set_xlim(0.8, 200)

ax = axes[2]
for name, search in searches.items():
    scores = search.cv_results_["mean_test_score"]
    ax.plot(GRID["alpha"], scores, color=COLORS[name], marker=".")
    alpha, promised = search.best_params_["alpha"], search.best_score_
    ax.plot([alpha, alpha], [promised, kept[name]], ":", color="#999999")
    ax.plot(alpha, kept[name], "o", color=UNSEEN)
ax.plot([], [], "o-", color=UNSEEN, label="unseen patients")
ax.set(title="search over alpha", xlabel="alpha", xscale="log")
axes[0].set(ylabel="R²", ylim=(-0.1, 1))
for ax in axes:
    ax.grid(alpha=0.3)
fig.legend(loc="outside lower center", ncols=3, frameon=False)
plt.show()

# %%
# The same holds for other rows that belong together: images of one video,
# customers of one shop, days of one week. Ask what will be new when the
# model is used, and hold out that.
