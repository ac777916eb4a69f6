"""A network leaves home: as plain Python source, as scikit-learn's own estimator, and as ONNX.

A network has learnt to tell wines by their chemistry. ``to_python`` writes it as one file that
needs NumPy only: here another process predicts with it, from which this package, scikit-learn,
SciPy and pandas are kept away. ``to_sklearn`` makes scikit-learn's own classifier of it, with batch
normalisation multiplied into its weights. Where skl2onnx is installed, ``to_onnx`` makes one model
of the whole Pipeline. The figure shows how far their probabilities are from those of the network:
next to nothing. It is saved as export.png in the folder given as argument.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.export import to_onnx, to_python, to_sklearn

ALONE = """
import sys

for name in ("sknn", "sklearn", "scipy", "pandas"):
    sys.modules[name] = None  # to import it is an error

import numpy as np
import wine

np.save("probabilities.npy", wine.predict_proba(np.load("wines.npy")))
"""


def predict_elsewhere(source, X):
    """Return the probabilities that a process finds which has the source and NumPy only."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wine.py").write_text(source)
        np.save(folder / "wines.npy", X)
        subprocess.run([sys.executable, "-c", ALONE], cwd=folder, check=True)
        return np.load(folder / "probabilities.npy")


def predict_by_onnx(pipeline, X):
    """Return the probabilities of an ONNX model of the whole Pipeline."""
    import onnxruntime

    model = to_onnx(pipeline, X[:1])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"X": X})[1]


def show_function(source):
    """Print the function of an exported file that runs the network."""
    lines = source.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("def _raw_scores"))
    last = next(i for i in range(first, len(lines)) if not lines[i])
    print("\n".join(lines[first:last]), end="\n\n")


def draw(folder, labels, found, expected):
    distances = [np.abs(each - expected).max(axis=1) for each in found]
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    place = np.arange(len(expected))
    for k, name in enumerate(("class 0", "class 1", "class 2")):
        order = np.argsort(expected[:, k])
        axes[0].plot(place, expected[order, k], color=f"C{k}", label=name)
        axes[0].plot(place, found[0][order, k], "o", color=f"C{k}", fillstyle="none", markersize=5)
    axes[0].set(
        title="Lines: the network. Circles: the exported file",
        xlabel="unseen wines, by the probability of each class",
        ylabel="probability",
    )
    axes[0].legend()
    for k, (name, distance) in enumerate(zip(labels, distances, strict=True)):
        axes[1].plot(place, np.sort(distance + 1e-18), color=f"C{k + 3}", label=name)
    axes[1].axhline(1e-5, color="#999999", linestyle="--", label="what is promised of float32")
    axes[1].set(
        title="How far probabilities are from the network's",
        xlabel="unseen wines, by distance",
        yscale="log",
        ylim=(1e-18, 1e-3),
    )
    axes[1].legend()
    for ax in axes:
        ax.grid(alpha=0.3)
    fig.savefig(folder / "export.png", dpi=130)


def main(folder: Path) -> None:
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, _ = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    options = {"normalization": "batch", "dropout": 0.1, "max_iter": 1000, "random_state": 0}
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((16, 8), **options))
    pipeline.fit(X_train, y_train)
    expected = pipeline.predict_proba(X_test)
    network, rows = pipeline[-1], pipeline[:-1].transform(X_test)

    source, twin = to_python(network), to_sklearn(network)
    show_function(source)
    found = {
        "Python, NumPy only": predict_elsewhere(source, rows),
        f"{type(twin).__module__.split('.')[0]}'s {type(twin).__name__}": twin.predict_proba(rows),
    }
    if importlib.util.find_spec("skl2onnx") and importlib.util.find_spec("onnxruntime"):
        found["ONNX, the whole Pipeline"] = predict_by_onnx(pipeline, X_test)
    else:
        print("skl2onnx or onnxruntime is missing: pip install sknn[onnx] onnxruntime")
    print(f"the exported file has {len(source):,} characters, and the greatest distances are")
    for name, probabilities in found.items():
        print(f"    {name:<32}{np.abs(probabilities - expected).max():9.1e}")
    draw(folder, list(found), list(found.values()), expected)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
