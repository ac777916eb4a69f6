"""
Training from Parquet files
===========================

Rows that do not fit into memory are read from files while a network is
trained. Here the files are sorted by class, which is the worst that they
can be: whoever reads them from the first row to the last sees nothing but
zeros, then nothing but ones, and so on. A network learns as much from them
as from a table in memory. It needs pyarrow,
``pip install "sknn[parquet]"``.
"""

# %%
# The digits that come with scikit-learn, 40 times, each time with other
# noise: a file for each digit.

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from sknn import MLPClassifier
from sknn.data import from_parquet

n_copies = 40
digits = load_digits(as_frame=True)
rng = np.random.default_rng(0)


def with_noise(frame, n_copies):
    copies = pd.concat([frame] * n_copies, ignore_index=True)
    noise = rng.normal(0, 0.2, copies.shape)
    return (copies / 16 + noise).astype(np.float32)


folder = tempfile.TemporaryDirectory()
for digit in range(10):
    frame = with_noise(digits.data[digits.target == digit], n_copies)
    path = Path(folder.name) / f"digit-{digit}.parquet"
    frame.assign(digit=digit).to_parquet(path)

# %%
# ``memory`` is how much of the rows training may hold. Half of it is a
# window, whose rows are visited in random order while the next one is
# read. A window has blocks from all over the files, by lot.

rows = from_parquet(folder.name, target="digit", memory="1MB")
print(rows)

# %%
# Three networks: from the files, from a table in memory, and from that
# table in the order of its rows, for comparison. They are judged by digits
# with noise that they have not seen. ``tracemalloc`` notes the largest
# memory that Python and NumPy have had in use meanwhile.

unseen = with_noise(digits.data, 5)
truth = np.tile(digits.target, 5)


def train(X, y=None, shuffle=True):
    network = MLPClassifier(
        (32,),
        learning_rate="cosine",
        max_iter=10,
        shuffle=shuffle,
        random_state=0,
    )
    tracemalloc.start()
    network.fit(X, y, X_val=unseen, y_val=truth)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return network, peak / 1e6


table = pd.read_parquet(folder.name)
size = table.memory_usage(index=False).sum() / 1e6
X, y = table.drop(columns="digit"), table["digit"]
fits = {
    "files": train(rows),
    "table": train(X, y),
    "table, in its order": train(X, y, shuffle=False),
}
print(f"the table itself takes {size:.0f} MB")
for name, (network, peak) in fits.items():
    score = network.score(unseen, truth)
    print(f"{name:19} accuracy {score:.3f}, training took {peak:.0f} MB")

# %%
# Rows in files can be chosen by their numbers, and be scored and predicted
# block by block.

network, _ = fits["files"]
some = rows[::100]
print(f"{len(some)} of the rows: accuracy {network.score(some):.3f}")
del rows, some
folder.cleanup()

# %%
# The networks from the files and from the table are as good as each other.
# They are not the same to the bit, since their batches are others. What
# would come of reading sorted files from beginning to end, the third one
# shows: while it sees nothing but nines, it forgets the other digits.

fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
styles = [
    {"color": "#0072B2", "marker": "o", "ms": 5, "ls": "", "zorder": 3},
    {"color": "#56B4E9", "lw": 6, "alpha": 0.6},
    {"color": "#D55E00", "ls": "--"},
]
for (name, (network, _)), style in zip(fits.items(), styles, strict=True):
    history = network.history_
    for ax, column in zip(axes, ["loss", "val_score"], strict=True):
        ax.plot(history.index, history[column], label=name, **style)
axes[0].set(title="training loss", xlabel="epoch", ylim=(0, None))
axes[1].set(title="accuracy on unseen rows", xlabel="epoch", ylim=(0, 1))
for ax in axes:
    ax.grid(alpha=0.3)
axes[1].legend(loc="center right")
plt.show()

# %%
# :doc:`/guide/large` says how files are read, and what stays in memory.
