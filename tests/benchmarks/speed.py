"""How fast is training, and predicting? ``python -m tests.benchmarks.speed``.

Prints the ratio of scikit-learn's time to sknn's, measured side by side in one process, and where
PyTorch, JAX or Keras are installed their ratios, too. The GEMM floor is the time of a step's
matrix products alone. A second table has the cost of dropout, batch normalisation and AdamW, and
the same networks in PyTorch's eager mode; ``--only features`` prints it alone. Options:
``--runs N`` (best of N), ``--only WORD`` (cases whose name has the word), ``--epochs N``,
``--no-peers``.
"""

import argparse
import importlib.util
import itertools
import warnings
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import sklearn.neural_network as reference

import sknn
from tests.benchmarks.peers import find_peers, make_torch
from tests.benchmarks.timing import best_of, describe_machine, print_table


@dataclass
class Case:
    """A network, its batches and data; `target` is the ratio to reach."""

    n_features: int
    hidden: tuple[int, ...]
    n_outputs: int
    batch: int
    n_samples: int
    epochs: int
    dtype: str
    target: float
    density: float = 1.0

    def __str__(self):
        sizes = "-".join(map(str, (self.n_features, *self.hidden, self.n_outputs)))
        kind = "" if self.density == 1 else f" CSR {self.density:.1%}"
        return f"{sizes}{kind}, {self.batch}, {self.dtype}"

    @property
    def n_steps(self):
        return self.epochs * -(-self.n_samples // self.batch)


CASES = [
    Case(8, (10,), 1, 32, 1000, 50, "float64", 7),
    Case(20, (64, 64), 1, 32, 8000, 5, "float64", 3.5),
    Case(20, (64, 64), 1, 32, 8000, 5, "float32", 5),
    Case(64, (100,), 10, 200, 1797, 50, "float64", 2),
    Case(64, (100,), 10, 200, 1797, 50, "float32", 3),
    Case(50, (256, 256), 1, 256, 12000, 10, "float64", 1.5),
    Case(50, (256, 256), 1, 256, 12000, 10, "float32", 1.9),
    Case(784, (512, 512), 10, 256, 15000, 3, "float32", 1.5),
    Case(20000, (100,), 1, 200, 20000, 2, "float64", 1.5, density=0.002),
    Case(20000, (100,), 1, 200, 20000, 2, "float32", 2.5, density=0.002),
]


def make_data(case):
    """Return X and y of the case's shape."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, max(2, case.n_outputs), case.n_samples)
    if case.density < 1:
        shape = (case.n_samples, case.n_features)
        return sp.random(*shape, case.density, "csr", case.dtype, rng), y
    return rng.standard_normal((case.n_samples, case.n_features)).astype(case.dtype), y


def make_fit(module, case, X, y, **features):
    """Return a function that fits the module's MLPClassifier once."""
    numbers = {"max_iter": case.epochs, "tol": 0, "n_iter_no_change": 10**6, "random_state": 0}
    numbers |= features
    model = module.MLPClassifier(hidden_layer_sizes=case.hidden, batch_size=case.batch, **numbers)
    return lambda: model.fit(X, y)


def make_floor(case, X):
    """Return a function that computes the matrix products of the steps, and nothing else."""
    sizes, n = [case.n_features, *case.hidden, case.n_outputs], case.batch
    layers = [np.ones(shape, case.dtype) for shape in itertools.pairwise(sizes)]
    outs = [np.ones((n, size), case.dtype) for size in sizes]
    grads = [np.empty_like(layer) for layer in layers]
    x = np.ascontiguousarray(X[:n])

    def run():
        for _ in range(case.n_steps):
            for i, coef in enumerate(layers):
                np.dot(x if i == 0 else outs[i], coef, outs[i + 1])
            for i in reversed(range(len(layers))):
                np.dot((x if i == 0 else outs[i]).T, outs[i + 1], grads[i])
                if i:
                    np.dot(outs[i + 1], layers[i].T, outs[i])

    return run


def measure_fits(cases, n_runs, peers):
    """Print the table of whole fits."""
    names = list(peers)
    rows = []
    for case in cases:
        X, y = make_data(case)
        contenders = {m.__name__: make_fit(m, case, X, y) for m in (reference, sknn)}
        if case.density == 1:
            contenders["floor"] = make_floor(case, X)
            contenders |= {name: peers[name](case, X, y) for name in names}
        best = best_of(contenders, n_runs)
        ours = best["sknn"]
        step = 1e6 / case.n_steps
        ratio = best["sklearn.neural_network"] / ours
        rows.append(
            [case, f"{best['sklearn.neural_network'] * step:.0f}", f"{ours * step:.1f}"]
            + [f"{ratio:.2f}", case.target]
            + [f"{ours / best['floor']:.2f}" if "floor" in best else ""]
            + [f"{best[name] / ours:.2f}" if name in best else "" for name in names]
        )
        print(" ", case, f"{ratio:.2f}", flush=True)
    header = ["network, batch, dtype", "scikit-learn us", "sknn us", "ratio", "target"]
    print_table([*header, "sknn / floor", *names], rows)


FEATURES = {
    "plain": {},
    "dropout": {"dropout": 0.2},
    "batch norm": {"normalization": "batch"},
    "AdamW": {"solver": "adamw"},
    "all three": {"dropout": 0.2, "normalization": "batch", "solver": "adamw"},
}

FEATURE_CASES = [
    Case(20, (64, 64), 1, 32, 8000, 5, "float64", 5),
    Case(20, (64, 64), 1, 32, 8000, 5, "float32", 5),
    Case(50, (256, 256), 1, 256, 12000, 10, "float64", 1),
    Case(50, (256, 256), 1, 256, 12000, 10, "float32", 1),
]


def measure_features(cases, n_runs):
    """Print the table of steps with features on, against the plain step and PyTorch's."""
    has_torch = importlib.util.find_spec("torch") is not None
    rows = []
    for case in cases:
        X, y = make_data(case)
        contenders = {}
        for name, features in FEATURES.items():
            contenders[name] = make_fit(sknn, case, X, y, **features)
            if has_torch:
                contenders[f"torch {name}"] = make_torch(case, X, y, **features)
        best = best_of(contenders, n_runs)
        for name in FEATURES:
            step = best[name] / case.n_steps * 1e6
            ratio = f"{best[name] / best['plain']:.2f}"
            peer = f"{best[f'torch {name}'] / best[name]:.2f}" if has_torch else ""
            rows.append([case, name, f"{step:.1f}", ratio, peer, case.target])
        print(" ", *rows[-1], flush=True)
    header = ["network, batch, dtype", "feature", "sknn us", "of plain", "torch / sknn", "target"]
    print_table(header, rows)


def measure_predictions(n_runs):
    """Print the table of predictions by a 20-100-1 classifier."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 20))
    y = X[:, 0] > 0
    models = {
        m.__name__: m.MLPClassifier(max_iter=2, random_state=0).fit(X[:1000], y[:1000])
        for m in (reference, sknn)
    }
    rows = []
    for n_samples, n_calls, target in ((1, 500, 6), (100_000, 1, 1.8)):
        for method in ("predict", "predict_proba"):
            part = X[:n_samples]
            calls = {name: getattr(model, method) for name, model in models.items()}
            contenders = {
                name: lambda call=call, part=part, n=n_calls: [call(part) for _ in range(n)]
                for name, call in calls.items()
            }
            best = best_of(contenders, 4 * n_runs)
            theirs, ours = (best[m.__name__] / n_calls * 1e6 for m in (reference, sknn))
            name = f"{method}, {n_samples:,} rows"
            rows.append([name, f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.2f}", target])
    print_table(["call", "scikit-learn us", "sknn us", "ratio", "target"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--only", default="")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe_machine())
    cases = [case for case in CASES if options.only in str(case)]
    if options.epochs:
        cases = [replace(case, epochs=options.epochs) for case in cases]
    if cases:
        measure_fits(cases, options.runs, {} if options.no_peers else find_peers())
    features = [case for case in FEATURE_CASES if options.only in f"features {case}"]
    if options.epochs:
        features = [replace(case, epochs=options.epochs) for case in features]
    if features:
        measure_features(features, options.runs)
    if options.only in "predict":
        measure_predictions(options.runs)


if __name__ == "__main__":
    main()
