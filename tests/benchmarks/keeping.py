"""What does it cost to keep a training in a file? ``python -m tests.benchmarks.keeping``.

Fits of about a minute are made with a checkpoint at its default of 30 seconds; the time in the
fingerprint, in snapshots and in writing is added up, as a share of the fit. Files of models are
written and read, too. Option: ``--seconds S``, how long a fit is to take.
"""

import argparse
import functools
import os
import pickle
import tempfile
import time
import warnings

import numpy as np

import sknn
from sknn.training.checkpoint import Checkpoint
from tests.benchmarks.timing import describe_machine, print_table

NETWORKS = {
    "64-100-10, 1,797 rows": ((1797, 64), (100,)),
    "100-512-512-10, 20,000 rows": ((20_000, 100), (512, 512)),
    "784-1000-10, 60,000 rows, float32": ((60_000, 784), (1000,)),
}
TIMED = ("__init__", "keep", "finish", "write")


class Stopwatch:
    """Adds up what the methods of a class take; what one calls of another counts once."""

    def __init__(self, cls, names):
        self.seconds, self._depth = 0.0, 0
        self._cls, self._originals = cls, {name: getattr(cls, name) for name in names}

    def __enter__(self):
        for name, function in self._originals.items():
            setattr(self._cls, name, self._timed(function))
        return self

    def __exit__(self, *_):
        for name, function in self._originals.items():
            setattr(self._cls, name, function)

    def _timed(self, function):
        @functools.wraps(function)
        def run(*args, **kwargs):
            self._depth += 1
            begin = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begin

        return run


def make_data(shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal(shape)
    return X.astype(np.float32) if shape[1] > 500 else X, rng.integers(0, 10, shape[0])


def measure(name, seconds, folder):
    shape, hidden = NETWORKS[name]
    X, y = make_data(shape)
    options = {"random_state": 0, "tol": 0, "n_iter_no_change": 10**6}
    one = sknn.MLPClassifier(hidden, max_iter=2, **options).fit(X, y)
    per_epoch = one.history_["seconds"].iloc[-1]
    path = os.path.join(folder, "fit.sknn")
    net = sknn.MLPClassifier(hidden, max_iter=max(2, int(seconds / per_epoch)), **options)
    net.set_params(checkpoint=path)
    with Stopwatch(Checkpoint, TIMED) as watch:
        begin = time.perf_counter()
        net.fit(X, y)
        whole = time.perf_counter() - begin
    begin = time.perf_counter()
    sknn.save(net, os.path.join(folder, "net.sknn"))
    saved = time.perf_counter() - begin
    begin = time.perf_counter()
    sknn.load(os.path.join(folder, "net.sknn"))
    loaded = time.perf_counter() - begin
    megabytes = os.path.getsize(os.path.join(folder, "net.sknn")) / 1e6
    weights = sum(array.nbytes for array in (*net.coefs_, *net.intercepts_))
    os.remove(path)
    return (
        name,
        f"{whole:.0f}",
        f"{100 * watch.seconds / whole:.2f}",
        f"{megabytes:.1f}",
        f"{1000 * saved:.0f}",
        f"{1000 * loaded:.0f}",
        f"{len(pickle.dumps(net)) / weights:.2f}",
        f"{len(pickle.dumps(net.trim())) / weights:.2f}",
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    warnings.simplefilter("ignore")
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, seconds, folder) for name in NETWORKS]
    header = (
        "network", "fit, s", "checkpoint, % of it", "file, MB", "save, ms", "load, ms",
        "pickle / weights", "trimmed",
    )  # fmt: skip
    print_table(header, rows)


if __name__ == "__main__":
    main()
