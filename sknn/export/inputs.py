"""skl2onnx's variables: of what kind they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sknn.export.nodes import TYPES, Tensor
from sknn.export.signature import BOOL, FLOAT32, FLOAT64, INT64, WORDS


def tensors() -> dict[str, Any]:
    """Return skl2onnx's types of tensors with values of each kind."""
    from skl2onnx.common import data_types

    return {
        BOOL: data_types.BooleanTensorType,
        FLOAT32: data_types.FloatTensorType,
        FLOAT64: data_types.DoubleTensorType,
        INT64: data_types.Int64TensorType,
        WORDS: data_types.StringTensorType,
    }


def kind_of(variable: Any) -> str:
    """Return of what kind the values of a variable are."""
    for kind, tensor in tensors().items():
        if isinstance(variable.type, tensor):
            return kind
    known = ", ".join(tensor.__name__ for tensor in tensors().values())
    raise ValueError(
        f"The input {variable.raw_name!r} is a {type(variable.type).__name__}; it must be one of "
        f"{known}."
    )


def precision_of(variables: Sequence[Any]) -> str:
    """Return the kind of the numbers that come out: doubles only if some go in."""
    return FLOAT64 if FLOAT64 in map(kind_of, variables) else FLOAT32


def width_of(variables: Sequence[Any]) -> int | None:
    """Return how many columns some variables have together; None if it is not known."""
    shapes = [variable.type.shape for variable in variables]
    if any(len(shape) < 2 or shape[1] is None for shape in shapes):
        return None
    return sum(shape[1] for shape in shapes)


def certain(scope: Any, container: Any, variables: Sequence[Any]) -> list[Tensor]:
    """Return variables as tensors that are of the kind they say.

    Some of skl2onnx's steps make float32 of what they have declared to be float64.
    """
    found = []
    for variable in variables:
        name, kind = variable.full_name, kind_of(variable)
        if not variable.is_root and kind != WORDS:
            name = scope.get_unique_variable_name("certain")
            own = scope.get_unique_operator_name("Cast")
            container.add_node("Cast", [variable.full_name], name, name=own, to=TYPES[kind])
        found.append(Tensor(name, kind))
    return found
