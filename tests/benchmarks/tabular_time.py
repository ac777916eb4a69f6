"""What the presets for tables cost: ``python -m tests.benchmarks.tabular_time [--rows N]``.

Made tables of 20 columns of numbers: seconds of a fit, of a prediction of 100,000 rows, and the
most memory that a fit takes at once, in sizes of its encoded rows (float32, those of all kinds).
"""

import argparse
import time
import tracemalloc

import numpy as np
from sklearn.datasets import make_classification, make_regression

import sknn
from tests.benchmarks.timing import describe_machine, print_table

N_COLUMNS = 20
N_PREDICTED = 100_000


def make_data(is_regression, n_rows):
    n = n_rows + N_PREDICTED
    if is_regression:
        X, y = make_regression(n, N_COLUMNS, noise=10, random_state=0)
        y = y + 50 * np.sin(X[:, 0] * 2) * X[:, 1]
    else:
        X, y = make_classification(n, N_COLUMNS, n_informative=10, flip_y=0.1, random_state=0)
    return X[:n_rows], y[:n_rows], X[n_rows:]


def measure(preset, is_regression, n_rows, measures_memory):
    kind = sknn.TabularMLPRegressor if is_regression else sknn.TabularMLPClassifier
    X, y, new = make_data(is_regression, n_rows)
    model = kind(preset, random_state=0)
    begin = time.perf_counter()
    model.fit(X, y)
    fit = time.perf_counter() - begin
    begin = time.perf_counter()
    model.predict(new)
    predict = time.perf_counter() - begin
    memory = "-"
    if measures_memory:  # which takes several times as long
        encoded = sum(4 * n_rows * m.encoder.n_features_out_ for m in model.members_)
        tracemalloc.start()
        kind(preset, random_state=0, max_iter=1).fit(X, y)
        memory = f"{tracemalloc.get_traced_memory()[1] / encoded:.1f}"
        tracemalloc.stop()
    return fit, predict, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--presets", default="fast,default,best")
    parser.add_argument("--memory", action="store_true", help="measure the memory, too")
    arguments = parser.parse_args()
    print(describe_machine())
    rows = []
    for preset in arguments.presets.split(","):
        for is_regression in (False, True):
            fit, predict, memory = measure(preset, is_regression, arguments.rows, arguments.memory)
            what = "regression" if is_regression else "classification"
            rows.append([preset, what, f"{fit:.1f}", f"{predict:.1f}", memory])
    print_table(["preset", "task", "fit, s", "predict 100,000, s", "memory"], rows)


if __name__ == "__main__":
    main()
