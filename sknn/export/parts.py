"""What an estimator is made of, and which parts skl2onnx gets wrong."""

from __future__ import annotations

import warnings
from collections import UserList
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

FITTED_IN_PLACE = ("steps", "transformer_list")
"""Constructor parameters that hold what has been fitted."""

EXACT = 2**24
"""Larger integers have neighbours that are equal in single precision."""

UNKNOWN_CALIBRATION = {
    "isotonic": "takes the nearest known value where isotonic regression interpolates, so that "
    "probabilities are off by several hundredths"
}
"""Why calibrations cannot be exported."""


def parts_of(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and the fitted ones within, each once, from the outside in."""
    seen, found = set(), [estimator]
    while found:
        part = found.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        for name, value in getattr(part, "__dict__", {}).items():
            if _is_fitted(name, part):
                found += [each for each in _flat(value) if _is_part(each)]


def _is_fitted(name: str, part: Any) -> bool:
    """Whether an attribute of a part holds what has been fitted."""
    if name == "estimator_" and hasattr(part, "estimators_"):  # what these are copies of
        return False
    # The members of a CalibratedClassifierCV have no parameters.
    has_parameters = hasattr(part, "get_params")
    return name.endswith("_") or name in FITTED_IN_PLACE or not has_parameters


def _flat(value: Any) -> Iterator[Any]:
    """Yield what is in lists, tuples and dicts, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _flat(each)
    else:
        yield value


def _is_part(value: Any) -> bool:
    is_member = type(value).__module__ == CalibratedClassifierCV.__module__
    return (is_member or hasattr(value, "get_params")) and not isinstance(value, type)


def first_of(estimator: Any) -> Any:
    """Return what takes the samples: of a Pipeline the first step that does anything."""
    while isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
        if not steps:
            break
        estimator = steps[0]
    return estimator


def transformers_of(transformer: Any) -> list[tuple[str, Any, Any]]:
    """Return the names, fitted steps and columns of a ColumnTransformer."""
    with warnings.catch_warnings():
        # In scikit-learn 1.6 the columns of the remainder warn that they will be names.
        warnings.simplefilter("ignore", FutureWarning)
        return [
            (name, step, list(columns) if isinstance(columns, UserList) else columns)
            for name, step, columns in transformer.transformers_
        ]


def name_of(part: Any, estimator: Any) -> str:
    """Return what to call a part of an estimator: its class, and the step's name if it has one."""
    for around in parts_of(estimator):
        steps = [*getattr(around, "steps", ()), *getattr(around, "transformers_", ())]
        for name, step, *_ in steps:
            if step is part:
                return f"The step {name!r} ({type(part).__name__})"
    return type(part).__name__


def refuse_what_comes_out_wrong(estimator: Any) -> None:
    """Raise ValueError if skl2onnx would convert a part silently into something else."""
    for part in parts_of(estimator):
        kind = type(part).__name__
        if isinstance(part, TunedThresholdClassifierCV):
            raise ValueError(
                f"{kind} cannot be exported: skl2onnx leaves out the threshold. Export its "
                "estimator_, and compare the probabilities with best_threshold_."
            )
        if isinstance(part, CalibratedClassifierCV) and part.method != "sigmoid":
            reason = UNKNOWN_CALIBRATION.get(part.method, "does not know it")
            raise ValueError(
                f"{kind} with method={part.method!r} cannot be exported: skl2onnx {reason}. Use "
                "method='sigmoid', or export what it calibrates."
            )
        if isinstance(part, OrdinalEncoder):
            check_ordinal(part, "f")


def check_ordinal(encoder: Any, kinds: str) -> None:
    """Raise ValueError if categories cannot be told apart in single precision.

    Parameters
    ----------
    encoder : OrdinalEncoder
    kinds : str
        The kinds of numbers that skl2onnx compares as such: "f", "i".
    """
    for categories in encoder.categories_:
        if categories.dtype.kind not in kinds:
            continue
        singles = categories.astype(np.float32)
        is_exact = kinds == "f" or np.abs(categories).max(initial=0) <= EXACT
        if not is_exact or len(np.unique(singles)) < len(categories):
            raise ValueError(
                "OrdinalEncoder cannot be exported: skl2onnx compares its numbers in single "
                "precision, in which some of them are equal. Make the categories words."
            )
