"""What does a busy machine cost? ``python -m tests.benchmarks.load``.

Prints how long fits, predictions and a search take while no, one or two other processes keep the
cores busy: scikit-learn's, ours, and ours in a process whose BLAS has one thread from the start.
Each contender has a process of its own; they take turns, and the median of their runs counts:
what depends on luck is sometimes fast. Options: ``--runs N``, ``--only WORD`` (rows whose name has
the word), ``--busy N [N ...]`` (numbers of busy processes).
"""

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager

import numpy as np

from tests.benchmarks.timing import describe_machine, print_table

ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP")}
CONTENDERS = {
    "scikit-learn": ("sklearn.neural_network", {}),
    "sknn": ("sknn", {}),
    "one thread": ("sknn", ONE_THREAD),
}
ENDLESS = {"tol": 0, "n_iter_no_change": 10**6, "random_state": 0}
PAUSE = 0.2  # seconds after which the threads of BLAS have stopped to spin


def make_data(n_samples, n_features, dtype, n_classes=2):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features)).astype(dtype)
    return X, rng.integers(0, n_classes, n_samples)


def fit(hidden, batch, shape, epochs, dtype, n_classes=2, **numbers):
    """Return a function that takes a module and returns what to time."""

    def make(module):
        X, y = make_data(*shape, dtype, n_classes)
        options = {"batch_size": batch, "max_iter": epochs, **ENDLESS, **numbers}
        network = module.MLPClassifier(hidden, **options)
        return lambda: network.fit(X, y)

    return make


def predict(hidden, shape, dtype):
    def make(module):
        X, y = make_data(*shape, dtype)
        network = module.MLPClassifier(hidden, max_iter=1).fit(X[:1000], y[:1000])
        return lambda: network.predict_proba(X)

    return make


def search(hidden, batch, shape, epochs, dtype):
    def make(module):
        from sklearn.model_selection import GridSearchCV

        X, y = make_data(*shape, dtype)
        network = module.MLPClassifier(hidden, batch_size=batch, max_iter=epochs, **ENDLESS)
        tool = GridSearchCV(network, {"learning_rate_init": np.logspace(-4, -2, 4)})
        if module.__name__ != "sknn":
            return lambda: tool.fit(X, y)

        def run():
            with module.lockstep():
                tool.fit(X, y)

        return run

    return make


CASES = {
    "64-100-10, 200, float32": fit((100,), 200, (1797, 64), 50, "float32", 10),
    "50-256-256-1, 256, float32": fit((256, 256), 256, (12000, 50), 10, "float32"),
    "50-256-256-1, 256, float64": fit((256, 256), 256, (12000, 50), 5, "float64"),
    "784-512-512-10, 256, float32": fit((512, 512), 256, (6000, 784), 3, "float32", 10),
    "lbfgs, 64-100-10, float64": fit((100,), 200, (1797, 64), 100, "float64", 10, solver="lbfgs"),
    "predict_proba, 100,000 rows": predict((100,), (100_000, 20), "float64"),
    "search, 4 rates x 5 folds, 64-64": search((64, 64), 64, (2000, 30), 10, "float32"),
}


def serve(name, module):
    """Run a case once for each line of the standard input, and answer with the seconds."""
    warnings.simplefilter("ignore")
    run = CASES[name](__import__(module, fromlist=["MLPClassifier"]))
    for _ in sys.stdin:
        begin = time.perf_counter()
        run()
        print(time.perf_counter() - begin, flush=True)


def burn():
    while True:
        pass


@contextmanager
def busy(n_processes):
    """Keep so many processes busy meanwhile."""
    processes = [multiprocessing.Process(target=burn, daemon=True) for _ in range(n_processes)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def measure(name, n_runs):
    """Return the median seconds of each contender."""
    servers = {}
    for contender, (module, variables) in CONTENDERS.items():
        command = [sys.executable, "-m", "tests.benchmarks.load", "--serve", name, module]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        servers[contender] = subprocess.Popen(command, env=os.environ | variables, **pipes)
    seconds = {contender: [] for contender in servers}
    for turn in range(n_runs + 1):
        for contender, server in servers.items():
            time.sleep(PAUSE)
            server.stdin.write("run\n")
            server.stdin.flush()
            answer = float(server.stdout.readline())
            if turn:  # the first one warms up
                seconds[contender].append(answer)
    for server in servers.values():
        server.communicate()
    return {contender: statistics.median(values) for contender, values in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--serve", nargs=2)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve)
        return
    print(describe_machine(), end="\n\n")
    rows = []
    for n_busy in options.busy:
        with busy(n_busy):
            for name in CASES:
                if options.only not in name:
                    continue
                time_of = measure(name, options.runs)
                ours = time_of["sknn"]
                rows.append(
                    [
                        name,
                        n_busy,
                        *(f"{seconds:.3f}" for seconds in time_of.values()),
                        f"{time_of['scikit-learn'] / ours:.1f}",
                        f"{ours / time_of['one thread']:.2f}",
                    ]
                )
    header = [
        "what",
        "busy",
        *(f"{name} s" for name in CONTENDERS),
        "times faster",
        "of one thread",
    ]
    print_table(header, rows)


if __name__ == "__main__":
    main()
