"""
A network leaves home
=====================

A trained network can go where this package is not: as a file of Python
source that needs NumPy only, as scikit-learn's own estimator, or as an ONNX
model, which other languages read. This example exports one network in each
of these forms, and measures how far their probabilities are from its own.
"""

# %%
# The network tells wines by their chemistry. It has what scikit-learn's
# networks do not have, batch normalisation and dropout. After the training
# the one can be multiplied into the weights, and the other has no part in
# predictions.

import importlib.util
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier
from sknn.export import to_onnx, to_python, to_sklearn

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, _ = train_test_split(
    X, y, test_size=0.4, stratify=y, random_state=0
)
network = MLPClassifier(
    (16, 8),
    normalization="batch",
    dropout=0.1,
    max_iter=1000,
    random_state=0,
)
pipeline = make_pipeline(StandardScaler(), network).fit(X_train, y_train)
expected = pipeline.predict_proba(X_test)
rows = pipeline[:-1].transform(X_test)
found = {}

# %%
# As Python source
# ----------------
#
# :func:`~sknn.export.to_python` returns the source of a module. This is the
# function in it that runs the network:

source = to_python(network)
lines = source.splitlines()
first = next(i for i, s in enumerate(lines) if s.startswith("def _raw_"))
print("\n".join(lines[first : lines.index("", first)]))
print(f"\nThe file has {len(source):,} characters.")

# %%
# To see that it needs NumPy only, another process predicts with it, from
# which this package, scikit-learn, SciPy and pandas are kept away:

ALONE = """
import sys

for name in ("sknn", "sklearn", "scipy", "pandas"):
    sys.modules[name] = None  # to import it is an error

import numpy as np
import wine

np.save("probabilities.npy", wine.predict_proba(np.load("wines.npy")))
"""

with TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "wine.py").write_text(source, encoding="utf-8")
    np.save(folder / "wines.npy", rows)
    subprocess.run([sys.executable, "-c", ALONE], cwd=folder, check=True)
    found["Python, NumPy only"] = np.load(folder / "probabilities.npy")

# %%
# As scikit-learn's estimator
# ---------------------------
#
# :func:`~sknn.export.to_sklearn` makes
# :class:`sklearn.neural_network.MLPClassifier` of it, with batch
# normalisation multiplied into the weights:

twin = to_sklearn(network)
found["scikit-learn's estimator"] = twin.predict_proba(rows)
print(f"{type(twin).__module__.split('.')[0]}'s {type(twin).__name__}")

# %%
# As ONNX
# -------
#
# :func:`~sknn.export.to_onnx` makes one model of the whole Pipeline, scaler
# included. It needs skl2onnx, ``pip install "sknn[onnx]"``, and onnxruntime
# to run the model; where one of them is missing, this part is left out.

if all(map(importlib.util.find_spec, ("skl2onnx", "onnxruntime"))):
    import onnxruntime

    model = to_onnx(pipeline, X_test[:1])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    _, probabilities = session.run(None, {"X": X_test})
    found["ONNX, the whole Pipeline"] = probabilities
    print(f"The ONNX model has {len(model.SerializeToString()):,} bytes.")
else:
    print("skl2onnx or onnxruntime is missing; no ONNX model here.")

# %%
# How far are they?
# -----------------
#
# The greatest distance between a probability of an export and one of the
# network's, over all wines and classes:

distances = {
    name: np.abs(probabilities - expected).max(axis=1)
    for name, probabilities in found.items()
}
for name, distance in distances.items():
    print(f"{name:<28}{distance.max():9.1e}")

# %%
# Left: the circles of the exported file lie on the lines of the network.
# Right: the distances are of the size of rounding errors, far below what is
# promised where an export computes in float32. Those of 0 are drawn at the
# lower edge.

COLORS = ["#0072B2", "#E69F00", "#009E73"]

fig, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained"
)
place = np.arange(len(expected))
for k, color in enumerate(COLORS):
    order = expected[:, k].argsort()
    left.plot(place, expected[order, k], color=color, label=f"class {k}")
    exported = found["Python, NumPy only"][order, k]
    left.plot(
        place, exported, "o", color=color, fillstyle="none", markersize=5
    )
left.set(
    title="Lines: the network. Circles: the exported file",
    xlabel="unseen wines, by the probability of each class",
    ylabel="probability",
)
left.legend()
styles = zip(
    ("#CC79A7", "#000000", "#D55E00"), ("-", "--", "-."), strict=True
)
for (name, distance), (color, style) in zip(
    distances.items(), styles, strict=False
):
    right.plot(
        place,
        np.maximum(np.sort(distance), 1e-18),
        style,
        color=color,
        label=name,
    )
right.axhline(
    1e-5, color="#777777", linestyle=":", label="promised of float32"
)
right.set(
    title="How far probabilities are from the network's",
    xlabel="unseen wines, by distance",
    ylabel="distance",
    yscale="log",
    ylim=(5e-19, 1e-3),
)
right.legend()
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# :ref:`The guide <export>` says what can be exported, and what cannot.
