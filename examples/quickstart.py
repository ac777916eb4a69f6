"""
Quickstart
==========

A classifier and a regressor on two data sets of scikit-learn's. You will
see a network in a Pipeline, a search whose networks are all trained
together, and why regularisation matters where data are few. Everything here
is ordinary scikit-learn code; only the networks come from this package.
"""

# %%
# A first network
# ---------------
#
# Is a breast tumour malignant? :class:`sknn.MLPClassifier` takes the place
# that scikit-learn's classifier of this name would have. A network needs
# columns on similar scales, so a
# :class:`~sklearn.preprocessing.StandardScaler` stands before it.

import matplotlib.pyplot as plt
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)
network = sknn.MLPClassifier(max_iter=3000, random_state=0)
classifier = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
losses = classifier[-1].loss_curve_

print("Breast cancer: is a tumour malignant?")
print(f"  {len(losses)} epochs of training on {len(X_train)} tumours")
print(f"  accuracy on {len(X_test)} others: ", end="")
print(f"{classifier.score(X_test, y_test):.3f}")
print(f"  accuracy of always saying benign: {y_test.mean():.3f}")

# %%
# A search
# --------
#
# Which learning rate is best? Six rates on five folds are thirty networks.
# Inside of :func:`sknn.lockstep` they wait for each other and are trained
# as one; the scores are the same as outside, and there sooner. Look at the
# spread over the folds behind each mean: differences that are smaller than
# it say little.

rates = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03]
search = GridSearchCV(
    classifier, {"mlpclassifier__learning_rate_init": rates}, cv=5
)
with sknn.lockstep():
    search.fit(X_train, y_train)

print("\nWhich learning rate? Accuracy in 5 folds:")
results = search.cv_results_
means, spreads = results["mean_test_score"], results["std_test_score"]
for rate, mean, spread in zip(rates, means, spreads, strict=True):
    print(f"  {rate:<8g}{mean:.3f} +- {spread:.3f}")

# %%
# A regressor, and why to regularise
# ----------------------------------
#
# How far will diabetes have progressed in a year? There are 442 patients
# and a network with thousands of weights. ``alpha`` is how strongly large
# weights are punished. :func:`~sklearn.model_selection.validation_curve`
# scores the networks on the patients that they have learnt from, and on
# those that were held out.

X, y = load_diabetes(return_X_y=True)
network = sknn.MLPRegressor((50, 50), max_iter=3000, random_state=0)
regressor = TransformedTargetRegressor(
    make_pipeline(StandardScaler(), network), transformer=StandardScaler()
)
alphas = [0.0001, 0.01, 1, 3, 10, 30]
with sknn.lockstep():
    learnt, held_out = validation_curve(
        regressor,
        X,
        y,
        param_name="regressor__mlpregressor__alpha",
        param_range=alphas,
        cv=KFold(5, shuffle=True, random_state=0),
    )

print("\nDiabetes: how strong a penalty? R² in 5 folds:")
print("  alpha   training data   held-out data")
for alpha, of_learnt, of_others in zip(
    alphas, learnt, held_out, strict=True
):
    print(f"  {alpha:<8g}{of_learnt.mean():13.2f}{of_others.mean():16.2f}")

# %%
# The curves
# ----------
#
# Left: the loss of the first network falls steadily, epoch by epoch. Right:
# almost without a penalty, the regressor knows its patients by heart and
# predicts new ones badly. A stronger penalty closes the gap. The strongest
# one is already too much: it makes both worse.

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained"
)
left.semilogy(range(1, len(losses) + 1), losses)
left.set(
    title="Breast cancer: the loss falls steadily",
    xlabel="epoch",
    ylabel="training loss",
)
right.semilogx(alphas, learnt.mean(axis=1), "o-", label="training data")
right.semilogx(alphas, held_out.mean(axis=1), "s-", label="held-out data")
right.set(
    title="Diabetes: regularisation closes the gap",
    xlabel="alpha",
    ylabel="R²",
)
right.legend()
fig.savefig("quickstart.png", dpi=120)
print("\nThe curves are in quickstart.png.")
plt.show()

# %%
# From here: :doc:`/tutorial/index` explains what a network does, from the
# neuron to the choice of a learning rate, and :doc:`/guide/index` what this
# package adds.
