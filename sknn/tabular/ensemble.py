"""A trained ensemble: what it has read, its networks, and how their answers become one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sknn._blas import ONE_BLAS_THREAD
from sknn._math import Array
from sknn.data import StoredRows
from sknn.plain import kept
from sknn.tabular.blending import Blend
from sknn.tabular.files import read_tables
from sknn.tabular.members import Fold, Members
from sknn.tabular.table import Columns, Table
from sknn.targets import Targets

CHUNK = 8192
"""Rows that are predicted at a time, which bounds the memory."""

Judges = tuple[tuple[int, ...], ...]
"""For each kind the numbers of the networks that have not been trained on a row."""


@kept
@dataclass
class Ensemble:
    """Networks of several kinds that answer together.

    Attributes
    ----------
    columns : Columns
        What the table's columns are.
    targets : Targets
        With the loss.
    kinds : list of Members
    blend : Blend
        What each kind at each moment counts: a column for each.
    """

    columns: Columns
    targets: Targets
    kinds: list[Members]
    blend: Blend

    @ONE_BLAS_THREAD
    def answer(self, X: Any) -> Array:
        """Return what the ensemble says of rows: numbers or probabilities, (n_raw, n_samples)."""
        return np.concatenate(
            [sum(of_kind.mean(axis=0) for of_kind in part) for part in self.by_member(X)], axis=1
        )

    def by_member(self, X: Any) -> Iterator[list[Array]]:
        """Yield for each chunk of rows what the networks of each kind say.

        Each kind has an array of shape (n_members, n_raw, n_rows), whose moments are summed with
        their weights: the sum over kinds of the means over members is the answer. Rows in files
        come in the order of these.
        """
        stored = isinstance(X, StoredRows) and len(X) > 0
        for table in read_tables(self.columns, X) if stored else [self.columns.read(X)]:
            for start in range(0, max(1, len(table)), CHUNK):
                yield self._by_member(table.of(slice(start, start + CHUNK)))

    def _by_member(self, table: Table) -> list[Array]:
        answers = []
        for members, asked in self.asked():
            total = np.zeros((len(members.members), members.network.n_outputs, len(table)))
            if asked:
                X = members.encoder.encode(table)
                for answer, member in zip(total, members.members, strict=True):
                    seen = member.see(X, table.codes)
                    for moment, column in asked:
                        raw = members.predict(member, moment, seen)
                        answer += self.blend.weights[column] * self.answer_of(raw, column)
            answers.append(total)
        return answers

    def asked(self) -> Iterator[tuple[Members, list[tuple[int, int]]]]:
        """Yield each kind with its moments that count, and the columns of the blend they are."""
        first = 0
        for members in self.kinds:
            columns = range(first, first + members.n_moments)
            yield members, [(m, c) for m, c in enumerate(columns) if self.blend.weights[c] > 0]
            first += members.n_moments

    def answer_of(self, raw: Array, column: int) -> Array:
        """Return what the raw scores of a column, or its numbers, are averaged as."""
        return self.blend.answer(raw, column, self.targets.loss)

    def combine(self, columns: Array) -> Array:
        """Return the answer (n_raw, n_samples) to rows that were left out; NaN where none was.

        Parameters
        ----------
        columns : ndarray of shape (n_columns, n_raw, n_rounds, n_samples)
            What each column says in each round.
        """
        weights, shape = self.blend.weights, columns.shape[1:]
        total = np.zeros((shape[0], shape[1] * shape[2]))
        for c in np.flatnonzero(weights).tolist():
            total += weights[c] * self.answer_of(columns[c].reshape(shape[0], -1), c)
        rounds = total.reshape(shape)
        is_known = np.isfinite(rounds)
        sums, counts = np.where(is_known, rounds, 0).sum(axis=1), is_known.sum(axis=1)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)

    def tabulate(self) -> pd.DataFrame:
        """Return what each kind at each moment counts."""
        places = [(k, m) for k, kind in enumerate(self.kinds) for m in range(kind.n_moments)]
        index = pd.MultiIndex.from_tuples(places, names=["kind", "moment"])
        columns = {"weight": self.blend.weights}
        if self.blend.temperatures is not None:
            columns["temperature"] = self.blend.temperatures
        return pd.DataFrame(columns, index)

    def trim(self) -> None:
        """Forget which rows each network has learnt from, and parameters that count nothing."""
        nothing = np.empty(0, np.intp)
        for members, asked in self.asked():
            moments = {moment for moment, _ in asked}
            for member in members.members:
                member.fold = Fold(nothing, nothing)
                member.thetas = {k: theta for k, theta in member.thetas.items() if k in moments}
            members.spent = members.spent.timeless()

    def judges(self, n_samples: int) -> list[Judges]:
        """Return for each training row the networks that have not been trained on it."""
        by_kind = []
        for members in self.kinds:
            judges: list[list[int]] = [[] for _ in range(n_samples)]
            for m, member in enumerate(members.members):
                for row in member.fold.held_out.tolist():
                    judges[row].append(m)
            by_kind.append([tuple(those) for those in judges])
        return list(zip(*by_kind, strict=True))
