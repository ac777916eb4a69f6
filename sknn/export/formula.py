"""A model as a formula: what it computes, in elementary operations.

A layer, an activation, a link or an encoding is described once, as a formula; writers make Python
source (``sknn.export.source``) or ONNX nodes (``sknn.export.nodes``) of it. Each has a table with
an entry for each of `OPERATIONS`, so what has a formula can be written by all of them.

Values are arrays of shape (n_samples, n_columns), or (n_samples,) for numbers of classes and
categories. Numbers and constants on both sides of an operator have the same precision, or that of
the wider one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sknn._math import Array

OPERATIONS = (
    # What goes in.
    "matrix",
    "numbers",
    "codes",
    "constant",
    # Of two values.
    "add",
    "subtract",
    "multiply",
    "divide",
    "matmul",
    "greater",
    "maximum",
    "minimum",
    # Of one value, element by element.
    "absolute",
    "cos",
    "exp",
    "is_nan",
    "log",
    "logistic",
    "never_zero",
    "normal_cdf",
    "relu",
    "softplus",
    "sqrt",
    "tanh",
    "where",
    # Of whole rows.
    "arg_max",
    "cast",
    "concatenate",
    "look_up",
    "reshape",
    "softmax",
    "take",
)
"""The names of all operations; each but `constant` is made by a function or operator below."""


class Value:
    """What an operation makes of other values.

    Parameters
    ----------
    operation : str
        One of `OPERATIONS`.
    *operands : Value or float
        What it is made of.
    **options
        What else the operation has to know.

    Attributes
    ----------
    name : str
        What it is called where it is written; empty for what needs no name.
    comment : str
        What else there is to say of it.
    """

    __array_ufunc__ = None  # an array on the left leaves the operation to the value

    def __init__(self, operation: str, *operands: Any, **options: Any) -> None:
        self.operation = operation
        self.operands: tuple[Any, ...] = tuple(map(as_operand, operands))
        self.options = options
        self.name = ""
        self.comment = ""

    def called(self, name: str, comment: str = "") -> Value:
        """Give the value a name, and return it."""
        self.name, self.comment = name, comment
        return self

    def __add__(self, other: Any) -> Value:
        return Value("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return Value("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return Value("subtract", self, other)

    def __rsub__(self, other: Any) -> Value:
        return Value("subtract", other, self)

    def __mul__(self, other: Any) -> Value:
        return Value("multiply", self, other)

    def __rmul__(self, other: Any) -> Value:
        return Value("multiply", other, self)

    def __truediv__(self, other: Any) -> Value:
        return Value("divide", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return Value("divide", other, self)

    def __matmul__(self, other: Any) -> Value:
        return Value("matmul", self, other)

    def __gt__(self, other: Any) -> Value:
        return Value("greater", self, other)


def as_operand(value: Any) -> Value | float:
    """Return what an operation may be made of: a value, or a number; arrays become constants."""
    if isinstance(value, Value):
        return value
    return constant(value) if np.ndim(value) else float(value)


def in_order(results: Sequence[Value], given: Sequence[Value] = ()) -> Iterator[Value]:
    """Yield what has to be computed for some values, each after its operands.

    Parameters
    ----------
    results : sequence of Value
    given : sequence of Value
        What is known already.
    """
    seen = set(given)
    stack = [(value, False) for value in reversed(results)]
    while stack:
        value, is_ready = stack.pop()
        if is_ready:
            yield value
        elif value not in seen:
            seen.add(value)
            stack.append((value, True))
            stack += [(v, False) for v in reversed(value.operands) if isinstance(v, Value)]


# What goes in.


def matrix(n_columns: int) -> Value:
    """Return the samples as a network takes them, as many numbers a row."""
    return Value("matrix", n_columns=n_columns).called("x")


def numbers(place: int) -> Value:
    """Return a column of a table as numbers (n_samples, 1) in float64, NaN where one is missing."""
    return Value("numbers", place=place).called("number")


def codes(place: int, levels: Sequence[Any]) -> Value:
    """Return the numbers (n_samples,) of a column's categories; -1 for what is not among them."""
    return Value("codes", place=place, levels=list(levels)).called("code")


def constant(array: Array, name: str = "constant") -> Value:
    """Return an array that is known, under a name for readers."""
    return Value("constant", array=np.asarray(array)).called(name)


# Operations.


def maximum(x: Value, bound: Any) -> Value:
    """Return the larger of two values."""
    return Value("maximum", x, bound)


def minimum(x: Value, bound: Any) -> Value:
    """Return the smaller of two values."""
    return Value("minimum", x, bound)


def absolute(x: Value) -> Value:
    """Return x without its sign."""
    return Value("absolute", x)


def cos(x: Value) -> Value:
    """Return the cosine."""
    return Value("cos", x)


def exp(x: Value) -> Value:
    """Return e to the power of x."""
    return Value("exp", x)


def is_nan(x: Value) -> Value:
    """Return whether a number is missing."""
    return Value("is_nan", x)


def log(x: Value) -> Value:
    """Return the natural logarithm."""
    return Value("log", x)


def logistic(x: Value) -> Value:
    """Return 1 / (1 + exp(-x)), without loss of digits and without overflow."""
    return Value("logistic", x)


def never_zero(x: Value) -> Value:
    """Return probabilities of which none is 0, but the least number above it."""
    return Value("never_zero", x)


def normal_cdf(x: Value) -> Value:
    """Return the distribution function of the normal distribution."""
    return Value("normal_cdf", x)


def relu(x: Value) -> Value:
    """Return max(x, 0)."""
    return Value("relu", x)


def softplus(x: Value) -> Value:
    """Return log(1 + exp(x)), without overflow."""
    return Value("softplus", x)


def sqrt(x: Value) -> Value:
    """Return the square root."""
    return Value("sqrt", x)


def tanh(x: Value) -> Value:
    """Return the hyperbolic tangent."""
    return Value("tanh", x)


def where(condition: Value, yes: Any, no: Any) -> Value:
    """Return `yes` where a condition holds, `no` elsewhere; of the precision of a value there."""
    return Value("where", condition, yes, no)


def arg_max(x: Value) -> Value:
    """Return the number (n_samples,) of the first column with the largest value."""
    return Value("arg_max", x)


def cast(x: Value, dtype: str) -> Value:
    """Return x as "float32", "float64" or "int64"."""
    return Value("cast", x, dtype=dtype)


def concatenate(parts: Sequence[Value]) -> Value:
    """Return the columns of several values side by side."""
    return parts[0] if len(parts) == 1 else Value("concatenate", *parts)


def look_up(table: Array, numbers: Value, name: str = "table") -> Value:
    """Return rows of a table by their numbers; -1 is the last one."""
    return Value("look_up", constant(table, name), numbers)


def reshape(x: Value, shape: tuple[int, ...]) -> Value:
    """Return x with so many axes behind that of the samples."""
    return Value("reshape", x, shape=shape)


def softmax(x: Value) -> Value:
    """Return exp(x), divided by its sum over the columns."""
    return Value("softmax", x)


def take(x: Value, columns: Iterable[int]) -> Value:
    """Return some columns, in this order."""
    return Value("take", x, columns=[int(column) for column in columns])
