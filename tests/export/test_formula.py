import numpy as np
import pytest

from sknn.export import formula
from sknn.export.formula import OPERATIONS, Value, constant, exp, in_order, matrix, take
from tests.export.running import evaluate

X = np.array([[1.0, 2.0, 3.0], [-4.0, 5.0, 6.0]])


def test_each_operation_but_constants_is_made_by_a_function_or_an_operator():
    made = {
        "add": "__add__",
        "subtract": "__sub__",
        "multiply": "__mul__",
        "divide": "__truediv__",
        "matmul": "__matmul__",
        "greater": "__gt__",
    }
    for name in OPERATIONS:
        assert hasattr(Value, made.get(name, "")) or callable(getattr(formula, name, None)), name


def test_what_is_needed_comes_before_it_and_once():
    x = matrix(2)
    e = exp(x)
    both = e * e + x
    order = list(in_order([both, e]))

    assert order[:2] == [x, e]
    assert len(order) == len(set(order)) == 4
    assert list(in_order([both], [e])) == [order[2], x, both]


def test_long_formulas_need_no_recursion():
    x = matrix(1)
    for _ in range(5000):
        x = x + 1.0

    assert len(list(in_order([x]))) == 5001


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda x: 1 - x, 1 - X),
        (lambda x: 2 / x, 2 / X),
        (lambda x: np.array([1.0, 2.0, 3.0]) + x, X + np.array([1, 2, 3])),
        (lambda x: np.array([1.0, 2.0, 3.0]) * x, X * np.array([1, 2, 3])),
        (lambda x: 3 * x - (x - 2), 3 * X - (X - 2)),
        (lambda x: x / (x * x), X / (X * X)),
        (lambda x: x - -1.5 * x, X + 1.5 * X),
        (lambda x: x @ constant(np.ones((3, 2))), X @ np.ones((3, 2))),
        (lambda x: take(x, [2, 0]), X[:, [2, 0]]),
        (lambda x: take(x, np.arange(1, 3)), X[:, 1:]),
    ],
)
def test_operators_mean_what_they_mean_for_arrays(make, expected):
    np.testing.assert_allclose(evaluate(make(matrix(3)), X), expected, rtol=1e-15)
