"""Names of other projects and the pages that explain them, for builds without a network.

Sphinx asks a project's site which page explains which name. We say it ourselves: each of the
packages that we stand on is installed where the pages are built, and has one page for each public
class and function.
"""

import importlib
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401

SKLEARN = [
    "base",
    "calibration",
    "callback",
    "cluster",
    "compose",
    "covariance",
    "datasets",
    "decomposition",
    "discriminant_analysis",
    "dummy",
    "ensemble",
    "exceptions",
    "feature_extraction",
    "feature_extraction.text",
    "feature_selection",
    "gaussian_process",
    "impute",
    "inspection",
    "isotonic",
    "kernel_approximation",
    "linear_model",
    "manifold",
    "metrics",
    "mixture",
    "model_selection",
    "multiclass",
    "multioutput",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "pipeline",
    "preprocessing",
    "svm",
    "tree",
    "utils",
    "utils.class_weight",
    "utils.validation",
]
SCIPY = ["optimize", "sparse", "special", "stats"]

MORE = {
    "sklearn": [
        "sklearn.model_selection py:module 0 api/sklearn.model_selection.html -",
        "accuracy_score std:label -1 modules/model_evaluation.html#accuracy-score Accuracy score",
        "metadata_routing std:label -1 metadata_routing.html#metadata-routing Metadata Routing",
        "classes_ std:term -1 glossary.html#term-classes_ -",
        "fit std:term -1 glossary.html#term-fit -",
    ],
    "numpy": [
        "numpy.random.RandomState py:class 1 reference/random/legacy.html#$ -",
        "numpy.random.seed py:function 1 "
        "reference/random/generated/numpy.random.seed.html#numpy.random.seed -",
    ],
}
"""What has no page of its own, or is no class and no function, as lines of an inventory."""

PROJECTS = {
    "sklearn": (
        "https://scikit-learn.org/stable/",
        "modules/generated/{name}.html",
        ["sklearn", *(f"sklearn.{name}" for name in SKLEARN)],
    ),
    "numpy": ("https://numpy.org/doc/stable/", "reference/generated/{name}.html", ["numpy"]),
    "scipy": (
        "https://docs.scipy.org/doc/scipy/",
        "reference/generated/{name}.html",
        [f"scipy.{name}" for name in SCIPY],
    ),
    "pandas": ("https://pandas.pydata.org/docs/", "reference/api/{name}.html", ["pandas"]),
    "joblib": (
        "https://joblib.readthedocs.io/en/stable/",
        "generated/{name}.html",
        ["joblib"],
    ),
    "matplotlib": (
        "https://matplotlib.org/stable/",
        "api/_as_gen/{name}.html",
        ["matplotlib.pyplot"],
    ),
}
"""Address, pattern of its pages, and the modules whose public names have a page each."""


def public_objects(module_name: str) -> Iterator[tuple[str, str]]:
    """Yield the full name of each public class and function of a module, and which it is."""
    module = importlib.import_module(module_name)
    for name in getattr(module, "__all__", None) or dir(module):
        value = getattr(module, name, None)
        if name.startswith("_") or inspect.ismodule(value):
            continue
        if inspect.isclass(value):
            yield f"{module_name}.{name}", "class"
        elif callable(value) or isinstance(value, np.ufunc):
            yield f"{module_name}.{name}", "function"


def write_inventory(path: Path, project: str, pattern: str, modules: list[str]) -> None:
    """Write the names as Sphinx reads them: four lines of text, then lines of names, compressed."""
    lines = [
        f"{name} py:{kind} 1 {pattern.format(name=name)}#$ -"
        for module in modules
        for name, kind in public_objects(module)
    ]
    header = f"# Sphinx inventory version 2\n# Project: {project}\n# Version:\n"
    header += "# The remainder of this file is compressed using zlib.\n"
    body = "\n".join([*lines, *MORE.get(project, []), ""])
    path.write_bytes(header.encode() + zlib.compress(body.encode()))


def write_inventories(folder: Path) -> dict[str, tuple[str, str]]:
    """Write an inventory for each project, and return where each project's pages and names are."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, (address, pattern, modules) in PROJECTS.items():
        path = folder / f"{project}.inv"
        write_inventory(path, project, pattern, modules)
        mapping[project] = (address, str(path))
    return mapping
