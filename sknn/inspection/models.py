"""From fitted estimators to answers that can be differentiated, with names of what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

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
from sknn.inspection.transformers import Transform, begin_of, chain, is_passed, refusal

Output: TypeAlias = Literal["raw", "probability", "prediction"]

OUTPUTS = get_args(Output)
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
    first : list
        The first of two classes, which has no output: what is said of it is the opposite.
    are_probabilities : bool
        Whether outputs of both classes add up to 1, not to 0.
    """

    answer: Answer
    classes: list[Any] | None
    names: list[str] = field(default_factory=list)
    first: list[Any] = field(default_factory=list)
    are_probabilities: bool = False

    def choose(self, target: Any) -> tuple[Model, list[int]]:
        """Return the model and which of its outputs a target names; None is all of them.

        Raises
        ------
        ValueError
            If it names none.
        """
        n_outputs = self.answer.n_outputs
        if target is None:
            return self, list(range(n_outputs))
        if self.classes is None:
            if isinstance(target, (int, np.integer)) and -n_outputs <= target < n_outputs:
                return self, [int(target) % n_outputs]
            raise ValueError(
                f"target={target!r} is no output: it must be None or an int in "
                f"[0, {n_outputs - 1}]."
            )
        for k, known in enumerate(self.classes):
            if are_same(known, target):
                return self, [k]
        for known in self.first:
            if are_same(known, target):
                opposite = Weighted([self.answer], [-1.0], float(self.are_probabilities))
                return replace(self, answer=opposite, classes=[known], first=self.classes), [0]
        known_classes = [*self.first, *self.classes]
        raise ValueError(f"target={target!r} is no class: these are {known_classes}.")


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
    if isinstance(estimator, FrozenEstimator):
        return model_of(estimator.estimator, output)
    for kind, make in _MODELS.items():
        if isinstance(estimator, kind):
            check_is_fitted(estimator)
            return make(estimator, output)
    if hasattr(estimator, "_explained"):  # tables need pandas, which others should not load
        return _of_table(estimator, output)
    if hasattr(estimator, "to_local"):  # of a cluster
        return model_of(estimator.to_local(), output)
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
    return _model_of_classes(estimator, estimator._targets, _raw(estimator), output)


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


def _of_table(estimator: Any, output: str) -> Model:
    answer = estimator._explained()
    targets = answer.targets
    if not targets.are_numbers:
        return _model_of_classes(estimator, targets, answer, output)
    if output == "probability":
        raise _no_probabilities(estimator)
    return Model(answer, None, names_of(estimator, estimator.n_features_in_))


def _model_of_classes(estimator: Any, targets: Any, raw: Answer, output: str) -> Model:
    if output == "prediction":
        raise ValueError(
            f"output='prediction' of {type(estimator).__name__}: classes have no derivative. Use "
            "output='raw' or output='probability'."
        )
    are_probabilities, answer = output == "probability", raw
    if are_probabilities:
        answer = Predictions(raw, targets.loss)
        if targets.has_one_class:  # it is certain
            answer = Weighted([answer], [0.0], 1.0)
    names = names_of(estimator, estimator.n_features_in_)
    classes, first = _classes_of(targets)
    return Model(answer, classes, names, first, are_probabilities)


def _no_probabilities(estimator: Any) -> ValueError:
    return ValueError(f"output='probability': {type(estimator).__name__} predicts numbers.")


def _raw(estimator: Any) -> RawScores:
    trained = estimator._trained()
    return RawScores(trained.network, trained.parameters, partial(check_samples, estimator))


def _classes_of(targets: Any) -> tuple[list[Any], list[Any]]:
    """Return what outputs stand for, and the first of two classes, which has none."""
    classes = targets.classes
    if isinstance(classes, list):
        return [(k, c) for k, of_target in enumerate(classes) for c in of_target.tolist()], []
    labels = classes.tolist()
    is_pair = targets.n_outputs == 1 and len(labels) == 2
    return (labels[1:], labels[:1]) if is_pair else (labels, [])


def _of_pipeline(pipeline: Pipeline, output: str) -> Model:
    inner = model_of(pipeline.steps[-1][1], output)
    steps = [pair for pair in pipeline.steps[:-1] if not is_passed(pair[1])]
    if not steps:
        return inner
    begin = begin_of(steps)
    if not hasattr(begin, "n_features_in_"):  # of text, say
        raise refusal(steps[0][0], begin)
    n_columns = begin.n_features_in_
    step, answer = chain(steps, n_columns), inner.answer
    if answer.is_direct:
        answer = Through(step, answer)
    else:
        answer = Behind(step, Transform([transformer for _, transformer in steps]), answer)
    return replace(inner, answer=answer, names=names_of(begin, n_columns))


def _of_bagging(ensemble: Any, output: str) -> Model:
    def taken(member: Any, columns: Array) -> Model:
        model = model_of(member, output)
        take = partial(_take_checked, ensemble, columns)
        return replace(model, answer=Taken(model.answer, np.asarray(columns), take))

    members = ensemble.estimators_
    pairs = zip(members, ensemble.estimators_features_, strict=True)
    models = [taken(member, columns) for member, columns in pairs]
    return _mean(ensemble, members, models, [1.0] * len(models), ensemble.n_features_in_)


def _take_checked(ensemble: Any, columns: Array, X: Any) -> Any:
    """Return some columns of rows as the members of an ensemble see them: without names."""
    rows = validate_data(
        ensemble, X, reset=False, accept_sparse="csr", dtype=None, ensure_all_finite=False
    )
    return rows[:, columns]


def _of_voting(ensemble: Any, output: str) -> Model:
    if getattr(ensemble, "voting", "soft") == "hard":
        raise ValueError("voting='hard': votes have no derivative. Use voting='soft'.")
    members = ensemble.estimators_
    models = [model_of(member, output) for member in members]
    given = ensemble.weights
    if given is not None:
        named = zip(ensemble.estimators, given, strict=True)
        given = [w for (_, estimator), w in named if not isinstance(estimator, str)]
    return _mean(ensemble, members, models, given or [1.0] * len(models), len(models[0].names))


def _mean(
    ensemble: Any, members: Any, models: list[Model], weights: list[float], n_columns: int
) -> Model:
    first, names = models[0], names_of(ensemble, n_columns)
    total = float(sum(weights))
    answer = Weighted([model.answer for model in models], [w / total for w in weights])
    if first.classes is None:
        return Model(answer, None, names)
    labels = ensemble.classes_
    if any(len(member.classes_) != len(labels) for member in members):
        raise ValueError(
            f"The members of {type(ensemble).__name__} know different classes, so their outputs "
            "have no mean. Give each of them all classes (more samples, or stratified ones)."
        )
    # Members of meta-estimators see the numbers of classes.
    known = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    n_first = len(first.first)
    one, others = known[:n_first], known[n_first:]
    return replace(first, answer=answer, names=names, classes=others, first=one)


def _of_transformed(estimator: TransformedTargetRegressor, output: str) -> Model:
    inner = model_of(estimator.regressor_, output)
    if output == "raw":
        return inner
    inverse = estimator.transformer_.inverse_transform
    return replace(inner, answer=Transformed(inner.answer, inverse))


def _of_calibrated(estimator: CalibratedClassifierCV, output: str) -> Model:
    if estimator.method != "sigmoid":
        raise ValueError(
            f"CalibratedClassifierCV(method={estimator.method!r}) cannot be explained. Use "
            "method='sigmoid'."
        )
    if output != "probability":
        raise ValueError(
            f"output={output!r}: CalibratedClassifierCV has probabilities only. Use "
            "output='probability'."
        )
    models, members = [], estimator.calibrated_classifiers_
    for member in members:
        inner = model_of(member.estimator, "probability")
        lines = [(float(c.a_), float(c.b_)) for c in member.calibrators]
        models.append(replace(inner, answer=Calibrated(inner.answer, lines)))
    inside = [member.estimator for member in members]
    return _mean(estimator, inside, models, [1.0] * len(models), len(models[0].names))


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
