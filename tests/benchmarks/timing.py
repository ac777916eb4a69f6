"""Fair timing on a noisy machine: contenders alternate in one process, and the best run counts."""

import platform
import time
from importlib.metadata import PackageNotFoundError, version

import numpy as np

PACKAGES = [
    "sknn",
    "scikit-learn",
    "numpy",
    "scipy",
    "torch",
    "jax",
    "keras",
    "lightgbm",
    "catboost",
    "pytabkit",
]


def best_of(contenders, n_runs, seconds=3.0):
    """Return for each contender the seconds of its best run; they take turns.

    Parameters
    ----------
    contenders : dict of str to callable
    n_runs : int
        Turns at least.
    seconds : float, default=3.0
        Short runs take turns for at least so long.
    """
    best, turn, begin = dict.fromkeys(contenders, np.inf), 0, time.perf_counter()
    while turn < n_runs or time.perf_counter() - begin < seconds:
        turn += 1
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def describe_machine():
    """Return a line about the processor and one about the versions."""
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor()
    installed = []
    for package in PACKAGES:
        try:
            installed.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    python = f"Python {platform.python_version()}"
    return f"{model}, {platform.system()}, {python}\n{', '.join(installed)}"


def print_table(header, rows):
    """Print a grid table that reStructuredText understands, too."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    print(rule)
    for i, row in enumerate(cells):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())
        if i == 0:
            print(rule)
    print(rule, flush=True)
