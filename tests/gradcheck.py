"""Compare a gradient with central differences, along random directions."""

import numpy as np


def check_gradient(value_and_grad, theta, rng, n_directions=5, step=1e-6, rtol=2e-6):
    """Assert that the gradient at theta is the derivative of the value.

    Along a random direction v the derivative is the inner product of v and the gradient; two
    evaluations compare it with (f(theta + h v) - f(theta - h v)) / 2h, whatever the dimension.
    """
    _, grad = value_and_grad(theta)
    for _ in range(n_directions):
        direction = rng.standard_normal(theta.shape)
        direction /= np.linalg.norm(direction)
        ahead, _ = value_and_grad(theta + step * direction)
        behind, _ = value_and_grad(theta - step * direction)
        numeric = (ahead - behind) / (2 * step)
        np.testing.assert_allclose(np.vdot(direction, grad), numeric, rtol=rtol, atol=1e-8)
