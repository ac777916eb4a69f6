"""Which pixels speak for a digit: the attributions of images are images.

A network reads 8 x 8 digits. Integrated gradients from an empty image say of each pixel how much it
has moved the score of the digit that was read: red ones speak for it, blue ones against it. Below
are weights of the first layer, as images. The figure is saved as explain_digits.png in the folder
given as argument.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.inspection import integrated_gradients


def main(folder: Path) -> None:
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(
        digits.data / 16, digits.target, stratify=digits.target, random_state=0
    )
    network = MLPClassifier((64,), alpha=1.0, max_iter=500, random_state=0).fit(X_train, y_train)
    print(f"{network.score(X_test, y_test):.1%} of unseen digits are read correctly")

    predicted = network.predict(X_test)
    rows = [int(np.flatnonzero((y_test == k) & (predicted == k))[0]) for k in range(10)]
    found = integrated_gradients(network, X_test[rows], baseline="zero")
    print(f"attributions miss the scores by {abs(found.errors).max():.3f} at most")
    most = [found.of(k).values[k].argmax() for k in range(10)]
    print("pixel that speaks most for each digit:", [divmod(int(p), 8) for p in most])

    fig, axes = plt.subplots(3, 10, figsize=(13, 4.4), layout="constrained")
    norms = np.linalg.norm(network.coefs_[0], axis=0)
    units = np.argsort(-norms)[:10]
    for k, (image, reason, weight) in enumerate(axes.T):
        image.imshow(X_test[rows[k]].reshape(8, 8), cmap="gray_r")
        values = found.of(k).values[k].reshape(8, 8)
        limit = abs(values).max()
        reason.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
        coef = network.coefs_[0][:, units[k]].reshape(8, 8)
        limit = abs(coef).max()
        weight.imshow(coef, cmap="PuOr_r", vmin=-limit, vmax=limit)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    for ax, title in zip(axes[:, 0], ["digit", "speaks for it", "hidden units"], strict=True):
        ax.set_ylabel(title)
    fig.savefig(folder / "explain_digits.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
