"""
What accuracy costs
===================

The best of many candidates is best by luck, too. Whatever is within one
standard error of it cannot be told from it, so why not take the cheapest of
those? Networks of many sizes learn to read digits here, with several
budgets of floating-point operations, and the search knows what each has
cost.
"""

# %%
# ``max_flops`` ends a training after so many operations, which are the same
# steps on every computer. Two scorers make columns of ``cv_results_`` of
# the report that each fit writes:
# :func:`~sknn.model_selection.neg_training_cost` and
# :func:`~sknn.model_selection.per_watt_hour`.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from sknn import MLPClassifier
from sknn.model_selection import (
    GridSearchCV,
    neg_training_cost,
    per_watt_hour,
)

n_folds = 5
budgets = [1e8, 1e9, 1e10]
grid = {
    "hidden_layer_sizes": [
        (4,),
        (8,),
        (16,),
        (32,),
        (64,),
        (128,),
        (64, 64),
    ],
    "max_flops": budgets,
}
scoring = {
    "accuracy": "accuracy",
    "accuracy_per_wh": per_watt_hour("accuracy"),
    "flops": neg_training_cost("flops"),
}

# %%
# ``refit`` of a search may be a function that chooses the candidate. This
# one takes the cheapest of those within one standard error of the best.


def cheapest_as_good_as_the_best(results):
    mean = results["mean_test_accuracy"]
    error = results["std_test_accuracy"] / np.sqrt(n_folds)
    is_as_good = mean >= mean.max() - error[mean.argmax()]
    cost = np.where(is_as_good, -results["mean_test_flops"], np.inf)
    return int(cost.argmin())


# %%
# A small budget is meant to end early, so the warning that training has not
# converged is ignored.

X, y = load_digits(return_X_y=True)
network = MLPClassifier(
    max_iter=60, learning_rate_init=0.005, random_state=0
)
search = GridSearchCV(
    network,
    grid,
    scoring=scoring,
    cv=n_folds,
    refit=cheapest_as_good_as_the_best,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    search.fit(X / 16, y)

results, chosen = search.cv_results_, search.best_index_
mean, flops = results["mean_test_accuracy"], -results["mean_test_flops"]
error = results["std_test_accuracy"] / np.sqrt(n_folds)
best = mean.argmax()


def sizes_of(place):
    sizes = results["params"][place]["hidden_layer_sizes"]
    return "-".join(map(str, sizes))


for text, place in (("best", best), ("cheapest as good", chosen)):
    budget = results["params"][place]["max_flops"]
    per_wh = results["mean_test_accuracy_per_wh"][place]
    print(f"{text}: {sizes_of(place)} units", end=", ")
    print(f"at most {budget:.0e} operations")
    print(f"    accuracy    {mean[place]:.3f} +- {error[place]:.3f}")
    print(f"    operations  {flops[place]:.1e}")
    print(f"    accuracy per watt-hour {per_wh:.0f}")

# %%
# Each point is a candidate, with its standard error over the folds. The
# band is one standard error of the best: the arrow shows the cheapest
# network within it, which needs about a quarter of the operations of the
# best. A network that ends before its budget does has the same point in two
# colours. With the smallest budget the largest networks are the worst,
# since each of their steps takes more of it.
#
# Operations are counted, and are the same everywhere. Watt-hours depend on
# the computer, and are an estimate where nothing measures them, so trust
# their ratios more than the numbers.

COLORS = ["#E69F00", "#0072B2", "#009E73"]

fig, ax = plt.subplots(figsize=(9, 4.5), layout="constrained")
limits = np.array([params["max_flops"] for params in results["params"]])
for budget, color, marker in zip(budgets, COLORS, "os^", strict=True):
    those = limits == budget
    ax.errorbar(
        flops[those],
        mean[those],
        error[those],
        fmt=marker,
        color=color,
        label=f"at most {budget:.0e} operations",
    )
ax.axhspan(
    mean[best] - error[best],
    mean[best],
    color="#bbbbbb",
    alpha=0.5,
    label="one standard error of the best",
)
for place, text, offset in (
    (best, "best", (-70, -45)),
    (chosen, "cheapest as good", (-80, -55)),
):
    ax.annotate(
        f"{text}\n{sizes_of(place)} units",
        (flops[place], mean[place]),
        xytext=offset,
        textcoords="offset points",
        arrowprops={"arrowstyle": "->"},
    )
ax.set(
    title="Handwritten digits: what accuracy costs",
    xlabel="floating-point operations of a fit",
    ylabel=f"accuracy, mean of {n_folds} folds",
    xscale="log",
)
ax.grid(alpha=0.3)
ax.legend(loc="lower right")
plt.show()

# %%
# The report of the network that was chosen, trained on all digits:

report = search.best_estimator_.training_report_
print(f"operations  {report.flops:.1e} in {report.n_steps} steps")
print(f"seconds     {report.seconds:.3f}")
print(f"memory      {report.peak_bytes / 1e6:.1f} MB")
print(f"energy      {report.energy_joules:.2f} J")
print(f"            ({report.energy_source})")

# %%
# :doc:`/guide/cost` says what is counted, and how energy is metered.
