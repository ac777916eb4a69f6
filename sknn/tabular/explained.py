"""What an ensemble for tables answers, as a function that can be differentiated."""

from __future__ import annotations

from typing import Any

import numpy as np

from sknn._math import Array, order_of
from sknn.inspection.answers import Answer, Differentiate, Points, gradients_of, sum_by_origin
from sknn.tabular.blending import raw_of
from sknn.tabular.ensemble import Ensemble
from sknn.tabular.members import Member, Members

TINY = 1e-30
"""Probabilities nearer than this to 0 or 1 hardly change their logarithms any more."""

N_PROBED = 256
"""At so many points the sensitivity of predictions is measured."""


class OfEnsemble(Answer):
    r"""The numbers of an ensemble, or the raw scores of its mean probabilities.

    .. math:: \frac{1}{T} \operatorname{link}\Big( \sum_c w_c \frac{1}{F} \sum_f p_{cf}(x) \Big)

    Its points are the encoded rows of each kind of networks, and for each network the mean targets
    of categories that are its own.

    Parameters
    ----------
    ensemble : Ensemble
    """

    is_direct = False

    def __init__(self, ensemble: Ensemble) -> None:
        self._ensemble, self.targets = ensemble, ensemble.targets
        self._loss, blend = ensemble.targets.loss, ensemble.blend
        self._is_of_numbers = blend.temperatures is None
        self._kinds = [(members, asked) for members, asked in ensemble.asked() if asked]
        self.origins = []
        for members, _ in self._kinds:
            self.origins.append(members.encoder.origins_)
            self.origins += [_origins_of(member) for member in members.members]
        self.n_outputs = self._kinds[0][0].network.n_outputs

    def encode(self, X: Any) -> Points:
        table = self._ensemble.columns.read(X)
        points: Points = []
        for members, _ in self._kinds:
            points.append(members.encoder.encode(table))
            for member in members.members:
                nothing = np.empty((len(table), 0), np.float32)
                points.append(np.concatenate([nothing, *member.encode(table.codes)], axis=1))
        return points

    def slopes(self, X: Any, points: Points) -> list[Array | None]:
        table = self._ensemble.columns.read(X)
        slopes: list[Array | None] = []
        for members, _ in self._kinds:
            slopes.append(members.encoder.slopes_of(table))
            start = len(slopes)
            own = points[start : start + len(members.members)]
            slopes += [np.full(numbers.shape, np.nan) for numbers in own]
        return slopes

    def values(self, points: Points) -> Array:
        return self._raw_of(self._mean(points))

    def gradients(self, points: Points, differentiate: Differentiate) -> Points:
        mean = self._mean(points)
        slope = self._raw_of(mean.copy())
        differentiate(slope)
        if not self._is_of_numbers:
            slope /= self._ensemble.blend.temperature
            spread = mean * (1 - mean) if self._loss.out_activation == "logistic" else mean
            slope /= np.maximum(spread, TINY)
        found = [np.zeros(array.shape) for array in points]
        start = 0
        for members, asked in self._kinds:
            shared = points[start]
            for m, member in enumerate(members.members):
                own = points[start + 1 + m]
                seen = np.concatenate([shared, own], axis=1)
                for moment, column in asked:
                    gradient = self._of_network(members, member, moment, column, seen, slope)
                    found[start] += gradient[:, : shared.shape[1]]
                    found[start + 1 + m] += gradient[:, shared.shape[1] :]
            start += 1 + len(members.members)
        return found

    def sensitivities(self, n_columns: int) -> Array:
        """Return how strongly outputs change with each column, (n_columns,), from the weights.

        Where the points are standard normal: the mean absolute derivative, summed over outputs and
        over what a column has become.
        """
        rng, total = np.random.RandomState(0), np.zeros(n_columns)
        points = [rng.standard_normal((N_PROBED, len(origins))) for origins in self.origins]
        for k in range(self.n_outputs):
            sizes = [np.abs(g).mean(axis=0, keepdims=True) for g in gradients_of(self, points, k)]
            total += sum_by_origin(self.origins, sizes, n_columns)[0]
        return total

    def _raw_of(self, mean: Array) -> Array:
        """Return the outputs that a mean over all networks leads to: numbers are those."""
        if self._is_of_numbers:
            return mean
        return raw_of(mean, self._loss) / self._ensemble.blend.temperature

    def _mean(self, points: Points) -> Array:
        """Return the weighted mean over all networks: numbers or probabilities."""
        total = np.zeros((self.n_outputs, len(points[0])))
        start = 0
        for members, asked in self._kinds:
            for m, member in enumerate(members.members):
                seen = np.concatenate([points[start], points[start + 1 + m]], axis=1)
                for moment, column in asked:
                    raw = members.predict(member, moment, seen)
                    share = self._ensemble.blend.weights[column] / len(members.members)
                    total += share * self._ensemble.answer_of(raw, column)
            start += 1 + len(members.members)
        return total

    def _of_network(
        self, members: Members, member: Member, moment: int, column: int, X: Array, slope: Array
    ) -> Array:
        """Return the part of the gradient that goes through one network at one moment."""
        blend, unit = self._ensemble.blend, member.unit
        share = blend.weights[column] / len(members.members)
        order = 0 if unit is None else order_of(unit.spread)  # which float32 may not have

        def through(raw: Array, rows: slice) -> None:
            if unit is not None:
                numbers = raw.T * unit.spread + unit.center
                is_within = (numbers >= unit.lowest) & (numbers <= unit.highest)
                raw[...] = share * slope * (is_within * np.ldexp(unit.spread, -order)).T
                return
            assert blend.temperatures is not None
            temperature = blend.temperatures[column]
            p = self._ensemble.answer_of(raw, column)
            inner = share * slope
            self._loss.pull_back(p, inner)
            raw[...] = inner / temperature

        views = members.network.layout.views(member.thetas[moment])
        gradient = members.network.input_gradient(X, views, through)
        return np.ldexp(gradient.astype(np.float64), order)


def _origins_of(member: Member) -> Array:
    """Return which columns a network's own mean targets come from."""
    found = [origin for _, means in member.means for origin in means.origins]
    return np.array(found, dtype=np.intp)
