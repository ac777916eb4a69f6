"""
Batches that grow
=================

Far from the minimum a rough gradient is good enough, and small batches make
quick progress. Close to it their noise prevails. ``batch_size="adaptive"``
begins with 32 samples and doubles the batch whenever the noise asks for it.
Here it is compared with batches of 32 and of 200, at a learning rate that
is too large for the small ones.
"""

# %%
# Three trainings of one network. ``history_`` keeps the size of the batches
# of each epoch, from which the number of steps follows. Each training ends
# when the loss has hardly improved for ten epochs.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, stratify=y, random_state=0
)

print("batch size  epochs   steps  last loss  test accuracy")
histories, steps = {}, {}
for size in (32, 200, "adaptive"):
    net = MLPClassifier(
        (64,),
        batch_size=size,
        learning_rate_init=0.04,
        max_iter=1000,
        random_state=0,
    )
    net.fit(X_train, y_train)
    history = net.history_
    histories[size] = history
    steps[size] = np.ceil(len(X_train) / history["batch_size"]).cumsum()
    print(
        f"{size!s:<12}{len(history):6}{steps[size].iloc[-1]:8.0f}", end=""
    )
    print(f"{net.loss_:11.4f}{net.score(X_test, y_test):15.3f}")

# %%
# Left and middle: with batches of 32 the loss rises again, since the steps
# are too long for gradients of so few samples. Growing batches begin like
# them, which shows best over the epochs, and then calm down. A fixed size
# of 200 does at least as well here, but one has to know it. Right: the
# batches have grown to their final size after a few epochs.
#
# A step with a large batch costs more than one with a small batch, and an
# epoch of many small steps more than one of a few large ones. So neither of
# the first two panels alone says which training is the quicker one.

STYLES = {
    32: ("#E69F00", "--"),
    200: ("#0072B2", "-."),
    "adaptive": ("#000000", "-"),
}

fig, (left, middle, right) = plt.subplots(
    1, 3, figsize=(10, 3.8), layout="constrained"
)
for size, history in histories.items():
    color, style = STYLES[size]
    left.plot(steps[size], history["loss"], style, color=color, label=size)
    middle.plot(history["loss"], style, color=color)
    right.plot(history["batch_size"], style, color=color)
left.set(title="training loss", xlabel="step", ylabel="loss")
middle.set(title="training loss", xlabel="epoch")
right.set(title="samples in a batch", xlabel="epoch")
for ax in (left, middle, right):
    ax.set(xscale="log", yscale="log")
    ax.grid(alpha=0.3)
sizes = [32, 64, 128, 256, 512]
right.set_yticks(sizes, [str(size) for size in sizes])
right.minorticks_off()
left.legend(title="batch_size", loc="lower left")
plt.show()

# %%
# :doc:`/guide/learning_rate` explains how the noise is measured.
