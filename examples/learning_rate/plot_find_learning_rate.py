"""
A search without a grid
=======================

Which learning rates are worth a search? A range test of a few dozen steps
says so, and :class:`~sknn.model_selection.LearningRateSearchCV`
cross-validates ten rates from this range, the better ones for longer. It
asks for no grid, and is done sooner than a search that trains every
candidate to the end.
"""

# %%
# The search takes a network, or a Pipeline that ends in one, and finds the
# name of its learning rate by itself. ``max_iter`` of the network is what
# the best rates get in the last round; the first ones get a fraction of it.

import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.model_selection import LearningRateDisplay, LearningRateSearchCV

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)
network = MLPClassifier((32,), tol=1e-3, max_iter=162, random_state=0)
search = LearningRateSearchCV(
    make_pipeline(StandardScaler(), network), cv=5
)
start = time.perf_counter()
search.fit(X_train, y_train)
seconds = time.perf_counter() - start

# %%
# Each round keeps the best third of the candidates and trains them three
# times as long:

low, high = search.rates_[[0, -1]]
print(f"range test    {len(search.range_test_)} rates")
print(f"worth trying  {low:.2g} to {high:.2g}")
rounds = zip(search.n_candidates_, search.n_resources_, strict=True)
for n_rates, n_epochs in rounds:
    print(
        f"round         {n_rates:2} rates, up to {n_epochs} epochs, 5 folds"
    )
best_rate = search.best_params_["mlpclassifier__learning_rate_init"]
print(f"chosen rate   {best_rate:.2g}")
print(f"accuracy      {search.best_score_:.3f} in cross-validation")
print(f"              {search.score(X_test, y_test):.3f}", end=" ")
print(f"on {len(X_test)} digits held out")
print(f"time          {seconds:.1f} s")

# %%
# Left: the training loss after the few steps of the range test, with the
# range that is worth a search shaded. Right: the accuracy of the ten rates,
# with a band for the spread over the folds; the small numbers say how many
# epochs a rate was trained for, so compare points with the same number
# only. The rate with the lowest loss after a few steps is not the one that
# predicts best in the end, which is why the range is searched.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained"
)
test = search.range_test_
left.loglog(test["learning_rate"], test["loss"], "o-", color="#0072B2")
left.axvspan(
    low,
    high,
    color="#009E73",
    alpha=0.2,
    label=f"range: {low:.2g} to {high:.2g}",
)
left.set(
    title="range test",
    xlabel="Learning rate",
    ylabel="Training loss after a few epochs",
)
left.legend()
LearningRateDisplay.from_estimator(search, ax=right)
right.set(title="cross-validation", ylabel="Accuracy")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# :doc:`/guide/lockstep` has the formulas of both stages, and says why ten
# rates and five folds take so little time.
