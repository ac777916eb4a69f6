from functools import partial

import numpy as np
import pytest

from sknn.penalties import L2, PENALTIES, ElasticNet
from tests.counting import count, counted, says_its_cost
from tests.gradcheck import check_gradient

grid = pytest.mark.parametrize("penalty", [PENALTIES[name]() for name in PENALTIES])


def constants(penalty):
    """Return a penalty's numbers as it gets them."""
    return [np.asarray(value) for value in penalty.constants()]


@grid
def test_gradient_is_the_derivative_of_the_value(penalty):
    rng, factor, record = np.random.default_rng(0), np.array(0.3), np.empty(())

    def value_and_grad(coef):
        grad = np.zeros_like(coef)
        penalty.add_gradient(coef, grad, np.empty_like(coef), factor, record, *constants(penalty))
        return float(penalty.values(record)), grad

    check_gradient(value_and_grad, rng.standard_normal(8), rng)


@grid
def test_adding_adds_and_writing_writes(penalty):
    coef, scratch, record = np.arange(1.0, 4), np.empty(3), np.empty(())
    written, added = np.full(3, np.nan), np.full(3, 10.0)
    penalty.write_gradient(coef, written, np.array(0.5), record, *constants(penalty))
    penalty.add_gradient(coef, added, scratch, np.array(0.5), record, *constants(penalty))

    np.testing.assert_allclose(added, written + 10)


@grid
def test_models_of_a_stack_have_their_own_factor(penalty):
    coef, factors = np.random.default_rng(0).standard_normal((3, 5)), np.array([[0.0], [1.0], [2]])
    grad, record = np.empty_like(coef), np.empty((3, 1))
    penalty.write_gradient(coef, grad, factors, record, *constants(penalty))

    for m in range(3):
        single, single_record = np.empty(5), np.empty(())
        numbers = factors[m, 0, ...], single_record, *constants(penalty)
        penalty.write_gradient(coef[m], single, *numbers)
        np.testing.assert_allclose(grad[m], single)
        np.testing.assert_allclose(record[m, 0], single_record)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
def test_elastic_net_is_the_formula(l1_ratio):
    penalty, coef, grad, record = (
        ElasticNet(l1_ratio),
        np.array([2.0, -3.0]),
        np.empty(2),
        np.empty(()),
    )
    penalty.write_gradient(coef, grad, np.array(0.1), record, *constants(penalty))

    assert penalty.values(record) == pytest.approx(0.1 * ((1 - l1_ratio) * 13 / 2 + l1_ratio * 5))
    np.testing.assert_allclose(grad, 0.1 * ((1 - l1_ratio) * coef + l1_ratio * np.sign(coef)))


@grid
def test_operations_are_those_that_numpy_is_asked_for(penalty):
    coef, grad, scratch = (counted(np.arange(1.0, 9)) for _ in range(3))
    numbers = np.array(0.3), np.empty(()), *constants(penalty)
    write = partial(penalty.write_gradient, coef, grad, *numbers)
    add = partial(penalty.add_gradient, coef, grad, scratch, *numbers)

    assert penalty.operations == count(write) / 8
    assert penalty.operations + 1 == count(add) / 8


@grid
def test_every_penalty_says_what_it_costs(penalty):
    assert says_its_cost(type(penalty), "operations", "write_gradient")


def test_operations_worked_out_by_hand():
    assert L2.operations == 1 + 2  # times alpha, and the inner product
    # Twice: absolute values, their share, that of the signs, the sign, alpha.
    assert ElasticNet.operations == 2 * 5 + 2
