"""A table as people have it, from raw to evaluated: numbers, categories and gaps.

scikit-learn's diabetes data become a table such as a clinic would keep: the sex in words, the age
in groups, and blood values of which some are missing. ``TabularMLPRegressor`` takes it as it is.
What it predicts out of fold costs nothing more, and says how good it is before any patient has been
kept for a test; the intervals say how far to trust a prediction. The figure is saved as tables.png
in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from sknn import TabularMLPRegressor


def make_table():
    """Return a frame of mixed columns, and how far the disease has progressed a year later."""
    patients = load_diabetes(scaled=False, as_frame=True)
    rng, table = np.random.default_rng(0), patients.data.copy()
    table["sex"] = table["sex"].map({1.0: "female", 2.0: "male"})
    groups = pd.cut(table.pop("age"), [0, 35, 50, 65, 100], labels=["-35", "-50", "-65", "older"])
    table.insert(0, "age", groups)
    for column in ("s3", "s4", "s6"):
        table.loc[rng.random(len(table)) < 0.1, column] = np.nan
    return table, patients.target


def main(folder: Path) -> None:
    X, y = make_table()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    print(X_train.head(3).round(1).to_string())

    model = TabularMLPRegressor(random_state=0).fit(X_train, y_train)
    intervals = model.predict_interval(X_test, confidence=0.8)
    inside = (intervals[:, 0] <= y_test) & (y_test <= intervals[:, 1])
    print(f"R2 out of fold {model.oof_score_:.2f}, on the test {model.score(X_test, y_test):.2f}")
    print(f"{inside.mean():.0%} of unseen patients are in their intervals; 80% were asked for")

    predicted = model.predict(X_test)
    order, place = np.argsort(predicted), np.arange(len(predicted))
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    axes[0].plot(model.oof_prediction_, y_train, ".", color="#0072B2", alpha=0.6)
    axes[0].axline((150, 150), slope=1, color="#444444", linewidth=1)
    axes[0].set(
        title=f"Training rows, out of fold: R2 = {model.oof_score_:.2f}",
        xlabel="predicted by networks that have not seen the row",
        ylabel="progression after a year",
    )
    axes[1].fill_between(
        place, *intervals[order].T, step="mid", color="#56B4E9", alpha=0.35, label="80% interval"
    )
    axes[1].plot(place, predicted[order], color="#0072B2", label="prediction")
    for those, color, name in ((inside, "#444444", "inside"), (~inside, "#D55E00", "outside")):
        chosen = those.to_numpy()[order]
        axes[1].plot(place[chosen], y_test.to_numpy()[order][chosen], ".", color=color, label=name)
    axes[1].set(
        title=f"Unseen patients: {inside.mean():.0%} in their intervals",
        xlabel="patients, by prediction",
    )
    axes[1].legend(loc="upper left")
    for ax in axes:
        ax.grid(alpha=0.3)
    fig.savefig(folder / "tables.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
