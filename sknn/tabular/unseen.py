"""What networks say of the rows of a table in a file that they have not been trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sknn._math import Array, spread_rows
from sknn.tabular.ensemble import Ensemble
from sknn.tabular.members import Fold, LeftOut, Members
from sknn.tabular.stored import StoredTable
from sknn.tabular.table import Table

JUDGED_ROWS = 100_000
"""So many rows at most decide how the answers of networks become one."""

LEAST_JUDGED = 5_000
"""And so many at least, however little memory there is."""

COPIES = 4
"""So many arrays of answers there are at a time while weights are found."""

NOTHING = np.empty(0, np.intp)

Folds = Sequence[Fold | LeftOut]


class Unseen:
    """The networks of an ensemble, and which rows of a table in a file they have not seen.

    Parameters
    ----------
    table : StoredTable
    trained : list of Members
    """

    def __init__(self, table: StoredTable, trained: list[Members]) -> None:
        self._table, self._trained = table, trained
        known = dict[tuple[int, ...], Array]()  # kinds share folds
        self._judges = []
        for members in trained:
            folds = [member.fold for member in members.members]
            key = tuple(map(id, folds))
            if key not in known:
                known[key] = find_judges(folds, len(table))
            self._judges.append(known[key])

    def choose_rows(self, weight: Array | None) -> Array:
        """Return the numbers of some rows that have been left out, from all over the table."""
        n_columns = sum(members.n_moments for members in self._trained)
        n_rounds, n_raw = len(self._judges[0]), self._trained[0].network.n_outputs
        width = max(members.network.n_features for members in self._trained)
        n_bytes = 8 * COPIES * n_columns * n_raw * n_rounds + 4 * width
        n_rows = min(JUDGED_ROWS, max(LEAST_JUDGED, self._table.memory // n_bytes))
        counts = self._judges[0][0] >= 0
        if weight is not None:
            counts = counts & (weight > 0)
        rows = np.flatnonzero(counts)
        return rows[spread_rows(len(rows), n_rows)]

    def among(self, rows: Array) -> list[Members]:
        """Return the networks, in whose folds these rows, numbered anew, are the only ones."""
        found = []
        for members, judges in zip(self._trained, self._judges, strict=True):
            of_rows = judges[:, rows]
            folds = [
                Fold(NOTHING, np.flatnonzero((of_rows == m).any(axis=0)))
                for m in range(len(members.members))
            ]
            pairs = zip(members.members, folds, strict=True)
            found.append(
                replace(members, members=[replace(member, fold=fold) for member, fold in pairs])
            )
        return found

    def answer(self, ensemble: Ensemble) -> Array:
        """Return what the ensemble says of all rows with those that have not seen them.

        Returns
        -------
        ndarray of shape (n_raw, n_samples)
            NaN for rows that no fold has held out.
        """
        asked = [[moment for moment, _ in some] for _, some in ensemble.asked()]
        answer = np.empty((self._trained[0].network.n_outputs, len(self._table)))
        for _, numbers, table in self._table.blocks():
            columns = answer_unseen(self.among(numbers), table, asked)
            answer[:, numbers] = ensemble.combine(columns)
        return answer


def find_judges(folds: Folds, n_rows: int) -> Array:
    """Return for each round and row the number of the network that has not seen it, or -1."""
    counts = np.zeros(n_rows, np.int16)
    for fold in folds:
        counts[fold.held_out] += 1
    judges = np.full((max(1, counts.max()), n_rows), -1, np.int16)
    counts[:] = 0
    for m, fold in enumerate(folds):
        judges[counts[fold.held_out], fold.held_out] = m
        counts[fold.held_out] += 1
    return judges


def answer_unseen(
    trained: list[Members], table: Table, asked: list[list[int]] | None = None
) -> Array:
    """Return what networks say of the rows that they have not seen.

    Parameters
    ----------
    trained : list of Members
        Their folds count the rows of this table.
    table : Table
    asked : list of list of int, default=None
        For each kind the moments that are asked; None asks all.

    Returns
    -------
    ndarray of shape (n_columns, n_raw, n_rounds, n_samples)
    """
    if asked is None:
        asked = [list(range(members.n_moments)) for members in trained]
    answers = []
    for members, moments in zip(trained, asked, strict=True):
        X = members.encoder.encode(table) if moments else np.empty((len(table), 0))
        answers.append(members.out_of_fold(X, table.codes, moments))
    return np.concatenate(answers)


def forget_folds(trained: list[Members]) -> None:
    """Forget which rows networks have been trained on."""
    for members in trained:
        for member in members.members:
            member.fold = Fold(NOTHING, NOTHING)
