"""Overfitting on the diabetes data: how to see it, and four ways to fight it.

The network that the estimators start from, 100 hidden units, learns the 331 training patients
almost by heart and predicts the others badly. Left: how the scores of that network and of one
with 5 units change with more data. Right: what a smaller network, an L2 penalty and early
stopping do for the gap between training and validation.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, cross_validate, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor

FOLDS = KFold(4, shuffle=True, random_state=0)
TRAIN, VALIDATION = "#E69F00", "#0072B2"
REMEDIES = {
    "100 units": {},
    "5 units": {"hidden_layer_sizes": (5,)},
    "100 units, alpha=10": {"alpha": 10.0},
    "100 units, early stopping": {"early_stopping": True},
}


def make_model(**parameters):
    """Return a regressor that scales inputs and target."""
    net = MLPRegressor(max_iter=3000, random_state=0, **parameters)
    pipeline = make_pipeline(StandardScaler(), net)
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler())


def draw_learning_curves(ax, X, y):
    for name, style in {"100 units": "--", "5 units": "-"}.items():
        sizes, train, validation = learning_curve(
            make_model(**REMEDIES[name]), X, y, cv=FOLDS, train_sizes=[50, 100, 200, 330]
        )
        ax.plot(sizes, train.mean(axis=1), style, color=TRAIN, marker="o")
        ax.plot(sizes, validation.mean(axis=1), style, color=VALIDATION, marker="o")
        ax.annotate(name, (340, train[-1].mean()), va="bottom")
        ax.annotate(name, (340, validation[-1].mean()), va="top")
    ax.set(title="more data", xlabel="training patients", ylabel="R²")
    ax.set(xlim=(30, 460), ylim=(-0.25, 1.1), xticks=sizes)


def draw_remedies(ax, X, y):
    print(f"{'network':<28}{'R² train':>10}{'R² validation':>16}")
    for row, (name, parameters) in enumerate(REMEDIES.items()):
        scores = cross_validate(make_model(**parameters), X, y, cv=FOLDS, return_train_score=True)
        train, validation = scores["train_score"].mean(), scores["test_score"].mean()
        print(f"{name:<28}{train:>10.2f}{validation:>16.2f}")
        ax.plot([train, validation], [row, row], color="#999999", zorder=0)
        ax.scatter(train, row, color=TRAIN, label="" if row else "training")
        ax.scatter(validation, row, color=VALIDATION, label="" if row else "validation")
    ax.set(title="other remedies", xlabel="R²", xlim=(0, 1.05))
    ax.set_yticks(range(len(REMEDIES)), REMEDIES)
    ax.set_ylim(len(REMEDIES) - 0.5, -0.5)


def main(folder: Path) -> None:
    X, y = load_diabetes(return_X_y=True)
    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
    draw_learning_curves(left, X, y)
    draw_remedies(right, X, y)
    for ax in (left, right):
        ax.grid(alpha=0.3)
    fig.legend(loc="outside lower center", ncols=2, frameon=False)
    fig.suptitle("Diabetes: 100 units learn the patients by heart, four remedies narrow the gap")
    fig.savefig(folder / "overfitting.png", dpi=150)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
