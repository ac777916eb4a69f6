"""A table in three Parquet files, in memory and as rows of these, and ensembles that learn it."""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sknn import streamed
from sknn.data import from_parquet
from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor

N_ROWS = 9000
TINY = {
    "preset": "fast",
    "cv": 2,
    "max_iter": 2,
    "n_bins": 6,
    "hidden_layer_sizes": (16,),
    "random_state": 0,
}
FEATURES = ["x0", "x1", "count", "city", "kind", "day", "flag"]
SIZE = 8 * N_ROWS * len(FEATURES)
LARGE = SIZE // 2
"""So much memory is too little."""

_FOLDER = tempfile.TemporaryDirectory()


@cache
def frame():
    """Return the table, with targets and weights; the last class is in the last file only."""
    rng = np.random.default_rng(0)
    city, kind = rng.integers(0, 40, N_ROWS), rng.integers(0, 3, N_ROWS)
    table = pd.DataFrame(
        {
            "x0": rng.standard_normal(N_ROWS),
            "x1": rng.standard_normal(N_ROWS),
            "count": rng.integers(0, 50, N_ROWS),
            "city": np.array([f"city {k}" for k in range(40)], object)[city],
            "kind": pd.Categorical(np.array(["a", "b", "c"], object)[kind]),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(N_ROWS) % 400, unit="D"),
            "flag": rng.random(N_ROWS) < 0.5,
        }
    )
    effect = 2 * np.sin(7 * np.arange(40))
    value = table.x0 + effect[city] + kind + 0.3 * rng.standard_normal(N_ROWS)
    label = np.array(["no", "yes"], object)[(value > 1).astype(int)]
    label[-2000:][value[-2000:] > 2] = "late"
    # Multiples of 1/64, which are the same numbers in single precision.
    table["value"], table["label"] = np.round(value * 64) / 64, label
    table["weight"] = rng.integers(1, 5, N_ROWS) / 4
    return table


@cache
def folder():
    """Return where the files are; each has gaps of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(_FOLDER.name)
    for k, rows in enumerate(np.array_split(np.arange(N_ROWS), 3)):
        part = frame().iloc[rows]
        if k == 0:  # ints with gaps
            part = part.assign(count=part["count"].astype("Int64").mask(part.x0 > 1.5))
        if k == 1:  # bools with gaps, shorter ints, and texts that are nothing but gaps
            flag = part.flag.astype("boolean").mask(part.x1 > 1)
            part = part.assign(flag=flag, count=part["count"].astype("int16"), city=None)
        table = pa.Table.from_pandas(part, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, path / f"{k}.parquet", row_group_size=2000)
    return path


def read():
    """Return all files as pandas reads them."""
    return pd.read_parquet(folder())


def rows(target="label", memory=LARGE, **options):
    """Return the rows of the files."""
    return from_parquet(folder(), FEATURES, target, memory=memory, **options)


def make(target="label", **parameters):
    """Return an ensemble for a target."""
    kind = TabularMLPRegressor if target == "value" else TabularMLPClassifier
    return kind(**(TINY | parameters))


def learn(model, *data, **options):
    """Fit an ensemble; little memory has room for a few large blocks, but not for many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "BLOCKS_PER_WINDOW", 4)
        return model.fit(*data, **options)


@cache
def fit_large(target="label"):
    """Return an ensemble that has learnt the files; nobody changes it."""
    return learn(make(target), rows(target))


@cache
def fit_in_memory(target="label"):
    """Return one that has learnt the same as a DataFrame."""
    table = read()
    return make(target).fit(table[FEATURES], table[target])


def left_over(path):
    """Return the temporary files in a folder."""
    return [name for name in os.listdir(path) if name.endswith(".rows")]
