import numpy as np
import pytest

from sknn.optimizers import OPTIMIZERS
from tests.optimizers.fitting import fit, linear_gradients, make_data, make_estimator

N_EPOCHS = 4


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", [name for name in OPTIMIZERS if name != "schedule_free"])
def test_without_gradient_weights_decay_and_intercepts_stay(solver):
    # X and y of zeros, and intercepts of zeros but in a unit that nobody listens to.
    coefs = [np.array([[0.5, -2.0]]), np.array([[0.0], [3.0]])]
    intercepts = [np.array([7.0, 0.0]), np.array([0.0])]
    estimator = make_estimator(
        coefs, intercepts, N_EPOCHS, solver=solver, weight_decay=0.3, learning_rate_init=0.1
    ).fit(np.zeros((8, 1)), np.zeros(8))

    factor = (1 - 0.1 * 0.3) ** N_EPOCHS
    for coef, start in zip(estimator.coefs_, coefs, strict=True):
        np.testing.assert_allclose(coef, start * factor, rtol=1e-13)
    for intercept, start in zip(estimator.intercepts_, intercepts, strict=True):
        np.testing.assert_array_equal(intercept, start)


def test_decay_of_sgd_does_not_pass_through_its_momentum():
    _, _, (coef,), (intercept,) = make_data()
    velocity = np.zeros_like(coef), np.zeros_like(intercept)
    for gradient in linear_gradients(N_EPOCHS):
        g = gradient(coef, intercept)
        velocity = 0.9 * velocity[0] - 0.05 * g[0], 0.9 * velocity[1] - 0.05 * g[1]
        coef = (1 - 0.05 * 0.3) * coef + velocity[0]
        intercept = intercept + velocity[1]
    estimator = fit(
        (),
        N_EPOCHS,
        solver="sgd",
        nesterovs_momentum=False,
        learning_rate_init=0.05,
        weight_decay=0.3,
    )

    np.testing.assert_allclose(estimator.coefs_[0], coef, rtol=1e-12)
    np.testing.assert_allclose(estimator.intercepts_[0], intercept, rtol=1e-12)


def test_decay_falls_with_the_rate():
    coefs, intercepts = [np.array([[2.0]])], [np.array([0.0])]
    estimator = make_estimator(
        coefs,
        intercepts,
        3,
        weight_decay=0.5,
        learning_rate=lambda epoch: 0.5**epoch,
        learning_rate_init=0.1,
    )
    with pytest.warns(Warning, match="Maximum iterations"):
        estimator.fit(np.zeros((8, 1)), np.zeros(8))

    expected = 2 * (1 - 0.05) * (1 - 0.025) * (1 - 0.0125)
    assert estimator.coefs_[0].item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_only_adamw_decays_by_itself(solver):
    chosen = fit((), N_EPOCHS, solver=solver, weight_decay=0.01 if solver == "adamw" else 0.0)
    default = fit((), N_EPOCHS, solver=solver)

    np.testing.assert_array_equal(default.coefs_[0], chosen.coefs_[0])
