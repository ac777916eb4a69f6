"""How sure is a prediction? Quantiles, and a normal distribution, on the diabetes data.

Two networks predict how the disease has progressed a year later, from the body mass index alone, so
that it can be drawn. The first learns three quantiles; 80% of patients should lie between the outer
ones. The second learns mean and standard deviation, of which 1.28 to either side make 80% of a
normal distribution. The figure is saved as quantiles.png in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.losses import Quantile

LEVELS = [0.1, 0.5, 0.9]
WIDTH = 1.28155  # standard deviations to either side of the mean hold 80%


def make_network(loss):
    return MLPRegressor(
        (10,),
        "tanh",
        loss=loss,
        alpha=0.1,
        batch_size=50,
        learning_rate_init=0.01,
        max_iter=2000,
        random_state=0,
    )


def main(folder: Path) -> None:
    patients = load_diabetes(scaled=False, as_frame=True)
    X, y = patients.data[["bmi"]].to_numpy(), patients.target.to_numpy()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
    scaler, target_scaler = StandardScaler().fit(X_train), StandardScaler().fit(y_train[:, None])
    target = target_scaler.transform(y_train[:, None])[:, 0]

    def unscale(values):
        return values * target_scaler.scale_ + target_scaler.mean_

    by_quantiles = make_network(Quantile(LEVELS)).fit(scaler.transform(X_train), target)
    by_normal = make_network("gaussian").fit(scaler.transform(X_train), target)

    def three_lines(X, is_normal):
        if not is_normal:
            return unscale(by_quantiles.predict(scaler.transform(X))).T
        mean, std = by_normal.predict(scaler.transform(X), return_std=True)
        return unscale(mean - WIDTH * std), unscale(mean), unscale(mean + WIDTH * std)

    x = np.linspace(X.min(), X.max(), 200)[:, None]
    fig, axes = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    print(f"{len(X_test)} patients who were not trained on; 80% should lie inside")
    for ax, is_normal in zip(axes, (False, True), strict=True):
        name = "loss='gaussian'" if is_normal else f"loss=Quantile({LEVELS})"
        low, middle, high = three_lines(x, is_normal)
        ax.fill_between(x[:, 0], low, high, color="#56B4E9", alpha=0.3, label="80%")
        ax.plot(x, middle, color="#0072B2", label="mean" if is_normal else "median")
        ax.plot(X_test, y_test, ".", color="#444444", markersize=4, label="unseen patients")
        ax.set(title=name, xlabel="body mass index")
        ax.legend(loc="upper left")
        ax.grid(alpha=0.3)
        low, _, high = three_lines(X_test, is_normal)
        inside = np.mean((low <= y_test) & (y_test <= high))
        print(f"{name:<32} {inside:.0%} inside, mean width {np.mean(high - low):.0f}")
    axes[0].set_ylabel("progression after a year")
    fig.savefig(folder / "quantiles.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
