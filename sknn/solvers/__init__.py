"""How objectives are minimised."""

from sknn.solvers._base import Problem, Solver, TrainingState, solve
from sknn.solvers.lbfgs import LBFGS
from sknn.solvers.stochastic import Stochastic

__all__ = ["LBFGS", "Problem", "Solver", "Stochastic", "TrainingState", "solve"]
