"""Problems for the solver tests, made without an estimator."""

import numpy as np
import scipy.sparse as sp

from sknn import solvers
from sknn.activations import Tanh
from sknn.initializers import GlorotUniform
from sknn.losses import SquaredError
from sknn.optimizers import Adam
from sknn.samples import as_samples
from sknn.schedules import Constant
from sknn.solvers import LBFGS, Problem, Stochastic, TrainingState
from tests.cases import make_objective, make_targets

NUMBERS = {
    "batch_size": 16,
    "max_iter": 8,
    "shuffle": True,
    "tol": 1e-4,
    "n_iter_no_change": 100,
    "target_loss": None,
    "learning_rate": 0.01,
}


def solve(problem):
    """Train one model; return its state."""
    [state] = solvers.solve([problem])
    return state


def make_problem(
    seed=0,
    loss=None,
    optimizer=None,
    schedule=None,
    n_samples=50,
    n_outputs=1,
    alpha=0.1,
    is_weighted=False,
    is_sparse=False,
    dtype=np.float64,
    rows=None,
    activation=None,
    lbfgs=False,
    **numbers,
):
    """Return a problem whose data, draws and initial weights follow from the seed."""
    loss = SquaredError() if loss is None else loss
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 4)).astype(dtype)
    if is_sparse:
        X = sp.csr_matrix(np.where(rng.random(X.shape) < 0.5, X, 0))
    y = make_targets(loss, n_samples, n_outputs, rng)
    objective = make_objective(activation or Tanh(), loss, n_outputs=n_outputs, alpha=alpha)
    state = np.random.RandomState(seed)
    numbers = NUMBERS | numbers

    def draw(n_in, n_out):
        return GlorotUniform().draw(state, n_in, n_out, 6.0)

    if lbfgs:
        names = ("max_iter", "tol", "n_iter_no_change", "target_loss")
        solver = LBFGS(max_fun=1000, **{name: numbers[name] for name in names})
    else:
        solver = Stochastic(optimizer or Adam(), schedule or Constant(), **numbers)
    return Problem(
        objective=objective,
        solver=solver,
        samples=as_samples(X),
        y=y,
        sample_weight=rng.random(n_samples) if is_weighted else None,
        rows=rows,
        state=TrainingState(objective.network.initialize(draw, state, dtype)),
        rng=state,
    )
