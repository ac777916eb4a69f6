"""Ensembles for tables, and the encoding of their columns, as formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sknn._math import Array
from sknn.export.answers import Model, answer
from sknn.export.columns import check_levels
from sknn.export.formula import (
    Value,
    cast,
    codes,
    concatenate,
    constant,
    cos,
    is_nan,
    log,
    look_up,
    maximum,
    minimum,
    numbers,
    sqrt,
    take,
    where,
)
from sknn.export.layers import run
from sknn.export.links import invert_link
from sknn.export.refusal import of_package
from sknn.losses import Loss
from sknn.tabular import TableEncoder
from sknn.tabular.blending import TINY
from sknn.tabular.encoding import (
    FAR,
    SOFT_RANGE,
    Bins,
    Encoding,
    Missing,
    OneHot,
    Robust,
    TargetMeans,
    Waves,
)
from sknn.tabular.ensemble import Ensemble
from sknn.tabular.members import Member, Unit
from sknn.tabular.table import CATEGORY, NUMBER, Columns

LARGEST = float(np.finfo(np.float64).max)
"""What is larger is infinite."""


class TableFormula:
    """The columns of a table as values.

    Parameters
    ----------
    columns : Columns
        What they have been in fit.
    """

    def __init__(self, columns: Columns) -> None:
        for name, kind in columns.kinds.items():
            if kind not in (NUMBER, CATEGORY):
                raise ValueError(
                    f"Column {name!r} holds values of the kind {kind}, which cannot be exported: "
                    "give the model numbers made of them."
                )
        for name, levels in zip(columns.category_names, columns.levels, strict=True):
            check_levels(name, levels.tolist())
        self.names = columns.names
        self._columns = columns
        self._values: dict[tuple[str, int], Value] = {}

    def number(self, place: int) -> Value:
        """Return a column of `Table.numbers`, (n_samples, 1)."""
        key = "number", place
        if key not in self._values:
            self._values[key] = numbers(self._columns.number_origins[place])
        return self._values[key]

    def code(self, place: int) -> Value:
        """Return a column of `Table.codes`, (n_samples,)."""
        key = "code", place
        if key not in self._values:
            levels = self._columns.levels[place].tolist()
            self._values[key] = codes(self._columns.category_origins[place], levels)
        return self._values[key]

    def n_levels(self, place: int) -> int:
        """Return how many categories a column of codes has."""
        return len(self._columns.levels[place])

    def encode(self, encoder: TableEncoder) -> Value:
        """Return what an encoder makes of the columns."""
        parts = []
        for step in encoder._steps:
            encoding, chosen = step.encoding, [int(column) for column in step.columns]
            if step.is_of_numbers:
                low, high = encoder._lowest[chosen], encoder._highest[chosen]
                x = concatenate([self.number(place) for place in chosen])
                x = where(x > LARGEST, constant(high, "highest"), x)
                x = where(x * -1.0 > LARGEST, constant(low, "lowest"), x).called("bounded")
                formula = of_package(encoding, NUMBER_FORMULAS, "encoding")(x, encoding)
                parts.append(cast(formula, "float32"))
            else:
                parts.append(self.encode_category(encoding, chosen[0]))
        if not parts:
            raise ValueError(
                f"{type(encoder).__name__} has no columns to export: in fit each was constant."
            )
        return concatenate(parts).called("encoded")

    def encode_category(self, encoding: Encoding, place: int) -> Value:
        """Return what an encoding of categories makes of a column: a row for each category."""
        of_package(encoding, CATEGORY_ENCODINGS, "encoding")
        every = np.append(np.arange(self.n_levels(place)), -1)[:, np.newaxis]
        table = np.empty((len(every), len(encoding.names)), np.float32)
        encoding.encode(every, table)
        return look_up(table, self.code(place), "categories")


def formula_of_table(estimator: Any) -> Model:
    """Return an ensemble for tables as a formula."""
    check_is_fitted(estimator)
    ensemble: Ensemble = estimator._ensemble
    table = TableFormula(ensemble.columns)
    mean = _answer_of(ensemble, table)
    targets = ensemble.targets
    if targets.are_numbers:
        return Model(mean, answer(mean, targets), table.names)
    raw = _raw_of(mean, targets.loss) / ensemble.blend.temperature
    raw.called("raw")
    return Model(raw, answer(raw, targets), table.names)


def _answer_of(ensemble: Ensemble, table: TableFormula) -> Value:
    """Return the weighted mean of what the networks say."""
    terms = []
    for members, asked in ensemble.asked():
        if not asked:
            continue
        X = table.encode(members.encoder)
        for member in members.members:
            seen = _see(X, member, table)
            for moment, column in asked:
                share = ensemble.blend.weights[column] / len(members.members)
                views = members.network.layout.views(member.thetas[moment])
                raw = cast(run(members.network, views, seen), "float64")
                terms.append(float(share) * _say(raw, ensemble, member.unit, column))
    total = terms[0]
    for term in terms[1:]:
        total = (total + term).called("total")
    return total.called("mean")


def _see(X: Value, member: Member, table: TableFormula) -> Value:
    own = [table.encode_category(means, place) for place, means in member.means]
    return concatenate([X, *own]).called("seen") if own else X


def _say(raw: Value, ensemble: Ensemble, unit: Unit | None, column: int) -> Value:
    """Return what is averaged of raw scores: numbers, or probabilities."""
    if unit is not None:
        said = raw * constant(unit.spread, "spread") + constant(unit.center, "center")
        return minimum(maximum(said, constant(unit.lowest, "low")), constant(unit.highest, "high"))
    temperatures = ensemble.blend.temperatures
    assert temperatures is not None
    cooled = raw / float(temperatures[column])
    return invert_link(cooled, ensemble.targets.loss, ensemble.targets.n_outputs)


def _raw_of(probability: Value, loss: Loss) -> Value:
    """Return raw scores that have these probabilities."""
    yes = log(maximum(probability, TINY))
    if loss.out_activation != "logistic":
        return yes
    return yes - log(maximum(1.0 - probability, TINY))


def _scaled(x: Value, encoding: Robust) -> Value:
    filled = where(is_nan(x), constant(encoding._mean, "filling"), x)
    z = (filled - constant(encoding._median, "median")) * constant(encoding._factor, "factor")
    z = minimum(maximum(z, -FAR), FAR).called("z")
    share = z / SOFT_RANGE
    return (z / sqrt(share * share + 1.0)).called("robust")


def _bins(x: Value, encoding: Bins) -> Value:
    shares = (x - constant(encoding._edges, "edges")) * constant(encoding._steepness, "steepness")
    passed = where(is_nan(shares), 0.0, minimum(maximum(shares, 0.0), 1.0))
    centered = (passed - constant(encoding._mean, "mean")) * 2.0
    return centered if encoding._has_gaps else where(is_nan(x), 0.0, centered)


def _waves(x: Value, encoding: Waves) -> Value:
    frequency, phase = encoding._frequency, encoding._phase
    n_columns, k = phase.shape
    by_wave = take(_scaled(x, encoding._robust), np.repeat(np.arange(n_columns), k))
    return cos(by_wave * _row(frequency, "frequency") + _row(phase, "phase"))


def _row(array: Array, name: str) -> Value:
    return constant(array.ravel(), name)


NUMBER_FORMULAS: dict[type, Callable[[Value, Any], Value]] = {
    Bins: _bins,
    Missing: lambda x, _: where(is_nan(x), 1.0, -1.0),
    Robust: _scaled,
    Waves: _waves,
}
"""The formulas of encodings of numbers."""

CATEGORY_ENCODINGS: dict[type, bool] = {OneHot: True, TargetMeans: True}
"""Encodings that give each category a row of its own."""
