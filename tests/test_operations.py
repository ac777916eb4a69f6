"""The table of operations, how costs add up, and whether the counting would notice an error."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from scipy.special import expit

from sknn.operations import (
    DIVISION,
    FUNCTION,
    LOGISTIC,
    MULTIPLY_ADD,
    NORMAL,
    ROOT,
    SIMPLE,
    SOFTPLUS,
    Cost,
    LayerOperations,
    add_up,
    in_a_row,
)
from tests import counting
from tests.counting import Counted, count, count_buffers, counted, says_its_cost


def test_the_table_is_that_of_the_livermore_kernels():
    assert (SIMPLE, DIVISION, ROOT, FUNCTION) == (1, 4, 4, 8)
    assert MULTIPLY_ADD == 2


def test_functions_that_are_made_of_others_are_their_sums():
    assert LOGISTIC == 1 + 8 + 1 + 4  # 1 / (1 + exp(-z))
    assert SOFTPLUS == 1 + 1 + 8 + 8 + 1  # max(z, 0) + log1p(exp(-|z|))
    assert NORMAL == 1 + 8 + 1 + 1  # (1 + erf(z / sqrt(2))) / 2


def test_a_cost_is_for_rows_and_for_calls():
    assert Cost(3, 10).of(7) == 3 * 7 + 10
    assert Cost(3, 10).of(7, 2) == 3 * 7 + 10 * 2
    assert Cost(Fraction(7, 2)).of(4) == 14
    assert Cost().of(9) == 0


def test_costs_add_up():
    assert add_up([Cost(1, 10), Cost(2, 20), Cost(4)]) == Cost(7, 30)
    assert add_up([]) == Cost(0, 0)


def test_only_the_first_of_several_layers_may_spare_its_input_gradient():
    layers = [
        LayerOperations(Cost(1), Cost(10), Cost(100), Cost(1000), 7),
        LayerOperations(Cost(2), Cost(20, 3), Cost(200, 4), Cost(2000, 5)),
        LayerOperations(Cost(4), Cost(40), Cost(400), Cost(4000)),
    ]

    assert in_a_row(layers) == LayerOperations(
        forward=Cost(7),
        backward=Cost(10 + 20 + 40 + 200 + 400, 3 + 4),
        input_gradient=Cost(100),
        prediction=Cost(7000, 5),
        n_accumulated=7,
    )
    assert in_a_row(layers[:1]) == layers[0]
    assert in_a_row([]) == LayerOperations()


# What the tests of components count with.

A, B = np.arange(12.0).reshape(4, 3), np.arange(6.0).reshape(3, 2)
OUT = np.empty((4, 2))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda a: a + 1, 12),
        (lambda a: np.add.reduce(a, axis=0), 12),
        (lambda a: np.sum(a, axis=1), 12),
        (lambda a: np.mean(a, axis=1), 12 + 4 * 4),
        (lambda a: np.sqrt(a / 2), 12 * (4 + 4)),
        (lambda a: np.tanh(a) * 3, 12 * (8 + 1)),
        (lambda a: np.clip(a, 0, 1), 12 * 2),
        (lambda a: expit(a), 12 * 14),
        (lambda a: a @ B, 2 * 4 * 3 * 2),
        (lambda a: np.dot(a, B, OUT), 2 * 4 * 3 * 2),
        (lambda a: np.matmul(a, B, out=OUT), 2 * 4 * 3 * 2),
        (lambda a: np.dot(np.ones(4), a), 12),
        (lambda a: np.dot(np.full((1, 4), 0.25), a), 12 + 3),
        (lambda a: np.dot(a.reshape(-1), a.reshape(-1)), 2 * 12),
        (lambda a: np.copyto(a, 1.0), 0),
        (lambda a: np.copyto(a, 1.0, where=a > 3), 12 + 12),
        (lambda a: (a > 0) & (a < 1), 12 + 12),
        (lambda a: np.maximum(a[0, 0], 1), 0),
        (lambda a: a.copy().fill(1), 0),
    ],
)
def test_what_numpy_is_asked_for_is_counted(call, expected):
    assert count(partial(call, counted(A))) == expected


def test_results_and_new_arrays_go_on_counting(monkeypatch):
    count_buffers(monkeypatch)
    made = [counted(A) * 2, np.dot(counted(A), B), np.empty(3), np.asarray(counted(A))]

    assert all(type(array) is Counted for array in made)
    assert type(np.ones(3, bool)) is np.ndarray


def test_a_function_that_is_not_known_is_not_passed_over():
    assert "arctan" not in counting.WEIGHTS
    with pytest.raises(KeyError, match="arctan"):
        np.arctan(counted(A))


def test_a_class_that_lets_a_base_say_what_it_costs_is_noticed():
    class Base:
        operations = 1

        def step(self):
            return 1

    class Silent(Base):
        def step(self):
            return 2

    class Honest(Silent):
        operations = 2

    class Same(Honest):
        pass

    assert [says_its_cost(c, "operations", "step") for c in (Base, Silent, Honest, Same)] == [
        True,
        False,
        True,
        True,
    ]
