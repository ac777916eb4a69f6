"""What training has cost: counted, timed, and as a report for users."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any, NamedTuple

from sknn._warn import warn
from sknn.energy import WATTS_PER_CORE, Estimate, Meter, current_meter
from sknn.plain import kept


@kept
class Spent(NamedTuple):
    """What the training of a model has cost so far.

    Attributes
    ----------
    n_epochs, n_steps, n_samples : int
        Epochs and steps (iterations with lbfgs), and the samples that they have seen.
    operations : int
        Floating-point operations, see :mod:`sknn.operations`.
    seconds, cpu_seconds, joules : float
        Of a stack the model's share.
    peak_bytes : int
        Memory that training needs at most, beside what there was before.
    source : str
        How the joules were found.
    """

    n_epochs: int = 0
    n_steps: int = 0
    n_samples: int = 0
    operations: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    joules: float = 0.0
    peak_bytes: int = 0
    source: str = ""

    def after_epoch(self, n_steps: int, n_samples: int, operations: int) -> Spent:
        """Return what has been spent once another epoch has been made."""
        # Without keywords, since it is done in every epoch.
        return Spent(
            self[0] + 1, self[1] + n_steps, self[2] + n_samples, self[3] + operations, *self[4:]
        )

    def with_share(self, share: float) -> Spent:
        """Return what has been measured, times a share."""
        return self._replace(
            seconds=self.seconds * share,
            cpu_seconds=self.cpu_seconds * share,
            joules=self.joules * share,
        )

    def plus(self, other: Spent) -> Spent:
        """Return what both have cost together, one after the other."""
        return Spent(
            self.n_epochs + other.n_epochs,
            self.n_steps + other.n_steps,
            self.n_samples + other.n_samples,
            self.operations + other.operations,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            self.joules + other.joules,
            max(self.peak_bytes, other.peak_bytes),
            _joined(self.source, other.source),
        )

    def timeless(self) -> Spent:
        """Return it without what was measured."""
        return self._replace(seconds=math.nan, cpu_seconds=math.nan, joules=math.nan, source="")


NOTHING = Spent()
"""What has been spent before anything has begun."""


class Laps:
    """Measures time and energy, lap by lap.

    Parameters
    ----------
    cpu_time : callable
        The CPU seconds so far: of the process, where several threads compute, or of a thread.
    """

    def __init__(self, cpu_time: Callable[[], float]) -> None:
        self._cpu_time = cpu_time
        self._meter: Meter = current_meter()
        self._energy: Any = None
        self._start()

    def _start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), self._cpu_time()
        try:
            self._energy = self._meter.begin()
        except Exception as error:  # of a file that has gone, or of somebody's tracker
            self._estimate_instead(error)

    def _estimate_instead(self, error: Exception) -> None:
        """Go on without a meter that fails: no training is lost for it."""
        warn(
            f"Energy cannot be measured ({type(error).__name__}: {error}); it is estimated. Use "
            "sknn.metering('estimate') to be without this warning."
        )
        self._meter, self._energy = Estimate(WATTS_PER_CORE), None

    def lap(self) -> Spent:
        """Return what has been taken since the last lap, and begin another one."""
        spent = self.end()
        self._start()
        return spent

    def end(self) -> Spent:
        """Return what has been taken since the last lap; it was the last one."""
        wall, cpu = time.perf_counter() - self._wall, self._cpu_time() - self._cpu
        try:
            joules = self._meter.end(self._energy, cpu)
        except Exception as error:
            self._estimate_instead(error)
            joules = self._meter.end(None, cpu)
        return Spent(seconds=wall, cpu_seconds=cpu, joules=joules, source=self._meter.source)


def _joined(one: str, other: str) -> str:
    """Return where numbers come from that are added up."""
    if not one or not other or other in one:
        return one or other
    return f"{one}; {other}"


class Aside:
    """Adds up what a fit takes beside its solver, in the one thread where it runs."""

    def __init__(self) -> None:
        self.spent = NOTHING

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Add what the block takes."""
        laps = Laps(time.thread_time)
        try:
            yield
        finally:
            self.spent = self.spent.plus(laps.end())


class TrainingReport:
    """What the training of an estimator has cost, over all its calls since it began.

    Parameters
    ----------
    spent : Spent
        What the calls have cost together; a fit makes the report of it.

    Attributes
    ----------
    n_epochs : int
        Epochs, or iterations with lbfgs; of an ensemble those of all its networks.
    n_steps : int
        Updates of the parameters.
    n_samples_seen : int
        Samples that these have looked at.
    seconds, cpu_seconds : float or None
        Time by the clock, and on all cores; of fits that were trained together the share, by
        operations. None after ``trim``.
    flops : int
        Floating-point operations, counted: a multiply-add is 2, validation included.
    peak_bytes : int
        About how much memory training needs, its data included.
    energy_joules : float or None
        Energy in joules, measured or estimated; None after ``trim``.
    energy_source : str
        Which of both, and how.

    See Also
    --------
    sknn.metering : Chooses how energy is measured.
    sknn.model_selection.neg_training_cost : A number of the report as a score.
    sknn.model_selection.per_watt_hour : A score that is divided by the energy.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(tol=0.01, random_state=0).fit(X, y)
    >>> report = model.training_report_
    >>> report.n_samples_seen == 150 * report.n_epochs
    True
    >>> report.to_dict()["flops"] == report.flops
    True
    """

    def __init__(self, spent: Spent) -> None:
        self.n_epochs = spent.n_epochs
        self.n_steps = spent.n_steps
        self.n_samples_seen = spent.n_samples
        self.seconds = _known(spent.seconds)
        self.cpu_seconds = _known(spent.cpu_seconds)
        self.flops = spent.operations
        self.peak_bytes = spent.peak_bytes
        self.energy_joules = _known(spent.joules)
        self.energy_source = spent.source

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name.

        Returns
        -------
        dict
            With the attributes as keys.
        """
        return dict(vars(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrainingReport) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        parts = [f"{name} {text}" for name, text in self._rows()]
        return f"TrainingReport({', '.join(parts)})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>"
            for name, text in self._rows()
        )
        return f"<table><caption>What training has cost</caption><tbody>{rows}</tbody></table>"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("epochs", f"{self.n_epochs:,}"),
            ("steps", f"{self.n_steps:,}"),
            ("samples seen", f"{self.n_samples_seen:,}"),
            ("operations", _with_prefix(self.flops, "")),
            ("memory", _with_prefix(self.peak_bytes, "B")),
        ]
        if self.seconds is not None and self.cpu_seconds is not None:
            rows.append(("seconds", f"{self.seconds:.3g} ({self.cpu_seconds:.3g} of CPU)"))
        if self.energy_joules is not None:
            rows.append(
                ("energy", f"{_with_prefix(self.energy_joules, 'J')} ({self.energy_source})")
            )
        return rows


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number


def _with_prefix(number: float, unit: str) -> str:
    """Return a number with three digits and a prefix of its unit."""
    for factor, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:.3g} {prefix}{unit}".rstrip()
    return f"{number:.3g} {unit}".rstrip()
