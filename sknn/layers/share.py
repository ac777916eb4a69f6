"""The rows of a batch that a worker has, and how workers add up over all of them."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from sknn._math import Array, Call


def meet() -> None:
    """Mark in a list of calls where the workers wait for each other."""


class Team:
    """Workers that share the rows of a batch.

    Parameters
    ----------
    sizes : list of int
        The number of rows that each has.

    Attributes
    ----------
    n_rows : int
        All rows.
    """

    def __init__(self, sizes: list[int]) -> None:
        self.n_rows = sum(sizes)
        self.n_members = len(sizes)
        self.parts: list[Array] = []

    def share(self, member: int, noise: Array, noise_level: Array | None = None) -> Share:
        """Return the share of one worker, with the random numbers of its rows.

        Parameters
        ----------
        member : int
            Which of the workers.
        noise : ndarray of uint64, shape (..., n_samples, n_noise)
            Random bits of its rows.
        noise_level : ndarray or None, default=None
            See :class:`Share`.

        Returns
        -------
        Share
            That of this worker.
        """
        return Share(self, member, noise, noise_level, [0])


class Share:
    """What a layer has to know of the rows that it is bound to.

    Make it with :meth:`Team.share`, or :meth:`alone`. The members of a team bind the same layers
    in the same order.

    Parameters
    ----------
    team : Team
        Who shares the batch.
    member : int
        Which of them this is.
    noise : ndarray of uint64, shape (..., n_samples, n_noise)
        Random bits, new in each step.
    noise_level : ndarray of shape () or (n_models, 1, 1), or None
        What rates of random changes are multiplied by, a buffer whose number may change from step
        to step; None if they stay.
    n_totals : list of int
        A counter of the sums so far, one for all shares of the member.

    Attributes
    ----------
    n_rows : int
        Rows of the whole batch.
    is_first : bool
        Whether this is the worker that keeps what there is only once, such as statistics.
    """

    def __init__(
        self,
        team: Team,
        member: int,
        noise: Array,
        noise_level: Array | None,
        n_totals: list[int],
    ) -> None:
        self.noise = noise
        self.noise_level = noise_level
        self.n_rows = team.n_rows
        self.is_first = member == 0
        self._team, self._member, self._n_totals = team, member, n_totals

    @classmethod
    def alone(cls, noise: Array) -> Share:
        """Return the share of a worker that has all rows.

        Parameters
        ----------
        noise : ndarray of uint64, shape (..., n_samples, n_noise)
            Random bits of all rows.

        Returns
        -------
        Share
            The only one.
        """
        return Team([noise.shape[-2]]).share(0, noise)

    def words(self, first: int, last: int) -> Share:
        """Return the same share with some columns of the random bits.

        Parameters
        ----------
        first : int
            The first column.
        last : int
            The column after the last one.

        Returns
        -------
        Share
            With these columns of `noise`.
        """
        words = self.noise[..., first:last]
        return Share(self._team, self._member, words, self.noise_level, self._n_totals)

    def total(self, part: Array) -> tuple[Array, list[Call]]:
        """Return where the sum of the workers' parts will be, and the calls that bring it there.

        Parameters
        ----------
        part : ndarray
            What this worker adds.

        Returns
        -------
        total : ndarray
            Where the sum will be.
        calls : list of callable
            What brings it there.
        """
        if self._team.n_members == 1:
            return part, []
        place, parts = self._n_totals[0], self._team.parts
        self._n_totals[0] += 1
        if place == len(parts):
            parts.append(np.empty((self._team.n_members, *part.shape), part.dtype))
        shared, total = parts[place], np.empty_like(part)
        return total, [
            partial(np.copyto, shared[self._member], part),
            meet,
            partial(np.add.reduce, shared, 0, None, total),
        ]


def split_at_meetings(workers: list[list[Call]]) -> list[list[list[Call]]]:
    """Return the phases of workers that wait for each other in the midst of their calls.

    Parameters
    ----------
    workers : list of list of callable
        The calls of each worker; each has the same number of meetings among them.

    Returns
    -------
    list of list of list of callable
        For each phase the calls of each worker.
    """
    pieces: list[list[list[Call]]] = []
    for calls in workers:
        ends = [i for i, call in enumerate(calls) if call is meet]
        bounds = itertools.pairwise([-1, *ends, len(calls)])
        pieces.append([calls[begin + 1 : end] for begin, end in bounds])
    return [list(phase) for phase in zip(*pieces, strict=True)]
