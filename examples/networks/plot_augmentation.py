"""
What augmentation teaches
=========================

With ``augmentation=`` the network sees its training rows changed a little
in each step. Networks learn from 200 images of digits, with four kinds of
change and with none, and are then tested twice: on unseen digits as they
are, and on the same ones moved by a pixel. What is rehearsed is learnt, and
not much else.
"""

# %%
# An augmentation of our own
# --------------------------
#
# :mod:`sknn.augmentation` has noise and mixtures, which suit any table.
# Moving an image is a matter of images, so we write it: a subclass of
# :class:`sknn.augmentation.Augmentation` whose ``augment`` changes the rows
# of a batch in place. It draws from ``rng``, so that a fit with a
# ``random_state`` can be repeated.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.augmentation import Augmentation, GaussianNoise, Mixup, SwapNoise


class Shift(Augmentation):
    """Moves each image by up to a pixel in both directions."""

    def augment(self, X, y, rng):
        images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
        moves = rng.integers(0, 3, (2, len(X)))
        for row, (image, down, right) in enumerate(
            zip(images, *moves, strict=True)
        ):
            X[row] = image[down : down + 8, right : right + 8].ravel()


AUGMENTATIONS = {
    "none": None,
    "GaussianNoise(0.2)": GaussianNoise(0.2),
    "SwapNoise(0.1)": SwapNoise(0.1),
    "Mixup(0.4)": Mixup(0.4),
    "Shift()": Shift(),
}

# %%
# Accuracy with and without
# -------------------------
#
# The moved test images are made by the same class. Each network is trained
# from four random starts, since differences between kinds of training mean
# little where they are as small as those between starts.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=200, stratify=y, random_state=0
)
X_moved = X_test.copy()
Shift().augment(X_moved, y_test, np.random.default_rng(0))

accuracy = {}
print(f"{'mean accuracy':<20}{'as they are':>14}{'moved':>9}")
for name, augmentation in AUGMENTATIONS.items():
    accuracy[name] = np.empty((4, 2))
    for seed in range(4):
        net = MLPClassifier(
            (64,),
            augmentation=augmentation,
            batch_size=50,
            learning_rate_init=0.003,
            tol=1e-3,
            n_iter_no_change=50,
            max_iter=5000,
            random_state=seed,
        )
        net.fit(X_train, y_train)
        accuracy[name][seed] = (
            net.score(X_test, y_test),
            net.score(X_moved, y_test),
        )
    as_they_are, moved = accuracy[name].mean(axis=0)
    print(f"{name:<20}{as_they_are:>14.3f}{moved:>9.3f}")

# %%
# Above, a seven as it is and as each augmentation may show it to the
# network: with noise, with single pixels from other images, mixed with
# another image (its target is mixed alike), and moved. Below, the
# accuracies.
#
# A pixel in eight is much: without practice the networks read fewer than
# two moved digits in five. Only the network that has seen moved digits
# reads them, nine in ten. On the digits as they are, no augmentation
# changes much, and practice with moved ones costs about a percentage point.

fig = plt.figure(figsize=(9, 5.2), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=(1, 1.5))
panels = above.subplots(1, len(AUGMENTATIONS))
for ax, (name, augmentation) in zip(
    panels, AUGMENTATIONS.items(), strict=True
):
    images, targets = X_train[:50].copy(), np.eye(10)[y_train[:50]]
    if augmentation is not None:
        augmentation.augment(images, targets, np.random.default_rng(3))
    ax.imshow(images[1].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(name, fontsize=10)
    ax.set(xticks=[], yticks=[])

ax = below.subplots()
rows = np.repeat(np.arange(len(AUGMENTATIONS)), 4)
scores = np.concatenate(list(accuracy.values())).T
kinds = {
    "as they are": ("#0072B2", "o"),
    "moved by a pixel": ("#D55E00", "s"),
}
for values, (kind, (color, marker)) in zip(
    scores, kinds.items(), strict=True
):
    label = f"unseen digits, {kind}"
    ax.plot(values, rows, marker, color=color, alpha=0.5, label=label)
ax.set(xlabel="accuracy, four random starts each", xlim=(0.3, 1))
ax.set_yticks(range(len(AUGMENTATIONS)), AUGMENTATIONS)
ax.set_ylim(len(AUGMENTATIONS) - 0.5, -0.5)
ax.legend(loc="center")
ax.grid(alpha=0.3)
plt.show()

# %%
# So choose an augmentation by what may happen to your data later, not by
# its name: what of a row can change without a change of its target?
# :doc:`/guide/data` lists those that are built in.
