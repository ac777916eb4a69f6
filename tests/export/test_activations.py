import numpy as np
import pytest

from sknn.activations import ACTIVATIONS, Custom, LeakyReLU, ReLU
from sknn.activations.exponential import ELU
from sknn.export.activations import ACTIVATION_FORMULAS, activate
from sknn.export.formula import matrix
from tests.cases import ACTIVATION_CASES, name_of
from tests.export.running import Cubed, evaluate

CASES = [*ACTIVATION_CASES, ELU(0.3), LeakyReLU(0.2)]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_has_a_formula(name):
    assert ACTIVATIONS[name] in ACTIVATION_FORMULAS


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", CASES, ids=name_of)
def test_formulas_give_the_values_of_the_activations(activation, dtype):
    z = np.concatenate([[-1e3, 1e3], np.linspace(-40, 40, 181)]).astype(dtype)[:, np.newaxis]
    expected = z.copy()
    activation.apply(expected)
    found = evaluate(activate(matrix(1), activation), z)

    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=10 * eps, atol=10 * eps)
    assert found.dtype == dtype


class Own(ReLU):
    pass


@pytest.mark.parametrize("own", [Custom(Cubed()), Own()], ids=name_of)
def test_activations_of_ones_own_are_refused(own):
    with pytest.raises(ValueError, match=r"activation has a (Cubed|Own) of .*cannot be exported"):
        activate(matrix(1), own)
