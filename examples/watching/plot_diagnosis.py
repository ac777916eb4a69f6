"""
When training goes wrong
========================

A training that ends badly says so, and says what it takes to be the reason
and the remedy. This example makes two common mistakes: columns that are not
scaled, and a learning rate that is too large. It shows what the networks
say about them, and mends both.
"""

# %%
# Not scaled
# ----------
#
# The columns of the breast cancer data are areas, ratios and lengths. A
# network that is trained on them as they are does not converge. What it
# says is printed here; with :class:`~sklearn.preprocessing.StandardScaler`
# before it, as it advises, there is nothing to say.

import textwrap
import warnings

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sknn import MLPClassifier, MLPRegressor


def tell(text):
    print(
        textwrap.fill(text, 74, initial_indent="  ", subsequent_indent="  ")
    )


def fit_and_tell(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    for warning in caught:
        tell(f"{warning.category.__name__}: {warning.message}")


X, y = load_breast_cancer(return_X_y=True)
losses = {}
for name, steps in {
    "X as it is": [],
    "after a StandardScaler": [StandardScaler()],
}.items():
    net = MLPClassifier(
        (20,),
        learning_rate_init=0.01,
        max_iter=60,
        tol=1e-3,
        random_state=0,
    )
    print(f"breast cancer, {name}")
    fit_and_tell(make_pipeline(*steps, net), X, y)
    losses[name] = net.history_["loss"]
    print(f"  loss {net.loss_:.3f} after {net.n_iter_} epochs")

# %%
# Too large a rate
# ----------------
#
# Plain gradient descent on the diabetes data, at a rate of 2: the weights
# grow beyond all bounds, and ``fit`` raises an error. With
# ``on_divergence="recover"`` it goes back to the last good epoch instead,
# and on at a lower rate.

X, y = load_diabetes(return_X_y=True)
X, y = scale(X), scale(y)
net = MLPRegressor(
    (20,),
    solver="sgd",
    momentum=0,
    batch_size=32,
    learning_rate_init=2.0,
    max_iter=200,
    tol=1e-3,
    random_state=0,
)
print("diabetes, rate too large")
try:
    net.fit(X, y)
except ValueError as error:
    tell(f"ValueError: {error}")

print("diabetes, on_divergence='recover'")
fit_and_tell(net.set_params(on_divergence="recover"), X, y)
history = net.history_
print("  rates:", *history["learning_rate"].unique())

# %%
# Left: what the advice is worth. Right: a rate that has been halved, and
# then divided by 4, until it works; epochs that were undone have no loss.
# To recover is a safety net for long runs, not a way to find a rate; that
# is what ``learning_rate_init="auto"`` is for, see
# :ref:`sphx_glr_gallery_learning_rate_plot_range_test.py`.

RATE, LOSS = "#0072B2", "#D55E00"

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9.5, 4), layout="constrained"
)
for (name, loss), style, color in zip(
    losses.items(), ("--", "-"), ("#E69F00", "#0072B2"), strict=True
):
    left.semilogy(loss, style, color=color, label=name)
left.set(title="breast cancer", xlabel="epoch", ylabel="training loss")
left.legend()
left.grid(alpha=0.3)

right.plot(
    history["learning_rate"], "--", color=RATE, drawstyle="steps-post"
)
right.set(
    title="diabetes, on_divergence='recover'",
    xlabel="epoch",
    ylim=(0, None),
)
right.set_ylabel("learning rate (dashed)", color=RATE)
right_loss = right.twinx()
right_loss.plot(history["loss"], color=LOSS)
right_loss.set(ylim=(0, 1.1 * history["loss"].max()))
right_loss.set_ylabel("training loss", color=LOSS)
plt.show()

# %%
# :doc:`/guide/watching` says what is looked at.
