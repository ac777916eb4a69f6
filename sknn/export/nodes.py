"""Formulas as ONNX nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sknn._math import Array
from sknn.export.columns import BOOLS, check_input
from sknn.export.formula import Value, absolute, exp, in_order, log, minimum, relu, where
from sknn.export.signature import BOOL, FLOAT32, FLOAT64, INT64, WORDS

TYPES = {BOOL: 9, FLOAT32: 1, FLOAT64: 11, INT64: 7, WORDS: 8}
"""ONNX's numbers of the kinds of values."""

ML = "ai.onnx.ml"
"""The domain of operators of classical machine learning."""


class Tensor(NamedTuple):
    """A result in a graph: its name, and of what kind its values are."""

    name: str
    kind: str


class NodeWriter:
    """Writes nodes for the values of formulas.

    Parameters
    ----------
    scope, container : object
        skl2onnx's, which give out names and take nodes.
    inputs : list of Tensor
        A matrix, or the columns of a table.
    columns : list or None
        The names of a table's columns.
    """

    def __init__(
        self, scope: Any, container: Any, inputs: list[Tensor], columns: list[Any] | None = None
    ) -> None:
        self.inputs, self.columns = inputs, columns
        self._scope, self._container = scope, container
        self._tensors: dict[Value, Tensor] = {}
        self._precision = FLOAT32

    def write(self, results: Sequence[Value]) -> list[Tensor]:
        """Write nodes for some values, and return where they are."""
        order = list(in_order(results, list(self._tensors)))
        for value in order:
            if value.operation != "constant":
                self._tensors[value] = NODES[value.operation](self, value)
        return [self._tensors[value] for value in results]

    def computes_as(self, value: Value) -> None:
        """Have matrices cast to the precision that the constants of a value have."""
        constants = (v.options["array"] for v in in_order([value]) if v.operation == "constant")
        floats = {array.dtype for array in constants if array.dtype.kind == "f"}
        is_double = any(np.promote_types(dtype, np.float32) == np.float64 for dtype in floats)
        is_single = all(tensor.kind == FLOAT32 for tensor in self.inputs)
        self._precision = FLOAT32 if is_single and not is_double else FLOAT64

    @property
    def precision(self) -> str:
        """The kind of numbers that matrices are cast to."""
        return self._precision

    def node(self, operator: str, inputs: Sequence[str], kind: str, **options: Any) -> Tensor:
        """Add a node with one result."""
        name = self._scope.get_unique_variable_name(operator.lower())
        own = self._scope.get_unique_operator_name(operator)
        self._container.add_node(operator, list(inputs), name, name=own, **options)
        return Tensor(name, kind)

    def constant(self, array: Array, kind: str) -> str:
        """Add an array, as values of a kind; return its name."""
        from onnx import numpy_helper

        name = self._scope.get_unique_variable_name("constant")
        array = np.asarray(array)
        if kind == WORDS:
            words = [str(word).encode() for word in array.ravel().tolist()]
            self._container.add_initializer(name, TYPES[WORDS], array.shape, words)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(array, kind).reshape(array.shape))
            self._container.add_initializer(name, None, None, tensor)
        return name

    def kind(self, operands: Sequence[Any]) -> str:
        """Return the kind of what operands together make; constants adapt to the others."""
        found = [
            self._tensors[operand].kind for operand in operands if operand in self._tensors
        ] or [FLOAT64]
        return found[0] if len(set(found)) == 1 else str(np.result_type(*found))

    def operand(self, operand: Any, kind: str | None = None) -> str:
        """Return the name of an operand, as values of a kind."""
        if operand in self._tensors:
            tensor = self._tensors[operand]
            return self.cast(tensor, kind or tensor.kind).name
        array = operand.options["array"] if isinstance(operand, Value) else np.asarray(operand)
        return self.constant(array, kind or kind_of_dtype(array.dtype))

    def cast(self, tensor: Tensor, kind: str) -> Tensor:
        """Return a tensor as values of a kind."""
        if tensor.kind == kind:
            return tensor
        return self.node("Cast", [tensor.name], kind, to=TYPES[kind])

    def column(self, place: int) -> Tensor:
        """Return a column of a table, of shape (n_samples, 1)."""
        if self.columns is not None and len(self.inputs) == len(self.columns):
            return self.inputs[place]
        [whole] = self.inputs
        places = self.constant(np.array([place]), INT64)
        return self.node("Gather", [whole.name, places], whole.kind, axis=1)

    def hand_over(self, tensors: Sequence[Tensor], name: str) -> None:
        """Give a tensor, or a sequence of several, the name of an output."""
        operator = "Identity" if len(tensors) == 1 else "SequenceConstruct"
        own = self._scope.get_unique_operator_name(operator)
        self._container.add_node(operator, [tensor.name for tensor in tensors], name, name=own)

    def flat(self, tensor: Tensor) -> Tensor:
        """Return a tensor with one axis."""
        shape = self.constant(np.array([-1]), INT64)
        return self.node("Reshape", [tensor.name, shape], tensor.kind)


def kind_of_dtype(dtype: Any) -> str:
    """Return of what kind the values of an array are."""
    kinds = {"b": BOOL, "i": INT64, "u": INT64, "U": WORDS, "O": WORDS}
    return kinds.get(dtype.kind) or (FLOAT32 if dtype.itemsize <= 4 else FLOAT64)


Node = Callable[[NodeWriter, Value], Tensor]


def _elementwise(operator: str, makes: str | None = None) -> Node:
    """Return what writes a node whose operands are of one kind."""

    def write(writer: NodeWriter, value: Value) -> Tensor:
        kind = writer.kind(value.operands)
        inputs = [writer.operand(operand, kind) for operand in value.operands]
        return writer.node(operator, inputs, makes or kind)

    return write


def _expanded(formula: Callable[[Value], Value]) -> Node:
    """Return what writes the nodes of a formula in place of an operation."""

    def write(writer: NodeWriter, value: Value) -> Tensor:
        [tensor] = writer.write([formula(value.operands[0])])
        return tensor

    return write


def _logistic(z: Value) -> Value:
    # In single precision onnxruntime's Sigmoid ends at 1.5e-8; z times that is not 0.
    e = exp(absolute(z) * -1.0)
    return where(z > 0.0, 1.0, e) / (e + 1.0)


def _matrix(writer: NodeWriter, value: Value) -> Tensor:
    parts = [writer.cast(tensor, writer.precision).name for tensor in writer.inputs]
    if len(parts) == 1:
        return Tensor(parts[0], writer.precision)
    return writer.node("Concat", parts, writer.precision, axis=1)


def _numbers(writer: NodeWriter, value: Value) -> Tensor:
    place = value.options["place"]
    column = writer.column(place)
    check_input(writer.columns, place, column.kind, None)
    return writer.cast(column, FLOAT64)


def _codes(writer: NodeWriter, value: Value) -> Tensor:
    place, levels = value.options["place"], value.options["levels"]
    column = writer.column(place)
    check_input(writer.columns, place, column.kind, levels)
    if column.kind == WORDS:
        return writer.node(
            "LabelEncoder",
            [writer.flat(column).name],
            INT64,
            op_domain=ML,
            op_version=2,  # words to int64, no newer operator set than scikit-learn's steps need
            keys_strings=[level.encode() for level in levels],
            values_int64s=list(range(len(levels))),
            default_int64=-1,
        )
    if BOOLS.issuperset(levels):
        levels = [float(level == "True") for level in levels]
    # Of all levels one at most is equal; that of number k gives k + 1, none gives 0.
    found = writer.cast(column, FLOAT64).name, writer.constant(np.array([levels]), FLOAT64)
    is_equal = writer.cast(writer.node("Equal", found, BOOL), FLOAT64)
    places = writer.constant(np.arange(1, 1 + len(levels))[:, np.newaxis], FLOAT64)
    sums = writer.node("MatMul", [is_equal.name, places], FLOAT64)
    one = writer.constant(np.ones(()), FLOAT64)
    return writer.flat(writer.cast(writer.node("Sub", [sums.name, one], FLOAT64), INT64))


def _where(writer: NodeWriter, value: Value) -> Tensor:
    condition, *both = value.operands
    kind = writer.kind(both)
    inputs = [writer.operand(condition), *(writer.operand(each, kind) for each in both)]
    return writer.node("Where", inputs, kind)


def _never_zero(writer: NodeWriter, value: Value) -> Tensor:
    kind = writer.kind(value.operands)
    least = writer.constant(np.asarray(np.finfo(kind).smallest_subnormal), kind)
    return writer.node("Max", [writer.operand(value.operands[0]), least], kind)


TAIL = (
    0.769193049750063,
    -0.665382502890254,
    0.495305615970461,
    -0.313533156659444,
    0.165020366143979,
    -0.0691186389166581,
    0.0207950672526374,
    -0.00299337506017457,
    -0.000797873000699293,
    0.000544891441681391,
    -5.93600299943749e-05,
    -4.97424714893668e-05,
    1.66406519228028e-05,
    3.94696972630539e-06,
    -2.70525063234872e-06,
    -3.0074318745296e-07,
    3.72235981079652e-07,
    1.85305237353436e-08,
    -3.35230173445062e-08,
)
"""Makes exp(-z^2 / 2) the normal distribution's tail beyond z.

A polynomial in (z - 5) / (z + 5), to be divided by z + 5: what interpolates the scaled error
function in Chebyshev's points from 0 to infinity, with a relative error of 2e-14.
"""


def _double_cdf(z: Value) -> Value:
    size = minimum(absolute(z), 40.0)  # beyond, nothing is left
    t = (size - 5.0) / (size + 5.0)
    total = t * TAIL[-1]
    for coefficient in reversed(TAIL[1:-1]):
        total = (total + coefficient) * t
    total = total + TAIL[0]
    tail = exp(size * size * -0.5) * (total / (size + 5.0))
    return where(z > 0.0, 1.0 - tail, tail)


def _normal_cdf(writer: NodeWriter, value: Value) -> Tensor:
    [z] = value.operands
    kind = writer.kind([z])
    if kind == FLOAT64:  # in which onnxruntime has no error function
        return _expanded(_double_cdf)(writer, value)
    [scaled] = writer.write([z / math.sqrt(2)])
    erf = writer.node("Erf", [scaled.name], kind)
    one, half = (writer.constant(np.asarray(number), kind) for number in (1.0, 0.5))
    return writer.node("Mul", [writer.node("Add", [erf.name, one], kind).name, half], kind)


def _arg_max(writer: NodeWriter, value: Value) -> Tensor:
    return writer.node("ArgMax", [writer.operand(value.operands[0])], INT64, axis=1, keepdims=0)


def _cast(writer: NodeWriter, value: Value) -> Tensor:
    x, kind = value.operands[0], value.options["dtype"]
    return Tensor(writer.operand(x, kind), kind)


def _concatenate(writer: NodeWriter, value: Value) -> Tensor:
    kind = writer.kind(value.operands)
    inputs = [writer.operand(operand, kind) for operand in value.operands]
    return writer.node("Concat", inputs, kind, axis=1)


def _look_up(writer: NodeWriter, value: Value) -> Tensor:
    table, numbers = value.operands
    assert isinstance(table, Value)
    kind = kind_of_dtype(table.options["array"].dtype)
    return writer.node("Gather", [writer.operand(table), writer.operand(numbers)], kind, axis=0)


def _reshape(writer: NodeWriter, value: Value) -> Tensor:
    shape = writer.constant(np.array([-1, *value.options["shape"]]), INT64)
    kind = writer.kind(value.operands)
    return writer.node("Reshape", [writer.operand(value.operands[0]), shape], kind)


def _softmax(writer: NodeWriter, value: Value) -> Tensor:
    kind = writer.kind(value.operands)
    return writer.node("Softmax", [writer.operand(value.operands[0])], kind, axis=1)


def _take(writer: NodeWriter, value: Value) -> Tensor:
    columns = writer.constant(np.array(value.options["columns"]), INT64)
    kind = writer.kind(value.operands)
    return writer.node("Gather", [writer.operand(value.operands[0]), columns], kind, axis=1)


def _constant(writer: NodeWriter, value: Value) -> Tensor:
    array = value.options["array"]
    return Tensor(writer.constant(array, kind_of_dtype(array.dtype)), kind_of_dtype(array.dtype))


NODES: dict[str, Node] = {
    "matrix": _matrix,
    "numbers": _numbers,
    "codes": _codes,
    "constant": _constant,
    "add": _elementwise("Add"),
    "subtract": _elementwise("Sub"),
    "multiply": _elementwise("Mul"),
    "divide": _elementwise("Div"),
    "matmul": _elementwise("MatMul"),
    "greater": _elementwise("Greater", BOOL),
    "maximum": _elementwise("Max"),
    "minimum": _elementwise("Min"),
    "absolute": _elementwise("Abs"),
    "cos": _elementwise("Cos"),
    "exp": _elementwise("Exp"),
    "is_nan": _elementwise("IsNaN", BOOL),
    "log": _elementwise("Log"),
    "logistic": _expanded(_logistic),
    "never_zero": _never_zero,
    "normal_cdf": _normal_cdf,
    "relu": _elementwise("Relu"),
    # onnxruntime has no Softplus in double precision.
    "softplus": _expanded(lambda z: relu(z) + log(exp(absolute(z) * -1.0) + 1.0)),
    "sqrt": _elementwise("Sqrt"),
    "tanh": _elementwise("Tanh"),
    "where": _where,
    "arg_max": _arg_max,
    "cast": _cast,
    "concatenate": _concatenate,
    "look_up": _look_up,
    "reshape": _reshape,
    "softmax": _softmax,
    "take": _take,
}
"""The nodes of each operation."""
