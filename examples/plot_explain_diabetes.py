"""What has moved a prediction, in the unit of what is predicted.

A network predicts how far diabetes has progressed after a year, from columns in their own units; it
learns standardised targets. Three questions have different answers: how the prediction would change
if a number were a little larger (gradients), what has moved it from the mean patient (integrated
gradients), and how much worse it would be without a column (permutation). The figure is saved as
explain_diabetes.png in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.inspection import importance, input_gradients


def main(folder: Path) -> None:
    X, y = load_diabetes(scaled=False, return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    network = MLPRegressor((16,), activation="tanh", alpha=10, solver="lbfgs", max_iter=1000)
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network.set_params(random_state=0)),
        transformer=StandardScaler(),
    ).fit(X_train, y_train)
    print(f"R2 of unseen patients: {model.score(X_test, y_test):.2f}")

    slopes = input_gradients(model, X_test, output="prediction")[:, X.columns.get_loc("bmi")]
    print(f"A kg/m2 more changes the prediction by {slopes.min():.1f} to {slopes.max():.1f}")
    answers = {
        "gradient times deviation": importance(model, X_test, kind="gradient", output="prediction"),
        "integrated gradients": importance(model, X_test, output="prediction"),
        "loss of R2 when shuffled": importance(
            model, X_test, y_test, kind="permutation", random_state=0, n_repeats=20
        ),
    }
    print("Most important:", ", ".join(f"{a.idxmax()} ({name})" for name, a in answers.items()))

    fig, axes = plt.subplots(1, 4, figsize=(13, 4), layout="constrained")
    order = answers["integrated gradients"].sort_values().index
    for ax, (name, numbers) in zip(axes, answers.items(), strict=False):
        ax.barh(np.arange(len(order)), numbers[order], color="#0072B2")
        ax.set_yticks(np.arange(len(order)), order if ax is axes[0] else [""] * len(order))
        ax.set_title(name)
        ax.grid(axis="x", alpha=0.3)
    axes[3].plot(X_test["bmi"], slopes, ".", color="#D55E00")
    axes[3].set(title="one more kg/m2", xlabel="bmi", ylabel="changes the prediction by")
    axes[3].grid(alpha=0.3)
    fig.savefig(folder / "explain_diabetes.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
