"""How objectives are minimised."""

from sknn.solvers._base import ALONE, HISTORY, MEETING, Meet, Problem, Solver, TrainingState, solve
from sknn.solvers.lbfgs import LBFGS
from sknn.solvers.stochastic import Stochastic

__all__ = [
    "ALONE",
    "HISTORY",
    "LBFGS",
    "MEETING",
    "Meet",
    "Problem",
    "Solver",
    "Stochastic",
    "TrainingState",
    "solve",
]
