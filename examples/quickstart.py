"""A first look at sknn on two data sets that come with scikit-learn.

It trains a classifier and a regressor in Pipelines, searches for a learning rate, compares
strengths of regularisation by cross-validation, prints what it finds, a loss curve included, and
saves the curves as quickstart.png in the folder given as argument (default: the current one).
"""

import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, MLPRegressor

RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03]
ALPHAS = [0.0001, 0.01, 1, 3, 10, 30]


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")


def text_chart(values, width=60, height=9):
    """Print a curve with a logarithmic vertical axis as text."""
    columns = np.linspace(0, len(values) - 1, min(width, len(values))).astype(int)
    levels = np.geomspace(max(values), min(values), height)
    rows = np.abs(np.log(levels[:, None] / np.asarray(values)[columns])).argmin(axis=0)
    for row, level in enumerate(levels):
        print(f"  {level:6.3f} |" + "".join("*" if r == row else " " for r in rows).rstrip())
    print(f"{'+':>10}{'-' * len(columns)}\n{'1':>11}{f'epoch {len(values)}':>{len(columns) - 1}}")


def classify():
    """Train a classifier on a part of the data, score it on the rest; return its losses."""
    heading("1. Classification: is a breast tumour malignant?")
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=500, random_state=0))
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds, losses = time.perf_counter() - start, model[-1].loss_curve_
    print(f"{len(X_train)} training samples, {X.shape[1]} features, one layer of 100 hidden units")
    print(f"trained for {model[-1].n_iter_} epochs in {seconds:.2f} s")
    print(f"accuracy on {len(X_test)} unseen samples  {model.score(X_test, y_test):.3f}")
    print(f"always the most frequent class    {max(y_test.mean(), 1 - y_test.mean()):.3f}")
    print("\nTraining loss (logarithmic axis)")
    text_chart(losses)

    heading("2. Which learning rate? A grid search with 5 folds")
    model.set_params(mlpclassifier__max_iter=3000)
    search = GridSearchCV(model, {"mlpclassifier__learning_rate_init": RATES}, cv=5)
    search.fit(X_train, y_train)
    print("   rate   accuracy          fit, s")
    found = search.cv_results_
    names = ("mean_test_score", "std_test_score", "mean_fit_time")
    for i, (rate, *numbers) in enumerate(zip(RATES, *(found[n] for n in names), strict=True)):
        best = "   <- best" if i == search.best_index_ else ""
        print("{:7.4f}   {:.3f} +- {:.3f}    {:6.2f}".format(rate, *numbers) + best)
    print(f"accuracy of the best on the unseen samples  {search.score(X_test, y_test):.3f}")
    print("Differences smaller than the figure behind +- are chance; larger rates learn faster.")
    return losses


def regress():
    """Compare regressors; return the training and the validation scores for each alpha."""
    heading("3. Regression: how will diabetes progress within a year?")
    X, y = load_diabetes(return_X_y=True)
    folds = KFold(5, shuffle=True, random_state=0)
    network = MLPRegressor((50, 50), max_iter=3000, random_state=0)
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )
    print(f"{len(X)} patients, two layers of 50 hidden units, X and y scaled; R2 in 5 folds")
    print("Few patients, many weights: how strong should the penalty alpha be?\n")
    print("    alpha   on training data   on held-out data")
    scores = []
    for alpha in ALPHAS:
        model.set_params(regressor__mlpregressor__alpha=alpha)
        result = cross_validate(model, X, y, cv=folds, return_train_score=True)
        train, test = result["train_score"], result["test_score"]
        scores.append((train.mean(), test.mean()))
        numbers = (alpha, *scores[-1], test.std())
        print("{:9g}         {:5.2f}           {:5.2f} +- {:.2f}".format(*numbers))
    best = ALPHAS[int(np.argmax([test for _, test in scores]))]
    print(f"\nThe default learns its patients by heart; alpha={best:g} predicts new ones best.")
    return scores


def main(folder: Path) -> None:
    start = time.perf_counter()
    losses, scores = classify(), regress()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.semilogy(range(1, len(losses) + 1), losses)
    left.set(xlabel="epoch", ylabel="training loss", title="Breast cancer: the loss falls steadily")
    for label, style, column in (("training data", "o-", 0), ("held-out data", "s-", 1)):
        right.semilogx(ALPHAS, [pair[column] for pair in scores], style, label=label)
    right.set(xlabel="alpha", ylabel="R²", title="Diabetes: regularisation closes the gap")
    right.legend()
    png = folder / "quickstart.png"
    figure.savefig(png, dpi=120)
    print(f"\nDone in {time.perf_counter() - start:.0f} s. The curves are in {png}.")
    print(
        "Next: change hidden_layer_sizes or activation in examples/quickstart.py and run it again,"
    )
    print("or begin the tutorial in docs/tutorial.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
