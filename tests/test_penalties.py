import numpy as np
import pytest

from sknn.penalties import PENALTIES
from tests.gradcheck import check_gradient

grid = pytest.mark.parametrize("penalty", [PENALTIES[name]() for name in PENALTIES])


@grid
def test_gradient_is_the_derivative_of_the_value(penalty):
    rng, factor, record = np.random.default_rng(0), np.array(0.3), np.empty(())

    def value_and_grad(coef):
        grad = np.zeros_like(coef)
        penalty.add_gradient(coef, grad, np.empty_like(coef), factor, record)
        return float(penalty.values(record)), grad

    check_gradient(value_and_grad, rng.standard_normal(8), rng)


@grid
def test_adding_adds_and_writing_writes(penalty):
    coef, scratch, record = np.arange(1.0, 4), np.empty(3), np.empty(())
    written, added = np.full(3, np.nan), np.full(3, 10.0)
    penalty.write_gradient(coef, written, np.array(0.5), record)
    penalty.add_gradient(coef, added, scratch, np.array(0.5), record)

    np.testing.assert_allclose(added, written + 10)


@grid
def test_models_of_a_stack_have_their_own_factor(penalty):
    coef, factors = np.random.default_rng(0).standard_normal((3, 5)), np.array([[0.0], [1.0], [2]])
    grad, record = np.empty_like(coef), np.empty((3, 1))
    penalty.write_gradient(coef, grad, factors, record)

    for m in range(3):
        single, single_record = np.empty(5), np.empty(())
        penalty.write_gradient(coef[m], single, factors[m, 0, ...], single_record)
        np.testing.assert_allclose(grad[m], single)
        np.testing.assert_allclose(record[m, 0], single_record)
