"""How objectives are minimised."""

from sknn.solvers._base import ALONE, Problem, Solver
from sknn.solvers.grouping import MEETING, Meet, Solution, bytes_waiting, solve, train
from sknn.solvers.lbfgs import LBFGS
from sknn.solvers.range_test import RATES, find_rate
from sknn.solvers.state import HISTORY, Position, TrainingState
from sknn.solvers.stochastic import Stochastic

__all__ = [
    "ALONE",
    "HISTORY",
    "LBFGS",
    "MEETING",
    "RATES",
    "Meet",
    "Position",
    "Problem",
    "Solution",
    "Solver",
    "Stochastic",
    "TrainingState",
    "bytes_waiting",
    "find_rate",
    "solve",
    "train",
]
