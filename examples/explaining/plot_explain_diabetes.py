"""
Three questions about a prediction
==================================

How would it change if a number were a little larger? What has moved it from
that of the mean patient? How much worse would it be without a column? These
are three questions with three answers, here about a network that predicts
how far diabetes has progressed after a year. The first two answers are in
the units of the data, the third is in R².
"""

# %%
# The network learns standardised targets from standardised columns; both
# are undone in the answers.

import matplotlib.pyplot as plt
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.inspection import importance, input_gradients

X, y = load_diabetes(scaled=False, return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
network = MLPRegressor(
    (16,),
    activation="tanh",
    alpha=10,
    solver="lbfgs",
    max_iter=1000,
    random_state=0,
)
model = TransformedTargetRegressor(
    make_pipeline(StandardScaler(), network), transformer=StandardScaler()
)
model.fit(X_train, y_train)
print(f"R² of unseen patients: {model.score(X_test, y_test):.2f}")

# %%
# Gradients are local: :func:`~sknn.inspection.input_gradients` has a number
# for each patient and column. That of the body mass index says how much a
# prediction would rise with one more kg/m².

slopes = input_gradients(model, X_test, output="prediction")
of_bmi = slopes[:, X.columns.get_loc("bmi")]
print(
    f"One more kg/m² changes the prediction by {of_bmi.min():.1f}", end=" "
)
print(f"to {of_bmi.max():.1f}")

# %%
# :func:`~sknn.inspection.importance` sums each question up over the
# patients. Gradients are multiplied with the standard deviation of the
# column, since they could not be compared otherwise; of integrated
# gradients it is the mean absolute value; and the third is by how much R²
# falls when a column is shuffled, which alone looks at the truth.

answers = {
    "gradient times deviation": importance(
        model, X_test, kind="gradient", output="prediction"
    ),
    "integrated gradients": importance(model, X_test, output="prediction"),
    "loss of R² when shuffled": importance(
        model,
        X_test,
        y_test,
        kind="permutation",
        n_repeats=20,
        random_state=0,
    ),
}
for name, numbers in answers.items():
    first, second = numbers.nlargest(2).index
    print(f"{name:<26}{first}, then {second}")

# %%
# The first three panels have the same order of columns. They agree on the
# two columns that matter most, the body mass index and the blood value s5,
# though not on which of them comes first. A column may be used and yet be
# of no use: s2 moves predictions, but shuffling it hardly changes R². The
# last panel has a point for each patient: another kg/m² tends to count
# least for slim patients, and most from an index of about 26 on.

fig, (*bars, last) = plt.subplots(
    1, 4, figsize=(11, 4), layout="constrained"
)
order = answers["integrated gradients"].sort_values().index
units = ("progression", "progression", "R²")
for ax, (name, numbers), unit in zip(
    bars, answers.items(), units, strict=True
):
    ax.barh(order, numbers[order], color="#0072B2")
    ax.tick_params(labelleft=ax is bars[0])
    ax.axvline(0, color="#444444", linewidth=0.8)
    ax.set(xlabel=unit)
    ax.set_title(name, fontsize=11)
    ax.grid(axis="x", alpha=0.3)
last.plot(X_test["bmi"], of_bmi, ".", color="#D55E00")
last.set_title("one more kg/m²", fontsize=11)
last.set(
    xlabel="body mass index, kg/m²", ylabel="changes the prediction by"
)
last.grid(alpha=0.3)
plt.show()

# %%
# :doc:`/guide/explaining` helps to decide which question is yours.
