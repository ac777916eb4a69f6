"""From fitted estimators to answers that can be differentiated, with names of what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array
from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.estimators.data import check_samples
from sknn.inspection.answers import (
    Answer,
    Behind,
    Calibrated,
    Predictions,
    RawScores,
    Taken,
    Through,
    Transformed,
    Weighted,
)
from sknn.inspection.steps import Transform, chain, take_columns

OUTPUTS = ("raw", "probability", "prediction")
"""What may be explained."""


@dataclass(frozen=True)
class Model:
    """A fitted model as its explanations need it.

    Attributes
    ----------
    answer : Answer
    classes : list or None
        The class, or pair of a target's number and a class, of each output; None of numbers. Of two
        classes only the second has an output.
    names : list of str
        Of the columns of X.
    """

    answer: Answer
    classes: list[Any] | None
    names: list[str] = field(default_factory=list)


def model_of(estimator: Any, output: str) -> Model:
    """Return a fitted estimator as a model.

    Parameters
    ----------
    estimator : object
        An estimator of this package, or one of scikit-learn's around them.
    output : {"raw", "probability", "prediction"}

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If it does not have such an output, or a step before it cannot be gone through.
    """
    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {list(OUTPUTS)}; got {output!r}.")
    if is_search(estimator):
        return model_of(best_of(estimator), output)
    for kind, make in _MODELS.items():
        if isinstance(estimator, kind):
            check_is_fitted(estimator)
            return make(estimator, output)
    if hasattr(estimator, "oof_prediction_"):  # tables need pandas, which others should not load
        is_of_classes = hasattr(estimator, "classes_")
        return (_of_table_classifier if is_of_classes else _of_table_regressor)(estimator, output)
    raise TypeError(
        f"{type(estimator).__name__} cannot be explained: pass a fitted estimator of sknn, or a "
        "Pipeline, search, BaggingClassifier, BaggingRegressor, VotingClassifier, VotingRegressor, "
        "CalibratedClassifierCV or TransformedTargetRegressor around some."
    )


def is_search(estimator: Any) -> bool:
    """Whether an estimator is a search: of all estimators only these have an `error_score`."""
    return hasattr(estimator, "error_score") or hasattr(estimator, "best_estimator_")


def best_of(search: Any) -> Any:
    """Return what a search has found, or raise NotFittedError."""
    message = "This %(name)s has no best_estimator_: fit it, with refit=True."
    check_is_fitted(search, "best_estimator_", msg=message)
    return search.best_estimator_


def are_same(one: Any, other: Any) -> bool:
    """Whether two targets are the same; True is not the class 1, but 1.0 is."""
    if isinstance(one, (bool, np.bool_)) != isinstance(other, (bool, np.bool_)):
        return False
    return np.ndim(one) == np.ndim(other) and bool(np.all(one == other))


def names_of(estimator: Any, n_features: int) -> list[str]:
    """Return the names of the columns that an estimator has been fitted to."""
    while hasattr(estimator, "best_estimator_") and not hasattr(estimator, "feature_names_in_"):
        estimator = estimator.best_estimator_
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{j}" for j in range(n_features)] if names is None else list(names)


def _of_classifier(estimator: Any, output: str) -> Model:
    targets, raw = estimator._targets, _raw(estimator)
    if output == "prediction":
        raise _no_predictions(estimator)
    answer = Predictions(raw, targets.loss) if output == "probability" else raw
    return Model(answer, _classes_of(targets), names_of(estimator, estimator.n_features_in_))


def _of_regressor(estimator: Any, output: str) -> Model:
    raw: Answer = _raw(estimator)
    loss = estimator._targets.loss
    if output == "probability":
        raise _no_probabilities(estimator)
    if output == "prediction":
        several = bool(loss.score_levels)
        rows = slice(None) if several else slice(estimator._targets.n_outputs)
        raw = Predictions(raw, loss, rows)
    return Model(raw, None, names_of(estimator, estimator.n_features_in_))


def _of_table_classifier(estimator: Any, output: str) -> Model:
    if output == "prediction":
        raise _no_predictions(estimator)
    targets, answer = estimator._ensemble.targets, estimator._explained()
    chosen = Predictions(answer, targets.loss) if output == "probability" else answer
    return Model(chosen, _classes_of(targets), names_of(estimator, estimator.n_features_in_))


def _of_table_regressor(estimator: Any, output: str) -> Model:
    if output == "probability":
        raise _no_probabilities(estimator)
    return Model(estimator._explained(), None, names_of(estimator, estimator.n_features_in_))


def _no_predictions(estimator: Any) -> ValueError:
    return ValueError(
        f"output='prediction' of {type(estimator).__name__}: classes have no derivative. Use "
        "output='raw' or output='probability'."
    )


def _no_probabilities(estimator: Any) -> ValueError:
    return ValueError(f"output='probability': {type(estimator).__name__} predicts numbers.")


def _raw(estimator: Any) -> RawScores:
    trained = estimator._trained()
    return RawScores(trained.network, trained.parameters, partial(check_samples, estimator))


def _classes_of(targets: Any) -> list[Any]:
    classes = targets.classes
    if isinstance(classes, list):
        return [(k, c) for k, of_target in enumerate(classes) for c in of_target.tolist()]
    labels = classes.tolist()
    return labels[1:] if targets.n_outputs == 1 and len(labels) == 2 else labels


def _of_pipeline(pipeline: Pipeline, output: str) -> Model:
    last = pipeline.steps[-1][1]
    inner = model_of(last, output)
    steps = [pair for pair in pipeline.steps[:-1] if pair[1] not in (None, "passthrough")]
    if not steps:
        return inner
    n_columns = steps[0][1].n_features_in_
    step, answer = chain(steps, n_columns), inner.answer
    if answer.is_direct:
        answer = Through(step, answer)
    else:
        answer = Behind(step, Transform([transformer for _, transformer in steps]), answer)
    return Model(answer, inner.classes, names_of(steps[0][1], n_columns))


def _of_bagging(ensemble: Any, output: str) -> Model:
    n_columns = ensemble.n_features_in_
    every = np.arange(n_columns)

    def taken(member: Any, columns: Array) -> Model:
        model = model_of(member, output)
        if np.array_equal(columns, every):
            return model
        return Model(
            Taken(model.answer, columns, partial(take_columns, places=columns)), model.classes
        )

    pairs = zip(ensemble.estimators_, ensemble.estimators_features_, strict=True)
    models = [taken(member, columns) for member, columns in pairs]
    return _mean(ensemble, models, [1.0] * len(models), n_columns)


def _of_voting(ensemble: Any, output: str) -> Model:
    if getattr(ensemble, "voting", "soft") == "hard":
        raise ValueError("voting='hard': votes have no derivative. Use voting='soft'.")
    models = [model_of(member, output) for member in ensemble.estimators_]
    given = ensemble.weights
    if given is not None:
        named = zip(ensemble.estimators, given, strict=True)
        given = [w for (_, estimator), w in named if not isinstance(estimator, str)]
    n_columns = len(set(np.concatenate([o for m in models for o in m.answer.origins]).tolist()))
    n_columns = getattr(ensemble, "n_features_in_", n_columns)
    return _mean(ensemble, models, given or [1.0] * len(models), n_columns)


def _mean(ensemble: Any, models: list[Model], weights: list[float], n_columns: int) -> Model:
    first = models[0]
    if any(model.classes != first.classes for model in models):
        raise ValueError(
            f"The members of {type(ensemble).__name__} know different classes, so their outputs "
            "have no mean. Give each of them all classes (more samples, or stratified ones)."
        )
    classes = first.classes
    if classes is not None:  # members of meta-estimators see the numbers of classes
        labels = ensemble.classes_.tolist()
        classes = labels[-len(classes) :]
    total = float(sum(weights))
    answer = Weighted([model.answer for model in models], [w / total for w in weights])
    return Model(answer, classes, names_of(ensemble, n_columns))


def _of_transformed(estimator: TransformedTargetRegressor, output: str) -> Model:
    inner = model_of(estimator.regressor_, "prediction" if output == "prediction" else output)
    if output == "raw":
        return inner
    return Model(
        Transformed(inner.answer, estimator.transformer_.inverse_transform), None, inner.names
    )


def _of_calibrated(estimator: CalibratedClassifierCV, output: str) -> Model:
    if estimator.method != "sigmoid":
        raise ValueError(
            f"CalibratedClassifierCV(method={estimator.method!r}) has no derivative. Use "
            "method='sigmoid'."
        )
    if output != "probability":
        raise ValueError(
            f"output={output!r}: CalibratedClassifierCV has probabilities only. Use "
            "output='probability'."
        )
    models = []
    for member in estimator.calibrated_classifiers_:
        inner = model_of(member.estimator, "probability")
        lines = [(float(c.a_), float(c.b_)) for c in member.calibrators]
        models.append(Model(Calibrated(inner.answer, lines), inner.classes, inner.names))
    return _mean(estimator, models, [1.0] * len(models), len(models[0].names))


_MODELS: dict[type, Any] = {
    MLPClassifier: _of_classifier,
    MLPRegressor: _of_regressor,
    Pipeline: _of_pipeline,
    BaggingClassifier: _of_bagging,
    BaggingRegressor: _of_bagging,
    VotingClassifier: _of_voting,
    VotingRegressor: _of_voting,
    TransformedTargetRegressor: _of_transformed,
    CalibratedClassifierCV: _of_calibrated,
}
"""What makes a model of each kind of estimator."""
