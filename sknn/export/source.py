"""Formulas as Python source that needs NumPy only."""

from __future__ import annotations

import base64
import inspect
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sknn.export.snippets as snippets
from sknn._math import Array
from sknn._version import __version__
from sknn.export.answers import Model
from sknn.export.formula import Value, in_order
from sknn.export.models import formula_of, single_of

FEW = 10
"""Arrays with no more numbers are written out; of others the bytes are, in base 64."""

WIDTH = 96
"""The length of lines of base 64."""

ATOM, PRODUCT, SUM, COMPARISON = 3, 2, 1, 0
"""How firmly the parts of an expression hang together."""


def to_python(estimator: Any) -> str:
    """Return the source of a module that predicts as a fitted estimator does, with NumPy alone.

    It defines ``predict(X)`` and for classifiers ``predict_proba(X)``. They return what the
    estimator does, up to rounding; predictions of labels that were learnt from sparse matrices are
    dense. For tables, X is a dict of columns or a frame, or rows with the columns in the order of
    fit.

    Parameters
    ----------
    estimator : estimator
        A fitted MLPClassifier, MLPRegressor, TabularMLPClassifier or TabularMLPRegressor, or a
        search that has found one.

    Returns
    -------
    str
        Python source, the same for the same estimator.

    Raises
    ------
    ValueError
        If the estimator has parts that cannot be expressed: a user's own activation, loss or layer,
        dates or times of day in a table; or if it is a Pipeline, of which the last step can be
        exported.

    See Also
    --------
    sknn.export.to_onnx : A format that other languages read.
    sknn.export.to_sklearn : The same network as an estimator of scikit-learn.
    sknn.save : A file from which training can go on.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.export import to_python
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(5, tol=0.01, max_iter=500, random_state=0)
    >>> network = network.fit(X, y)
    >>> namespace = {}
    >>> exec(to_python(network), namespace)
    >>> bool((namespace["predict"](X) == network.predict(X)).all())
    True
    """
    found = single_of(estimator, "to_python")
    return SourceWriter().module(formula_of(found), type(found).__name__)


class SourceWriter:
    """Writes a module; what its functions need is collected on the way."""

    def __init__(self) -> None:
        self._data: list[str] = []
        self._constants: dict[Value, str] = {}
        self._counts: Counter[str] = Counter()
        self._snippets: set[str] = set()

    def module(self, model: Model, name: str) -> str:
        """Return the source of a model.

        Parameters
        ----------
        model : Model
        name : str
            What the docstring calls it.
        """
        answers, raw = model.answers, model.raw
        begin, decorator = [], ""
        if model.names is not None:
            self._define("NAMES", as_literal(model.names))
            begin = [f"{self.snippet('_check_names')}(X, NAMES)"]
        if model.columns is not None:
            self._define("COLUMNS", as_literal([_plain_name(column) for column in model.columns]))
            begin = [f"columns = {self.snippet('_columns')}(X, COLUMNS)"]
            decorator = '@np.errstate(over="ignore", invalid="ignore")\n'
        scores = self._function("_raw_scores", "Return the raw scores.", [raw], begin)
        parts = [decorator + scores]
        begin = ["raw = _raw_scores(X)"]
        known = {raw: "raw"}
        are_single = answers.labels is None and not answers.shape
        ending = ".reshape(-1)" if are_single else ""
        text = _DESCRIBED[answers.labels is not None]
        parts.append(self._function("predict", text, [answers.prediction], begin, known, ending))
        if answers.probabilities:
            text = "Return the probabilities of the classes; of several targets, a list of them."
            parts.append(self._function("predict_proba", text, answers.probabilities, begin, known))
        copied = [inspect.getsource(getattr(snippets, each)) for each in sorted(self._snippets)]
        functions = "\n\n".join([*parts, *copied])
        used = (each for each in ("base64", "math") if f"{each}." in functions)
        imports = "".join(f"import {each}\n" for each in used)
        head = _HEAD.format(name=as_literal(name)[1:-1], version=__version__, imports=imports)
        return f"{head}\n\n{functions}\n\n# What has been learnt.\n\n" + "\n".join(self._data)

    def snippet(self, name: str) -> str:
        """Return the name of a function that will be copied into the module."""
        self._snippets.add(name)
        return name

    def constant(self, value: Value) -> str:
        """Return the name of a constant that the module has."""
        if value not in self._constants:
            array = value.options["array"]
            self._constants[value] = self.define(value.name, self._array(array))
        return self._constants[value]

    def define(self, name: str, text: str) -> str:
        """Define a further constant by its text; return its name."""
        self._counts[name] += 1
        full = f"{name.upper()}_{self._counts[name]}"
        self._define(full, text)
        return full

    def _define(self, name: str, text: str) -> None:
        self._data.append(f"{name} = {text}\n")

    def _array(self, array: Array) -> str:
        """Return the text of an array, exact to the last bit."""
        if array.dtype.kind in "OU" or (array.size <= FEW and _is_finite(array)):
            dtype = "object" if array.dtype.kind == "O" else as_literal(array.dtype.str)
            return f"np.array({as_literal(array.tolist())}, {dtype})"
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        text = base64.b64encode(little.tobytes()).decode("ascii")
        lines = "\n".join(text[k : k + WIDTH] for k in range(0, len(text), WIDTH))
        name = self.snippet("_array")
        return f'{name}("{little.dtype.str}", {array.shape}, """\n{lines}\n""")'

    def _function(
        self,
        name: str,
        text: str,
        results: Sequence[Value],
        begin: Sequence[str],
        known: dict[Value, str] | None = None,
        ending: str = "",
    ) -> str:
        """Return the source of a function of X that returns some values."""
        body = FunctionWriter(self, known or {})
        texts = body.write(results)
        result = f"{texts[0]}{ending}" if len(texts) == 1 else f"[{', '.join(texts)}]"
        lines = [f'"""{text}"""', *begin, *body.lines, f"return {result}"]
        return f"def {name}(X: Any) -> Any:\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


class FunctionWriter:
    """Writes the lines of a function.

    Values that have a name or are used several times get a line; others are part of an expression.

    Parameters
    ----------
    module : SourceWriter
    known : dict of str
        The names of values that there are already.
    """

    def __init__(self, module: SourceWriter, known: dict[Value, str]) -> None:
        self.module = module
        self.lines: list[str] = []
        self._texts = {value: (name, ATOM) for value, name in known.items()}
        self._counts: Counter[str] = Counter(known.values())

    def write(self, results: Sequence[Value]) -> list[str]:
        """Write lines for some values, and return how to refer to them."""
        order = list(in_order(results, list(self._texts)))
        uses = Counter(operand for value in order for operand in value.operands)
        for value in order:
            if value.operation == "constant":
                self._texts[value] = self.module.constant(value), ATOM
                continue
            text, level = PYTHON[value.operation](self, value)
            if value.name or uses[value] > 1:
                name = self._unused(value.name or "part")
                comment = f"  # {value.comment}" if value.comment else ""
                self.lines.append(f"{name} = {text}{comment}")
                text, level = name, ATOM
            self._texts[value] = text, level
        return [self._texts[value][0] for value in results]

    def text(self, operand: Any, least: int = COMPARISON) -> str:
        """Return an operand as a part of an expression that hangs together so firmly at least."""
        if not isinstance(operand, Value):
            return repr(operand) if operand >= 0 or least <= SUM else f"({operand!r})"
        text, level = self._texts[operand]
        return text if level >= least else f"({text})"

    def _unused(self, name: str) -> str:
        self._counts[name] += 1
        return f"{name}{self._counts[name]}" if self._counts[name] > 1 else name


Text = Callable[[FunctionWriter, Value], tuple[str, int]]


def _binary(sign: str, level: int) -> Text:
    """Return what writes two operands with a sign in between."""

    def write(writer: FunctionWriter, value: Value) -> tuple[str, int]:
        left, right = value.operands
        return f"{writer.text(left, level)} {sign} {writer.text(right, level + 1)}", level

    return write


def _call(function: str) -> Text:
    """Return what writes a call of a function of NumPy, or of a snippet."""

    def write(writer: FunctionWriter, value: Value) -> tuple[str, int]:
        name = writer.module.snippet(function) if function.startswith("_") else function
        return f"{name}({', '.join(map(writer.text, value.operands))})", ATOM

    return write


def _method(make: Callable[[Value], str]) -> Text:
    """Return what writes an operand with something behind it."""

    def write(writer: FunctionWriter, value: Value) -> tuple[str, int]:
        return writer.text(value.operands[0], ATOM) + make(value), ATOM

    return write


def _matrix(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    name = writer.module.snippet("_matrix")
    return f"{name}(X, {value.options['n_columns']})", ATOM


def _numbers(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    place, name = value.options["place"], writer.module.snippet("_numbers")
    writer.module.snippet("_is_missing")
    return f"{name}(columns[{place}], COLUMNS[{place}])", ATOM


def _codes(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    place, name = value.options["place"], writer.module.snippet("_codes")
    writer.module.snippet("_is_missing")
    levels = writer.module.define("levels", as_literal(value.options["levels"]))
    return f"{name}(columns[{place}], COLUMNS[{place}], {levels})", ATOM


def _concatenate(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    return f"np.concatenate([{', '.join(map(writer.text, value.operands))}], axis=1)", ATOM


def _look_up(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    table, numbers = value.operands
    return f"{writer.text(table, ATOM)}[{writer.text(numbers)}]", ATOM


def _take(writer: FunctionWriter, value: Value) -> tuple[str, int]:
    columns, x = value.options["columns"], writer.text(value.operands[0], ATOM)
    first, last = columns[0], columns[-1]
    if columns == list(range(first, last + 1)):
        return f"{x}[:, {first}:{last + 1}]", ATOM
    places = str(columns) if len(columns) <= FEW else writer.module.define("places", str(columns))
    return f"{x}[:, {places}]", ATOM


def _shape(value: Value) -> str:
    return f".reshape({', '.join(map(str, (-1, *value.options['shape'])))})"


PYTHON: dict[str, Text] = {
    "matrix": _matrix,
    "numbers": _numbers,
    "codes": _codes,
    "constant": lambda writer, value: (writer.module.constant(value), ATOM),
    "add": _binary("+", SUM),
    "subtract": _binary("-", SUM),
    "multiply": _binary("*", PRODUCT),
    "divide": _binary("/", PRODUCT),
    "matmul": _binary("@", PRODUCT),
    "greater": _binary(">", COMPARISON),
    "maximum": _call("np.maximum"),
    "minimum": _call("np.minimum"),
    "absolute": _call("np.abs"),
    "cos": _call("np.cos"),
    "exp": _call("np.exp"),
    "is_nan": _call("np.isnan"),
    "log": _call("np.log"),
    "logistic": _call("_logistic"),
    "never_zero": _call("_never_zero"),
    "normal_cdf": _call("_normal_cdf"),
    "relu": _call("_relu"),
    "softplus": _call("_softplus"),
    "sqrt": _call("np.sqrt"),
    "tanh": _call("np.tanh"),
    "where": _call("np.where"),
    "arg_max": _method(lambda value: ".argmax(axis=1)"),
    "cast": _method(lambda value: f".astype(np.{value.options['dtype']})"),
    "concatenate": _concatenate,
    "look_up": _look_up,
    "reshape": _method(_shape),
    "softmax": _call("_softmax"),
    "take": _take,
}
"""How each operation is written."""


def as_literal(value: Any) -> str:
    """Return the text of words, numbers, bools or lists of them, in ASCII."""
    return ascii(value)


def _plain_name(name: Any) -> Any:
    """Return the name of a column as it can be written down."""
    if isinstance(name, str):
        return str(name)
    return int(name) if isinstance(name, (int, np.integer)) else str(name)


def _is_finite(array: Array) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


_DESCRIBED = {
    False: "Return the prediction for each row of X.",
    True: "Return the label of each row of X, or a row of labels.",
}

_HEAD = '''"""Predicts as a fitted {name} of sknn {version} does; it needs NumPy only.

Written by sknn.export.to_python. predict(X) and, for classes, predict_proba(X) take what the
estimator takes. For a table X is a dict of columns or a frame, or rows in the order of COLUMNS.
"""

from __future__ import annotations

{imports}from typing import Any

import numpy as np
'''
