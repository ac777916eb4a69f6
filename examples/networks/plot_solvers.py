"""
Ten update rules side by side
=============================

How do the solvers move? The same network learns the digits with each update
rule, from the same weights and with the same shuffles, each at a learning
rate that suits it. One data set and one network rank nothing: the figure
shows how the rules move, not which is best.
"""

# %%
# The rates that suit the rules differ by orders of magnitude, so a common
# one would be unfair. Each takes the one that its range test finds
# (``learning_rate_init="auto"``, see :doc:`/guide/learning_rate`). Training
# ends at a loss of 0.01, or earlier when the loss hardly falls any more.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.optimizers import OPTIMIZERS

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)

nets = {}
print(f"{'solver':<16}{'rate':>8}{'epochs':>8}{'test accuracy':>16}")
for solver in OPTIMIZERS:
    net = MLPClassifier(
        (32,),
        solver=solver,
        learning_rate_init="auto",
        target_loss=0.01,
        max_iter=1000,
        random_state=0,
    )
    nets[solver] = net.fit(X_train, y_train)
    rate, accuracy = net.learning_rate_, net.score(X_test, y_test)
    print(f"{solver:<16}{rate:>8.2g}{net.n_iter_:>8}{accuracy:>16.3f}")

# %%
# Each panel has one rule in colour and all others in grey. What to look
# for:
#
# - adam, adamw, amsgrad and nadam are close relatives and move alike.
#   schedule_free is not far from them, and neither is sgd, with Nesterov's
#   momentum and a rate ten times as large.
# - lion and muon need the fewest epochs here. An epoch of muon is more
#   work, since it makes the step of each weight matrix orthogonal.
# - rmsprop takes longer, and its curve becomes restless below 0.1.
# - adagrad's steps get ever smaller. Its training ended above 0.01, because
#   the loss hardly fell any more.
#
# The accuracies in the table differ by less than two percentage points, 7
# of 450 images: on unseen digits none of the rules stands out.

fig, axes = plt.subplots(
    2, 5, figsize=(10, 4.6), sharex=True, sharey=True, layout="constrained"
)
for ax, (solver, net) in zip(axes.flat, nets.items(), strict=True):
    for other in nets.values():
        ax.plot(other.history_["loss"], color="#CCCCCC", linewidth=0.8)
    ax.plot(net.history_["loss"], color="#0072B2", linewidth=2)
    title = f"{solver}\nrate {net.learning_rate_:.2g}, {net.n_iter_} epochs"
    ax.set_title(title, fontsize=10)
    ax.set(xscale="log", yscale="log")
    ax.grid(alpha=0.3)
fig.supxlabel("epoch")
fig.supylabel("training loss")
plt.show()

# %%
# ``solver`` is a parameter like any other, so a search can compare rules on
# your data. :doc:`/guide/solvers` has their formulas and references.
