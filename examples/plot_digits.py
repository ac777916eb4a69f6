"""Handwritten digits: where a network errs, and how sure it is when it does.

A network learns 8 x 8 images of digits. The figure shows how often each digit of a test set is
taken for another one (the confusion matrix), and the misread images with the probability that
the network gives its wrong answer. It is saved as digits.png in the folder given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

N_SHOWN = 12


def main(folder: Path) -> None:
    digits = load_digits()
    X = digits.data / 16  # pixels from 0 to 1; images need no StandardScaler
    X_train, X_test, y_train, y_test = train_test_split(
        X, digits.target, test_size=1 / 3, stratify=digits.target, random_state=0
    )
    network = MLPClassifier((64,), learning_rate_init=0.003, max_iter=500, random_state=0)
    network.fit(X_train, y_train)

    probability = network.predict_proba(X_test)
    predicted, certainty = network.classes_[probability.argmax(axis=1)], probability.max(axis=1)
    is_wrong = predicted != y_test
    print(f"{len(X_train)} images to learn from, {network.n_iter_} epochs of training")
    print(f"{is_wrong.sum()} of {len(X_test)} test images are misread")
    print(f"mean certainty  {certainty[~is_wrong].mean():.3f} where right", end=", ")
    print(f"{certainty[is_wrong].mean():.3f} where wrong")

    figure = plt.figure(figsize=(11, 5.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1))
    axes = left.subplots()
    ConfusionMatrixDisplay.from_predictions(
        y_test, predicted, ax=axes, cmap="Blues", colorbar=False
    )
    axes.set(xlabel="read as", ylabel="digit")
    axes.set_title(f"{np.mean(~is_wrong):.1%} of {len(X_test)} unseen digits are read correctly")

    # The worst mistakes first: wrong, and sure of it.
    worst = np.flatnonzero(is_wrong)
    worst = worst[np.argsort(-certainty[worst], kind="stable")][:N_SHOWN]
    right.suptitle(f"The {len(worst)} mistakes made with most certainty")
    for place, row in zip(right.subplots(3, 4).flat, worst, strict=False):
        place.imshow(X_test[row].reshape(8, 8), cmap="gray_r", interpolation="nearest")
        place.set_title(
            f"{y_test[row]} read as {predicted[row]}\n{certainty[row]:.0%}", fontsize=10
        )
    for place in right.axes:
        place.set_axis_off()
    figure.savefig(folder / "digits.png", dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
