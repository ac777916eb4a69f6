"""scikit-learn's searches and cross-validation, which train their networks in lockstep."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self

import sklearn.model_selection as original
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (makes them importable)
from sklearn.model_selection import HalvingGridSearchCV as _HalvingGridSearchCV
from sklearn.model_selection import HalvingRandomSearchCV as _HalvingRandomSearchCV

from sknn._version import Versioned
from sknn.parallel import ambient_lockstep


class _InLockstep(Versioned):
    """Mixin of estimators whose ``fit`` enters the lockstep context."""

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Fit as scikit-learn's class of the same name does, in lockstep.

        Parameters
        ----------
        X, y, **params
            As scikit-learn's class takes them.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        with ambient_lockstep(self.n_jobs):  # type: ignore[attr-defined]
            return super().fit(X, y, **params)  # type: ignore[misc]


class GridSearchCV(_InLockstep, original.GridSearchCV):
    """:class:`sklearn.model_selection.GridSearchCV` that trains its networks in lockstep."""


class RandomizedSearchCV(_InLockstep, original.RandomizedSearchCV):
    """:class:`sklearn.model_selection.RandomizedSearchCV` that trains in lockstep."""


class HalvingGridSearchCV(_InLockstep, _HalvingGridSearchCV):
    """:class:`sklearn.model_selection.HalvingGridSearchCV` that trains in lockstep."""


class HalvingRandomSearchCV(_InLockstep, _HalvingRandomSearchCV):
    """:class:`sklearn.model_selection.HalvingRandomSearchCV` that trains in lockstep."""


class TunedThresholdClassifierCV(_InLockstep, original.TunedThresholdClassifierCV):
    """:class:`sklearn.model_selection.TunedThresholdClassifierCV` that trains in lockstep."""


def _in_lockstep(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that enters the lockstep context and does the same."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with ambient_lockstep(kwargs.get("n_jobs")):
            return function(*args, **kwargs)

    run.__doc__ = f":func:`sklearn.model_selection.{function.__name__}` in lockstep."
    run.__module__ = __name__
    return run


cross_validate = _in_lockstep(original.cross_validate)
cross_val_score = _in_lockstep(original.cross_val_score)
cross_val_predict = _in_lockstep(original.cross_val_predict)
learning_curve = _in_lockstep(original.learning_curve)
permutation_test_score = _in_lockstep(original.permutation_test_score)
validation_curve = _in_lockstep(original.validation_curve)


class LearningCurveDisplay(original.LearningCurveDisplay):
    """:class:`sklearn.model_selection.LearningCurveDisplay`, computed in lockstep."""

    from_estimator = classmethod(
        _in_lockstep(original.LearningCurveDisplay.from_estimator.__func__)
    )


class ValidationCurveDisplay(original.ValidationCurveDisplay):
    """:class:`sklearn.model_selection.ValidationCurveDisplay`, computed in lockstep."""

    from_estimator = classmethod(
        _in_lockstep(original.ValidationCurveDisplay.from_estimator.__func__)
    )
