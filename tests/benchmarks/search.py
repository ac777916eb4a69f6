"""What does ``with sknn.lockstep():`` gain? ``python -m tests.benchmarks.search``.

Prints the time of whole searches and ensembles: scikit-learn's tool over scikit-learn's
MLPClassifier with one and with two jobs, and over sknn's outside and inside the context, measured
side by side. The second table asks whether the context ever costs time; the third one, whether it
does with another cache, from which the size of the stacks follows; the last one where the time of
the smallest search goes. Options: ``--runs N`` (best of N), ``--only WORD`` (rows whose name has
the word), ``--no-limits`` (the first table alone).
"""

import argparse
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import joblib
import numpy as np
import sklearn.neural_network as reference
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.solvers import grouping
from tests.benchmarks.timing import best_of, describe_machine, print_table

RATES = np.logspace(-4, -1, 8)
EVERYTHING = {"tol": 0, "n_iter_no_change": 10**6, "random_state": 0}


@dataclass
class Case:
    """A tool, its network and data; `target` is the ratio to reach in float32."""

    name: str
    hidden: tuple[int, ...]
    batch: int
    epochs: int
    target: float
    tool: str = "search"
    data: Any = load_breast_cancer

    def make(self, module, dtype, n_jobs=1):
        """Return a function that fits the tool once."""
        X, y = self.data(return_X_y=True)
        X = StandardScaler().fit_transform(X).astype(dtype)
        numbers = {"batch_size": self.batch, "max_iter": self.epochs, **EVERYTHING}
        network = module.MLPClassifier(self.hidden, **numbers)
        if self.tool == "bagging":
            tool = BaggingClassifier(network, 40, random_state=0, n_jobs=n_jobs)
        elif self.tool == "pipeline":
            grid = {"mlpclassifier__learning_rate_init": RATES}
            tool = GridSearchCV(make_pipeline(StandardScaler(), network), grid, n_jobs=n_jobs)
        else:
            tool = GridSearchCV(network, {"learning_rate_init": RATES}, n_jobs=n_jobs)
        return lambda: tool.fit(X, y)


CASES = [
    Case("10 units, batch 32", (10,), 32, 50, 30),
    Case("100 units, batch 32", (100,), 32, 50, 12),
    Case("100 units, batch 200", (100,), 200, 200, 6),
    Case("digits, scaler + 64-64, batch 32", (64, 64), 32, 10, 6, "pipeline", load_digits),
    Case("bagging of 40, 10 units", (10,), 32, 50, 15, "bagging"),
    Case("12 units, batch 32", (12,), 32, 50, 20),
    Case("90 units, batch 32", (90,), 32, 50, 12),
    Case("digits, scaler + 48-48, batch 32", (48, 48), 32, 10, 7, "pipeline", load_digits),
]

CACHED = ["100 units, batch 200", *(case.name for case in CASES[-3:])]
"""Searches that are timed with other caches, too."""

CACHES = {"as it is": None, "4 MB": 4 * 2**20, "16 MB": 16 * 2**20, "64 MB": 64 * 2**20}


def in_lockstep(run):
    """Return a function that does the same in the context."""

    def run_in_context():
        with sknn.lockstep():
            run()

    return run_in_context


def compare(case, dtype, n_runs):
    """Return a row of the first table."""
    ours = case.make(sknn, dtype, n_jobs=None)
    best = best_of(
        {
            "one job": case.make(reference, dtype),
            "two jobs": case.make(reference, dtype, n_jobs=2),
            "outside": ours,
            "inside": in_lockstep(ours),
        },
        n_runs,
        seconds=0,
    )
    ratio = best["one job"] / best["inside"]
    return [
        f"{case.name}, {dtype}",
        *(f"{best[name]:.2f}" for name in ("one job", "two jobs", "outside")),
        f"{best['inside']:.3f}",
        f"{ratio:.1f}",
        f"{case.target:g}" if dtype == "float32" else "",
        f"{best['two jobs'] / best['inside']:.1f}",
    ]


@dataclass
class Limit:
    """A use of the context that gains little; it must not lose, either."""

    name: str
    estimator: Any
    n_tasks: int
    shape: tuple[int, int] = (600, 30)
    fits: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def make(self):
        """Return a function that runs all tasks once."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal(self.shape).astype("float32")
        y = (X[:, 0] > 0).astype(int)
        if self.fits:
            return lambda: cross_validate(self.estimator, X, y, cv=self.n_tasks)
        fitted = clone(self.estimator).fit(X, y)
        calls = [joblib.delayed(fitted.predict)(X)] * self.n_tasks
        return lambda: joblib.Parallel()(calls)


def network(*hidden, batch=200, epochs=5, **parameters):
    """Return a classifier that trains for so many epochs."""
    numbers = {"batch_size": batch, "max_iter": epochs, **EVERYTHING, **parameters}
    return sknn.MLPClassifier(hidden, **numbers)


LIMITS = [
    Limit("512-512, 3,000 x 300", network(512, 512, epochs=3), 4, (3000, 300)),
    Limit("256-256, 3,000 x 50", network(256, 256), 5, (3000, 50)),
    Limit("256-256, batch 32", network(256, 256, batch=32), 5, (3000, 50)),
    Limit("50,000 rows, 20 units", network(20, epochs=2), 3, (50_000, 20)),
    Limit("a stack of two, 10 units", network(10, batch=32, epochs=20), 2),
    Limit("early stopping", network(10, batch=32, epochs=50, early_stopping=True), 10),
    Limit("lbfgs", network(10, solver="lbfgs", epochs=50), 20),
    Limit("no network", LogisticRegression(), 50),
    Limit("predictions only", network(100), 100, fits=False),
]


def check(limit, n_runs):
    """Return a row of the second table."""
    outside = limit.make()
    best = best_of({"outside": outside, "inside": in_lockstep(outside)}, n_runs)
    excess = 1e3 * (best["inside"] - 1.05 * best["outside"]) / limit.n_tasks
    return [
        limit.name,
        limit.n_tasks,
        f"{1e3 * best['outside']:.1f}",
        f"{1e3 * best['inside']:.1f}",
        f"{best['outside'] / best['inside']:.2f}",
        f"{max(0, excess):.2f}",
    ]


@contextmanager
def cache_of(n_bytes):
    """Let the machine have another cache; None leaves it."""
    read = grouping.cache_bytes
    if n_bytes is not None:
        grouping.cache_bytes = lambda: n_bytes
    try:
        yield
    finally:
        grouping.cache_bytes = read


def try_caches(case, dtype, n_runs):
    """Return a row of the third table: seconds outside, and inside for each cache."""
    outside = case.make(sknn, dtype, n_jobs=None)

    def inside(n_bytes):
        def run():
            with cache_of(n_bytes):
                in_lockstep(outside)()

        return run

    contenders = {"outside": outside, **{name: inside(size) for name, size in CACHES.items()}}
    best = best_of(contenders, n_runs, seconds=0)
    gain = best["outside"] / max(best[name] for name in CACHES)
    return [f"{case.name}, {dtype}", *(f"{t:.2f}" for t in best.values()), f"{gain:.2f}"]


def explain(case, n_runs):
    """Return the rows of the third table: what the parts of a search in lockstep take."""
    X, y = case.data(return_X_y=True)
    empty = GridSearchCV(DummyClassifier(), {"random_state": list(range(len(RATES)))})
    epoch = replace(case, epochs=1)
    X_refit = StandardScaler().fit_transform(X).astype("float32")
    numbers = {"batch_size": case.batch, "max_iter": case.epochs, **EVERYTHING}
    refit = sknn.MLPClassifier(case.hidden, **numbers)
    best = best_of(
        {
            "all": in_lockstep(case.make(sknn, "float32", n_jobs=None)),
            "an epoch": in_lockstep(epoch.make(sknn, "float32", n_jobs=None)),
            "empty": lambda: empty.fit(X, y),
            "empty inside": in_lockstep(lambda: empty.fit(X, y)),
            "refit": lambda: refit.fit(X_refit, y),
        },
        n_runs,
    )
    rest = best["all"] - best["an epoch"] - best["refit"]
    parts = {
        "scikit-learn's search over DummyClassifier": best["empty"],
        "handing over": best["empty inside"] - best["empty"],
        "clone, validate, encode, initialise, score; one epoch": best["an epoch"]
        - best["empty inside"],
        "all other epochs of the stack": rest,
        "the final fit on all rows": best["refit"],
        "all": best["all"],
    }
    return [[name, f"{1e3 * seconds:.0f}"] for name, seconds in parts.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-limits", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe_machine(), end="\n\n")
    cases = [case for case in CASES if options.only in case.name]
    rows = [compare(c, dtype, options.runs) for c in cases for dtype in ("float32", "float64")]
    header = ["search", "1 job s", "2 jobs s", "outside s", "inside s", "ratio", "target"]
    print_table([*header, "to 2 jobs"], rows)
    if not options.no_limits:
        print()
        rows = [check(limit, options.runs) for limit in LIMITS if options.only in limit.name]
        header = ["tasks", "number", "outside ms", "inside ms", "gain", "over 5 %, ms a task"]
        print_table(header, rows)
        print()
        cached = [case for case in cases if case.name in CACHED]
        rows = [try_caches(c, t, options.runs) for c in cached for t in ("float32", "float64")]
        caches = [f"inside, cache {name}" for name in CACHES]
        print_table(["seconds", "outside", *caches, "least gain"], rows)
        print()
        print_table([f"{CASES[0].name}, float32", "ms"], explain(CASES[0], options.runs))


if __name__ == "__main__":
    main()
