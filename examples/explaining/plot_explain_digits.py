"""
Which pixels speak for a digit?
===============================

To a network an image is a row of pixels, and what each pixel contributes to
the score of a digit is an image again. It shows where the network looks,
and what makes it hesitate.
"""

# %%
# A network learns to read images of 8 x 8 pixels.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier
from sknn.inspection import integrated_gradients

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)
network = MLPClassifier((64,), alpha=1.0, max_iter=500, random_state=0)
network.fit(X_train, y_train)
print(f"{network.score(X_test, y_test):.1%} of unseen digits are read")

# %%
# Integrated gradients need something to compare with. Here that is an empty
# image, ``baseline="zero"``: pixels without ink have no part in the answer
# then. The first digit of each kind that is read correctly is explained.

predicted = network.predict(X_test)
rows = [
    np.flatnonzero((y_test == k) & (predicted == k))[0] for k in range(10)
]
found = integrated_gradients(network, X_test[rows], baseline="zero")
print(
    f"attributions miss the scores by {abs(found.errors).max():.3f} at most"
)

speaks = np.array([found.of(k).values[k] for k in range(10)])
row, column = np.unravel_index(speaks.argmax(axis=1), (8, 8))
print("the pixel that speaks most for each digit:")
print("digit ", *range(10))
print("row   ", *row)
print("column", *column)

# %%
# Above, the digits. In the middle, what speaks for the digit that was read
# (red) and against it (blue). Below, the weights of ten hidden units as
# images, orange where ink wakes the unit and purple where it keeps it
# quiet: no unit looks like a digit, and none has to.


def draw(ax, values, cmap):
    limit = abs(values).max()
    ax.imshow(values.reshape(8, 8), cmap=cmap, vmin=-limit, vmax=limit)


weights = network.coefs_[0]
units = np.linalg.norm(weights, axis=0).argsort()[::-1][:10]

fig, axes = plt.subplots(3, 10, figsize=(10, 3.5), layout="constrained")
for k, (image, reason, unit) in enumerate(axes.T):
    image.imshow(X_test[rows[k]].reshape(8, 8), cmap="gray_r")
    draw(reason, speaks[k], "RdBu_r")
    draw(unit, weights[:, units[k]], "PuOr_r")
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
names = "digit", "speaks for it", "hidden units"
for ax, name in zip(axes[:, 0], names, strict=True):
    ax.set_ylabel(name)
plt.show()
