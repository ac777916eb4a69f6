"""Tables to learn from: a folder of them, or a small stand-in for one.

A folder has a ``manifest.json`` that says of each data set its name, file, task and target, and
which of its columns are categories. All others are numbers, and an empty field is a gap.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_friedman1,
    make_hastie_10_2,
)

MULTIPLE = ["multilabel", "multioutput-regression"]
"""Tasks with several targets."""


@dataclass
class Table:
    """A data set that is read when it is asked for."""

    name: str
    task: str
    read: Callable[[], tuple[pd.DataFrame, Any]]

    def load(self):
        """Return X, and y as an array: classes are numbered from 0."""
        X, y = self.read()
        if self.task in ("binary", "multiclass"):
            return X, np.unique(y, return_inverse=True)[1]
        return X, np.asarray(y, dtype=int if self.task == "multilabel" else float)


def read_tables(root):
    """Return the tables of a folder."""
    folder = Path(root)
    entries = json.loads((folder / "manifest.json").read_text())["datasets"]
    return [Table(e["name"], e["task"], partial(read_file, folder, e)) for e in entries]


def read_file(folder, entry):
    """Return X and y of an entry of the manifest."""
    path, target = folder / entry["file"], entry["target"]
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return pd.DataFrame(arrays["X"]).add_prefix("x").astype(float), arrays["y"]
    kinds = dict.fromkeys(entry["categorical"], str)
    if entry["task"] in ("binary", "multiclass"):
        kinds[target] = str
    # words such as "None" and "NA" are categories here
    frame = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""])
    X = frame.drop(columns=target)
    return X.astype({c: "category" if c in entry["categorical"] else float for c in X}), frame[
        target
    ]


def make_tables():
    """Return the stand-in: small sets, two of them with gaps, categories, strings and bools."""
    return [
        Table("breast_cancer", "binary", make_mixed_classes),
        Table("digits", "multiclass", partial(load_digits, return_X_y=True, as_frame=True)),
        Table("wine", "multiclass", partial(load_wine, return_X_y=True, as_frame=True)),
        Table("iris", "multiclass", partial(load_iris, return_X_y=True, as_frame=True)),
        Table("diabetes", "regression", make_mixed_numbers),
        Table("friedman", "regression", partial(make_friedman, 1000)),
    ]


def make_large_tables():
    """Return made sets with 500,000 rows for training beside those for the test."""
    n_rows = 670_000
    return [
        Table("large_hastie", "binary", partial(make_hastie, n_rows)),
        Table("large_friedman", "regression", partial(make_friedman, n_rows)),
    ]


def make_hastie(n_rows):
    """Return ten normal numbers, and whether their squares sum to more than the median."""
    X, y = make_hastie_10_2(n_rows, random_state=0)
    return pd.DataFrame(X).add_prefix("x"), y


def make_mixed_classes():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    size = pd.qcut(X.pop("mean area"), 5, labels=["tiny", "small", "medium", "large", "huge"])
    texture = np.where(X.pop("worst texture") > 25, "rough", "smooth")
    X = with_gaps(X.assign(size=size, texture=texture))
    return X.assign(concave=X.pop("worst concave points") > 0.1), y


def make_mixed_numbers():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    sex = np.where(X.pop("sex") > 0, "a", "b")
    return with_gaps(X.assign(sex=sex)).assign(old=X["age"] > 0), y


def make_friedman(n_rows):
    X, y = make_friedman1(n_rows, noise=1.0, random_state=0)
    return pd.DataFrame(X).add_prefix("x"), y


def with_gaps(X):
    """Return X without a twentieth of its cells."""
    return X.mask(np.random.default_rng(0).random(X.shape) < 0.05)
