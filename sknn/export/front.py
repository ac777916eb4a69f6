"""What stands in front of a model: columns in the order of fit, numbers that are all of one kind.

skl2onnx puts columns side by side in the type of the first one, and so cuts off what stands behind
the point if that is an integer. scikit-learn's steps compute in the precision that NumPy gives the
columns together, and here they get them in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.utils.validation import validate_data

from sknn.estimators import MLPClassifier, MLPRegressor
from sknn.export.parts import check_ordinal, first_of, parts_of, transformers_of
from sknn.export.signature import BOOL, FLOAT64, INT64, WORDS, Input
from sknn.tabular import TableEncoder, TabularMLPClassifier, TabularMLPRegressor
from sknn.tabular.table import has_names

ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)
"""What tells integers apart as categories, and puts none beside other numbers."""

NETWORKS = (MLPClassifier, MLPRegressor)
TABLES = (TableEncoder, TabularMLPClassifier, TabularMLPRegressor)
READ_COLUMNS = (ColumnTransformer, *ENCODERS, *TABLES)
"""What reads columns one by one."""


class Taken(NamedTuple):
    """A column as it is taken.

    Attributes
    ----------
    place : int
        The number of the input.
    kind : str
        What its values are cast to.
    """

    place: int
    kind: str


class Front(NamedTuple):
    """An estimator behind what it takes.

    Attributes
    ----------
    estimator : estimator
    taken : list of Taken
    is_matrix : bool
        Whether it takes them side by side.
    """

    estimator: Any
    taken: list[Taken]
    is_matrix: bool


def front_of(estimator: Any, X_sample: Any, inputs: Sequence[Input]) -> Front:
    """Return what an estimator takes of some inputs.

    Raises
    ------
    ValueError
        If the columns are not those of fit: the estimator's own error for their names.
    """
    estimator = _without_idle_steps(estimator)
    first = first_of(estimator)
    expected = _named_columns(first) if has_names(X_sample) else None
    if expected is None:
        _check_columns(estimator, X_sample, inputs)
        places = {column: column for column in range(len(inputs))}
    else:
        places = _find(expected, [each.name for each in inputs], first)
    kinds = {column: inputs[place].kind for column, place in places.items()}
    if not isinstance(first, (*NETWORKS, *TABLES)):  # ours take any kinds
        given, categories = kinds, _categories(first, inputs)
        kinds = _widened(kinds, categories)
        if kinds != given and not _are_kept(first, categories):
            _check_encoders(estimator)
    taken = [Taken(place, kinds[column]) for column, place in places.items()]
    # Ensembles of scikit-learn's have one input in skl2onnx.
    is_matrix = len(set(kinds.values())) == 1 and not any(
        isinstance(part, READ_COLUMNS) for part in parts_of(estimator)
    )
    return Front(estimator, taken, is_matrix and len(taken) > 1)


def _without_idle_steps(estimator: Any) -> Any:
    """Return a Pipeline without steps that do nothing, which skl2onnx stumbles over."""
    if not isinstance(estimator, Pipeline):
        return estimator
    return Pipeline([each for each in estimator.steps if each[1] not in (None, "passthrough")])


def _named_columns(first: Any) -> list[str] | None:
    """Return the columns that a model finds by their names; None if it goes by their order."""
    if isinstance(first, TABLES):
        is_encoder = isinstance(first, TableEncoder)
        columns = first._columns if is_encoder else first._ensemble.columns
        return [str(name) for name in columns.names] if columns._has_names else None
    if isinstance(first, ColumnTransformer) and hasattr(first, "feature_names_in_"):
        return [str(name) for name in first.feature_names_in_]
    return None


def _check_columns(estimator: Any, X_sample: Any, inputs: Sequence[Input]) -> None:
    """Raise the estimator's own error for other names, and ValueError for another number."""
    if has_names(X_sample) and hasattr(estimator, "feature_names_in_"):
        validate_data(estimator, X_sample, reset=False, skip_check_array=True)
    found = sum(each.n_columns for each in inputs)
    expected = getattr(estimator, "n_features_in_", None)
    if expected not in (None, found):
        raise ValueError(
            f"X_sample has {found} columns, but {type(estimator).__name__} was fitted on "
            f"{expected}."
        )


def _find(expected: list[str], names: list[str], first: Any) -> dict[int, int]:
    """Return the inputs of the columns of fit, but of those that are missing and nothing reads."""
    missing = [name for name in expected if name not in names]
    if missing and isinstance(first, ColumnTransformer):
        read = _readers(first)
        are_named = all(_are_names(columns) for _, columns in _reading(first))
        missing = [name for name in missing if not are_named or expected.index(name) in read]
    if missing:
        raise ValueError(
            f"X_sample lacks {len(missing)} of the columns that {type(first).__name__} had in fit: "
            f"{', '.join(map(repr, missing[:5]))}."
        )
    return {k: names.index(name) for k, name in enumerate(expected) if name in names}


def _widened(kinds: dict[int, str], categories: set[int]) -> dict[int, str]:
    """Return the kinds in which scikit-learn's steps take columns.

    Numbers and bools all have the floating type that NumPy gives them together. What only encoders
    read remains as it is, and bools are integers there.
    """
    numbers = [kind for k, kind in kinds.items() if kind != WORDS and k not in categories]
    common = np.result_type(*numbers) if numbers else np.dtype(np.float64)
    floating = str(common) if common.kind == "f" else FLOAT64
    widened = {}
    for k, kind in kinds.items():
        of_category = INT64 if kind == BOOL else kind
        of_number = kind if kind == WORDS else floating
        widened[k] = of_category if k in categories else of_number
    return widened


def _are_kept(first: Any, categories: set[int]) -> bool:
    """Whether all columns that encoders read remain as they are."""
    if isinstance(first, ColumnTransformer):
        read = _readers(first)
        return {
            column for column, are_encoders in read.items() if True in are_encoders
        } <= categories
    return isinstance(first, ENCODERS)


def _check_encoders(estimator: Any) -> None:
    """Raise ValueError if encoders cannot tell integers apart once they are floats."""
    for part in parts_of(estimator):
        if isinstance(part, OrdinalEncoder):
            check_ordinal(part, "i")


def _categories(first: Any, inputs: Sequence[Input]) -> set[int]:
    """Return the columns that encoders of categories read, and nothing else."""
    if isinstance(first, ENCODERS):
        return set(range(len(inputs)))
    if not isinstance(first, ColumnTransformer):
        return set()
    read = _readers(first)
    chosen = {column for column, are_encoders in read.items() if are_encoders == {True}}
    if any(each.n_columns > 1 for each in inputs):  # a matrix, which is of one kind
        return {0} if chosen == set(read) else set()
    return chosen


def _readers(transformer: Any) -> dict[int, set[bool]]:
    """Return for each column that is read whether its readers are encoders."""
    n_columns = transformer.n_features_in_
    names = getattr(transformer, "feature_names_in_", range(n_columns))
    numbered = pd.DataFrame([np.arange(n_columns)], columns=list(names))
    read: dict[int, set[bool]] = {}
    for step, columns in _reading(transformer):
        chosen = numbered.loc if _are_names(columns) else numbered.iloc
        is_encoder = isinstance(first_of(step), ENCODERS)
        for place in np.ravel(chosen[:, columns]).tolist():
            read.setdefault(place, set()).add(is_encoder)
    return read


def _reading(transformer: Any) -> list[tuple[Any, Any]]:
    """Return the steps of a ColumnTransformer that read columns, and which."""
    found = transformers_of(transformer)
    return [
        (step, columns) for _, step, columns in found if not isinstance(step, str) or step != "drop"
    ]


def _are_names(columns: Any) -> bool:
    """Whether columns are chosen by their names."""
    if isinstance(columns, slice):
        return isinstance(columns.start, str) or isinstance(columns.stop, str)
    return any(isinstance(column, str) for column in np.ravel(np.asarray(columns, object)))
