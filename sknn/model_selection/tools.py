"""scikit-learn's searches and cross-validation, which train their networks in lockstep."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypeVar

import sklearn.model_selection as original
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (makes them importable)
from sklearn.model_selection import HalvingGridSearchCV as _HalvingGridSearchCV
from sklearn.model_selection import HalvingRandomSearchCV as _HalvingRandomSearchCV

from sknn._links import Linked
from sknn._math import Array
from sknn._version import Versioned
from sknn.estimators.fields import join_sections, split_sections
from sknn.estimators.words import Folds, RandomState, ScorerName
from sknn.parallel import ambient_lockstep

HANDED_THROUGH = "Parameters", "Attributes", "Returns"
"""Sections of scikit-learn's documentation that hold for what does the same in lockstep."""

VERSION = re.compile(r"(\.\. (?:version\w+|deprecated)::) v?(?=\d)")
"""A change of a version, which is not one of ours."""

POINTER = re.compile(
    r"\s*\b(?:See|Refer|Please refer|Read more in)\b(?:(?!\n\s*\n)[^.])*?:(?:ref|term):`[^`]+`"
    r"(?:(?!\n\s*\n)[^.])*(?:\.|(?=\n\s*\n)|\Z)"
)
"""A sentence that only sends the reader to scikit-learn's own pages."""

N_JOBS = re.compile(r"(?m)^(n_jobs : .*\n)(?:(?: {4}.*)?\n)*(?: {4}.*$)?")
"""The entry of a parameter that means something else here."""

WORKERS = (
    "\\1    Workers among which the fits are shared, each with stacks of its own; -1 stands for\n"
    "    as many as there are cores, None for 1 or what an outer\n"
    "    :class:`joblib.parallel_config` says.\n\n"
)

TITLED = re.compile(r":(?:ref|term):`([^`<]+?)\s*<[^`]+>`|:term:`([^`]+)`")
"""A link to a place in scikit-learn's own pages, with the words that stand there."""

UNTITLED = re.compile(r":ref:`[^`]+`")
"""A link to one without."""

NEARBY = re.compile(r":\w+:`((?!~?(?:sklearn|joblib)\.)[^`]+)`")
"""The name of something, without that of its module."""

T = TypeVar("T", bound=Callable[..., Any])

Scorer: TypeAlias = ScorerName | Callable[..., Any]
Scorers: TypeAlias = Scorer | list[str] | tuple[str, ...] | set[str] | Mapping[str, Any]


def _without_links(docstring: str) -> str:
    """Return scikit-learn's documentation as it can be read elsewhere."""
    text = VERSION.sub(r"\1 scikit-learn-", POINTER.sub("", docstring))
    text = TITLED.sub(lambda found: found[1] or found[2], text)
    text = UNTITLED.sub("scikit-learn's user guide", text)
    return NEARBY.sub(r"``\1``", text).replace("on``", "on ``")


def _documented_as(theirs: Any) -> Callable[[T], T]:
    """Return a decorator that takes over what scikit-learn says of parameters and results."""

    def decorate(ours: T) -> T:
        if ours.__doc__ and theirs.__doc__:  # not with python -OO
            summary, own = split_sections(ours.__doc__)
            known = split_sections(theirs.__doc__)[1]
            handed = {title: _without_links(known.get(title, "")) for title in HANDED_THROUGH}
            handed["Parameters"] = N_JOBS.sub(WORKERS, handed["Parameters"])
            ours.__doc__ = join_sections(summary, handed | own)
        return ours

    return decorate


class _InLockstep(Versioned, Linked):
    """Mixin of estimators whose ``fit`` enters the lockstep context."""

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit as scikit-learn's class of the same name does, in lockstep.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets.
        **params : dict
            What scikit-learn's class takes besides, such as `groups`, and hands to the estimator
            and the splitter.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with ambient_lockstep(self.n_jobs):  # type: ignore[attr-defined]
            return super().fit(X, y, **params)  # type: ignore[misc]


class _Search(_InLockstep):
    """What a search finds, for type checkers."""

    best_estimator_: Any
    best_index_: int
    best_params_: dict[str, Any]
    best_score_: float
    cv_results_: dict[str, Any]
    n_splits_: int
    refit_time_: float
    scorer_: Any


class _HalvingSearch(_Search):
    """What a search by successive halving finds, for type checkers."""

    max_resources_: int
    min_resources_: int
    n_candidates_: list[int]
    n_iterations_: int
    n_possible_iterations_: int
    n_remaining_candidates_: int
    n_required_iterations_: int
    n_resources_: list[int]


@_documented_as(original.GridSearchCV)
class GridSearchCV(_Search, original.GridSearchCV):
    """Search a grid of parameters; the networks of all candidates and folds train in lockstep.

    For the rest it is :class:`sklearn.model_selection.GridSearchCV`.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : The same search, one fit after the other.
    sknn.lockstep : The context that it enters.
    sknn.model_selection.LearningRateSearchCV : Searches learning rates without a grid.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> from sknn.model_selection import GridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(10, tol=0.01, random_state=0)
    >>> grid = {"learning_rate_init": [0.001, 0.01, 0.1]}
    >>> GridSearchCV(network, grid).fit(X, y).best_params_
    {'learning_rate_init': 0.1}
    """

    if TYPE_CHECKING:  # scikit-learn says nothing of types

        def __init__(
            self,
            estimator: Any,
            param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
            *,
            scoring: Scorers | None = None,
            n_jobs: int | None = None,
            refit: bool | str | Callable[..., int] = True,
            cv: Folds | None = None,
            verbose: int = 0,
            pre_dispatch: int | str = "2*n_jobs",
            error_score: float | Literal["raise"] = ...,
            return_train_score: bool = False,
        ) -> None: ...


@_documented_as(original.RandomizedSearchCV)
class RandomizedSearchCV(_Search, original.RandomizedSearchCV):
    """Search parameters drawn at random; the networks of all candidates train in lockstep.

    For the rest it is :class:`sklearn.model_selection.RandomizedSearchCV`.

    See Also
    --------
    sklearn.model_selection.RandomizedSearchCV : The same search, one fit after the other.
    sknn.lockstep : The context that it enters.
    sknn.model_selection.HalvingRandomSearchCV : Leaves bad candidates early.
    """

    if TYPE_CHECKING:  # scikit-learn says nothing of types

        def __init__(
            self,
            estimator: Any,
            param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
            *,
            n_iter: int = 10,
            scoring: Scorers | None = None,
            n_jobs: int | None = None,
            refit: bool | str | Callable[..., int] = True,
            cv: Folds | None = None,
            verbose: int = 0,
            pre_dispatch: int | str = "2*n_jobs",
            random_state: RandomState | None = None,
            error_score: float | Literal["raise"] = ...,
            return_train_score: bool = False,
        ) -> None: ...


@_documented_as(_HalvingGridSearchCV)
class HalvingGridSearchCV(_HalvingSearch, _HalvingGridSearchCV):
    """Search a grid by successive halving; the networks of each round train in lockstep.

    For the rest it is :class:`sklearn.model_selection.HalvingGridSearchCV`. scikit-learn calls that
    experimental and asks for an import that enables it; here it needs none.

    See Also
    --------
    sklearn.model_selection.HalvingGridSearchCV : The same search, one fit after the other.
    sknn.lockstep : The context that it enters.
    sknn.model_selection.LearningRateSearchCV : Halves learning rates, with epochs as resource.
    """

    if TYPE_CHECKING:  # scikit-learn says nothing of types

        def __init__(
            self,
            estimator: Any,
            param_grid: Mapping[str, Any] | Sequence[Mapping[str, Any]],
            *,
            factor: float = 3,
            resource: str = "n_samples",
            max_resources: int | Literal["auto"] = "auto",
            min_resources: int | Literal["exhaust", "smallest"] = "exhaust",
            aggressive_elimination: bool = False,
            cv: Folds = 5,
            scoring: Scorer | None = None,
            refit: bool | Callable[..., int] = True,
            error_score: float | Literal["raise"] = ...,
            return_train_score: bool = True,
            random_state: RandomState | None = None,
            n_jobs: int | None = None,
            verbose: int = 0,
        ) -> None: ...


@_documented_as(_HalvingRandomSearchCV)
class HalvingRandomSearchCV(_HalvingSearch, _HalvingRandomSearchCV):
    """Search random parameters by successive halving; networks of a round train in lockstep.

    For the rest it is :class:`sklearn.model_selection.HalvingRandomSearchCV`. scikit-learn calls
    that experimental and asks for an import that enables it; here it needs none.

    See Also
    --------
    sklearn.model_selection.HalvingRandomSearchCV : The same search, one fit after the other.
    sknn.lockstep : The context that it enters.
    sknn.model_selection.RandomizedSearchCV : Trains all candidates to the end.
    """

    if TYPE_CHECKING:  # scikit-learn says nothing of types

        def __init__(
            self,
            estimator: Any,
            param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
            *,
            n_candidates: int | Literal["exhaust"] = "exhaust",
            factor: float = 3,
            resource: str = "n_samples",
            max_resources: int | Literal["auto"] = "auto",
            min_resources: int | Literal["exhaust", "smallest"] = "smallest",
            aggressive_elimination: bool = False,
            cv: Folds = 5,
            scoring: Scorer | None = None,
            refit: bool | Callable[..., int] = True,
            error_score: float | Literal["raise"] = ...,
            return_train_score: bool = True,
            random_state: RandomState | None = None,
            n_jobs: int | None = None,
            verbose: int = 0,
        ) -> None: ...


@_documented_as(original.TunedThresholdClassifierCV)
class TunedThresholdClassifierCV(_InLockstep, original.TunedThresholdClassifierCV):
    """Tune the threshold of a classifier; the networks of all folds train in lockstep.

    For the rest it is :class:`sklearn.model_selection.TunedThresholdClassifierCV`.

    See Also
    --------
    sklearn.model_selection.TunedThresholdClassifierCV : The same, one fit after the other.
    sklearn.model_selection.FixedThresholdClassifier : Takes a threshold that is known.
    sknn.lockstep : The context that it enters.
    """

    best_score_: float
    best_threshold_: float
    classes_: Array

    if TYPE_CHECKING:  # scikit-learn says nothing of types

        def __init__(
            self,
            estimator: Any,
            *,
            scoring: Scorer = "balanced_accuracy",
            response_method: Literal["auto", "decision_function", "predict_proba"] = "auto",
            thresholds: int | Sequence[float] | Array = 100,
            cv: Folds | float | Literal["prefit"] | None = None,
            refit: bool = True,
            n_jobs: int | None = None,
            random_state: RandomState | None = None,
            store_cv_results: bool = False,
        ) -> None: ...


def _in_lockstep(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that enters the lockstep context and does the same."""
    page = f"sklearn.model_selection.{function.__qualname__.partition('.')[0]}"

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with ambient_lockstep(kwargs.get("n_jobs")):
            return function(*args, **kwargs)

    summary = f"Do what ``{function.__name__}`` does in scikit-learn, in lockstep."
    also = f"{page} : The same, one fit after the other.\nsknn.lockstep : The context it enters."
    run.__doc__ = join_sections(summary, {"See Also": also})
    run.__module__ = __name__
    return _documented_as(function)(run)


if TYPE_CHECKING:

    def cross_validate(
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        scoring: Scorers | None = None,
        cv: Folds | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        params: Mapping[str, Any] | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        return_train_score: bool = False,
        return_estimator: bool = False,
        return_indices: bool = False,
        error_score: float | Literal["raise"] = ...,
    ) -> dict[str, Any]:
        """Return scores and times of each fold, trained in lockstep."""

    def cross_val_score(
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        scoring: Scorer | None = None,
        cv: Folds | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        params: Mapping[str, Any] | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | Literal["raise"] = ...,
    ) -> Array:
        """Return the score of each fold, trained in lockstep."""

    def cross_val_predict(
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        cv: Folds | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        params: Mapping[str, Any] | None = None,
        pre_dispatch: int | str = "2*n_jobs",
        method: Literal[
            "predict", "predict_proba", "predict_log_proba", "decision_function"
        ] = "predict",
    ) -> Array | Any:
        """Return predictions of each sample by a fit that has not seen it; trained in lockstep."""

    def learning_curve(
        estimator: Any,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        train_sizes: Sequence[float] | Array = ...,
        cv: Folds | None = None,
        scoring: Scorer | None = None,
        exploit_incremental_learning: bool = False,
        n_jobs: int | None = None,
        pre_dispatch: int | str = "all",
        verbose: int = 0,
        shuffle: bool = False,
        random_state: RandomState | None = None,
        error_score: float | Literal["raise"] = ...,
        return_times: bool = False,
        params: Mapping[str, Any] | None = None,
    ) -> tuple[Array, ...]:
        """Return scores over the number of samples, trained in lockstep."""

    def permutation_test_score(
        estimator: Any,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        cv: Folds | None = None,
        n_permutations: int = 100,
        n_jobs: int | None = None,
        random_state: RandomState | None = 0,
        verbose: int = 0,
        scoring: Scorer | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> tuple[float, Array, float]:
        """Return how probable a score is by chance, trained in lockstep."""

    def validation_curve(
        estimator: Any,
        X: Any,
        y: Any,
        *,
        param_name: str,
        param_range: Any,
        groups: Any = None,
        cv: Folds | None = None,
        scoring: Scorer | None = None,
        n_jobs: int | None = None,
        pre_dispatch: int | str = "all",
        verbose: int = 0,
        error_score: float | Literal["raise"] = ...,
        params: Mapping[str, Any] | None = None,
    ) -> tuple[Array, Array]:
        """Return scores over the values of a parameter, trained in lockstep."""

else:
    cross_validate = _in_lockstep(original.cross_validate)
    cross_val_score = _in_lockstep(original.cross_val_score)
    cross_val_predict = _in_lockstep(original.cross_val_predict)
    learning_curve = _in_lockstep(original.learning_curve)
    permutation_test_score = _in_lockstep(original.permutation_test_score)
    validation_curve = _in_lockstep(original.validation_curve)


@_documented_as(original.LearningCurveDisplay)
class LearningCurveDisplay(original.LearningCurveDisplay):
    """Draw scores over the number of samples; the networks train in lockstep.

    For the rest it is :class:`sklearn.model_selection.LearningCurveDisplay`.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : The same, one fit after the other.
    sknn.model_selection.learning_curve : Computes the scores.
    sknn.inspection.LossCurveDisplay : Draws the loss over the epochs of one training.
    """

    if TYPE_CHECKING:

        @classmethod
        def from_estimator(cls, estimator: Any, X: Any, y: Any, **options: Any) -> Self: ...

    else:
        from_estimator = classmethod(
            _in_lockstep(original.LearningCurveDisplay.from_estimator.__func__)
        )


@_documented_as(original.ValidationCurveDisplay)
class ValidationCurveDisplay(original.ValidationCurveDisplay):
    """Draw scores over the values of a parameter; the networks train in lockstep.

    For the rest it is :class:`sklearn.model_selection.ValidationCurveDisplay`.

    See Also
    --------
    sklearn.model_selection.ValidationCurveDisplay : The same, one fit after the other.
    sknn.model_selection.validation_curve : Computes the scores.
    sknn.model_selection.LearningRateDisplay : Draws scores over learning rates that were searched.
    """

    if TYPE_CHECKING:

        @classmethod
        def from_estimator(cls, estimator: Any, X: Any, y: Any, **options: Any) -> Self: ...

    else:
        from_estimator = classmethod(
            _in_lockstep(original.ValidationCurveDisplay.from_estimator.__func__)
        )
