"""Fitted estimators as formulas."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.export.answers import Model, answer
from sknn.export.formula import matrix
from sknn.export.layers import run


def formula_of(estimator: Any) -> Model:
    """Return a fitted estimator of the package as a formula.

    Raises
    ------
    ValueError
        If it is another one, or has parts that cannot be expressed.
    """
    if isinstance(estimator, (MLPClassifier, MLPRegressor)):
        trained = estimator._trained()
        raw = run(trained.network, trained.parameters, matrix(trained.network.n_features))
        names = getattr(estimator, "feature_names_in_", None)
        had_names = None if names is None else [str(name) for name in names]
        return Model(raw, answer(raw, trained.targets), names=had_names)
    if is_table_model(estimator):
        from sknn.export.tables import formula_of_table  # pandas, which others should not load

        return formula_of_table(estimator)
    raise ValueError(
        f"{type(estimator).__name__} cannot be exported: pass a fitted estimator of sknn, or a "
        "search for one."
    )


def is_table_model(estimator: Any) -> bool:
    """Whether an estimator is an ensemble for tables; pandas is loaded only if some may be."""
    return any(kind.__module__ == "sknn.tabular.base" for kind in type(estimator).__mro__)


def best_of(estimator: Any) -> Any:
    """Return what a search has found, of a cluster the counterpart, and others themselves."""
    while hasattr(estimator, "error_score") or hasattr(estimator, "best_estimator_"):
        message = "This %(name)s has no best_estimator_: fit it, with refit=True."
        check_is_fitted(estimator, "best_estimator_", msg=message)
        estimator = estimator.best_estimator_
    if hasattr(estimator, "to_local"):  # of a cluster
        return estimator.to_local()
    return estimator


def single_of(estimator: Any, function: str) -> Any:
    """Return what a search has found, and any other estimator itself, but for a Pipeline.

    Raises
    ------
    ValueError
        For a Pipeline, whose other steps are not ours.
    """
    found = best_of(estimator)
    if isinstance(found, Pipeline):
        name, last = found.steps[-1]
        raise ValueError(
            f"{function} cannot express the steps of a Pipeline before {name!r} "
            f"({type(last).__name__}): export its last step alone, {function}(pipeline[-1]), and "
            "give what you make of it what pipeline[:-1].transform returns; or use to_onnx."
        )
    return found
