"""
A table as people have it
=========================

Words, age groups, numbers on any scale, and gaps: a table as a clinic might
keep it. :class:`~sknn.TabularMLPRegressor` takes it as it is. It also says
how good it is before any patient has been kept for a test, and how far to
trust each of its predictions.
"""

# %%
# scikit-learn's diabetes data are numbers only. Here the sex is in words
# again, the age in groups, and a tenth of three blood values is missing.
# The target is how far the disease has progressed a year later.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from sknn import TabularMLPRegressor

patients = load_diabetes(scaled=False, as_frame=True)
X, y = patients.data.copy(), patients.target
X["sex"] = X["sex"].map({1.0: "female", 2.0: "male"})
X["age"] = pd.cut(
    X["age"], [0, 35, 50, 65, 100], labels=["-35", "-50", "-65", "older"]
)
rng = np.random.default_rng(0)
for column in ("s3", "s4", "s6"):
    X.loc[rng.random(len(X)) < 0.1, column] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
print(f"{len(X_train)} patients to learn from, {len(X_test)} for the test")
X_train.head(3)

# %%
# No scaling, no encoding, no search: ``fit`` trains many small networks,
# each without a part of the rows. What they say of those rows is honest,
# and costs nothing more: ``oof_prediction_`` and ``oof_score_``, "out of
# fold".

model = TabularMLPRegressor(random_state=0).fit(X_train, y_train)
predicted = model.predict(X_test)
print(f"R² out of fold   {model.oof_score_:.2f}")
print(f"R² on the test   {r2_score(y_test, predicted):.2f}")

# %%
# The score on the test is lower, but 111 patients are few. By how much such
# a score varies by chance, the same patients say if they are drawn anew,
# with replacement:

draws = rng.integers(len(X_test), size=(500, len(X_test)))
redrawn = [r2_score(y_test.iloc[draw], predicted[draw]) for draw in draws]
print(f"standard error   {np.std(redrawn):.2f}")

# %%
# Both scores are one and a half standard errors apart, which may be chance.
#
# ``predict_interval`` is asked for intervals that hold four of five
# patients. On the test they do:

intervals = model.predict_interval(X_test, confidence=0.8)
is_inside = (intervals[:, 0] <= y_test) & (y_test <= intervals[:, 1])
print(f"{is_inside.mean():.0%} of unseen patients are in their intervals")
print(f"mean width of an interval: {np.ptp(intervals, axis=1).mean():.0f}")

# %%
# Left: the training rows, as predicted by networks that have not seen them.
# Right: the intervals are wide. Predictions of single patients miss by that
# much, as the left panel shows, and it is good to know.

BLUE, RED, GREY = "#0072B2", "#D55E00", "#444444"

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained"
)
left.plot(model.oof_prediction_, y_train, ".", color=BLUE, alpha=0.6)
left.axline((150, 150), slope=1, color=GREY, linewidth=1)
left.set(
    title=f"Training rows, out of fold: R² = {model.oof_score_:.2f}",
    xlabel="predicted by networks that have not seen the row",
    ylabel="progression after a year",
)
order, place = predicted.argsort(), np.arange(len(predicted))
right.fill_between(
    place,
    *intervals[order].T,
    step="mid",
    color="#56B4E9",
    alpha=0.35,
    label="80% interval",
)
right.plot(place, predicted[order], color=BLUE, label="prediction")
truth, inside = y_test.to_numpy()[order], is_inside.to_numpy()[order]
right.plot(place[inside], truth[inside], ".", color=GREY, label="inside")
right.plot(place[~inside], truth[~inside], "x", color=RED, label="outside")
right.set(
    title=f"Unseen patients: {is_inside.mean():.0%} in their intervals",
    xlabel="patients, by prediction",
    ylabel="progression after a year",
)
right.legend(loc="upper left")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# :doc:`/guide/tables` explains step by step what the estimator does, and
# when boosting is the better choice.
