"""
Inside a network
================

What does a hidden layer make of the data, and is it of use elsewhere? A
layer of two units can be drawn: the digits lie where the network puts them
before it decides. And the weights of one network can be the beginning of
another one, which pays where that one has few images to learn from.
"""

# %%
# Digits in a plane
# -----------------
#
# The last hidden layer has two units without an activation function, so ten
# digits have to find room in a plane. ``hidden_layer_outputs`` returns what
# the layer makes of images that the network has not seen.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, random_state=0
)
net = MLPClassifier(
    (64, 2),
    ["gelu", "identity"],
    learning_rate_init=0.01,
    max_iter=1000,
    random_state=0,
)
net.fit(X_train, y_train)
points = net.hidden_layer_outputs(X_test)
print(net.summary())
print("accuracy on unseen digits, through two units:", end=" ")
print(f"{net.score(X_test, y_test):.3f}")

# %%
# Weights that serve a second network
# -----------------------------------
#
# A network learns 1,000 sharp images. A second one is to read images that
# are blurred and noisy, of which there are few.


def spoil(X):
    """Blur images of 8 x 8 pixels and add noise."""
    images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    blurred = sum(
        images[:, i : i + 8, j : j + 8] for i in range(3) for j in range(3)
    )
    noise = np.random.default_rng(0).normal(0, 0.1, X.shape)
    return blurred.reshape(-1, 64) / 9 + noise


X_sharp, X_rest, y_sharp, y_rest = train_test_split(
    X, y, train_size=1000, stratify=y, random_state=0
)
X_spoilt = spoil(X_rest)
options = {
    "hidden_layer_sizes": (64,),
    "learning_rate_init": 0.003,
    "max_iter": 2000,
}
first = MLPClassifier(random_state=0, **options).fit(X_sharp, y_sharp)
before = first.score(X_spoilt, y_rest)
print(f"unseen images, sharp   {first.score(X_rest, y_rest):.3f}")
print(f"the same, spoilt       {before:.3f}")

# %%
# ``initializer`` takes the weights to begin with: those of the first
# network, or random ones ("auto"). Each number of images is tried with five
# splits.

n_images = [10, 20, 40, 80, 160]
starts = {
    "random weights": "auto",
    "those of sharp images": (first.coefs_, first.intercepts_),
}
scores = {name: np.empty((len(n_images), 5)) for name in starts}
for i, n in enumerate(n_images):
    for seed in range(5):
        A_train, A_test, b_train, b_test = train_test_split(
            X_spoilt,
            y_rest,
            train_size=n,
            stratify=y_rest,
            random_state=seed,
        )
        for name, start in starts.items():
            second = MLPClassifier(
                initializer=start, random_state=seed, **options
            )
            second.fit(A_train, b_train)
            scores[name][i, seed] = second.score(A_test, b_test)

print(f"{'images to learn from':<24}", *(f"{n:6}" for n in n_images))
for name, found in scores.items():
    print(f"{name:<24}", *(f"{mean:6.3f}" for mean in found.mean(axis=1)))

# %%
# Left: each point is an unseen digit, drawn as what it is. The groups lie
# around the middle, so that lines can part them. Where they meet the
# network errs: two units are too few to tell all digits apart. Right: mean
# and spread over the five splits. With 10 or 20 images the borrowed weights
# are far ahead; with more images of its own the lead melts.

BLUE, RED, GREEN = "#0072B2", "#D55E00", "#009E73"
PINK, BLACK = "#CC79A7", "#000000"
# Neighbours in the plane have different colours.
OF_DIGITS = [BLACK, RED, BLUE, PINK, PINK, RED, GREEN, GREEN, BLACK, BLUE]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4.4), layout="constrained"
)
for digit in range(10):
    chosen = points[y_test == digit]
    left.plot(
        *chosen.T,
        linestyle="none",
        marker=f"${digit}$",
        color=OF_DIGITS[digit],
        markeredgewidth=0.3,
    )
left.set(
    title="the two units of the last hidden layer",
    xlabel="unit 1",
    ylabel="unit 2",
)
for (name, found), marker, color in zip(
    scores.items(), "os", (BLUE, RED), strict=True
):
    mean, spread = found.mean(axis=1), found.std(axis=1)
    right.errorbar(
        n_images,
        mean,
        spread,
        marker=marker,
        color=color,
        capsize=3,
        label=name,
    )
right.axhline(
    before,
    color="#777777",
    linestyle="--",
    label="those, without more training",
)
right.set(
    title="reading blurred digits",
    xlabel="images to learn from",
    ylabel="accuracy on unseen ones",
    xscale="log",
)
right.set_xticks(n_images, [str(n) for n in n_images])
right.minorticks_off()
right.legend(title="beginning with")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# What the second network has to read: images before and after.

fig, axes = plt.subplots(2, 10, figsize=(10, 2.3), layout="constrained")
for digit, pair in enumerate(axes.T):
    row = np.flatnonzero(y_rest == digit)[0]
    for ax, images in zip(pair, (X_rest, X_spoilt), strict=True):
        ax.imshow(images[row].reshape(8, 8), cmap="gray_r")
        ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("sharp")
axes[1, 0].set_ylabel("spoilt")
plt.show()
