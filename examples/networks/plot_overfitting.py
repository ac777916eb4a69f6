"""
Overfitting: how to see it, and four remedies
=============================================

A network with enough units learns its training data by heart, noise
included, and then does badly on anything else. On the diabetes data, 442
patients with ten measurements each, we look at the gap between training and
validation, and at what more data, a smaller network, an L2 penalty and
early stopping do for it. :doc:`/tutorial/overfitting` explains each of
them.
"""

# %%
# The model scales inputs and target itself, so that held-out patients play
# no part in it. All scores are R², means over the same four folds.

import matplotlib.pyplot as plt
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import (
    KFold,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor

X, y = load_diabetes(return_X_y=True)
folds = KFold(4, shuffle=True, random_state=0)


def make_model(**parameters):
    net = MLPRegressor(max_iter=3000, random_state=0, **parameters)
    pipeline = make_pipeline(StandardScaler(), net)
    return TransformedTargetRegressor(
        pipeline, transformer=StandardScaler()
    )


# %%
# More data
# ---------
#
# A learning curve trains on growing parts of the data.

sizes = [50, 100, 200, 330]
curves = {}
for n_units in (100, 5):
    _, train, validation = learning_curve(
        make_model(hidden_layer_sizes=(n_units,)),
        X,
        y,
        cv=folds,
        train_sizes=sizes,
    )
    curves[f"{n_units} units"] = train.mean(axis=1), validation.mean(axis=1)
    print(f"{n_units} units, trained on", *sizes)
    print(
        "  training   ", *(f"{score:5.2f}" for score in train.mean(axis=1))
    )
    print(
        "  validation ",
        *(f"{score:5.2f}" for score in validation.mean(axis=1)),
    )

# %%
# Other remedies
# --------------
#
# The network that the estimators start from has 100 units and next to no
# penalty. Each remedy changes one parameter.

REMEDIES = {
    "100 units": {},
    "5 units": {"hidden_layer_sizes": (5,)},
    "100 units, alpha=10": {"alpha": 10.0},
    "100 units, early stopping": {"early_stopping": True},
}
remedied = {}
print(f"{'network':<28}{'training':>10}{'validation':>12}")
for name, parameters in REMEDIES.items():
    scores = cross_validate(
        make_model(**parameters), X, y, cv=folds, return_train_score=True
    )
    remedied[name] = (
        scores["train_score"].mean(),
        scores["test_score"].mean(),
    )
    train, validation = remedied[name]
    print(f"{name:<28}{train:>10.2f}{validation:>12.2f}")

# %%
# Left: with 5 units the two scores approach each other as patients are
# added, so there is little left to gain from still more. With 100 units
# they stay far apart. Right: each of the other remedies gives up training
# score and wins validation score. Differences of 0.04 between the three say
# little; each has a parameter that a search would choose.

TRAIN, VALIDATION = "#E69F00", "#0072B2"

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), layout="constrained"
)
for (name, (train, validation)), line in zip(
    curves.items(), ("--", "-"), strict=True
):
    left.plot(sizes, train, line, color=TRAIN, marker="o")
    left.plot(sizes, validation, line, color=VALIDATION, marker="s")
    left.annotate(name, (340, train[-1]), va="bottom")
    left.annotate(name, (340, validation[-1]), va="top")
left.set(title="more data", xlabel="training patients", ylabel="R²")
left.set(xlim=(30, 460), ylim=(-0.25, 1.1), xticks=sizes)

train, validation = zip(*remedied.values(), strict=True)
rows = range(len(remedied))
right.hlines(rows, validation, train, color="#999999", zorder=0)
right.plot(train, rows, "o", color=TRAIN, label="training")
right.plot(validation, rows, "s", color=VALIDATION, label="validation")
right.set(title="other remedies", xlabel="R²", xlim=(0, 1.05))
right.set_yticks(rows, remedied)
right.set_ylim(len(rows) - 0.5, -0.5)
for ax in (left, right):
    ax.grid(alpha=0.3)
fig.legend(loc="outside lower center", ncols=2, frameon=False)
fig.suptitle("100 units learn the patients by heart; what narrows the gap")
plt.show()

# %%
# Early stopping, epoch by epoch
# ------------------------------
#
# With ``early_stopping=True`` a tenth of the training patients is held out
# and scored after each epoch. The loss falls all the time; the score of
# those held out has its peak, and the weights of that epoch are what the
# network returns. ``history_`` keeps both.

X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)
model = make_model(early_stopping=True).fit(X_train, y_train)
history = model.regressor_[-1].history_
best = history["val_score"].idxmax()
print(f"{len(history)} epochs, the best of them is {best}")
print(f"R² on the other patients: {model.score(X_val, y_val):.2f}")

fig, (left, right) = plt.subplots(
    1, 2, figsize=(9, 3.6), layout="constrained"
)
left.plot(history["loss"], color=TRAIN)
left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
right.plot(history["val_score"], color=VALIDATION)
right.set(xlabel="epoch", ylabel="R² of the patients held out")
for ax in (left, right):
    ax.axvline(best, color="#999999", linestyle=":")
    ax.grid(alpha=0.3)
plt.show()

# %%
# A tenth of 331 patients is a small sample: with other 34 patients another
# epoch may be the best. With few data choose a larger
# ``validation_fraction``, or rely on ``alpha``. See :doc:`/guide/stopping`.
