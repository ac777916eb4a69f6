"""L-BFGS on the whole of the data, by SciPy."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from sknn._blas import ONE_BLAS_THREAD
from sknn._crew import Crew, count_row_workers, cpu_clock, is_large, large_work
from sknn._math import Array
from sknn.ledger import Laps, Spent
from sknn.objective import WholeObjective
from sknn.solvers._base import Problem, Solver
from sknn.solvers.cost import evaluation_operations
from sknn.solvers.state import TrainingState
from sknn.solvers.stopping import Epoch, Monitor, mark_interrupted

N_VECTORS = 30
"""So many vectors of parameters SciPy and we hold: 2 times 10 corrections, and 5 for work, are its
own."""


class LBFGS(Solver):
    """Limited-memory BFGS with full batches, always in float64.

    Parameters
    ----------
    max_iter, max_fun : int
        Iterations and evaluations of the objective at most.
    tol : float
        Training stops when no component of the gradient is larger. With early stopping it is
        also the least improvement of the validation score.
    n_iter_no_change : int or inf
        See :class:`sknn.solvers.stopping.Monitor`; it matters with early stopping only.
    target_loss : float or None
        See :class:`sknn.solvers.stopping.Monitor`.
    max_time : float or None, default=None
        Seconds after which training ends.
    max_operations : float or None, default=None
        Training ends with the iteration that reaches so many floating-point operations.

    References
    ----------
    Byrd, R., Lu, P., Nocedal, J. and Zhu, C., "A limited memory algorithm for bound constrained
    optimization", SIAM Journal on Scientific Computing 16 (1995).
    """

    def __init__(
        self,
        max_iter: int,
        max_fun: int,
        tol: float,
        n_iter_no_change: float,
        target_loss: float | None,
        max_time: float | None = None,
        max_operations: float | None = None,
    ) -> None:
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.target_loss = target_loss
        self.max_time = max_time
        self.max_operations = max_operations

    @ONE_BLAS_THREAD
    def minimize(self, problems: list[Problem]) -> list[TrainingState]:
        return [self._minimize_one(problem) for problem in problems]

    def bytes_per_model(self, problem: Problem) -> int:
        theta, network = problem.state.theta, problem.objective.network
        n_numbers = network.n_units + 3 * network.n_outputs
        if problem.samples.is_dense and (problem.rows is not None or theta.itemsize < 8):
            n_numbers += network.n_features  # the rows are copied
        return 8 * (N_VECTORS * theta.size + problem.n_samples * n_numbers)

    def count_workers(self, problem: Problem) -> int:
        """Return how many threads share the rows: sums depend on it in their last digit.

        Parameters
        ----------
        problem : Problem
            What is to be trained.

        Returns
        -------
        int
            At least 1.
        """
        if not problem.samples.is_dense:
            return 1
        return count_row_workers(problem.state.theta.astype(np.float64), problem.n_samples)

    def _minimize_one(self, problem: Problem) -> TrainingState:
        if problem.goes_on:
            if problem.state.beginning is None:
                raise ValueError("A training can only go on from a state with a beginning.")
            problem = replace(problem, state=problem.state.beginning, goes_on=False)
        state = problem.state
        state.beginning = state.copy()
        dtype = state.theta.dtype
        theta = state.theta.astype(np.float64)
        n_samples = problem.n_samples
        n_workers = self.count_workers(problem) if problem.n_workers is None else problem.n_workers
        limit = large_work() if is_large(theta, n_samples) else nullcontext()
        laps = Laps(cpu_clock(n_workers, is_large(theta, n_samples)))
        with np.errstate(all="ignore"), limit, Crew(n_workers) as crew:
            descent = _Descent(problem, self, theta, crew)
            try:
                descent.run()
            except KeyboardInterrupt:
                mark_interrupted(state)
        state.theta = descent.theta.copy()
        # What layers keep themselves, SciPy has not seen.
        n_trained = problem.objective.network.layout.n_trained
        state.theta[n_trained:] = descent.point[n_trained:]
        descent.monitor.finish()
        state.spent = state.spent.plus(laps.end())
        state.theta = state.theta.astype(dtype, copy=False)
        return state


class _Descent:
    """One run of SciPy's L-BFGS-B: evaluates the objective, keeps the curves."""

    def __init__(self, problem: Problem, solver: LBFGS, theta: Array, crew: Crew) -> None:
        self.problem = problem
        self.solver = solver
        no_plateau = solver.n_iter_no_change if problem.stops_early else np.inf
        self.monitor = Monitor(problem, solver.tol, no_plateau, solver.target_loss, solver.max_time)
        self.theta = theta
        self.point = self.theta.copy()
        samples, y, weight = problem.samples, problem.y, problem.sample_weight
        if (rows := problem.rows) is not None:
            samples = samples.take(rows, np.float64)
            y, weight = y[rows], None if weight is None else weight[rows]
        samples = samples.astype(np.float64)
        self._objective = WholeObjective(problem.objective, self.point, samples, y, weight, crew)
        layout = problem.objective.network.layout
        self._frozen = layout.frozen(slice(0, layout.n_trained))
        self._operations = evaluation_operations(problem)
        self._evaluations: list[tuple[float, float, float]] = []
        self._has_begun = False

    def run(self) -> None:
        """Minimise, and note if that did not converge."""
        options = {
            "maxiter": self.solver.max_iter,
            "maxfun": self.solver.max_fun,
            "gtol": self.solver.tol,
        }
        result = scipy.optimize.minimize(
            self._value_and_grad,
            self.theta.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=self._end_iteration,
            options=options,
        )
        self.theta = result.x
        self.problem.state.loss, _ = self._evaluation_at(result.fun)
        self.problem.state.has_converged |= result.status == 0
        self.problem.state.has_run_out = result.status == 1
        if result.status not in (0, 99):  # 99: stopped by the callback
            self.problem.state.ending = self._not_converged(result)

    def _value_and_grad(self, theta: Array) -> tuple[float, Array]:
        if not self._has_begun and self.problem.before_epoch is not None:
            self.problem.before_epoch()
        self._has_begun = True
        spent = Spent(n_samples=self.problem.n_samples, operations=self._operations)
        self.problem.state.spent = self.problem.state.spent.plus(spent)
        self.point[:] = theta
        value, reported = self._objective.evaluate()
        for where in self._frozen:
            self._objective.grad[where] = 0
        self._evaluations.append((value, reported, float(np.linalg.norm(self._objective.grad))))
        # A copy: SciPy keeps what it is given, and the buffer is written to again.
        return value, self._objective.grad.copy()

    def _end_iteration(self, intermediate_result: Any) -> None:
        self.theta, self._has_begun = intermediate_result.x, False
        reported, norm = self._evaluation_at(intermediate_result.fun)
        reason = self.monitor.end_epoch(Epoch(reported, grad_norm=norm), self.theta)
        state = self.problem.state
        done = Spent(1, 1, 0, self.problem.validation_operations)
        state.spent = state.spent.plus(done)
        if state.operations_left(self.solver.max_operations) <= 0:
            reason = reason or "operations"
        self.problem.state.has_converged = reason == "plateau"
        if reason == "plateau" and self.problem.verbose:
            print(f"{self.monitor.plateau_message()} Stopping.")
        if reason is not None or self.monitor.is_told_to_stop:
            raise StopIteration

    def _evaluation_at(self, value: float) -> tuple[float, float]:
        """Return reported loss and gradient norm of the latest evaluation that gave `value`."""
        # A loss that is not a number equals nothing; then the last evaluation it is.
        matches = [evaluation for evaluation in self._evaluations if evaluation[0] == value]
        _, reported, norm = matches[-1] if matches else self._evaluations[-1]
        self._evaluations[:] = [(value, reported, norm)]
        return reported, norm

    def _not_converged(self, result: Any) -> Warning:
        return ConvergenceWarning(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}):\n"
            f"{result.message}\n\n"
            f"Increase the number of iterations (max_iter={self.solver.max_iter}, "
            f"max_fun={self.solver.max_fun}) or scale the data as shown in:\n"
            "    https://scikit-learn.org/stable/modules/preprocessing.html"
        )
