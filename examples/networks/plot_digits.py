"""
Handwritten digits
==================

A network reads 8 x 8 images of handwritten digits. Which digits does it
mistake for which others, what do the images look like that it misreads, and
does it know when it is in doubt? These are questions for any classifier,
and predicted probabilities answer the last two.
"""

# %%
# An image is a row of 64 numbers to a network of this kind. Dividing them
# by 16, the largest value, puts them between 0 and 1; no other preparation
# is needed. A third of the images is kept for the test.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

digits = load_digits()
X_train, X_test, y_train, y_test = train_test_split(
    digits.data / 16,
    digits.target,
    test_size=1 / 3,
    stratify=digits.target,
    random_state=0,
)
net = MLPClassifier(
    (64,), learning_rate_init=0.003, max_iter=500, random_state=0
)
net.fit(X_train, y_train)
print(f"{len(X_train)} images to learn from")
print(f"{net.n_iter_} epochs of training")
print(
    f"{net.score(X_test, y_test):.1%} of {len(X_test)} are read correctly"
)

# %%
# The mistakes
# ------------
#
# The certainty of a prediction is the largest of its ten probabilities.

probability = net.predict_proba(X_test)
predicted = net.classes_[probability.argmax(axis=1)]
certainty = probability.max(axis=1)
is_wrong = predicted != y_test

print(f"{is_wrong.sum()} of {len(X_test)} test images are misread")
print(f"mean certainty where right  {certainty[~is_wrong].mean():.3f}")
print(f"mean certainty where wrong  {certainty[is_wrong].mean():.3f}")

# %%
# Left, how often each digit is taken for another one: six of the 13 are
# read as a 1. Right, the mistakes of which the network is most certain,
# worst first. They are worth a look in any project: a label may be wrong,
# or a kind of case is missing from what was learnt. Here most are
# untypical, such as an 8 without a lower loop.

fig = plt.figure(figsize=(10, 5), layout="constrained")
left, right = fig.subfigures(1, 2, width_ratios=(1.15, 1))
ax = left.subplots()
ConfusionMatrixDisplay.from_predictions(
    y_test, predicted, ax=ax, cmap="Blues", colorbar=False
)
ax.set(xlabel="read as", ylabel="digit")
ax.set_title(
    f"{np.mean(~is_wrong):.1%} of unseen digits are read correctly"
)

worst = np.flatnonzero(is_wrong)
worst = worst[np.argsort(-certainty[worst], kind="stable")][:12]
right.suptitle(f"The {len(worst)} mistakes made with most certainty")
for ax, row in zip(right.subplots(3, 4).flat, worst, strict=True):
    ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
    title = f"{y_test[row]} read as {predicted[row]}\n{certainty[row]:.0%}"
    ax.set_title(title, fontsize=10)
    ax.set_axis_off()
plt.show()

# %%
# Leaving the doubtful ones to somebody else
# ------------------------------------------
#
# If probabilities are of use, mistakes should be rare where certainty is
# high. So sort the test images by certainty, let the network answer the
# first ones only, and count the mistakes among its answers.

order = np.argsort(-certainty, kind="stable")
mistakes = np.cumsum(is_wrong[order])
answered = np.arange(1, len(order) + 1)
for share in (1, 0.95, 0.9):
    n = int(share * len(order))
    print(f"answered {share:4.0%}, mistakes {mistakes[n - 1]:2} of {n}")

fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
ax.step(answered / len(order), mistakes, where="post", color="#0072B2")
ax.set(xlabel="share of images that the network answers, surest first")
ax.set(ylabel="mistakes among them", xlim=(0.8, 1), ylim=(0, None))
ax.set_xticks(np.linspace(0.8, 1, 5))
ax.xaxis.set_major_formatter("{x:.0%}")
ax.grid(alpha=0.3)
plt.show()

# %%
# Whoever reads the 60 most doubtful images by hand, a tenth of them, is
# left with a single mistake. It is not found this way: the network takes a
# 6 for a 1 with a certainty of 99%. A high probability is no proof, above
# all for images unlike those that were learnt from. How to describe
# uncertainty in regression is shown in
# :ref:`sphx_glr_gallery_networks_plot_quantiles.py`.
