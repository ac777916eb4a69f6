"""The types of the package that a tool which asks for them has to trust."""

from __future__ import annotations

import sknn.model_selection
import sknn.tabular
from sknn._component import Component
from sknn._version import Versioned
from sknn.model_selection.cost import NegTrainingCost, PerWattHour
from sknn.persistence.foreign import SPLITTERS_BY_NAME
from sknn.plain import KEPT

ROOMS = (
    "activations",
    "augmentation",
    "averaging",
    "estimators",
    "initializers",
    "layers",
    "losses",
    "optimizers",
    "penalties",
    "schedules",
    "tabular",
)
"""Where the classes are that users choose from."""

OF_SEARCHES = (
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)
"""What scikit-learn's searches hold beside splitters; the functions that score are not among it."""


def _trusted() -> list[str]:
    ours: list[type] = [
        cls
        for name, cls in KEPT.items()
        if name.partition(".")[0] in ROOMS and issubclass(cls, Component | Versioned)
    ]
    searches = [getattr(sknn.model_selection, name) for name in sknn.model_selection.__all__]
    classes = ours + [each for each in searches if isinstance(each, type)]
    classes = [each for each in classes if _is_public(each)]
    classes += [*SPLITTERS_BY_NAME.values(), PerWattHour, NegTrainingCost]
    return sorted({*OF_SEARCHES, *(f"{cls.__module__}.{cls.__name__}" for cls in classes)})


def _is_public(cls: type) -> bool:
    return not cls.__name__.startswith("_") and not getattr(cls, "__abstractmethods__", None)


TRUSTED_TYPES = _trusted()
"""Names of estimators, searches and components of the package, for :func:`skops.io.load`.

scikit-learn's splitters, and what its searches score by, are among them. A fitted network at its
defaults holds its own class and no other, beside arrays, numbers and texts.
"""
