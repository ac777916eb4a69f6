"""What skl2onnx has to know of scikit-learn's own steps, where it knows too little of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from sknn._math import Array
from sknn.export.formula import (
    Value,
    cast,
    concatenate,
    constant,
    is_nan,
    matrix,
    reshape,
    take,
    where,
)
from sknn.export.inputs import certain, kind_of, precision_of, tensors
from sknn.export.nodes import NodeWriter
from sknn.export.signature import WORDS

# Gaps. skl2onnx has numbers for float32 only, and no columns that say where gaps were.


def infer_imputer(operator: Any) -> None:
    """Say of what type and shape an imputer's output is."""
    imputer = operator.raw_operator
    if not _fills_numbers(imputer, operator.inputs):
        from skl2onnx.common._registration import get_shape_calculator

        get_shape_calculator("SklearnSimpleImputer")(operator)
        return
    n = operator.inputs[0].get_first_dimension()
    n_columns = len(_kept(imputer)) + len(_flagged(imputer))
    operator.outputs[0].set_type(tensors()[precision_of(operator.inputs)]([n, n_columns]))


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of an imputer."""
    imputer, inputs = operator.raw_operator, operator.inputs
    if not _fills_numbers(imputer, inputs):
        from skl2onnx.common._registration import get_converter

        get_converter("SklearnSimpleImputer")(scope, operator, container)
        return
    precision = precision_of(inputs)
    writer = NodeWriter(scope, container, certain(scope, container, inputs))
    value = _imputed(imputer, precision)
    writer.computes_as(value)
    writer.hand_over(writer.write([value]), operator.outputs[0].full_name)


def _fills_numbers(imputer: Any, inputs: list[Any]) -> bool:
    """Whether an imputer replaces NaN with numbers."""
    missing = imputer.missing_values
    are_numbers = all(kind_of(variable) != WORDS for variable in inputs)
    return isinstance(missing, float) and math.isnan(missing) and are_numbers


def _statistics(imputer: Any) -> Array:
    """Return what an imputer puts into gaps; NaN for columns that had no value in fit."""
    statistics: Array = imputer.statistics_.astype(np.float64)  # constants may be objects
    return statistics


def _kept(imputer: Any) -> Array:
    """Return the columns that an imputer keeps: not those that had no value in fit."""
    return np.flatnonzero(~np.isnan(_statistics(imputer)))


def _flagged(imputer: Any) -> Array:
    """Return the columns of which further ones say where gaps are."""
    return imputer.indicator_.features_ if imputer.add_indicator else np.empty(0, int)


def _imputed(imputer: Any, precision: str) -> Value:
    statistics, kept, flagged = _statistics(imputer), _kept(imputer), _flagged(imputer)
    x = matrix(len(statistics))
    parts = []
    if len(kept):
        values, filling = take(x, kept), statistics[kept].astype(precision)
        parts.append(where(is_nan(values), constant(filling, "filling"), values))
    if len(flagged):
        parts.append(cast(where(is_nan(take(x, flagged)), 1.0, 0.0), precision))
    return concatenate(parts)


# Targets that were transformed.


def infer_transformed(operator: Any) -> None:
    """Say of what type and shape a TransformedTargetRegressor's output is."""
    n, n_targets = operator.inputs[0].get_first_dimension(), _n_targets(operator.raw_operator)
    operator.outputs[0].set_type(tensors()[precision_of(operator.inputs)]([n, n_targets]))


def convert_transformed(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a TransformedTargetRegressor, and the operators within."""
    from skl2onnx._parse import _parse_sklearn

    model = operator.raw_operator
    inverse = _inverse_of(model.transformer_)
    found = _parse_sklearn(scope, model.regressor_, operator.inputs)
    for variable in found:
        variable.init_status(is_leaf=False)  # as which a search within leaves it
    writer = NodeWriter(scope, container, certain(scope, container, found))
    n_targets = _n_targets(model)
    y = inverse(reshape(matrix(n_targets), (n_targets,)))
    writer.computes_as(y)
    [predicted] = writer.write([y])
    result = writer.cast(predicted, precision_of(operator.inputs))
    writer.hand_over([result], operator.outputs[0].full_name)


def _n_targets(model: Any) -> int:
    n_targets: int = model.transformer_.n_features_in_
    return n_targets


def _inverse_of(transformer: Any) -> Callable[[Value], Value]:
    """Return the inverse of a transformer of targets as a formula.

    Raises
    ------
    ValueError
        If it is not linear.
    """
    match transformer:
        case StandardScaler():
            scale = transformer.scale_ if transformer.with_std else 1.0
            mean = transformer.mean_ if transformer.with_mean else 0.0
            return lambda y: y * scale + mean
        case MinMaxScaler():
            return lambda y: (y - transformer.min_) / transformer.scale_
        case FunctionTransformer(inverse_func=None, func=None):
            return lambda y: y
    raise ValueError(
        f"{TransformedTargetRegressor.__name__} has a {type(transformer).__name__} as its "
        "transformer, whose inverse cannot be exported: only that of StandardScaler and "
        "MinMaxScaler can. Export its regressor_, and apply transformer_.inverse_transform."
    )


CONVERTERS: dict[type, Callable[[Any, Any, Any], None]] = {SimpleImputer: convert_imputer}
SHAPES: dict[type, Callable[[Any], None]] = {SimpleImputer: infer_imputer}
"""What is used in place of skl2onnx's own."""
