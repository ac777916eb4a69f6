"""Scorers that weigh a score against what the training has cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

from sklearn.metrics import check_scoring

from sknn._constraints import InvalidParameterError
from sknn.estimators.words import ScorerName
from sknn.ledger import NOTHING, TrainingReport
from sknn.model_selection.inside import find_inside

CostName: TypeAlias = Literal[
    "n_epochs",
    "n_steps",
    "n_samples_seen",
    "seconds",
    "cpu_seconds",
    "flops",
    "peak_bytes",
    "energy_joules",
]

JOULES_PER_WATT_HOUR = 3600.0

COSTS = tuple(
    name for name, v in TrainingReport(NOTHING).to_dict().items() if not isinstance(v, str)
)
"""What a training may be weighed by."""


def per_watt_hour(scoring: ScorerName | Callable[..., float] | None = None) -> PerWattHour:
    r"""Return a scorer that divides another one's score by the energy of the training.

    .. math:: \frac{s}{E / 3600 \text{ J}}

    E is the energy of all networks of sknn in the estimator, as their ``training_report_`` has it.

    Parameters
    ----------
    scoring : str or callable, default=None
        The other scorer; None is the estimator's ``score``.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, for the `scoring` of scikit-learn's searches. It raises
        ValueError where the other score is negative.

    See Also
    --------
    sknn.model_selection.neg_training_cost : The cost itself, as a score of its own.
    sknn.metering : Chooses how energy is measured.
    sklearn.metrics.make_scorer : Makes a scorer of a metric.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sknn import MLPClassifier
    >>> from sknn.model_selection import GridSearchCV, per_watt_hour
    >>> X, y = load_wine(return_X_y=True)
    >>> network = MLPClassifier(
    ...     max_iter=300, learning_rate_init=0.01, random_state=0
    ... )
    >>> scoring = {
    ...     "accuracy": "accuracy",
    ...     "accuracy_per_wh": per_watt_hour("accuracy"),
    ... }
    >>> search = GridSearchCV(
    ...     make_pipeline(StandardScaler(), network),
    ...     {"mlpclassifier__hidden_layer_sizes": [(5,), (50,)]},
    ...     scoring=scoring,
    ...     refit="accuracy",
    ... ).fit(X, y)
    >>> search.cv_results_["mean_test_accuracy_per_wh"].shape
    (2,)
    """
    return PerWattHour(scoring)


def neg_training_cost(name: CostName = "energy_joules") -> NegTrainingCost:
    """Return a scorer that says what the training has cost, with a minus: so less is better.

    Parameters
    ----------
    name : str, default="energy_joules"
        A number of ``training_report_``, such as "flops" or "seconds"; of several networks in the
        estimator the sum.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, for the `scoring` of scikit-learn's searches.

    Raises
    ------
    ValueError
        If a report has no such number.

    See Also
    --------
    sknn.model_selection.per_watt_hour : Weighs another score against the energy.
    sknn.ledger.TrainingReport : What has the numbers.
    sklearn.metrics.make_scorer : Makes a scorer of a metric.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.model_selection import cross_val_score, neg_training_cost
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(max_iter=200, tol=0.01, random_state=0)
    >>> scorer = neg_training_cost("n_steps")
    >>> bool((cross_val_score(model, X, y, scoring=scorer) < 0).all())
    True
    """
    if name not in COSTS:
        raise InvalidParameterError(
            f"name must be one of {', '.join(map(repr, COSTS))}; got {name!r}."
        )
    return NegTrainingCost(name)


class PerWattHour:
    """See `per_watt_hour`."""

    def __init__(self, scoring: Any) -> None:
        self.scoring = scoring

    def __call__(self, estimator: Any, X: Any, y: Any = None, **options: Any) -> float:
        joules = _sum_over_networks(estimator, "energy_joules")
        score = float(check_scoring(estimator, self.scoring)(estimator, X, y, **options))
        if score < 0:  # the more energy, the nearer to 0: waste would win
            raise ValueError(
                f"per_watt_hour needs a score of at least 0; {self.scoring!r} gave {score:.3g}. "
                "Use neg_training_cost beside it."
            )
        if not joules > 0:
            raise ValueError(
                "per_watt_hour needs the energy of the training, of which nothing was measured; "
                "use sknn.metering('estimate')."
            )
        return score / (joules / JOULES_PER_WATT_HOUR)

    def __repr__(self) -> str:
        return f"per_watt_hour({self.scoring!r})"


class NegTrainingCost:
    """See `neg_training_cost`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, estimator: Any, X: Any, y: Any = None, **options: Any) -> float:
        return -_sum_over_networks(estimator, self.name)

    def __repr__(self) -> str:
        return f"neg_training_cost({self.name!r})"


def _sum_over_networks(estimator: Any, name: str) -> float:
    return float(sum(_numbers(estimator, name)))


def _numbers(estimator: Any, name: str) -> Iterator[float]:
    """Yield a number of the report of each network inside."""
    found = False
    for network in find_inside(estimator, "training_report_"):
        found = True
        number = getattr(network.training_report_, name)
        if number is None:
            raise ValueError(
                f"The report of {type(network).__name__} has no {name}: trim has left it out."
            )
        yield number
    if not found:
        raise ValueError(f"{type(estimator).__name__} holds no fitted estimator of sknn.")
