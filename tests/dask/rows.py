"""Some rows, in memory and as collections of Dask's, and estimators for them."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd

from sknn import MLPClassifier, MLPRegressor
from sknn.dask import DaskMLPClassifier, DaskMLPRegressor

N_ROWS = 60

RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 3))
NUMBERS = X @ [1.0, 2.0, -1.0] + 1
CODES = np.digitize(NUMBERS, [0, 2])
SIGNS = (NUMBERS > 1).astype(int)
LABELS = (X > 0).astype(int)
SHARES = RNG.dirichlet(np.ones(3), N_ROWS)
WEIGHT = RNG.uniform(0.1, 2, N_ROWS)

FRAME = pd.DataFrame(X, columns=list("abc")).assign(
    number=NUMBERS, code=CODES, text=np.array(["no", "maybe", "certainly"])[CODES]
)
NAMES = list("abc")


def lazy(array, chunks=20):
    """Return an array as one of Dask's, cut along its rows."""
    array = np.asarray(array)
    return da.from_array(array, chunks=(chunks, *array.shape[1:]))


def lazy_frame(frame=FRAME, npartitions=3):
    """Return a DataFrame as one of Dask's."""
    return dd.from_pandas(frame, npartitions=npartitions)


def parts(*frames):
    """Return a Dask DataFrame with these partitions, which may be empty."""
    return dd.concat([dd.from_pandas(frame, npartitions=1, sort=False) for frame in frames])


SETTINGS = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "tol": 0}


def classifier(**parameters):
    return DaskMLPClassifier(**{**SETTINGS, "n_shards": 3, **parameters})


def regressor(**parameters):
    return DaskMLPRegressor(**{**SETTINGS, "n_shards": 3, **parameters})


def pair(are_numbers, n_shards=3, **parameters):
    """Return an estimator that makes each step on all shards together, and a plain one."""
    own, plain = (
        (DaskMLPRegressor, MLPRegressor) if are_numbers else (DaskMLPClassifier, MLPClassifier)
    )
    settings = {**SETTINGS, "max_iter": 20, "shuffle": False, "batch_size": N_ROWS, **parameters}
    return own(n_shards=n_shards, sync_every=1, **settings), plain(**settings)


def assert_same_network(one, other, rtol=0.0):
    """Compare all parameters: by default to the bit."""
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            if rtol:
                np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())
            else:
                np.testing.assert_array_equal(a, b)
