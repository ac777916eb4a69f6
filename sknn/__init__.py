"""Neural networks for the scikit-learn ecosystem, on plain NumPy."""

import importlib
from typing import TYPE_CHECKING, Any

from sknn._version import __version__
from sknn.energy import metering
from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.parallel import lockstep

if TYPE_CHECKING:
    from sknn import activations as activations
    from sknn import augmentation as augmentation
    from sknn import averaging as averaging
    from sknn import dask as dask
    from sknn import data as data
    from sknn import export, inspection, persistence
    from sknn import initializers as initializers
    from sknn import layers as layers
    from sknn import ledger as ledger
    from sknn import losses as losses
    from sknn import model_selection as model_selection
    from sknn import optimizers as optimizers
    from sknn import penalties as penalties
    from sknn import schedules as schedules
    from sknn import tabular as tabular
    from sknn.persistence import load, save
    from sknn.tabular import TabularMLPClassifier, TabularMLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "TabularMLPClassifier",
    "TabularMLPRegressor",
    "__version__",
    "export",
    "inspection",
    "load",
    "lockstep",
    "metering",
    "persistence",
    "save",
]

_LATER = {
    "TabularMLPClassifier": "tabular",
    "TabularMLPRegressor": "tabular",
    "load": "persistence",
    "save": "persistence",
}
"""What is imported when it is first used: tables need pandas, which takes as long as all the rest.
"""

_ROOMS = ("dask", "data", "export", "inspection", "model_selection", "persistence", "tabular")


if not TYPE_CHECKING:  # they would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name in _ROOMS:
            return importlib.import_module(f"sknn.{name}")
        if name in _LATER:
            return getattr(importlib.import_module(f"sknn.{_LATER[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS, *(name for name in globals() if name.startswith("__"))})
