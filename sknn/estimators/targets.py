"""What earlier versions have called what an estimator holds, for their pickles."""

from __future__ import annotations

from typing import Any

from sknn.targets import (
    Classes,
    Labels,
    Numbers,
    Probabilities,
    SeveralClasses,
    Targets,
    TargetSettings,
)


class LabelEncoding:
    """Labels of one target; with `is_multilabel`, several that are true or not."""

    classes: Any
    is_multilabel: bool
    container: Any


class SoftEncoding(LabelEncoding):
    """Probabilities of classes."""


class MultiOutputEncoding(LabelEncoding):
    """Several targets."""


class _SoftmaxEncoding(LabelEncoding):
    """One target among several."""


def upgrade(attributes: dict[str, Any]) -> None:
    """Bring the attributes of an estimator of an earlier version up to date, in place."""
    if "lr_find_" in attributes:  # before 0.6.0
        attributes["_range_losses"] = attributes.pop("lr_find_")["loss"].to_numpy()
    if "_loss" not in attributes:
        return
    loss, encoding = attributes.pop("_loss"), attributes.pop("_encoding", None)
    factors = tuple(attributes.pop("_class_factors", ()))
    both: dict[str, Any] = {"settings": TargetSettings(loss=loss), "loss": loss}
    targets: Targets
    if encoding is None:
        targets = Numbers(n_columns=attributes["n_outputs_"], **both)
    elif encoding.is_multilabel:
        container = "" if encoding.container is None else encoding.container.__name__
        targets = Labels(classes=encoding.classes, container=container, **both)
    else:
        kinds = {SoftEncoding: Probabilities, MultiOutputEncoding: SeveralClasses}
        kind = kinds.get(type(encoding), Classes)
        targets = kind(classes=encoding.classes, factors=factors, **both)
    attributes["_targets"] = targets
