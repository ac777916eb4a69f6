"""
Data larger than memory
=======================

A matrix in a file need not be loaded: a network reads it batch by batch.
This example writes a file of 70 MB, trains on it as it is and on the same
matrix in memory, and compares the memory that both have taken. The networks
are the same.
"""

# %%
# The file holds the digits 160 times, each time with other noise.
# :class:`numpy.memmap` shows a file as an array; only what is looked at is
# read.

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknn import MLPClassifier

n_copies = 160
X, digits = load_digits(return_X_y=True)
y = np.tile(digits, n_copies)
shape = len(y), X.shape[1]

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "digits.bin"
rng = np.random.default_rng(0)
with path.open("wb") as file:
    for _ in range(n_copies):
        noisy = X / 16 + rng.normal(0, 0.05, X.shape)
        noisy.astype(np.float32).tofile(file)
size = path.stat().st_size / 2**20
print(f"{shape[0]} rows of {shape[1]} columns in a file of {size:.0f} MB")

# %%
# Two trainings, from the file and from an array. ``tracemalloc`` notes the
# largest memory that Python and NumPy have had in use meanwhile.


def train(load):
    network = MLPClassifier((32,), target_loss=0.02, random_state=0)
    tracemalloc.start()
    network.fit(load(), y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return network, peak / 2**20


def from_file():
    return np.memmap(path, np.float32, "r", shape=shape)


def from_array():
    return np.fromfile(path, np.float32).reshape(shape)


net, of_file = train(from_file)
twin, of_array = train(from_array)
print(f"memory: {of_file:.0f} MB from the file", end=", ")
print(f"{of_array:.0f} MB from an array")

# %%
# The same rows in the same order make the same weights, to the last bit.
# Predictions read the file in parts, too.

is_same = all(map(np.array_equal, net.coefs_, twin.coefs_))
print(f"same weights: {is_same}")
print(f"accuracy {net.score(from_file(), y):.3f}", end=" ")
print(f"after {net.n_iter_} epochs")
folder.cleanup()

# %%
# What is left of the memory when trained from the file are the targets, the
# order of the rows and one batch. Targets and order grow with the number of
# rows, too, but not with that of columns. The accuracy says nothing about
# unseen digits: it is that on the training data, the same 1,797 digits over
# and over.

fig, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
bars = ax.barh(
    ["trained from an array", "trained from the file", "size of the file"],
    [of_array, of_file, size],
    color=["#0072B2", "#009E73", "#999999"],
)
ax.bar_label(bars, fmt="%.0f MB", padding=3)
ax.set(
    xlabel="largest memory in use, MB", xlim=(0, 1.15 * max(of_array, size))
)
plt.show()

# %%
# :doc:`/guide/large` says more about files: how they are read in windows,
# which is faster where a file is larger than memory, and how they are
# scaled.
