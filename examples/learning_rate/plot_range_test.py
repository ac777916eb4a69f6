"""
A learning rate by itself
=========================

``learning_rate_init="auto"`` finds a rate before it trains: copies of the
network take a few dozen steps at each of 29 rates, and what they have
learnt by then says which rate is good. This example shows the test, and
what its choice is worth beside a tenth and ten times of it.
"""

# %%
# The fitted network tells which rate it took (``learning_rate_``) and what
# it has seen in the test (``lr_find_``), a table of rates and losses.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)


def train(rate):
    network = MLPClassifier(
        (32,),
        learning_rate_init=rate,
        tol=1e-3,
        max_iter=1000,
        random_state=0,
    )
    return network.fit(X_train, y_train)


found = train("auto")
rate, test = found.learning_rate_, found.lr_find_
print(f"{len(test)} rates from {test['learning_rate'].min():g}", end=" ")
print(f"to {test['learning_rate'].max():g}; chosen: {rate:.2g}")

# %%
# The same network again, with a tenth of this rate and with ten times of
# it:

nets = {
    f"a tenth: {rate / 10:.2g}": train(rate / 10),
    f"auto: {rate:.2g}": found,
    f"ten times: {10 * rate:.2g}": train(10 * rate),
}
print(f"{'rate':<18}{'epochs':>8}{'loss':>8}{'test accuracy':>16}")
for name, net in nets.items():
    score = net.score(X_test, y_test)
    print(f"{name:<18}{net.n_iter_:>8}{net.loss_:>8.3f}{score:>16.3f}")

# %%
# Left: small rates learn nothing in so few steps, and large ones spoil what
# was there. The choice lies left of the minimum, at a third of the best
# rate, since what is best for a few steps is too large for a whole
# training. Right: a tenth of it is slower and ends at a higher loss, ten
# times of it never settles. The slow network reads the unseen digits just
# as well, though: the test looks at the training loss only, and knows
# nothing of overfitting.

COLORS = ["#0072B2", "#D55E00", "#009E73"]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), layout="constrained"
)
left.loglog(
    test["learning_rate"], test["loss"], "o-", color="#444444", markersize=4
)
left.axvline(rate, color=COLORS[1], label=f"chosen: {rate:.2g}")
left.set(
    title="range test: lr_find_",
    xlabel="learning rate",
    ylabel="loss after a few steps",
)
left.legend()
styles = zip(COLORS, ("--", "-", ":"), strict=True)
for (name, net), (color, style) in zip(nets.items(), styles, strict=True):
    right.loglog(net.history_["loss"], style, color=color, label=name)
right.set(title="training loss", xlabel="epoch", ylabel="loss")
right.legend()
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# :doc:`/guide/learning_rate` says what exactly is chosen, and compares a
# third of the best rate with other choices.
