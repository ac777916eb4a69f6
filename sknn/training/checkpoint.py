"""A file in which a training is kept while it runs, so that it can go on after a crash."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sknn._version import __version__
from sknn._warn import warn
from sknn.container import read, understood, write
from sknn.plain import as_plain, from_plain
from sknn.schedules import Schedule
from sknn.solvers import LBFGS, Problem, Solver, Stochastic, TrainingState
from sknn.training.identity import fingerprint

LEFT_OUT = frozenset({"checkpoint", "checkpoint_seconds", "verbose"})
"""Parameters on which what is trained does not depend."""

SUFFIX = ".sknn"

KIND = "checkpoint"

PARTS = ("fingerprints", "max_iter", "seconds", "made", "trainings")
"""What a file holds."""

T = TypeVar("T")


class DamagedError(ValueError):
    """A file is not what a checkpoint should be."""


class Checkpoint:
    """The file of one fit, and what it has kept of its trainings.

    A fit may have several trainings, one after the other or together; each has a name.

    Parameters
    ----------
    path : str or path-like
        A file; or a folder, in which each fit has a file that is named by its fingerprint.
    seconds : float
        The file is written no more often than that.
    about : mapping
        What the fit is of, by name: its parameters, and what it is trained on.
    max_iter : int, default=None
        The epochs that a training has at most, if a fit with more may go on from one with fewer.

    Attributes
    ----------
    path : Path
        The file.
    seconds_before : float
        How long the trainings in the file have taken so far.
    """

    def __init__(
        self,
        path: Any,
        seconds: float,
        about: Mapping[str, Any],
        max_iter: int | None = None,
    ) -> None:
        self._seconds, self._max_iter = seconds, max_iter
        left_out = LEFT_OUT if max_iter is None else {*LEFT_OUT, "max_iter"}
        known = {name: value for name, value in about.items() if name not in left_out}
        self._fingerprints = {name: fingerprint(value, name) for name, value in known.items()}
        number = "" if max_iter is None else f"-{max_iter}"
        name = f"{fingerprint(self._fingerprints, 'checkpoint')}{number}{SUFFIX}"
        self.path, self._is_in_folder = _choose_path(path, name)
        self._begin = self._written = time.monotonic()
        self._fresh: set[str] = set()
        self._kept: dict[str, dict[str, Any]] = {}
        self._made: dict[str, Any] = {}
        self.seconds_before = 0.0
        self._max_iter_before = max_iter
        if self.path.exists() and self.path.stat().st_size:
            self._open()

    def __str__(self) -> str:
        return f"checkpoint={os.fspath(self.path)!r}"

    def _open(self) -> None:
        try:
            self._read()
        except DamagedError as error:
            if not self._is_in_folder:
                raise
            warn(f"{error} The fit begins anew.")  # the file has its name from us

    def _read(self) -> None:
        tree, header = self._understood(lambda: read(self.path))
        if header.get("class") != KIND:
            raise self._refusal("is no checkpoint", "Change the path")
        before, *known = self._understood(lambda: [tree[name] for name in PARTS])
        ours = self._fingerprints
        names = self._understood(lambda: [n for n in before if before[n] != ours.get(n)])
        if names or len(before) != len(ours):
            differing = f" ({', '.join(names)})" if names else ""
            what = f"is that of a fit with other parameters or other data{differing}"
            raise self._refusal(what)
        self._max_iter_before, self.seconds_before, self._made, self._kept = known

    def _understood(self, work: Callable[[], T]) -> T:
        """Return what work makes of the file; refuse one that is damaged."""
        try:
            return understood(self.path, work)
        except ValueError as error:
            raise DamagedError(
                f"{self} cannot be read: {error}. Delete the file if "
                "it is a checkpoint, or change the path."
            ) from error

    def _refusal(
        self, what: str, remedy: str = "Delete the file, or change the path"
    ) -> ValueError:
        return ValueError(
            f"{self} {what}. {remedy}; a folder (a path that ends "
            "with a slash) has a file for each fit."
        )

    # What has been kept.

    def begin(self, name: str, rng: np.random.RandomState, is_own: bool) -> np.random.RandomState:
        """Return the random state that a training begins with: that of the first time.

        Parameters
        ----------
        name : str
            The training.
        rng : RandomState
            What it would begin with now.
        is_own : bool
            Whether it is the user's, and is to be left where the training leaves it.

        Returns
        -------
        RandomState
            The same, or a new one in that state.
        """
        begin = self._kept.setdefault(name, {"begin": rng.get_state()})["begin"]
        if len(self._kept) == 1 and not self.path.exists():
            self.write()  # so that it is known now whether that can be
        # A program that seeds all draws is where it was: it is left where the training leaves it.
        is_there = _is_same_state(begin, rng.get_state())
        first = rng if is_own or is_there else np.random.RandomState(0)
        first.set_state(begin)
        return first

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what has been made the first time, in plain terms.

        Parameters
        ----------
        name : str
            What it is called.
        make : callable
            Makes it.

        Returns
        -------
        object
            What `make` has returned in the first of the calls, of whichever process.
        """
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def extra(self, name: str) -> Any:
        """Return what `keep` was given beside the state, or None.

        Parameters
        ----------
        name : str
            The training.

        Returns
        -------
        object
            In plain terms.
        """
        return self._kept[name].get("extra")

    def resumed(self, name: str, problem: Problem, **options: Any) -> Problem | TrainingState:
        """Return a problem that goes on where it was; or its solution, if it has come to its end.

        Parameters
        ----------
        name : str
            The training.
        problem : Problem
            It has begun with `begin`.
        **options : dict
            Of `keep`.

        Returns
        -------
        Problem or TrainingState
            What is still to be done, or what has become of it.

        Raises
        ------
        ValueError
            If there are more or fewer epochs now, and that would have changed those so far.
        """
        problem = replace(problem, keep=functools.partial(self.keep, name, **options))
        kept = self._kept[name]
        state: TrainingState | None = self._understood(lambda: from_plain(kept.get("state")))
        if state is None:
            return self._begun_again(name, problem)
        if self._max_iter_before != self._max_iter:
            self._check_epochs(problem.solver, state.n_iter)
        is_longer = self._max_iter is not None and self._max_iter > state.n_iter
        if kept.get("has_finished") and not (state.has_run_out and is_longer):
            problem.rng.set_state(kept["end"])
            return state
        if kept.pop("has_finished", False):  # what came after it was another training
            self._kept = {name: kept}
        if state.position is None:
            return self._begun_again(name, problem)
        if problem.verbose:
            print(f"{self}: goes on after iteration {state.n_iter}.")
        return replace(problem, state=state, goes_on=True)

    def say_again(self, state: TrainingState, solver: Solver) -> None:
        """Warn of a training that is taken from the file as it was warned of when it ended.

        Parameters
        ----------
        state : TrainingState
            What has become of the training.
        solver : Solver
            What it was trained with.
        """
        is_short = not isinstance(solver, Stochastic) or not solver.schedule.is_finite
        if state.has_run_out and is_short:
            warn(
                f"The fit in {self} has ended after "
                f"max_iter={state.n_iter} iterations and hasn't converged; increase max_iter.",
                ConvergenceWarning,
            )

    def _begun_again(self, name: str, problem: Problem) -> Problem:
        """Return a problem that begins; lbfgs can only begin, and does so as the first time."""
        solver = problem.solver
        if not isinstance(solver, LBFGS):
            return problem
        n_workers = self.once(f"workers of {name}", lambda: solver.count_workers(problem))
        self.write()
        return replace(problem, n_workers=n_workers)

    def _check_epochs(self, solver: Solver, n_iter: int) -> None:
        """Raise unless the epochs so far would have been the same with the number that there is."""
        before, now = self._max_iter_before, self._max_iter
        assert before is not None
        assert now is not None
        if n_iter > now:
            raise self._refusal(f"has {n_iter} epochs, more than max_iter={now}")
        if isinstance(solver, Stochastic) and not is_same_past(solver, n_iter, before, now):
            raise self._refusal(
                f"is that of a fit with max_iter={before}, on which its schedule depends; this one "
                f"has max_iter={now}"
            )

    # What is kept.

    def keep(
        self,
        name: str,
        snapshot: Callable[[], TrainingState],
        extra: Any = None,
        alone: bool = True,
    ) -> None:
        """Keep the state of a training if it is time to.

        Parameters
        ----------
        name : str
            The training.
        snapshot : callable
            Returns the state.
        extra : callable, default=None
            Returns what else is to be kept, in plain terms.
        alone : bool, default=True
            Whether no other training runs beside it: else the file is written once all of them have
            been seen.
        """
        if time.monotonic() - self._written < self._seconds:
            return
        if name in self._fresh:
            self.try_to_write()
            return
        self._note(name, snapshot(), None if extra is None else extra())
        self._fresh.add(name)
        if alone:
            self.try_to_write()

    def finish(
        self, name: str, state: TrainingState, rng: np.random.RandomState, extra: Any = None
    ) -> None:
        """Keep what has become of a training; it is written with `try_to_write`.

        Parameters
        ----------
        name : str
            The training.
        state : TrainingState
            What has become of it.
        rng : RandomState
            In the state in which the training leaves it.
        extra : object, default=None
            What else is to be kept.
        """
        self._note(name, state, extra)
        self._kept[name] |= {"has_finished": True, "end": rng.get_state()}

    def _note(self, name: str, state: TrainingState, extra: Any) -> None:
        plain = as_plain(replace(state, ending=None), lambda value, where: value.get_state())
        self._kept[name] |= {"state": plain, "extra": as_plain(extra)}

    def try_to_write(self) -> None:
        """Write the file; a training is not lost where that fails, as when the disk is full."""
        try:
            self.write()
        except OSError as error:
            warn(f"{self} could not be written: {error}")
            self._written = time.monotonic()

    def write(self) -> None:
        """Write the file."""
        seconds = self.seconds_before + time.monotonic() - self._begin
        values = self._fingerprints, self._max_iter, seconds, self._made, self._kept
        tree = dict(zip(PARTS, values, strict=True))
        write(self.path, tree, {"sknn": __version__, "class": KIND})
        self._fresh.clear()
        self._written = time.monotonic()


def is_same_past(solver: Stochastic, n_iter: int, before: int, now: int) -> bool:
    """Whether the epochs so far are the same with two numbers of epochs at most."""
    schedules = [solver.schedule, solver.decay_schedule, solver.noise_schedule]
    return all(
        _is_same(schedule, n_iter, before, now) for schedule in schedules if schedule is not None
    ) and (
        solver.averaging is None
        or all(
            solver.averaging.epoch_weight(epoch, before)
            == solver.averaging.epoch_weight(epoch, now)
            for epoch in range(n_iter)
        )
    )


def _is_same(schedule: Schedule, n_iter: int, before: int, now: int) -> bool:
    factor = schedule.step_multiplier if schedule.by_step else schedule.multiplier
    return all(factor(e, before, e) == factor(e, now, e) for e in range(n_iter))


def _is_same_state(one: Any, other: Any) -> bool:
    """Whether two states of a generator are equal."""
    return all(map(np.array_equal, one, other))


def _choose_path(path: Any, name: str) -> tuple[Path, bool]:
    """Return the file of a fit, and whether it has its name from us; a folder is made."""
    text = os.fspath(path)
    target = Path(text)
    if text.endswith(("/", os.sep)) or target.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return target / name, True
    if not target.parent.is_dir():
        raise ValueError(
            f"checkpoint={text!r} is in a folder that does not exist; make it, or pass a path that "
            "ends with a slash for a folder with a file for each fit."
        )
    return target, False
