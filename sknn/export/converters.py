"""What skl2onnx has to know of our estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import ClassifierMixin, is_classifier
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.export.models import best_of, formula_of
from sknn.export.nodes import NodeWriter, Tensor, kind_of_dtype
from sknn.export.signature import BOOL, FLOAT32, FLOAT64, INT64, WORDS, signature_of
from sknn.export.tables import TableFormula
from sknn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    LearningRateSearchCV,
    RandomizedSearchCV,
)
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor

ESTIMATORS: tuple[type, ...] = (
    MLPClassifier,
    MLPRegressor,
    TabularMLPClassifier,
    TabularMLPRegressor,
)
SEARCHES: tuple[type, ...] = (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    LearningRateSearchCV,
    RandomizedSearchCV,
)

OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False],
}
"""What scikit-learn's Pipelines tell their classifiers; there is never a ZipMap."""


def tensors() -> dict[str, Any]:
    """Return skl2onnx's types of tensors with values of each kind."""
    from skl2onnx.common import data_types

    return {
        BOOL: data_types.BooleanTensorType,
        FLOAT32: data_types.FloatTensorType,
        FLOAT64: data_types.DoubleTensorType,
        INT64: data_types.Int64TensorType,
        WORDS: data_types.StringTensorType,
    }


def convert(estimator: Any, X_sample: Any, target_opset: Any) -> Any:
    """Return the model of an estimator, see :func:`sknn.export.to_onnx`."""
    from skl2onnx import to_onnx

    register()
    found = best_of(estimator)
    check_is_fitted(found)
    _prepare(found.steps[-1][1] if isinstance(found, Pipeline) else found)
    # skl2onnx puts columns for scikit-learn's steps side by side.
    is_own = isinstance(found, (*ESTIMATORS, TableEncoder))
    known, inputs = tensors(), signature_of(X_sample, floats_alike=not is_own)
    types = [(name, known[kind]([None, n])) for name, kind, n in inputs]
    options = {id(found): {"zipmap": False}} if is_classifier(found) else None
    return to_onnx(found, initial_types=types, options=options, target_opset=target_opset)


def register() -> None:
    """Register all converters with skl2onnx."""
    for kind in ESTIMATORS:
        _register_estimator(kind)
    _register(TableEncoder, _parse_known, _convert_encoder, None)
    for kind in SEARCHES:
        _register(kind, _parse_search, _convert_search, OPTIONS)


def _prepare(last: Any) -> None:
    """Register the class of a last step if it is derived from one of ours; refuse thresholds."""
    if isinstance(last, ESTIMATORS):
        _register_estimator(type(last))
    if isinstance(last, TunedThresholdClassifierCV):
        raise ValueError(
            f"{type(last).__name__} cannot be exported: skl2onnx leaves out the threshold. Export "
            "its estimator_, and compare the probabilities with best_threshold_."
        )


def _register_estimator(kind: type) -> None:
    options = OPTIONS if issubclass(kind, ClassifierMixin) else None
    _register(kind, _parse_known, _convert_estimator, options)


def _register(
    kind: type, parse: Callable[..., Any], convert: Callable[..., Any], options: Any
) -> None:
    from skl2onnx import update_registered_converter

    alias = f"Sknn{kind.__name__}"
    update_registered_converter(kind, alias, _infer_types, convert, parser=parse, options=options)


# Estimators.


def _parse_known(
    scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    """Return the outputs of an operator for an estimator or encoder."""
    operator = scope.declare_local_operator(f"Sknn{type(model).__name__}", model)
    operator.inputs = inputs
    for name, kind in _outputs_of(model, inputs):
        operator.outputs.append(scope.declare_local_variable(name, kind))
    outputs: list[Any] = operator.outputs
    return outputs


def _infer_types(operator: Any) -> None:
    found = _outputs_of(operator.raw_operator, operator.inputs)
    for variable, (_, kind) in zip(operator.outputs, found, strict=True):
        variable.set_type(kind)


def _outputs_of(model: Any, inputs: list[Any]) -> list[tuple[str, Any]]:
    """Return the names and types of what an estimator answers, or an encoder makes."""
    from skl2onnx.common.data_types import SequenceType

    known, n = tensors(), inputs[0].get_first_dimension()
    numbers = known[_precision_of(inputs)]
    if isinstance(model, TableEncoder):
        check_is_fitted(model)
        return [("variable", known[FLOAT32]([n, model.n_features_out_]))]
    answers = formula_of(model).answers
    if answers.labels is None:
        return [("variable", numbers([n, *(answers.shape or (1,))]))]
    labels = known[kind_of_dtype(answers.labels)]([n, *answers.shape])
    if len(answers.widths) > 1:
        return [("label", labels), ("probabilities", SequenceType(numbers()))]
    return [("label", labels), ("probabilities", numbers([n, answers.widths[0]]))]


def _convert_estimator(scope: Any, operator: Any, container: Any) -> None:
    model = formula_of(operator.raw_operator)
    writer = _begin(scope, container, operator, model.columns)
    writer.computes_as(model.raw)
    prediction, *probabilities = writer.write(
        [model.answers.prediction, *model.answers.probabilities]
    )
    numbers = _precision_of(operator.inputs)
    if model.answers.labels is None:
        prediction = writer.cast(prediction, numbers)
    writer.hand_over([prediction], operator.outputs[0].full_name)
    if probabilities:
        tensors = [writer.cast(tensor, numbers) for tensor in probabilities]
        writer.hand_over(tensors, operator.outputs[1].full_name)


def _convert_encoder(scope: Any, operator: Any, container: Any) -> None:
    encoder = operator.raw_operator
    table = TableFormula(encoder._columns)
    writer = _begin(scope, container, operator, table.names)
    writer.hand_over(writer.write([table.encode(encoder)]), operator.outputs[0].full_name)


def _begin(scope: Any, container: Any, operator: Any, columns: list[Any] | None) -> NodeWriter:
    """Return what writes the nodes of an operator, its inputs in the order of fit's columns."""
    model, inputs = operator.raw_operator, list(operator.inputs)
    if columns is not None and len(inputs) > 1:
        by_name = {variable.raw_name: variable for variable in inputs}
        if by_name.keys() >= set(map(str, columns)):
            inputs = [by_name[str(name)] for name in columns]
    widths = [variable.type.shape[1] for variable in inputs]
    if None not in widths and sum(widths) != model.n_features_in_:
        raise ValueError(
            f"X_sample has {sum(widths)} columns, but {type(model).__name__} was fitted on "
            f"{model.n_features_in_}."
        )
    tensors = [Tensor(variable.full_name, _kind_of(variable)) for variable in inputs]
    return NodeWriter(scope, container, tensors, columns)


def _kind_of(variable: Any) -> str:
    """Return of what kind the values of an input are."""
    for kind, tensor in tensors().items():
        if isinstance(variable.type, tensor):
            return kind
    known = ", ".join(tensor.__name__ for tensor in tensors().values())
    raise ValueError(
        f"The input {variable.raw_name!r} is a {type(variable.type).__name__}; it must be one of "
        f"{known}."
    )


def _precision_of(inputs: list[Any]) -> str:
    """Return the kind of the numbers that come out: doubles only if some go in."""
    return FLOAT64 if FLOAT64 in map(_kind_of, inputs) else FLOAT32


# Searches.


def _parse_search(
    scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    """Return the outputs of what a search has found, which is converted in its place."""
    from skl2onnx._parse import _parse_sklearn

    best, options = best_of(model), scope.get_options(model)
    if options:
        scope.add_options(id(best), options)
    found: list[Any] = _parse_sklearn(scope, best, inputs, custom_parsers=custom_parsers)
    return found


def _convert_search(scope: Any, operator: Any, container: Any) -> None:
    raise AssertionError("A search has no operator of its own.")
