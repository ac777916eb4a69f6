"""What differs between kinds of targets: numbers, classes, labels, probabilities."""

from sknn.targets._base import Targets, TargetSettings
from sknn.targets.classes import (
    Classes,
    ClassTargets,
    Labels,
    Probabilities,
    SeveralClasses,
    learn_classes,
)
from sknn.targets.numbers import Numbers

__all__ = [
    "ClassTargets",
    "Classes",
    "Labels",
    "Numbers",
    "Probabilities",
    "SeveralClasses",
    "TargetSettings",
    "Targets",
    "learn_classes",
]
