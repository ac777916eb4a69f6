"""Odd and even tables, targets and weights by name, for random uses of the estimators."""

import tempfile

import numpy as np
import pandas as pd
import scipy.sparse as sp


def make_X(seed, shape, values="normal", form="array"):
    """Return a table of some shape.

    Parameters
    ----------
    seed : int
    shape : tuple of int
    values : str
        One of `VALUES` or `BAD_VALUES`.
    form : str
        One of `FORMS` or `BAD_FORMS`.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(shape)
    column, row = rng.integers(shape[1]), rng.integers(shape[0])
    match values:
        case "constant column":
            X[:, column] = 3.7
        case "constant":
            X[:] = 0.5
        case "zeros":
            X[:] = 0.0
        case "repeated":
            X[:] = X[rng.integers(shape[0], size=shape[0])]
        case "codes":
            X = np.floor(2 * X)
        case "far":
            X = 1e8 + X
        case "tiny":
            X *= 1e-300
        case "huge":
            X *= 1e300
        case "large":
            X *= 1e150
        case "unlike":
            X *= 10.0 ** rng.integers(-300, 300, shape[1])
        case "one huge":
            X[row, column] = 1e300
        case "NaN":
            X[row, column] = np.nan
        case "inf":
            X[row, column] = -np.inf
    with np.errstate(all="ignore"):
        return FORM[form](X)


VALUES = (
    *("normal", "constant column", "constant", "zeros", "repeated", "codes", "far"),
    *("tiny", "huge", "large", "unlike", "one huge"),
)
BAD_VALUES = ("NaN", "inf")


def _on_disk(X):
    with tempfile.TemporaryFile() as file:
        on_disk = np.memmap(file, X.dtype, "w+", shape=X.shape)
    on_disk[:] = X
    return on_disk


def _read_only(X):
    X.flags.writeable = False
    return X


def _words(X):
    """Return a frame of numbers, words, categories and dates."""
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    codes = np.nan_to_num(np.sign(X[:, 0])).astype(int)
    frame["word"] = np.array(["a", "b", "ä"], dtype=object)[codes]
    frame["kind"] = pd.Categorical(codes + 5)
    frame["day"] = pd.Timestamp("2020-02-29") + pd.to_timedelta(31 * codes, unit="h")
    frame["sure"] = codes > 0
    return frame


def _polars(X):
    try:
        import polars
    except ImportError:
        return X
    return polars.DataFrame(X, schema=[f"x{j}" for j in range(X.shape[1])])


def _whole(dtype):
    # What is too large for an int becomes what the processor makes of it: any number will do.
    return lambda X: np.clip(np.nan_to_num(10 * X), -100, 100).astype(dtype)


FORM = {
    "array": lambda X: X,
    "float32": lambda X: np.clip(X, -1e30, 1e30).astype(np.float32),
    "large float32": lambda X: np.clip(X, -3e38, 3e38).astype(np.float32),
    "float16": lambda X: np.clip(X, -6e4, 6e4).astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big endian": lambda X: X.astype(">f8"),
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: np.ascontiguousarray(X[::-1])[::-1],
    "read-only": _read_only,
    "ints": _whole(np.int64),
    "int8": _whole(np.int8),
    "uint64": lambda X: np.abs(_whole(np.int64)(X)).astype(np.uint64) + 2**63,
    "bools": lambda X: X > 0,
    "objects": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "CSR": sp.csr_matrix,
    "CSC": sp.csc_matrix,
    "COO": sp.coo_matrix,
    "sparse array": sp.csr_array,
    "sparse float32": lambda X: sp.csr_array(np.clip(X, -1e30, 1e30).astype(np.float32)),
    "sparse ints": lambda X: sp.csc_array(_whole(np.int64)(X)),
    "on disk": _on_disk,
    "frame": lambda X: pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])]),
    "numbered frame": pd.DataFrame,
    "polars": _polars,
    "masked": lambda X: np.ma.masked_array(X, X > 1),
    "words": _words,
    "strings": lambda X: X.astype(str),
    "complex": lambda X: X + 1j,
    "flat": lambda X: X[:, 0],
    "cube": lambda X: X[..., np.newaxis],
    "empty": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "number": lambda X: 3.0,
    "ragged": lambda X: [[1.0], *X.tolist()],
}
BAD_FORMS = (
    *("words", "strings", "complex", "flat", "cube", "empty", "no columns", "number", "ragged"),
)
FORMS = tuple(form for form in FORM if form not in BAD_FORMS)


def make_y(seed, n, kind):
    """Return n targets of a kind; see `CLASSES` and `NUMBERS`."""
    rng = np.random.default_rng(seed)
    return TARGETS[kind](rng, n)


def _soft(rng, n):
    shares = rng.random((n, 3)) + 1e-3
    return shares / shares.sum(axis=1, keepdims=True)


CLASSES = {
    "binary": lambda rng, n: rng.integers(2, size=n),
    "three": lambda rng, n: rng.integers(3, size=n),
    "words": lambda rng, n: np.array(["", "no", "yes"])[rng.integers(3, size=n)],
    "word objects": lambda rng, n: np.array(["no", "yes"], dtype=object)[rng.integers(2, size=n)],
    "Series": lambda rng, n: pd.Series(["no", "yes"])[rng.integers(2, size=n)],
    "categories": lambda rng, n: pd.Series(rng.integers(3, size=n), dtype="category"),
    "bools": lambda rng, n: rng.random(n) > 0.5,
    "whole floats": lambda rng, n: rng.integers(-1, 2, size=n).astype(float),
    "uint64": lambda rng, n: rng.integers(3, size=n).astype(np.uint64) + 2**63,
    "one class": lambda rng, n: np.full(n, 7),
    "rare": lambda rng, n: (np.arange(n) == 0).astype(int),
    "many": lambda rng, n: np.arange(n),
    "list": lambda rng, n: rng.integers(3, size=n).tolist(),
    "column": lambda rng, n: rng.integers(2, size=(n, 1)),
    "labels": lambda rng, n: rng.integers(2, size=(n, 3)),
    "no labels": lambda rng, n: np.zeros((n, 2), int),
    "float labels": lambda rng, n: rng.integers(2, size=(n, 3)).astype(np.float32),
    "sparse labels": lambda rng, n: sp.csr_matrix(rng.integers(2, size=(n, 3))),
    "sparse array": lambda rng, n: sp.csc_array(rng.integers(2, size=(n, 3))),
    "soft": _soft,
    "soft float32": lambda rng, n: _soft(rng, n).astype(np.float32),
    "hard": lambda rng, n: np.eye(3)[rng.integers(3, size=n)],
    "several": lambda rng, n: rng.integers(3, size=(n, 2)),
    "several words": lambda rng, n: np.array(["a", "b", "c"])[rng.integers(3, size=(n, 2))],
    "several objects": lambda rng, n: rng.integers(3, size=(n, 2)).astype(object),
    "huge classes": lambda rng, n: np.array([-1e300, 1e300])[rng.integers(2, size=n)],
    "tiny classes": lambda rng, n: np.array([0, 1e-300])[rng.integers(2, size=n)],
}
NUMBERS = {
    "number": lambda rng, n: rng.standard_normal(n),
    "numbers": lambda rng, n: rng.standard_normal((n, 2)),
    "float32": lambda rng, n: rng.standard_normal(n).astype(np.float32),
    "float16": lambda rng, n: rng.standard_normal(n).astype(np.float16),
    "counts": lambda rng, n: rng.poisson(2, n),
    "positive": lambda rng, n: rng.random(n) + 1e-3,
    "two positive": lambda rng, n: rng.random((n, 2)) + 1e-3,
    "constant": lambda rng, n: np.full(n, 2.5),
    "zero": lambda rng, n: np.zeros(n),
    "far": lambda rng, n: 1e8 + rng.standard_normal(n),
    "huge": lambda rng, n: 1e300 * rng.standard_normal(n),
    "large": lambda rng, n: 1e150 * rng.random(n),
    "tiny": lambda rng, n: 1e-300 * (0.1 + rng.random(n)),
    "one huge": lambda rng, n: np.where(np.arange(n) == n - 1, 1e300, rng.random(n)),
    "column": lambda rng, n: rng.standard_normal((n, 1)),
    "list": lambda rng, n: rng.standard_normal(n).tolist(),
    "frame": lambda rng, n: pd.DataFrame(rng.standard_normal((n, 2)), columns=["a", "b"]),
    "objects": lambda rng, n: rng.standard_normal(n).astype(object),
    "bools": lambda rng, n: rng.random(n) > 0.5,
}
BAD_TARGETS = {
    "NaN": lambda rng, n: np.where(np.arange(n) == 0, np.nan, 1.0),
    "inf": lambda rng, n: np.where(np.arange(n) == 0, np.inf, 1.0),
    "None": lambda rng, n: None,
    "short": lambda rng, n: rng.integers(2, size=n + 1),
    "cube": lambda rng, n: np.zeros((n, 2, 2)),
    "mixed": lambda rng, n: np.array([["a", 1][k % 2] for k in range(n)], dtype=object),
    "numbers as words": lambda rng, n: rng.standard_normal(n).astype(str),
    "complex": lambda rng, n: rng.standard_normal(n) + 1j,
    "nothing": lambda rng, n: np.zeros((n, 0)),
    "sums of 2": lambda rng, n: 2 * _soft(rng, n),
    "word": lambda rng, n: "yes",
}
TARGETS = CLASSES | NUMBERS | BAD_TARGETS


def make_weight(seed, n, kind):
    """Return n weights of a kind; see `WEIGHTS`."""
    return WEIGHT[kind](np.random.default_rng(seed), n)


WEIGHT = {
    "random": lambda rng, n: rng.random(n),
    "float32": lambda rng, n: rng.random(n).astype(np.float32),
    "ints": lambda rng, n: rng.integers(1, 4, n),
    "list": lambda rng, n: rng.random(n).tolist(),
    "some zero": lambda rng, n: rng.integers(2, size=n).astype(float),
    "one": lambda rng, n: (np.arange(n) == 0).astype(float),
    "tiny": lambda rng, n: np.full(n, 1e-300),
    "subnormal": lambda rng, n: np.full(n, 5e-324),
    "huge": lambda rng, n: np.full(n, 1e300),
    "large": lambda rng, n: np.full(n, 1e150),
    "unlike": lambda rng, n: 10.0 ** rng.integers(-300, 300, n),
    "tiny float32": lambda rng, n: np.full(n, 1e-44, np.float32),
    "number": lambda rng, n: 2,
    "all zero": lambda rng, n: np.zeros(n),
    "negative": lambda rng, n: -rng.random(n),
    "NaN": lambda rng, n: np.full(n, np.nan),
    "inf": lambda rng, n: np.full(n, np.inf),
    "short": lambda rng, n: np.ones(n + 1),
    "matrix": lambda rng, n: np.ones((n, 2)),
    "words": lambda rng, n: np.full(n, "a"),
    "minus one": lambda rng, n: -1.0,
}
BAD_WEIGHTS = (*("all zero", "negative", "NaN", "inf", "short", "matrix", "words", "minus one"),)
WEIGHTS = tuple(kind for kind in WEIGHT if kind not in BAD_WEIGHTS)


def classes_of(y):
    """Return all classes of targets, as partial_fit wants them."""
    y = y.toarray() if sp.issparse(y) else np.asarray(y)
    if y.dtype == object and len(set(map(type, y.flat))) > 1:
        return ["a", 1]
    if y.ndim == 2 and set(np.unique(y)) <= {0, 1}:
        return np.arange(y.shape[1])
    return np.unique(y) if y.ndim < 2 else [np.unique(column) for column in y.T]
