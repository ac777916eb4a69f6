"""Steps along orthogonal matrices, worked out by hand."""

import numpy as np
import pytest

from sknn.optimizers import Muon
from sknn.parameters import ParameterLayout, weight
from tests.optimizers.running import assert_refused, make_layout, run, two_steps


def quintic(value):
    """Return what one Newton-Schulz iteration makes of a singular value."""
    return 3.4445 * value - 4.7750 * value**3 + 2.0315 * value**5


@pytest.mark.parametrize("nesterov", [True, False])
def test_muon(nesterov):
    # A diagonal matrix stays one, and its diagonal holds the singular values.
    optimizer = Muon(momentum=0.5, nesterov=nesterov, n_iterations=1)
    layout = make_layout(2, 2, n_intercepts=1)
    second_weights = [15.5, 0, 0, 6] if nesterov else [10.5, 0, 0, 3]
    theta, state = two_steps(optimizer, [3.0, 0, 0, 4, 2], [*second_weights, 1.0], 1.0, layout)

    # M = 0.5 G = (1.5, 2), and 0.5 G + 0.5 M = (2.25, 3) is in the ratio 3 : 4, too, of norm 5.
    # M = 0.5 (1.5, 2) + 0.5 G = (8.5, 4), and 0.5 G + 0.5 M = (12, 5), of norm 13; or without
    # Nesterov M = (6, 2.5), in the same ratio.
    expected = 1 - 0.1 * np.array(
        [quintic(3 / 5) + quintic(12 / 13), 0, 0, quintic(4 / 5) + quintic(5 / 13)]
    )
    np.testing.assert_allclose(theta[:4], expected, rtol=1e-13)
    mean = [8.5, 0, 0, 4] if nesterov else [6, 0, 0, 2.5]
    np.testing.assert_allclose(state["gradient_mean"][:4], mean, rtol=1e-14)
    # The intercept takes AdamW's steps: corrected m 2 and v 4, then m = 0.9 * 0.2 + 0.1 = 0.28
    # over 1 - 0.81, and v = 0.999 * 0.004 + 0.001 = 0.004996 over 1 - 0.998001.
    second = 0.1 * (0.28 / 0.19) / (np.sqrt(0.004996 / 0.001999) + 1e-8)
    assert theta[4] == pytest.approx(1 - 0.1 * 2 / (2 + 1e-8) - second, rel=1e-12)


@pytest.mark.parametrize(("shape", "factor"), [((1, 4), 2), ((4, 1), 1), ((2, 2), 1)])
def test_muons_steps_are_longer_where_outputs_are_more_than_inputs(shape, factor):
    grad = np.outer(np.ones(shape[0]), np.ones(shape[1]))  # its only singular value is its norm
    optimizer = Muon(n_iterations=1)
    theta, _ = run(
        optimizer, lambda _: grad.ravel(), np.zeros(4), 0.1, 1, layout=make_layout(*shape)
    )

    np.testing.assert_allclose(theta, -0.1 * factor * quintic(1) * 0.5, rtol=1e-13)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4)])
def test_steps_are_nearly_orthogonal(shape):
    grad = np.random.default_rng(0).standard_normal(shape)
    theta, _ = run(Muon(), lambda _: grad.ravel(), np.zeros(24), 1.0, 1, layout=make_layout(*shape))
    step = -theta.reshape(shape) / np.sqrt(max(1, shape[1] / shape[0]))
    u, _, vt = np.linalg.svd(grad, full_matrices=False)

    # The coefficients bring singular values into a range about 1, not to 1.
    values = np.diag(u.T @ step @ vt.T)
    assert np.all((values > 0.6) & (values < 1.3))
    np.testing.assert_allclose(u.T @ step @ vt.T, np.diag(values), atol=1e-12)


def test_each_matrix_has_a_step_of_its_own():
    rng = np.random.default_rng(0)
    grads = rng.standard_normal((2, 3)), rng.standard_normal((3, 4))
    layout = ParameterLayout([{"coef": weight(grad.shape)} for grad in grads])
    flat = np.concatenate([grad.ravel() for grad in grads])
    together, _ = run(Muon(), lambda _: flat, np.zeros(18), 0.1, 3, layout=layout)

    for part, grad in zip(np.split(together, [6]), grads, strict=True):
        alone, _ = run(
            Muon(),
            lambda _, grad=grad: grad.ravel(),
            np.zeros(grad.size),
            0.1,
            3,
            layout=make_layout(*grad.shape),
        )
        np.testing.assert_allclose(part, alone, rtol=1e-12)


@pytest.mark.parametrize(
    "optimizer", [Muon(momentum=1.0), Muon(nesterov=None), Muon(n_iterations=0)], ids=repr
)
def test_numbers_that_make_no_sense_are_refused(optimizer):
    assert_refused(optimizer)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("nesterov", [True, False])
def test_operations_worked_out_by_hand(shape, nesterov):
    # With X of 3 rows and 5 columns: X X' (45 multiply-adds), its square (27), and that times X.
    iteration = 2 * (45 + 27 + 45) + 3 * 9 + 2 * 15
    # The mean; where it looks ahead; the norm and the division by it; the factor, the rate, W.
    others = 3 + 2 * nesterov + (1 + 1 + 4) + 1 + 1 + 1
    # Four intercepts take AdamW's steps.
    expected = 6 * iteration + others * 15 + 16 * 4

    assert Muon(nesterov=nesterov, n_iterations=6).operations(19, [shape]) == expected
