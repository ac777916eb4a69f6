"""What skl2onnx has to know of our estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.base import ClassifierMixin, is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.utils.validation import check_is_fitted

from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.export.finish import check_model, check_opset, explained, join_exactly
from sknn.export.front import Front, front_of
from sknn.export.inputs import certain, kind_of, precision_of, tensors, width_of
from sknn.export.models import best_of, formula_of
from sknn.export.nodes import NodeWriter, kind_of_dtype
from sknn.export.parts import parts_of, refuse_what_comes_out_wrong
from sknn.export.signature import FLOAT32, Input, signature_of
from sknn.export.steps import CONVERTERS, SHAPES, convert_transformed, infer_transformed
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


def convert(estimator: Any, X_sample: Any, target_opset: Any) -> Any:
    """Return the model of an estimator, see :func:`sknn.export.to_onnx`."""
    found = best_of(estimator)
    check_is_fitted(found)
    check_opset(target_opset)
    refuse_what_comes_out_wrong(found)
    register()
    for part in parts_of(found):
        if isinstance(part, ESTIMATORS):  # a class of one's own may be derived from ours
            _register_estimator(type(part))
    inputs = signature_of(X_sample)
    front = front_of(found, X_sample, inputs)
    with explained(found):
        model = _convert(front, inputs, target_opset)
    join_exactly(model)
    check_model(model, found)
    return model


def _convert(front: Front, inputs: list[Input], target_opset: Any) -> Any:
    """Return what skl2onnx makes of an estimator."""
    from skl2onnx import convert_sklearn

    estimator, known = front.estimator, tensors()
    model = convert_sklearn(
        front,
        name=f"ONNX({type(estimator).__name__})",
        initial_types=[(name, known[kind]([None, n])) for name, kind, n in inputs],
        options={id(estimator): {"zipmap": False}} if is_classifier(estimator) else None,
        target_opset=target_opset,
        custom_conversion_functions=CONVERTERS,
        custom_shape_calculators=SHAPES,
    )
    asked = target_opset.get("") if isinstance(target_opset, dict) else target_opset
    for domain in model.opset_import:
        if domain.domain == "":  # skl2onnx takes the oldest that will do
            domain.version = asked or domain.version
    return model


def register() -> None:
    """Register all converters with skl2onnx."""
    for kind in ESTIMATORS:
        _register_estimator(kind)
    _register(TableEncoder, _infer_types, _convert_encoder, _parse_known)
    for search in SEARCHES:
        _register(search, _infer_types, _convert_within, _parse_search, OPTIONS)
    _register(Front, _infer_types, _convert_within, _parse_front)
    _register(TransformedTargetRegressor, infer_transformed, convert_transformed)


def _register_estimator(kind: type) -> None:
    options = OPTIONS if issubclass(kind, ClassifierMixin) else None
    _register(kind, _infer_types, _convert_estimator, _parse_known, options)


def _register(
    kind: type,
    infer: Callable[..., None],
    convert: Callable[..., None],
    parse: Callable[..., Any] | None = None,
    options: Any = None,
) -> None:
    from skl2onnx import update_registered_converter

    alias = f"Sknn{kind.__name__}"
    update_registered_converter(kind, alias, infer, convert, parser=parse, options=options)


# Estimators.


def _parse_known(
    scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    """Return the outputs of an operator for an estimator or encoder."""
    from skl2onnx.common.data_types import Int64TensorType

    operator = scope.declare_local_operator(f"Sknn{type(model).__name__}", model)
    operator.inputs = inputs
    for name, kind in _outputs_of(model, inputs):
        # As scikit-learn's own begin: Pipelines within ensembles cast what differs from it.
        kind = Int64TensorType() if name == "label" else kind
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
    numbers = known[precision_of(inputs)]
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
    numbers = precision_of(operator.inputs)
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
    width, expected = width_of(inputs), model.n_features_in_
    if width not in (None, expected):
        what = (
            "X_sample has" if inputs[0].is_root else "What skl2onnx makes of the steps before has"
        )
        raise ValueError(
            f"{what} {width} columns, but {type(model).__name__} was fitted on {expected}."
        )
    return NodeWriter(scope, container, certain(scope, container, inputs), columns)


# What stands around an estimator.


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


def _parse_front(
    scope: Any, front: Front, inputs: list[Any], custom_parsers: Any = None
) -> list[Any]:
    """Return the outputs of an estimator that is given what it takes."""
    from skl2onnx._parse import _parse_sklearn

    taken, known = [], tensors()
    for place, kind in front.taken:
        variable = inputs[place]
        if kind_of(variable) != kind:
            operator = scope.declare_local_operator("SklearnCast")
            shape = variable.type.shape
            # ColumnTransformers look for columns by their names.
            widened = scope.declare_local_variable(variable.raw_name, known[kind](shape))
            operator.inputs = [variable]
            operator.outputs.append(widened)
            variable = widened
        taken.append(variable)
    if front.is_matrix:
        operator = scope.declare_local_operator("SklearnConcat")
        matrix = known[front.taken[0].kind]([None, len(taken)])
        side_by_side = scope.declare_local_variable("X", matrix)
        operator.inputs = taken
        operator.outputs.append(side_by_side)
        taken = [side_by_side]
    found: list[Any] = _parse_sklearn(scope, front.estimator, taken, custom_parsers=custom_parsers)
    return found


def _convert_within(scope: Any, operator: Any, container: Any) -> None:
    raise AssertionError("What stands around an estimator has no operator of its own.")
