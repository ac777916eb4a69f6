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
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=3000, random_state=0))
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds, losses = time.perf_counter() - start, model[-1].loss_curve_
    print(f"{len(X_train)} training samples, {X.shape[1]} features, one layer of 100 hidden units")
    print(f"{len(losses)} epochs of training in {seconds:.2f} s")
    print(f"accuracy on {len(X_test)} unseen samples  {model.score(X_test, y_test):.3f}")
    print(f"always the most frequent class    {max(y_test.mean(), 1 - y_test.mean()):.3f}")
    print("\nTraining loss (logarithmic axis)")
    text_chart(losses)

    heading("2. Which learning rate? A grid search with 5 folds")
    search = GridSearchCV(model, {"mlpclassifier__learning_rate_init": RATES}, cv=5)
    found = search.fit(X_train, y_train).cv_results_
    print("   rate   accuracy          fit, s")
    for i, rate in enumerate(RATES):
        mean, spread = found["mean_test_score"][i], found["std_test_score"][i]
        best = "   <- best" if i == search.best_index_ else ""
        seconds = found["mean_fit_time"][i]
        print(f"{rate:7.4f}   {mean:.3f} +- {spread:.3f}    {seconds:6.2f}{best}")
    print(f"accuracy of the best on the unseen samples  {search.score(X_test, y_test):.3f}")
    print("Differences smaller than the figure behind +- are chance; larger rates finish sooner.")
    return losses


def regress():
    """Compare regressors; return the training and the held-out score for each alpha."""
    heading("3. Regression: how will diabetes progress within a year?")
    X, y = load_diabetes(return_X_y=True)
    network = MLPRegressor((50, 50), max_iter=3000, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    model = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
    folds = KFold(5, shuffle=True, random_state=0)
    print(f"{len(X)} patients, two layers of 50 hidden units, X and y scaled; R2 in 5 folds")
    print("Few patients, many weights: how strong should the penalty alpha be?")
    print("\n    alpha   on training data   on held-out data")
    scores = []
    for alpha in ALPHAS:
        model.set_params(regressor__mlpregressor__alpha=alpha)
        result = cross_validate(model, X, y, cv=folds, return_train_score=True)
        train, test = result["train_score"].mean(), result["test_score"].mean()
        spread = result["test_score"].std()
        print(f"{alpha:9g}         {train:5.2f}           {test:5.2f} +- {spread:.2f}")
        scores.append((train, test))
    best = ALPHAS[np.argmax(scores, axis=0)[1]]
    print(f"\nThe default learns its patients by heart; alpha={best:g} predicts new ones best.")
    return scores


def main(folder: Path) -> None:
    start, file = time.perf_counter(), folder / "quickstart.png"
    losses, scores = classify(), regress()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    left.semilogy(range(1, len(losses) + 1), losses)
    left.set(xlabel="epoch", ylabel="training loss", title="Breast cancer: the loss falls steadily")
    lines = right.semilogx(ALPHAS, scores, "o-")
    right.legend(lines, ("training data", "held-out data"))
    right.set(xlabel="alpha", ylabel="R²", title="Diabetes: regularisation closes the gap")
    figure.savefig(file, dpi=120)
    print(f"\nDone in {time.perf_counter() - start:.0f} s; the curves are in {file}.")
    print("Next: change hidden_layer_sizes in examples/quickstart.py, or read docs/tutorial.")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
