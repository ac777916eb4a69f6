"""Writes the files that every later version has to load: ``python -m tests.persistence.released``.

Files of a released format are not written again: those of the next format get names of their own.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import sknn
from sknn import MLPClassifier, MLPRegressor
from sknn.container import FORMAT
from sknn.losses import Quantile
from sknn.optimizers import AdamW
from sknn.schedules import Cosine, Joined, OneCycle, Warmup
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from tests.persistence.models import CODES, TABLE, X, half_drawn, train

DATA = Path(__file__).parents[1] / "data"

WORDS = np.array(["ä ", "", "nan"])[CODES]
NUMBER = X[:, 2] + 0.5
FEW = {
    "hidden_layer_sizes": (2,), "n_bins": 2, "cv": 2, "max_iter": 1, "preset": "fast",
    "random_state": 0,
}  # fmt: skip

FEW_COLUMNS = TABLE[["width", "color", "day"]]

COMPONENT = Joined([Warmup(Cosine(), 2), OneCycle(rise=0.4)], [5])
ENCODER = TableEncoder(
    numeric=("robust", "piecewise_linear", "fourier"), n_bins=4, n_frequencies=2,
    min_target_categories=2, random_state=0,
)  # fmt: skip


def classifier():
    network = MLPClassifier(
        (5, 5), activation=["gelu", "mish"], normalization="batch", residual=True, dropout=0.1,
        solver=AdamW(0.8), class_weight={"": 2.0, "nan": 0.5, "ä ": 1.0},
        max_iter=3, random_state=half_drawn(),
    )  # fmt: skip
    return train(network, TABLE[["length", "is_large"]], WORDS)


def regressor():
    network = MLPRegressor(
        (6,), front=["fourier", "scale"], loss=Quantile([0.1, 0.5, 0.9]), learning_rate=COMPONENT,
        learning_rate_init="auto", weight_averaging="ema", early_stopping=True, max_iter=3,
        random_state=0,
    )  # fmt: skip
    return train(network, X.astype(np.float32), NUMBER)


MAKE = {
    "classifier": classifier,
    "regressor": regressor,
    "table_of_classes": lambda: TabularMLPClassifier(**FEW).fit(FEW_COLUMNS, WORDS).trim(),
    "table_of_numbers": lambda: TabularMLPRegressor(**FEW).fit(TABLE[["width"]], NUMBER).trim(),
    "encoder": lambda: ENCODER.fit(TABLE, NUMBER),
    "component": lambda: COMPONENT,
}


def answers(model, rows):
    """Return by name what a model says of rows, or a component of itself."""
    if rows is None:
        return {"repr": np.array(repr(model))}
    methods = ("predict", "predict_proba", "predict_interval", "transform")
    return {method: getattr(model, method)(rows) for method in methods if hasattr(model, method)}


def rows_for(model):
    """Return some rows that a model can be asked of."""
    if not hasattr(model, "n_features_in_"):
        return None
    if not hasattr(model, "feature_names_in_"):
        return X[::6].astype(np.float32)
    return TABLE[list(model.feature_names_in_)][::6]


def as_arrays(rows):
    """Return rows as arrays that need no pickle, by name."""
    if rows is None:
        return {}
    if isinstance(rows, np.ndarray):
        return {"rows": rows}
    columns = {name: rows[name].to_numpy() for name in rows}
    return {
        f"column {name}": column.astype(str) if column.dtype == object else column
        for name, column in columns.items()
    }


def as_rows(arrays):
    """Return the rows that `as_arrays` has taken apart."""
    if "rows" in arrays:
        return arrays["rows"]
    columns = {name[7:]: each for name, each in arrays.items() if name.startswith("column ")}
    if not columns:
        return None
    rows = pd.DataFrame(columns)
    return rows.astype({"kind": "category"}) if "kind" in rows else rows


def paths_of(name, number):
    """Return where a model of a format is, and what it says."""
    stem = f"format_{number}_{name}"
    return DATA / f"{stem}.sknn", DATA / f"{stem}.npz"


def write():
    for name, make in MAKE.items():
        model = make()
        path, said = paths_of(name, FORMAT)
        rows = rows_for(model)
        sknn.save(model, path)
        np.savez_compressed(said, **as_arrays(rows), **answers(model, rows))
        print(path.name, path.stat().st_size, file=sys.stderr)


if __name__ == "__main__":
    write()
