"""Converting with skl2onnx, and looking at what comes out: a model that runs, or an error."""

from __future__ import annotations

import importlib
import importlib.util
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError

from sknn.export.parts import name_of

LEAST_OPSET = 9
"""Older operators lack IsNaN, Where and Erf, and make an input of each array of weights."""

DOUBLE = 11
"""ONNX's number of float64."""

RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What skl2onnx raises of what it cannot convert."""


def check_opset(target_opset: Any) -> None:
    """Raise ValueError unless a version of the operators is known, and new enough."""
    from skl2onnx.proto import get_latest_tested_opset_version

    newest = get_latest_tested_opset_version()
    found = target_opset.get("", newest) if isinstance(target_opset, dict) else target_opset
    is_version = isinstance(found, Integral) and not isinstance(found, bool)
    if found is not None and not (is_version and LEAST_OPSET <= found <= newest):
        raise ValueError(
            f"target_opset must be None, an int from {LEAST_OPSET} to {newest}, or a dict with "
            f"such an int for the domain ''; got {target_opset!r}."
        )


@contextmanager
def explained(estimator: Any) -> Iterator[None]:
    """Turn what skl2onnx raises into ValueErrors that name the part that it cannot convert."""
    try:
        yield
    except NotFittedError:
        raise
    except RAISED as error:
        if _is_refusal(error):
            raise
        part = _part_of(error, estimator)
        raise ValueError(
            f"{name_of(part, estimator)} cannot be converted by skl2onnx: {_reason(error)} "
            f"{_advice(part)}"
        ) from error


def _is_refusal(error: Exception) -> bool:
    """Whether an error is a ValueError of this package."""
    frames = list(traceback.walk_tb(error.__traceback__))
    module = frames[-1][0].f_globals.get("__name__", "")
    return isinstance(error, ValueError) and module.split(".")[0] == "sknn"


def _part_of(error: Exception, estimator: Any) -> Any:
    """Return which part of an estimator was being converted when an error was raised."""
    part = estimator
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for name in ("operator", "model"):  # as skl2onnx calls them everywhere
            found = frame.f_locals.get(name)
            found = getattr(found, "raw_operator", found)
            if hasattr(found, "get_params"):
                part = found
    return part


def _reason(error: Exception) -> str:
    """Return the first line of what an error says, as a sentence."""
    first = str(error).strip().split("\n")[0] or type(error).__name__
    return first if first.endswith(".") else f"{first}."


def _advice(part: Any) -> str:
    if isinstance(part, VotingClassifier) and part.flatten_transform:
        return "Set flatten_transform=False, which changes no prediction, and needs no new fit."
    return "Apply it outside of the exported model, or put something else in its place."


def join_exactly(model: Any) -> None:
    """Put columns side by side in their own type: FeatureVectorizer rounds to float32."""
    from onnx import helper

    joined = set()
    for node in model.graph.node:
        if node.op_type == "FeatureVectorizer":
            node.op_type, node.domain = "Concat", ""
            del node.attribute[:]
            node.attribute.append(helper.make_attribute("axis", 1))
            joined.update(node.output)
        elif node.op_type == "CastLike" and node.input[0] in joined:
            node.op_type = "Identity"
            del node.input[1:]


def check_model(model: Any, estimator: Any) -> None:
    """Raise ValueError for a model that is not valid, or that onnxruntime cannot load."""
    from onnx import checker

    has_runtime = importlib.util.find_spec("onnxruntime") is not None
    try:
        checker.check_model(model, full_check=not has_runtime)
        if has_runtime:
            _load(model)
    except Exception as error:  # each library has errors of its own, some without a base
        are_double = any(each.type.tensor_type.elem_type == DOUBLE for each in model.graph.input)
        advice = "Apply steps outside of the exported model, or put others in their place."
        if are_double:
            advice = (
                "Some steps can do float32 only, or need a newer onnxruntime: cast X_sample with "
                "astype(np.float32)."
            )
        raise ValueError(
            f"What skl2onnx makes of {type(estimator).__name__} cannot be run: {_reason(error)} "
            f"{advice}"
        ) from error


def _load(model: Any) -> None:
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what it says is in the error, too
    providers = ["CPUExecutionProvider"]
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)
