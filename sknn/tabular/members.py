"""The networks of an ensemble: for each kind one a fold, at the moments at which they settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sknn._math import Array, order_of
from sknn.ledger import NOTHING, Spent
from sknn.network import Network
from sknn.plain import kept
from sknn.tabular.encoder import TableEncoder
from sknn.tabular.encoding import TargetMeans
from sknn.tabular.presets import Kind


@kept
class Fold(NamedTuple):
    """Rows that are trained on, and rows that are not."""

    train: Array
    held_out: Array


class LeftOut:
    """A fold that is trained on all rows but some; only these are kept, which takes less memory.

    Parameters
    ----------
    held_out : ndarray of int
    n_rows : int
        How many rows there are.
    """

    def __init__(self, held_out: Array, n_rows: int) -> None:
        self.held_out = held_out.astype(np.int32 if n_rows < 2**31 else np.int64)
        self._n_rows = n_rows

    @property
    def train(self) -> Array:
        """The rows that are trained on."""
        is_trained_on = np.ones(self._n_rows, bool)
        is_trained_on[self.held_out] = False
        return np.flatnonzero(is_trained_on).astype(self.held_out.dtype)


SAFE = 1e4
"""Networks of smaller weights do not overflow in single precision."""


@kept
class Unit(NamedTuple):
    """The unit of numbers that a network has learnt, and how far they went.

    Attributes
    ----------
    center, spread, lowest, highest : ndarray of shape (n_outputs,)
    """

    center: Array
    spread: Array
    lowest: Array
    highest: Array

    @classmethod
    def of(cls, y: Array, weight: Array | None) -> Unit:
        """Return the unit of training targets (n_samples, n_outputs)."""
        seen = y if weight is None else y[weight > 0]
        order = order_of(y, axis=0)
        of_order = np.ldexp(y, -order)
        weight = None if weight is None else np.ldexp(weight, -order_of(weight))
        center = np.average(of_order, axis=0, weights=weight)
        spread = np.sqrt(np.average((of_order - center) ** 2, axis=0, weights=weight))
        center, spread = np.ldexp(center, order), np.ldexp(spread, order)
        return cls(center, np.where(spread > 0, spread, 1), seen.min(axis=0), seen.max(axis=0))

    def apply(self, y: Array) -> Array:
        """Return numbers in this unit, as the network learns them."""
        with np.errstate(over="ignore"):  # of a row that only other networks are trained on
            return np.asarray((y - self.center) / self.spread, np.float32)

    def undo(self, raw: Array) -> Array:
        """Return what a network says (n_outputs, n_samples) as numbers, within what it has seen."""
        numbers = raw.T.astype(np.float64) * self.spread + self.center
        return np.clip(numbers, self.lowest, self.highest).T


@kept
@dataclass
class Member:
    """One network, at the moments at which it had settled.

    Attributes
    ----------
    fold : Fold
    unit : Unit or None
        Of numbers.
    thetas : dict of ndarray
        The parameters by the number of the moment.
    means : list of tuple of int and TargetMeans
        Mean targets of the categories of some columns, by the place of their codes. They are its
        own, of the rows that it is trained on: means that all folds share would tell it of the
        targets that it is judged by.
    """

    fold: Fold | LeftOut
    unit: Unit | None
    thetas: dict[int, Array] = field(default_factory=dict)
    means: list[tuple[int, TargetMeans]] = field(default_factory=list)

    def see(self, X: Array, codes: Array) -> Array:
        """Return rows as the network takes them: what all share, and means of its own."""
        return np.concatenate([X, *self.encode(codes)], axis=1) if self.means else X

    def encode(self, codes: Array) -> list[Array]:
        """Return the mean targets of each column's categories."""
        encoded = []
        for place, means in self.means:
            encoded.append(np.empty((len(codes), len(means.names)), np.float32))
            means.encode(codes[:, [place]], encoded[-1])
        return encoded


@kept
@dataclass
class Members:
    """The networks of a kind.

    Attributes
    ----------
    kind : Kind
    encoder : TableEncoder
    network : Network
    members : list of Member
        One a fold.
    n_moments : int
        How many moments there are.
    max_iter, batch_size : int
        Epochs of the training, and samples of a batch.
    spent : Spent
        What the training has cost.
    """

    kind: Kind
    encoder: TableEncoder
    network: Network
    members: list[Member]
    n_moments: int
    max_iter: int
    batch_size: int
    spent: Spent = NOTHING

    def predict(self, member: Member, moment: int, X: Array) -> Array:
        """Return what a member says of encoded rows: numbers, or raw scores, (n_raw, n_samples)."""
        views = self.network.layout.views(member.thetas[moment])
        with np.errstate(over="ignore", invalid="ignore"):  # it answers within what it has seen
            raw = self.network.predict(X, views)
        return raw if member.unit is None else member.unit.undo(raw)

    def out_of_fold(self, X: Array, codes: Array, moments: Sequence[int] | None = None) -> Array:
        """Return what members say of the rows that they have not been trained on.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The training rows, encoded.
        codes : ndarray of int, shape (n_samples, n_categories)
            Their categories.
        moments : sequence of int, default=None
            Those that are asked; the others say NaN. None for all.

        Returns
        -------
        ndarray of shape (n_moments, n_raw, n_rounds, n_samples)
            In as many rounds as a row is left out at most; NaN where it is less often, and of
            networks that have no finite answer for some row.
        """
        counts = np.zeros(len(X), np.intp)
        for member in self.members:
            counts[member.fold.held_out] += 1
        shape = self.n_moments, self.network.n_outputs, counts.max(), len(X)
        answers, rounds = np.full(shape, np.nan), np.zeros(len(X), np.intp)
        for member in self.members:
            rows = member.fold.held_out
            encoded = member.see(X[rows], codes[rows])
            for moment in range(self.n_moments) if moments is None else moments:
                with np.errstate(all="ignore"):  # what has diverged will get no weight
                    if self._answers_all(member, moment, X, codes):
                        found = self.predict(member, moment, encoded)
                        answers[moment][:, rounds[rows], rows] = found
            rounds[rows] += 1
        return answers

    def _answers_all(self, member: Member, moment: int, X: Array, codes: Array) -> bool:
        """Whether a network has a finite answer for each row; of small weights that is known."""
        if np.abs(member.thetas[moment]).max() < SAFE:
            return True
        answers = self.predict(member, moment, member.see(X, codes))
        return bool(np.isfinite(answers).all())
