"""Data larger than memory: a matrix in a file, read batch by batch.

The digits, each shifted in many ways and with noise, are written to a file of 70 MB. A network is
trained on it as it is (np.memmap), and on the same matrix loaded into memory. The weights are the
same; the figure shows the memory that loading and training took in either case. It is saved as
on_disk.png in the folder given as argument.
"""

import sys
import tempfile
import tracemalloc
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknn import MLPClassifier

N_COPIES = 160


def write(path, X):
    """Write changed copies of X to a file, one after the other."""
    rng = np.random.default_rng(0)
    rows = np.memmap(path, np.float32, "w+", shape=(N_COPIES * len(X), X.shape[1]))
    for copy in range(N_COPIES):
        noise = rng.normal(0, 0.05, X.shape)
        rows[copy * len(X) : (copy + 1) * len(X)] = X + noise
    rows.flush()
    return rows.shape


def train(X, y):
    """Return a network and the largest memory, in MB, that was in use while it was trained."""
    net = MLPClassifier((32,), target_loss=0.02, random_state=0)
    tracemalloc.start()
    net.fit(np.array(X) if not isinstance(X, np.memmap) else X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return net, peak / 2**20


def main(folder: Path) -> None:
    X, digits = load_digits(return_X_y=True)
    y = np.tile(digits, N_COPIES)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "digits.bin"
        shape = write(path, X / 16)
        size = path.stat().st_size / 2**20
        on_disk = np.memmap(path, np.float32, "r", shape=shape)
        print(f"{shape[0]} rows of {shape[1]} columns in a file of {size:.0f} MB")
        nets, memory = zip(train(on_disk, y), train(on_disk.view(np.ndarray), y), strict=True)
        score = nets[0].score(on_disk, y)
        del on_disk
    same = all(map(np.array_equal, nets[0].coefs_, nets[1].coefs_))
    print(f"memory: {memory[0]:.0f} MB from the file, {memory[1]:.0f} MB from an array")
    print(f"same weights: {same}; accuracy {score:.3f} after {nets[0].n_iter_} epochs")
    fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
    names = ["trained from an array", "trained from the file", "size of the file"]
    bars = ax.barh(names, [memory[1], memory[0], size], color=["#0072B2", "#009E73", "#999999"])
    ax.bar_label(bars, fmt="%.0f MB", padding=3)
    ax.set(xlabel="largest memory in use, MB", xlim=(0, 1.15 * max(*memory, size)))
    fig.savefig(folder / "on_disk.png", dpi=130)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
