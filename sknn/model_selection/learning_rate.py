"""A search for the learning rate that needs no grid, and its picture."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import ParameterGrid
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from sknn._math import Array
from sknn.estimators.settings import BATCH_SIZES
from sknn.estimators.words import Folds, RandomState, ScorerName
from sknn.model_selection.inside import find_inside
from sknn.model_selection.tools import HalvingGridSearchCV
from sknn.parallel import ambient_lockstep
from sknn.solvers.range_test import RATES, STEPS, choose_rates


class LearningRateSearchCV(HalvingGridSearchCV):
    r"""Find the learning rate by a range test and successive halving, without a grid.

    First a range test trains the network for a few dozen steps at each of 29 learning rates from
    1e-6 to 10. With L(r) the training loss of the last epoch at the rate r, and the gain
    :math:`g(r) = L(10^{-6}) - L(r)`, the range around the best rate b runs from the smallest with
    :math:`g(r) \ge 0.1\, g(b)` to the largest with :math:`g(r) \ge 0.8\, g(b)`. A meta-estimator
    that trains several copies of the network has the mean of their losses.

    Then `n_rates` rates, log-spaced over the range and crossed with `alphas`, are cross-validated
    by successive halving: all of them for a few epochs, the best third of them for three times
    as many, and so on. The last round has the estimator's ``max_iter`` epochs, those before it have
    that divided by 3, 9, ... and rounded; rounds of no epochs or of equally many are left out. The
    best of the last round is trained again on all of the data. The networks of each stage train in
    lockstep.

    Parameters
    ----------
    estimator : estimator
        A multilayer perceptron with a stochastic solver, or a Pipeline or other meta-estimator
        that has exactly one inside: one parameter named ``learning_rate_init``. One that does not
        keep its fitted networks needs `rate_range`.
    alphas : array-like of float, default=None
        L2 penalties to try with each rate; None keeps the estimator's.
    n_rates : int, default=10
        Number of learning rates, at least 2.
    rate_range : tuple of float, default=None
        Smallest and largest rate; None has the range test find them.
    factor : float, default=3
        In each round of the halving one in so many candidates remains, more than 1.
    scoring : str or callable, default=None
        The score to choose by; None is the estimator's ``score``.
    cv : int, splitter or iterable, default=5
        The folds, as in scikit-learn's searches; they have to be the same in each round.
    refit : bool, default=True
        Whether to train the best candidate on all of the data.
    error_score : 'raise' or float, default=nan
        The score of a candidate whose training fails, for example as it diverges.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has the scores on the training folds.
    random_state : int, RandomState instance or None, default=None
        Seeds the range test where the estimator itself has no seed.
    n_jobs : int, default=None
        Number of workers, as in :func:`sknn.lockstep`.
    verbose : int, default=0
        How much to print.

    Attributes
    ----------
    rates_ : ndarray of shape (n_rates,)
        The learning rates of the search.
    range_test_ : DataFrame
        The loss at each learning rate of the range test; empty with `rate_range`.
    best_estimator_, best_params_, best_score_, best_index_, cv_results_, ...
        As in :class:`sklearn.model_selection.HalvingGridSearchCV`, with ``max_iter`` as the
        resource.

    See Also
    --------
    sknn.model_selection.LearningRateDisplay : Draws the score over the rate.
    sknn.model_selection.GridSearchCV : Searches a grid of any parameters.
    sklearn.model_selection.HalvingGridSearchCV : Successive halving of a grid that you give.

    References
    ----------
    Smith, L. N., "Cyclical learning rates for training neural networks", WACV 2017, has the range
    test. Jamieson, K. and Talwalkar, A., "Non-stochastic best arm identification and
    hyperparameter optimization", AISTATS 2016, has the halving.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> from sknn.model_selection import LearningRateSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> network = MLPClassifier(10, tol=0.01, max_iter=180, random_state=0)
    >>> model = make_pipeline(StandardScaler(), network)
    >>> search = LearningRateSearchCV(model).fit(X, y)
    >>> bool(search.best_score_ > 0.95)
    True
    """

    # What scikit-learn's search reads beside the parameters.
    pre_dispatch = "2*n_jobs"
    min_resources = "exhaust"
    rates_: Array
    _range_losses: Array

    def __init__(
        self,
        estimator: Any,
        *,
        alphas: Sequence[float] | Array | None = None,
        n_rates: int = 10,
        rate_range: tuple[float, float] | None = None,
        factor: float = 3,
        scoring: ScorerName | Callable[..., float] | None = None,
        cv: Folds = 5,
        refit: bool = True,
        error_score: float | Literal["raise"] = np.nan,
        return_train_score: bool = False,
        random_state: RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.alphas = alphas
        self.n_rates = n_rates
        self.rate_range = rate_range
        self.factor = factor
        self.scoring = scoring
        self.cv = cv
        self.refit = refit
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def resource(self) -> str:
        """The parameter of the estimator that the halving spends."""
        return f"{self._prefix()}max_iter"

    @property
    def max_resources(self) -> int:
        """The number of epochs of the last round."""
        return self.estimator.get_params()[self.resource]

    @property
    def param_grid(self) -> dict[str, Any]:
        """The candidates, once the range is known."""
        grid = {f"{self._prefix()}learning_rate_init": self.rates_.tolist()}
        if self.alphas is not None:
            grid[f"{self._prefix()}alpha"] = np.asarray(self.alphas, dtype=float).tolist()
        return grid

    @property
    def range_test_(self) -> pd.DataFrame:
        """The loss at each learning rate of the range test."""
        if not hasattr(self, "_range_losses"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        rates = RATES[: len(self._range_losses)]
        return pd.DataFrame({"learning_rate": rates, "loss": self._range_losses})

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Find the range, search it, and train the best candidate on all of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        **params
            Passed to the estimator's ``fit`` and to the splitter, as in scikit-learn's searches.
            The range test does without them.

        Returns
        -------
        self : object
            The fitted search.
        """
        self._check_own_parameters()
        with ambient_lockstep(self.n_jobs):
            low, high = self.rate_range or self._test_range(X, y)
            if self.rate_range is not None:
                self._range_losses = np.empty(0)
            self.rates_ = np.geomspace(low, high, self.n_rates)
            return super().fit(X, y, **params)

    def _run_search(self, evaluate_candidates: Callable[..., Any]) -> None:
        """Halve the candidates in rounds that end at the estimator's own number of epochs.

        scikit-learn multiplies the epochs of the first round instead, and may miss them.
        """
        candidates = list(ParameterGrid(self.param_grid))
        self.n_required_iterations_ = 1 + math.floor(math.log(len(candidates), self.factor))
        n_epochs = {
            round(self.max_resources_ / self.factor**k)
            for k in range(1, self.n_required_iterations_)
        }
        # Rounds of no epochs, and of as many as another has, are left out.
        self.n_resources_ = sorted((n_epochs - {0}) | {self.max_resources_})
        self.n_iterations_ = self.n_possible_iterations_ = len(self.n_resources_)
        self.min_resources_ = self.n_resources_[0]
        self.n_candidates_ = []
        for i, n in enumerate(self.n_resources_):
            size = len(candidates)
            self.n_candidates_.append(size)
            if self.verbose:
                print(f"Round {i + 1} of {self.n_iterations_}: {size} candidates, {n} epochs")
            candidates = [{**candidate, self.resource: n} for candidate in candidates]
            with warnings.catch_warnings():
                # That a few epochs are too few is the point of the early rounds.
                warnings.simplefilter("ignore", ConvergenceWarning)
                results = evaluate_candidates(
                    candidates, more_results={"iter": [i] * size, "n_resources": [n] * size}
                )
            scores = np.nan_to_num(results["mean_test_score"][-size:], nan=-np.inf)
            kept = np.argsort(scores, kind="stable")[-math.ceil(size / self.factor) :]
            candidates = [candidates[j] for j in kept]
        self.n_remaining_candidates_ = len(candidates)

    def _prefix(self) -> str:
        """Return what comes before the names of the network's parameters."""
        name = "learning_rate_init"
        names = [key for key in self.estimator.get_params() if key.split("__")[-1] == name]
        if len(names) != 1:
            raise ValueError(
                "The 'estimator' parameter of LearningRateSearchCV must have exactly one parameter "
                f"'{name}', its own or that of a step. Found {names or 'none'}."
            )
        return names[0].removesuffix(name)

    def _check_own_parameters(self) -> None:
        given = self.get_params(deep=False)

        def check(name: str, is_allowed: bool, allowed: str) -> None:
            if not is_allowed:
                raise ValueError(
                    f"The {name!r} parameter of LearningRateSearchCV must be {allowed}. "
                    f"Got {given[name]!r} instead."
                )

        if self.estimator.get_params()[f"{self._prefix()}solver"] == "lbfgs":
            raise ValueError("solver='lbfgs' has no learning rate to search; use 'adam' or 'sgd'.")
        n_rates, factor = given["n_rates"], given["factor"]
        check("n_rates", isinstance(n_rates, Integral) and int(n_rates) >= 2, "an int >= 2")
        check("factor", isinstance(factor, Real) and float(factor) > 1, "a float > 1")
        if self.alphas is not None:
            alphas = np.asarray(self.alphas)
            is_allowed = alphas.ndim == 1 and alphas.size > 0 and bool(np.all(alphas >= 0))
            check("alphas", is_allowed, "None or a sequence of floats >= 0")
        if self.rate_range is not None:
            ends = np.asarray(self.rate_range, dtype=float)
            is_allowed = ends.shape == (2,) and 0 < ends[0] < ends[1] < np.inf
            check("rate_range", is_allowed, "None or a pair of floats with 0 < low < high")

    def _test_range(self, X: Any, y: Any) -> tuple[float, float]:
        """Return the smallest and the largest useful learning rate."""
        prefix, given = self._prefix(), self.estimator.get_params()
        X, y = indexable(X, y)
        # Of no samples the fit will complain.
        n_samples = max(1, X.shape[0] if hasattr(X, "shape") else len(X))
        wanted = given[f"{prefix}batch_size"]
        batch_size = min(BATCH_SIZES[wanted], n_samples) if wanted in BATCH_SIZES else wanted
        n_epochs = math.ceil(STEPS * batch_size / n_samples)
        settings: dict[str, Any] = {"max_iter": n_epochs, "early_stopping": False}
        if given[f"{prefix}random_state"] is None:
            # All rates begin with the same weights.
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            settings["random_state"] = int(seed)
        fit = delayed(_loss_at)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            outcomes = Parallel()(
                fit(self.estimator, prefix, {**settings, "learning_rate_init": rate}, X, y)
                for rate in RATES
            )
        losses = [outcome if isinstance(outcome, float) else math.nan for outcome in outcomes]
        if np.isnan(losses).all():
            # Not the rates are to blame, unless training has diverged at all of them.
            for outcome in outcomes:
                if isinstance(outcome, ValueError) and "non-finite" not in str(outcome):
                    raise outcome
        self._range_losses = np.array(losses)
        low, high, _ = choose_rates(RATES, self._range_losses)
        return low, high


def _loss_at(
    estimator: Any, prefix: str, settings: dict[str, Any], X: Any, y: Any
) -> float | ValueError:
    """Return the training loss after a few epochs at one learning rate, or why there is none.

    Training may diverge, or a meta-estimator have no use for a network that has learnt nothing.
    """
    trial = clone(estimator)
    trial.set_params(**{f"{prefix}{name}": value for name, value in settings.items()})
    try:
        trial.fit(X, y)
    except ValueError as error:
        return error
    networks = list(find_inside(trial, "loss_curve_"))
    if not networks:
        raise ValueError(
            f"The range test found no fitted network inside {type(trial).__name__}, whose loss it "
            "needs. Give rate_range=(low, high) to do without the test."
        )
    return float(np.mean([network.loss_curve_[-1] for network in networks]))
